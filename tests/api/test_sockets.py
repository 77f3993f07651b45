from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest

from domain.actions import sessions
from models.accounts import Session
from models.database import database_now
from tests.people import registered_expert
from tests.serving import Served, begin, closing, heard, say


async def run(
    ws: Any, query: str, variables: dict[str, Any] | None = None, number: str = "1", name: str | None = None
) -> list[dict[str, Any]]:
    """Everything that is said about an operation until it is over."""
    await say(ws, "subscribe", id=number, payload={"query": query, "variables": variables, "operationName": name})
    said = []
    while True:
        message = await heard(ws)
        said.append(message)
        if message["type"] in ("complete", "error"):
            return said


async def test_queries_mutations_and_subscriptions_run_over_one_socket(served: Served) -> None:
    async with served.socket() as ws:
        await begin(ws)

        assert await run(ws, '{ echo(text: "题") }') == [
            {"id": "1", "type": "next", "payload": {"data": {"echo": "题"}}},
            {"id": "1", "type": "complete"},
        ]
        assert (await run(ws, "mutation { noCookie }"))[0]["payload"] == {"data": {"noCookie": True}}
        assert [each["payload"]["data"]["count"] for each in (await run(ws, "subscription { count(to: 3) }"))[:-1]] == [0, 1, 2]


async def test_each_operation_has_a_context_of_its_own(served: Served) -> None:
    async with served.socket() as ws:
        await begin(ws)
        await say(ws, "subscribe", id="1", payload={"query": "{ client wait(seconds: 0.3) }"})
        await say(ws, "subscribe", id="2", payload={"query": "{ client wait(seconds: 0.3) }"})

        contexts: list[str] = []
        while len(contexts) < 2:
            message = await heard(ws)
            if message["type"] == "next":
                contexts.append(message["payload"]["data"]["client"][3])

    assert contexts[0] != contexts[1]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("{", "GRAPHQL_PARSE_FAILED"),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED"),
        ("{ tree " + "{ inner " * 40 + "{ leaf }" + " }" * 40 + " }", "DOCUMENT_TOO_COMPLEX"),
        ("query A { __typename } query B { __typename }", "OPERATION_RESOLUTION_FAILURE"),
        (r'{ echo(text: "\u0000") }', "NUL_CHARACTER"),
        ("subscription ($to: Int!) { count(to: $to) }", "BAD_USER_INPUT"),
    ],
)
async def test_a_document_is_judged_as_over_http_and_the_socket_stays(served: Served, query: str, code: str) -> None:
    async with served.socket() as ws:
        await begin(ws)

        refused = await run(ws, query)
        after = await run(ws, "{ __typename }")

    assert [each["type"] for each in refused] == ["error"]
    assert refused[0]["payload"][0]["extensions"]["code"] == code
    assert after[0]["payload"] == {"data": {"__typename": "Query"}}


async def test_faults_and_refusals_leave_a_socket_as_they_leave_http(served: Served) -> None:
    async with served.socket() as ws:
        await begin(ws)

        fault = await run(ws, "{ fault }")
        late = await run(ws, "subscription { broken }")
        refusal = await run(ws, "{ refusal }")
        cookie = await run(ws, 'mutation { cookie(token: "x") }')
        slow = await run(ws, "{ wait(seconds: 30) }")

    assert [each[0]["payload"]["errors"][0]["extensions"]["code"] for each in (fault, refusal, cookie)] == [
        "INTERNAL_ERROR",
        "INVALID_INPUT",
        "NOT_ALLOWED",
    ]
    assert [each["payload"].get("data") for each in late[:-1]] == [{"broken": 1}, None]
    assert slow[0]["payload"][0]["extensions"]["code"] == "OPERATION_TIMEOUT"
    assert "secret" not in json.dumps([fault, late, refusal])


@pytest.mark.parametrize(
    "message",
    [
        "no json",
        "null",
        "[]",
        "1",
        '{"type": 1}',
        '{"type": "unheard of"}',
        '{"type": "subscribe"}',
        '{"type": "subscribe", "id": 1, "payload": {"query": "{ __typename }"}}',
        '{"type": "subscribe", "id": "1", "payload": []}',
        '{"type": "subscribe", "id": "1", "payload": {"query": 5}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }", "variables": []}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }", "variables": {"a": NaN}}}',
        '{"type": "subscribe", "id": "1", "payload": {"query": "{ __typename }", "variables": {"a": "\\u0000"}}}',
        '{"type": "complete"}',
        b"bytes",
    ],
)
async def test_what_is_no_message_of_the_protocol_closes_the_socket(served: Served, message: str | bytes) -> None:
    async with served.socket() as ws:
        await begin(ws)

        await ws.send(message)

        assert (await closing(ws))[0] == 4400


async def test_a_message_that_is_too_large_closes_the_socket(served: Served) -> None:
    async with served.socket() as ws:
        await begin(ws)

        await ws.send(json.dumps({"type": "ping", "payload": {"x": "y" * 70_000}}))

        assert (await closing(ws))[0] == 1009


async def test_nothing_runs_before_the_socket_is_initialised(served: Served) -> None:
    async with served.socket() as ws:
        await say(ws, "subscribe", id="1", payload={"query": "{ __typename }"})

        assert await closing(ws) == (4401, "Unauthorized")


async def test_a_socket_is_initialised_once(served: Served) -> None:
    async with served.socket() as ws:
        await begin(ws)

        await say(ws, "connection_init")

        assert (await closing(ws))[0] == 4429


@pytest.mark.parametrize("subprotocols", [["graphql-ws"], None])
async def test_only_the_present_protocol_is_spoken(served: Served, subprotocols: list[str] | None) -> None:
    async with served.socket(subprotocols=subprotocols) as ws:
        assert (await closing(ws))[0] == 4406


async def test_so_many_operations_run_at_once_on_a_socket_and_no_more(served: Served) -> None:
    async with served.socket() as ws:
        await begin(ws)
        for number in range(4):
            await say(ws, "subscribe", id=str(number), payload={"query": 'subscription { heard(of: "x") }'})

        refused = await heard(ws)

    assert (refused["id"], refused["type"], refused["payload"][0]["message"]) == ("3", "error", "Subscription limit reached")


async def test_an_announcement_reaches_every_subscription_after_its_commit(served: Served) -> None:
    async with served.socket() as one, served.socket() as other:
        for ws in (one, other):
            await begin(ws)
            await say(ws, "subscribe", id="1", payload={"query": 'subscription { heard(of: "rain") }'})
        await asyncio.sleep(0.3)

        await served.post('mutation { a: say(event: "sun", word: "no") b: say(event: "rain", word: "wet") }')

        for ws in (one, other):
            assert (await heard(ws))["payload"] == {"data": {"heard": "wet"}}


async def test_a_completed_subscription_hears_no_more(served: Served) -> None:
    async with served.socket() as ws:
        await begin(ws)
        await say(ws, "subscribe", id="1", payload={"query": 'subscription { heard(of: "hail") }'})
        await asyncio.sleep(0.3)

        await say(ws, "complete", id="1")
        await asyncio.sleep(0.1)
        await served.post('mutation { say(event: "hail", word: "x") }')

        assert await run(ws, "{ __typename }", number="2") == [
            {"id": "2", "type": "next", "payload": {"data": {"__typename": "Query"}}},
            {"id": "2", "type": "complete"},
        ]


async def test_a_socket_is_signed_in_by_parameters_by_header_or_by_cookie(served: Served) -> None:
    person = await registered_expert()
    ways: list[tuple[dict[str, str], dict[str, str] | None]] = [
        ({}, {"authorization": f"Bearer {person.token}"}),
        ({"authorization": f"Bearer {person.token}"}, None),
        ({"cookie": f"registry_session={person.token}"}, None),
    ]
    for headers, parameters in ways:
        async with served.socket(additional_headers=headers) as ws:
            await begin(ws, parameters)

            assert (await run(ws, "{ who }"))[0]["payload"] == {"data": {"who": person.account.name}}


async def test_a_token_that_opens_nothing_is_refused_and_an_old_cookie_is_overlooked(served: Served) -> None:
    async with served.socket() as ws:
        await say(ws, "connection_init", payload={"authorization": "Bearer nothing"})
        assert await closing(ws) == (4403, "Forbidden")
    async with served.socket(additional_headers={"cookie": "registry_session=old"}) as ws:
        await begin(ws)
        assert (await run(ws, "{ who }"))[0]["payload"] == {"data": {"who": None}}


async def test_a_subscription_that_needs_a_session_tells_so(served: Served) -> None:
    async with served.socket() as ws:
        await begin(ws)

        said = await run(ws, "subscription { signedIn }")

    errors = said[0]["payload"] if said[0]["type"] == "error" else said[0]["payload"]["errors"]
    assert errors[0]["extensions"]["code"] == "NOT_SIGNED_IN"


async def test_the_end_of_a_session_closes_its_sockets_at_once_and_no_others(served: Served) -> None:
    leaving, staying = await registered_expert(), await registered_expert()
    async with served.socket() as first, served.socket() as second, served.socket() as other:
        for ws, person in ((first, leaving), (second, leaving), (other, staying)):
            await begin(ws, {"authorization": f"Bearer {person.token}"})
            await say(ws, "subscribe", id="1", payload={"query": "subscription { signedIn }"})
            await heard(ws)

        await sessions.close_session(viewer=leaving.viewer, now=await database_now())

        assert await closing(first, 1) == (4403, "Session ended")
        assert await closing(second, 1) == (4403, "Session ended")
        assert (await run(other, "{ who }", number="2"))[0]["payload"] == {"data": {"who": staying.account.name}}


async def test_an_operation_after_the_session_ended_unheard_closes_the_socket(served: Served) -> None:
    person = await registered_expert()
    async with served.socket() as ws:
        await begin(ws, {"authorization": f"Bearer {person.token}"})
        await Session.filter(id=person.viewer.session_id).update(ended_at=await database_now())  # as if the announcement were lost

        await say(ws, "subscribe", id="1", payload={"query": "{ who }"})

        assert await closing(ws) == (4403, "Session ended")


async def test_a_client_that_says_too_much_is_cut_off(served: Served) -> None:
    async with served.socket() as ws:
        await begin(ws)
        for _ in range(400):
            await say(ws, "pong")

        assert await closing(ws) == (1008, "Too many messages")
