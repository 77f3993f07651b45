"""Subscriptions: told of committed changes, read again under the viewer's own rights."""

from collections.abc import AsyncGenerator, Mapping
from typing import Annotated
from uuid import UUID

import strawberry

from domain.rules.errors import NotAllowed
from models.database import database_now
from models.enums import Stage
from models.ids import uuid_or_none
from schema.context import Info
from schema.nodes import key_of
from schema.types.applications import Application

_QUEUE_EVENTS = frozenset({"applicationMoved", "applicationClaimed", "objectionReceived", "objectionSettled"})
"""Of objections the pool is not told: they are for the province."""


@strawberry.type(description="Something changed in an officer's queue.")
class QueueChange:
    """A hint to look at the queue again."""

    application: Application | None = strawberry.field(
        description="The case that moved or was claimed, if the viewer may see it; null: reload the whole queue."
    )
    stage: Stage | None = strawberry.field(description="Where it stands now.")


async def _visible(info: Info, event: Mapping[str, str]) -> Application | None:
    info.context.now = await database_now()
    row = await info.context.load_one(Application.__model__, "id", uuid_or_none(event.get("application", "")))
    return None if row is None else Application(row=row)


async def _latest(info: Info, expert_id: UUID | None) -> Application | None:
    """The case that the expert opened last; those before it were closed then."""
    info.context.now = await database_now()
    rows = await info.context.load_many(Application.__model__, "expert_id", expert_id, order="{t}.created_at")
    return Application(row=rows[-1]) if rows else None


@strawberry.type(description="Listening: told after each change is certain. Ends with the session.")
class Subscription:
    """Roots of listening."""

    @strawberry.subscription(
        description="A case moved to another stage: an expert's own cases, or the named case. After a gap in which a move may have been missed, "
        "the named case, or the expert's latest one, comes as it stands, moved or not. Ends with the session."
    )
    async def application_moved(
        self,
        info: Info,
        application_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only this case; officers must name one.")] = None,
    ) -> AsyncGenerator[Application, None]:
        """Raises NOT_SIGNED_IN, and NOT_ALLOWED for staff that names no case, as top-level errors."""
        viewer = info.context.signed_in()
        wanted_case = None if application_id is None else str(key_of(application_id, Application))
        if wanted_case is None and viewer.expert_id is None:
            raise NotAllowed
        expert = str(viewer.expert_id)

        def wanted(event: Mapping[str, str]) -> bool:
            if event["event"] != "applicationMoved":
                return event["event"] == "resync"
            return event["application"] == wanted_case if wanted_case is not None else event.get("expert") == expert

        async for event in info.context.events.listen(wanted):
            if event["event"] == "resync" and wanted_case is None:
                case = await _latest(info, viewer.expert_id)
            else:
                case = await _visible(info, {"application": wanted_case} if wanted_case is not None else event)
            if case is not None:
                yield case

    @strawberry.subscription(
        description="A case of the viewer's office moved, was claimed or released, or (for the province) objected to; a change of division by "
        "which an expert leaves the office moved. Ends with the session."
    )
    async def queue_changed(self, info: Info) -> AsyncGenerator[QueueChange, None]:
        """For officers; raises NOT_SIGNED_IN and NOT_ALLOWED as top-level errors."""
        viewer = info.context.signed_in()
        if not viewer.is_officer:
            raise NotAllowed

        def wanted(event: Mapping[str, str]) -> bool:
            if event["event"] == "resync":
                return True
            return event["event"] in _QUEUE_EVENTS and viewer.pool_code in (None, event.get("pool"), event.get("leaving"))

        async for event in info.context.events.listen(wanted):
            case = await _visible(info, event)
            if case is not None:
                yield QueueChange(application=case, stage=case.row.stage)
            elif event["event"] == "resync":
                yield QueueChange(application=None, stage=None)
