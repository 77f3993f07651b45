"""PostgreSQL loses its power under a process of the product, which is not restarted for it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

import asyncpg
import httpx
import pytest

import embedded
from models.sealing import phone_hash
from settings import Settings
from tests.people import some_phone
from tests.processes.test_backup import run
from tests.serving import PRODUCT, Served, processes, talk

POOL = 3
SEND = "mutation Send($input: PhoneCodeSendInput!) { phoneCodeSend(input: $input) { __typename ... on Problem { code } } }"
READ = "{ publicNotices { totalCount } }"
SENT = (200, {"data": {"phoneCodeSend": {"__typename": "PhoneCodeSent"}}})
FOUND = (200, {"data": {"publicNotices": {"totalCount": 0}}})


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Postgres]:
    """A server of this module alone, which keeps what it has committed."""
    server = embedded.Postgres(tmp_path_factory.mktemp("servers") / "postgres")
    server.start()
    yield server
    server.stop()


@pytest.fixture(scope="module")
def served(server: embedded.Postgres, database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    """The product on a copy of this module's database."""
    dump = tmp_path_factory.mktemp("dump") / "dump"
    run(server, "pg_dump", "--format=custom", f"--file={dump}", database.database_url)
    run(server, "pg_restore", "--no-owner", "--exit-on-error", f"--dbname={server.url}", str(dump))
    with processes(replace(database, database_url=server.url), tmp_path_factory.mktemp("served")) as start:
        patient = {"lock_timeout_ms": 30_000, "statement_timeout_ms": 30_000, "operation_seconds": 30}
        yield start(PRODUCT, database_pool_size=POOL, phone_codes_per_address_hour=1_000, **patient)


@pytest.fixture
async def client(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    async with talk(base_url=served.url) as opened:
        yield opened


async def answered(client: httpx.AsyncClient, query: str, variables: Any = None) -> tuple[int, Any]:
    answer = await client.post("/graphql", json={"query": query, "variables": variables})
    return answer.status_code, answer.json()


async def sent(client: httpx.AsyncClient, *phones: str) -> list[tuple[int, Any]]:
    """Ask for a code for each of the phones, all at once."""
    return await asyncio.gather(*(answered(client, SEND, {"input": {"phone": each, "purpose": "REGISTER"}}) for each in phones))


def some_phones(count: int) -> list[str]:
    return [some_phone() for _ in range(count)]


def is_unavailable(answer: tuple[int, Any]) -> bool:
    """Refused before anything ran, or by the mutation as a member of its union."""
    status, said = answer
    if status == 503:
        return [each["extensions"]["code"] for each in said["errors"]] == ["SERVICE_UNAVAILABLE"]
    return answer == (200, {"data": {"phoneCodeSend": {"__typename": "Unavailable", "code": "SERVICE_UNAVAILABLE"}}})


@asynccontextmanager
async def held_up(server: embedded.Postgres) -> AsyncIterator[asyncpg.Connection[Any]]:
    """Nobody writes a code until the block ends."""
    holder = await asyncpg.connect(server.url)
    try:
        await holder.execute("BEGIN; LOCK TABLE phone_codes IN EXCLUSIVE MODE")
        yield holder
    finally:
        await holder.close()


async def all_wait(holder: asyncpg.Connection[Any]) -> None:
    """Return when every connection that the process may have waits in a transaction of its own."""
    waiting = "SELECT count(DISTINCT pid) FROM pg_locks WHERE NOT granted"  # pg_stat_activity stands still in a transaction
    async with asyncio.timeout(15):
        while await holder.fetchval(waiting) != POOL:  # noqa: ASYNC110  they are in other processes
            await asyncio.sleep(0.02)


async def is_ready(client: httpx.AsyncClient) -> None:
    """Return when the process says that it lacks nothing but a worker."""
    async with asyncio.timeout(15):
        while {each["name"] for each in (await client.get("/readyz")).json()["checks"] if not each["ok"]} != {"worker"}:  # noqa: ASYNC110
            await asyncio.sleep(0.1)


async def written(server: embedded.Postgres, phones: list[str]) -> list[tuple[int, int, int]]:
    """Codes, messages and promises for each of the phones."""
    reader = await asyncpg.connect(server.url)
    try:
        return [
            tuple(
                await reader.fetchrow(
                    """SELECT count(c), count(m), count(p) FROM phone_codes c
                       FULL JOIN sms_messages m ON m.phone_code_id = c.id FULL JOIN outbox p ON p.subject_id = m.id
                       WHERE c.phone_hash = $1""",
                    phone_hash(each),
                )
            )
            for each in phones
        ]
    finally:
        await reader.close()


async def test_after_a_crash_of_postgresql_everything_is_answered_by_the_same_process_on_as_many_connections(
    server: embedded.Postgres, served: Served, client: httpx.AsyncClient
) -> None:
    before, caught, after = some_phones(POOL), some_phones(POOL + 2), some_phones(POOL + 2)
    answers_before = await sent(client, *before)
    during: dict[str, tuple[int, Any]] = {}
    reads = []

    async with held_up(server) as holder:
        asked = asyncio.create_task(sent(client, *caught))
        await all_wait(holder)
        crash = asyncio.create_task(asyncio.to_thread(server.restart, "immediate"))
        while not crash.done():
            [phone] = some_phones(1)
            reads.append(await answered(client, READ))
            [during[phone]] = await sent(client, phone)
    answers_caught = await asked
    reads_after = [await answered(client, READ) for _ in range(POOL)]
    async with held_up(server) as holder:
        asked = asyncio.create_task(sent(client, *after))
        await all_wait(holder)
        await holder.execute("ROLLBACK")
        answers_after = await asked

    assert answers_before == [SENT] * len(before)
    assert all(map(is_unavailable, answers_caught)), answers_caught
    assert await written(server, caught) == [(0, 0, 0)] * len(caught)
    assert any(map(is_unavailable, reads))
    assert all(each == FOUND or is_unavailable(each) for each in reads), reads
    assert all(each == SENT or is_unavailable(each) for each in during.values()), during
    assert await written(server, list(during)) == [(1, 1, 1) if each == SENT else (0, 0, 0) for each in during.values()]
    assert reads_after == [FOUND] * POOL
    assert answers_after == [SENT] * len(after)
    assert await written(server, before + after) == [(1, 1, 1)] * len(before + after)
    await is_ready(client)
    assert "fault" not in served.said()
