"""Working days of the State Council's calendar and the windows counted in them (rules §6)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import partial
from zoneinfo import ZoneInfo

from domain.rules.fields import Fields
from domain.rules.text import line
from models.enums import DayKind, DayStatus

SHANGHAI = ZoneInfo("Asia/Shanghai")
_LONGEST_REST_DAYS = 60  # no holiday comes near it; a table that says otherwise is broken, and counting on would never end


@dataclass(frozen=True, slots=True)
class ExceptionalDay:
    """A day that differs from Monday to Friday: a weekday off or a make-up Saturday or Sunday (调休)."""

    day: date
    kind: DayKind
    status: DayStatus


@dataclass(frozen=True, slots=True)
class Window:
    """A public notice in time. It is open while `now < closes_at`; `closes_at` is 24:00 in Shanghai of the last day, in UTC."""

    first_day: date
    last_day: date
    closes_at: datetime
    days_counted: tuple[date, ...]
    tentative: bool


class WorkingCalendar:
    """Monday to Friday, with the exceptional days of the calendar table."""

    def __init__(self, days: Iterable[ExceptionalDay]) -> None:
        known = tuple(days)
        self._kinds = {each.day: each.kind for each in known}
        official = {each.day.year for each in known if each.status is DayStatus.OFFICIAL}
        expected = {each.day.year for each in known if each.status is DayStatus.TENTATIVE}
        self._official_years = frozenset(official - expected)
        self._deadlines: dict[tuple[date, int], datetime] = {}

    def is_working_day(self, day: date) -> bool:
        """Whether offices work on `day`, as far as the table knows."""
        kind = self._kinds.get(day)
        return day.weekday() < 5 if kind is None else kind is DayKind.WORK

    def is_official(self, year: int) -> bool:
        """Whether the year's calendar is published: it has official days and no tentative one."""
        return year in self._official_years

    def add_working_days(self, day: date, count: int) -> date:
        """The `count`-th working day after `day`, which itself is never counted. `count` is at least 1."""
        return self._working_days_after(day, count)[-1]

    def deadline(self, since: datetime, count: int) -> datetime:
        """The instant (UTC) at which `count` working days after that of `since` (aware) are over: 24:00 in Shanghai of the last."""
        asked = _shanghai_day(since), count
        if asked not in self._deadlines:
            self._deadlines[asked] = _end_of(self.add_working_days(*asked))
        return self._deadlines[asked]

    def waiting_since(self, now: datetime, count: int) -> datetime:
        """The instant (UTC) before which a wait must have begun to have lasted `count` working days by `now` (aware).

        The other way round from `deadline`, which for exactly these has come. `count` is at least 1.
        """
        return _end_of(self._working_days_after(_shanghai_day(now), count, back=True)[-1] - timedelta(days=1))

    def publicity_window(self, opened_at: datetime, days: int) -> Window:
        """The public notice 公示 of `days` working days opened at `opened_at` (aware), counted from the next working day.

        Tentative while a day from the opening to the last falls into a year whose calendar is not official.
        """
        opening_day = _shanghai_day(opened_at)
        counted = self._working_days_after(opening_day, days)
        return Window(
            first_day=counted[0],
            last_day=counted[-1],
            closes_at=_end_of(counted[-1]),
            days_counted=counted,
            tentative=not all(map(self.is_official, range(opening_day.year, counted[-1].year + 1))),
        )

    def _working_days_after(self, day: date, count: int, *, back: bool = False) -> tuple[date, ...]:
        if count < 1:
            raise ValueError(f"a window of {count} working days")
        following = self._following(day, timedelta(days=-1 if back else 1))
        return tuple(next(following) for _ in range(count))

    def _following(self, day: date, step: timedelta) -> Iterator[date]:
        resting = 0
        while resting < _LONGEST_REST_DAYS:
            day += step
            resting = 0 if self.is_working_day(day) else resting + 1
            if not resting:
                yield day
        raise ValueError(f"the calendar has no working day in the {_LONGEST_REST_DAYS} days up to {day}")


@dataclass(frozen=True, slots=True)
class PublishedDay:
    """A day of a year as the State Council has published it, with the holiday it belongs to."""

    day: date
    kind: DayKind
    name: str


DAYS_OF_A_YEAR = 40
"""More exceptions than any year had; rests of so many weekdays still end within what counting goes through."""


def checked_year(year: int, days: Sequence[PublishedDay]) -> list[PublishedDay]:
    """The exceptional days of a year, their names clean.

    Raises InvalidInput: each lies in the year, stands once, and differs from Monday to Friday; there is one at least.
    """
    fields = Fields()
    if not 2000 <= year <= 2100:
        fields.wrong("year", "YEAR_RANGE", least=2000, most=2100)
    if not days:
        fields.wrong("days", "CALENDAR_EMPTY")
    if len(days) > DAYS_OF_A_YEAR:
        fields.wrong("days", "TOO_MANY", maximum=DAYS_OF_A_YEAR)
    fields.refuse()
    found: dict[date, PublishedDay] = {}
    for number, each in enumerate(days):
        if each.day.year != year:
            fields.wrong(f"days.{number}.date", "CALENDAR_OTHER_YEAR", year=year)
        elif each.day in found:
            fields.wrong(f"days.{number}.date", "REPEATED")
        elif (each.day.weekday() < 5) == (each.kind is DayKind.WORK):
            fields.wrong(f"days.{number}.kind", "CALENDAR_NO_EXCEPTION")
        name = fields.check(f"days.{number}.name", partial(line, each.name, longest=60), otherwise="")
        found[each.day] = PublishedDay(each.day, each.kind, name)
    fields.refuse()
    return list(found.values())


def recomputed(window: Window, calendar: WorkingCalendar, opened_at: datetime) -> Window:
    """The window of an open notice under a newer calendar: only ever longer (rules §6).

    Where the newer calendar would end it earlier, the days promised to the public stay as they were, and only `tentative` is told anew.
    """
    newer = calendar.publicity_window(opened_at, len(window.days_counted))
    if newer.closes_at >= window.closes_at:
        return newer
    return Window(window.first_day, window.last_day, window.closes_at, window.days_counted, newer.tentative)


def last_day_before(moment: datetime) -> date:
    """The day in Shanghai of the last instant before `moment` (aware): for an end at 24:00, the day that ends with it."""
    return _shanghai_day(moment - timedelta(microseconds=1))


def _shanghai_day(moment: datetime) -> date:
    if moment.tzinfo is None:
        raise ValueError("a moment without a time zone")
    return moment.astimezone(SHANGHAI).date()


def _end_of(day: date) -> datetime:
    return datetime.combine(day + timedelta(days=1), time(), tzinfo=SHANGHAI).astimezone(UTC)
