from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import httpx
import orjson

from domain.actions import sessions
from models.database import database_now
from tests.people import registered_expert
from tests.serving import Served, talk

EVENTS = {"accept": "text/event-stream"}


async def events(answer: httpx.Response) -> AsyncIterator[tuple[str, Any]]:
    name = ""
    async for line in answer.aiter_lines():
        field, _, value = line.partition(": ")
        if field == "event":
            name = value
        elif field.startswith("data"):
            yield name, orjson.loads(value) if value else None


async def all_events(served: Served, query: str, **headers: str) -> list[tuple[str, Any]]:
    async with (
        talk() as client,
        client.stream("POST", served.endpoint, json={"query": query}, headers=EVENTS | headers) as answer,
    ):
        assert answer.status_code == 200
        assert answer.headers["content-type"] == "text/event-stream; charset=utf-8"
        assert answer.headers["x-content-type-options"] == "nosniff"
        return [each async for each in events(answer)]


async def test_a_subscription_is_a_next_for_each_result_and_complete(served: Served) -> None:
    said = await all_events(served, "subscription { count(to: 2) }")

    assert said == [("next", {"data": {"count": 0}}), ("next", {"data": {"count": 1}}), ("complete", None)]


async def test_any_operation_may_be_asked_for_as_events(served: Served) -> None:
    assert await all_events(served, "{ __typename }") == [("next", {"data": {"__typename": "Query"}}), ("complete", None)]
    assert (await all_events(served, "mutation { noCookie }"))[0] == ("next", {"data": {"noCookie": True}})


async def test_a_client_that_takes_both_gets_json_for_queries_and_events_for_subscriptions(served: Served) -> None:
    accept = {"accept": "application/graphql-response+json, application/json, text/event-stream, multipart/mixed"}
    async with talk() as client:
        query = await client.post(served.endpoint, json={"query": "{ __typename }"}, headers=accept)
        subscription = await client.post(served.endpoint, json={"query": "subscription { count(to: 1) }"}, headers=accept)

    assert query.headers["content-type"] == "application/graphql-response+json; charset=utf-8"
    assert subscription.headers["content-type"] == "text/event-stream; charset=utf-8"


async def test_a_subscription_may_be_opened_by_get(served: Served) -> None:
    async with talk() as client:
        answer = await client.get(served.endpoint, params={"query": "subscription { count(to: 1) }"}, headers=EVENTS)
        mutation = await client.get(served.endpoint, params={"query": "mutation { noCookie }"}, headers=EVENTS)

    assert answer.text == 'event: next\ndata: {"data":{"count":0}}\n\nevent: complete\ndata: \n\n'
    assert mutation.status_code == 405


async def test_a_refused_document_is_answered_in_json(served: Served) -> None:
    async with talk() as client:
        answer = await client.post(served.endpoint, json={"query": "subscription { nothing }"}, headers=EVENTS)

    assert (answer.status_code, answer.headers["content-type"]) == (400, "application/graphql-response+json; charset=utf-8")


async def test_faults_leave_a_stream_masked(served: Served) -> None:
    said = await all_events(served, "subscription { broken }")

    assert said[0] == ("next", {"data": {"broken": 1}})
    assert said[1][1]["errors"][0]["extensions"]["code"] == "INTERNAL_ERROR"
    assert "secret" not in str(said)
    assert said[-1] == ("complete", None)


async def test_an_announcement_reaches_a_stream(served: Served) -> None:
    async def speak() -> None:
        await asyncio.sleep(0.5)
        await served.post('mutation { say(event: "wind", word: "cold") }')

    speaking = asyncio.create_task(speak())
    async with (
        talk() as client,
        client.stream("POST", served.endpoint, json={"query": 'subscription { heard(of: "wind") }'}, headers=EVENTS) as answer,
    ):
        said = await anext(events(answer))
    await speaking

    assert said == ("next", {"data": {"heard": "cold"}})


async def test_the_end_of_a_session_ends_its_streams_at_once(served: Served) -> None:
    person = await registered_expert()

    async def leave() -> None:
        await asyncio.sleep(0.5)
        await sessions.close_all(viewer=person.viewer, now=await database_now())

    leaving = asyncio.create_task(leave())
    said = await asyncio.wait_for(all_events(served, "subscription { signedIn }", authorization=f"Bearer {person.token}"), 3)
    await leaving

    assert said[0] == ("next", {"data": {"signedIn": person.account.name}})
    assert said[1][1]["errors"][0]["extensions"]["code"] == "NOT_SIGNED_IN"
    assert said[2:] == [("complete", None)]


async def test_a_stream_without_a_session_tells_that_it_needs_one(served: Served) -> None:
    said = await all_events(served, "subscription { signedIn }")

    assert said[0][1]["errors"][0]["extensions"]["code"] == "NOT_SIGNED_IN"


async def test_a_client_that_leaves_is_forgotten(served: Served) -> None:
    async def open_ones() -> str:
        async with talk() as client:
            lines = (await client.get(f"{served.url}/metrics")).text.splitlines()
        return next(line for line in lines if line.startswith("registry_open_connections "))

    before = await open_ones()
    async with (
        talk() as client,
        client.stream("POST", served.endpoint, json={"query": 'subscription { heard(of: "x") }'}, headers=EVENTS),
    ):
        during = await open_ones()
    after = during
    for _ in range(100):
        after = await open_ones()
        if after == before:
            break
        await asyncio.sleep(0.05)

    assert after == before
    assert float(during.split()[1]) == float(before.split()[1]) + 1
