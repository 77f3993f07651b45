"""Scalars whose written form is one of several possible ones."""

import re
from datetime import UTC, date, datetime
from typing import TypeVar

import strawberry

from domain.rules.errors import Invalid

T = TypeVar("T", bound=date)

SQL_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'
"""The same form by PostgreSQL's to_char, of an instant at time zone UTC."""

FIRST_DAY, LAST_DAY = date(1900, 1, 1), date(2200, 12, 31)
"""The days that are taken. PostgreSQL's driver takes Python's last day for infinity, and what is reckoned with days must not run past it."""


def _parsed(text: object, pattern: str, kind: type[T], code: str) -> T:
    if not isinstance(text, str) or not re.fullmatch(pattern, text, re.ASCII):
        raise Invalid(code)
    try:
        return kind.fromisoformat(text)
    except ValueError:
        raise Invalid(code) from None


def _read(text: object) -> datetime:
    """Raises Invalid: INSTANT_FORMAT, DATE_RANGE."""
    moment = _parsed(text, r"\d{4}-\d\d-\d\d[Tt].+([Zz]|[+-]\d\d:\d\d)", datetime, "INSTANT_FORMAT")
    _check_range(moment.date())
    return moment.astimezone(UTC)


def _read_day(text: object) -> date:
    """Raises Invalid: DATE_FORMAT, DATE_RANGE."""
    day = _parsed(text, r"\d{4}-\d\d-\d\d", date, "DATE_FORMAT")
    _check_range(day)
    return day


def _check_range(day: date) -> None:
    if not FIRST_DAY <= day <= LAST_DAY:
        raise Invalid("DATE_RANGE", first=FIRST_DAY, last=LAST_DAY)


def _write(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


INSTANT = strawberry.scalar(
    name="DateTime",
    description="An instant in ISO 8601, always in UTC with microseconds: 2026-01-31T01:00:00.000000+00:00. Any offset is accepted as input, "
    "and the years 1900 to 2200.",
    serialize=_write,
    parse_value=_read,
)

DAY = strawberry.scalar(
    name="Date",
    description="A calendar day in ISO 8601: 2026-01-31. Where time matters, it begins and ends by the clock of Shanghai (UTC+8). "
    "As input from 1900-01-01 to 2200-12-31: what has no end has no last day, so leave that out.",
    serialize=date.isoformat,
    parse_value=_read_day,
)
