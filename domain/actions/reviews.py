"""What officers do with a case: claim, release, approve, return, reject (rules §5)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import cache, partial
from typing import Any
from uuid import UUID

from tortoise.exceptions import IntegrityError

from domain import reads
from domain.actions.calendar import DAYS_AHEAD, calendar_of
from domain.actions.case_facts import FACTS, facts_for, told
from domain.actions.comparing import lengths_of
from domain.actions.moving import Decision, Overtaken, brings_more, move
from domain.actions.promises import announce
from domain.rules.difference import entry_of, is_path
from domain.rules.errors import (
    AlreadyReviewed,
    ClaimedByAnother,
    FieldProblem,
    IllegalMove,
    Invalid,
    InvalidInput,
    NotAllowed,
    NotFound,
    Unavailable,
)
from domain.rules.lifecycle import REVIEWS, makes, step
from domain.rules.policy import CaseFacts, held_by_another, moves_of, needs_other_officer
from domain.rules.staff import can_take_over, holds
from domain.rules.text import line, prose
from domain.rules.viewer import Viewer
from models.accounts import Account
from models.applications import Application
from models.database import rows, transaction
from models.enums import AccountStatus, Move, RejectReason, Role, Stage
from settings import settings

OPINION_LENGTH = 1000
REASONS = 50
_JUDGED_AT_MOST = 5
"""Others who move or claim the case again and again would have to come between each time."""


@dataclass(frozen=True, slots=True)
class Seen:
    """What the officer looked at when deciding: if the case has moved on meanwhile, the decision is refused with AlreadyReviewed."""

    stage: Stage
    round: int | None = None


async def approve(
    case_id: UUID, *, opinion: str | None, seen: Seen, viewer: Viewer, now: datetime, ahead: Mapping[str, Any] | None = None
) -> Application:
    """Pass a case on to the next stage; the opinion may be left out.

    Here and in the other decisions `ahead` is what `reading` has found for the viewer at `now`; else it is read first.
    """
    said = _opinion(opinion, required=False)
    return await _decide(case_id, Move.APPROVE, Decision(opinion=said), seen=seen, viewer=viewer, now=now, ahead=ahead)


async def return_to_expert(
    case_id: UUID,
    *,
    opinion: str,
    reasons: Sequence[tuple[str, str]],
    seen: Seen,
    viewer: Viewer,
    now: datetime,
    ahead: Mapping[str, Any] | None = None,
) -> Application:
    """Send a case back with a text and at least one (path, text) reason on a field of the profile, of an entry that it has."""
    problems: list[FieldProblem] = []
    said = _opinion(opinion, required=True, problems=problems)
    listed = []
    if not reasons:
        problems.append(FieldProblem("reasons", "REASONS_REQUIRED"))
    if len(reasons) > REASONS:
        problems.append(FieldProblem("reasons", "TOO_MANY", {"maximum": REASONS}))
    for number, (path, text) in enumerate(reasons[:REASONS]):
        reason: dict[str, str] = {}
        for part, check in (("path", partial(line, path, longest=100)), ("text", partial(prose, text, longest=500))):
            try:
                reason[part] = check()
            except Invalid as invalid:
                problems.append(FieldProblem(f"reasons.{number}.{part}", invalid.code, invalid.facts))
        if "path" in reason and not is_path(reason["path"]):
            problems.append(FieldProblem(f"reasons.{number}.path", "PATH_UNKNOWN"))
        listed.append(reason)
    if problems:
        raise InvalidInput(problems)
    decision = Decision(opinion=said, field_reasons=listed)
    return await _decide(case_id, Move.RETURN, decision, seen=seen, viewer=viewer, now=now, ahead=ahead)


async def _check_entries(case: Application, reasons: Sequence[Mapping[str, str]]) -> None:
    """Raise InvalidInput for reasons on entries that the profile under review does not have."""
    named = [(number, *entry) for number, each in enumerate(reasons) if (entry := entry_of(each["path"])) is not None]
    if not named or case.revision_id is None:
        return
    lengths = await lengths_of(case.revision_id)
    if beyond := [(number, lengths[section]) for number, section, place in named if place >= lengths[section]]:
        raise InvalidInput([FieldProblem(f"reasons.{number}.path", "ENTRY_UNKNOWN", {"count": count}) for number, count in beyond])


async def reject(
    case_id: UUID,
    *,
    reason: RejectReason,
    opinion: str,
    seen: Seen,
    viewer: Viewer,
    now: datetime,
    ahead: Mapping[str, Any] | None = None,
) -> Application:
    """Refuse a case with a reason code and a text."""
    decision = Decision(opinion=_opinion(opinion, required=True), reject_reason=reason)
    return await _decide(case_id, Move.REJECT, decision, seen=seen, viewer=viewer, now=now, ahead=ahead)


def _opinion(text: str | None, *, required: bool, problems: list[FieldProblem] | None = None) -> str | None:
    """The opinion, clean. What is wrong is put with `problems` where given, else raised."""
    if not required and not (text or "").strip():
        return None
    try:
        return prose(text or "", longest=OPINION_LENGTH)
    except Invalid as invalid:
        found = FieldProblem("opinion", invalid.code, invalid.facts)
        if problems is None:
            raise InvalidInput([found]) from None
        problems.append(found)
        return None


async def claim(case_id: UUID, *, viewer: Viewer, now: datetime) -> Application:
    """Take a case for 30 minutes (setting), or renew one's own claim. Raises ClaimedByAnother while another's runs."""
    async with transaction():
        case = await _locked(case_id, viewer, now)
        facts = await facts_for(case, viewer)
        _check_reviewer(facts, Move.APPROVE, viewer, now)
        _check_claim(case, facts, viewer, now)
        await _give_claim(case, viewer, now)
    return case


async def release(case_id: UUID, *, viewer: Viewer, now: datetime) -> Application:
    """Give a claim back; nothing happens where the viewer holds none."""
    async with transaction():
        case = await _locked(case_id, viewer, now)
        if case.claimed_by_id == viewer.account_id:
            case.claimed_by_id = case.claimed_by_name = case.claimed_until = None
            await case.save(update_fields=["claimed_by_id", "claimed_by_name", "claimed_until"])
            await _announce_claim(case)
    return case


async def hand_over(case_id: UUID, colleague_id: UUID | None, *, viewer: Viewer, now: datetime) -> Application:
    """Hand a case that the viewer holds to a colleague, whose claim begins now.

    Raises NotFound, ClaimedByAnother, NotAllowed (CLAIM_NOT_HELD), and InvalidInput (HAND_OVER_UNFIT) for whoever could not decide the
    case: of another office, disabled, the applicant, or the officer of the other provincial review.
    """
    unfit = InvalidInput([FieldProblem("toStaffId", "HAND_OVER_UNFIT")])
    async with transaction():
        case = await _locked(case_id, viewer, now)
        facts = await facts_for(case, viewer)
        _check_claim(case, facts, viewer, now)
        if not holds(facts, viewer, now):
            raise NotAllowed("CLAIM_NOT_HELD")
        account = await Account.get_or_none(id=colleague_id, status=AccountStatus.ACTIVE)
        if account is None:
            raise unfit
        taker = Viewer(
            account_id=account.id, session_id=viewer.session_id, role=account.role, name=account.name, pool_code=account.pool_code
        )
        if not can_take_over(await facts_for(case, taker), taker, viewer, now):
            raise unfit
        await _give_claim(case, taker, now)
    return case


async def _give_claim(case: Application, holder: Viewer, now: datetime) -> None:
    case.claimed_by_id, case.claimed_by_name = holder.account_id, holder.name
    case.claimed_until = now + timedelta(minutes=settings().claim_minutes)
    await case.save(update_fields=["claimed_by_id", "claimed_by_name", "claimed_until"])
    await _announce_claim(case)


async def _announce_claim(case: Application) -> None:
    await announce("applicationClaimed", application=case.id, pool=case.pool_code, stage=case.stage.value)


async def _locked(case_id: UUID, viewer: Viewer, now: datetime) -> Application:
    """The locked case, if the viewer is an officer who may see it."""
    if not viewer.is_officer:
        raise NotFound
    return await reads.one(Application, case_id, viewer=viewer, now=now, lock=True)


def _check_claim(case: Application, facts: CaseFacts, viewer: Viewer, now: datetime) -> None:
    if held_by_another(facts, viewer, now):
        raise ClaimedByAnother(case.claimed_by_name or "", case.claimed_until)


def _check_reviewer(facts: CaseFacts, how: Move, viewer: Viewer, now: datetime) -> None:
    found = step(facts.kind, facts.stage, how)
    if found is None or facts.stage not in REVIEWS:
        raise IllegalMove(facts.stage, how, moves_of(facts, viewer, now))
    if not makes(found.by, role=viewer.role, own=facts.expert_id == viewer.expert_id, own_pool=facts.pool_code == viewer.pool_code):
        raise NotAllowed("OTHER_OFFICE_DECIDES")
    if needs_other_officer(facts):
        raise NotAllowed("OTHER_OFFICER_REQUIRED")
    if facts.of_viewer:
        raise NotAllowed("OWN_CASE")


async def _decide(
    case_id: UUID, how: Move, decision: Decision, *, seen: Seen, viewer: Viewer, now: datetime, ahead: Mapping[str, Any] | None
) -> Application:
    """Judge what one statement reads, and write by one that holds only if nothing has moved meanwhile; else judge anew.

    No lock is held while a rule is asked, and most decisions need no transaction of several statements. `ahead` is what `reading` found.
    """
    try:
        for _ in range(_JUDGED_AT_MOST):
            found = ahead if ahead is not None and ahead["id"] == case_id else await _read(case_id, viewer, now)
            ahead = None
            case = Application.of(found)
            facts = told(case, found)
            if case.stage is not seen.stage or seen.round not in (None, case.round):
                raise AlreadyReviewed(case.stage)
            _check_reviewer(facts, how, viewer, now)
            _check_claim(case, facts, viewer, now)
            await _check_entries(case, decision.field_reasons)
            calendar = calendar_of(found["days_ahead"])
            with suppress(Overtaken):
                async with transaction() if brings_more(case, how) else nullcontext():
                    await move(case, how, viewer=viewer, now=now, decision=decision, calendar=calendar)
                return case
    except IntegrityError as broken:
        # What is judged makes this unreachable from here; the constraint stands for whoever writes past it.
        if getattr(broken.__cause__, "constraint_name", "") == "one_review_per_stage_and_round":
            raise AlreadyReviewed((await Application.get(id=case_id)).stage) from None
        raise
    raise Unavailable


def reading(case_id: UUID, viewer: Viewer) -> reads.Ahead | None:
    """What a decision reads first: the case as it is now, not locked, with all that is asked of it; None for all but officers."""
    if not viewer.is_officer:
        return None
    values = {"case": case_id, "officer": viewer.account_id, "working_days": settings().stage_budget_working_days}
    return reads.Ahead(viewer, _reading(viewer.role), values)


@cache
def _reading(role: Role) -> str:
    return reads.selecting(Application, role, ["{t}.id = :case"], also=f"{FACTS}, {DAYS_AHEAD} AS days_ahead")


async def _read(case_id: UUID, viewer: Viewer, now: datetime) -> Mapping[str, Any]:
    """What `reading` finds, if the viewer is an officer who may see the case."""
    wanted = reading(case_id, viewer)
    if wanted is None:
        raise NotFound
    sql, values = reads.bind(wanted.sql, {**reads.viewer_values(viewer, now), **wanted.values})
    found = await rows(sql, *values)
    if not found:
        raise NotFound
    row: Mapping[str, Any] = found[0]
    return row
