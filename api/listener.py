"""Announcements of committed changes: heard on one database connection, handed to every subscription of this process."""

from __future__ import annotations

import asyncio
import random
from collections import deque
from collections.abc import AsyncGenerator, Awaitable, Callable, Collection, Mapping, Sequence
from contextlib import suppress
from typing import Protocol
from uuid import UUID

import orjson
import structlog

from api.connections import Connection, Connections
from domain.actions.promises import EVENTS
from models.listening import LOST, Ear, listening
from schema.faults import record_fault

log = structlog.get_logger("api.listener")

Event = Mapping[str, str]
RESYNC: Event = {"event": "resync"}
"""Something was missed (the database was away, or the subscriber was slow): read again what may have changed."""
QUEUE = 100
"""Announcements that wait for one subscriber; beyond, they give way to one RESYNC."""
PROBE_SECONDS = 15.0
FIRST_PAUSE_SECONDS = 0.1
LONGEST_PAUSE_SECONDS = 5.0


class Subscriber:
    """The announcements that one subscription wants and has not yet taken."""

    def __init__(self, wanted: Callable[[Event], bool]) -> None:
        self._wanted = wanted
        self._waiting: deque[Event] = deque()
        self._arrived = asyncio.Event()
        self._stopped = False

    def put(self, event: Event) -> None:
        """Queue an announcement if it is wanted."""
        if not self._wanted(event):
            return
        if len(self._waiting) >= QUEUE:
            self._waiting.clear()
            event = RESYNC
        self._waiting.append(event)
        self._arrived.set()

    def stop(self, _: object = None) -> None:
        """Let `take` return None, whatever waits."""
        self._stopped = True
        self._arrived.set()

    async def take(self) -> Event | None:
        """The next announcement, None after `stop`."""
        while not self._stopped and not self._waiting:
            self._arrived.clear()
            await self._arrived.wait()
        return None if self._stopped else self._waiting.popleft()


class Watcher(Protocol):
    """Something of this process that every announcement is handed to."""

    def put(self, event: Event) -> None:
        """Take note; called in the loop, must not wait."""


class Listener:
    """Hears announcements from `start` to `stop`, connecting again for as long as it takes.

    `still_open` tells which sessions still are; it is asked now and then and after every gap, so that none outlives its end on a socket.
    """

    def __init__(
        self, database_url: str, connections: Connections, still_open: Callable[[Sequence[UUID]], Awaitable[Collection[UUID]]]
    ) -> None:
        self._database_url = database_url
        self._connections = connections
        self._still_open = still_open
        self._subscribers: set[Watcher] = set()
        self._task: asyncio.Task[None] | None = None
        self._tried = asyncio.Event()
        self.connected = False

    async def start(self) -> None:
        """Begin to listen; returns when the first connection stands or has failed, further ones are made beside."""
        self._task = asyncio.create_task(self._run())
        await self._tried.wait()

    async def stop(self) -> None:
        """Give the connection back."""
        if self._task is not None:
            self._task.cancel()
            with suppress(asyncio.CancelledError):
                await self._task

    def watch(self, watcher: Watcher) -> None:
        """Hand every announcement to `watcher` for as long as the process runs."""
        self._subscribers.add(watcher)

    async def listen(self, wanted: Callable[[Event], bool], connection: Connection) -> AsyncGenerator[Event, None]:
        """Wanted announcements from now on, until the connection on which they go out is ended."""
        subscriber = Subscriber(wanted)
        self._subscribers.add(subscriber)
        try:
            with connection.at_end(subscriber.stop):
                while (event := await subscriber.take()) is not None:
                    yield event
        finally:
            self._subscribers.discard(subscriber)

    def hear(self, payload: str) -> None:
        """Hand one announcement on."""
        event: Event = orjson.loads(payload)
        if event["event"] == "sessionEnded":
            self._connections.end_session(UUID(event["session_id"]))
        else:
            self._hand_on(event)

    def _hand_on(self, event: Event) -> None:
        for each in list(self._subscribers):
            try:
                each.put(event)
            except Exception as fault:  # noqa: BLE001  one filter that fails must not keep the others from hearing
                record_fault(fault, announcement=event["event"])

    async def _run(self) -> None:
        pause = FIRST_PAUSE_SECONDS
        while True:
            try:
                async with listening(self._database_url, EVENTS, self.hear, application_name="expert-registry listener") as ear:
                    pause = FIRST_PAUSE_SECONDS
                    self.connected = True
                    await self._stay(ear)
            except LOST as lost:
                log.warning("listener lost", kind=type(lost).__qualname__)
            except Exception as fault:  # noqa: BLE001  whatever it is, others want to hear on
                record_fault(fault, path="listener")
            self.connected = False
            self._tried.set()
            await asyncio.sleep(pause * random.uniform(0.5, 1))  # noqa: S311  spreads the processes, no secret
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _stay(self, ear: Ear) -> None:
        """Return when the connection is gone. Whoever listened before may have missed something."""
        self._hand_on(RESYNC)
        self._tried.set()
        await self._end_dead_sessions()
        while await ear.stay(PROBE_SECONDS):
            await self._end_dead_sessions()

    async def _end_dead_sessions(self) -> None:
        sessions = self._connections.sessions()
        if not sessions:
            return
        for each in set(sessions) - set(await self._still_open(sessions)):
            self._connections.end_session(each)
