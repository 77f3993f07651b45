"""From a profile to its expert and its case, on both read paths."""

from __future__ import annotations

from typing import Any

from domain.actions.applications import withdraw
from domain.actions.moving import move
from models.database import database_now, transaction
from models.enums import Move, Stage
from models.profiles import Revision
from settings import Settings
from tests.cases import case_at, draft_case, submit, submitted_case
from tests.changes.formal import change_at, formal_expert, with_changes
from tests.graphql import both, execute
from tests.people import SignedIn, officer, registered_expert

SAVE = """mutation { basicInfoSave(input: {post: "院长"}) { __typename
    ... on Profile { state expert { id draftProfile { state } } application { id kind stage } } } }"""
DRAFT = "{ viewer { expert { draftProfile { application { id stage } } } } }"
NODE = "query ($id: ID!) { node(id: $id) { ... on Profile { application { id } expert { id } } } }"


async def of_draft(person: SignedIn) -> Any:
    return (await both(DRAFT, person.viewer))["viewer"]["expert"]["draftProfile"]["application"]


async def of_profile(revision_id: object, person: SignedIn) -> Any:
    return (await both(NODE, person.viewer, id=f"Profile_{revision_id}"))["node"]


async def test_the_first_save_tells_the_case_that_it_opened(database: Settings) -> None:
    person = await registered_expert()

    saved = (await execute(SAVE, person.viewer)).data

    case = await draft_case(person.viewer)
    assert saved == {
        "basicInfoSave": {
            "__typename": "Profile",
            "state": "DRAFT",
            "expert": {"id": f"Expert_{person.viewer.expert_id}", "draftProfile": {"state": "DRAFT"}},
            "application": {"id": f"Application_{case.id}", "kind": "ADMISSION", "stage": "DRAFT"},
        }
    }
    assert await of_draft(person) == {"id": f"Application_{case.id}", "stage": "DRAFT"}


async def test_what_was_submitted_in_each_round_and_the_draft_after_a_return_lead_to_the_one_case(database: Settings) -> None:
    person, case = await case_at(Stage.RETURNED)
    expected = {"application": {"id": f"Application_{case.id}"}, "expert": {"id": f"Expert_{case.expert_id}"}}

    returned = await of_draft(person)
    await submit(person.viewer)

    assert returned == {"id": f"Application_{case.id}", "stage": "RETURNED"}
    rounds = await Revision.filter(expert_id=case.expert_id).order_by("number")
    local = await officer()
    assert [await of_profile(each.pk, who) for each in rounds for who in (person, local)] == [expected] * 4


async def test_after_a_withdrawal_the_draft_leads_to_the_case_that_was_opened_with_it(database: Settings) -> None:
    person, case = await submitted_case()
    await withdraw(case.id, viewer=person.viewer, now=await database_now())

    opened = await of_draft(person)

    assert opened == {"id": f"Application_{(await draft_case(person.viewer)).id}", "stage": "DRAFT"}
    assert (await of_profile(case.revision_id, person))["application"] == {"id": f"Application_{case.id}"}


async def test_a_draft_whose_case_was_cancelled_leads_to_none(database: Settings) -> None:
    person, case = await case_at(Stage.RETURNED)
    async with transaction():
        await move(case, Move.CANCEL, viewer=None, now=await database_now())

    assert await of_draft(person) is None


async def test_a_formal_expert_s_draft_leads_to_a_case_once_it_was_returned(database: Settings) -> None:
    begun = await with_changes()
    returned, case = await change_at(Stage.RETURNED)

    assert await of_draft(begun) is None
    assert await of_draft(returned) == {"id": f"Application_{case.id}", "stage": "RETURNED"}


async def test_who_may_not_see_the_case_finds_none(database: Settings) -> None:
    _, case = await submitted_case()

    for other in (await formal_expert(), await officer("220299")):
        assert await of_profile(case.revision_id, other) is None
