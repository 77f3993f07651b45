"""The schedule 日程 of formal experts."""

import datetime as dt
from typing import TYPE_CHECKING, Annotated

import strawberry

from models import schedule
from models.enums import Availability, HalfDay, Role
from schema.nodes import Node, column, one, record

if TYPE_CHECKING:
    from schema.types.experts import Expert

HALF_DAYS = "half_days({t}.first_date, {t}.first_half, {t}.last_date, {t}.last_half)"
"""An occurrence as the range of half-days that the exclusion constraint indexes."""

_FIRST_HALF = "Half of the first day with which it begins."
_LAST_HALF = "Half of the last day with which it ends."


@record(schedule.SchedulePeriod, "A period of an expert's schedule as it was given.")
class SchedulePeriod(Node):
    """A period."""

    availability: Availability = column("availability", "Whether the expert can be drawn in it.")
    first_date: dt.date = column("first_date", "First day.")
    first_half: HalfDay = column("first_half", _FIRST_HALF)
    last_date: dt.date = column("last_date", "Last day.")
    last_half: HalfDay = column("last_half", _LAST_HALF)
    weekly_until: dt.date | None = column(
        "weekly_until", "It comes again every seven days as long as it begins on this day at the latest; empty: it comes once."
    )
    reason: str | None = column("reason", "Why; for the expert alone.", only=(Role.EXPERT,))
    saved_at: dt.datetime = column("saved_at", "When it was last saved.")
    expert: Annotated["Expert", strawberry.lazy("schema.types.experts")] | None = one("Expert", "expert_id", "Whose schedule it is in.")


@record(schedule.ScheduleOccurrence, "One time that a period of a schedule comes.")
class ScheduleOccurrence(Node):
    """An occurrence."""

    availability: Availability = column("availability", "Whether the expert can be drawn in it.")
    first_date: dt.date = column("first_date", "First day.")
    first_half: HalfDay = column("first_half", _FIRST_HALF)
    last_date: dt.date = column("last_date", "Last day.")
    last_half: HalfDay = column("last_half", _LAST_HALF)
    period: SchedulePeriod | None = one("SchedulePeriod", "period_id", "The period it comes from; change that one with `scheduleSave`.")
