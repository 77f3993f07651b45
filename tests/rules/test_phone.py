from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rules.errors import Invalid
from domain.rules.phone import contact_number, mobile


def refusal(text: str) -> str:
    with pytest.raises(Invalid) as caught:
        mobile(text)
    return caught.value.code


@pytest.mark.parametrize(
    "written",
    [
        "13800138000",
        "１３８００１３８０００",
        " 138 0013 8000 ",
        "138-0013-8000",
        "+86 138-0013-8000",
        "＋８６ 13800138000",
        "008613800138000",
        "8613800138000",
    ],
)
def test_a_mobile_number_is_kept_in_one_form_however_it_is_typed(written: str) -> None:
    assert mobile(written) == "+8613800138000"


@pytest.mark.parametrize("number", ["17012345678", "16212345678", "19912345678", "14512345678", "18612345678"])
def test_numbers_of_every_operator_are_mobile(number: str) -> None:
    assert mobile(number) == f"+86{number}"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("", "PHONE_FORMAT"),
        ("1380013800", "PHONE_FORMAT"),
        ("138001380000", "PHONE_FORMAT"),
        ("12345678901", "PHONE_FORMAT"),
        ("13800138000 ext 5", "PHONE_FORMAT"),
        ("13800138000;ext=5", "PHONE_FORMAT"),
        ("1-380-FLOWERS", "PHONE_FORMAT"),
        ("١٣٨٠٠١٣٨٠٠٠", "PHONE_FORMAT"),
        ("13800138000\x00", "PHONE_FORMAT"),
        ("13800138000\n13800138001", "PHONE_FORMAT"),
        ("10649912345678", "PHONE_FORMAT"),
        ("+852 9123 4567", "PHONE_NOT_MAINLAND"),
        ("+1 900 555 0123", "PHONE_NOT_MAINLAND"),
        ("0431-88904114", "PHONE_NOT_MOBILE"),
        ("4008123123", "PHONE_NOT_MOBILE"),
    ],
)
def test_what_takes_no_message_in_the_mainland_is_refused(written: str, code: str) -> None:
    assert refusal(written) == code


def test_a_second_number_may_be_a_fixed_line_but_no_service_number() -> None:
    assert contact_number("（0431）88904114") == "+8643188904114"
    assert contact_number("13800138000") == "+8613800138000"
    with pytest.raises(Invalid) as caught:
        contact_number("4008123123")
    assert caught.value.code == "PHONE_NOT_PERSONAL"


@given(st.text(st.one_of(st.characters(), st.sampled_from("0123456789０１２３+ -()"))))
def test_whatever_is_written_comes_back_as_a_number_or_a_refusal(text: str) -> None:
    try:
        answer = mobile(text)
    except Invalid as refused:
        answer = refused.code

    assert re.fullmatch(r"PHONE_[A-Z_]+|\+861[0-9]{10}", answer)
