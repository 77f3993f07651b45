"""Changes of division 变更区划: a formal expert asks to move to another pool, whose office reviews first (rules §4, §5)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.actions import choices
from domain.actions.applications import own_case, send, undeclared, with_standing
from domain.actions.changes import CHANGING
from domain.actions.moving import move, possible_moves
from domain.actions.pools import has_successor, holding, receiving
from domain.actions.revisions import copy_as_draft, next_version, open_case
from domain.rules.completeness import LAPSES
from domain.rules.errors import FieldProblem, IllegalMove, Invalid, InvalidInput, NotAllowed
from domain.rules.fields import Fields
from domain.rules.text import prose
from domain.rules.viewer import Viewer
from models.applications import Application
from models.database import transaction
from models.enums import CaseKind, Move, Stage
from models.experts import Expert
from models.profiles import Revision

REASON_LENGTH = 500


async def request_division_change(
    division: str, *, reason: str, commitment: bool, avoidance: bool, viewer: Viewer, now: datetime
) -> Application:
    """Ask to move to the pool `division`: a case of kind DIVISION_CHANGE in the first review of that pool's office.

    What is reviewed is a copy of the revision in force with another home pool; where the pool that is left has closed without a successor,
    what has lapsed in it since it was approved (LAPSES) does not stand in the way. A returned request is sent again, to the same or another
    pool. Raises NotAllowed for who is no expert and DRAFT_OPEN, InvalidInput for the pool (also the present one), the reason and the
    declarations, WrongStanding, IllegalMove while another case is open (as on repeat), Incomplete, ConsentNeeded.
    """
    if viewer.expert_id is None:
        raise NotAllowed
    fields, target = Fields(), ""
    said = fields.check("reason", lambda: prose(reason, longest=REASON_LENGTH), otherwise="")
    try:
        target = await choices.home_pool(division)
    except Invalid as invalid:
        fields.wrong("divisionCode", invalid.code, **invalid.facts)
    fields.problems += undeclared(commitment=commitment, avoidance=avoidance)
    async with transaction():
        expert, case = await with_standing(CHANGING, viewer)
        if expert.draft_id is not None:
            raise NotAllowed("DRAFT_OPEN")
        if case is not None and (case.kind is not CaseKind.DIVISION_CHANGE or case.stage is not Stage.RETURNED):
            raise IllegalMove(case.stage, Move.SUBMIT, possible_moves(case, viewer))
        fields.refuse()
        target = await receiving(target)
        if target == await holding(expert.pool_code or ""):
            raise InvalidInput([FieldProblem("divisionCode", "DIVISION_UNCHANGED")])
        if case is None:
            case = await open_case(CaseKind.DIVISION_CHANGE, expert, leaving_pool_code=expert.pool_code, now=now)
        case.leaving_pool_code = expert.pool_code
        await _draft_in(target, expert, now)
        # Nothing but this leads out of a pool that takes no changes any more, and it carries no edits that could mend the profile.
        excused = frozenset() if await has_successor(expert.pool_code or "") else LAPSES
        await send(case, expert, commitment=commitment, avoidance=avoidance, viewer=viewer, now=now, reason=said, excused=excused)
    return case


async def give_up(case_id: UUID, *, viewer: Viewer, now: datetime) -> Application:
    """Cancel the viewer's returned change of division; everything stays as it is. Raises NotFound, IllegalMove for any other case."""
    async with transaction():
        case, _ = await own_case(case_id, viewer)
        if case.kind is not CaseKind.DIVISION_CHANGE or case.stage is not Stage.RETURNED:
            raise IllegalMove(case.stage, Move.CANCEL, possible_moves(case, viewer))
        await move(case, Move.CANCEL, viewer=viewer, now=now)
    return case


async def _draft_in(pool_code: str, expert: Expert, now: datetime) -> None:
    """The revision in force as the expert's draft, in another home pool; the evaluation division follows it."""
    draft = await copy_as_draft(await Revision.get(id=expert.effective_id), now=now)
    draft.home_pool_code, draft.version = pool_code, next_version(draft, expert)
    await draft.save(update_fields=["home_pool_code", "version"])
    expert.draft_id = draft.pk
