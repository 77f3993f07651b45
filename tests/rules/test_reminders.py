from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.rules.reminders import Lying, lying

SINCE = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("age", "due"),
    [
        (timedelta(0), Lying()),
        (timedelta(days=30) - SECOND, Lying()),
        (timedelta(days=30), Lying(remind_days=30)),
        (timedelta(days=60) - SECOND, Lying(remind_days=30)),
        (timedelta(days=60), Lying(remind_days=60)),
        (timedelta(days=90) - SECOND, Lying(remind_days=60)),
        (timedelta(days=90), Lying(cancel=True)),
        (timedelta(days=900), Lying(cancel=True)),
    ],
)
def test_what_is_due_by_age(age: timedelta, due: Lying) -> None:
    assert lying(SINCE, SINCE + age, remind=(30, 60), cancel=90) == due


def test_without_reminders_there_is_still_an_end() -> None:
    assert lying(SINCE, SINCE + timedelta(days=89), remind=(), cancel=90) == Lying()
    assert lying(SINCE, SINCE + timedelta(days=90), remind=(), cancel=90) == Lying(cancel=True)
