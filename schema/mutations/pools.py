"""Mutations of pools 专家库, by administrators and the province."""

from typing import Annotated

import strawberry

from domain.actions import pools
from schema import problems as p
from schema.context import Info
from schema.types.pools import PoolMerge
from schema.types.reference import Division


@strawberry.input(description="Close a pool into its successor.")
class PoolMergeInput:
    """Input of poolMerge."""

    from_pool_code: str = strawberry.field(description="Code of the pool that closes.")
    into_pool_code: str = strawberry.field(description="Code of the pool that takes its people, cases and officers.")
    reason: str = strawberry.field(description="Why; at most 500 characters. Staff read it.")


@strawberry.input(description="Close a pool that has no successor.")
class PoolCloseInput:
    """Input of poolClose."""

    pool_code: str = strawberry.field(description="Code of the pool.")
    reason: str = strawberry.field(description="Why; at most 500 characters. It is kept with the pool.")


PoolCloseResult = Annotated[
    Division | p.InvalidInput | p.NotAllowed | p.NotSignedIn | p.Unavailable,
    strawberry.union("PoolCloseResult", description="The closed pool, or why it stays open."),
]
PoolMergeResult = Annotated[
    PoolMerge | p.InvalidInput | p.NotAllowed | p.NotSignedIn | p.Unavailable,
    strawberry.union("PoolMergeResult", description="The merge as it stands, or why there is none."),
]


@strawberry.type
class PoolMutations:
    """Doors of domain.actions.pools."""

    @strawberry.mutation(
        description="专家库合并: close a pool into another, for administrators and provincial officers. From now on who submits to it goes to the "
        "successor; its officers are moved there and sign in anew; workers move people and cases, free claims and tell the experts by SMS. Follow "
        "it by `poolMerges`. It cannot be taken back; a repeat gives the merge as it stands."
    )
    async def pool_merge(self, info: Info, input: PoolMergeInput) -> PoolMergeResult:
        """See pools.merge."""
        row = await pools.merge(
            input.from_pool_code, input.into_pool_code, reason=input.reason, viewer=info.context.signed_in(), now=info.context.now
        )
        return PoolMerge(row=row)

    @strawberry.mutation(
        description="专家库撤销: close a pool for which no other is responsible, for administrators and provincial officers. Its officers are disabled at "
        "once; workers cancel its open cases and tell the experts by SMS; profiles are kept. Formal experts of it ask for a change of division. "
        "Use `poolMerge` where another pool takes the people, also afterwards. A repeat changes nothing."
    )
    async def pool_close(self, info: Info, input: PoolCloseInput) -> PoolCloseResult:
        """See pools.close."""
        row = await pools.close(input.pool_code, reason=input.reason, viewer=info.context.signed_in(), now=info.context.now)
        return Division(row=row)
