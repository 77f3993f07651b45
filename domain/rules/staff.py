"""Accounts of staff: who keeps them, and who may take a case over (rules §1)."""

from __future__ import annotations

from datetime import datetime

from domain.rules.lifecycle import REVIEWS, makes
from domain.rules.policy import CaseFacts, held_by_another, needs_other_officer
from domain.rules.viewer import Viewer
from models.enums import Role


def keeps_staff(viewer: Viewer) -> bool:
    """Administrators alone make, disable and move accounts of staff."""
    return viewer.role is Role.ADMINISTRATOR


def holds(case: CaseFacts, viewer: Viewer, now: datetime) -> bool:
    """Whether the viewer's own claim runs."""
    return case.claimed_by_id == viewer.account_id and case.claimed_until is not None and case.claimed_until > now


def can_take_over(case: CaseFacts, colleague: Viewer, giver: Viewer, now: datetime) -> bool:
    """Whether the giver's case can be handed to a colleague: one who could decide it now but for the giver's claim.

    `case` are the facts as the colleague would find them.
    """
    by = REVIEWS.get(case.stage)
    if by is None or colleague.account_id == giver.account_id or held_by_another(case, giver, now):
        return False
    decides = makes(by, role=colleague.role, own=case.of_viewer, own_pool=case.pool_code == colleague.pool_code)
    return decides and not needs_other_officer(case)
