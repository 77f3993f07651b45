from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from stdnum.cn import uscc

from domain.rules.credit_code import credit_code
from domain.rules.errors import Invalid


def refusal(text: str) -> str:
    with pytest.raises(Invalid) as caught:
        credit_code(text)
    return caught.value.code


def coded(body: str) -> str:
    return body + uscc.calc_check_digit(body)


@pytest.mark.parametrize(
    "written", ["91110000600037341L", "91110000600037341l", "９１１１００００６０００３７３４１Ｌ", " 91 110000 600037341-L "]
)
def test_a_code_is_accepted_however_it_is_typed(written: str) -> None:
    assert credit_code(written) == "91110000600037341L"


@pytest.mark.parametrize("begins", ["11", "12", "52", "91", "92", "93", "N2", "A1", "Y1"])
def test_every_registering_authority_of_the_standard_is_known(begins: str) -> None:
    code = coded(f"{begins}22000012345678X"[:17])

    assert credit_code(code) == code


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("", "CREDIT_CODE_FORMAT"),
        ("9111000060003734", "CREDIT_CODE_FORMAT"),
        ("91110000600037341LL", "CREDIT_CODE_FORMAT"),
        ("91110000I00037341L", "CREDIT_CODE_FORMAT"),
        ("9111O000600037341L", "CREDIT_CODE_FORMAT"),
        ("B1110000600037341L", "CREDIT_CODE_FORMAT"),
        ("91110000600037341\x00", "CREDIT_CODE_FORMAT"),
        ("91110000600037341M", "CREDIT_CODE_CHECK_DIGIT"),
        ("91110000600037314L", "CREDIT_CODE_CHECK_DIGIT"),
    ],
)
def test_a_code_that_cannot_be_right_is_refused(written: str, code: str) -> None:
    assert refusal(written) == code


@given(st.text())
def test_whatever_is_written_comes_back_as_a_code_or_a_refusal(text: str) -> None:
    try:
        answer = credit_code(text)
    except Invalid as refused:
        answer = refused.code

    assert re.fullmatch("CREDIT_CODE_(FORMAT|CHECK_DIGIT)|[0-9A-Z]{18}", answer)
