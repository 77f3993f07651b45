from __future__ import annotations

import asyncio

import pytest

from domain.actions import sessions
from models.database import database_now
from settings import Settings
from tests import cases
from tests.api.test_processes import kill_connections
from tests.people import officer, provincial_officer, registered_expert
from tests.serving import Served, Start, begin, closing, heard, say

MOVED = "subscription { applicationMoved { id stage } }"
QUEUE = "subscription { queueChanged { stage application { id stage } } }"


@pytest.fixture(scope="module")
def product(start: Start) -> Served:
    """The product's own application."""
    return start()


async def test_an_expert_and_the_offices_concerned_see_a_case_move_and_nobody_else(product: Served) -> None:
    person = await registered_expert()
    await cases.complete_profile(person.viewer)
    changchun, jilin, stranger = await officer("220199"), await officer("220299"), await registered_expert()
    listeners = {"expert": (person, MOVED), "office": (changchun, QUEUE), "elsewhere": (jilin, QUEUE), "stranger": (stranger, MOVED)}
    sockets = {}
    for name, (who, query) in listeners.items():
        sockets[name] = await product.socket()
        await begin(sockets[name], {"authorization": f"Bearer {who.token}"})
        await say(sockets[name], "subscribe", id="1", payload={"query": query})
    await asyncio.sleep(0.5)

    case = await cases.submit(person.viewer)

    told = {"id": f"Application_{case.id}", "stage": "FIRST_REVIEW"}
    assert (await heard(sockets["expert"]))["payload"] == {"data": {"applicationMoved": told}}
    assert (await heard(sockets["office"]))["payload"] == {"data": {"queueChanged": {"stage": "FIRST_REVIEW", "application": told}}}
    for name in ("elsewhere", "stranger"):
        with pytest.raises(TimeoutError):
            await heard(sockets[name], 0.3)
    for each in sockets.values():
        await each.close()


async def test_leaving_all_devices_cuts_every_open_subscription_at_once(product: Served) -> None:
    who = await provincial_officer()
    sockets = [await product.socket(), await product.socket()]
    for each in sockets:
        await begin(each, {"authorization": f"Bearer {who.token}"})
        await say(each, "subscribe", id="1", payload={"query": QUEUE})
    await asyncio.sleep(0.3)

    await sessions.close_all(viewer=who.viewer, now=await database_now())

    assert [await closing(each, 1) for each in sockets] == [(4403, "Session ended")] * 2


async def test_an_expert_has_no_queue_to_listen_to(product: Served) -> None:
    person = await registered_expert()
    async with product.socket() as ws:
        await begin(ws, {"authorization": f"Bearer {person.token}"})
        await say(ws, "subscribe", id="1", payload={"query": QUEUE})

        said = await heard(ws)

    errors = said["payload"] if said["type"] == "error" else said["payload"]["errors"]
    assert errors[0]["extensions"]["code"] == "NOT_ALLOWED"


async def test_after_a_gap_an_expert_is_told_where_the_case_stands(product: Served, database: Settings) -> None:
    person, case = await cases.submitted_case()
    named = f'subscription {{ applicationMoved(applicationId: "Application_{case.id}") {{ id stage }} }}'
    async with product.socket() as own, product.socket() as office, product.socket() as idle:
        for ws, who, query in (
            (own, person, MOVED),
            (office, await officer("220199"), named),
            (idle, await registered_expert(), MOVED),
        ):
            await begin(ws, {"authorization": f"Bearer {who.token}"})
            await say(ws, "subscribe", id="1", payload={"query": query})
        await asyncio.sleep(0.5)

        await kill_connections(database, "expert-registry listener")

        told = {"data": {"applicationMoved": {"id": f"Application_{case.id}", "stage": "FIRST_REVIEW"}}}
        assert [(await heard(ws))["payload"] for ws in (own, office)] == [told, told]
        with pytest.raises(TimeoutError):
            await heard(idle, 0.3)


async def test_one_account_has_so_many_subscriptions_open_and_no_more(start: Start) -> None:
    product, who = start(account_subscriptions=2), await provincial_officer()
    async with product.socket() as one, product.socket() as other:
        for ws in (one, other):
            await begin(ws, {"authorization": f"Bearer {who.token}"})
        for ws, number in ((one, "1"), (other, "1"), (other, "2")):
            await say(ws, "subscribe", id=number, payload={"query": QUEUE})
            await asyncio.sleep(0.3)

        refused = await heard(other)
        await say(one, "complete", id="1")
        await asyncio.sleep(0.3)
        await say(other, "subscribe", id="3", payload={"query": QUEUE})

        assert (refused["id"], refused["type"], refused["payload"][0]["extensions"]) == ("2", "error", {"code": "TOO_MANY_SUBSCRIPTIONS"})
        with pytest.raises(TimeoutError):
            await heard(other, 0.5)
