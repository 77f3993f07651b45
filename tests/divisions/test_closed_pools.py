"""The way out of a pool that closed without a successor, for profiles in which something has lapsed since they were approved."""

from __future__ import annotations

from datetime import date
from functools import partial

import pytest

from domain.actions import pools, profiles
from domain.actions.changes import discard_draft, submit_change
from domain.actions.divisions import request_division_change
from domain.rules import profile_input as given
from domain.rules.errors import Incomplete
from models.database import database_now, execute
from models.enums import Stage
from models.experts import Expert
from tests.cases import approve, case_at
from tests.conftest import Clock
from tests.graphql import both
from tests.people import administrator, officer, provincial_officer
from tests.profiles.kept import everything_of

REVIEWED = "query ($id: ID!) { application(id: $id) { profile { missing { path code } warnings { path code } } } }"


async def closed(code: str) -> None:
    await pools.close(code, reason="机构改革", viewer=(await administrator()).viewer, now=await database_now())


async def test_what_a_profile_lacks_otherwise_is_refused_there_too(database: object) -> None:
    person, admitted = await case_at(Stage.ADMITTED, pool="220422")
    await closed("220422")
    await execute("ALTER TABLE revisions DISABLE TRIGGER a_frozen_revision_keeps_its_data")
    await execute("UPDATE revisions SET employer = NULL WHERE id = $1", admitted.revision_id)
    await execute("ALTER TABLE revisions ENABLE TRIGGER a_frozen_revision_keeps_its_data")
    before = await everything_of(person.viewer)

    with pytest.raises(Incomplete) as refusal:
        await request_division_change(
            "220382", reason="专家库撤销", commitment=True, avoidance=True, viewer=person.viewer, now=await database_now()
        )

    assert [(each.path, each.code) for each in refusal.value.problems] == [("basicInfo.employer", "REQUIRED")]
    assert await everything_of(person.viewer) == before


async def test_what_has_lapsed_since_holds_nobody_in_a_pool_that_closed(clock: Clock) -> None:
    person, admitted = await case_at(Stage.ADMITTED, pool="220523")
    await clock.move(days=365 * 10)  # complete profiles bear a paper that is valid until 2036
    await execute("UPDATE specialties SET retired = TRUE WHERE code = 'A01020000'")
    viewer, request = person.viewer, partial(request_division_change, "220382", reason="专家库撤销", commitment=True, avoidance=True)
    before = await everything_of(viewer)

    with pytest.raises(Incomplete) as while_it_is_open:
        await request(viewer=viewer, now=await clock.now())
    unchanged = await everything_of(viewer) == before
    await closed("220523")
    await profiles.save_basic_info(given.BasicInfo(id_valid_until=date(2056, 5, 1)), viewer=viewer, now=await clock.now())
    with pytest.raises(Incomplete) as as_a_change:
        await submit_change(commitment=True, avoidance=True, viewer=viewer, now=await clock.now())
    await discard_draft(viewer=viewer, now=await clock.now())
    case = await request(viewer=viewer, now=await clock.now())
    receiving = await officer("220382")
    shown = await both(REVIEWED, receiving.viewer, id=f"Application_{case.id}")
    for each in (receiving, await provincial_officer(), await provincial_officer()):
        case = await approve(case.id, each.viewer)
    await profiles.save_basic_info(given.BasicInfo(id_valid_until=date(2056, 5, 1)), viewer=viewer, now=await clock.now())
    await profiles.save_evaluation_info(given.EvaluationInfo(specialties=("A01010000",)), viewer=viewer, now=await clock.now())
    change = await submit_change(commitment=True, avoidance=True, viewer=viewer, now=await clock.now())

    lapsed = [("basicInfo.idValidUntil", "ID_EXPIRED"), ("evaluationInfo.specialties.1", "CODE_RETIRED")]
    assert [(each.path, each.code) for each in while_it_is_open.value.problems] == lapsed
    assert unchanged
    assert [(each.path, each.code) for each in as_a_change.value.problems] == [
        ("evaluationInfo.homePoolCode", "POOL_NOT_SELECTABLE"),
        ("evaluationInfo.specialties.1", "CODE_RETIRED"),
    ]
    assert shown["application"]["profile"] == {
        "missing": [{"path": "evaluationInfo.specialties.1", "code": "CODE_RETIRED"}],
        "warnings": [{"path": "basicInfo.idValidUntil", "code": "ID_EXPIRED_SINCE"}],
    }
    assert (case.stage, (await Expert.get(id=admitted.expert_id)).pool_code) == (Stage.APPLIED, "220382")
    assert (change.stage, change.pool_code) == (Stage.FIRST_REVIEW, "220382")
