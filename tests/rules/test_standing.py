from __future__ import annotations

from datetime import date

import pytest

from domain.rules.errors import Invalid
from domain.rules.standing import CHANGES, CLOSES_ACCOUNT, ENDED, lapse_day, suspension_end, years_after
from models.enums import Standing, StandingChange

ALLOWED = """
FORMAL SUSPEND SUSPENDED
FORMAL DEREGISTER DEREGISTERED
FORMAL DISMISS DISMISSED
FORMAL LAPSE LAPSED
SUSPENDED REINSTATE FORMAL
SUSPENDED DISMISS DISMISSED
SUSPENDED LAPSE LAPSED
TEMPORARY REVOKE DEREGISTERED
"""


def test_the_table_of_changes_is_what_is_written_out_here_and_nothing_else() -> None:
    written = {(Standing(left), StandingChange(how)): Standing(target) for left, how, target in map(str.split, ALLOWED.split("\n")[1:-1])}

    assert dict(CHANGES) == written


def test_who_has_left_does_not_come_back_and_only_lapsed_experts_keep_their_account() -> None:
    assert {left for left, _ in CHANGES} & ENDED == set()
    assert {Standing.LAPSED} == ENDED - CLOSES_ACCOUNT


@pytest.mark.parametrize(
    ("day", "years", "after"),
    [
        (date(1956, 3, 12), 70, date(2026, 3, 12)),
        (date(1956, 2, 29), 70, date(2026, 3, 1)),
        (date(2024, 2, 29), 3, date(2027, 3, 1)),
        (date(2026, 11, 22), -70, date(1956, 11, 22)),
    ],
)
def test_years_are_counted_by_the_calendar(day: date, years: int, after: date) -> None:
    assert years_after(day, years) == after


@pytest.mark.parametrize(
    ("told_on", "lapses"),
    [
        (date(2026, 1, 1), date(2026, 6, 1)),
        (date(2026, 3, 3), date(2026, 6, 1)),
        (date(2026, 3, 4), date(2026, 6, 2)),
        (date(2026, 8, 1), date(2026, 10, 30)),
    ],
)
def test_nobody_leaves_by_age_before_the_birthday_or_before_the_notice_has_had_its_time(told_on: date, lapses: date) -> None:
    assert lapse_day(date(1956, 6, 1), told_on=told_on, age=70, notice_days=90) == lapses


def test_a_suspension_ends_today_at_the_earliest_and_not_after_three_years() -> None:
    today = date(2026, 11, 22)

    with pytest.raises(Invalid, match="SUSPENSION_PAST"):
        suspension_end(date(2026, 11, 21), today=today)
    with pytest.raises(Invalid, match="SUSPENSION_TOO_LONG"):
        suspension_end(date(2029, 11, 25), today=today)

    assert suspension_end(today, today=today) == today
    assert suspension_end(date(2029, 11, 24), today=today) == date(2029, 11, 24)
