"""Cases: one, the queue of the officers, their inbox, and the chains of all records."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

import strawberry

from domain import lists
from domain.actions.inbox import inbox
from domain.actions.record_chain import verify_next
from domain.reads import Where
from domain.rules.errors import FieldProblem, InvalidInput
from domain.rules.viewer import Viewer as ViewerFacts
from models.enums import CaseKind, Stage
from schema.context import Info
from schema.nodes import ById, key_of, row_by_id
from schema.pages import After, Before, Connection, First, Last, page_of, paged
from schema.queries import doors
from schema.queries.arguments import GlobalIdArgument
from schema.types.applications import Application
from schema.types.inbox import QueueCount
from schema.types.record_chain import RecordChains


@strawberry.input(description="Which cases; conditions are joined by AND, an empty list excludes everything.")
class ApplicationFilter:
    """Filter of the officers' queue."""

    awaiting_me: bool | None = strawberry.field(
        default=None,
        description="True: only cases that wait for the viewer's office: its reviews, for the province also objections 异议处理.",
    )
    leaving: bool | None = strawberry.field(
        default=None,
        description="True: changes of division (变更区划) by which experts leave the office's pool, instead of the office's own cases: it "
        "follows and comments them, another office reviews. For the province all changes of division.",
    )
    stages: list[Stage] | None = strawberry.field(default=None, description="Only cases at these stages.")
    kinds: list[CaseKind] | None = strawberry.field(default=None, description="Only cases of these kinds.")
    pool_codes: list[str] | None = strawberry.field(default=None, description="Only cases of these pools.")
    overdue: bool | None = strawberry.field(default=None, description="True: only overdue cases; false: only others.")
    claimed: bool | None = strawberry.field(default=None, description="True: only cases that somebody holds; false: only free ones.")
    claimed_by_me: bool | None = strawberry.field(default=None, description="True: only cases that the viewer holds.")
    search: str | None = strawberry.field(default=None, description="Only applicants or employers that contain this text.")
    submitted_from: datetime | None = strawberry.field(default=None, description="Only cases last submitted at or after this instant.")
    submitted_before: datetime | None = strawberry.field(default=None, description="Only cases last submitted before this instant.")

    def to_domain(self) -> lists.CaseFilter:
        """As the domain knows it."""
        return lists.CaseFilter(**vars(self))


def _queue(arguments: Mapping[str, Any], viewer: ViewerFacts | None) -> Sequence[Where]:
    """Officers alone have a queue."""
    chosen = arguments.get("filter")
    return (chosen.to_domain() if chosen else lists.CaseFilter()).conditions(doors.officer(viewer))


@strawberry.type
class ApplicationQueries:
    """Reading of cases."""

    @strawberry.field(
        description="A case by its global id; null where there is none or it is not for the viewer. NOT_SIGNED_IN is a top-level error.",
        metadata={"source": ById("Application")},
    )
    async def application(self, info: Info, id: GlobalIdArgument) -> Application | None:
        """One case."""
        found: Application | None = await row_by_id(info, id)
        return found

    @strawberry.field(
        description="An officer's queue: cases of the office, the longest waiting first; those by which experts leave it, by `leaving` alone. NOT_SIGNED_IN and NOT_ALLOWED are top-level errors.",
        metadata=paged("Application", ("stage_since", "id"), _queue),
    )
    async def applications(
        self,
        info: Info,
        filter: Annotated[ApplicationFilter | None, strawberry.argument(description="Which cases.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Application]:
        """For officers."""
        found: Connection[Application] = await page_of(info, filter=filter, first=first, after=after, last=last, before=before)
        return found

    @strawberry.field(
        description="The officers' inbox: how many open cases of the office stand at each stage, for how long, and in which pools; stages "
        "without cases are left out. NOT_SIGNED_IN and NOT_ALLOWED are top-level errors."
    )
    async def queue_counts(
        self,
        info: Info,
        awaiting_me: Annotated[bool, strawberry.argument(description="True: only stages that the viewer's office decides.")] = False,
    ) -> list[QueueCount]:
        """For officers."""
        viewer = doors.officer(info.context.viewer)
        return [QueueCount.of(each) for each in await inbox(awaiting_me=awaiting_me, viewer=viewer, now=info.context.now)]

    @strawberry.field(
        description="记录链: the chains of all cases, some hundred at a time, by the ids of the cases; go on with `after` until `next` is null. For "
        "the province and administrators; NOT_SIGNED_IN and NOT_ALLOWED are top-level errors."
    )
    async def record_chains(
        self,
        info: Info,
        after: Annotated[
            strawberry.ID | None, strawberry.argument(description="`next` of the step before; without it, from the start.")
        ] = None,
    ) -> RecordChains:
        """By record_chain.verify_next."""
        viewer, key = info.context.signed_in(), None if after is None else key_of(after, Application)
        if after is not None and key is None:
            raise InvalidInput([FieldProblem("after", "CURSOR_INVALID")])
        return RecordChains.of(*await verify_next(key, viewer=viewer))
