from __future__ import annotations

import pytest

from domain.rules.errors import Invalid
from domain.rules.passwords import _COMMON, acceptable, not_personal


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("ninesigns", "PASSWORD_LENGTH"),
        ("a1b2c3d4e" * 15, "PASSWORD_LENGTH"),
        ("", "PASSWORD_LENGTH"),
        ("1234567890", "PASSWORD_COMMON"),
        ("WoAiNi1314520", "PASSWORD_COMMON"),
        ("１２３４５６７８９０", "PASSWORD_COMMON"),  # full-width digits are the same password
        ("abababababababab", "PASSWORD_COMMON"),
        ("correct\x00horse", "TEXT_CHARACTERS"),
        ("correct horse \ud800", "TEXT_CHARACTERS"),
    ],
)
def test_a_short_endless_common_or_unwritable_password_is_refused(text: str, code: str) -> None:
    with pytest.raises(Invalid) as refusal:
        acceptable(text)

    assert refusal.value.code == code


@pytest.mark.parametrize("text", ["correct horse", "一二三四五六七八九十", "x" * 120 + "abcdefgh", "registry-demo"])
def test_any_other_password_of_ten_places_is_taken_in_any_script(text: str) -> None:
    assert acceptable(text) == text


def test_every_keyboard_writes_the_same_password() -> None:
    assert acceptable("ｃｏｒｒｅｃｔ　ｈｏｒｓｅ１") == "correct horse1"


def test_every_password_called_common_would_be_long_enough_otherwise() -> None:
    assert [each for each in _COMMON if len(each) < 10 or each != each.lower()] == []


@pytest.mark.parametrize("text", ["my-138123", "born19750331", "x31234X-secret", "x31234x-secret"])
def test_six_places_in_a_row_of_phone_or_id_number_are_refused(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        not_personal(text, "13812345678", "22010219750331234X")

    assert refusal.value.code == "PASSWORD_PERSONAL"


def test_five_places_in_a_row_may_be_chance_and_unknown_numbers_hinder_nothing() -> None:
    not_personal("x13812-19750-secret", "13812345678", "22010219750312001X")
    not_personal("whatever it may be", None)
