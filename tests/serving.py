"""Processes of the product that listen, for tests that talk to them over real sockets."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed
from websockets.typing import Subprotocol

from settings import Settings, variable

ROOT = Path(__file__).resolve().parents[1]
PRODUCT = "api.app:create_app"
STANDIN = "tests.api.standin:create_app"
"""Its schema has fields that fail, wait and overflow."""
_RUN = "import sys; from api.server import server; from settings import settings; server(sys.argv[1], settings()).run()"


@dataclass
class Served:
    """A process of the product that listens."""

    process: subprocess.Popen[bytes]
    port: int
    log: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def endpoint(self) -> str:
        return f"{self.url}/graphql"

    def said(self) -> str:
        return self.log.read_text()

    def memory_mib(self) -> float:
        return _memory_mib(self.process.pid)

    def stop(self) -> float:
        """Ask it to end as supervisors do; the seconds it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        return time.monotonic() - began

    async def post(self, query: str, variables: Any = None, headers: dict[str, str] | None = None, **rest: Any) -> Any:
        """Ask by POST in JSON; the decoded answer."""
        async with talk() as client:
            answer = await client.post(self.endpoint, json={"query": query, "variables": variables} | rest, headers=headers)
            return answer.json()

    def socket(self, **options: Any) -> connect:
        """A WebSocket that speaks the protocol of the product."""
        return connect(
            f"ws://127.0.0.1:{self.port}/graphql", **({"subprotocols": [Subprotocol("graphql-transport-ws")], "proxy": None} | options)
        )


def _memory_mib(process: int | str) -> float:
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) / 1024


def own_memory_mib() -> float:
    """What the process of the tests has in memory."""
    return _memory_mib("self")


def talk(**options: Any) -> httpx.AsyncClient:
    """A client; without certificates, which take a tenth of a second to load and serve nothing here."""
    return httpx.AsyncClient(**({"verify": False, "trust_env": False, "timeout": 20} | options))


async def say(ws: ClientConnection, kind: str, **rest: Any) -> None:
    await ws.send(json.dumps({"type": kind} | rest))


async def heard(ws: ClientConnection, seconds: float = 5) -> dict[str, Any]:
    async with asyncio.timeout(seconds):
        found: dict[str, Any] = json.loads(await ws.recv())
    return found


async def begin(ws: ClientConnection, payload: dict[str, Any] | None = None) -> None:
    await say(ws, "connection_init", **({"payload": payload} if payload is not None else {}))
    assert (await heard(ws))["type"] == "connection_ack"


async def closing(ws: ClientConnection, seconds: float = 5) -> tuple[int | None, str | None]:
    """Code and reason of the end of a socket, whatever is said before."""
    async with asyncio.timeout(seconds):
        with suppress(ConnectionClosed):
            while True:
                await ws.recv()
    return ws.close_code, ws.close_reason


def answers(served: Served) -> bool:
    try:
        return httpx.get(f"{served.url}/livez", verify=False, trust_env=False).is_success
    except httpx.TransportError:
        return False


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


Start = Callable[..., Served]
"""`start(app, operation_seconds=1)` runs an application under changed settings."""


@contextmanager
def processes(database: Settings, logs: Path) -> Iterator[Start]:
    """Start processes on one database; they end with the block."""
    running: list[Served] = []

    def start(app: str = PRODUCT, **changes: Any) -> Served:
        chosen = {"database_url": database.database_url, "secret_key": database.secret_key, "port": str(free_port())}
        chosen |= {"development": "1", "staff_second_factor": "0"}
        environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1"}
        environment |= {variable(name): str(value) for name, value in (chosen | changes).items()}
        log = logs / f"{len(running)}.log"
        with log.open("wb") as output:
            process = subprocess.Popen([sys.executable, "-c", _RUN, app], cwd=ROOT, env=environment, stdout=output, stderr=output)
        served = Served(process, int(chosen["port"]), log)
        running.append(served)
        deadline = time.monotonic() + 60
        while not answers(served):
            assert process.poll() is None, served.said()
            assert time.monotonic() < deadline, served.said()
            time.sleep(0.05)
        return served

    try:
        yield start
    finally:
        for each in running:
            each.process.kill()
            each.process.wait()
