"""The contenders: how each is started and asked, and how the peers among them are installed."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import embedded
import run as product
from bench.load import ask, cpu_seconds, resident_mib
from bench.operations import MUTATION, OPERATIONS, Measured
from bench.peers.postgraphile import questions as of_postgraphile
from bench.peers.strawberry_django import questions as of_django
from bench.world import ROOT, SECRET, World

HERE = ROOT / "bench"
PEERS = HERE / "peers"
WORKER_SECONDS = 5.0
EVERY = tuple(each.name for each in (*OPERATIONS, MUTATION))


@dataclass(slots=True)
class Contender:
    """A server and how it is asked. `paths` of those without GraphQL name an endpoint by operation."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    graphql: bool = True
    operations: tuple[str, ...] = EVERY
    documents: Mapping[str, str] | None = None
    """By operation, where it is asked in words of its own: then cases are named by their key."""
    shaped: Callable[[str, Any], Any] | None = None
    """Puts the answer to an operation into the shape of ours; cursors are then its own too."""
    prepare: Path | None = None
    """SQL that makes what it needs in the database."""
    port: int = 0
    process: subprocess.Popen[bytes] | None = None
    start_cpu: float = 0
    """Seconds of CPU until it listened."""
    start_mib: float = 0
    """Resident memory when it listened."""

    def start(self, world: World, *, seconds: float = 30.0) -> None:
        """Start it and wait until it listens, so many seconds at most."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = probe.getsockname()[1]
        environment = {
            "PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "PORT": str(self.port), "DATABASE_URL": world.configuration.database_url,
            "BENCH_STATEMENTS": str(world.statements), "BENCH_TOKEN": world.token, "NODE_ENV": "production",
            "REGISTRY_DEVELOPMENT": "0", "REGISTRY_SECRET_KEY": SECRET, "REGISTRY_DATA_DIR": str(world.configuration.data_dir),
            # One client asks as fast as many: counted as ever, but never refused.
            "REGISTRY_REQUESTS_PER_SECOND_ACCOUNT": "1000000", "REGISTRY_REQUESTS_PER_SECOND_ADDRESS": "1000000",
            "REGISTRY_PORT": str(self.port), "BENCH_SCHEMA": str(ROOT / "schema" / "schema.graphql"), **self.environment,
        }  # fmt: skip
        command = [each.replace("{port}", str(self.port)) for each in self.command]
        log = (world.configuration.data_dir / f"{self.name.replace(' ', '-')}.log").open("wb")
        self.process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                self.start_cpu, self.start_mib = cpu_seconds([self.process.pid]), resident_mib(self.process.pid)
                return
            time.sleep(0.01)
        raise SystemExit(f"{self.name} does not start; see {log.name}")

    def stop(self) -> None:
        """End it."""
        if self.process:
            self.process.terminate()
            try:
                self.process.wait(10)
            except subprocess.TimeoutExpired:
                self.process.kill()

    def request(self, operation: Measured, world: World, case: str | None) -> bytes:
        """One request as bytes, kept alive."""
        authorization = f"Authorization: Bearer {world.token}\r\n" if operation.signed_in else ""
        if self.graphql:
            document = self.documents[operation.name] if self.documents else operation.document
            variables = {"id": case if self.documents else f"Application_{case}"} if case else {}
            body = json.dumps({"query": document, "variables": variables}).encode()
            line = "POST /graphql HTTP/1.1"
        elif operation is MUTATION:
            body = json.dumps({"stage": "SECOND_REVIEW", "opinion": "材料齐全，同意"}).encode()
            line = f"POST /approve/{case} HTTP/1.1"
        else:
            body, line = b"", f"GET /{operation.name.replace(' ', '%20')}{f'/{case}' if case else ''} HTTP/1.1"
        kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        return f"{line}\r\nHost: 127.0.0.1:{self.port}\r\nAccept: application/json\r\n{authorization}{kind}\r\n".encode() + body

    async def answer(self, operation: Measured, world: World, case: str | None) -> Any:
        """The answer to one request, in the shape of ours."""
        found = json.loads(await ask(self.port, self.request(operation, world, case)))
        return self.shaped(operation.name, found) if self.shaped else found


def contenders(chosen: set[str] | None) -> list[Contender]:
    """All there are; peers only where they are installed."""
    python, serve = str(product.PYTHON), str(HERE / "contenders" / "serve.py")
    reads = tuple(each.name for each in OPERATIONS)
    ours = "bench.contenders.ordinary"
    found = [
        Contender("ours", [own_python(), "-c", "import run; run.api([])"]),  # `run.py api` would go on in its own environment
        Contender("hand-written", [python, serve, "bench.contenders.handwritten:create_app", "{port}"], graphql=False),
        Contender("bare ASGI", [python, serve, "bench.contenders.handwritten:bare", "{port}"], graphql=False, operations=reads),
        Contender("ordinary executor", [python, serve, f"{ours}:create_app", "{port}"]),
        Contender("ours, nothing kept", [python, serve, f"{ours}:nothing_kept", "{port}"], operations=("notices",)),
    ]
    mercurius = PEERS / "mercurius"
    if (mercurius / "node_modules" / "mercurius").exists():
        found.append(Contender("Mercurius", [node(mercurius), str(mercurius / "server.js")]))
    ariadne = HERE / ".data" / "ariadne" / "bin" / "python"
    if ariadne.exists():
        found.append(Contender("Ariadne", [str(ariadne), str(PEERS / "ariadne" / "serve.py"), "{port}"]))
    postgraphile = PEERS / "postgraphile"
    if (postgraphile / "node_modules" / "postgraphile").exists():
        made = Contender("PostGraphile", [node(postgraphile), str(postgraphile / "server.js")], {"GRAPHILE_ENV": "production"})
        made.documents, made.shaped, made.prepare = of_postgraphile.DOCUMENTS, of_postgraphile.shaped, postgraphile / "views.sql"
        found.append(made)
    django = HERE / ".data" / "strawberry_django" / "bin" / "python"
    if django.exists():
        made = Contender("strawberry-django", [str(django), str(PEERS / "strawberry_django" / "serve.py"), "{port}"])
        made.documents, made.shaped = of_django.DOCUMENTS, of_django.shaped
        found.append(made)
    return [each for each in found if chosen is None or each.name in chosen or each.name == "ours"]


def worker_figures(world: World) -> dict[str, float]:
    """A worker's CPU until it has started, its memory then and after some seconds of sweeping."""
    directory = world.configuration.data_dir
    queue = embedded.Valkey(directory / "valkey")
    environment = {
        "PATH": os.environ["PATH"], "DATABASE_URL": world.configuration.database_url, "REDIS_URL": queue.start(),
        "REGISTRY_DEVELOPMENT": "0", "REGISTRY_SECRET_KEY": SECRET, "REGISTRY_DATA_DIR": str(directory),
    }  # fmt: skip
    path = directory / "worker.log"
    with path.open("wb") as log:
        command = [own_python(), "-c", "import run; run.worker([])"]
        process = subprocess.Popen(command, env=environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT)
    try:
        deadline = time.monotonic() + 30
        while "worker started" not in path.read_text():
            if process.poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"the worker does not start; see {path}")
            time.sleep(0.01)
        figures = {"start_cpu": cpu_seconds([process.pid]), "start_mib": resident_mib(process.pid)}
        time.sleep(WORKER_SECONDS)
        return figures | {"mib": resident_mib(process.pid)}
    finally:
        process.terminate()
        process.wait()
        queue.stop()


def own_python() -> str:
    """A Python with what the product needs to run and nothing else: beside a developer's packages libraries load more, structlog rich."""
    own = HERE / ".data" / "product" / "bin" / "python"
    return str(own) if own.exists() else str(product.PYTHON)


def node(directory: Path) -> str:
    """The Node that the peer brought, else the system's."""
    own = sorted((directory / "node_modules").glob("node*/bin/node"))
    return str(own[0]) if own else shutil.which("node") or "node"


def install() -> None:
    """Bring the product's packages and the peers' from their lock files; what cannot be installed is left out."""
    for name in ("mercurius", "postgraphile"):
        directory = PEERS / name
        if not (directory / "node_modules").exists() and shutil.which("npm"):
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=directory, check=False)
    locks = {"product": product.LOCKS["runtime"]} | {name: PEERS / name / "requirements.lock" for name in ("ariadne", "strawberry_django")}
    for name, lock in locks.items():
        environment = HERE / ".data" / name
        made_from = environment / lock.name
        if not made_from.exists() or made_from.read_bytes() != lock.read_bytes():
            subprocess.run([sys.executable, "-m", "venv", "--clear", environment], check=False)
            done = subprocess.run([environment / "bin" / "pip", "install", "--quiet", "--require-hashes", "-r", lock], check=False)
            if done.returncode == 0:
                shutil.copy(lock, made_from)
