"""The only writer of a case's stage: checks the table, moves, records in the chain, and does what each arrival brings."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any

import orjson

from domain.actions.calendar import working_calendar
from domain.actions.comparing import base_of
from domain.actions.id_numbers import is_taken
from domain.actions.notices import open_notice, strike_notice
from domain.actions.promises import EVENTS, announcement, send_sms
from domain.actions.record_chain import chain_hash
from domain.actions.revisions import copy_as_draft, open_draft
from domain.rules.calendar import SHANGHAI, WorkingCalendar
from domain.rules.errors import BaseMoved, IllegalMove, NotAllowed
from domain.rules.lifecycle import AWAITED, CLOSED, REVIEWS, REVISION_AFTER, By, available_moves, step, was_decided
from domain.rules.viewer import Viewer
from models.accounts import Account
from models.applications import Application
from models.database import rows
from models.enums import CaseKind, Move, RejectReason, RevisionState, SmsTemplate, Stage, Standing
from models.experts import Expert
from models.ids import new_id
from models.profiles import Revision
from models.publicity import PublicNotice
from settings import settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """What an officer says with a move."""

    opinion: str | None = None
    reject_reason: RejectReason | None = None
    field_reasons: Sequence[Mapping[str, str]] = ()  # {path, text}


class Overtaken(Exception):
    """The case has moved, or changed hands, since it was read; nothing was written."""


def brings_more(case: Application, how: Move) -> bool:
    """Whether the move writes more than the case and its record, and so needs a transaction around it."""
    found = step(case.kind, case.stage, how)
    return found is not None and (how in _AFTER or found.target in _ARRIVALS)


async def move(
    case: Application,
    how: Move,
    *,
    viewer: Viewer | None,
    now: datetime,
    decision: Decision | None = None,
    calendar: WorkingCalendar | None = None,
) -> None:
    """Move a case and append the record. `viewer` None is the system; the calendar is read where it is not given.

    Call inside a transaction unless the move brings no more. The case need not be locked: raises Overtaken where it is not as it was read,
    IllegalMove where the table has no such move for it, and BaseMoved where a change would take effect that was begun from a revision no
    longer in force.
    """
    found = step(case.kind, case.stage, how, decided=was_decided(case.round))
    if found is None:
        decided_before = step(case.kind, case.stage, how) is not None
        raise IllegalMove(case.stage, how, possible_moves(case, viewer), decided_before=decided_before)
    changed = {
        **_UNCLAIMED,
        "stage": found.target,
        "stage_since": now,
        "closed_at": now if found.target in CLOSED else None,
        "due_at": await _due_at(now, calendar) if found.target in AWAITED else None,
        **({name: getattr(case, name) for name in _SUBMITTED} if how is Move.SUBMIT else {}),
    }
    await _write(case, how, changed, viewer=viewer, now=now, decision=decision or Decision())
    arrive = _AFTER.get(how) or _ARRIVALS.get(case.stage)
    if arrive is not None:
        expert = await Expert.select_for_update().get(id=case.expert_id)
        await _settle_revision(case, expert)
        await arrive(case, expert, now)


async def transfer(case: Application, from_code: str, into_code: str, *, told: str, now: datetime) -> None:
    """Give a locked case to the successor of its pool (or of the one it leaves), at the stage where it stands; the record says `told`.

    Claims end. An office that has the case to decide has its whole time for it. Call inside a transaction.
    """
    changed: dict[str, Any] = dict(_UNCLAIMED)
    if case.leaving_pool_code == from_code:
        changed["leaving_pool_code"] = into_code
    if case.pool_code == from_code:
        changed["pool_code"] = into_code
        if REVIEWS.get(case.stage) is By.LOCAL_OFFICE:
            changed |= {"due_at": await _due_at(now), "given_at": now}
        await PublicNotice.filter(application_id=case.id).update(pool_code=into_code)
    await _write(case, Move.TRANSFER, changed, viewer=None, now=now, decision=Decision(opinion=told))


async def _due_at(now: datetime, calendar: WorkingCalendar | None = None) -> datetime:
    return (calendar or await working_calendar()).deadline(now, settings().stage_budget_working_days)


def possible_moves(case: Application, viewer: Viewer | None) -> tuple[Move, ...]:
    """What the viewer could do with the case by the table alone."""
    if viewer is None:
        return ()
    return available_moves(
        case.kind,
        case.stage,
        decided=was_decided(case.round),
        role=viewer.role,
        own=case.expert_id == viewer.expert_id,
        own_pool=case.pool_code == viewer.pool_code,
    )


async def _write(
    case: Application, how: Move, changed: dict[str, Any], *, viewer: Viewer | None, now: datetime, decision: Decision
) -> None:
    """The case, its record and the announcement of both in one statement, which writes nothing unless the case is as it was read.

    `changed` are columns of the case with their values; it has them afterwards. The record is written as columns too, all that it has but
    `erased_hash`; what it tells are the names of `record_chain.told_by`.
    """
    left, held, before = case.stage, (case.claimed_by_id, case.claimed_until), case.last_hash
    reasons = [dict(each) for each in decision.field_reasons]
    told = {
        "id": new_id(),
        "application_id": case.id,
        "number": case.records_count + 1,
        "round": case.round,
        "at": now,
        "actor_id": viewer and viewer.account_id,
        "actor_name": viewer and viewer.name,
        "actor_role": viewer and viewer.role,
        "move": how,
        "from_stage": left,
        "to_stage": changed.get("stage", left),
        "revision_id": case.revision_id,
        "opinion": decision.opinion,
        "reject_reason": decision.reject_reason,
        "field_reasons": reasons,
    }
    changed["records_count"], changed["last_hash"] = told["number"], chain_hash(before, told)
    recorded = told | {"field_reasons": orjson.dumps(reasons).decode(), "previous_hash": before, "hash": changed["last_hash"]}
    vars(case).update(changed)  # plain columns; Tortoise would look up each name among its relations
    message = announcement(
        "applicationMoved",
        application=case.id,
        expert=case.expert_id,
        pool=case.pool_code,
        leaving=case.leaving_pool_code,
        stage=case.stage.value,
        left=left.value,
    )
    sql = _writing(tuple(changed), tuple(recorded))
    if not await rows(sql, *changed.values(), *recorded.values(), case.records_count - 1, *held, EVENTS, message):
        raise Overtaken


_UNCLAIMED = {"claimed_by_id": None, "claimed_by_name": None, "claimed_until": None}

_SUBMITTED = (
    "revision_id", "pool_code", "leaving_pool_code", "applicant", "employer", "declared_commitment", "declared_avoidance", "round",
    "submitted_at",
)  # fmt: skip
"""What a submission has set before it moves. Naming `applicant` or `employer` has PostgreSQL work out its words for the search anew."""


@cache
def _writing(of_case: Sequence[str], of_record: Sequence[str]) -> str:
    """Its values: columns of the case, those of the record, how many records there were, whose claim until when, channel, message."""
    places = [f"${number}" for number in range(1, len(of_case) + len(of_record) + 6)]
    changed = ", ".join(f"{column} = {place}" for column, place in zip(of_case, places, strict=False))
    recorded = dict(zip(of_record, places[len(of_case) : -5], strict=True))
    records, holder, until, channel, message = places[-5:]
    return f"""WITH moved AS (UPDATE applications SET {changed} WHERE id = {recorded["application_id"]} AND records_count = {records}
            AND claimed_by_id IS NOT DISTINCT FROM {holder} AND claimed_until IS NOT DISTINCT FROM {until} RETURNING 1),
        recorded AS (INSERT INTO application_records ({", ".join(recorded)}) SELECT {", ".join(recorded.values())} FROM moved)
        SELECT pg_notify({channel}, {message}) FROM moved"""  # noqa: S608  our own names


async def _settle_revision(case: Application, expert: Expert) -> None:
    state = REVISION_AFTER.get(case.stage)
    if state is None or case.revision_id is None:
        return
    if state is RevisionState.EFFECTIVE:
        if await base_of(case.revision_id) != expert.effective_id:
            raise BaseMoved
        await Revision.filter(expert_id=expert.id, state=RevisionState.EFFECTIVE).update(state=RevisionState.SUPERSEDED)
        expert.effective_id = case.revision_id
    await Revision.filter(id=case.revision_id).update(state=state)


async def _account(expert: Expert) -> Account:
    return await Account.get(id=expert.account_id)


async def _returned(case: Application, expert: Expert, now: datetime) -> None:
    if case.kind is not CaseKind.DIVISION_CHANGE:  # which changes nothing that could be edited
        await copy_as_draft(await Revision.get(id=case.revision_id), now=now)
    await send_sms(SmsTemplate.RETURNED, await _account(expert), application_id=case.id, now=now)


async def _withdrawn(case: Application, expert: Expert, now: datetime) -> None:
    """The draft opens again, with a case to submit it; a change of division had none."""
    if case.kind is CaseKind.DIVISION_CHANGE:
        return
    await copy_as_draft(await Revision.get(id=case.revision_id), now=now)
    await open_draft(expert, now=now)


async def _rejected(case: Application, expert: Expert, now: datetime) -> None:
    await strike_notice(case, now=now)
    await send_sms(SmsTemplate.REJECTED, await _account(expert), application_id=case.id, now=now)


async def _objection_upheld(case: Application, expert: Expert, now: datetime) -> None:
    await strike_notice(case, now=now)
    await send_sms(SmsTemplate.OBJECTION_UPHELD, await _account(expert), application_id=case.id, now=now)


async def _cancelled(case: Application, _: Expert, now: datetime) -> None:
    await strike_notice(case, now=now)


async def _before_the_public(case: Application, expert: Expert, now: datetime) -> None:
    notice = await open_notice(case, now=now)
    parameters = {"first_day": notice.first_day.isoformat(), "last_day": notice.last_day.isoformat()}
    await send_sms(SmsTemplate.NOTICE_OPENED, await _account(expert), application_id=case.id, parameters=parameters, now=now)


async def _admitted(case: Application, expert: Expert, now: datetime) -> None:
    serial = (await rows("SELECT nextval('expert_numbers') AS n"))[0]["n"]
    expert.standing = Standing.FORMAL
    # The year in Shanghai: a notice that ends with the year admits in the next one.
    expert.number = f"{settings().province_code[:2]}{now.astimezone(SHANGHAI).year}{serial:06d}"
    expert.formal_since = now
    await _take_over(case, expert)
    await send_sms(SmsTemplate.ADMITTED, await _account(expert), application_id=case.id, parameters={"number": expert.number}, now=now)


async def _applied(case: Application, expert: Expert, now: datetime) -> None:
    await _take_over(case, expert)
    await _take_over_identity(case, expert, now)
    await send_sms(SmsTemplate.APPLIED, await _account(expert), application_id=case.id, now=now)


async def _take_over(case: Application, expert: Expert) -> None:
    revision = await Revision.get(id=case.revision_id)
    expert.pool_code = case.pool_code  # that of the revision, or its successor where the pool was merged meanwhile
    if revision.name is not None:
        expert.name = revision.name
    await expert.save()


async def _take_over_identity(case: Application, expert: Expert, now: datetime) -> None:
    """Name and id number of the account follow the revision that took effect; before admission they follow the draft."""
    revision = await Revision.get(id=case.revision_id)
    account = await Account.select_for_update().get(id=expert.account_id)
    if await is_taken(revision.id_number_hash, account_id=account.id, now=now):
        raise NotAllowed("ID_NUMBER_IN_USE")
    account.name = revision.name or account.name
    account.id_number, account.id_number_hash, account.id_number_masked = (
        revision.id_number,
        revision.id_number_hash,
        revision.id_number_masked,
    )
    await account.save(update_fields=["name", "id_number", "id_number_hash", "id_number_masked"])


_AFTER: Mapping[Move, Callable[[Application, Expert, datetime], Awaitable[None]]] = {Move.UPHOLD_OBJECTION: _objection_upheld}
"""What a move brings, where that is not what its stage brings."""

_ARRIVALS: Mapping[Stage, Callable[[Application, Expert, datetime], Awaitable[None]]] = {
    Stage.RETURNED: _returned,
    Stage.WITHDRAWN: _withdrawn,
    Stage.REJECTED: _rejected,
    Stage.CANCELLED: _cancelled,
    Stage.PUBLICITY: _before_the_public,
    Stage.ADMITTED: _admitted,
    Stage.APPLIED: _applied,
}
