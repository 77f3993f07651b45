from __future__ import annotations

from datetime import timedelta

import pytest

from domain.rules.delivery import after_receipt, failure_word, pause_after
from models.enums import SmsState


@pytest.mark.parametrize(
    ("attempts", "at_least", "at_most"),
    [
        (1, timedelta(0), timedelta(seconds=2)),
        (2, timedelta(seconds=60), timedelta(seconds=72)),
        (3, timedelta(minutes=10), timedelta(minutes=12)),
        (4, timedelta(hours=1), timedelta(minutes=72)),
    ],
)
def test_the_pause_after_a_failure_grows_and_jitter_lengthens_it(attempts: int, at_least: timedelta, at_most: timedelta) -> None:
    assert pause_after(attempts, jitter=0) == at_least
    assert pause_after(attempts, jitter=1) == at_most


def test_the_fifth_failure_is_the_last() -> None:
    assert pause_after(5, jitter=0) is None


@pytest.mark.parametrize("state", SmsState)
@pytest.mark.parametrize("told", [SmsState.DELIVERED, SmsState.UNDELIVERABLE])
def test_a_receipt_tells_what_became_of_a_message_and_never_takes_a_delivery_back(state: SmsState, told: SmsState) -> None:
    expected = None if state is told or state is SmsState.DELIVERED else told

    assert after_receipt(state, told) is expected


@pytest.mark.parametrize("told", sorted(set(SmsState) - {SmsState.DELIVERED, SmsState.UNDELIVERABLE}))
def test_nothing_else_can_be_told_by_a_receipt(told: SmsState) -> None:
    with pytest.raises(ValueError, match=told.value):
        after_receipt(SmsState.SENT, told)


@pytest.mark.parametrize("word", ["EMPTY_NUMBER", "isv.MOBILE_NUMBER_ILLEGAL", "Throttling.User", "a" * 100])
def test_a_word_of_the_providers_is_kept(word: str) -> None:
    assert failure_word(word, otherwise="OURS") == word


@pytest.mark.parametrize("said", [None, 7, "", "13812345678", "NUMBER_13812345678", "号码为空", "two words", "_X", "a" * 101, "X\n"])
def test_what_may_hold_a_phone_or_is_no_word_is_not_kept(said: object) -> None:
    assert failure_word(said, otherwise="OURS") == "OURS"
