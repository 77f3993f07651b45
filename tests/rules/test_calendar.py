from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.rules.calendar import SHANGHAI, ExceptionalDay, Window, WorkingCalendar, last_day_before, recomputed
from models.enums import DayKind, DayStatus

OFF, WORK = DayKind.OFF, DayKind.WORK
OFFICIAL, TENTATIVE = DayStatus.OFFICIAL, DayStatus.TENTATIVE


def days(kind: DayKind, status: DayStatus, *iso: str) -> list[ExceptionalDay]:
    return [ExceptionalDay(date.fromisoformat(each), kind, status) for each in iso]


NATIONAL_DAY_2026 = [
    *days(WORK, OFFICIAL, "2026-09-20", "2026-10-10"),
    *days(OFF, OFFICIAL, "2026-09-25", "2026-10-01", "2026-10-02", "2026-10-05", "2026-10-06", "2026-10-07"),
]
EXPECTED_2027 = days(OFF, TENTATIVE, "2027-01-01", "2027-02-05", "2027-02-08", "2027-02-09", "2027-02-10")
CALENDAR = WorkingCalendar([*NATIONAL_DAY_2026, *EXPECTED_2027])


def shanghai(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=SHANGHAI)


def test_weekdays_are_worked_but_holidays_and_make_up_saturdays_are_the_other_way_round() -> None:
    assert CALENDAR.is_working_day(date(2026, 9, 24))
    assert not CALENDAR.is_working_day(date(2026, 9, 25))  # 中秋节, a Friday
    assert not CALENDAR.is_working_day(date(2026, 9, 26))  # a Saturday
    assert CALENDAR.is_working_day(date(2026, 10, 10))  # 调休, a Saturday


def test_a_notice_runs_five_working_days_from_the_next_one_to_midnight_in_shanghai() -> None:
    window = CALENDAR.publicity_window(shanghai("2026-11-23 10:00"), 5)

    assert window == Window(
        first_day=date(2026, 11, 24),
        last_day=date(2026, 11, 30),
        closes_at=datetime(2026, 11, 30, 16, tzinfo=UTC),
        days_counted=(date(2026, 11, 24), date(2026, 11, 25), date(2026, 11, 26), date(2026, 11, 27), date(2026, 11, 30)),
        tentative=False,
    )


def test_holidays_are_skipped_and_a_make_up_saturday_is_counted() -> None:
    window = CALENDAR.publicity_window(shanghai("2026-09-29 09:00"), 5)

    assert window.days_counted == (date(2026, 9, 30), date(2026, 10, 8), date(2026, 10, 9), date(2026, 10, 10), date(2026, 10, 12))
    assert window.closes_at == shanghai("2026-10-13 00:00")


def test_the_day_of_opening_is_the_day_in_shanghai() -> None:
    last_second_of_monday = datetime(2026, 11, 23, 15, 59, 59, tzinfo=UTC)

    assert CALENDAR.publicity_window(last_second_of_monday, 1).first_day == date(2026, 11, 24)
    assert CALENDAR.publicity_window(last_second_of_monday + timedelta(seconds=1), 1).first_day == date(2026, 11, 25)


def test_a_notice_opened_on_a_holiday_begins_on_the_first_working_day_after_it() -> None:
    assert CALENDAR.publicity_window(shanghai("2026-10-03 12:00"), 1).days_counted == (date(2026, 10, 8),)


def test_a_window_that_reaches_a_year_not_yet_published_is_tentative() -> None:
    assert not CALENDAR.publicity_window(shanghai("2026-12-24 12:00"), 5).tentative
    assert CALENDAR.publicity_window(shanghai("2026-12-25 12:00"), 5).tentative
    assert CALENDAR.publicity_window(shanghai("2028-03-01 12:00"), 5).tentative  # nothing is known of 2028


def test_a_year_is_official_only_without_a_tentative_day() -> None:
    mixed = WorkingCalendar([*days(OFF, OFFICIAL, "2027-01-01"), *days(OFF, TENTATIVE, "2027-02-08")])

    assert CALENDAR.is_official(2026)
    assert not CALENDAR.is_official(2027)
    assert not CALENDAR.is_official(2028)
    assert not mixed.is_official(2027)


def test_a_window_grows_when_the_published_year_has_more_holidays() -> None:
    opened = shanghai("2026-12-29 12:00")
    window = CALENDAR.publicity_window(opened, 5)
    published = WorkingCalendar([*NATIONAL_DAY_2026, *days(OFF, OFFICIAL, "2027-01-01", "2027-01-04")])

    newer = recomputed(window, published, opened)

    assert window.days_counted[-1] == date(2027, 1, 6)
    assert newer.days_counted == (date(2026, 12, 30), date(2026, 12, 31), date(2027, 1, 5), date(2027, 1, 6), date(2027, 1, 7))
    assert newer.closes_at == shanghai("2027-01-08 00:00")
    assert not newer.tentative


def test_a_window_does_not_shrink_when_the_published_year_has_fewer_holidays() -> None:
    opened = shanghai("2026-12-29 12:00")
    window = CALENDAR.publicity_window(opened, 5)
    published = WorkingCalendar([*NATIONAL_DAY_2026, *days(WORK, OFFICIAL, "2027-01-02")])

    newer = recomputed(window, published, opened)

    assert newer == Window(window.first_day, window.last_day, window.closes_at, window.days_counted, tentative=False)


def test_the_budget_of_an_office_ends_with_its_last_working_day() -> None:
    assert CALENDAR.add_working_days(date(2026, 9, 30), 1) == date(2026, 10, 8)
    assert CALENDAR.deadline(shanghai("2026-11-23 10:00"), 5) == datetime(2026, 11, 30, 16, tzinfo=UTC)


@pytest.mark.parametrize("count", [1, 2, 5, 10])
def test_what_began_before_the_instant_has_waited_so_many_working_days_and_nothing_else_has(count: int) -> None:
    for now in (shanghai("2026-10-12 00:00"), shanghai("2026-10-10 23:59"), shanghai("2026-02-24 10:00"), shanghai("2026-11-22 10:00")):
        since = CALENDAR.waiting_since(now, count)

        assert CALENDAR.deadline(since - timedelta(microseconds=1), count) <= now
        assert CALENDAR.deadline(since, count) > now


def test_the_day_that_ends_at_midnight_is_the_one_before() -> None:
    assert last_day_before(datetime(2026, 11, 30, 16, tzinfo=UTC)) == date(2026, 11, 30)
    assert last_day_before(shanghai("2026-11-30 10:00")) == date(2026, 11, 30)


@pytest.mark.parametrize("count", [0, -1])
def test_a_window_has_at_least_one_day(count: int) -> None:
    with pytest.raises(ValueError, match=f"a window of {count} working days"):
        CALENDAR.publicity_window(shanghai("2026-11-23 10:00"), count)


def test_a_moment_without_time_zone_is_a_fault() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        CALENDAR.publicity_window(datetime(2026, 11, 23, 10), 5)  # noqa: DTZ001  the fault in question


def test_a_calendar_without_working_days_is_a_fault_and_no_endless_search() -> None:
    closed = WorkingCalendar([ExceptionalDay(date(2026, 1, 1) + timedelta(days=each), OFF, OFFICIAL) for each in range(366)])

    with pytest.raises(ValueError, match="no working day"):
        closed.add_working_days(date(2026, 1, 1), 1)


CALENDARS = st.lists(
    st.builds(ExceptionalDay, st.dates(date(2026, 12, 1), date(2027, 2, 28)), st.sampled_from(DayKind), st.sampled_from(DayStatus)),
    max_size=30,
).map(WorkingCalendar)
MOMENTS = st.datetimes(datetime(2026, 12, 1), datetime(2027, 1, 31), timezones=st.just(UTC))  # noqa: DTZ001  the zone is added by `timezones`


@given(before=CALENDARS, after=CALENDARS, opened=MOMENTS, count=st.integers(1, 10))
def test_whatever_the_calendars_a_window_counts_its_working_days_and_is_only_ever_lengthened(
    before: WorkingCalendar, after: WorkingCalendar, opened: datetime, count: int
) -> None:
    window = before.publicity_window(opened, count)
    newer = recomputed(window, after, opened)

    assert len(window.days_counted) == len(newer.days_counted) == count
    assert all(map(before.is_working_day, window.days_counted))
    assert opened.astimezone(SHANGHAI).date() < window.first_day <= window.last_day
    assert window.closes_at.astimezone(SHANGHAI).isoformat() == f"{window.last_day + timedelta(days=1)}T00:00:00+08:00"
    assert newer.closes_at >= window.closes_at
    assert recomputed(newer, after, opened) == newer
