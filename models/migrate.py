"""Bring the database to the newest migration, once, whoever asks at the same time."""

from __future__ import annotations

import asyncio
import sys
from dataclasses import replace

import asyncpg
from tortoise import Tortoise
from tortoise.migrations.api import migrate as run_migrations

from models.database import tortoise_config
from settings import Settings, settings

_LOCK = 0x65787065  # any constant: one lock for this product


async def migrate(configuration: Settings) -> None:
    """Apply what is missing under an advisory lock; a second caller waits and then finds nothing to do."""
    guard = await asyncpg.connect(configuration.database_url)
    try:
        await guard.execute("SELECT pg_advisory_lock($1)", _LOCK)
        try:
            # Rows of a whole province are moved in one statement, which takes longer than any of the API may.
            await run_migrations(config=tortoise_config(replace(configuration, statement_timeout_ms=0)))
        finally:
            await Tortoise.close_connections()
    finally:
        await guard.close()


if __name__ == "__main__":
    sys.exit(asyncio.run(migrate(settings())))
