"""The officers' inbox in numbers."""

from typing import Self

import strawberry

from domain.actions import inbox
from models import reference
from models.enums import Stage
from schema.context import Info
from schema.types.reference import Division


@strawberry.type(description="Cases by how long they have stood at the stage, in working days after the day on which they came.")
class QueueAge:
    """An age."""

    at_least: int = strawberry.field(description="They have waited so many whole working days or more.")
    below: int | None = strawberry.field(description="They have waited less than so many; null for the last of the ages.")
    total: int = strawberry.field(description="Cases of this age.")


@strawberry.type(description="The part of one pool in a line of the inbox.")
class QueuePool:
    """A pool."""

    pool_code: str = strawberry.field(description="Code of the pool.")
    total: int = strawberry.field(description="Cases.")
    overdue: int = strawberry.field(description="Of these, beyond the office's time budget.")
    claimed: int = strawberry.field(description="Of these, held by an officer now.")

    @strawberry.field(description="The pool.")
    async def pool(self, info: Info) -> Division | None:
        """By its code."""
        row = await info.context.load_one(reference.Division, "code", self.pool_code)
        return None if row is None else Division(row=row)


@strawberry.type(description="How many cases stand at a stage, among those of the viewer's office.")
class QueueCount:
    """A line of the officers' inbox."""

    stage: Stage = strawberry.field(description="The stage.")
    total: int = strawberry.field(description="Cases at it.")
    overdue: int = strawberry.field(description="Of these, beyond the office's time budget.")
    claimed: int = strawberry.field(description="Of these, held by an officer now.")
    ages: list[QueueAge] = strawberry.field(
        description="The same cases by age: up to 2 working days, the office's budget, twice the budget, and beyond."
    )
    pools: list[QueuePool] = strawberry.field(description="The same cases by pool, in the order of the codes; an office has its own.")

    @classmethod
    def of(cls, found: inbox.Count) -> Self:
        """As it was counted."""
        return cls(
            stage=found.stage,
            total=found.total,
            overdue=found.overdue,
            claimed=found.claimed,
            ages=[QueueAge(at_least=each.least, below=each.below, total=each.total) for each in found.ages],
            pools=[
                QueuePool(pool_code=each.pool_code, total=each.total, overdue=each.overdue, claimed=each.claimed) for each in found.pools
            ],
        )
