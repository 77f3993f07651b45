"""Mutations of the schedule 日程: save and remove, by formal experts."""

import datetime as dt
from typing import Annotated

import strawberry

from domain.actions import schedule
from domain.rules.schedule import PeriodInput, Slot, Span
from models.enums import Availability, HalfDay
from schema import problems as p
from schema.context import Info
from schema.nodes import wanted_key
from schema.types.experts import Expert
from schema.types.schedule import SchedulePeriod


@strawberry.input(description="A period of your schedule, by half-days; both ends are included.")
class ScheduleSaveInput:
    """Input of scheduleSave."""

    id: strawberry.ID | None = strawberry.field(default=None, description="Global id of the period to change; without it, a new one.")
    availability: Availability = strawberry.field(description="Whether you can be drawn in it.")
    first_date: dt.date = strawberry.field(description="First day, at most two years from now.")
    first_half: HalfDay = strawberry.field(default=HalfDay.AM, description="Half of the first day with which it begins.")
    last_date: dt.date = strawberry.field(description="Last day, not before today; a period takes a year at most.")
    last_half: HalfDay = strawberry.field(default=HalfDay.PM, description="Half of the last day with which it ends.")
    weekly_until: dt.date | None = strawberry.field(
        default=None,
        description="It comes again every seven days as long as it begins on this day at the latest, within a year; it must then be shorter than a week.",
    )
    reason: str | None = strawberry.field(default=None, description="Why; you alone read it. At most 200 characters.")

    def to_domain(self) -> PeriodInput:
        """As the rules take it."""
        return PeriodInput(
            availability=self.availability,
            span=Span(Slot(self.first_date, self.first_half), Slot(self.last_date, self.last_half)),
            weekly_until=self.weekly_until,
            reason=self.reason,
        )


@strawberry.input(description="Take a period out of your schedule.")
class ScheduleRemoveInput:
    """Input of scheduleRemove."""

    id: strawberry.ID = strawberry.field(description="Global id of the period.")


ScheduleSaveResult = Annotated[
    SchedulePeriod | p.InvalidInput | p.NotAllowed | p.NotFound | p.NotSignedIn | p.ScheduleOverlap | p.Unavailable,
    strawberry.union("ScheduleSaveResult", description="The period as it stands in the schedule, or why it does not."),
]
ScheduleRemoveResult = Annotated[
    Expert | p.NotAllowed | p.NotFound | p.NotSignedIn | p.Unavailable,
    strawberry.union("ScheduleRemoveResult", description="You, with the schedule that is left, or why nothing was removed."),
]


@strawberry.type
class ScheduleMutations:
    """Doors of domain.actions.schedule."""

    @strawberry.mutation(
        description="日程: say when you cannot (or can) be drawn, or change what you said. In force at once, without review."
    )
    async def schedule_save(self, info: Info, input: ScheduleSaveInput) -> ScheduleSaveResult:
        """See schedule.save."""
        viewer = info.context.signed_in()
        key = None if input.id is None else wanted_key(input.id, SchedulePeriod)
        return SchedulePeriod(row=await schedule.save(input.to_domain(), period_id=key, viewer=viewer, now=info.context.now))

    @strawberry.mutation(description="日程: take a period out again, with all its repetitions.")
    async def schedule_remove(self, info: Info, input: ScheduleRemoveInput) -> ScheduleRemoveResult:
        """See schedule.remove."""
        viewer = info.context.signed_in()
        return Expert(row=await schedule.remove(wanted_key(input.id, SchedulePeriod), viewer=viewer))
