"""Mutations of cases: submit and withdraw by the expert; claim, release, approve, return, reject by officers."""

from typing import Annotated

import strawberry

from domain.actions import applications, reviews
from models.enums import RejectReason, Stage
from schema import problems as p
from schema.context import Info
from schema.nodes import Begins, wanted_key
from schema.types.applications import Application

_ID = "Global id of the case."
_STAGE = "The stage at which you saw the case: if it has moved on meanwhile, the answer is AlreadyReviewed."
_ROUND = "The round in which you saw the case; leave it out to decide whatever round is open."


@strawberry.input(description="Send a complete profile to its first review.")
class ApplicationSubmitInput:
    """Input of applicationSubmit."""

    application_id: strawberry.ID | None = strawberry.field(
        default=None,
        description=f"{_ID} Left out or null: the open draft of a temporary expert is sent, with the open case or with one that is opened for it.",
    )
    commitment_accepted: bool = strawberry.field(description="The commitment 承诺书 is accepted; must be true.")
    avoidance_accepted: bool = strawberry.field(description="The avoidance declaration 回避声明 is accepted; must be true.")


@strawberry.input(description="Take a case back while nobody has decided.")
class ApplicationWithdrawInput:
    """Input of applicationWithdraw."""

    application_id: strawberry.ID = strawberry.field(description=_ID)


@strawberry.input(description="Hold a case for 30 minutes (setting), or renew your claim.")
class ApplicationClaimInput:
    """Input of applicationClaim."""

    application_id: strawberry.ID = strawberry.field(description=_ID)


@strawberry.input(description="Give your claim back.")
class ApplicationReleaseInput:
    """Input of applicationRelease."""

    application_id: strawberry.ID = strawberry.field(description=_ID)


@strawberry.input(description="Pass a case on to the next stage.")
class ApplicationApproveInput:
    """Input of applicationApprove."""

    application_id: strawberry.ID = strawberry.field(description=_ID)
    stage: Stage = strawberry.field(description=_STAGE)
    round: int | None = strawberry.field(default=None, description=_ROUND)
    opinion: str | None = strawberry.field(default=None, description="Text for the expert; at most 1000 characters. May be left out.")


@strawberry.input(description="A reason on one field of the profile.")
class FieldReasonInput:
    """One reason of a return."""

    path: str = strawberry.field(
        description="Path of the field in the profile, e.g. `basicInfo.address`, `titles`, `titles.0.certificate`; others are refused."
    )
    text: str = strawberry.field(description="What is wrong with it and what to do; at most 500 characters.")

    def to_domain(self) -> tuple[str, str]:
        """As the verb takes it."""
        return self.path, self.text


@strawberry.input(description="Send a case back to the expert.")
class ApplicationReturnInput:
    """Input of applicationReturn."""

    application_id: strawberry.ID = strawberry.field(description=_ID)
    stage: Stage = strawberry.field(description=_STAGE)
    round: int | None = strawberry.field(default=None, description=_ROUND)
    opinion: str = strawberry.field(description="Text for the expert; at most 1000 characters.")
    reasons: list[FieldReasonInput] = strawberry.field(description="At least one reason on a field, at most 50.")


@strawberry.input(description="Refuse a case for good.")
class ApplicationRejectInput:
    """Input of applicationReject."""

    application_id: strawberry.ID = strawberry.field(description=_ID)
    stage: Stage = strawberry.field(description=_STAGE)
    round: int | None = strawberry.field(default=None, description=_ROUND)
    reason: RejectReason = strawberry.field(description="Why.")
    opinion: str = strawberry.field(description="Text for the expert; at most 1000 characters.")


ApplicationSubmitResult = Annotated[
    Application
    | p.BaseMoved
    | p.ConsentNeeded
    | p.Incomplete
    | p.IllegalMove
    | p.InvalidInput
    | p.NotAllowed
    | p.NotFound
    | p.NothingChanged
    | p.NotSignedIn
    | p.Unavailable
    | p.WrongStanding,
    strawberry.union("ApplicationSubmitResult", description="The submitted case, or why it was not submitted."),
]
ApplicationWithdrawResult = Annotated[
    Application | p.IllegalMove | p.NotFound | p.NotSignedIn | p.Unavailable,
    strawberry.union("ApplicationWithdrawResult", description="The withdrawn case, or why it was not withdrawn."),
]
ApplicationClaimResult = Annotated[
    Application | p.ClaimedByAnother | p.IllegalMove | p.NotAllowed | p.NotFound | p.NotSignedIn | p.Unavailable,
    strawberry.union("ApplicationClaimResult", description="The claimed case, or why it was not claimed."),
]
ApplicationReleaseResult = Annotated[
    Application | p.NotFound | p.NotSignedIn | p.Unavailable,
    strawberry.union("ApplicationReleaseResult", description="The case without your claim, or why it was not released."),
]
_Decided = (
    Application
    | p.AlreadyReviewed
    | p.ClaimedByAnother
    | p.IllegalMove
    | p.InvalidInput
    | p.NotAllowed
    | p.NotFound
    | p.NotSignedIn
    | p.Unavailable
)
ApplicationApproveResult = Annotated[
    _Decided | p.BaseMoved, strawberry.union("ApplicationApproveResult", description="The approved case, or why it was not approved.")
]
ApplicationReturnResult = Annotated[
    _Decided, strawberry.union("ApplicationReturnResult", description="The returned case, or why it was not returned.")
]
ApplicationRejectResult = Annotated[
    _Decided, strawberry.union("ApplicationRejectResult", description="The rejected case, or why it was not rejected.")
]


_DECIDES = {"begins": Begins("applicationId", Application, reviews.reading)}


@strawberry.type
class ApplicationMutations:
    """Doors of domain.actions.applications and domain.actions.reviews."""

    @strawberry.mutation(
        description="Send a complete profile to its first review (初审). The profile is frozen; reviewers see it as it is now. Without "
        "`applicationId` the open draft of a temporary expert is sent, a case being opened where none is open, as after a cancellation; sent "
        "again it answers IllegalMove and opens nothing more. NothingChanged: no draft is open, the next save opens one. A formal expert's "
        "changes are sent by `changeSubmit` (WrongStanding), a returned change of division by `divisionChangeRequest` (NotAllowed)."
    )
    async def application_submit(self, info: Info, input: ApplicationSubmitInput) -> ApplicationSubmitResult:
        """See applications.submit."""
        viewer, named = info.context.signed_in(), input.application_id
        case = await applications.submit(
            None if named is None else wanted_key(named, Application),
            commitment=input.commitment_accepted,
            avoidance=input.avoidance_accepted,
            viewer=viewer,
            now=info.context.now,
        )
        return Application(row=case)

    @strawberry.mutation(
        description="Take a case back while it waits for its first review and no office has decided it before (see `availableMoves`); the "
        "draft opens again with what was submitted (a change of division has none). Then an admission is submitted by `applicationSubmit` "
        "without an id, a change by `changeSubmit`, a change of division by `divisionChangeRequest`."
    )
    async def application_withdraw(self, info: Info, input: ApplicationWithdrawInput) -> ApplicationWithdrawResult:
        """See applications.withdraw."""
        viewer, key = info.context.signed_in(), wanted_key(input.application_id, Application)
        case = await applications.withdraw(key, viewer=viewer, now=info.context.now)
        return Application(row=case)

    @strawberry.mutation(description="Hold a case so that no other officer decides it meanwhile. Deciding does not need a claim.")
    async def application_claim(self, info: Info, input: ApplicationClaimInput) -> ApplicationClaimResult:
        """See reviews.claim."""
        viewer, key = info.context.signed_in(), wanted_key(input.application_id, Application)
        case = await reviews.claim(key, viewer=viewer, now=info.context.now)
        return Application(row=case)

    @strawberry.mutation(description="Give your claim back. Nothing happens where you hold none.")
    async def application_release(self, info: Info, input: ApplicationReleaseInput) -> ApplicationReleaseResult:
        """See reviews.release."""
        viewer, key = info.context.signed_in(), wanted_key(input.application_id, Application)
        case = await reviews.release(key, viewer=viewer, now=info.context.now)
        return Application(row=case)

    @strawberry.mutation(
        description="Pass a case on: to the next review, to the public notice, or into force.",
        metadata=_DECIDES,
    )
    async def application_approve(self, info: Info, input: ApplicationApproveInput) -> ApplicationApproveResult:
        """See reviews.approve."""
        viewer, key = info.context.signed_in(), wanted_key(input.application_id, Application)
        case = await reviews.approve(
            key,
            opinion=input.opinion,
            seen=reviews.Seen(input.stage, input.round),
            viewer=viewer,
            now=info.context.now,
            ahead=info.context.ahead,
        )
        return Application(row=case)

    @strawberry.mutation(
        description="Send a case back to the expert with reasons field by field; after resubmission every review starts again.",
        metadata=_DECIDES,
    )
    async def application_return(self, info: Info, input: ApplicationReturnInput) -> ApplicationReturnResult:
        """See reviews.return_to_expert."""
        viewer, key = info.context.signed_in(), wanted_key(input.application_id, Application)
        case = await reviews.return_to_expert(
            key,
            opinion=input.opinion,
            reasons=[each.to_domain() for each in input.reasons],
            seen=reviews.Seen(input.stage, input.round),
            viewer=viewer,
            now=info.context.now,
            ahead=info.context.ahead,
        )
        return Application(row=case)

    @strawberry.mutation(
        description="Refuse a case for good, with a reason and a text for the expert.",
        metadata=_DECIDES,
    )
    async def application_reject(self, info: Info, input: ApplicationRejectInput) -> ApplicationRejectResult:
        """See reviews.reject."""
        viewer, key = info.context.signed_in(), wanted_key(input.application_id, Application)
        case = await reviews.reject(
            key,
            reason=input.reason,
            opinion=input.opinion,
            seen=reviews.Seen(input.stage, input.round),
            viewer=viewer,
            now=info.context.now,
            ahead=info.context.ahead,
        )
        return Application(row=case)
