from __future__ import annotations

import time
import unicodedata
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rules.contact import email, postcode
from domain.rules.credit_code import credit_code
from domain.rules.errors import Invalid
from domain.rules.identity import id_number, kind_of
from domain.rules.images import ImageKind, clean_name
from domain.rules.passwords import acceptable, normalised
from domain.rules.phone import contact_number, mobile
from domain.rules.second_factor import accepted_step
from domain.rules.text import is_piled, line, normal_form, person_name, prose


def refusal(check: Callable[[], str]) -> str:
    with pytest.raises(Invalid) as caught:
        check()
    return caught.value.code


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("张三", "张三"),
        (" 张 三\u3000", "张三"),
        ("张\u200b三\ufeff", "张三"),
        ("\u202a张三", "张三"),
        ("欧阳娜娜", "欧阳娜娜"),
        ("买买提·吐尔逊", "买买提·吐尔逊"),
        ("买买提•吐尔逊", "买买提·吐尔逊"),
        ("买买提・吐尔逊", "买买提·吐尔逊"),
        ("买买提･吐尔逊", "买买提·吐尔逊"),
        ("买买提 · 吐尔逊", "买买提·吐尔逊"),
        ("买买提.吐尔逊", "买买提·吐尔逊"),
        ("买买提．吐尔逊", "买买提·吐尔逊"),
        ("ＪＯＨＮ　Ｓｍｉｔｈ", "JOHN Smith"),
        ("O'Brien-Müller", "O'Brien-Müller"),
        ("J. R. Smith", "J. R. Smith"),
        ("金\uf9b5", "金例"),  # a compatibility ideograph becomes the character it stands for
        ("王〇〇", "王〇〇"),
        ("李\U00030edd", "李\U00030edd"),  # 𰻝, added to Unicode in 2020
        ("李\U000323af", "李\U000323af"),  # added in 2022, unknown to Python 3.11
    ],
)
def test_a_name_is_kept_in_one_spelling(written: str, kept: str) -> None:
    assert person_name(written) == kept


@pytest.mark.parametrize(
    "written",
    [
        "张三😀",
        "张三❤",
        "张\x00三",
        "张\n三",
        "张\x1b三",
        "张\ud800三",
        "张三1",
        "张三<b>",
        "张三;",
        "张_三",
        "·张三",
        "张三·",
        "张··三",
        "张\ue000三",
        "Иван",
        "张三\u0301",
        "{{7*7}}",
        "=1+1",
    ],
)
def test_a_name_with_anything_but_letters_is_refused(written: str) -> None:
    assert refusal(lambda: person_name(written)) == "NAME_CHARACTERS"


@pytest.mark.parametrize("written", ["", "   ", "张", "张" * 51])
def test_a_name_has_two_to_fifty_characters(written: str) -> None:
    assert refusal(lambda: person_name(written)) == "NAME_LENGTH"


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        (" 吉林大学（中心校区）  ", "吉林大学（中心校区）"),
        ("前进大街２６９９号Ａ座", "前进大街2699号A座"),
        ("吉林\u200d大学\u202e", "吉林大学"),
        ("第一\t实验\u3000中学", "第一 实验 中学"),
        ("e\u0301cole", "école"),
        ("《政府采购》℃ № ①", "《政府采购》℃ № ①"),
    ],
)
def test_a_line_keeps_its_chinese_punctuation_and_loses_what_nobody_sees(written: str, kept: str) -> None:
    assert line(written, longest=120) == kept


@pytest.mark.parametrize(
    "written",
    [
        "吉林\n大学",
        "吉林\r大学",
        "吉林\x00大学",
        "吉林\x85大学",
        "吉林\u2028大学",
        "吉林大学😀",
        "吉林大学⭐",
        "吉\udc00林",
        "吉\ue123林",
        "吉\uffff林",
        "吉\U000e0041林",
    ],
)
def test_a_line_with_controls_or_emoji_is_refused(written: str) -> None:
    assert refusal(lambda: line(written, longest=120)) == "TEXT_CHARACTERS"


def test_the_length_of_a_line_is_counted_in_characters_after_it_was_put_right() -> None:
    assert line(" " + "\U00020000" * 10 + " ", longest=10) == "\U00020000" * 10
    assert refusal(lambda: line("字" * 11, longest=10)) == "TEXT_LENGTH"
    assert refusal(lambda: line(" \u200b ", longest=10)) == "TEXT_EMPTY"


def test_prose_keeps_its_lines_and_its_emoji() -> None:
    assert prose("\r\n一、审核。\r\n\t二、评审👍\u2028三 \n", longest=100) == "一、审核。\n\t二、评审👍\n三"


@pytest.mark.parametrize("written", ["审\x00核", "审\x1b[31m核", "审\ud800核"])
def test_prose_with_controls_is_refused(written: str) -> None:
    assert refusal(lambda: prose(written, longest=100)) == "TEXT_CHARACTERS"


def test_prose_that_is_empty_or_too_long_is_refused() -> None:
    assert refusal(lambda: prose("\n \n", longest=100)) == "TEXT_EMPTY"
    assert refusal(lambda: prose("字" * 101, longest=100)) == "TEXT_LENGTH"


ANYTHING = st.text(st.characters(codec=None, exclude_categories=()), max_size=60)


def accepted(check: Callable[[], str]) -> str | None:
    try:
        return check()
    except Invalid:
        return None


@given(ANYTHING)
def test_a_name_that_was_kept_is_kept_again_as_it_is(text: str) -> None:
    kept = accepted(lambda: person_name(text))

    if kept is not None:
        assert person_name(kept) == kept == unicodedata.normalize("NFKC", kept)


@given(ANYTHING, st.sampled_from([line, prose]))
def test_text_that_was_kept_can_be_stored_and_is_kept_again_as_it_is(text: str, check: Callable[..., str]) -> None:
    kept = accepted(lambda: check(text, longest=60))

    if kept is not None:
        assert "\x00" not in kept
        assert kept.encode()
        assert check(kept, longest=60) == kept


BODY = 120_000
"""As many characters as a request can bring."""
LONG_WINDED = {
    "marks out of order": "a" + "\u0301\u0316" * (BODY // 2),
    "marks that are called none": "a" + "\u0f73\u0301\uff9e\u0316" * (BODY // 4),
    "marks between invisible ones": "a" + "\u0301\u200b\u0316\u200b" * (BODY // 4),
    "spaces": " " * BODY + "a",
    "full-width digits": "１" * BODY,
    "dots": "a." * (BODY // 2) + "@",
    "hyphens": "1-" * (BODY // 2),
    "letters and dots of names": "张·" * (BODY // 2) + "1",
    "slashes": "/" * BODY,
}
RULES: dict[str, Callable[[str], object]] = {
    "name": person_name,
    "line": lambda text: line(text, longest=100),
    "prose": lambda text: prose(text, longest=2000),
    "e-mail": email,
    "postcode": postcode,
    "credit code": credit_code,
    "id number": lambda text: id_number(text, today=date(2026, 3, 2)),
    "kind of card": kind_of,
    "mobile": mobile,
    "second phone": contact_number,
    "new password": acceptable,
    "password": normalised,
    "second factor": lambda text: accepted_step(b"secret", text, now=datetime(2026, 3, 2, tzinfo=UTC), last_used=None),
    "name of an image": lambda text: clean_name(text, ImageKind.JPEG),
}


@pytest.mark.parametrize("text", LONG_WINDED)
@pytest.mark.parametrize("rule", RULES)
def test_no_text_that_fits_into_a_request_takes_long(rule: str, text: str) -> None:
    began = time.perf_counter()

    with suppress(Invalid):
        RULES[rule](LONG_WINDED[text])

    assert time.perf_counter() - began < 0.5


def test_a_pile_of_marks_is_refused_and_marks_of_a_language_are_not() -> None:
    vietnamese, pile = "Trần Thị Nguyễn " * 100, "e" + "\u0301" * 31 + "x" * 600

    assert not is_piled(unicodedata.normalize("NFD", vietnamese))
    assert normal_form(unicodedata.normalize("NFD", vietnamese), "NFC") == vietnamese
    assert refusal(lambda: prose(pile, longest=2000)) == "TEXT_CHARACTERS"
    assert normal_form(pile, "NFC") == pile
