"""What is open in this process: sockets and event streams, by the session they belong to, each to be ended at once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from uuid import UUID


class Ending(Enum):
    """Why the server ends a connection, with the WebSocket close code that tells it."""

    SESSION_ENDED = 4403
    GOING_AWAY = 1001


class Connection:
    """One open socket or stream. `session_id` is None while nobody is signed in on it."""

    def __init__(self, session_id: UUID | None) -> None:
        self.session_id = session_id
        self._ended: asyncio.Future[Ending] = asyncio.get_running_loop().create_future()

    @property
    def ending(self) -> Ending | None:
        """Why it is being ended, None while it stays open."""
        return self._ended.result() if self._ended.done() else None

    def end(self, why: Ending) -> None:
        """Ask whoever serves the connection to end it; a repeat changes nothing."""
        if not self._ended.done():
            self._ended.set_result(why)

    async def ended(self) -> Ending:
        """Wait for the end."""
        return await asyncio.shield(self._ended)

    @contextmanager
    def at_end(self, call: Callable[[object], object]) -> Iterator[None]:
        """Have something called when the connection is ended meanwhile."""
        self._ended.add_done_callback(call)
        try:
            yield
        finally:
            self._ended.remove_done_callback(call)


class Connections:
    """All open connections of this process."""

    def __init__(self) -> None:
        self._open: set[Connection] = set()
        self._closing = False

    def __len__(self) -> int:
        return len(self._open)

    @contextmanager
    def open(self, session_id: UUID | None = None) -> Iterator[Connection]:
        """Count a connection as open; while the process stops it is ended at once."""
        connection = Connection(session_id)
        if self._closing:
            connection.end(Ending.GOING_AWAY)
        self._open.add(connection)
        try:
            yield connection
        finally:
            self._open.discard(connection)

    def sessions(self) -> list[UUID]:
        """The sessions that have something open."""
        return list({each.session_id for each in self._open if each.session_id is not None})

    def end_session(self, session_id: UUID) -> None:
        """End everything that a session has open."""
        for each in self._open:
            if each.session_id == session_id:
                each.end(Ending.SESSION_ENDED)

    def end_all(self) -> None:
        """End everything, now and from now on: the process stops."""
        self._closing = True
        for each in self._open:
            each.end(Ending.GOING_AWAY)
