"""Who may do what to a case: the conditions that the table of moves cannot hold."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from domain.rules.lifecycle import DECISIONS, available_moves, was_decided
from domain.rules.viewer import Viewer
from models.enums import CaseKind, Move, Stage

SETTLING = frozenset({Move.UPHOLD_OBJECTION, Move.DISMISS_OBJECTIONS})
"""Moves by which the province settles objections: there must be one."""
TWO_OFFICERS = {Stage.SECOND_REVIEW: Stage.FINAL_REVIEW, Stage.FINAL_REVIEW: Stage.SECOND_REVIEW}
"""Reviews by two different persons: each with the other one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFacts:
    """What the policy asks of a case.

    `decided_by_viewer` are the provincial reviews of it that the viewer has decided, in any round and under any account; `of_viewer` tells
    that the person has the viewer's id number or phone; `objected`, that an objection to it is not settled.
    """

    kind: CaseKind
    stage: Stage
    round: int
    expert_id: UUID
    pool_code: str | None
    claimed_by_id: UUID | None
    claimed_until: datetime | None
    decided_by_viewer: Collection[Stage] = ()
    of_viewer: bool = False
    objected: bool = False


def held_by_another(case: CaseFacts, viewer: Viewer, now: datetime) -> bool:
    """Whether another officer's claim runs."""
    return case.claimed_until is not None and case.claimed_until > now and case.claimed_by_id != viewer.account_id


def needs_other_officer(case: CaseFacts) -> bool:
    """Four eyes (rules §1): whether the viewer has decided the other provincial review of this case."""
    return TWO_OFFICERS.get(case.stage) in case.decided_by_viewer


def moves_of(case: CaseFacts, viewer: Viewer, now: datetime) -> tuple[Move, ...]:
    """The moves that the viewer can make now; a client draws its buttons from them."""
    own = case.expert_id == viewer.expert_id
    decided, own_pool = was_decided(case.round), case.pool_code == viewer.pool_code
    found = available_moves(case.kind, case.stage, decided=decided, role=viewer.role, own=own, own_pool=own_pool)
    if needs_other_officer(case) or held_by_another(case, viewer, now):
        found = tuple(move for move in found if move not in DECISIONS)
    if not case.objected:
        found = tuple(move for move in found if move not in SETTLING)
    return found
