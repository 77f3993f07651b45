"""A province of invented experts, written straight into the tables: for trying and measuring at full size, in development mode alone."""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections.abc import Sequence
from time import monotonic
from typing import Any

import asyncpg

from demonstration.province.life import people
from demonstration.province.somebody import Batch
from demonstration.province.tables import COLUMNS
from demonstration.province.world import MOST_PEOPLE, PASSWORD, World, ids_of_people, number_and_seed, read_world
from models.database import opened_database
from settings import Settings

BATCH = 1_000
"""Experts of one transaction: what was committed stays when the command is interrupted, and a repeat goes on behind it."""


class OtherSeed(Exception):
    """The province was invented from another seed; mixing two would double people."""


async def _seeded(connection: Any, seed: int) -> int:
    """How many experts are there already. Raises OtherSeed."""
    last = await connection.fetchval("SELECT id FROM experts WHERE id >= $1 AND id < $2 ORDER BY id DESC LIMIT 1", *ids_of_people())
    if last is None:
        return 0
    number, from_seed = number_and_seed(last)
    if from_seed != seed:
        raise OtherSeed(from_seed)
    return number + 1


async def _begun(connection: Any, world: World, numbers: range) -> asyncio.Task[Batch]:
    """A batch that another thread makes."""
    found = await connection.fetch("SELECT nextval('expert_numbers') AS n FROM generate_series(1, $1)", len(numbers))
    return asyncio.create_task(asyncio.to_thread(people, world, numbers, [row["n"] for row in found]))


async def seed_experts(experts: int, *, seed: int, configuration: Settings, tell: Any = None) -> int:
    """Bring the number of invented experts up to `experts`; how many were added. Call with the database open.

    The session writes as a replica would, so that no trigger hinders rows of frozen revisions: foreign keys are not checked either, the
    data have to be right by themselves. This needs a superuser of PostgreSQL. Raises OtherSeed.
    """
    connection = await asyncpg.connect(configuration.database_url)
    try:
        await connection.execute("SET session_replication_role = replica; SET statement_timeout = 0")
        await connection.execute("SELECT pg_advisory_lock(hashtext('seed'))")
        before = await _seeded(connection, seed)
        if before >= experts:
            return 0
        world = await read_world(seed, configuration)
        batches = [range(first, min(first + BATCH, experts)) for first in range(before, experts, BATCH)]
        made = await _begun(connection, world, batches[0])
        for numbers, following in zip(batches, [*batches[1:], None], strict=True):
            batch = await made
            if following:  # is made while PostgreSQL takes this one
                made = await _begun(connection, world, following)
            async with connection.transaction():
                for table, rows in batch.rows.items():
                    await connection.copy_records_to_table(table, records=rows, columns=COLUMNS[table])
            if tell:
                tell(numbers.stop - before, experts - before)
        for table in COLUMNS:
            await connection.execute(f"VACUUM (ANALYZE) {table}")
        return experts - before
    finally:
        await connection.close()


class Progress:
    """A line on the terminal that tells how far the work is."""

    def __init__(self) -> None:
        self._began = monotonic()

    def __call__(self, done: int, of: int) -> None:
        """Draw it anew."""
        seconds = monotonic() - self._began
        bar = "█" * (30 * done // of)
        left = seconds / done * (of - done)
        end = "\n" if done == of else ""
        print(f"\r{bar:░<30} {done:,} of {of:,} experts, {done / seconds:,.0f}/s, {left:.0f} s left ", end=end, flush=True)


async def run(arguments: Sequence[str], configuration: Settings) -> int:
    """`seed [--experts N] [--seed S]`; the exit status."""
    parser = argparse.ArgumentParser(prog="run.py seed", description="Invent a province of experts, for trying and measuring.")
    parser.add_argument("--experts", type=int, default=1_000, help="how many there shall be; a repeat adds what is missing (default 1000)")
    parser.add_argument("--seed", type=int, default=1, help="another number gives other people (0 to 65535)")
    chosen = parser.parse_args(arguments)
    if not configuration.development:
        print("Invented people are for development mode alone.", file=sys.stderr)
        return 2
    if not (0 <= chosen.seed < 2**16 and 0 < chosen.experts < MOST_PEOPLE):
        parser.error(f"--seed is 0 to 65535, --experts 1 to {MOST_PEOPLE - 1}")
    began = monotonic()
    try:
        async with opened_database(configuration):
            added = await seed_experts(chosen.experts, seed=chosen.seed, configuration=configuration, tell=Progress())
    except OtherSeed as other:
        print(f"The province here was invented with --seed {other}; go on with that, or take an empty database.", file=sys.stderr)
        return 1
    print(f"{added:,} experts added in {monotonic() - began:.0f} s; every account's password is {PASSWORD}")
    return 0
