"""Mutations of offices: accounts of staff by administrators; hand-over, notes and messages of a case by its officers."""

from typing import Annotated

import strawberry

from domain.actions import notes, resending, reviews, staff
from models.enums import Role
from schema import problems as p
from schema.context import Info
from schema.nodes import key_of, wanted_key
from schema.types.accounts import Account
from schema.types.applications import Application, ApplicationNote
from schema.types.messages import Message

_STAFF = "Global id of an account of staff."
_CASE = "Global id of the case."


@strawberry.input(description="Give somebody of an office an account.")
class StaffCreateInput:
    """Input of staffCreate."""

    role: Role = strawberry.field(description="Any but EXPERT.")
    pool_code: str | None = strawberry.field(default=None, description="Pool of a local officer; for nobody else.")
    phone: str = strawberry.field(description="Login phone, a mobile number of mainland China.")
    password: str = strawberry.field(description="First password, 10 to 128 characters; its owner sets another with `passwordReset`.")
    name: str = strawberry.field(description="Name as on the identity card.")
    id_number: str = strawberry.field(description="Id number, 18 places; nobody is officer and expert (财库〔2016〕198号 art. 16).")


@strawberry.input(description="End an account of staff.")
class StaffDisableInput:
    """Input of staffDisable."""

    staff_id: strawberry.ID = strawberry.field(description=_STAFF)


@strawberry.input(description="Take a disabled account of staff back into use.")
class StaffEnableInput:
    """Input of staffEnable."""

    staff_id: strawberry.ID = strawberry.field(description=_STAFF)


@strawberry.input(description="Let a colleague set up another authenticator app.")
class StaffSecondFactorResetInput:
    """Input of staffSecondFactorReset."""

    staff_id: strawberry.ID = strawberry.field(description=_STAFF)


@strawberry.input(description="Put a local officer into another pool.")
class StaffMoveInput:
    """Input of staffMove."""

    staff_id: strawberry.ID = strawberry.field(description=_STAFF)
    pool_code: str = strawberry.field(description="Code of the new pool.")


@strawberry.input(description="Hand a case that you hold to a colleague.")
class ApplicationHandOverInput:
    """Input of applicationHandOver."""

    application_id: strawberry.ID = strawberry.field(description=_CASE)
    to_staff_id: strawberry.ID = strawberry.field(description="Global id of the colleague's account; see `staff`.")


@strawberry.input(description="Write a note to a case.")
class ApplicationNoteAddInput:
    """Input of applicationNoteAdd."""

    application_id: strawberry.ID = strawberry.field(description=_CASE)
    text: str = strawberry.field(description="At most 2000 characters.")
    idempotency_key: str | None = strawberry.field(
        default=None,
        description="Of your own choice, at most 100 characters: if the answer is lost, send the same again with the same key within 24 hours, and "
        "no second note comes of it.",
    )


@strawberry.input(description="Send a message of the ledger once more.")
class MessageResendInput:
    """Input of messageResend."""

    message_id: strawberry.ID = strawberry.field(description="Global id of the message.")


StaffCreateResult = Annotated[
    Account | p.InvalidInput | p.NotAllowed | p.NotSignedIn | p.Taken | p.Unavailable,
    strawberry.union("StaffCreateResult", description="The new account, or why there is none."),
]
StaffDisableResult = Annotated[
    Account | p.NotAllowed | p.NotFound | p.NotSignedIn | p.Unavailable,
    strawberry.union("StaffDisableResult", description="The disabled account, or why it was not disabled."),
]
StaffEnableResult = Annotated[
    Account | p.InvalidInput | p.NotAllowed | p.NotFound | p.NotSignedIn | p.Taken | p.Unavailable,
    strawberry.union("StaffEnableResult", description="The account in use again, or why it was not enabled."),
]
StaffSecondFactorResetResult = Annotated[
    Account | p.NotAllowed | p.NotFound | p.NotSignedIn | p.Unavailable,
    strawberry.union("StaffSecondFactorResetResult", description="The account, whose next sign-in sets an app up, or why not."),
]
StaffMoveResult = Annotated[
    Account | p.InvalidInput | p.NotAllowed | p.NotFound | p.NotSignedIn | p.Unavailable,
    strawberry.union("StaffMoveResult", description="The account in its new pool, or why it was not moved."),
]
ApplicationHandOverResult = Annotated[
    Application | p.ClaimedByAnother | p.InvalidInput | p.NotAllowed | p.NotFound | p.NotSignedIn | p.Unavailable,
    strawberry.union("ApplicationHandOverResult", description="The case in the colleague's hands, or why it is not."),
]
ApplicationNoteAddResult = Annotated[
    ApplicationNote | p.InvalidInput | p.KeyReused | p.NotFound | p.NotSignedIn | p.Unavailable,
    strawberry.union("ApplicationNoteAddResult", description="The note, or why it was not written."),
]
MessageResendResult = Annotated[
    Message | p.NotAllowed | p.NotFound | p.NotSignedIn | p.Unavailable,
    strawberry.union("MessageResendResult", description="The message that is now on its way, or why there is none."),
]


@strawberry.type
class OfficeMutations:
    """Doors of domain.actions.staff, notes, resending and reviews.hand_over."""

    @strawberry.mutation(description="Give somebody of an office an account. For administrators.")
    async def staff_create(self, info: Info, input: StaffCreateInput) -> StaffCreateResult:
        """See staff.create."""
        account = await staff.create(
            role=input.role,
            pool_code=input.pool_code,
            phone=input.phone,
            password=input.password,
            name=input.name,
            id_number=input.id_number,
            viewer=info.context.signed_in(),
            now=info.context.now,
        )
        return Account(row=account)

    @strawberry.mutation(description="End an account of staff: its sessions end, its claims are free. For administrators; not on yourself.")
    async def staff_disable(self, info: Info, input: StaffDisableInput) -> StaffDisableResult:
        """See staff.disable."""
        viewer = info.context.signed_in()
        return Account(row=await staff.disable(wanted_key(input.staff_id, Account), viewer=viewer, now=info.context.now))

    @strawberry.mutation(
        description="Let a colleague who has lost the authenticator app set up another one at the next sign-in; sessions end. For administrators; "
        "not on yourself."
    )
    async def staff_second_factor_reset(self, info: Info, input: StaffSecondFactorResetInput) -> StaffSecondFactorResetResult:
        """See staff.reset_second_factor."""
        viewer = info.context.signed_in()
        return Account(row=await staff.reset_second_factor(wanted_key(input.staff_id, Account), viewer=viewer, now=info.context.now))

    @strawberry.mutation(
        description="Take a disabled account of staff back into use, with the password it had; not where its id number is an expert's by now, or "
        "its pool has closed. For administrators."
    )
    async def staff_enable(self, info: Info, input: StaffEnableInput) -> StaffEnableResult:
        """See staff.enable."""
        viewer = info.context.signed_in()
        return Account(row=await staff.enable(wanted_key(input.staff_id, Account), viewer=viewer, now=info.context.now))

    @strawberry.mutation(
        description="Put a local officer into another pool: claims are free, sessions end, and the officer signs in again. For administrators."
    )
    async def staff_move(self, info: Info, input: StaffMoveInput) -> StaffMoveResult:
        """See staff.move_to_pool."""
        viewer = info.context.signed_in()
        key = wanted_key(input.staff_id, Account)
        return Account(row=await staff.move_to_pool(key, input.pool_code, viewer=viewer, now=info.context.now))

    @strawberry.mutation(description="Hand a case that you hold to a colleague who can decide it; the colleague's claim begins anew.")
    async def application_hand_over(self, info: Info, input: ApplicationHandOverInput) -> ApplicationHandOverResult:
        """See reviews.hand_over."""
        viewer = info.context.signed_in()
        colleague = key_of(input.to_staff_id, Account)
        case = await reviews.hand_over(wanted_key(input.application_id, Application), colleague, viewer=viewer, now=info.context.now)
        return Application(row=case)

    @strawberry.mutation(description="Write a note for the officers of a case, which the expert never sees. Notes are never changed.")
    async def application_note_add(self, info: Info, input: ApplicationNoteAddInput) -> ApplicationNoteAddResult:
        """See notes.add."""
        viewer = info.context.signed_in()
        case = wanted_key(input.application_id, Application)
        note = await notes.add(case, input.text, key=input.idempotency_key, viewer=viewer, now=info.context.now)
        return ApplicationNote(row=note)

    @strawberry.mutation(
        description="Send a message once more, to the phone that its reader has now; `messages(awaitingMe: true)` lists those that wait for it. A "
        "repeat gives the message that was written the first time."
    )
    async def message_resend(self, info: Info, input: MessageResendInput) -> MessageResendResult:
        """See resending.resend."""
        viewer = info.context.signed_in()
        return Message(row=await resending.resend(wanted_key(input.message_id, Message), viewer=viewer, now=info.context.now))
