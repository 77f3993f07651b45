from __future__ import annotations

from uuid import uuid4

import pytest

from domain.actions.divisions import give_up
from domain.actions.profiles import save_basic_info
from domain.rules.errors import IllegalMove, NotFound
from domain.rules.profile_input import BasicInfo
from models.applications import Application, ApplicationRecord
from models.database import database_now
from models.enums import Move, RevisionState, Stage
from models.experts import Expert
from models.profiles import Revision
from settings import Settings
from tests.cases import everything_about
from tests.changes.formal import change_at, formal_expert
from tests.divisions.moving import LEFT, ask, change_of_division_at
from tests.graphql import both, execute
from tests.people import administrator, officer, provincial_officer

GIVE_UP = """mutation ($id: ID!) { divisionChangeGiveUp(input: {applicationId: $id}) { __typename
    ... on Application { stage } ... on Problem { code } ... on IllegalMove { stage } } }"""


async def test_a_returned_change_of_division_given_up_is_cancelled_on_record_and_everything_stays(database: Settings) -> None:
    person, case = await change_of_division_at(Stage.RETURNED)

    await give_up(case.id, viewer=person.viewer, now=await database_now())

    kept = await Application.get(id=case.id)
    assert (kept.stage, kept.closed_at is None) == (Stage.CANCELLED, False)
    last = await ApplicationRecord.filter(application_id=case.id).order_by("-number").first()
    assert last is not None
    assert (last.move, last.from_stage, last.actor_id) == (Move.CANCEL, Stage.RETURNED, person.account.id)
    expert = await Expert.get(id=person.viewer.expert_id)
    assert (expert.pool_code, expert.draft_id, (await Revision.get(id=expert.effective_id)).home_pool_code) == (LEFT, None, LEFT)
    assert (await Revision.get(id=case.revision_id)).state is RevisionState.NOT_ADOPTED
    await save_basic_info(BasicInfo(post="院长"), viewer=person.viewer, now=await database_now())


MOVES = "query ($id: ID!) { application(id: $id) { availableMoves } }"


async def test_giving_up_is_among_the_moves_of_its_expert_while_it_is_returned(database: Settings) -> None:
    person, case = await change_of_division_at(Stage.RETURNED)
    given, offices = f"Application_{case.id}", [await officer(), await officer("220299"), await provincial_officer()]

    returned = await both(MOVES, person.viewer, id=given)
    of_offices = [await both(MOVES, each.viewer, id=given) for each in offices]
    await give_up(case.id, viewer=person.viewer, now=await database_now())

    assert returned == {"application": {"availableMoves": ["SUBMIT", "CANCEL"]}}
    assert of_offices == [{"application": {"availableMoves": []}}] * 3
    assert await both(MOVES, person.viewer, id=given) == {"application": {"availableMoves": []}}


async def test_afterwards_another_can_be_asked_for(database: Settings) -> None:
    person, case = await change_of_division_at(Stage.RETURNED)
    await give_up(case.id, viewer=person.viewer, now=await database_now())

    assert (await ask(person)).id != case.id


@pytest.mark.parametrize("stage", [Stage.FIRST_REVIEW, Stage.FINAL_REVIEW, Stage.APPLIED, Stage.REJECTED])
async def test_only_a_returned_one_is_given_up(database: Settings, stage: Stage) -> None:
    person, case = await change_of_division_at(stage)
    before = await everything_about(case.id)

    with pytest.raises(IllegalMove) as refusal:
        await give_up(case.id, viewer=person.viewer, now=await database_now())

    assert refusal.value.stage is stage
    assert await everything_about(case.id) == before


async def test_a_returned_change_of_data_is_given_up_with_its_draft_and_not_here(database: Settings) -> None:
    person, case = await change_at(Stage.RETURNED)
    before = await everything_about(case.id)

    with pytest.raises(IllegalMove):
        await give_up(case.id, viewer=person.viewer, now=await database_now())

    assert await everything_about(case.id) == before


async def test_the_door_of_giving_up(database: Settings) -> None:
    person, case = await change_of_division_at(Stage.RETURNED)
    given = f"Application_{case.id}"
    others = [await formal_expert(), await officer(), await officer("220299"), await provincial_officer(), await administrator()]
    before = await everything_about(case.id)

    nobody = await execute(GIVE_UP, None, id=given)
    refused = [await execute(GIVE_UP, each.viewer, id=given) for each in others]
    wrong = [await execute(GIVE_UP, person.viewer, id=each) for each in ("", "Application_x", f"Application_{uuid4()}")]
    with pytest.raises(NotFound):
        await give_up(case.id, viewer=others[0].viewer, now=await database_now())
    assert await everything_about(case.id) == before
    done, repeated = await execute(GIVE_UP, person.viewer, id=given), await execute(GIVE_UP, person.viewer, id=given)

    assert nobody.data == {"divisionChangeGiveUp": {"__typename": "NotSignedIn", "code": "NOT_SIGNED_IN"}}
    assert [each.data for each in refused + wrong] == [{"divisionChangeGiveUp": {"__typename": "NotFound", "code": "NOT_FOUND"}}] * 8
    assert done.data == {"divisionChangeGiveUp": {"__typename": "Application", "stage": "CANCELLED"}}
    assert repeated.data == {"divisionChangeGiveUp": {"__typename": "IllegalMove", "code": "ILLEGAL_MOVE", "stage": "CANCELLED"}}
