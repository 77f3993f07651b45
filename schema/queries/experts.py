"""Experts: one, lists of them, and those who can be drawn on a day."""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import strawberry

from domain import lists
from domain.lists import has_specialty
from domain.reads import Where
from domain.rules.viewer import Viewer as ViewerFacts
from models.enums import HalfDay, Role, Standing
from schema.context import Info
from schema.nodes import ById, row_by_id
from schema.pages import After, Before, Connection, First, Last, page_of, paged
from schema.queries import doors
from schema.queries.arguments import GlobalIdArgument
from schema.types.experts import Expert
from schema.types.schedule import HALF_DAYS


@strawberry.input(description="Which experts; conditions are joined by AND, an empty list excludes everybody.")
class ExpertFilter:
    """Filter of a list of experts."""

    standings: list[Standing] | None = strawberry.field(default=None, description="Only experts with these standings.")
    pool_codes: list[str] | None = strawberry.field(default=None, description="Only experts of these pools.")
    specialty: str | None = strawberry.field(default=None, description="Only experts of this specialty or one below it, by code.")
    search: str | None = strawberry.field(
        default=None,
        description="Only names, or employers in the profile in force, that contain this text, or the expert of this number; two characters "
        "are enough.",
    )

    def to_domain(self) -> lists.ExpertFilter:
        """As the domain knows it."""
        return lists.ExpertFilter(**vars(self))


def _listed(arguments: Mapping[str, Any], viewer: ViewerFacts | None) -> Sequence[Where]:
    """Officers alone have lists of experts."""
    chosen = arguments.get("filter")
    return (chosen.to_domain() if chosen else lists.ExpertFilter()).listed(doors.officer(viewer))


def _available(arguments: Mapping[str, Any], viewer: ViewerFacts | None) -> Sequence[Where]:
    """Formal experts without an UNAVAILABLE period at the time, who do not leave by age before; for officers, local ones in their own pool."""
    officer = doors.officer(viewer)
    half, pool, specialty = arguments.get("half_day"), arguments.get("pool_code"), arguments.get("specialty")
    first, last = ("'AM'", "'PM'") if half is None else (f"'{half.value}'",) * 2
    slot, of_expert = f"half_days(:day, {first}, :day, {last})", HALF_DAYS.replace("{t}", "o")
    busy = f"SELECT FROM schedule_occurrences o WHERE o.expert_id = {{t}}.id AND o.availability = 'UNAVAILABLE' AND {of_expert} && {slot}"
    stays = "({t}.lapses_on IS NULL OR {t}.lapses_on > :day)"
    found = [
        Where(f"({{t}}.standing = 'FORMAL' AND {{t}}.number IS NOT NULL AND {stays} AND NOT EXISTS ({busy}))", {"day": arguments["date"]})
    ]
    if arguments.get("declared"):
        said = f"SELECT FROM schedule_occurrences o WHERE o.expert_id = {{t}}.id AND o.availability = 'AVAILABLE' AND {of_expert} @> {slot}"
        found.append(Where(f"EXISTS ({said})", {"day": arguments["date"]}))
    if officer.role is Role.LOCAL_OFFICER:
        found.append(Where("{t}.pool_code = :viewer_pool"))
    if pool is not None:
        found.append(Where("{t}.pool_code = :of_pool", {"of_pool": pool}))
    if specialty is not None:
        found.append(has_specialty(specialty))
    return found


@strawberry.type
class ExpertQueries:
    """Reading of experts."""

    @strawberry.field(
        description="An expert by global id; null where there is none or it is not for the viewer. NOT_SIGNED_IN is a top-level error.",
        metadata={"source": ById("Expert")},
    )
    async def expert(self, info: Info, id: GlobalIdArgument) -> Expert | None:
        """One expert."""
        found: Expert | None = await row_by_id(info, id)
        return found

    @strawberry.field(
        description="专家名单: experts in the order in which they registered, whatever their standing. For officers: an office has those of its "
        "pool, the province all who ever submitted, or whose registration was revoked. NOT_SIGNED_IN and NOT_ALLOWED are top-level errors.",
        metadata=paged("Expert", ("id",), _listed),
    )
    async def experts(
        self,
        info: Info,
        filter: Annotated[ExpertFilter | None, strawberry.argument(description="Which experts.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Expert]:
        """For officers."""
        found: Connection[Expert] = await page_of(info, filter=filter, first=first, after=after, last=last, before=before)
        return found

    @strawberry.field(
        description=(
            "Formal experts who can be drawn on a day, by number: not suspended, not past `lapsesOn` by then, and nothing in their schedule (日程) "
            "says otherwise. "
            "For officers; local ones see their own pool. NOT_SIGNED_IN and NOT_ALLOWED are top-level errors."
        ),
        metadata=paged("Expert", ("number",), _available),
    )
    async def available_experts(
        self,
        info: Info,
        date: Annotated[dt.date, strawberry.argument(description="The day.")],
        half_day: Annotated[HalfDay | None, strawberry.argument(description="Which half of it; without it, the whole day.")] = None,
        pool_code: Annotated[str | None, strawberry.argument(description="Only experts of this pool.")] = None,
        specialty: Annotated[
            str | None, strawberry.argument(description="Only experts of this specialty or one below it, by code.")
        ] = None,
        declared: Annotated[bool, strawberry.argument(description="True: only who has said so with an AVAILABLE period.")] = False,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Expert]:
        """For officers."""
        facts = {"date": date, "half_day": half_day, "pool_code": pool_code, "specialty": specialty, "declared": declared}
        found: Connection[Expert] = await page_of(info, **facts, first=first, after=after, last=last, before=before)
        return found
