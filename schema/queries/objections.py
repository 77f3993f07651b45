"""Objections 异议, for the province."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import strawberry

from domain.reads import Where
from domain.rules.viewer import Viewer as ViewerFacts
from schema.context import Info
from schema.pages import After, Before, Connection, First, Last, page_of, paged
from schema.queries import doors
from schema.types.objections import Objection


def _objections(arguments: Mapping[str, Any], viewer: ViewerFacts | None) -> Sequence[Where]:
    """The province alone settles objections."""
    doors.province(viewer)
    return [Where("{t}.state = 'OPEN'")] if arguments.get("unsettled") else []


@strawberry.type
class ObjectionQueries:
    """Reading of objections."""

    @strawberry.field(
        description="异议: objections, the longest waiting first. For provincial officers; NOT_SIGNED_IN and NOT_ALLOWED are top-level errors.",
        metadata=paged("Objection", ("received_at", "id"), _objections),
    )
    async def objections(
        self,
        info: Info,
        unsettled: Annotated[bool, strawberry.argument(description="True: only those that wait to be settled.")] = False,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Objection]:
        """For the province."""
        found: Connection[Objection] = await page_of(info, unsettled=unsettled, first=first, after=after, last=last, before=before)
        return found
