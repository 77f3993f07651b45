"""Hearing what PostgreSQL announces, on a connection of its own that no pool knows."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress

import asyncpg

LOST = (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError)
"""What `listening` and `Ear.stay` raise when the database is away; listen again after a pause."""


class Ear:
    """An open connection that listens."""

    def __init__(self, connection: asyncpg.Connection[asyncpg.Record]) -> None:
        self._connection = connection
        self._gone = asyncio.Event()
        connection.add_termination_listener(lambda _: self._gone.set())

    async def stay(self, seconds: float) -> bool:
        """Wait, at most that long, while the connection stands; False when it is gone. A silent one is asked for a sign of life."""
        with suppress(TimeoutError):
            await asyncio.wait_for(self._gone.wait(), seconds)
            return False
        await self._connection.execute("SELECT 1", timeout=5)
        return True


@asynccontextmanager
async def listening(database_url: str, channel: str, hear: Callable[[str], None], *, application_name: str) -> AsyncIterator[Ear]:
    """Listen to a channel inside the block; `hear` gets each payload. What is announced while nobody listens is lost."""
    connection = await asyncpg.connect(database_url, timeout=10, server_settings={"application_name": application_name})
    try:
        await connection.add_listener(channel, lambda _connection, _pid, _channel, payload: hear(payload))
        yield Ear(connection)
    finally:
        connection.terminate()
