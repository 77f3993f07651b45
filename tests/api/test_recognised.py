"""Who was recognised once is answered by one statement, which proves each time that the token still opens the same."""

from __future__ import annotations

from typing import Any
from unittest.mock import Mock

import orjson
import pytest

from api.operations import Operations, Parameters
from domain.actions import staff
from models.database import database_now, execute, rows
from models.enums import Stage
from schema.root import schema
from settings import Settings
from tests.cases import case_at
from tests.graphql import context_for
from tests.people import SignedIn, administrator, officer, provincial_officer, registered_expert
from tests.serving import Served, Start, begin, heard, say

WHO = "{ viewer { account { name role } } }"


@pytest.fixture(scope="module")
def product(start: Start) -> Served:
    """The product's own application."""
    return start()


async def ask(product: Served, person: SignedIn, query: str = WHO) -> object:
    answer: object = (await product.post(query, headers={"authorization": f"Bearer {person.token}"}))["data"]
    return answer


async def pools(product: Served, person: SignedIn) -> set[str]:
    answer: Any = await ask(product, person, "{ applications(first: 50) { nodes { poolCode } } }")
    return {each["poolCode"] for each in answer["applications"]["nodes"]}


async def test_a_session_that_ended_answers_no_more(product: Served) -> None:
    person = await registered_expert(name="李评审")
    before = [await ask(product, person), await ask(product, person)]

    await execute("UPDATE sessions SET ended_at = registry_now() WHERE id = $1", person.viewer.session_id)
    after = await ask(product, person)

    assert before == [{"viewer": {"account": {"name": "李评审", "role": "EXPERT"}}}] * 2
    assert after == {"viewer": None}


async def test_a_session_past_its_age_answers_no_more(product: Served) -> None:
    person = await registered_expert()
    await ask(product, person)

    await execute("UPDATE sessions SET expires_at = registry_now() WHERE id = $1", person.viewer.session_id)

    assert await ask(product, person) == {"viewer": None}


async def test_an_officer_who_was_disabled_gets_no_more_answers(product: Served) -> None:
    person, by = await provincial_officer(), await administrator()
    await ask(product, person)

    await staff.disable(person.account.id, viewer=by.viewer, now=await database_now())

    assert await ask(product, person) == {"viewer": None}


async def test_a_staff_session_that_was_left_alone_ends_though_it_was_recognised(product: Served) -> None:
    person = await officer()
    await ask(product, person)

    await execute("UPDATE sessions SET used_at = registry_now() - interval '31 minutes' WHERE id = $1", person.viewer.session_id)

    assert await ask(product, person) == {"viewer": None}


async def test_a_new_name_is_told_at_once(product: Served) -> None:
    person = await officer(name="李旧名")
    await ask(product, person)

    await execute("UPDATE accounts SET name = '李新名' WHERE id = $1", person.account.id)

    assert await ask(product, person) == {"viewer": {"account": {"name": "李新名", "role": "LOCAL_OFFICER"}}}


@pytest.mark.parametrize(
    ("change", "seen"),
    [("pool_code = '220299'", {"220299"}), ("role = 'PROVINCIAL_OFFICER', pool_code = NULL", {"220199", "220299"})],
    ids=["another pool", "another role"],
)
async def test_an_officer_sees_what_is_theirs_by_now(product: Served, change: str, seen: set[str]) -> None:
    person = await officer("220199")
    await case_at(Stage.FIRST_REVIEW, pool="220199")
    await case_at(Stage.FIRST_REVIEW, pool="220299")
    before = await pools(product, person)

    await execute(f"UPDATE accounts SET {change} WHERE id = $1", person.account.id)

    assert before == {"220199"}
    assert await pools(product, person) == seen


async def test_an_unknown_token_is_nobody(product: Served) -> None:
    answer = await product.post(WHO, headers={"authorization": "Bearer of-nothing"})

    assert answer["data"] == {"viewer": None}


async def test_use_of_a_session_is_noted_though_it_was_recognised(product: Served) -> None:
    person = await officer()
    await ask(product, person)
    await execute("UPDATE sessions SET used_at = registry_now() - interval '2 minutes' WHERE id = $1", person.viewer.session_id)

    await ask(product, person)

    (session,) = await rows(
        "SELECT registry_now() - used_at < interval '1 minute' AS noted FROM sessions WHERE id = $1", person.viewer.session_id
    )
    assert session["noted"] is True


async def test_a_socket_is_answered_by_plans_too(product: Served) -> None:
    person = await registered_expert(name="李评审")
    async with product.socket() as ws:
        await begin(ws, {"authorization": f"Bearer {person.token}"})
        await say(ws, "subscribe", id="1", payload={"query": "{ viewer { account { name role } expert { standing } } }"})
        said = [await heard(ws), await heard(ws)]

    assert said == [
        {
            "id": "1",
            "type": "next",
            "payload": {"data": {"viewer": {"account": {"name": "李评审", "role": "EXPERT"}, "expert": {"standing": "TEMPORARY"}}}},
        },
        {"id": "1", "type": "complete"},
    ]


async def test_on_a_socket_the_executor_is_left_alone_where_a_plan_answers(database: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await registered_expert(name="李评审")
    operations = Operations(schema, database, Mock())
    monkeypatch.setattr(schema, "execute", Mock(side_effect=AssertionError))
    monkeypatch.setattr(schema, "stream", Mock(side_effect=AssertionError))
    context = context_for(person.viewer, now=await database_now())

    read = operations.read(Parameters(WHO, None, None, None))
    results = [result async for result in operations.stream(read, context, "websocket")]

    assert [orjson.loads(orjson.dumps(each.data)) for each in results] == [{"viewer": {"account": {"name": "李评审", "role": "EXPERT"}}}]
