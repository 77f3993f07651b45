from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import uuid4

import pytest

from domain.rules.policy import CaseFacts
from domain.rules.staff import can_take_over, holds, keeps_staff
from domain.rules.viewer import Viewer
from models.enums import CaseKind, Role, Stage

NOW = datetime(2026, 11, 23, 9, tzinfo=UTC)


def somebody(role: Role, pool: str | None = None) -> Viewer:
    return Viewer(account_id=uuid4(), session_id=uuid4(), role=role, name="某人", pool_code=pool)


GIVER = somebody(Role.LOCAL_OFFICER, "220199")
PEOPLE = {
    "same pool": somebody(Role.LOCAL_OFFICER, "220199"),
    "other pool": somebody(Role.LOCAL_OFFICER, "220299"),
    "province": somebody(Role.PROVINCIAL_OFFICER),
    "administrator": somebody(Role.ADMINISTRATOR),
    "expert": somebody(Role.EXPERT),
}
CASE = CaseFacts(
    kind=CaseKind.ADMISSION,
    stage=Stage.FIRST_REVIEW,
    round=1,
    expert_id=uuid4(),
    pool_code="220199",
    claimed_by_id=GIVER.account_id,
    claimed_until=NOW + timedelta(minutes=1),
)
CAN = {(Stage.FIRST_REVIEW, "same pool"), (Stage.SECOND_REVIEW, "province"), (Stage.FINAL_REVIEW, "province")}


@pytest.mark.parametrize(("stage", "person"), list(product(Stage, PEOPLE)))
def test_a_case_is_handed_to_the_office_of_its_stage(stage: Stage, person: str) -> None:
    assert can_take_over(replace(CASE, stage=stage), PEOPLE[person], GIVER, NOW) is ((stage, person) in CAN)


def test_a_case_is_not_handed_to_its_holder_its_applicant_or_past_anothers_claim() -> None:
    colleague = PEOPLE["same pool"]

    assert not can_take_over(CASE, GIVER, GIVER, NOW)
    assert not can_take_over(replace(CASE, of_viewer=True), colleague, GIVER, NOW)
    assert not can_take_over(replace(CASE, claimed_by_id=uuid4()), colleague, GIVER, NOW)


@pytest.mark.parametrize(("stage", "decided"), [(Stage.FINAL_REVIEW, Stage.SECOND_REVIEW), (Stage.SECOND_REVIEW, Stage.FINAL_REVIEW)])
def test_both_provincial_reviews_are_not_handed_to_one_officer(stage: Stage, decided: Stage) -> None:
    assert not can_take_over(replace(CASE, stage=stage, decided_by_viewer=[decided]), PEOPLE["province"], GIVER, NOW)
    assert can_take_over(replace(CASE, stage=stage, decided_by_viewer=[stage]), PEOPLE["province"], GIVER, NOW)


def test_a_claim_is_held_until_its_end() -> None:
    assert holds(CASE, GIVER, NOW)
    assert not holds(CASE, GIVER, NOW + timedelta(minutes=1))
    assert not holds(CASE, PEOPLE["same pool"], NOW)
    assert not holds(replace(CASE, claimed_by_id=None, claimed_until=None), GIVER, NOW)


@pytest.mark.parametrize("role", Role)
def test_administrators_alone_keep_staff(role: Role) -> None:
    assert keeps_staff(somebody(role)) is (role is Role.ADMINISTRATOR)
