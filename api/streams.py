"""Answers that stay open: Server-Sent Events after the graphql-sse protocol, distinct connections mode."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from typing import Any

import orjson
from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from strawberry.types.execution import ExecutionResult

from api.connections import Connection, Connections, Ending
from api.operations import formatted

HEARTBEAT_SECONDS = 12.0
_SESSION_ENDED = {"data": None, "errors": [{"message": "The session has ended.", "extensions": {"code": "NOT_SIGNED_IN"}}]}


class EventStream(Response):
    """A `next` event for each result and `complete` at the end. The session's end and the process's end close it at once.

    Made only where the client has room for one more; raises TooManyConnectionsError.
    """

    def __init__(
        self, connections: Connections, address: str, results: Callable[[Connection], AsyncGenerator[ExecutionResult, None]]
    ) -> None:
        connections.check_room(address)
        super().__init__(headers={"Cache-Control": "no-store, no-transform", "X-Accel-Buffering": "no"}, media_type="text/event-stream")
        del self.headers["content-length"]
        self._connections = connections
        self._address = address
        self._results = results

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""

        async def write(text: bytes, *, more: bool = True) -> None:
            await send({"type": "http.response.body", "body": text, "more_body": more})

        with self._connections.open(self._address) as connection:
            await send({"type": "http.response.start", "status": self.status_code, "headers": self.raw_headers})
            results = self._results(connection)
            gone = asyncio.create_task(_disconnected(receive))
            ended = asyncio.create_task(connection.ended())
            coming: asyncio.Task[ExecutionResult] | None = None
            try:
                while True:
                    coming = asyncio.create_task(_next(results))
                    while not await _any_done(gone, ended, coming):
                        await write(b":\n\n")  # so that proxies keep the stream open
                    if gone.done():
                        return
                    if not coming.done():
                        break
                    try:
                        result = coming.result()
                    except StopAsyncIteration:
                        break
                    await write(_event(b"next", orjson.dumps(formatted(result))))
                if connection.ending is Ending.SESSION_ENDED:
                    await write(_event(b"next", orjson.dumps(_SESSION_ENDED)))
                await write(_event(b"complete"), more=False)
            finally:
                await _cancel(gone, ended, coming)
                await results.aclose()


def _event(name: bytes, data: bytes = b"") -> bytes:
    return b"event: %s\ndata: %s\n\n" % (name, data)


async def _next(results: AsyncGenerator[ExecutionResult, None]) -> ExecutionResult:
    return await anext(results)


async def _any_done(*tasks: asyncio.Task[Any]) -> bool:
    done, _ = await asyncio.wait(tasks, timeout=HEARTBEAT_SECONDS, return_when=asyncio.FIRST_COMPLETED)
    return bool(done)


async def _cancel(*tasks: asyncio.Task[Any] | None) -> None:
    running = [each for each in tasks if each is not None]
    for each in running:
        each.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
