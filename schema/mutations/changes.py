"""Mutations of changes 信息变更 by formal experts: submit the draft, give it up."""

from typing import Annotated

import strawberry

from domain.actions import changes
from schema import problems as p
from schema.context import Info
from schema.types.applications import Application
from schema.types.experts import Expert


@strawberry.input(description="Send your changes to their first review.")
class ChangeSubmitInput:
    """Input of changeSubmit."""

    commitment_accepted: bool = strawberry.field(description="The commitment 承诺书 is accepted; must be true.")
    avoidance_accepted: bool = strawberry.field(description="The avoidance declaration 回避声明 is accepted; must be true.")


@strawberry.input(description="Give your open draft up.")
class DraftDiscardInput:
    """Input of draftDiscard."""

    expected_version: int | None = strawberry.field(
        default=None, description="`version` of the draft that you looked at; if it was saved meanwhile, the answer is Stale."
    )


ChangeSubmitResult = Annotated[
    Application
    | p.BaseMoved
    | p.ConsentNeeded
    | p.IllegalMove
    | p.Incomplete
    | p.InvalidInput
    | p.NotAllowed
    | p.NothingChanged
    | p.NotSignedIn
    | p.Unavailable
    | p.WrongStanding,
    strawberry.union("ChangeSubmitResult", description="The case of the change, or why it was not submitted."),
]
DraftDiscardResult = Annotated[
    Expert | p.NotAllowed | p.NotFound | p.NotSignedIn | p.Stale | p.Unavailable | p.WrongStanding,
    strawberry.union("DraftDiscardResult", description="You, without a draft, or why it is still there."),
]


@strawberry.type
class ChangeMutations:
    """Doors of domain.actions.changes."""

    @strawberry.mutation(
        description="信息变更: send what a formal expert has changed in the draft to its reviews; a returned change is sent again. "
        "The profile in force stays so until the final review has passed."
    )
    async def change_submit(self, info: Info, input: ChangeSubmitInput) -> ChangeSubmitResult:
        """See changes.submit_change."""
        case = await changes.submit_change(
            commitment=input.commitment_accepted,
            avoidance=input.avoidance_accepted,
            viewer=info.context.signed_in(),
            now=info.context.now,
        )
        return Application(row=case)

    @strawberry.mutation(
        description="Drop the open draft of a formal expert for good; a change that was returned is cancelled with it. The next save begins "
        "anew from the profile in force."
    )
    async def draft_discard(self, info: Info, input: DraftDiscardInput) -> DraftDiscardResult:
        """See changes.discard_draft."""
        viewer = info.context.signed_in()
        return Expert(row=await changes.discard_draft(expected_version=input.expected_version, viewer=viewer, now=info.context.now))
