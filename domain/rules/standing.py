"""The one table of changes of an expert's standing (rules §8), and the dates that go with them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from types import MappingProxyType

from domain.rules.errors import Invalid
from models.enums import Standing, StandingChange

REASONS_LENGTH = 1000
LONGEST_SUSPENSION_DAYS = 3 * 366

CHANGES: Mapping[tuple[Standing, StandingChange], Standing] = MappingProxyType(
    {
        (Standing.FORMAL, StandingChange.SUSPEND): Standing.SUSPENDED,
        (Standing.SUSPENDED, StandingChange.REINSTATE): Standing.FORMAL,
        (Standing.FORMAL, StandingChange.DEREGISTER): Standing.DEREGISTERED,
        (Standing.FORMAL, StandingChange.DISMISS): Standing.DISMISSED,
        (Standing.SUSPENDED, StandingChange.DISMISS): Standing.DISMISSED,
        (Standing.FORMAL, StandingChange.LAPSE): Standing.LAPSED,
        (Standing.SUSPENDED, StandingChange.LAPSE): Standing.LAPSED,
        (Standing.TEMPORARY, StandingChange.REVOKE): Standing.DEREGISTERED,
    }
)
"""From where each change leads where; every other is refused. Who is suspended does not deregister: a dismissal may be under way."""

CLOSES_ACCOUNT = frozenset({Standing.DEREGISTERED, Standing.DISMISSED})
"""Standings whose holders sign in no more: phone and id number are free for a new account, as far as no bar stands against it."""
ENDED = CLOSES_ACCOUNT | {Standing.LAPSED}
"""Standings that take the person out of the registry."""


def years_after(day: date, years: int) -> date:
    """The same day so many years later (or earlier, below 0); 1 March where there is no 29 February."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)


def suspension_end(until: date, *, today: date) -> date:
    """The last day of a suspension; raises Invalid: SUSPENSION_PAST, SUSPENSION_TOO_LONG."""
    if until < today:
        raise Invalid("SUSPENSION_PAST")
    if (until - today).days > LONGEST_SUSPENSION_DAYS:
        raise Invalid("SUSPENSION_TOO_LONG", most=LONGEST_SUSPENSION_DAYS)
    return until


def lapse_day(birth_date: date, *, told_on: date, age: int, notice_days: int) -> date:
    """The first day outside the registry: the birthday with which the person is `age`, but never before the notice has had its time."""
    return max(years_after(birth_date, age), told_on + timedelta(days=notice_days))
