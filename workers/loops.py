"""Work that is done again and again beside the queue, whatever happens to it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import suppress

import structlog

import tracing

_log = structlog.get_logger(__name__)

_FIRST_PAUSE_SECONDS = 0.5
_LONGEST_PAUSE_SECONDS = 60.0


class Alarm(Exception):
    """Work is held back for a reason that somebody must look into; `code` names it."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Loop:
    """Does its work, rests `pause_seconds` or until `wake` is set, and begins anew. A failure is logged and the next try comes later.

    `delay_seconds` keeps costly work that can wait out of the start of the process.
    """

    def __init__(
        self,
        name: str,
        work: Callable[[], Awaitable[object]],
        *,
        pause_seconds: float,
        delay_seconds: float = 0,
        wake: asyncio.Event | None = None,
    ) -> None:
        self._name = name
        self._work = work
        self._pause_seconds = pause_seconds
        self._delay_seconds = delay_seconds
        self._wake = wake or asyncio.Event()
        self._stopped = asyncio.Event()

    async def run(self) -> None:
        """Return after `stop`, when the work in hand is finished."""
        failures = 0
        if self._delay_seconds:
            await _rest(self._stopped, self._delay_seconds)
        while not self._stopped.is_set():
            try:
                with tracing.under(tracing.new_id()):
                    await self._work()
            except Exception as fault:  # noqa: BLE001  told below; a loop goes on whatever happens
                self._tell(fault)
                await _rest(self._stopped, min(_FIRST_PAUSE_SECONDS * 2**failures, _LONGEST_PAUSE_SECONDS))
                failures = min(failures + 1, 10)
            else:
                failures = 0
                await _rest(self._wake, self._pause_seconds)

    def stop(self) -> None:
        """Let `run` return."""
        self._stopped.set()
        self._wake.set()

    def _tell(self, fault: Exception) -> None:
        if isinstance(fault, Alarm):
            _log.critical("alarm", loop=self._name, code=fault.code)
        else:
            _log.error("loop failed", loop=self._name, exc_info=fault)


async def _rest(until: asyncio.Event, seconds: float) -> None:
    with suppress(TimeoutError):
        await asyncio.wait_for(until.wait(), seconds)
