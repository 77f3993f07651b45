"""The working calendar as the rules take it."""

from __future__ import annotations

from domain.rules.calendar import ExceptionalDay, WorkingCalendar
from models.reference import CalendarDay


async def working_calendar() -> WorkingCalendar:
    """The calendar table, read anew: administrators extend it while the product runs."""
    return WorkingCalendar(ExceptionalDay(row.date, row.kind, row.status) for row in await CalendarDay.all())
