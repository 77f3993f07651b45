from __future__ import annotations

import importlib
from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.actions import clock as registry_clock
from domain.rules.errors import InvalidInput, NotAllowed
from models.database import database_now, execute, pool, rows
from settings import Settings
from tests.conftest import Clock


async def test_until_it_is_moved_the_clock_is_the_machines_own_and_costs_nothing(database: Settings) -> None:
    async with pool().acquire() as other:
        running_ahead = await other.prepare("SELECT registry_now() - statement_timestamp()")
        before = await running_ahead.fetchval()
        planned = await rows("EXPLAIN (VERBOSE, COSTS OFF) SELECT registry_now()")
        await registry_clock.move(60, settings=database)
        after = await running_ahead.fetchval()

    assert (before, after) == (timedelta(0), timedelta(seconds=60))
    assert [each["QUERY PLAN"].strip() for each in planned] == ["Result", "Output: statement_timestamp()"]


async def test_a_clock_that_was_moved_by_an_older_version_stands_as_it_did(clock: Clock) -> None:
    moved = await clock.move(hours=1)
    [operation] = importlib.import_module("models.migrations.0029_time_of_the_machine").Migration.operations

    await execute(operation.sql)

    assert timedelta(0) <= await clock.now() - moved < timedelta(seconds=5)


async def test_moves_add_up(clock: Clock) -> None:
    before = await clock.now()

    await clock.move(days=3)
    moved = await clock.move(hours=2)

    assert timedelta(days=3, hours=2) <= moved - before < timedelta(days=3, hours=2, seconds=5)


@pytest.mark.parametrize("seconds", [-1, 3_700_000_000])
async def test_the_clock_neither_goes_back_nor_out_of_the_calendar(database: Settings, seconds: int) -> None:
    before = await database_now()

    with pytest.raises(InvalidInput) as refusal:
        await registry_clock.move(seconds, settings=database)

    assert [(each.path, each.code) for each in refusal.value.problems] == [("seconds", "CLOCK_RANGE")]
    assert await database_now() - before < timedelta(seconds=5)


async def test_outside_development_the_clock_cannot_be_moved(database: Settings, change_settings: Callable[..., Settings]) -> None:
    before = await database_now()
    production = change_settings(development=False)

    with pytest.raises(NotAllowed) as refusal:
        await registry_clock.move(60, settings=production)

    assert refusal.value.code == "DEVELOPMENT_ONLY"
    assert await database_now() - before < timedelta(seconds=5)
