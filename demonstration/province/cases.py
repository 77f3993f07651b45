"""The cases of an invented person, with their chained records and public notices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Any

import orjson

from demonstration.province.events import Events
from demonstration.province.moves import Step
from demonstration.province.somebody import Somebody
from demonstration.province.tables import COLUMNS
from domain.actions.record_chain import chain_hash
from domain.rules.lifecycle import AWAITED, CLOSED
from models.enums import CaseKind, Move, Role, SmsTemplate, Stage

_REASONS = [{"path": "titles.0.certificate", "text": "图片不清晰，请重新上传"}]
_REASONS_WRITTEN = orjson.dumps(_REASONS).decode()
_REASON_TO_MOVE = "工作调动，常住地已迁入。"
_OPINIONS = {Move.APPROVE: "材料齐全，同意", Move.RETURN: "请补充材料", Move.REJECT: "不符合入库条件"}
_MESSAGES: Mapping[Stage, SmsTemplate] = MappingProxyType({
    Stage.RETURNED: SmsTemplate.RETURNED, Stage.REJECTED: SmsTemplate.REJECTED, Stage.ADMITTED: SmsTemplate.ADMITTED,
    Stage.APPLIED: SmsTemplate.APPLIED,
})  # fmt: skip
"""What is sent when a case arrives at a stage, beside the word of a public notice."""


class Cases:
    """The cases of one person."""

    def __init__(self, who: Somebody, events: Events) -> None:
        self._who, self._events = who, events
        self._written = 0

    def draft(self, opened: datetime, *, place: int = 0) -> None:
        """An admission that was not submitted yet."""
        self._who.put(
            "applications", self._who.id("applications", place), "ADMISSION", self._who.expert, None, "DRAFT", 0, None, None,
            self._who.person.name, None, False, False, opened, None, opened, None, None, 0, None,
        )  # fmt: skip

    def write(
        self,
        moves: Sequence[Step],
        opened: datetime,
        revisions: Sequence[Any],
        *,
        kind: CaseKind = CaseKind.ADMISSION,
        leaving: str | None = None,
        number: str | None = None,
    ) -> None:
        """A case with its records and messages; `revisions` were submitted in this order, `number` is the one that admission gives."""
        who, previous, round_ = self._who, None, 0
        case = who.id("applications", 0 if kind is CaseKind.ADMISSION else 2)
        for place, step in enumerate(moves, 1):
            at, how, left, reached, officer = step
            round_ += how is Move.SUBMIT
            revision, is_leaving = revisions[round_ - 1], leaving is not None
            previous = self._record(step, case, place, round_, revision=revision, previous=previous, is_leaving=is_leaving)
            if reached is Stage.PUBLICITY:
                self._notice(case, at, moves[-1][0] if who.stage in (Stage.ADMITTED, Stage.OBJECTION) else None)
            elif reached in _MESSAGES:
                self._events.message(_MESSAGES[reached], at, case, {"number": number} if reached is Stage.ADMITTED else {})
            if how is Move.APPROVE and left is Stage.FIRST_REVIEW and officer and who.fate.is_looked_at:
                self._events.looked_at(case, officer, at)
        self._written += 1
        stage, since = moves[-1][3], moves[-1][0]
        submitted = next(at for at, how, *_ in reversed(moves) if how is Move.SUBMIT)
        who.put(
            "applications", case, kind.value, who.expert, revisions[round_ - 1], stage.value, round_, who.pool, leaving, who.person.name,
            who.employer.name, True, True, opened, submitted, since, who.world.deadline(since) if stage in AWAITED else None,
            since if stage in CLOSED else None, len(moves), previous,
        )  # fmt: skip

    def _record(self, step: Step, case: Any, place: int, round_: int, *, revision: Any, previous: bytes | None, is_leaving: bool) -> bytes:
        """The record of a move, bound to the one before; its hash."""
        at, how, left, reached, officer = step
        who, own = self._who, how in (Move.SUBMIT, Move.WITHDRAW)
        told = {
            "id": who.id("application_records", 100 * self._written + place), "application_id": case, "number": place, "round": round_,
            "at": at, "actor_id": officer.id if officer else who.account if own else None,
            "actor_name": officer.name if officer else who.person.name if own else None,
            "actor_role": officer.role.value if officer else Role.EXPERT.value if own else None,
            "move": how.value, "from_stage": left.value, "to_stage": reached.value, "revision_id": revision,
            "opinion": _REASON_TO_MOVE if is_leaving and how is Move.SUBMIT else _OPINIONS.get(how),
            "reject_reason": "NOT_ELIGIBLE" if how is Move.REJECT else None,
            "field_reasons": _REASONS if how is Move.RETURN else [],
        }  # fmt: skip
        digest = chain_hash(previous, told)
        reasons = _REASONS_WRITTEN if how is Move.RETURN else "[]"
        values = [told[name] for name in COLUMNS["application_records"][:-3]]
        who.put("application_records", *values, reasons, previous, digest)
        return digest

    def _notice(self, case: Any, at: datetime, closed: datetime | None) -> None:
        who, window, key = self._who, self._who.world.window(at), self._who.id("public_notices")
        days = "[" + ",".join(f'"{day.isoformat()}"' for day in window.days_counted) + "]"
        who.put(
            "public_notices", key, case, "CLOSED" if closed else "OPEN", who.person.name, who.employer.name, who.pool, at,
            window.first_day, window.last_day, window.closes_at, days, window.tentative, closed,
        )  # fmt: skip
        for place, code in enumerate(who.specialties):
            who.put("notice_specialties", who.id("notice_specialties", place), key, place, code)
        shown = {"first_day": window.first_day.isoformat(), "last_day": window.last_day.isoformat()}
        self._events.message(SmsTemplate.NOTICE_OPENED, at, case, shown)
        if who.stage is Stage.OBJECTION or (not closed and who.number % 8 == 0) or (closed and who.fate.is_objected):
            self._events.objection(key, case, at + (min(window.closes_at, who.world.now) - at) / 2)
