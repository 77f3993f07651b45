"""What befalls an invented person beside the moves of a case: messages, looks at the data, objections, schedule, standing."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from types import MappingProxyType
from typing import Any

import orjson

from demonstration.province.somebody import Somebody
from demonstration.province.tables import Row
from demonstration.province.world import Officer
from domain.rules import mask
from domain.rules.calendar import SHANGHAI
from domain.rules.clear_reads import written
from domain.rules.standing import CHANGES, years_after
from models.enums import (
    DismissalCause,
    ObjectionState,
    PersonalField,
    Role,
    SmsTemplate,
    Stage,
    Standing,
    StandingChange,
)
from models.sealing import id_number_hash, keyed_hash, phone_hash, seal

_MESSAGES: Mapping[StandingChange, SmsTemplate] = MappingProxyType({
    StandingChange.DEREGISTER: SmsTemplate.DEREGISTERED, StandingChange.DISMISS: SmsTemplate.DISMISSED,
    StandingChange.SUSPEND: SmsTemplate.SUSPENDED, StandingChange.REINSTATE: SmsTemplate.REINSTATED,
})  # fmt: skip


class Events:
    """The events of one person."""

    def __init__(self, who: Somebody) -> None:
        self._who = who
        self._messages = 0

    def message(self, template: SmsTemplate, at: datetime, case: Any, parameters: Mapping[str, Any]) -> None:
        """A message to the person, and what became of it."""
        self._messages += 1
        who, phone = self._who, self._who.person.phone
        state, attempts, reference, error, sent_at = _outcome(who.number, self._messages, at)
        who.put(
            "sms_messages", who.id("sms_messages", self._messages), template.value, "zh", seal(phone, "sms.phone"), mask.phone(phone),
            who.account, case, orjson.dumps(parameters).decode(), state, attempts, "console", reference, error, at, sent_at,
        )  # fmt: skip

    def looked_at(self, case: Any, officer: Officer, decided: datetime) -> None:
        """An officer asked for data in clear before deciding, and noted what came of it."""
        who = self._who
        who.put(
            "clear_reads", who.id("clear_reads"), who.account, officer.id, officer.name, officer.role.value, who.pool, case,
            written({PersonalField.ID_NUMBER, PersonalField.PHONE}), "电话核实工作单位", decided - timedelta(minutes=10),
        )  # fmt: skip
        who.put(
            "application_notes", who.id("application_notes"), case, decided - timedelta(minutes=5), officer.id, officer.name,
            officer.role.value, "已电话核实，单位属实。",
        )  # fmt: skip

    def objection(self, notice: Any, case: Any, at: datetime) -> None:
        """One that was dismissed before the notice ended, or is open."""
        who = self._who
        is_open = who.stage is not Stage.ADMITTED
        phone, settler = f"+86135{who.number % 10**8:08}", who.officer(None)
        settled = (None,) * 4 if is_open else (at + timedelta(hours=20), settler.id, settler.name, "经核实，所述情况不属实。")
        who.put(
            "objections", who.id("objections"), notice, case, f"{at.astimezone(SHANGHAI):%Y%m%d}-{who.number:08X}",
            (ObjectionState.OPEN if is_open else ObjectionState.DISMISSED).value,
            seal(phone, "objection.phone"), phone_hash(phone), mask.phone(phone), keyed_hash("address", "192.0.2.0/24"),
            "公示的工作经历与实际不符，请核实。", at, *settled,
        )  # fmt: skip

    def schedule(self) -> None:
        """The period of which the person's fate knows, if any."""
        who = self._who
        kept = who.fate.schedule(who.world.now.astimezone(SHANGHAI).date())
        if kept is None:
            return
        key = who.id("schedule_periods")
        rows = [(each.first.day, each.first.half.value, each.last.day, each.last.half.value) for each in kept.spans]
        saved_at = who.world.now - timedelta(hours=1 + who.number % 20)
        availability = kept.availability.value
        who.put("schedule_periods", key, who.expert, availability, *rows[0], kept.weekly_until, kept.reason, saved_at)
        for place, span in enumerate(rows):
            who.put("schedule_occurrences", who.id("schedule_occurrences", place), key, who.expert, availability, *span)

    def standing(self, admitted: datetime) -> tuple[Standing, date | None]:
        """What the province, or the expert, did about the standing; where it ended, and the last day of a suspension that runs."""
        now, standing, until = self._who.world.now, Standing.FORMAL, None
        changes = self._who.fate.standing
        at = self._who.fate.between(admitted, now)
        if changes[-1] is StandingChange.SUSPEND:
            at = now - timedelta(days=10)
        for place, how in enumerate(changes):
            cause, reasons, actor = None, None, self._actor(how)
            match how:
                case StandingChange.DEREGISTER:
                    until = None
                case StandingChange.REINSTATE if until:  # by itself, in the night after the last day
                    at, until, actor = datetime.combine(until + timedelta(days=1), time(0, 0, 3), SHANGHAI), None, (None, None, None)
                case StandingChange.DISMISS:
                    cause, reasons = DismissalCause.BREACH_OF_DUTY.value, "多次无故缺席评审，经提醒仍未改正。"
                    self._bar(at)
                case _:
                    reasons = "因评审活动中的违规行为正在调查。"
                    last = now + timedelta(days=80) if how is changes[-1] else at + (now - at) / 2 - timedelta(days=1)
                    until = last.astimezone(SHANGHAI).date()
            target = CHANGES[standing, how]
            self._who.put(
                "standing_records", self._who.id("standing_records", place), self._who.expert, at, how.value, standing.value, target.value,
                *actor, cause, reasons, until,
            )  # fmt: skip
            self.message(_MESSAGES[how], at, None, {"last_day": until.isoformat()} if until else {})
            standing = target
        return standing, until

    def _actor(self, how: StandingChange) -> Row:
        if how is StandingChange.DEREGISTER:
            return self._who.account, self._who.person.name, Role.EXPERT.value
        officer = self._who.officer(None)
        return officer.id, officer.name, officer.role.value

    def _bar(self, at: datetime) -> None:
        until = years_after(at.astimezone(SHANGHAI).date(), self._who.world.bar_years)
        self._who.put("bars", self._who.id("bars"), id_number_hash(self._who.person.id_number), at, until)


def _outcome(number: int, place: int, at: datetime) -> tuple[str, int, str | None, str | None, datetime | None]:
    """State, attempts, provider's reference, last error and time of sending of a message; one in a hundred did not arrive."""
    match (number * 31 + place) % 200:
        case 0:
            return "FAILED", 5, None, "TIMEOUT", None
        case 1:
            return "UNDELIVERABLE", 1, None, "EMPTY_NUMBER", None
        case _:
            return "DELIVERED", 1, f"seed-{number}-{place}", None, at + timedelta(seconds=3)
