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
    found = [Where("{t}.state = 'OPEN'")] if arguments.get("unsettled") else []
    if (receipt := arguments.get("receipt")) is not None:
        found.append(Where("{t}.receipt = :receipt", {"receipt": receipt.strip().upper()}))
    if (pool := arguments.get("pool_code")) is not None:
        case = "SELECT FROM applications a WHERE a.id = {t}.application_id AND a.pool_code = :of_pool"
        found.append(Where(f"EXISTS ({case})", {"of_pool": pool}))
    return found


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
        receipt: Annotated[
            str | None,
            strawberry.argument(
                description="回执号: only the one of this receipt number, as the objector tells it; spaces around it and case do not matter."
            ),
        ] = None,
        pool_code: Annotated[str | None, strawberry.argument(description="Only those to cases of this pool.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Objection]:
        """For the province."""
        facts = {"unsettled": unsettled, "receipt": receipt, "pool_code": pool_code}
        found: Connection[Objection] = await page_of(info, **facts, first=first, after=after, last=last, before=before)
        return found
