"""Scalars whose written form is one of several possible ones."""

import re
from datetime import UTC, date, datetime

import strawberry

SQL_FORMAT = 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"'
"""The same form by PostgreSQL's to_char, of an instant at time zone UTC."""


def _read(text: object) -> datetime:
    if not isinstance(text, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d[Tt].+([Zz]|[+-]\d\d:\d\d)", text):
        raise ValueError("An instant is written as ISO 8601 with its offset, e.g. 2026-01-31T09:00:00+08:00.")
    return datetime.fromisoformat(text).astimezone(UTC)


def _read_day(text: object) -> date:
    if not isinstance(text, str) or not re.fullmatch(r"\d{4}-\d\d-\d\d", text):
        raise ValueError("A day is written as ISO 8601, e.g. 2026-01-31.")
    return date.fromisoformat(text)


def _write(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="microseconds")


INSTANT = strawberry.scalar(
    name="DateTime",
    description="An instant in ISO 8601, always in UTC with microseconds: 2026-01-31T01:00:00.000000+00:00. Any offset is accepted as input.",
    serialize=_write,
    parse_value=_read,
)

DAY = strawberry.scalar(
    name="Date",
    description="A calendar day in ISO 8601: 2026-01-31. Where time matters, it begins and ends by the clock of Shanghai (UTC+8).",
    serialize=date.isoformat,
    parse_value=_read_day,
)
