from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import suppress
from typing import Any

import pytest
import uvicorn

from api.server import ImpatientProtocol


class VeryImpatient(ImpatientProtocol):
    header_seconds = 1.0
    header_bytes = 1000


async def answer(scope: Any, receive: Any, send: Any) -> None:
    while (await receive()).get("more_body"):
        pass
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"4")]})
    await send({"type": "http.response.body", "body": b"done"})


@pytest.fixture
async def port() -> AsyncIterator[int]:
    """Where a server listens that shows clients out after a second."""
    configuration = uvicorn.Config(answer, port=0, http=VeryImpatient, lifespan="off", log_config=None)
    configuration.load()
    server = uvicorn.Server(configuration)
    server.lifespan = configuration.lifespan_class(configuration)
    await server.startup()
    yield server.servers[0].sockets[0].getsockname()[1]
    await server.shutdown()


async def sent(port: int, *parts: bytes, pause: float = 0) -> bytes:
    """All that comes back when the parts are sent one after the other."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    received = b""
    with suppress(ConnectionError):
        for part in parts:
            writer.write(part)
            await writer.drain()
            await asyncio.sleep(pause)
        async with asyncio.timeout(7):
            received = await reader.read()
    writer.close()
    return received


REQUEST = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 6\r\nConnection: close\r\n"


async def test_a_client_that_stays_silent_is_shown_out(port: int) -> None:
    assert await asyncio.wait_for(sent(port), 3) == b""


async def test_a_client_that_does_not_finish_its_headers_is_shown_out(port: int) -> None:
    assert await asyncio.wait_for(sent(port, REQUEST), 3) == b""


async def test_a_client_that_does_not_finish_the_headers_of_a_later_request_is_shown_out(port: int) -> None:
    first = REQUEST.replace(b"Connection: close\r\n", b"") + b"\r\nfirst."

    received = await asyncio.wait_for(sent(port, first, REQUEST, pause=0.1), 4)

    assert received.count(b"200 OK") == 1


async def test_headers_without_end_are_cut_off(port: int) -> None:
    assert await asyncio.wait_for(sent(port, b"GET / HTTP/1.1\r\nX: " + b"y" * 5_000), 0.8) == b""


async def test_a_body_may_take_its_time(port: int) -> None:
    received = await sent(port, REQUEST + b"\r\n", b"sl", b"ow", b"ly", pause=0.5)

    assert received.startswith(b"HTTP/1.1 200 OK")
