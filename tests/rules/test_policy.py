from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID

import pytest

from domain.rules.lifecycle import DECISIONS, available_moves
from domain.rules.policy import SETTLING, CaseFacts, held_by_another, moves_of, needs_other_officer
from domain.rules.viewer import Viewer
from models.enums import CaseKind, Move, Role, Stage

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
ME, SOMEBODY, EXPERT, SESSION = (UUID(int=number) for number in range(1, 5))
POOL = "220199"

LOCAL = Viewer(account_id=ME, session_id=SESSION, role=Role.LOCAL_OFFICER, name="李初审", pool_code=POOL)
PROVINCIAL = Viewer(account_id=ME, session_id=SESSION, role=Role.PROVINCIAL_OFFICER, name="王复审")
CASE = CaseFacts(
    kind=CaseKind.ADMISSION, stage=Stage.FIRST_REVIEW, round=1, expert_id=EXPERT, pool_code=POOL, claimed_by_id=None, claimed_until=None
)

REVIEW_DECISIONS = (Move.APPROVE, Move.RETURN, Move.REJECT)


@pytest.mark.parametrize(
    ("holder", "seconds_left", "held"),
    [
        (None, None, False),
        (SOMEBODY, 1800, True),
        (SOMEBODY, 0.000001, True),
        (SOMEBODY, 0, False),
        (SOMEBODY, -1, False),
        (ME, 1800, False),
        (ME, -1, False),
    ],
)
def test_a_claim_holds_against_others_until_its_last_instant(holder: UUID | None, seconds_left: float | None, held: bool) -> None:
    until = None if seconds_left is None else NOW + timedelta(seconds=seconds_left)

    found = held_by_another(replace(CASE, claimed_by_id=holder, claimed_until=until), LOCAL, NOW)

    assert found is held


@pytest.mark.parametrize("stage", Stage)
@pytest.mark.parametrize("decided", Stage)
def test_four_eyes_ask_for_another_officer_at_the_other_provincial_review_alone(stage: Stage, decided: Stage) -> None:
    found = needs_other_officer(replace(CASE, stage=stage, decided_by_viewer={decided}))

    assert found is ((decided.value, stage.value) in {("SECOND_REVIEW", "FINAL_REVIEW"), ("FINAL_REVIEW", "SECOND_REVIEW")})


def test_who_has_decided_nothing_is_no_hindrance() -> None:
    assert [stage for stage in Stage if needs_other_officer(replace(CASE, stage=stage))] == []


def test_the_same_review_may_be_decided_again_in_a_later_round_by_the_same_officer() -> None:
    again = replace(CASE, stage=Stage.SECOND_REVIEW, decided_by_viewer={Stage.SECOND_REVIEW})

    assert moves_of(again, PROVINCIAL, NOW) == REVIEW_DECISIONS


def test_an_officer_of_the_pool_decides_the_first_review_of_a_free_case() -> None:
    assert moves_of(CASE, LOCAL, NOW) == REVIEW_DECISIONS


def test_an_officer_of_another_pool_does_nothing() -> None:
    assert moves_of(CASE, replace(LOCAL, pool_code="220299"), NOW) == ()


def test_the_holder_decides_and_others_wait() -> None:
    held = replace(CASE, claimed_by_id=ME, claimed_until=NOW + timedelta(minutes=30))

    assert moves_of(held, LOCAL, NOW) == REVIEW_DECISIONS
    assert moves_of(held, replace(LOCAL, account_id=SOMEBODY), NOW) == ()
    assert moves_of(held, replace(LOCAL, account_id=SOMEBODY), NOW + timedelta(minutes=30)) == REVIEW_DECISIONS


def test_a_claim_takes_decisions_from_others_but_not_the_expert_s_way_back() -> None:
    held = replace(CASE, claimed_by_id=SOMEBODY, claimed_until=NOW + timedelta(minutes=30))
    expert = Viewer(account_id=ME, session_id=SESSION, role=Role.EXPERT, name="张三", expert_id=EXPERT)

    assert moves_of(held, expert, NOW) == (Move.WITHDRAW,)
    assert moves_of(replace(held, round=2), expert, NOW) == ()


def test_four_eyes_take_all_decisions_and_nothing_else() -> None:
    final = replace(CASE, stage=Stage.FINAL_REVIEW, decided_by_viewer={Stage.SECOND_REVIEW})

    assert moves_of(final, PROVINCIAL, NOW) == ()
    assert moves_of(replace(final, stage=Stage.PUBLICITY, objected=True), PROVINCIAL, NOW) == (Move.UPHOLD_OBJECTION,)


@pytest.mark.parametrize(
    ("stage", "moves"),
    [(Stage.PUBLICITY, (Move.UPHOLD_OBJECTION,)), (Stage.OBJECTION, (Move.DISMISS_OBJECTIONS, Move.UPHOLD_OBJECTION))],
)
def test_objections_are_settled_while_one_is_open(stage: Stage, moves: tuple[Move, ...]) -> None:
    case = replace(CASE, stage=stage)

    assert moves_of(replace(case, objected=True), PROVINCIAL, NOW) == moves
    assert moves_of(case, PROVINCIAL, NOW) == ()
    assert moves_of(replace(case, objected=True), LOCAL, NOW) == ()


def test_everywhere_the_policy_only_takes_decisions_and_settlements_away_from_the_table() -> None:
    claims = ((None, None), (ME, NOW + timedelta(1)), (SOMEBODY, NOW + timedelta(1)), (SOMEBODY, NOW))
    seen = 0

    reviewed = ((), (Stage.SECOND_REVIEW,), (Stage.FINAL_REVIEW,))
    for kind, stage, decided_before, role, own, own_pool, (holder, until), decided, objected in product(
        CaseKind, Stage, (False, True), Role, (True, False), (True, False), claims, reviewed, (True, False)
    ):
        viewer = Viewer(
            account_id=ME,
            session_id=SESSION,
            role=role,
            name="某人",
            pool_code=POOL if own_pool else "220299",
            expert_id=EXPERT if own else None,
        )
        case = replace(
            CASE,
            kind=kind,
            stage=stage,
            round=1 + decided_before,
            claimed_by_id=holder,
            claimed_until=until,
            decided_by_viewer=decided,
            objected=objected,
        )
        by_table = available_moves(kind, stage, decided=decided_before, role=role, own=own, own_pool=own_pool)
        taken = (holder == SOMEBODY and until != NOW) or (decided, stage) in (
            ((Stage.SECOND_REVIEW,), Stage.FINAL_REVIEW),
            ((Stage.FINAL_REVIEW,), Stage.SECOND_REVIEW),
        )

        gone = (DECISIONS if taken else frozenset()) | (frozenset() if objected else SETTLING)
        assert moves_of(case, viewer, NOW) == tuple(move for move in by_table if move not in gone)
        seen += 1

    assert seen == 3 * 12 * 2 * 4 * 2 * 2 * 4 * 3 * 2
