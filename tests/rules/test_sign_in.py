from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.rules.errors import TooSoon
from domain.rules.sign_in import AttemptLimits, FailureHistory, Failures, check_attempt

NOW = datetime(2026, 3, 2, 4, 0, tzinfo=UTC)
LIMITS = AttemptLimits(failures=5, span=timedelta(minutes=15))


@pytest.mark.parametrize(
    "history",
    [
        FailureHistory(),
        FailureHistory(here=Failures(4, NOW - timedelta(minutes=1))),
        FailureHistory(here=Failures(4, NOW), for_phone=Failures(49, NOW), from_address=Failures(49, NOW)),
    ],
)
def test_below_every_limit_a_password_may_be_tried(history: FailureHistory) -> None:
    check_attempt(history, now=NOW, limits=LIMITS)


@pytest.mark.parametrize(
    ("history", "seconds"),
    [
        (FailureHistory(here=Failures(5, NOW - timedelta(minutes=14))), 60),
        (FailureHistory(for_phone=Failures(50, NOW - timedelta(minutes=10))), 300),
        (FailureHistory(from_address=Failures(50, NOW)), 900),
        (FailureHistory(here=Failures(5, NOW - timedelta(minutes=14)), for_phone=Failures(50, NOW - timedelta(minutes=10))), 300),
        (FailureHistory(here=Failures(5, NOW - timedelta(minutes=14, seconds=59.5))), 1),
    ],
)
def test_at_a_limit_the_answer_tells_how_long_to_wait(history: FailureHistory, seconds: int) -> None:
    with pytest.raises(TooSoon) as refusal:
        check_attempt(history, now=NOW, limits=LIMITS)

    assert refusal.value.retry_after_seconds == seconds
