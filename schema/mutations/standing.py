"""Mutations of standing: leaving 注销 by formal experts; dismissal, suspension, reinstatement, revoking by provincial officers."""

import datetime as dt
from typing import Annotated

import strawberry

from domain.actions import standing
from models.enums import DismissalCause
from schema import problems as p
from schema.context import Info
from schema.nodes import wanted_key
from schema.types.experts import Expert

_ID = "Global id of the expert."
_REASONS = "Reasons, which the expert may read; at most 1000 characters."


@strawberry.input(description="Leave the registry for good.")
class ExpertDeregisterInput:
    """Input of expertDeregister."""

    code: str = strawberry.field(description="The six digits that were sent to your phone. Purpose: DEREGISTER.")
    confirm: bool = strawberry.field(description="Must be true: it cannot be undone.")


@strawberry.type(description="You have left the registry; you are signed out everywhere and the account is closed for good.")
class ExpertDeregistered:
    """Success of expertDeregister."""

    at: dt.datetime = strawberry.field(description="Since when.")


@strawberry.input(description="Remove an expert with cause.")
class ExpertDismissInput:
    """Input of expertDismiss."""

    expert_id: strawberry.ID = strawberry.field(description=_ID)
    cause: DismissalCause = strawberry.field(description="Why.")
    reasons: str = strawberry.field(description=_REASONS)


@strawberry.input(description="Keep an expert from being drawn for a time.")
class ExpertSuspendInput:
    """Input of expertSuspend."""

    expert_id: strawberry.ID = strawberry.field(description=_ID)
    until: dt.date = strawberry.field(description="Last day of the suspension, at most about three years from now.")
    reasons: str = strawberry.field(description=_REASONS)


@strawberry.input(description="End a suspension before its last day.")
class ExpertReinstateInput:
    """Input of expertReinstate."""

    expert_id: strawberry.ID = strawberry.field(description=_ID)
    reasons: str = strawberry.field(description=_REASONS)


@strawberry.input(description="Close the account of a temporary expert that holds an id number.")
class RegistrationRevokeInput:
    """Input of registrationRevoke."""

    id_number: str = strawberry.field(
        description="证件号码: the 18 places of the card that was shown; full-width digits and a small x are put right."
    )
    reasons: str = strawberry.field(description="Reasons, who showed the card among them; at most 1000 characters, kept on record.")


ExpertDeregisterResult = Annotated[
    ExpertDeregistered | p.CodeRejected | p.InvalidInput | p.NotAllowed | p.NotSignedIn | p.Unavailable | p.WrongStanding,
    strawberry.union("ExpertDeregisterResult", description="That you have left, or why not."),
]
_Decided = Expert | p.InvalidInput | p.NotAllowed | p.NotFound | p.NotSignedIn | p.Unavailable | p.WrongStanding
ExpertDismissResult = Annotated[
    _Decided, strawberry.union("ExpertDismissResult", description="The dismissed expert, or why nothing was done.")
]
ExpertSuspendResult = Annotated[
    _Decided, strawberry.union("ExpertSuspendResult", description="The suspended expert, or why nothing was done.")
]
ExpertReinstateResult = Annotated[
    _Decided, strawberry.union("ExpertReinstateResult", description="The reinstated expert, or why nothing was done.")
]

RegistrationRevokeResult = Annotated[
    Expert | p.InvalidInput | p.NotAllowed | p.NotFound | p.NotSignedIn | p.TooSoon | p.Unavailable | p.WrongStanding,
    strawberry.union("RegistrationRevokeResult", description="The temporary expert whose account was closed, or why nothing was done."),
]


@strawberry.type
class StandingMutations:
    """Doors of domain.actions.standing."""

    @strawberry.mutation(
        description="注销: leave the registry, for formal experts; at once, without review. An open case is cancelled, every session ends, phone "
        "and id number become free; the account can never be used again."
    )
    async def expert_deregister(self, info: Info, input: ExpertDeregisterInput) -> ExpertDeregisterResult:
        """See standing.deregister."""
        left = await standing.deregister(code=input.code, confirm=input.confirm, viewer=info.context.signed_in(), now=info.context.now)
        info.context.viewer = None
        info.context.cookies.clear_session()
        return ExpertDeregistered(at=left.at)

    @strawberry.mutation(
        description="解聘: remove a formal expert with cause, for provincial officers. The account is closed; for three years nobody registers "
        "with this id number."
    )
    async def expert_dismiss(self, info: Info, input: ExpertDismissInput) -> ExpertDismissResult:
        """See standing.dismiss."""
        viewer = info.context.signed_in()
        row = await standing.dismiss(
            wanted_key(input.expert_id, Expert), cause=input.cause, reasons=input.reasons, viewer=viewer, now=info.context.now
        )
        return Expert(row=row)

    @strawberry.mutation(
        description="暂停: keep a formal expert from being drawn until a day, for provincial officers; it ends by itself after that day."
    )
    async def expert_suspend(self, info: Info, input: ExpertSuspendInput) -> ExpertSuspendResult:
        """See standing.suspend."""
        viewer = info.context.signed_in()
        row = await standing.suspend(
            wanted_key(input.expert_id, Expert), until=input.until, reasons=input.reasons, viewer=viewer, now=info.context.now
        )
        return Expert(row=row)

    @strawberry.mutation(description="恢复: end a suspension before its last day, for provincial officers.")
    async def expert_reinstate(self, info: Info, input: ExpertReinstateInput) -> ExpertReinstateResult:
        """See standing.reinstate."""
        viewer = info.context.signed_in()
        row = await standing.reinstate(wanted_key(input.expert_id, Expert), reasons=input.reasons, viewer=viewer, now=info.context.now)
        return Expert(row=row)

    @strawberry.mutation(
        description="撤销登记: close the account of a temporary expert that holds an id number, for provincial officers, to whom the card was shown: "
        "where somebody else registered with the number, or the person wants to be registered no more. An open case is cancelled, every "
        "session ends, phone and id number become free; nobody is barred. Not for who was admitted (WrongStanding). Each number counts "
        "towards a limit a day, found or not."
    )
    async def registration_revoke(self, info: Info, input: RegistrationRevokeInput) -> RegistrationRevokeResult:
        """See standing.revoke_registration."""
        viewer = info.context.signed_in()
        row = await standing.revoke_registration(input.id_number, reasons=input.reasons, viewer=viewer, now=info.context.now)
        return Expert(row=row)
