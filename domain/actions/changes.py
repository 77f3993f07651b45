"""Changes 信息变更 by formal experts: sending the draft to its reviews, and giving it up (rules §4, §5)."""

from __future__ import annotations

from datetime import datetime

from domain.actions.applications import submit_draft, with_standing
from domain.actions.moving import move
from domain.actions.revisions import drop_draft
from domain.rules.errors import NotFound, Stale
from domain.rules.viewer import Viewer
from models.applications import Application
from models.database import transaction
from models.enums import CaseKind, Move, Standing
from models.experts import Expert
from models.profiles import Revision

CHANGING = frozenset({Standing.FORMAL, Standing.SUSPENDED})
"""Standings with a revision in force that can be changed. Who is suspended still keeps phone, papers and employer up to date."""


async def submit_change(*, commitment: bool, avoidance: bool, viewer: Viewer, now: datetime) -> Application:
    """Open a case of kind CHANGE for the viewer's draft and send it to its first review; a returned one is sent again.

    The revision in force stays so until the case is APPLIED. Raises NotAllowed for who is no expert or has a change of division returned,
    WrongStanding, IllegalMove while another case is open, NothingChanged, BaseMoved, Incomplete and InvalidInput as for admissions.
    """
    return await submit_draft(CaseKind.CHANGE, CHANGING, commitment=commitment, avoidance=avoidance, viewer=viewer, now=now)


async def discard_draft(*, expected_version: int | None = None, viewer: Viewer, now: datetime) -> Expert:
    """Drop the viewer's open draft for good; a returned change is cancelled with it. The next save begins anew from what is in force.

    Raises NotAllowed for who is no expert, WrongStanding, NotFound where no draft is open (as on repeat), Stale.
    """
    async with transaction():
        expert, case = await with_standing(CHANGING, viewer)
        if expert.draft_id is None:
            raise NotFound
        draft = await Revision.select_for_update().get(id=expert.draft_id)
        if expected_version not in (None, draft.version):
            raise Stale(draft.version)
        await drop_draft(draft, shown=draft.version)
        expert.draft_id = None
        if case is not None:
            await move(case, Move.CANCEL, viewer=viewer, now=now)
    return expert
