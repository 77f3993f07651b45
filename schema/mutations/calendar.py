"""Mutations of the working calendar 工作日历, by administrators."""

import datetime as dt
from typing import Annotated

import strawberry

from domain.actions import calendar
from domain.rules.calendar import PublishedDay
from models.enums import DayKind
from schema import problems as p
from schema.context import Info
from schema.types.reference import WorkingCalendar


@strawberry.input(description="A day that differs from Monday to Friday.")
class CalendarDayInput:
    """A day of calendarYearPublish."""

    date: dt.date = strawberry.field(description="The day.")
    kind: DayKind = strawberry.field(description="OFF for a weekday that is a holiday, WORK for a Saturday or Sunday that is worked.")
    name: str = strawberry.field(description="Holiday it belongs to; at most 60 characters.")


@strawberry.input(description="Make the calendar of a year official.")
class CalendarYearPublishInput:
    """Input of calendarYearPublish."""

    year: int = strawberry.field(description="Calendar year, 2000 to 2100.")
    days: list[CalendarDayInput] = strawberry.field(description="Every day of it that differs from Monday to Friday, 1 to 40.")


@strawberry.type(description="The year is official, and running notices count by it.")
class CalendarYearPublished:
    """Success of calendarYearPublish."""

    calendar: WorkingCalendar = strawberry.field(description="The year as it is now.")
    notices_extended: int = strawberry.field(description="How many running notices became longer; their experts are told by SMS.")


CalendarYearPublishResult = Annotated[
    CalendarYearPublished | p.InvalidInput | p.NotAllowed | p.NotSignedIn | p.Unavailable,
    strawberry.union("CalendarYearPublishResult", description="The official year, or why it was not published."),
]


@strawberry.type
class CalendarMutations:
    """Doors of domain.actions.calendar."""

    @strawberry.mutation(
        description=(
            "Make a year of the working calendar official, in place of all its days until now. "
            "Windows of running notices are counted anew and only ever become longer. For administrators."
        )
    )
    async def calendar_year_publish(self, info: Info, input: CalendarYearPublishInput) -> CalendarYearPublishResult:
        """See calendar.publish_year."""
        days = [PublishedDay(each.date, each.kind, each.name) for each in input.days]
        extended = await calendar.publish_year(input.year, days, viewer=info.context.signed_in(), now=info.context.now)
        return CalendarYearPublished(
            calendar=WorkingCalendar.of(input.year, await calendar.days_of_year(input.year)), notices_extended=extended
        )
