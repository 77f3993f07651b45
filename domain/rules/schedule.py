"""Periods of an expert's schedule 日程: what may be said, when it comes again, and what it would overlap (rules §8)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta

from domain.rules.fields import Fields
from domain.rules.text import line
from models.enums import Availability, HalfDay, Standing

LONGEST_DAYS = 366
AHEAD_DAYS = 2 * 366
REASON_LENGTH = 200
PERIODS = 200
CALENDAR_DAYS = 184
_WEEK = timedelta(days=7)
_KEEPS = frozenset({Standing.FORMAL, Standing.SUSPENDED})


@dataclass(frozen=True, slots=True, order=True)
class Slot:
    """A half-day; slots are in the order of time."""

    day: date
    half: HalfDay  # AM sorts before PM


@dataclass(frozen=True, slots=True)
class Span:
    """From one half-day to another, both included."""

    first: Slot
    last: Slot

    def overlaps(self, other: Span) -> bool:
        """Whether they have a half-day in common."""
        return self.first <= other.last and other.first <= self.last

    def later(self, by: timedelta) -> Span:
        """The same span so many days later."""
        return Span(Slot(self.first.day + by, self.first.half), Slot(self.last.day + by, self.last.half))


@dataclass(frozen=True, slots=True, kw_only=True)
class PeriodInput:
    """What an expert says about one period."""

    availability: Availability
    span: Span
    weekly_until: date | None = None
    reason: str | None = None


def keeps_schedule(standing: Standing) -> bool:
    """Whether somebody of this standing keeps a schedule: formal experts, also while they are suspended."""
    return standing in _KEEPS


def checked(given: PeriodInput, *, today: date) -> PeriodInput:
    """The period with its reason clean; `today` is the day in Shanghai.

    Raises InvalidInput: a period ends after it begins, is not over, takes a year at most and begins within two years; one that comes
    again every week is shorter than a week and ends its repetition within a year.
    """
    fields, span = Fields(), given.span
    until = given.weekly_until
    if span.last < span.first:
        fields.wrong("lastHalf" if span.last.day == span.first.day else "lastDate", "DATES_REVERSED")
    elif (span.last.day - span.first.day).days >= LONGEST_DAYS:
        fields.wrong("lastDate", "SCHEDULE_TOO_LONG", most=LONGEST_DAYS)
    elif (until or span.last.day) < today:
        fields.wrong("lastDate" if until is None else "weeklyUntil", "SCHEDULE_PAST")
    if (span.first.day - today).days > AHEAD_DAYS:
        fields.wrong("firstDate", "SCHEDULE_TOO_FAR", most=AHEAD_DAYS)
    if until is not None:
        if until < span.first.day:
            fields.wrong("weeklyUntil", "DATES_REVERSED")
        elif (until - span.first.day).days >= LONGEST_DAYS:
            fields.wrong("weeklyUntil", "SCHEDULE_TOO_LONG", most=LONGEST_DAYS)
        if span.overlaps(span.later(_WEEK)):
            fields.wrong("weeklyUntil", "SCHEDULE_MEETS_ITSELF")
    reason = None
    if given.reason is not None and given.reason.strip():
        said = given.reason
        reason = fields.check("reason", lambda: line(said, longest=REASON_LENGTH), otherwise="")
    fields.refuse()
    return PeriodInput(availability=given.availability, span=span, weekly_until=until, reason=reason)


def occurrences(span: Span, weekly_until: date | None) -> list[Span]:
    """Every time that a period comes: once, or weekly as long as it begins on `weekly_until` at the latest."""
    found = [span]
    while weekly_until is not None and found[-1].first.day + _WEEK <= weekly_until:
        found.append(found[-1].later(_WEEK))
    return found


def first_overlap(new: Sequence[Span], kept: Iterable[Span]) -> Slot | None:
    """The first half-day that one of `new` has in common with one of `kept`."""
    common = [max(each.first, other.first) for other in kept for each in new if each.overlaps(other)]
    return min(common, default=None)
