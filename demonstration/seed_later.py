"""What befalls invented experts beside and after their admission: objections, messages, changes, schedules, standing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random
from types import MappingProxyType

from domain.rules.calendar import SHANGHAI
from domain.rules.schedule import Slot, Span, occurrences
from domain.rules.standing import years_after
from models.enums import Availability, CaseKind, DismissalCause, HalfDay, SmsTemplate, Stage, StandingChange

SETTLED_IN = timedelta(days=60)
"""So long after admission nothing of the kind happens; the steps of a later case find their time in it."""

COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    table: tuple(columns.split()) for table, columns in {
        "objections": "id notice_id application_id receipt state phone phone_hash phone_masked address_hash text received_at settled_at "
        "settled_by_id settled_by_name settlement",
        "sms_messages": "id template language phone phone_masked account_id application_id parameters state attempts provider "
        "provider_reference last_error created_at sent_at",
        "clear_reads": "id subject_id reader_id reader_name reader_role reader_pool_code application_id what reason at",
        "application_notes": "id application_id at author_id author_name author_role text",
        "schedule_periods": "id expert_id availability first_date first_half last_date last_half weekly_until reason saved_at",
        "schedule_occurrences": "id period_id expert_id availability first_date first_half last_date last_half",
        "standing_records": "id expert_id at change from_standing to_standing actor_id actor_name actor_role cause reasons until",
        "bars": "id id_number_hash since until",
    }.items()
})  # fmt: skip


@dataclass(frozen=True, slots=True)
class LaterCase:
    """A case of a formal expert: what for, and where it stands."""

    kind: CaseKind
    stage: Stage


@dataclass(frozen=True, slots=True)
class Kept:
    """A period of a schedule with every time that it comes."""

    availability: Availability
    spans: Sequence[Span]
    weekly_until: date | None
    reason: str


_CHANGES = (
    *[Stage.APPLIED] * 5, Stage.FIRST_REVIEW, Stage.FIRST_REVIEW, Stage.SECOND_REVIEW, Stage.FINAL_REVIEW, Stage.RETURNED, Stage.REJECTED
)  # fmt: skip
_MOVES_AWAY = (Stage.APPLIED, Stage.APPLIED, Stage.FIRST_REVIEW, Stage.SECOND_REVIEW)
_LATER_CASES = (
    *[LaterCase(CaseKind.CHANGE, each) for each in _CHANGES],
    *[LaterCase(CaseKind.DIVISION_CHANGE, each) for each in _MOVES_AWAY],
)
_STANDING = (
    *[(StandingChange.DEREGISTER,)] * 4, (StandingChange.DISMISS,), (StandingChange.DISMISS,),
    *[(StandingChange.SUSPEND,)] * 3, *[(StandingChange.SUSPEND, StandingChange.REINSTATE)] * 2,
)  # fmt: skip
_AWAY, _WEEKLY, _LOOKED_AT, _OBJECTED = range(100, 200), range(200, 230), range(300, 330), range(400, 404)


class Fate:
    """What is in store for one person. Every thousand people in a row hold the shares exactly, as far as they are long admitted."""

    def __init__(self, number: int, seed: int) -> None:
        self._place = number * 389 % 1000
        self.chance = Random(seed << 64 | number)  # noqa: S311  the same for the same number, no secret

    @property
    def later_case(self) -> LaterCase | None:
        """A change, or a change of division."""
        return _LATER_CASES[self._place - 1] if 1 <= self._place <= len(_LATER_CASES) else None

    @property
    def standing(self) -> Sequence[StandingChange]:
        """How the standing changed, in order."""
        first = len(_LATER_CASES) + 1
        return _STANDING[self._place - first] if first <= self._place < first + len(_STANDING) else ()

    @property
    def is_looked_at(self) -> bool:
        """Whether an officer asked for data in clear during the first review, and noted what came of it."""
        return self._place in _LOOKED_AT

    @property
    def is_objected(self) -> bool:
        """Whether somebody objected to the admission, without ground."""
        return self._place in _OBJECTED

    def schedule(self, today: date) -> Kept | None:
        """Away for some days, or every week on an afternoon."""
        if self._place in _AWAY:
            first = today + timedelta(days=self.chance.randrange(2, 60))
            away = Span(Slot(first, HalfDay.AM), Slot(first + timedelta(days=self.chance.randrange(7)), HalfDay.PM))
            return Kept(Availability.UNAVAILABLE, [away], None, self.chance.choice(("出差", "外出讲学", "体检", "休假")))
        if self._place in _WEEKLY:
            first = today + timedelta(days=self.chance.randrange(2, 9))
            until = first + timedelta(weeks=self.chance.randrange(4, 16))
            return Kept(Availability.UNAVAILABLE, occurrences(Span(Slot(first, HalfDay.PM), Slot(first, HalfDay.PM)), until), until, "授课")
        return None

    def between(self, admitted: datetime, now: datetime) -> datetime:
        """When something that is over happened: in the nearer half of the time since admission, and not so long ago as to be erased."""
        return now - min((now - admitted) * self.chance.uniform(0.05, 0.5), timedelta(days=900))


SMS_AFTER: Mapping[Stage, SmsTemplate] = MappingProxyType({
    Stage.RETURNED: SmsTemplate.RETURNED, Stage.REJECTED: SmsTemplate.REJECTED, Stage.PUBLICITY: SmsTemplate.NOTICE_OPENED,
    Stage.ADMITTED: SmsTemplate.ADMITTED, Stage.APPLIED: SmsTemplate.APPLIED,
})  # fmt: skip
"""What is sent when a case arrives at a stage."""

SMS_OF_STANDING: Mapping[StandingChange, SmsTemplate] = MappingProxyType({
    StandingChange.DEREGISTER: SmsTemplate.DEREGISTERED, StandingChange.DISMISS: SmsTemplate.DISMISSED,
    StandingChange.SUSPEND: SmsTemplate.SUSPENDED, StandingChange.REINSTATE: SmsTemplate.REINSTATED,
})  # fmt: skip


def sms_outcome(number: int, place: int, at: datetime) -> tuple[str, int, str | None, str | None, datetime | None]:
    """State, attempts, provider's reference, last error and time of sending of a message; one in a hundred did not arrive."""
    match (number * 31 + place) % 200:
        case 0:
            return "FAILED", 5, None, "TIMEOUT", None
        case 1:
            return "UNDELIVERABLE", 1, None, "EMPTY_NUMBER", None
        case _:
            return "DELIVERED", 1, f"seed-{number}-{place}", None, at + timedelta(seconds=3)


def dismissal(at: datetime, years: int) -> tuple[str, str, date]:
    """Cause, reasons and end of the bar of a dismissal."""
    return DismissalCause.BREACH_OF_DUTY.value, "多次无故缺席评审，经提醒仍未改正。", years_after(at.astimezone(SHANGHAI).date(), years)
