"""Refusals as typed problems: the one place where the domain's errors become GraphQL."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import date, datetime
from typing import Any, Self

import asyncpg
import strawberry
from graphql import GraphQLError, GraphQLObjectType, GraphQLResolveInfo, GraphQLUnionType, get_named_type
from graphql.pyutils import is_awaitable
from strawberry.types.field import StrawberryField

from domain.rules import errors
from domain.rules.messages import Language, text
from models.enums import HalfDay, Move, ObjectionState, Stage, Standing
from schema.context import Context


@strawberry.interface(description="Why a request was understood and not carried out. Nothing has changed.")
class Problem:
    """What every problem tells."""

    code: str = strawberry.field(description="Stable name of the reason, for programs.")
    message: str = strawberry.field(description="What is wrong and what to do, in the viewer's language, for people.")

    @classmethod
    def of(cls, refusal: Any, language: Language) -> Self:
        """The problem that tells of a refusal; its own fields are the refusal's facts of the same names."""
        facts = {each.name: getattr(refusal, each.name) for each in fields(cls) if each.name not in ("code", "message")}
        return cls(code=refusal.code, message=text(refusal.wording, language, refusal.facts), **facts)


@strawberry.type(description="One field of the input that is not acceptable.")
class FieldProblem:
    """A path with its reason."""

    path: str = strawberry.field(
        description="Path below `input`, of what a profile lacks or warns of below the profile; list items by their index: `specialties.2`."
    )
    code: str = strawberry.field(description="Stable name of the reason, for programs.")
    message: str = strawberry.field(description="What is wrong and what to do, in the viewer's language.")

    @classmethod
    def of(cls, problem: errors.FieldProblem, language: Language) -> Self:
        """In the viewer's language."""
        return cls(path=problem.path, code=problem.code, message=text(problem.code, language, problem.facts))


@strawberry.type(description="No live session: sign in with `sessionOpen` first.")
class NotSignedIn(Problem):
    """See errors.NotSignedIn."""


@strawberry.type(description="There is no such thing, or it is not for the viewer to know.")
class NotFound(Problem):
    """See errors.NotFound."""


@strawberry.type(description="The viewer may see the thing but not do this to it; `code` says why.")
class NotAllowed(Problem):
    """See errors.NotAllowed."""


@strawberry.type(description="Fields of the input are not acceptable; all that were found are listed.")
class InvalidInput(Problem):
    """See errors.InvalidInput."""

    fields: list[FieldProblem] = strawberry.field(description="Every field with its reason.")

    @classmethod
    def of(cls, refusal: errors.InvalidInput, language: Language) -> Self:
        """With its fields."""
        listed = [FieldProblem.of(each, language) for each in refusal.problems]
        return cls(code=refusal.code, message=text(refusal.code, language), fields=listed)


@strawberry.type(description="The profile lacks what submission requires; every missing field is listed.")
class Incomplete(Problem):
    """See errors.Incomplete."""

    missing: list[FieldProblem] = strawberry.field(description="Every missing field with what to do.")

    @classmethod
    def of(cls, refusal: errors.Incomplete, language: Language) -> Self:
        """With what is missing."""
        listed = [FieldProblem.of(each, language) for each in refusal.problems]
        return cls(code=refusal.code, message=text(refusal.code, language), missing=listed)


@strawberry.type(description="The case does not allow this move at its present stage.")
class IllegalMove(Problem):
    """See errors.IllegalMove."""

    stage: Stage = strawberry.field(description="Where the case stands now.")
    available_moves: list[Move] = strawberry.field(description="What the viewer can do with it now.")


@strawberry.type(description="Another officer has decided this review first.")
class AlreadyReviewed(Problem):
    """See errors.AlreadyReviewed."""

    stage: Stage = strawberry.field(description="Where the case stands now.")


@strawberry.type(description="The expert's standing does not allow this.")
class WrongStanding(Problem):
    """See errors.WrongStanding."""

    standing: Standing = strawberry.field(description="What it is now.")


@strawberry.type(description="The privacy terms have a new version: show them, then `privacyTermsAccept`, then send the same again.")
class ConsentNeeded(Problem):
    """See errors.ConsentNeeded."""

    version: str = strawberry.field(description="The version in force.")


@strawberry.type(description="The public notice is over; objections are received until its last second.")
class NoticeOver(Problem):
    """See errors.NoticeOver."""


@strawberry.type(description="The objection was settled before.")
class AlreadySettled(Problem):
    """See errors.AlreadySettled."""

    state: ObjectionState = strawberry.field(description="How.")


@strawberry.type(description="Another officer holds the case.")
class ClaimedByAnother(Problem):
    """See errors.ClaimedByAnother."""

    holder: str = strawberry.field(description="Name of the officer who holds it.")
    until: datetime = strawberry.field(description="When the claim ends unless it is renewed.")


@strawberry.type(description="The period has a half-day in common with another one of the schedule.")
class ScheduleOverlap(Problem):
    """See errors.ScheduleOverlap."""

    day: date = strawberry.field(description="The first day in common.")
    half: HalfDay = strawberry.field(description="Which half of it.")


@strawberry.type(description="A limit in time is reached.")
class TooSoon(Problem):
    """See errors.TooSoon."""

    retry_after_seconds: int = strawberry.field(description="Asking again before these seconds are over gets the same answer.")


@strawberry.type(
    description="The phone code is wrong, used, expired, locked or of another purpose. Ask for a new one with `phoneCodeSend`."
)
class CodeRejected(Problem):
    """See errors.CodeRejected."""


@strawberry.type(description="Phone and password or code do not open a session.")
class SignInRefused(Problem):
    """See errors.SignInRefused."""


@strawberry.type(description="What an authenticator app is set up with. It is told this once, and holds once a code of it has been given.")
class SecondFactorEnrolment:
    """See second_factor.Enrolment."""

    secret: str = strawberry.field(description="The secret in base32, to be typed into the app.")
    uri: str = strawberry.field(description="The same as `otpauth://…`, to be shown as a QR code.")
    phone_code_needed: bool = strawberry.field(
        description="Whether `sessionConfirm` needs a phone code too (`phoneCodeSend` for SECOND_FACTOR); not after signing in by one."
    )


@strawberry.type(
    description="Phone and password or code are right; staff go on with `sessionConfirm`, giving the ticket and the six digits of their app."
)
class SecondFactorNeeded(Problem):
    """See errors.SecondFactorNeeded."""

    ticket: str = strawberry.field(description="Proves the first step; for this sign-in alone.")
    expires_at: datetime = strawberry.field(description="Until when the second step can follow.")
    enrolment: SecondFactorEnrolment | None = strawberry.field(
        description="At the first sign-in, and after an administrator's `staffSecondFactorReset`: what to set the app up with."
    )

    @classmethod
    def of(cls, refusal: errors.SecondFactorNeeded, language: Language) -> Self:
        """With what to set the app up with."""
        offered = refusal.enrolment
        return cls(
            code=refusal.code,
            message=text(refusal.code, language),
            ticket=refusal.ticket,
            expires_at=refusal.expires_at,
            enrolment=None
            if offered is None
            else SecondFactorEnrolment(secret=offered.secret, uri=offered.uri, phone_code_needed=offered.phone_code_needed),
        )


@strawberry.type(
    description="The six digits are wrong or used, or the ticket is used or too old. Wait for the next digits, or sign in anew."
)
class SecondFactorRejected(Problem):
    """See errors.SecondFactorRejected."""


@strawberry.type(description="The phone or id number belongs to an account already.")
class Taken(Problem):
    """See errors.Taken."""

    path: str = strawberry.field(description="Which field of the input is taken.")


@strawberry.type(
    description="幂等键: the idempotency key was used for something else in the last 24 hours; take a new key for a new request."
)
class KeyReused(Problem):
    """See errors.KeyReused."""


@strawberry.type(description="The profile was saved elsewhere since it was read: read it again, then save.")
class Stale(Problem):
    """See errors.Stale."""

    version: int = strawberry.field(description="The version of the draft now.")


@strawberry.type(description="The draft does not differ from the profile in force, or there is no draft.")
class NothingChanged(Problem):
    """See errors.NothingChanged."""


@strawberry.type(description="The profile in force has changed since the draft was begun: discard it with `draftDiscard` and edit anew.")
class BaseMoved(Problem):
    """See errors.BaseMoved."""


@strawberry.type(description="The registry cannot do this now; the same request can be sent again later.")
class Unavailable(Problem):
    """See errors.Unavailable."""


PROBLEMS: Mapping[type[errors.Refusal], type[Problem]] = {
    errors.NotSignedIn: NotSignedIn,
    errors.NotFound: NotFound,
    errors.NotAllowed: NotAllowed,
    errors.InvalidInput: InvalidInput,
    errors.Incomplete: Incomplete,
    errors.IllegalMove: IllegalMove,
    errors.AlreadyReviewed: AlreadyReviewed,
    errors.WrongStanding: WrongStanding,
    errors.ConsentNeeded: ConsentNeeded,
    errors.NoticeOver: NoticeOver,
    errors.AlreadySettled: AlreadySettled,
    errors.ClaimedByAnother: ClaimedByAnother,
    errors.ScheduleOverlap: ScheduleOverlap,
    errors.TooSoon: TooSoon,
    errors.CodeRejected: CodeRejected,
    errors.SignInRefused: SignInRefused,
    errors.SecondFactorNeeded: SecondFactorNeeded,
    errors.SecondFactorRejected: SecondFactorRejected,
    errors.Taken: Taken,
    errors.KeyReused: KeyReused,
    errors.Stale: Stale,
    errors.NothingChanged: NothingChanged,
    errors.BaseMoved: BaseMoved,
    errors.Unavailable: Unavailable,
}

BUSY = (
    asyncpg.LockNotAvailableError,
    asyncpg.TransactionRollbackError,  # deadlocks
    asyncpg.OperatorInterventionError,  # the server stops, starts, or has cut a statement off
    asyncpg.InsufficientResourcesError,  # connections, disk
    asyncpg.IdleInTransactionSessionTimeoutError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,  # what asyncpg raises once on a connection that the server has closed
    OSError,
)
"""What the database says when the same request may succeed a moment later."""


VERB = "verb"
"""Under which the extensions of a mutation's field hold what runs it with converted arguments."""

_TOLD: Sequence[tuple[type[Exception] | tuple[type[Exception], ...], type[Problem]]] = (*PROBLEMS.items(), (BUSY, Unavailable))


def answer_with_problems(mutations: GraphQLObjectType) -> None:
    """Have each verb answer a refusal with the problem that its result union names; elsewhere the refusal goes up as an error.

    So do its resolver, and what lies beside it under VERB for those who have converted the arguments.

    Strawberry's exception handlers do the same, but ask each field of the schema about each of them: a tenth of the time to start.
    """
    for field in mutations.fields.values():
        union = get_named_type(field.type)
        named = {each.name for each in union.types} if isinstance(union, GraphQLUnionType) else set()
        told = [(kind, each) for kind, each in _TOLD if each.__name__ in named]
        field.extensions[VERB] = _answering(_called(field.extensions["strawberry-definition"]), told)
        field.resolve = _answering(field.resolve, told)


def _called(definition: StrawberryField) -> Any:
    """The method of a mutation as such, for arguments by their Python names that are converted already."""
    assert definition.base_resolver is not None  # noqa: S101  every verb has its resolver
    assert not definition.extensions  # noqa: S101  they would be passed by
    verb: Any = definition.base_resolver.wrapped_func

    def called(source: Any, info: GraphQLResolveInfo[Context], **given: Any) -> Any:
        return verb(source, info=strawberry.Info(_raw_info=info, _field=definition), **given)

    return called


def _answering(resolve: Any, told: Sequence[tuple[Any, type[Problem]]]) -> Any:
    async def answered(source: Any, info: GraphQLResolveInfo[Context], **given: Any) -> Any:
        try:
            found = resolve(source, info, **given)
            return await found if is_awaitable(found) else found
        except Exception as raised:
            problem = next((each for kind, each in told if isinstance(raised, kind)), None)
            if problem is None:
                raise
            refusal = raised if isinstance(raised, errors.Refusal) else errors.Unavailable()
            return problem.of(refusal, info.context.language)

    return answered


def to_error(refusal: errors.Refusal, language: Language) -> GraphQLError:
    """A refusal where no union can carry it (queries, subscriptions): a top-level error with its code and facts."""
    extensions: dict[str, Any] = {"code": refusal.code}
    if isinstance(refusal, errors.InvalidInput):
        extensions["fields"] = [
            {"path": each.path, "code": each.code, "message": text(each.code, language, each.facts)} for each in refusal.problems
        ]
    return GraphQLError(text(refusal.wording, language, refusal.facts), extensions=extensions, original_error=refusal)
