"""Promises on their way to the verbs that keep them: heard of, swept for, hinted to the queue or delivered here."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import structlog
from structlog.contextvars import bound_contextvars

from domain.actions import outbox, sms
from domain.actions.outbox import Due
from domain.actions.promises import HINTS
from domain.rules.delivery import pause_after
from models.database import transaction
from models.listening import LOST, listening
from models.outbox import OutboxRow
from workers.queue import Hints, QueueAway

_log = structlog.get_logger(__name__)

_HERE_AT_ONCE = 20
_WITHOUT_QUEUE_SECONDS = 5.0
_UNHEARD = 1_000
_PROBE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Kind:
    """How promises of one kind are kept. `keep` writes the outcome into the row; `give_up` tells the subject that its row is dead."""

    keep: Callable[[OutboxRow], Awaitable[None]]
    give_up: Callable[[UUID, str], Awaitable[None]]


def kinds(gateway: sms.Gateway) -> Mapping[str, Kind]:
    """Every kind of promise that this version knows; rows of another kind wait for a worker that does."""

    async def send(row: OutboxRow) -> None:
        await sms.dispatch(row, gateway)

    return {"SMS": Kind(send, sms.give_up)}


class Relay:
    """Brings due promises to their verbs. Everything may happen twice, in several processes, at the same time."""

    def __init__(self, known: Mapping[str, Kind], hints: Hints, database_url: str) -> None:
        self._kinds = known
        self._hints = hints
        self._database_url = database_url
        self._here = asyncio.Semaphore(_HERE_AT_ONCE)
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
        with bound_contextvars(correlation_id=str(row.id)):
            try:
                await self._kinds[row.kind].keep(row)
                _log.info("promise tried", promise=row.kind, attempts=row.attempts)
            except Exception as fault:  # noqa: BLE001  whatever a verb stumbles over, its row must be tried again or buried
                _log.error("promise failed", promise=row.kind, attempts=row.attempts, exc_info=fault)
                await self._failed(row, type(fault).__qualname__)

    async def sweep(self) -> None:
        """Pass on what is due, whatever was heard; bury what killed every worker that tried it."""
        self.missed.clear()
        async with transaction():
            for row in await outbox.bury_exhausted(self._kinds):
                await self._kinds[row.kind].give_up(row.subject_id, row.last_error or "")
                _log.error("promise dead", promise=row.kind, correlation_id=str(row.id), attempts=row.attempts)
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

    async def _failed(self, row: OutboxRow, error: str) -> None:
        pause = pause_after(row.attempts, jitter=random.random())  # noqa: S311  spreads load, keeps no secret
        async with transaction():
            if await outbox.failed(row, error, again_in=pause) and pause is None:
                await self._kinds[row.kind].give_up(row.subject_id, error)
