from __future__ import annotations

from itertools import product

import pytest

from domain.rules.lifecycle import (
    AWAITED,
    CLOSED,
    EDITABLE,
    REVIEWS,
    REVISION_AFTER,
    By,
    available_moves,
    diagram,
    makes,
    step,
    was_decided,
)
from models.enums import CaseKind, Move, RevisionState, Role, Stage

TO_THE_END_OF_REVIEWS = """
DRAFT          SUBMIT              FIRST_REVIEW   expert
DRAFT          CANCEL              CANCELLED      system
FIRST_REVIEW   WITHDRAW            WITHDRAWN      expert
FIRST_REVIEW   APPROVE             SECOND_REVIEW  office of the case's pool
FIRST_REVIEW   RETURN              RETURNED       office of the case's pool
FIRST_REVIEW   REJECT              REJECTED       office of the case's pool
FIRST_REVIEW   CANCEL              CANCELLED      system
SECOND_REVIEW  APPROVE             FINAL_REVIEW   provincial office
SECOND_REVIEW  RETURN              RETURNED       provincial office
SECOND_REVIEW  REJECT              REJECTED       provincial office
SECOND_REVIEW  CANCEL              CANCELLED      system
FINAL_REVIEW   RETURN              RETURNED       provincial office
FINAL_REVIEW   REJECT              REJECTED       provincial office
FINAL_REVIEW   CANCEL              CANCELLED      system
RETURNED       SUBMIT              FIRST_REVIEW   expert
RETURNED       CANCEL              CANCELLED      system
"""
OF_AN_ADMISSION = """
FINAL_REVIEW   APPROVE             PUBLICITY      provincial office
PUBLICITY      CLOSE_NOTICE        ADMITTED       system
PUBLICITY      HOLD_FOR_OBJECTION  OBJECTION      system
PUBLICITY      UPHOLD_OBJECTION    REJECTED       provincial office
PUBLICITY      CANCEL              CANCELLED      system
OBJECTION      DISMISS_OBJECTIONS  ADMITTED       provincial office
OBJECTION      UPHOLD_OBJECTION    REJECTED       provincial office
OBJECTION      CANCEL              CANCELLED      system
"""
OF_A_CHANGE = """
FINAL_REVIEW   APPROVE             APPLIED        provincial office
RETURNED       CANCEL              CANCELLED      expert
"""
EXPECTED = {
    CaseKind.ADMISSION: TO_THE_END_OF_REVIEWS + OF_AN_ADMISSION,
    CaseKind.CHANGE: TO_THE_END_OF_REVIEWS + OF_A_CHANGE,
    CaseKind.DIVISION_CHANGE: TO_THE_END_OF_REVIEWS + OF_A_CHANGE,
}

WHO = """
expert                     EXPERT              own      any pool
office of the case's pool  LOCAL_OFFICER       another  own pool
provincial office          PROVINCIAL_OFFICER  another  any pool
"""


def expected_steps(kind: CaseKind) -> dict[tuple[str, str], tuple[str, str]]:
    """(stage, move) → (target, by), as written above."""
    lines = [line.split(maxsplit=3) for line in EXPECTED[kind].splitlines() if line]
    return {(stage, move): (target, by) for stage, move, target, by in lines}


def expected_to_make(by: str, role: Role, *, own: bool, own_pool: bool) -> bool:
    for line in WHO.strip().splitlines():
        who, needed_role, whose, pool = (part.strip() for part in line.split("  ") if part)
        if who == by:
            return role.value == needed_role and own == (whose == "own") and (own_pool or pool == "any pool")
    return False


@pytest.mark.parametrize("kind", CaseKind)
def test_every_stage_and_move_leads_where_the_rules_say_and_nowhere_else(kind: CaseKind) -> None:
    expected = expected_steps(kind)

    found = {(stage, move): step(kind, stage, move) for stage, move in product(Stage, Move)}

    assert len(found) == 12 * 11  # TRANSFER leads nowhere from any stage: see moving.transfer
    assert {(stage.value, move.value): (to.target.value, to.by.value) for (stage, move), to in found.items() if to is not None} == expected


@pytest.mark.parametrize("kind", CaseKind)
def test_everybody_may_make_the_moves_that_are_theirs_at_every_stage_and_no_others(kind: CaseKind) -> None:
    expected = expected_steps(kind)

    for stage, role, own, own_pool, decided in product(Stage, Role, (False, True), (False, True), (False, True)):
        found = available_moves(kind, stage, decided=decided, role=role, own=own, own_pool=own_pool)

        assert found == tuple(
            move
            for move in Move
            if (stage.value, move.value) in expected
            and expected_to_make(expected[stage.value, move.value][1], role, own=own, own_pool=own_pool)
            and not (decided and move is Move.WITHDRAW)
        ), (stage, role, own, own_pool, decided)


@pytest.mark.parametrize("kind", CaseKind)
def test_withdrawing_alone_ends_with_the_first_decision(kind: CaseKind) -> None:
    expected = expected_steps(kind)

    found = {(stage.value, move.value) for stage, move in product(Stage, Move) if step(kind, stage, move, decided=True)}

    assert set(expected) - found == {("FIRST_REVIEW", "WITHDRAW")}
    assert [was_decided(each) for each in (0, 1, 2, 3)] == [False, False, True, True]


def test_what_a_person_sees_of_an_admission_is_what_the_guide_tells() -> None:
    def moves(stage: Stage, role: Role, *, own: bool = False, own_pool: bool = False, decided: bool = False) -> list[str]:
        return [move.value for move in available_moves(CaseKind.ADMISSION, stage, decided=decided, role=role, own=own, own_pool=own_pool)]

    assert moves(Stage.DRAFT, Role.EXPERT, own=True) == ["SUBMIT"]
    assert moves(Stage.FIRST_REVIEW, Role.EXPERT, own=True) == ["WITHDRAW"]
    assert moves(Stage.FIRST_REVIEW, Role.EXPERT, own=True, decided=True) == []
    assert moves(Stage.SECOND_REVIEW, Role.EXPERT, own=True) == []
    assert moves(Stage.FIRST_REVIEW, Role.LOCAL_OFFICER, own_pool=True) == ["APPROVE", "RETURN", "REJECT"]
    assert moves(Stage.FIRST_REVIEW, Role.LOCAL_OFFICER) == []
    assert moves(Stage.FIRST_REVIEW, Role.PROVINCIAL_OFFICER) == []
    assert moves(Stage.FINAL_REVIEW, Role.PROVINCIAL_OFFICER) == ["APPROVE", "RETURN", "REJECT"]
    assert moves(Stage.FINAL_REVIEW, Role.PROVINCIAL_OFFICER, own=True) == []
    assert moves(Stage.PUBLICITY, Role.PROVINCIAL_OFFICER) == ["UPHOLD_OBJECTION"]


@pytest.mark.parametrize("by", By)
def test_an_administrator_makes_no_move(by: By) -> None:
    made = [makes(by, role=Role.ADMINISTRATOR, own=own, own_pool=pool) for own, pool in product((False, True), (False, True))]

    assert made == [False] * 4


@pytest.mark.parametrize("kind", CaseKind)
def test_closed_stages_have_no_moves_and_every_open_one_can_be_cancelled(kind: CaseKind) -> None:
    reached = {Stage.DRAFT} | {Stage(target) for target, _ in expected_steps(kind).values()}

    for stage in reached:
        moves = {move for move in Move if step(kind, stage, move)}
        assert (Move.CANCEL in moves, bool(moves)) == (stage not in CLOSED, stage not in CLOSED)


def test_the_groups_of_stages_are_those_of_the_rules() -> None:
    assert {stage.value for stage in CLOSED} == {"ADMITTED", "APPLIED", "REJECTED", "WITHDRAWN", "CANCELLED"}
    assert {stage.value for stage in EDITABLE} == {"DRAFT", "RETURNED"}
    assert {stage.value: by for stage, by in REVIEWS.items()} == {
        "FIRST_REVIEW": By.LOCAL_OFFICE,
        "SECOND_REVIEW": By.PROVINCE,
        "FINAL_REVIEW": By.PROVINCE,
    }
    assert AWAITED == {**REVIEWS, Stage.OBJECTION: By.PROVINCE}


def test_a_revision_is_adopted_or_not_where_a_case_leaves_the_reviews() -> None:
    assert {stage.value: state.value for stage, state in REVISION_AFTER.items()} == {
        "RETURNED": "NOT_ADOPTED",
        "REJECTED": "NOT_ADOPTED",
        "WITHDRAWN": "NOT_ADOPTED",
        "CANCELLED": "NOT_ADOPTED",
        "ADMITTED": "EFFECTIVE",
        "APPLIED": "EFFECTIVE",
    }
    assert RevisionState.DRAFT not in REVISION_AFTER.values()


def test_the_diagram_shows_every_move_of_people_and_of_the_notice() -> None:
    lines = diagram(CaseKind.ADMISSION).splitlines()

    drawn = {line.strip() for line in lines if "-->" in line and "[*]" not in line}
    assert drawn == {
        f"{stage} --> {target}: {Move(move).zh} {move.lower()}{', nobody has decided' if move == 'WITHDRAW' else ''}"
        for (stage, move), (target, _) in expected_steps(CaseKind.ADMISSION).items()
        if move != "CANCEL"
    }
    assert [line.strip() for line in lines if "[*]" in line] == [
        "[*] --> DRAFT",
        "ADMITTED --> [*]",
        "REJECTED --> [*]",
        "WITHDRAWN --> [*]",
    ]
