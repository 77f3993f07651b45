"""Public notices 公示, for everybody."""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import strawberry

from domain.lists import contains
from domain.reads import RUNNING, Where
from schema.context import Info
from schema.pages import After, Before, Connection, First, Last, page_of, paged
from schema.types.publicity import PublicNotice


def _running_notices(arguments: Mapping[str, Any], _: Any) -> Sequence[Where]:
    pool, search = arguments.get("pool_code"), (arguments.get("search") or "").strip()
    found = [RUNNING]
    if pool is not None:
        found.append(Where("{t}.pool_code = :of_pool", {"of_pool": pool}))
    if search:
        found.append(contains(("name", "employer"), search))
    return found


@strawberry.type
class PublicityQueries:
    """Reading of notices."""

    @strawberry.field(
        description="公示: notices that run now, the one that ends first at the head. For everybody, without signing in.",
        metadata=paged("PublicNotice", ("closes_at", "id"), _running_notices),
    )
    async def public_notices(
        self,
        info: Info,
        pool_code: Annotated[str | None, strawberry.argument(description="Only notices of this pool.")] = None,
        search: Annotated[str | None, strawberry.argument(description="Only names or employers that contain this text.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[PublicNotice]:
        """The public list."""
        found: Connection[PublicNotice] = await page_of(
            info, pool_code=pool_code, search=search, first=first, after=after, last=last, before=before
        )
        return found
