"""What the viewer asked to take along."""

from collections.abc import Mapping, Sequence
from typing import Any

import strawberry

from domain.reads import Where
from domain.rules.viewer import Viewer as ViewerFacts
from schema.context import Info
from schema.pages import After, Before, Connection, First, Last, page_of, paged
from schema.queries import doors
from schema.types.exports import Export


def _exports(_: Mapping[str, Any], viewer: ViewerFacts | None) -> Sequence[Where]:
    doors.signed_in(viewer)
    return []


@strawberry.type
class ExportQueries:
    """Reading of exports."""

    @strawberry.field(
        description="导出: what the viewer asked to take along in the last 30 days, the newest first. NOT_SIGNED_IN is a top-level error.",
        metadata=paged("Export", ("created_at", "id"), _exports, descending=True),
    )
    async def exports(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Export]:
        """Own exports."""
        found: Connection[Export] = await page_of(info, first=first, after=after, last=last, before=before)
        return found
