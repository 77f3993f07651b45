"""What an expert does with a case: submit and withdraw it (rules §5)."""

from __future__ import annotations

from collections.abc import Collection, Container
from datetime import datetime
from uuid import UUID

from domain.actions.comparing import base_of, difference_of
from domain.actions.completeness import facts_of
from domain.actions.consents import require as require_consent
from domain.actions.id_numbers import is_taken
from domain.actions.moving import Decision, move, possible_moves
from domain.actions.pools import receiving
from domain.actions.revisions import freeze, open_case
from domain.actions.standing import held
from domain.rules.completeness import missing
from domain.rules.errors import (
    BaseMoved,
    FieldProblem,
    IllegalMove,
    Incomplete,
    InvalidInput,
    NotAllowed,
    NotFound,
    NothingChanged,
    WrongStanding,
)
from domain.rules.lifecycle import CLOSED, EDITABLE
from domain.rules.viewer import Viewer
from models.accounts import Account
from models.applications import Application
from models.database import rows, take_turns, transaction
from models.enums import CaseKind, Move, Stage, Standing
from models.experts import Expert
from models.profiles import Revision
from settings import settings

APPLYING = frozenset({Standing.TEMPORARY})
"""Standings of those who apply for admission."""


async def submit(case_id: UUID | None, *, commitment: bool, avoidance: bool, viewer: Viewer, now: datetime) -> Application:
    """Freeze the draft and send it to the first review; after a return every review starts again.

    Without an id it is the draft of a temporary expert that is sent, as `submit_draft` does.

    Raises Incomplete with everything that is missing, InvalidInput where a declaration is not accepted, ConsentNeeded while new privacy
    terms wait to be accepted, IllegalMove on repeat, NotAllowed (DIVISION_CHANGE_APART) for a returned change of division.
    """
    if case_id is None:
        return await submit_draft(CaseKind.ADMISSION, APPLYING, commitment=commitment, avoidance=avoidance, viewer=viewer, now=now)
    async with transaction():
        case, expert = await own_case(case_id, viewer)
        check_apart(case)
        if case.stage not in EDITABLE or expert.draft_id is None:
            closed_admission = case.kind is CaseKind.ADMISSION and case.stage in CLOSED and expert.standing in APPLYING
            raise IllegalMove(case.stage, Move.SUBMIT, possible_moves(case, viewer), anew=closed_admission)
        await send(case, expert, commitment=commitment, avoidance=avoidance, viewer=viewer, now=now)
    return case


async def submit_draft(
    kind: CaseKind, standings: Collection[Standing], *, commitment: bool, avoidance: bool, viewer: Viewer, now: datetime
) -> Application:
    """Send the viewer's draft to its first review with the open case of this kind, or with one that is opened for it.

    Raises NotAllowed for who is no expert or has a change of division returned, WrongStanding for who has none of the `standings`,
    IllegalMove while offices have a case, as on repeat, or another one is open, NothingChanged where no draft is open; else as `submit`.
    """
    async with transaction():
        expert, case = await with_standing(standings, viewer)
        check_apart(case)
        if case is not None and (case.kind is not kind or case.stage not in EDITABLE):
            raise IllegalMove(case.stage, Move.SUBMIT, possible_moves(case, viewer))
        if expert.draft_id is None:
            raise NothingChanged
        case = case or await open_case(kind, expert, now=now)
        await send(case, expert, commitment=commitment, avoidance=avoidance, viewer=viewer, now=now)
    return case


async def with_standing(standings: Collection[Standing], viewer: Viewer) -> tuple[Expert, Application | None]:
    """The viewer as an expert of one of the standings, and the open case, both locked. Raises NotAllowed, WrongStanding."""
    if viewer.expert_id is None:
        raise NotAllowed
    expert, case = await held(viewer.expert_id)
    if expert.standing not in standings:
        raise WrongStanding(expert.standing)
    return expert, case


def check_apart(case: Application | None) -> None:
    """Raise NotAllowed for a returned change of division: nothing else goes with it, it is sent again or given up by its own verbs."""
    if case is not None and case.kind is CaseKind.DIVISION_CHANGE and case.stage is Stage.RETURNED:
        raise NotAllowed("DIVISION_CHANGE_APART")


async def send(
    case: Application,
    expert: Expert,
    *,
    commitment: bool,
    avoidance: bool,
    viewer: Viewer,
    now: datetime,
    reason: str | None = None,
    excused: Container[str] = (),
) -> None:
    """Freeze the expert's draft and move the case to its first review. Call inside a transaction that holds both rows.

    `reason` is what the expert says with it, kept with the record of the submission; `excused` are codes of what the draft may lack.

    Raises Incomplete, InvalidInput and ConsentNeeded as `submit`; for a CHANGE also NothingChanged, and BaseMoved where another revision is
    in force by now than the one from which the draft was begun.
    """
    if refused := undeclared(commitment=commitment, avoidance=avoidance):
        raise InvalidInput(refused)
    await require_consent(expert.account_id)
    draft = await Revision.select_for_update().get(id=expert.draft_id)
    if case.kind is CaseKind.CHANGE:
        await _check_change(draft, expert)
    required = missing(await facts_of(draft, now=now), application_form_required=settings().application_form_required)
    lacking = [each for each in required if each.code not in excused]
    lacking += await _number_problems(draft, expert, now)
    if lacking:
        raise Incomplete(lacking)
    # The revision keeps the pool that was chosen, as the signed form does. See `receiving` for a merge at the same moment.
    case.pool_code = await receiving(draft.home_pool_code or "")
    await freeze(draft, now=now)
    expert.draft_id = None
    await expert.save(update_fields=["draft_id"])
    case.revision_id = draft.id
    case.applicant, case.employer = draft.name or expert.name, draft.employer
    case.declared_commitment = case.declared_avoidance = True
    case.round += 1
    case.submitted_at = now
    await move(case, Move.SUBMIT, viewer=viewer, now=now, decision=Decision(opinion=reason))


def undeclared(*, commitment: bool, avoidance: bool) -> list[FieldProblem]:
    """The declarations that are not accepted."""
    declared = (("commitmentAccepted", commitment), ("avoidanceAccepted", avoidance))
    return [FieldProblem(path, "DECLARATION_REQUIRED") for path, accepted in declared if not accepted]


async def withdraw(case_id: UUID, *, viewer: Viewer, now: datetime) -> Application:
    """Take a case back while nobody has decided; the draft opens again with what was submitted (a change of division has none)."""
    async with transaction():
        case, _ = await own_case(case_id, viewer)
        await move(case, Move.WITHDRAW, viewer=viewer, now=now)
    return case


async def _check_change(draft: Revision, expert: Expert) -> None:
    base = await base_of(draft.id)
    if base is None or base != expert.effective_id:
        raise BaseMoved
    if not await difference_of(draft.id, base):
        raise NothingChanged


async def own_case(case_id: UUID, viewer: Viewer) -> tuple[Application, Expert]:
    """The viewer's own case and person, both locked: the case first, as in every verb."""
    case = await Application.select_for_update().get_or_none(id=case_id, expert_id=viewer.expert_id) if viewer.expert_id else None
    if case is None:
        raise NotFound
    return case, await Expert.select_for_update().get(id=case.expert_id)


async def _number_problems(draft: Revision, expert: Expert, now: datetime) -> list[FieldProblem]:
    """What speaks against the holder of the draft's id number, or of the account's, which differs in a change that corrects it."""
    if problems := await _staff_problems(draft):
        return problems
    account = await Account.get(id=expert.account_id)
    for number_hash in {draft.id_number_hash, account.id_number_hash}:
        if await is_taken(number_hash, account_id=account.id, now=now):
            return [FieldProblem("basicInfo.idNumber", "ID_NUMBER_TAKEN")]
    return []


async def _staff_problems(draft: Revision) -> list[FieldProblem]:
    """Finance staff may not be experts (rules §1); accounts.is_expert looks the other way round, in turn."""
    if draft.id_number_hash is not None:
        await take_turns(draft.id_number_hash)
    staff = await rows("SELECT FROM accounts WHERE id_number_hash = $1 AND role <> 'EXPERT' AND status = 'ACTIVE'", draft.id_number_hash)
    return [FieldProblem("basicInfo.idNumber", "STAFF_MAY_NOT_APPLY")] if staff else []
