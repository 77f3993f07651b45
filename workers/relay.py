"""Promises on their way to the verbs that keep them: heard of, swept for, hinted to the queue or delivered here."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

import structlog

import tracing
from domain.actions import exports, outbox, sms
from domain.actions.outbox import Due
from domain.actions.promises import HINTS
from domain.rules.delivery import pause_after
from models.database import transaction
from models.listening import LOST, listening
from models.outbox import OutboxRow
from settings import settings
from workers.queue import Hints, QueueAway

_log = structlog.get_logger(__name__)

_HERE_AT_ONCE = 20
_WITHOUT_QUEUE_SECONDS = 5.0
_UNHEARD = 1_000
_PROBE_SECONDS = 15.0
_LENGTHY_AT_ONCE = 2
_FULL_PAUSE = timedelta(seconds=2)


@dataclass(frozen=True, slots=True)
class Kind:
    """How promises of one kind are kept. `keep` writes the outcome into the row; `give_up` tells the subject that its row is dead.

    What is `lengthy` may take longer than a lease and than a job of the queue: it is kept beside them, its lease extended meanwhile.
    """

    keep: Callable[[OutboxRow], Awaitable[None]]
    give_up: Callable[[UUID, str], Awaitable[None]]
    lengthy: bool = False


def kinds(gateway: sms.Gateway) -> Mapping[str, Kind]:
    """Every kind of promise that this version knows; rows of another kind wait for a worker that does."""

    async def send(row: OutboxRow) -> None:
        await sms.dispatch(row, gateway)

    return {"SMS": Kind(send, sms.give_up), exports.PROMISE: Kind(exports.make, exports.give_up, lengthy=True)}


class Relay:
    """Brings due promises to their verbs. Everything may happen twice, in several processes, at the same time."""

    def __init__(self, known: Mapping[str, Kind], hints: Hints, database_url: str) -> None:
        self._kinds = known
        self._hints = hints
        self._database_url = database_url
        self._here = asyncio.Semaphore(_HERE_AT_ONCE)
        self._lengthy: set[asyncio.Task[None]] = set()
        self._announced: list[Due] = []
        self._without_queue_until = 0.0
        self.heard = asyncio.Event()
        """Set when promises were announced: time for `pass_on_heard`."""
        self.missed = asyncio.Event()
        """Set when promises may have been announced that nobody heard: time for `sweep`."""

    async def deliver(self, promise_id: UUID) -> None:
        """Keep one promise, unless another process has it. What goes wrong is written into the row; raised is only what cannot be."""
        row = await outbox.claim(promise_id, self._kinds)
        if row is None:
            return
        if not self._kinds[row.kind].lengthy:
            await self._keep(row)
        elif len(self._lengthy) < _LENGTHY_AT_ONCE:
            task = asyncio.create_task(self._keep_lengthy(row))
            self._lengthy.add(task)
            task.add_done_callback(self._lengthy.discard)
        else:
            await outbox.postpone(row, _FULL_PAUSE)

    async def stop_lengthy(self) -> None:
        """Break off what takes long and give it back, for another process to do it anew."""
        for task in self._lengthy:
            task.cancel()
        await asyncio.gather(*self._lengthy, return_exceptions=True)

    async def sweep(self) -> None:
        """Pass on what is due, whatever was heard; bury what killed every worker that tried it."""
        self.missed.clear()
        async with transaction():
            for row in await outbox.bury_exhausted(self._kinds):
                await self._kinds[row.kind].give_up(row.subject_id, row.last_error or "")
                _log.error("promise dead", promise=row.kind, correlation_id=_id_of(row), attempts=row.attempts)
        await self._pass_on(await outbox.due(self._kinds))

    async def pass_on_heard(self) -> None:
        """Pass on what was announced since the last time."""
        self.heard.clear()
        announced, self._announced = self._announced, []
        await self._pass_on(announced)

    async def listen(self) -> None:
        """Hear of promises as they are committed, until the connection is lost."""
        try:
            async with listening(self._database_url, HINTS, self._hear, application_name=outbox.LISTENER) as ear:
                self.missed.set()
                while await ear.stay(_PROBE_SECONDS):
                    pass
        except LOST as lost:
            raise ConnectionError(type(lost).__qualname__) from lost
        raise ConnectionError("closed")

    def _hear(self, payload: str) -> None:
        if len(self._announced) < _UNHEARD:
            self._announced.append(Due(UUID(payload), 0))
            self.heard.set()
        else:
            self.missed.set()

    async def _pass_on(self, promises: Sequence[Due]) -> None:
        """To the queue, where any worker takes them; delivered here where there is no queue."""
        if not promises:
            return
        if time.monotonic() >= self._without_queue_until:
            try:
                await self._hints.give(promises)
            except QueueAway as away:
                _log.warning("queue away", kind=str(away))
                self._without_queue_until = time.monotonic() + _WITHOUT_QUEUE_SECONDS
            else:
                return
        outcomes = await asyncio.gather(*(self._deliver_here(each.id) for each in promises), return_exceptions=True)
        if faults := [each for each in outcomes if isinstance(each, Exception)]:
            raise faults[0]

    async def _deliver_here(self, promise_id: UUID) -> None:
        async with self._here:
            await self.deliver(promise_id)

    async def _keep(self, row: OutboxRow) -> None:
        with tracing.under(_id_of(row)), tracing.span(f"promise {row.kind}", attempt=row.attempts):
            try:
                await self._kinds[row.kind].keep(row)
                _log.info("promise tried", promise=row.kind, attempts=row.attempts)
            except Exception as fault:  # noqa: BLE001  whatever a verb stumbles over, its row must be tried again or buried
                _log.error("promise failed", promise=row.kind, attempts=row.attempts, exc_info=fault)
                await self._failed(row, type(fault).__qualname__)

    async def _keep_lengthy(self, row: OutboxRow) -> None:
        """Keep a promise and its lease, until it is kept, the lease is lost, or the process stops."""
        keeping = asyncio.create_task(self._keep(row))
        try:
            while not (await asyncio.wait({keeping}, timeout=settings().outbox_lease_seconds / 3))[0]:
                if not await outbox.extend(row):
                    _log.warning("claim lost", promise=row.kind, correlation_id=_id_of(row))
                    break
        except asyncio.CancelledError:
            await _ended(keeping)
            await outbox.postpone(row, timedelta(0))
            raise
        except Exception as fault:  # noqa: BLE001  the database is away: the row comes back by its lease
            _log.error("promise broken off", promise=row.kind, correlation_id=_id_of(row), exc_info=fault)
        await _ended(keeping)

    async def _failed(self, row: OutboxRow, error: str) -> None:
        pause = pause_after(row.attempts, jitter=random.random())  # noqa: S311  spreads load, keeps no secret
        async with transaction():
            if await outbox.failed(row, error, again_in=pause) and pause is None:
                await self._kinds[row.kind].give_up(row.subject_id, error)


def _id_of(row: OutboxRow) -> str:
    """Under which id a promise is kept: that of its cause; its own where that had none."""
    return row.correlation_id or row.id.hex


async def _ended(task: asyncio.Task[None]) -> None:
    """Return when a task is over, which it is at once if it was not."""
    task.cancel()
    if isinstance(fault := (await asyncio.gather(task, return_exceptions=True))[0], Exception):
        _log.error("promise broken off", exc_info=fault)  # its row comes back by its lease
