from __future__ import annotations

from datetime import date, timedelta

import pytest

from domain.rules.errors import InvalidInput
from domain.rules.schedule import PeriodInput, Slot, Span, checked, first_overlap, keeps_schedule, occurrences
from models.enums import Availability, HalfDay, Standing

AM, PM = HalfDay.AM, HalfDay.PM
TODAY = date(2026, 11, 23)


def span(first: str, first_half: HalfDay, last: str, last_half: HalfDay) -> Span:
    return Span(Slot(date.fromisoformat(first), first_half), Slot(date.fromisoformat(last), last_half))


DAY = span("2026-11-25", AM, "2026-11-25", PM)


def period(of: Span = DAY, until: str | None = None, reason: str | None = None) -> PeriodInput:
    return PeriodInput(
        availability=Availability.UNAVAILABLE, span=of, weekly_until=None if until is None else date.fromisoformat(until), reason=reason
    )


@pytest.mark.parametrize(
    ("given", "path", "code"),
    [
        (period(span("2026-11-25", AM, "2026-11-24", PM)), "lastDate", "DATES_REVERSED"),
        (period(span("2026-11-25", PM, "2026-11-25", AM)), "lastHalf", "DATES_REVERSED"),
        (period(span("2026-11-25", AM, "2027-11-26", AM)), "lastDate", "SCHEDULE_TOO_LONG"),
        (period(span("2026-11-20", AM, "2026-11-22", PM)), "lastDate", "SCHEDULE_PAST"),
        (period(span("2026-11-02", AM, "2026-11-02", PM), "2026-11-22"), "weeklyUntil", "SCHEDULE_PAST"),
        (period(span("2028-11-25", AM, "2028-11-25", PM)), "firstDate", "SCHEDULE_TOO_FAR"),
        (period(until="2026-11-24"), "weeklyUntil", "DATES_REVERSED"),
        (period(until="2027-11-26"), "weeklyUntil", "SCHEDULE_TOO_LONG"),
        (period(span("2026-11-25", PM, "2026-12-02", PM), "2026-12-30"), "weeklyUntil", "SCHEDULE_MEETS_ITSELF"),
        (period(reason="一" * 201), "reason", "TEXT_LENGTH"),
    ],
)
def test_a_period_that_cannot_be_is_told_by_its_field(given: PeriodInput, path: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        checked(given, today=TODAY)

    assert [(each.path, each.code) for each in refusal.value.problems] == [(path, code)]


@pytest.mark.parametrize(
    "given",
    [
        period(span("2026-11-20", AM, "2026-11-23", AM)),
        period(span("2026-11-25", AM, "2027-11-25", PM)),
        period(span("2026-11-25", PM, "2026-12-02", AM), "2026-12-30"),
        period(until="2027-11-25"),
    ],
)
def test_the_longest_and_the_nearest_periods_are_taken(given: PeriodInput) -> None:
    assert checked(given, today=TODAY) == given


def test_a_blank_reason_is_none_and_a_reason_is_one_clean_line() -> None:
    assert checked(period(reason="  "), today=TODAY).reason is None
    assert checked(period(reason=" 出差  北京 "), today=TODAY).reason == "出差 北京"


def test_a_weekly_period_comes_as_long_as_it_begins_by_its_last_day() -> None:
    friday_to_monday = span("2026-11-27", PM, "2026-11-30", AM)

    assert [each.first.day.day for each in occurrences(friday_to_monday, date(2026, 12, 11))] == [27, 4, 11]
    assert occurrences(friday_to_monday, date(2026, 12, 3)) == [friday_to_monday]
    assert occurrences(friday_to_monday, None) == [friday_to_monday]
    assert occurrences(friday_to_monday, date(2026, 12, 4))[1] == span("2026-12-04", PM, "2026-12-07", AM)


@pytest.mark.parametrize(
    ("other", "common"),
    [
        (span("2026-11-25", PM, "2026-11-26", AM), Slot(date(2026, 11, 25), PM)),
        (span("2026-11-20", AM, "2026-11-30", AM), Slot(date(2026, 11, 25), AM)),
        (span("2026-11-24", AM, "2026-11-25", AM), Slot(date(2026, 11, 25), AM)),
        (span("2026-11-24", AM, "2026-11-24", PM), None),
        (span("2026-11-26", AM, "2026-11-26", AM), None),
    ],
)
def test_periods_overlap_where_they_share_a_half_day(other: Span, common: Slot | None) -> None:
    assert first_overlap([DAY], [other]) == common
    assert first_overlap([other], [DAY]) == common
    assert DAY.overlaps(other) is (common is not None)


def test_the_first_half_day_in_common_is_told() -> None:
    weekly = occurrences(DAY, date(2026, 12, 30))
    kept = [DAY.later(timedelta(days=14)), DAY.later(timedelta(days=7))]

    assert first_overlap(weekly, kept) == Slot(date(2026, 12, 2), AM)


@pytest.mark.parametrize(
    ("standing", "keeps"),
    [
        (Standing.TEMPORARY, False),
        (Standing.FORMAL, True),
        (Standing.SUSPENDED, True),
        (Standing.DISMISSED, False),
        (Standing.LAPSED, False),
        (Standing.DEREGISTERED, False),
    ],
)
def test_formal_experts_alone_keep_a_schedule(standing: Standing, keeps: bool) -> None:
    assert keeps_schedule(standing) is keeps
