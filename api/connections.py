"""What is open in this process: sockets and event streams, by the session they belong to, each to be ended at once."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum
from uuid import UUID

from api.bodies import BadRequestError
from domain.rules.network import network

_RETRY_SECONDS = 10


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


class TooManyConnectionsError(BadRequestError):
    """A client address holds too much open already."""

    def __init__(self) -> None:
        message = "Too many sockets and event streams are open from your address; close some, or use one socket for many operations."
        super().__init__(429, "TOO_MANY_CONNECTIONS", message, retry_after_seconds=_RETRY_SECONDS)


class Connections:
    """All open connections of this process, of which one client address holds `most_of_one` at most (0: any number)."""

    def __init__(self, most_of_one: int = 0) -> None:
        self._open: set[Connection] = set()
        self._of_clients: Counter[str] = Counter()
        self._most_of_one = most_of_one
        self._closing = False

    def __len__(self) -> int:
        return len(self._open)

    def check_room(self, address: str) -> None:
        """Raise TooManyConnectionsError where a client holds as many open as it may; they cost little each, and descriptors are few."""
        if self._most_of_one and self._of_clients[network(address)] >= self._most_of_one:
            raise TooManyConnectionsError

    @contextmanager
    def open(self, address: str) -> Iterator[Connection]:
        """Count a connection of a client as open; while the process stops it is ended at once."""
        connection, client = Connection(None), network(address)
        if self._closing:
            connection.end(Ending.GOING_AWAY)
        self._open.add(connection)
        self._of_clients[client] += 1
        try:
            yield connection
        finally:
            self._open.discard(connection)
            self._of_clients[client] -= 1
            if not self._of_clients[client]:
                del self._of_clients[client]

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
