from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from urllib.parse import urlsplit

import asyncpg
import httpx
import pytest

from models.accounts import Session
from models.database import database_now
from settings import Settings
from tests.people import registered_expert
from tests.serving import STANDIN, Served, Start, begin, closing, heard, say, talk


@contextlib.asynccontextmanager
async def stream(served: Served, query: str) -> AsyncIterator[httpx.Response]:
    async with (
        talk() as client,
        client.stream("POST", served.endpoint, json={"query": query}, headers={"accept": "text/event-stream"}) as answer,
    ):
        yield answer


async def test_a_process_that_is_asked_to_stop_ends_open_sockets_and_streams_and_is_gone(start: Start) -> None:
    served = start(STANDIN, operation_seconds=10)
    async with served.socket() as ws, stream(served, 'subscription { heard(of: "x") }') as answer:
        await begin(ws)
        await say(ws, "subscribe", id="1", payload={"query": 'subscription { heard(of: "x") }'})
        await asyncio.sleep(0.3)

        seconds = await asyncio.to_thread(served.stop)

        assert (await closing(ws, 1))[0] in (1001, 1012)
        assert "event: complete" in (await answer.aread()).decode()
    assert seconds < 2


async def test_a_process_waits_three_seconds_for_what_it_is_answering_and_no_longer(start: Start) -> None:
    served = start(STANDIN, operation_seconds=30)
    short = asyncio.create_task(served.post("{ wait(seconds: 1) }"))
    long = asyncio.create_task(served.post("{ wait(seconds: 25) }"))
    await asyncio.sleep(0.5)

    seconds = await asyncio.to_thread(served.stop)

    assert await short == {"data": {"wait": 1.0}}
    with pytest.raises((httpx.TransportError, ValueError, AssertionError)):
        assert "data" in await long
    assert 2 < seconds < 5


async def kill_connections(database: Settings, application_name: str) -> None:
    connection = await asyncpg.connect(database.database_url)
    try:
        await connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()",
            application_name,
        )
    finally:
        await connection.close()


async def test_after_a_gap_every_subscription_is_told_to_read_again(served: Served, database: Settings) -> None:
    async with served.socket() as ws:
        await begin(ws)
        await say(ws, "subscribe", id="1", payload={"query": 'subscription { heard(of: "rain") }'})
        await asyncio.sleep(0.3)

        await kill_connections(database, "expert-registry listener")

        assert (await heard(ws))["payload"] == {"data": {"heard": "resync"}}
        await served.post('mutation { say(event: "rain", word: "again") }')
        assert (await heard(ws))["payload"] == {"data": {"heard": "again"}}


async def test_a_session_that_ended_in_a_gap_is_found_when_listening_again(served: Served, database: Settings) -> None:
    person = await registered_expert()
    async with served.socket() as ws:
        await begin(ws, {"authorization": f"Bearer {person.token}"})
        await Session.filter(id=person.viewer.session_id).update(ended_at=await database_now())

        await kill_connections(database, "expert-registry listener")

        assert (await closing(ws))[0] == 4403


async def test_queries_survive_the_loss_of_every_connection_of_the_pool(served: Served, database: Settings) -> None:
    await asyncio.gather(*(served.post('{ stored(text: "a") }') for _ in range(20)))
    await kill_connections(database, "expert-registry")

    answers = await asyncio.gather(*(served.post('{ stored(text: "a") }') for _ in range(20)))

    assert answers == [{"data": {"stored": "a"}}] * 20


async def test_readiness_tells_what_is_missing(served: Served, start: Start) -> None:
    async with talk() as client:
        ready = await client.get(f"{served.url}/readyz")
        live = await client.get(f"{served.url}/livez")

    assert (ready.status_code, live.json()) == (200, {"live": True})
    assert ready.json()["ready"] is True
    assert {each["name"]: each["ok"] for each in ready.json()["checks"]} == {
        "database": True,
        "announcements": True,
        "worker": False,
        "outbox": True,
        "promises": True,
    }
    assert next(each["reason"] for each in ready.json()["checks"] if each["name"] == "worker") == "none is running: messages wait"


class Door:
    """A door before the database that can be shut."""

    def __init__(self, database: Settings) -> None:
        self._parts = urlsplit(database.database_url)
        self._writers: list[asyncio.StreamWriter] = []
        self._open = True
        self._server: asyncio.Server | None = None

    async def build(self) -> str:
        """The address of the database through this door."""
        self._server = await asyncio.start_server(self._enter, "127.0.0.1", 0)
        port = self._server.sockets[0].getsockname()[1]
        return self._parts._replace(netloc=f"{self._parts.username}:{self._parts.password or ''}@127.0.0.1:{port}").geturl()

    def shut(self) -> None:
        """Cut what goes through, let nobody in."""
        self._open = False
        for each in self._writers:
            each.transport.abort()

    def reopen(self) -> None:
        self._open = True

    async def remove(self) -> None:
        assert self._server is not None
        self._server.close()
        self.shut()
        await asyncio.sleep(0.1)

    async def _enter(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if not self._open:
            writer.transport.abort()
            return
        inside, outside = await asyncio.open_connection(self._parts.hostname, self._parts.port)
        self._writers += [writer, outside]
        await asyncio.gather(self._copy(reader, outside), self._copy(inside, writer))

    @staticmethod
    async def _copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        with contextlib.suppress(OSError):
            while data := await source.read(65536):
                target.write(data)
                await target.drain()
        target.transport.abort()


@pytest.fixture
async def door(database: Settings) -> AsyncIterator[Door]:
    made = Door(database)
    yield made
    await made.remove()


async def test_while_the_database_is_away_requests_are_told_so_and_later_they_are_answered(start: Start, door: Door) -> None:
    url = await door.build()
    served = await asyncio.to_thread(start, STANDIN, database_url=url)
    async with talk() as client:

        async def ask() -> httpx.Response:
            return await client.post(served.endpoint, json={"query": '{ stored(text: "a") }'})

        assert (await ask()).json() == {"data": {"stored": "a"}}

        door.shut()
        refused = await ask()
        ready = await client.get(f"{served.url}/readyz")
        live = await client.get(f"{served.url}/livez")
        door.reopen()
        answer = await ask()

    assert (refused.status_code, refused.json()["errors"][0]["extensions"]["code"]) == (503, "SERVICE_UNAVAILABLE")
    assert (ready.status_code, ready.json()["checks"]) == (503, [{"name": "database", "ok": False, "reason": "does not answer"}])
    assert live.status_code == 200
    assert answer.json() == {"data": {"stored": "a"}}
    assert "fault" not in served.said()


async def test_an_interrupt_ends_a_process_too(start: Start) -> None:
    served = start(STANDIN)

    os.kill(served.process.pid, signal.SIGINT)

    assert await asyncio.to_thread(served.process.wait, 5) in (0, -signal.SIGINT, 130)
