"""Experts: a person's place in the registry."""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from domain.reads import Where, former_registrations
from domain.rules.errors import FieldProblem, InvalidInput
from domain.rules.schedule import CALENDAR_DAYS
from models import experts
from models.database import rows
from models.enums import Standing, StandingChange
from schema.context import Info
from schema.nodes import Node, Selected, column, listed, many, one, record, rows_of
from schema.pages import After, Before, Connection, First, Last, page_of, paged
from schema.types.pools import PoolTransfer
from schema.types.reference import Division
from schema.types.schedule import HALF_DAYS, ScheduleOccurrence, SchedulePeriod
from schema.types.standing import FormerRegistration, StandingRecord

if TYPE_CHECKING:
    from schema.types.applications import Application
    from schema.types.profiles import Profile


def _calendar(arguments: Mapping[str, Any], _: Any) -> Sequence[Where]:
    first, last = arguments["from_"], arguments["to"]
    if not 0 <= (last - first).days < CALENDAR_DAYS:
        raise InvalidInput([FieldProblem("to", *(("DATES_REVERSED",) if last < first else ("RANGE_TOO_LONG", {"most": CALENDAR_DAYS})))])
    return [Where(f"{HALF_DAYS} && half_days(:first_day, 'AM', :last_day, 'PM')", {"first_day": first, "last_day": last})]


@record(experts.Expert, "专家: a person in the registry, across all revisions of the profile and all cases.")
class Expert(Node):
    """An expert."""

    standing: Standing = column("standing", "Temporary, formal, or how the person left.")
    number: str | None = column("number", "Expert number, given at admission.")
    name: str = column("name", "Name.")
    pool_code: str | None = column("pool_code", "Code of the pool, once admitted.")
    pool: Division | None = one("Division", "pool_code", "The pool (库), once admitted.", to="code")
    formal_since: datetime | None = column("formal_since", "When the person became a formal expert.")
    created_at: datetime = column("created_at", "When the person registered.")
    erased_at: datetime | None = column(
        "erased_at", "When the personal data of somebody who left were erased, after the retention time; texts then say ［已删除］."
    )
    effective_profile: Annotated["Profile", strawberry.lazy("schema.types.profiles")] | None = one(
        "Profile", "effective_id", "The profile in force; empty before admission."
    )
    draft_profile: Annotated["Profile", strawberry.lazy("schema.types.profiles")] | None = one(
        "Profile", "draft_id", "The open draft, for its owner alone; the first section saved opens it."
    )

    suspended_until: date | None = column("suspended_until", "Last day of the suspension that runs now.")
    lapses_on: date | None = column("lapses_on", "First day outside the registry by age, once the person was told.")
    standing_records: list[StandingRecord] = many(
        "StandingRecord", "expert_id", "资格变动: changes of the standing, the oldest first.", order="{t}.at, {t}.id"
    )

    pool_transfers: list[PoolTransfer] = many(
        "PoolTransfer", "expert_id", "转库: moves with pools that were merged, the oldest first.", order="{t}.at, {t}.id"
    )

    @strawberry.field(
        description="Earlier registrations under the same id number, the newest first; provincial officers alone see them.",
        metadata={"source": Selected(former_registrations)},
    )
    async def former_registrations(self, info: Info) -> list[FormerRegistration]:
        """By the keyed hash of the id number."""
        viewer = info.context.viewer
        sql = former_registrations(viewer.role if viewer else None).replace("{t}.account_id", "$1")
        return [
            FormerRegistration(
                **each | {"standing": Standing(each["standing"]), "change": each["change"] and StandingChange(each["change"])}
            )
            for each in map(dict, await rows(sql, self.row.account_id))
        ]

    schedule_periods: list[SchedulePeriod] = many(
        "SchedulePeriod",
        "expert_id",
        "日程: the periods as they were given, the earliest first.",
        order="{t}.first_date, {t}.first_half, {t}.id",
    )

    @strawberry.field(
        description="日程: what the calendar holds from one day to another, at most 184 days; every time that a weekly period comes.",
        metadata=listed("ScheduleOccurrence", _calendar, "{t}.first_date, {t}.first_half", key="expert_id"),
    )
    async def schedule(
        self,
        info: Info,
        from_: Annotated[date, strawberry.argument(name="from", description="First day.")],
        to: Annotated[date, strawberry.argument(description="Last day.")],
    ) -> list[ScheduleOccurrence]:
        """A calendar range."""
        return await rows_of(info, self.row, from_=from_, to=to)

    @strawberry.field(
        description="All cases of this person, the newest first.",
        metadata=paged("Application", ("created_at", "id"), lambda *_: (), descending=True, key="expert_id"),
    )
    async def applications(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Annotated["Application", strawberry.lazy("schema.types.applications")]]:
        """The person's history."""
        found: Connection[Application] = await page_of(info, self.row, first=first, after=after, last=last, before=before)
        return found
