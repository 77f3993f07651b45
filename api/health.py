"""Whether this process lives, whether it is ready and why not, and its metrics."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass

from prometheus_client import Gauge
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from api.connections import Connections
from api.listener import Listener
from api.metrics import OPEN_CONNECTIONS, exposition
from api.security import client_address
from domain.actions import outbox, publicity, sms
from models.listening import LOST
from settings import Settings

PATIENCE_SECONDS = 2.0
LATE_SECONDS = 300.0
"""Age of the oldest due promise beyond which later work is called slow."""

OUTBOX = Gauge("registry_outbox", "Promises in the outbox: waiting, of these due, and dead ones that need an operator.", ("state",))
OUTBOX_LATE_SECONDS = Gauge("registry_outbox_late_seconds", "Since when the oldest due promise is due.")
WORKERS = Gauge("registry_workers", "Workers that listen to the outbox.")
LATE_NOTICES = Gauge("registry_late_notices", "Public notices that are over and not closed yet.")
LATE_NOTICES_SECONDS = Gauge("registry_late_notices_seconds", "For how long the first of them has been over.")
MESSAGES = Gauge("registry_messages", "SMS of the last 24 hours by state and provider.", ("state", "provider"))

HELD_UP = Gauge("registry_messages_held_up", "SMS of the last 24 hours that the provider last refused for credentials, credit or template.")


@dataclass(frozen=True, slots=True)
class Check:
    """One line of readiness. What is not `needed` only makes the answer say more."""

    name: str
    reason: str | None
    needed: bool = False


class Health:
    """Answers of /livez, /readyz and /metrics."""

    def __init__(self, settings: Settings, listener: Listener, connections: Connections) -> None:
        self._settings = settings
        self._listener = listener
        self._connections = connections

    def routes(self) -> list[Route]:
        """For the application."""
        return [Route("/livez", self.live), Route("/readyz", self.ready), Route("/metrics", self.metrics)]

    async def live(self, _: Request) -> Response:
        """200 as long as requests are served at all."""
        return JSONResponse({"live": True})

    async def ready(self, _: Request) -> Response:
        """200 when this process can do its work, else 503; the checks say what is missing, also where it can wait."""
        checks = await self._checks()
        ready = all(each.reason is None for each in checks if each.needed)
        lines = [{"name": each.name, "ok": each.reason is None} | ({"reason": each.reason} if each.reason else {}) for each in checks]
        return JSONResponse({"ready": ready, "checks": lines}, 200 if ready else 503)

    async def metrics(self, request: Request) -> Response:
        """For Prometheus, from the addresses of the settings; looks like nothing to others."""
        if client_address(request, self._settings) not in self._settings.metrics_addresses:
            raise HTTPException(404)
        OPEN_CONNECTIONS.set(len(self._connections))
        with suppress(*LOST):  # then the rest is told as it was last known
            async with asyncio.timeout(PATIENCE_SECONDS):
                await _measure()
        return exposition()

    async def _depth(self) -> outbox.Depth | None:
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                return await outbox.depth()
        except LOST:
            return None

    async def _checks(self) -> Sequence[Check]:
        depth = await self._depth()
        if depth is None:
            return [Check("database", "does not answer", needed=True)]
        return [
            Check("database", None, needed=True),
            Check("announcements", None if self._listener.connected else "not heard: subscriptions are late"),
            Check("worker", None if depth.workers else "none is running: messages wait"),
            Check("outbox", None if depth.late_seconds < LATE_SECONDS else f"late by {depth.late_seconds:.0f} s"),
            Check("promises", None if not depth.dead else f"{depth.dead} were given up: see the outbox"),
        ]


async def _measure() -> None:
    """Ask the database for everything that later work is judged by."""
    depth = await outbox.depth()
    OUTBOX.labels("waiting").set(depth.waiting)
    OUTBOX.labels("due").set(depth.due)
    OUTBOX.labels("dead").set(depth.dead)
    OUTBOX_LATE_SECONDS.set(depth.late_seconds)
    WORKERS.set(depth.workers)
    notices, seconds = await publicity.late()
    LATE_NOTICES.set(notices)
    LATE_NOTICES_SECONDS.set(seconds)
    MESSAGES.clear()
    for state, provider, count in await sms.counts():
        MESSAGES.labels(state.value, provider).set(count)
    HELD_UP.set(await sms.held_up())
