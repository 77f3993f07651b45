from __future__ import annotations

import re
from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rules.errors import Invalid
from domain.rules.identity import FEMALE, MALE, IdNumber, check_digit, id_number, kind_of
from models.enums import IdType

TODAY = date(2026, 11, 22)


def refusal(text: str, kind: IdType = IdType.RESIDENT_ID, today: date = TODAY) -> str:
    with pytest.raises(Invalid) as caught:
        id_number(text, kind=kind, today=today)
    return caught.value.code


def numbered(region: str, birth: str, order: str) -> str:
    body = region + birth + order
    return body + check_digit(body)


@pytest.mark.parametrize(
    ("number", "sex", "born"),
    [
        ("11010519491231002X", FEMALE, date(1949, 12, 31)),  # the examples of GB 11643-1999
        ("440524188001010014", MALE, date(1880, 1, 1)),
    ],
)
def test_the_examples_of_the_standard_are_accepted_with_sex_and_birth_date(number: str, sex: str, born: date) -> None:
    result = id_number(number, today=TODAY)

    assert result == IdNumber(number=number, sex=sex, birth_date=born, warnings=())


@pytest.mark.parametrize(
    "written",
    ["11010519491231002x", "１１０１０５１９４９１２３１００２Ｘ", " 110105 19491231 002x\u3000", "１１０１０５１９４９１２３１００２ｘ"],
)
def test_full_width_digits_a_small_x_and_spaces_are_put_right(written: str) -> None:
    result = id_number(written, today=TODAY)

    assert result.number == "11010519491231002X"


@pytest.mark.parametrize(
    ("written", "code"),
    [
        ("110105194912310021", "ID_NUMBER_CHECK_DIGIT"),
        ("110105194912310029", "ID_NUMBER_CHECK_DIGIT"),
        ("110105491231002", "ID_NUMBER_15_DIGITS"),
        ("１１０１０５４９１２３１００２", "ID_NUMBER_15_DIGITS"),
        ("", "ID_NUMBER_FORMAT"),
        ("1101051949123100", "ID_NUMBER_FORMAT"),
        ("11010519491231002XX", "ID_NUMBER_FORMAT"),
        ("1101051949123100X2", "ID_NUMBER_FORMAT"),
        ("11010519491231002\x00", "ID_NUMBER_FORMAT"),
        ("11010519491231002\ud800", "ID_NUMBER_FORMAT"),
        ("١١٠١٠٥١٩٤٩١٢٣١٠٠٢X", "ID_NUMBER_FORMAT"),
        (numbered("110105", "19490231", "002"), "ID_NUMBER_BIRTH_DATE"),
        (numbered("110105", "19010229", "002"), "ID_NUMBER_BIRTH_DATE"),
        (numbered("110105", "19491301", "002"), "ID_NUMBER_BIRTH_DATE"),
        (numbered("110105", "00000000", "002"), "ID_NUMBER_BIRTH_DATE"),
        (numbered("110105", "20991231", "002"), "ID_NUMBER_BIRTH_DATE"),
        (numbered("910105", "19491231", "002"), "ID_NUMBER_KIND"),
        (numbered("010105", "19491231", "002"), "ID_NUMBER_KIND"),
    ],
)
def test_a_number_that_cannot_be_right_is_refused_with_its_own_reason(written: str, code: str) -> None:
    assert refusal(written) == code


def test_a_leap_day_is_a_real_date_only_in_a_leap_year() -> None:
    assert id_number(numbered("220102", "20000229", "123"), today=TODAY).birth_date == date(2000, 2, 29)
    assert refusal(numbered("220102", "19000229", "123")) == "ID_NUMBER_BIRTH_DATE"


def test_a_birth_date_lies_before_today() -> None:
    number = numbered("220102", "20000101", "123")

    assert id_number(number, today=date(2000, 1, 2)).birth_date == date(2000, 1, 1)
    assert refusal(number, today=date(2000, 1, 1)) == "ID_NUMBER_BIRTH_DATE"


def test_an_unknown_region_only_warns() -> None:
    result = id_number(numbered("690105", "19800101", "123"), today=TODAY)

    assert result.warnings == ("ID_NUMBER_REGION",)
    assert result.sex == MALE


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("810000199408230021", IdType.HK_MACAO_PERMIT),  # the samples published with the cards
        (numbered("820000", "19940823", "002"), IdType.HK_MACAO_PERMIT),
        ("830000199201300022", IdType.TAIWAN_PERMIT),
        (numbered("922156", "19810301", "001"), IdType.FOREIGN_PERMANENT_RESIDENT),
    ],
)
def test_the_other_cards_are_checked_by_the_same_standard(number: str, kind: IdType) -> None:
    assert id_number(number, kind=kind, today=TODAY).number == number
    assert refusal(number[:-1] + ("0" if number[-1] != "0" else "1"), kind) == "ID_NUMBER_CHECK_DIGIT"


@pytest.mark.parametrize("kind", [IdType.HK_MACAO_PERMIT, IdType.TAIWAN_PERMIT, IdType.FOREIGN_PERMANENT_RESIDENT])
def test_a_resident_number_is_no_number_of_another_card(kind: IdType) -> None:
    assert refusal("11010519491231002X", kind) == "ID_NUMBER_KIND"


def test_the_fifteen_places_of_the_old_foreign_card_have_their_own_reason() -> None:
    assert refusal("CAN110081030107", IdType.FOREIGN_PERMANENT_RESIDENT) == "ID_NUMBER_OLD_FOREIGN_CARD"
    assert refusal("CAN110081030107", IdType.RESIDENT_ID) == "ID_NUMBER_FORMAT"


@given(
    region=st.sampled_from(["220102", "110105", "540102", "659001"]),
    born=st.dates(date(1900, 1, 1), date(2026, 11, 21)),
    order=st.integers(0, 999),
    place=st.integers(0, 16),
    shift=st.integers(1, 9),
)
def test_every_number_with_its_check_digit_passes_and_no_single_mistyped_digit_does(
    region: str, born: date, order: int, place: int, shift: int
) -> None:
    number = numbered(region, born.strftime("%Y%m%d"), f"{order:03}")
    mistyped = number[:place] + str((int(number[place]) + shift) % 10) + number[place + 1 :]

    assert id_number(number, today=TODAY) == IdNumber(number=number, sex=MALE if order % 2 else FEMALE, birth_date=born, warnings=())
    assert refusal(mistyped) in {"ID_NUMBER_CHECK_DIGIT", "ID_NUMBER_BIRTH_DATE", "ID_NUMBER_KIND"}


@given(st.text())
def test_whatever_is_written_comes_back_as_a_number_or_a_refusal(text: str) -> None:
    try:
        answer = id_number(text, today=TODAY).number
    except Invalid as refused:
        answer = refused.code

    assert re.fullmatch("ID_NUMBER_[A-Z0-9_]+|[0-9]{17}[0-9X]", answer)


@pytest.mark.parametrize(
    ("number", "kind"),
    [
        ("11010519491231002X", IdType.RESIDENT_ID),
        ("８１００００199408230021", IdType.HK_MACAO_PERMIT),
        ("820000199408230021", IdType.HK_MACAO_PERMIT),
        ("83 0000 199408230021", IdType.TAIWAN_PERMIT),
        ("911124198108030024", IdType.FOREIGN_PERMANENT_RESIDENT),
        ("810101199408230021", IdType.RESIDENT_ID),
        ("nothing", IdType.RESIDENT_ID),
    ],
)
def test_the_kind_of_card_is_read_off_the_beginning_of_its_number(number: str, kind: IdType) -> None:
    assert kind_of(number) is kind
