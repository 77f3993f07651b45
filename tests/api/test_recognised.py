"""Who was recognised once is answered by one statement, which proves each time that the token still opens the same."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Any
from unittest.mock import AsyncMock, Mock

import orjson
import pytest
from starlette.requests import HTTPConnection
from strawberry.types.execution import ExecutionResult

from api.operations import NoCookies, Operations, Parameters
from api.security import Credentials
from domain.actions import reviews, staff
from domain.actions.sessions import authenticate_reading, token_hash
from domain.reads import bind
from domain.rules.errors import AlreadyReviewed
from models.applications import Application
from models.database import database_now, execute, rows, transaction
from models.enums import Stage
from schema.context import Context
from schema.root import schema
from settings import Settings
from tests.cases import case_at, everything_about
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

    read = operations.read(Parameters(WHO, None, None, None), Mock())
    results = [result async for result in operations.stream(read, context, "websocket")]

    assert [orjson.loads(orjson.dumps(each.data)) for each in results] == [{"viewer": {"account": {"name": "李评审", "role": "EXPERT"}}}]


# What a decision reads first is read while the session is proven


APPROVE = """mutation($id: ID!) { applicationApprove(input: {applicationId: $id, stage: FIRST_REVIEW, opinion: "同意"}) {
    __typename ... on Application { stage } ... on Problem { code }
} }"""


async def recognised(
    person: SignedIn, document: str, variables: dict[str, Any], configuration: Settings
) -> tuple[Callable[[], Awaitable[ExecutionResult]], Context]:
    """An operation of somebody whose token was recognised before: what runs it, and its context."""
    operations = Operations(schema, configuration, Mock())
    given, connection = Credentials.of(person.token), HTTPConnection({"type": "http", "headers": [], "client": None})
    read = operations.read(Parameters(document, variables, None, None), connection)
    first = await operations.context(connection, given, NoCookies(), operation=read)
    assert first.ahead is None
    context = await operations.context(connection, given, NoCookies(), operation=read)
    return lambda: operations.run(read, context, "http"), context


async def approve(product: Served, person: SignedIn, case: Application) -> object:
    variables = {"id": f"Application_{case.id}"}
    answer = await product.post(APPROVE, variables=variables, headers={"authorization": f"Bearer {person.token}"})
    result: object = answer["data"]["applicationApprove"]
    return result


@pytest.mark.parametrize(
    ("change", "told"),
    [
        ("UPDATE accounts SET pool_code = '220299' WHERE id = :account", {"__typename": "NotFound", "code": "NOT_FOUND"}),
        (
            "UPDATE accounts SET role = 'ADMINISTRATOR', pool_code = NULL WHERE id = :account",
            {"__typename": "NotFound", "code": "NOT_FOUND"},
        ),
        (
            "UPDATE accounts SET role = 'PROVINCIAL_OFFICER', pool_code = NULL WHERE id = :account",
            {"__typename": "NotAllowed", "code": "OTHER_OFFICE_DECIDES"},
        ),
        ("UPDATE accounts SET status = 'DISABLED' WHERE id = :account", {"__typename": "NotSignedIn", "code": "NOT_SIGNED_IN"}),
        ("UPDATE sessions SET ended_at = registry_now() WHERE id = :session", {"__typename": "NotSignedIn", "code": "NOT_SIGNED_IN"}),
        (
            "UPDATE sessions SET used_at = registry_now() - interval '31 minutes' WHERE id = :session",
            {"__typename": "NotSignedIn", "code": "NOT_SIGNED_IN"},
        ),
    ],
    ids=["another pool", "an administrator", "of the province", "disabled", "session ended", "session left alone"],
)
async def test_who_may_no_more_decide_decides_nothing_though_recognised(product: Served, change: str, told: object) -> None:
    person = await officer("220199")
    _, case = await case_at(Stage.FIRST_REVIEW, pool="220199")
    await ask(product, person)
    before = await everything_about(case.id)

    sql, values = bind(change, {"account": person.account.id, "session": person.viewer.session_id})
    await execute(sql, *values)

    assert await approve(product, person, case) == told
    assert await everything_about(case.id) == before


async def test_a_record_tells_the_name_that_its_officer_has_by_now(product: Served) -> None:
    person = await officer("220199", name="李旧名")
    _, case = await case_at(Stage.FIRST_REVIEW, pool="220199")
    await ask(product, person)

    await execute("UPDATE accounts SET name = '李新名' WHERE id = $1", person.account.id)

    assert await approve(product, person, case) == {"__typename": "Application", "stage": "SECOND_REVIEW"}
    (record,) = await rows("SELECT actor_name FROM application_records WHERE application_id = $1 AND move = 'APPROVE'", case.id)
    assert record["actor_name"] == "李新名"


@pytest.mark.parametrize(
    ("document", "variables"),
    [
        (APPROVE, lambda key: {"id": key}),
        (
            "mutation($input: ApplicationApproveInput!) { applicationApprove(input: $input) { ... on Application { stage } } }",
            lambda key: {"input": {"applicationId": key, "stage": "FIRST_REVIEW"}},
        ),
        (
            (
                'mutation($id: ID!) { applicationReject(input: {applicationId: $id, stage: FIRST_REVIEW, reason: OTHER, opinion: "否"}) {'
                " ... on Application { stage } } }"
            ),
            lambda key: {"id": key},
        ),
        (
            (
                'mutation($id: ID!) { applicationReturn(input: {applicationId: $id, stage: FIRST_REVIEW, opinion: "请补充", reasons:'
                ' [{path: "titles", text: "缺少"}]}) { ... on Application { stage } } }'
            ),
            lambda key: {"id": key},
        ),
    ],
    ids=["approve", "input in a variable", "reject", "return"],
)
async def test_a_recognised_officer_decides_by_what_was_read_with_the_proof(
    database: Settings, monkeypatch: pytest.MonkeyPatch, document: str, variables: Callable[[str], dict[str, Any]]
) -> None:
    person = await officer("220199")
    _, case = await case_at(Stage.FIRST_REVIEW, pool="220199")
    run, context = await recognised(person, document, variables(f"Application_{case.id}"), database)
    monkeypatch.setattr(reviews, "_read", AsyncMock(side_effect=AssertionError))

    result = await run()

    assert context.ahead is not None
    assert result.errors is None
    assert (await Application.get(id=case.id)).stage is not Stage.FIRST_REVIEW


@pytest.mark.parametrize("sent", [None, 7, "", "Application_", "Expert_016f5e66-e802-700c-8000-000100000000", ["Application_1"]])
async def test_what_is_no_id_of_a_case_is_read_by_nobody_ahead(database: Settings, sent: object) -> None:
    person = await officer("220199")
    _, case = await case_at(Stage.FIRST_REVIEW, pool="220199")

    assert (await recognised(person, APPROVE, {"id": f"Application_{case.id}"}, database))[1].ahead is not None
    assert (await recognised(person, APPROVE, {"id": sent}, database))[1].ahead is None


async def test_two_verbs_of_one_operation_read_for_themselves(database: Settings) -> None:
    person = await officer("220199")
    cases = [(await case_at(Stage.FIRST_REVIEW, pool="220199"))[1] for _ in range(2)]
    verb = 'applicationApprove(input: {applicationId: "Application_%s", stage: FIRST_REVIEW}) { ... on Node { id } }'
    document = "mutation { " + " ".join(f"{name}: {verb % case.id}" for name, case in zip("ab", cases, strict=True)) + " }"
    run, context = await recognised(person, document, {}, database)

    result = await run()

    assert context.ahead is None
    assert result.data == {name: {"id": f"Application_{case.id}"} for name, case in zip("ab", cases, strict=True)}


async def test_a_row_that_was_read_ahead_serves_its_own_case_alone(database: Settings) -> None:
    person = await officer("220199")
    _, case = await case_at(Stage.FIRST_REVIEW, pool="220199")
    _, other = await case_at(Stage.FIRST_REVIEW, pool="220199")
    viewer, now, ahead = await authenticate_reading(token_hash(person.token), reviews.reading(other.id, person.viewer))
    assert viewer is not None
    before = await everything_about(other.id)

    await reviews.approve(case.id, opinion=None, seen=reviews.Seen(Stage.FIRST_REVIEW), viewer=viewer, now=now, ahead=ahead)

    assert (await Application.get(id=case.id)).stage is Stage.SECOND_REVIEW
    assert await everything_about(other.id) == before


async def test_what_the_executor_tells_of_a_decision_was_read_ahead_too(database: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await officer("220199")
    _, case = await case_at(Stage.FIRST_REVIEW, pool="220199")
    document = APPROVE.replace("stage }", "stage eligibility { day } }")
    run, _ = await recognised(person, document, {"id": f"Application_{case.id}"}, database)
    monkeypatch.setattr(reviews, "_read", AsyncMock(side_effect=AssertionError))

    result = await run()

    assert (result.errors, result.data and result.data["applicationApprove"]["stage"]) == (None, "SECOND_REVIEW")


async def test_where_the_case_cannot_be_read_the_verb_tells_so_not_the_proof(product: Served) -> None:
    person = await officer("220199")
    _, case = await case_at(Stage.FIRST_REVIEW, pool="220199")
    await ask(product, person)
    before = await everything_about(case.id)

    async with transaction():
        await execute("LOCK TABLE calendar_days IN ACCESS EXCLUSIVE MODE")
        told = await approve(product, person, case)

    assert told == {"__typename": "Unavailable", "code": "SERVICE_UNAVAILABLE"}
    assert await everything_about(case.id) == before


async def test_a_mutation_that_asks_for_its_type_alone_is_answered(product: Served) -> None:
    person = await officer("220199")
    await ask(product, person)
    headers = {"authorization": f"Bearer {person.token}"}
    async with product.socket() as ws:
        await begin(ws, headers)
        await say(ws, "subscribe", id="1", payload={"query": "mutation { __typename }"})
        said = await heard(ws)

    assert await ask(product, person, "mutation { __typename }") == {"__typename": "Mutation"}
    assert said == {"id": "1", "type": "next", "payload": {"data": {"__typename": "Mutation"}}}


async def test_a_decision_over_a_socket_is_read_ahead_too(product: Served) -> None:
    person = await officer("220199")
    _, case = await case_at(Stage.FIRST_REVIEW, pool="220199")
    await ask(product, person)
    async with product.socket() as ws:
        await begin(ws, {"authorization": f"Bearer {person.token}"})
        await say(ws, "subscribe", id="1", payload={"query": APPROVE, "variables": {"id": f"Application_{case.id}"}})
        said = await heard(ws)

    decided = {"__typename": "Application", "stage": "SECOND_REVIEW"}
    assert said == {"id": "1", "type": "next", "payload": {"data": {"applicationApprove": decided}}}


async def test_a_case_that_moved_after_it_was_read_is_judged_anew(database: Settings) -> None:
    person, colleague = await officer("220199"), await officer("220199")
    _, case = await case_at(Stage.FIRST_REVIEW, pool="220199")
    wanted = reviews.reading(case.id, person.viewer)
    viewer, now, ahead = await authenticate_reading(token_hash(person.token), wanted)
    assert viewer is not None
    assert ahead is not None
    seen = reviews.Seen(Stage.FIRST_REVIEW)
    await reviews.approve(case.id, opinion=None, seen=seen, viewer=colleague.viewer, now=now)
    before = await everything_about(case.id)

    with pytest.raises(AlreadyReviewed):
        await reviews.approve(case.id, opinion=None, seen=seen, viewer=viewer, now=now, ahead=ahead)

    assert await everything_about(case.id) == before


async def test_a_statement_that_takes_too_long_is_asked_once(start: Start, database: Settings) -> None:
    product, person = start(operation_seconds=4), await registered_expert()
    await ask(product, person)

    async with transaction():
        await execute("LOCK TABLE titles")
        began = time.monotonic()
        answer = await product.post("{ titles { name } viewer { account { name } } }", headers={"authorization": f"Bearer {person.token}"})
        seconds = time.monotonic() - began

    assert [each["extensions"]["code"] for each in answer["errors"]] == ["OPERATION_TIMEOUT"]
    assert seconds < 7.9  # a second time would end after eight
