"""The server under the application: uvicorn with the limits and manners of the product."""

from __future__ import annotations

import asyncio
import resource
from contextlib import suppress
from typing import Any

import uvicorn
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from api.bodies import ARRIVED
from settings import Settings

STOP_SECONDS = 3
"""What is still being answered when the process is asked to stop may take so long; open subscriptions are ended at once."""


class ImpatientProtocol(HttpToolsProtocol):
    """uvicorn's HTTP with limits on headers: it waits for them for ever, and takes any amount of them.

    A client has `header_seconds` from connecting, or from the first byte of a later request, and `header_bytes`. The scope of a request
    tells by the extension `bodies.ARRIVED` that nothing of it is still to come.
    """

    header_seconds = 10.0
    header_bytes = 64 * 2**10

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._until: float | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]  # as uvicorn has it
        """A client connects."""
        super().connection_made(transport)
        self._await_headers()

    def on_message_begin(self) -> None:
        """A request begins."""
        super().on_message_begin()
        self._await_headers()

    def on_headers_complete(self) -> None:
        """Its headers are here."""
        self._until = None
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The whole request is here."""
        self.scope.setdefault("extensions", {})[ARRIVED] = {}
        super().on_message_complete()

    def data_received(self, data: bytes) -> None:
        """Bytes of headers or body."""
        super().data_received(data)
        if self._until is not None:
            self._received += len(data)
            if self._received > self.header_bytes:
                self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """The client is gone."""
        if self._timer is not None:
            self._timer.cancel()
        super().connection_lost(exc)

    def _await_headers(self) -> None:
        self._received = 0
        self._until = self.loop.time() + self.header_seconds
        if self._timer is None:  # one that runs is left alone, and looks again: requests come more often than it rings
            self._timer = self.loop.call_at(self._until, self._ring)

    def _ring(self) -> None:
        self._timer = None
        if self._until is None:
            return
        if self.loop.time() < self._until:
            self._timer = self.loop.call_at(self._until, self._ring)
        else:
            self.transport.close()


class SparingSocketProtocol(WebSocketsSansIOProtocol):
    """uvicorn's WebSockets, without answers to pings of a client that does not read them: it would keep them all in memory."""

    def handle_ping(self) -> None:
        """A ping. Of several the last one alone need be answered (RFC 6455, 5.5.3)."""
        if self.writable.is_set():
            super().handle_ping()
        else:
            self.conn.data_to_send()


def allow_descriptors() -> None:
    """As many open files and sockets as the system lets this process have; the usual 1 024 are soon used up."""
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    with suppress(ValueError, OSError):  # macOS says "unlimited" and means less
        resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))


def server(application: str, settings: Settings) -> uvicorn.Server:
    """A server for the application that the named factory makes, `module:function`; call `run()` to serve until SIGTERM or SIGINT."""
    allow_descriptors()
    return uvicorn.Server(
        uvicorn.Config(
            application,
            factory=True,
            host=settings.host,
            port=settings.port,
            loop="uvloop",
            http=ImpatientProtocol,
            ws=SparingSocketProtocol,
            ws_max_size=settings.body_max_bytes,
            ws_per_message_deflate=False,  # spares 64 KiB a socket; messages are short
            lifespan="on",
            log_config=None,  # the product logs
            access_log=False,
            server_header=False,
            proxy_headers=False,  # the product decides which proxies it believes
            timeout_graceful_shutdown=STOP_SECONDS,
        )
    )
