"""Mutations of changes of division 变更区划 by formal experts: ask for one, give a returned one up."""

from typing import Annotated

import strawberry

from domain.actions import divisions
from schema import problems as p
from schema.context import Info
from schema.nodes import wanted_key
from schema.types.applications import Application


@strawberry.input(description="Ask to move to another division.")
class DivisionChangeRequestInput:
    """Input of divisionChangeRequest."""

    division_code: str = strawberry.field(
        description="The new home division 隶属区划: a code of `divisions` with `poolSelectable`; a former code stands for its present one."
    )
    reason: str = strawberry.field(description="Why, for the reviewers and the office that you leave; at most 500 characters.")
    commitment_accepted: bool = strawberry.field(description="The commitment 承诺书 is accepted; must be true.")
    avoidance_accepted: bool = strawberry.field(description="The avoidance declaration 回避声明 is accepted; must be true.")


@strawberry.input(description="Give your returned change of division up.")
class DivisionChangeGiveUpInput:
    """Input of divisionChangeGiveUp."""

    application_id: strawberry.ID = strawberry.field(description="Global id of the case.")


DivisionChangeRequestResult = Annotated[
    Application
    | p.ConsentNeeded
    | p.IllegalMove
    | p.Incomplete
    | p.InvalidInput
    | p.NotAllowed
    | p.NotSignedIn
    | p.Unavailable
    | p.WrongStanding,
    strawberry.union("DivisionChangeRequestResult", description="The case of the change of division, or why there is none."),
]
DivisionChangeGiveUpResult = Annotated[
    Application | p.IllegalMove | p.NotFound | p.NotSignedIn | p.Unavailable,
    strawberry.union("DivisionChangeGiveUpResult", description="The cancelled case, or why it was not cancelled."),
]


@strawberry.type
class DivisionMutations:
    """Doors of domain.actions.divisions."""

    @strawberry.mutation(
        description="变更区划: a formal expert asks to move to another division, whose office reviews first; the office that the expert leaves "
        "sees the case and may comment it. It takes no other changes along: an open draft is submitted or discarded first (NotAllowed "
        "DRAFT_OPEN). A returned one is sent again, to the same or another division. Nothing moves until the final review has passed."
    )
    async def division_change_request(self, info: Info, input: DivisionChangeRequestInput) -> DivisionChangeRequestResult:
        """See divisions.request_division_change."""
        case = await divisions.request_division_change(
            input.division_code,
            reason=input.reason,
            commitment=input.commitment_accepted,
            avoidance=input.avoidance_accepted,
            viewer=info.context.signed_in(),
            now=info.context.now,
        )
        return Application(row=case)

    @strawberry.mutation(
        description="Give a returned change of division up: the case is cancelled and everything stays as it is. One that nobody has decided "
        "is taken back by `applicationWithdraw`."
    )
    async def division_change_give_up(self, info: Info, input: DivisionChangeGiveUpInput) -> DivisionChangeGiveUpResult:
        """See divisions.give_up."""
        viewer, key = info.context.signed_in(), wanted_key(input.application_id, Application)
        return Application(row=await divisions.give_up(key, viewer=viewer, now=info.context.now))
