"""The tree of refusals: what the registry says when it does not do what was asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from typing import Any, ClassVar

from models.enums import HalfDay, Move, ObjectionState, Stage, Standing


class Invalid(Exception):
    """One value is not acceptable. Raised by the pure validators; an action gathers them with their paths into InvalidInput.

    `code` is a stable UPPER_SNAKE name that has a text in domain/rules/messages.py; `facts` fill its placeholders.
    """

    def __init__(self, code: str, **facts: Any) -> None:
        super().__init__(code)
        self.code = code
        self.facts = facts


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """What is wrong with one field: `path` is the GraphQL path below `input`, e.g. `education.0.certificateNumber`."""

    path: str
    code: str
    facts: Mapping[str, Any] = field(default_factory=dict)


class Refusal(Exception):
    """A request is understood and not carried out; nothing has changed.

    Each subclass is one GraphQL problem type. `code` is stable; its text stands in domain/rules/messages.py, under `wording` where the same
    refusal is told to somebody else, or of something else.
    """

    code: ClassVar[str]
    _wording: str | None = None

    @property
    def wording(self) -> str:
        """The name of the text."""
        return self._wording or self.code

    @property
    def facts(self) -> Mapping[str, Any]:
        """Values for the placeholders of the message."""
        return {key: value for key, value in vars(self).items() if not key.startswith("_")}


class NotSignedIn(Refusal):
    """No live session, or it was ended meanwhile."""

    code = "NOT_SIGNED_IN"


class NotFound(Refusal):
    """There is no such thing, or the viewer may not know of it: both look the same."""

    code = "NOT_FOUND"


class NotAllowed(Refusal):
    """The viewer may see the thing but not do this to it."""

    code = "NOT_ALLOWED"

    def __init__(self, code: str = "NOT_ALLOWED") -> None:
        super().__init__(code)
        self.code = code  # type: ignore[misc]  # a narrower stable code, e.g. OWN_CASE


class InvalidInput(Refusal):
    """One or more fields are not acceptable; all that were found are listed."""

    code = "INVALID_INPUT"

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__([f"{each.path}: {each.code}" for each in problems])
        self.problems = tuple(problems)


class Incomplete(Refusal):
    """The profile lacks something that submission requires; every missing field is listed."""

    code = "INCOMPLETE"

    def __init__(self, problems: Sequence[FieldProblem]) -> None:
        super().__init__([f"{each.path}: {each.code}" for each in problems])
        self.problems = tuple(problems)


class IllegalMove(Refusal):
    """The case does not allow this move at its present stage, or not any more because an office has decided it before.

    `anew` tells that its owner can submit the draft without naming a case.
    """

    code = "ILLEGAL_MOVE"

    def __init__(self, stage: Stage, move: Move, available: Sequence[Move], *, decided_before: bool = False, anew: bool = False) -> None:
        super().__init__(f"{move} at {stage}")
        if decided_before:
            self.code = "DECIDED_BEFORE"  # type: ignore[misc]  # a narrower stable code
        self.stage = stage
        self.move = move
        self.available_moves = tuple(available)
        self._wording = "ILLEGAL_MOVE_CLOSED" if anew else None


class AlreadyReviewed(Refusal):
    """Another officer has decided this review first; the present stage is told."""

    code = "ALREADY_REVIEWED"

    def __init__(self, stage: Stage) -> None:
        super().__init__(stage)
        self.stage = stage


class WrongStanding(Refusal):
    """The expert's standing does not allow this; the present one is told."""

    code = "WRONG_STANDING"

    def __init__(self, standing: Standing) -> None:
        super().__init__(standing)
        self.standing = standing


class ConsentNeeded(Refusal):
    """The person has not accepted the privacy terms of this version, which is in force."""

    code = "CONSENT_NEEDED"

    def __init__(self, version: str) -> None:
        super().__init__(version)
        self.version = version


class NoticeOver(Refusal):
    """The public notice does not run any more: objections are received until its last second."""

    code = "NOTICE_OVER"


class AlreadySettled(Refusal):
    """The objection was settled before; how is told."""

    code = "ALREADY_SETTLED"

    def __init__(self, state: ObjectionState) -> None:
        super().__init__(state)
        self.state = state


class ClaimedByAnother(Refusal):
    """Another officer holds the case until the given instant."""

    code = "CLAIMED_BY_ANOTHER"

    def __init__(self, holder: str, until: datetime | None) -> None:
        super().__init__(holder)
        self.holder = holder
        self.until = until


class ScheduleOverlap(Refusal):
    """The period has this half-day in common with another one of the schedule."""

    code = "SCHEDULE_OVERLAP"

    def __init__(self, day: date, half: HalfDay) -> None:
        super().__init__(f"{day} {half}")
        self.day = day
        self.half = half


class TooSoon(Refusal):
    """A limit in time is reached; asking again before `retry_after_seconds` gets the same answer."""

    code = "TOO_SOON"

    def __init__(self, retry_after_seconds: int, wording: str | None = None) -> None:
        super().__init__(retry_after_seconds)
        self.retry_after_seconds = retry_after_seconds
        self._wording = wording  # which limit, where it is one of hours or days

    @property
    def facts(self) -> Mapping[str, Any]:
        """The time as people read it."""
        return {"wait": timedelta(seconds=self.retry_after_seconds)}


class CodeRejected(Refusal):
    """The phone code is wrong, used, superseded, expired, locked or of another purpose: one answer for all."""

    code = "CODE_REJECTED"


class SignInRefused(Refusal):
    """Phone and password or code do not open a session; whether the phone is known is not told."""

    code = "SIGN_IN_REFUSED"

    def __init__(self, wording: str | None = None) -> None:
        super().__init__()
        self._wording = wording


class SecondFactorNeeded(Refusal):
    """Phone and password or code are right; the six digits of the authenticator app follow, with the ticket.

    `enrolment` (secret, uri) tells a new account of staff what to set its app up with.
    """

    code = "SECOND_FACTOR_NEEDED"

    def __init__(self, ticket: str, expires_at: datetime, enrolment: Any | None) -> None:
        super().__init__()
        self.ticket = ticket
        self.expires_at = expires_at
        self.enrolment = enrolment


class SecondFactorRejected(Refusal):
    """The six digits are wrong or used, or the ticket is used, too old or none: one answer for all."""

    code = "SECOND_FACTOR_REJECTED"


class Taken(Refusal):
    """A phone or id number belongs to a live account already; to a registrant the text names the way to claim it at an office."""

    code = "TAKEN"

    def __init__(self, path: str, wording: str | None = None) -> None:
        super().__init__(path)
        self.path = path
        self._wording = wording


class KeyReused(Refusal):
    """An idempotency key came back with another input."""

    code = "KEY_REUSED"


class Stale(Refusal):
    """The profile was saved elsewhere since it was read; `version` is the present one."""

    code = "STALE"

    def __init__(self, version: int) -> None:
        super().__init__(version)
        self.version = version


class NothingChanged(Refusal):
    """The draft does not differ from the revision in force, or there is no draft."""

    code = "NOTHING_CHANGED"


class BaseMoved(Refusal):
    """The draft was begun from a revision that is not in force any more."""

    code = "BASE_MOVED"


class Unavailable(Refusal):
    """The registry cannot do this now (a lock was not to be had, storage is full); trying again later is right."""

    code = "SERVICE_UNAVAILABLE"

    def __init__(self, code: str = "SERVICE_UNAVAILABLE") -> None:
        super().__init__(code)
        self.code = code  # type: ignore[misc]  # a narrower stable code, e.g. INSUFFICIENT_STORAGE
