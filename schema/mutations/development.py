"""Mutations of development mode: the registry's clock."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain.actions import clock
from schema import problems as p
from schema.context import Info


@strawberry.input(description="Let time pass.")
class DevelopmentClockMoveInput:
    """Input of developmentClockMove."""

    seconds: int = strawberry.field(description="How far to move the clock forward; it never goes back.")


@strawberry.type(description="The registry's clock was moved. Whatever has become due is done by the worker within seconds.")
class DevelopmentClockMoved:
    """Success of developmentClockMove."""

    now: datetime = strawberry.field(description="What the registry takes for the time now.")


DevelopmentClockMoveResult = Annotated[
    DevelopmentClockMoved | p.InvalidInput | p.NotAllowed | p.Unavailable,
    strawberry.union("DevelopmentClockMoveResult", description="The new time, or why the clock stands as it was."),
]


@strawberry.type
class DevelopmentMutations:
    """Doors of domain.actions.clock."""

    @strawberry.mutation(description="Move the registry's clock forward, for everybody. Development mode only.")
    async def development_clock_move(self, info: Info, input: DevelopmentClockMoveInput) -> DevelopmentClockMoveResult:
        """See clock.move."""
        return DevelopmentClockMoved(now=await clock.move(input.seconds, settings=info.context.settings))
