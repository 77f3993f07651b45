from __future__ import annotations

import asyncio
import random
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import replace

import asyncpg
import pytest
from tortoise.exceptions import OperationalError, TransactionManagementError

from models import database
from models.database import close_database, end_rest, execute, fetch, in_transaction, open_database, pool, rows, take_turns, transaction
from settings import Settings

CANCELS = 3_000
AT_ONCE = 24
POOL = 5


@pytest.fixture
async def pairs(database: Settings) -> None:
    """A table in which every number shall stand twice or not at all; a small pool, so that tasks also wait for it."""
    await close_database()
    await open_database(replace(database, database_pool_size=POOL))
    await execute("CREATE TABLE IF NOT EXISTS pairs (number int, half int)")
    await execute("TRUNCATE pairs")


async def write_pair(number: int) -> None:
    async with transaction():
        await execute("INSERT INTO pairs VALUES ($1, 1)", number)
        async with transaction():
            await execute("INSERT INTO pairs VALUES ($1, 2)", number)


async def whole_pool() -> None:
    """Every connection is there, free, outside any transaction, and answers."""
    await end_rest()
    async with asyncio.timeout(10):
        connections = await asyncio.gather(*(pool().acquire() for _ in range(POOL)))
        assert [each.is_in_transaction() for each in connections] == [False] * POOL
        assert [await each.fetchval("SELECT 1") for each in connections] == [1] * POOL
        await asyncio.gather(*(pool().release(each) for each in connections))
    assert (pool().get_size(), pool().get_idle_size()) == (POOL, POOL)


async def halves() -> Counter[int]:
    """How many numbers stand once, twice, …"""
    found = await rows("SELECT number, count(*) AS halves FROM pairs GROUP BY number")
    return Counter(each["halves"] for each in found)


async def seconds_of(work: Awaitable[None]) -> float:
    begun = time.monotonic()
    await work
    return time.monotonic() - begun


async def test_after_three_thousand_cancellations_the_pool_is_whole_and_no_pair_is_torn(pairs: None) -> None:
    chance = random.Random(20260302)
    longest = await seconds_of(write_pair(-1)) * AT_ONCE / POOL
    finished = 0

    async def cancelled_somewhere(number: int) -> None:
        nonlocal finished
        task = asyncio.create_task(write_pair(number))
        await asyncio.sleep(chance.random() * longest)
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task
            finished += 1

    for begin in range(0, CANCELS, AT_ONCE):
        await asyncio.gather(*(cancelled_somewhere(number) for number in range(begin, begin + AT_ONCE)))

    await whole_pool()
    kept = await halves()
    assert set(kept) == {2}
    assert finished < kept[2] < CANCELS  # a task that was cancelled in its COMMIT may have committed
    assert finished < CANCELS * 0.9  # the cancellations did hit something


async def write_pair_then(work: Awaitable[object]) -> None:
    async with transaction():
        await write_pair(1)
        await work


async def test_an_exception_rolls_everything_back_the_nested_part_too(pairs: None) -> None:
    async def fail() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        await write_pair_then(fail())

    assert await halves() == Counter()
    await whole_pool()


async def test_a_body_that_swallows_a_database_error_cannot_commit_half(pairs: None) -> None:
    async def swallow() -> None:
        with suppress(OperationalError):
            await rows("SELECT 1 / 0")
        await execute("INSERT INTO pairs VALUES (2, 1)")

    with pytest.raises(TransactionManagementError):
        await write_pair_then(swallow())

    assert await halves() == Counter()
    await whole_pool()


async def test_a_connection_that_dies_in_a_transaction_is_replaced(pairs: None) -> None:
    with pytest.raises((asyncpg.PostgresError, asyncpg.InterfaceError, OSError)):
        await write_pair_then(rows("SELECT pg_terminate_backend(pg_backend_pid())"))

    assert await halves() == Counter()
    await whole_pool()


async def test_a_task_knows_whether_it_is_in_a_transaction(pairs: None) -> None:
    assert not in_transaction()
    async with transaction():
        assert in_transaction()
        async with transaction():
            assert in_transaction()
        assert in_transaction()
    assert not in_transaction()


async def test_who_counts_the_same_takes_turns_and_nobody_waits_for_ever(pairs: None) -> None:
    inside: Counter[bytes] = Counter()
    most: Counter[bytes] = Counter()

    async def count(*digests: bytes) -> None:
        async with transaction():
            await take_turns(*digests)
            inside.update(digests)
            most.update({each: inside[each] - most[each] for each in digests if inside[each] > most[each]})
            await asyncio.sleep(0.002)
            inside.subtract(digests)

    one, two = b"one digest of many bytes", b"\xffother digest of many bytes"

    await asyncio.gather(*(count(*order) for order in [(one, two), (two, one), (one,), (two,)] * 5))

    assert most == Counter({one: 1, two: 1})
    await whole_pool()


async def refused_by_asyncpg() -> None:
    """A statement that PostgreSQL has parsed and whose values it never gets, as when a request is broken off between the two."""
    with pytest.raises(asyncpg.DataError):
        await fetch("SELECT $1::int FROM pairs", [2**40])


async def refused_by_asyncpg_for_tortoise() -> None:
    with pytest.raises(OperationalError):
        await execute("UPDATE pairs SET number = $1", 2**40)


async def cancelled() -> None:
    task = asyncio.create_task(rows("SELECT count(*) FROM pairs, pg_sleep(5)"))
    await asyncio.sleep(0.2)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


@pytest.mark.parametrize("broken_off", [refused_by_asyncpg, refused_by_asyncpg_for_tortoise, cancelled])
async def test_a_statement_broken_off_holds_no_lock_and_its_time_does_not_run_on(
    pairs: None, broken_off: Callable[[], Awaitable[None]]
) -> None:
    await broken_off()

    held = "SELECT count(*) AS held FROM pg_locks WHERE relation = 'pairs'::regclass"
    assert [each["held"] for each in await rows(held)] == [0]
    others = "SELECT state FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid() AND state <> 'idle'"
    assert list(await rows(others)) == []
    await whole_pool()


@asynccontextmanager
async def transactions(number: int) -> AsyncIterator[None]:
    """So many transactions are open inside the block."""
    over = asyncio.Event()

    async def hold() -> None:
        async with transaction():
            await over.wait()

    holding = [asyncio.create_task(hold()) for _ in range(number)]
    await asyncio.sleep(0.1)
    try:
        yield
    finally:
        over.set()
        await asyncio.gather(*holding)


async def test_a_connection_that_comes_free_goes_to_who_waits_for_it(pairs: None) -> None:
    async with transactions(POOL - 1), asyncio.timeout(5):
        last = asyncio.create_task(fetch("SELECT pg_sleep(0.3)", ()))
        await asyncio.sleep(0.1)

        waited = [asyncio.create_task(each) for each in (fetch("SELECT 1", ()), execute("DELETE FROM pairs"))]
        await asyncio.sleep(0)
        assert database._waiting == 2

        await asyncio.gather(last, *waited)
    await whole_pool()


async def test_statements_of_tortoise_are_answered_by_connections_that_rest(pairs: None) -> None:
    async with transactions(POOL - 2), asyncio.timeout(5):
        await asyncio.gather(*(fetch("SELECT pg_sleep(0.1)", ()) for _ in range(2)))  # the rest of the pool, resting beside it now

        assert await execute("DELETE FROM pairs") == 0
    await whole_pool()
