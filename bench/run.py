#!/usr/bin/env python3
"""Measure the product beside others on one PostgreSQL: `python3 bench/run.py [--experts N] [--quick]`. See README.md here."""

from __future__ import annotations

import os
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
sys.path[:0] = [str(ROOT)]

import run as product  # noqa: E402  the product's own commands bring its environment in step

if __name__ == "__main__" and Path(sys.prefix).resolve() != product.VENV.resolve():
    product.ensure_environment("runtime")
    os.execv(product.PYTHON, [str(product.PYTHON), __file__, *sys.argv[1:]])

import argparse  # noqa: E402
import asyncio  # noqa: E402
import contextlib  # noqa: E402
import itertools  # noqa: E402
import json  # noqa: E402
import re  # noqa: E402
import secrets  # noqa: E402
import shutil  # noqa: E402
import socket  # noqa: E402
import statistics  # noqa: E402
import subprocess  # noqa: E402
import time  # noqa: E402
from collections.abc import Iterator, Sequence  # noqa: E402
from dataclasses import dataclass, field  # noqa: E402
from typing import Any  # noqa: E402

import asyncpg  # noqa: E402

import embedded  # noqa: E402
import settings as settings_module  # noqa: E402
from bench import report  # noqa: E402
from bench.load import Cost, ask, load, resident_mib  # noqa: E402
from bench.operations import MUTATION, OPERATIONS, Measured  # noqa: E402
from settings import Settings  # noqa: E402

SECRET = "the secret of the bench, 32 characters and more"  # noqa: S105  of a database that holds invented people alone
CASES = 200
WAITING = 400
"""Cases in second review, to be approved by each contender in each round."""
CONNECTIONS = 4
PEERS = HERE / "peers"


@dataclass(slots=True)
class World:
    """What every contender is given."""

    configuration: Settings
    token: str
    cases: list[str]
    statements: Path
    postmaster: int


@dataclass(slots=True)
class Contender:
    """A server and how it is asked. `paths` of those without GraphQL name an endpoint by operation."""

    name: str
    command: list[str]
    environment: dict[str, str] = field(default_factory=dict)
    graphql: bool = True
    operations: tuple[str, ...] = ("profile", "five fields", "queue", "notices", "approve")
    port: int = 0
    process: subprocess.Popen[bytes] | None = None

    def start(self, world: World) -> None:
        """Start it and wait until it listens."""
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
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), timeout=1):
                return
            time.sleep(0.05)
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
            variables = {"id": f"Application_{case}"} if case else {}
            body = json.dumps({"query": operation.document, "variables": variables}).encode()
            line = "POST /graphql HTTP/1.1"
        elif operation is MUTATION:
            body = json.dumps({"stage": "SECOND_REVIEW", "opinion": "材料齐全，同意"}).encode()
            line = f"POST /approve/{case} HTTP/1.1"
        else:
            body, line = b"", f"GET /{operation.name.replace(' ', '%20')}{f'/{case}' if case else ''} HTTP/1.1"
        kind = f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n" if body else ""
        return f"{line}\r\nHost: 127.0.0.1:{self.port}\r\nAccept: application/json\r\n{authorization}{kind}\r\n".encode() + body


def contenders(chosen: set[str] | None) -> list[Contender]:
    """All there are; peers only where they are installed."""
    python, serve = str(product.PYTHON), str(HERE / "contenders" / "serve.py")
    reads = tuple(each.name for each in OPERATIONS)
    ours = "bench.contenders.ordinary"
    found = [
        Contender("ours", [python, str(ROOT / "run.py"), "api"]),
        Contender("hand-written", [python, serve, "bench.contenders.handwritten:create_app", "{port}"], graphql=False),
        Contender("bare ASGI", [python, serve, "bench.contenders.handwritten:bare", "{port}"], graphql=False, operations=reads),
        Contender("ordinary executor", [python, serve, f"{ours}:create_app", "{port}"]),
        Contender("ours, nothing kept", [python, serve, f"{ours}:nothing_kept", "{port}"], operations=("notices",)),
    ]
    mercurius = PEERS / "mercurius"
    if (mercurius / "node_modules" / "mercurius").exists():
        found.append(Contender("Mercurius", [node(mercurius), str(mercurius / "server.js")], operations=reads))
    ariadne = HERE / ".data" / "ariadne" / "bin" / "python"
    if ariadne.exists():
        found.append(Contender("Ariadne", [str(ariadne), str(PEERS / "ariadne" / "serve.py"), "{port}"], operations=reads))
    return [each for each in found if chosen is None or each.name in chosen or each.name == "ours"]


def node(directory: Path) -> str:
    """The Node that the peer brought, else the system's."""
    own = sorted((directory / "node_modules").glob("node*/bin/node"))
    return str(own[0]) if own else shutil.which("node") or "node"


def install_peers() -> None:
    """Bring the peers' packages from their lock files; what cannot be installed is left out."""
    for name in ("mercurius",):
        directory = PEERS / name
        if not (directory / "node_modules").exists() and shutil.which("npm"):
            subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=directory, check=False)
    environment = HERE / ".data" / "ariadne"
    if not environment.exists():
        lock = PEERS / "ariadne" / "requirements.lock"
        subprocess.run([sys.executable, "-m", "venv", environment], check=False)
        subprocess.run([environment / "bin" / "pip", "install", "--quiet", "--require-hashes", "-r", lock], check=False)


# --- the world --------------------------------------------------------------------------------------------------------


async def prepare(configuration: Settings, experts: int, postmaster: int) -> World:
    """Tables, reference data, the province, an officer's session, and the statements that the product compiles."""
    from demonstration.seed import Progress, seed_experts
    from domain.actions import reference, sessions
    from domain.rules.viewer import Viewer
    from models.database import close_database, database_now, open_database, rows
    from models.enums import Role
    from models.migrate import migrate
    from models.sealing import sha256
    from schema.root import schema

    await migrate(configuration)
    await open_database(configuration)
    try:
        await reference.load(ROOT / "reference")
        await seed_experts(experts, seed=1, configuration=configuration, tell=Progress())
        await wait_for_second_review(configuration.database_url)
        token = secrets.token_urlsafe(32)
        (officer,) = await rows("SELECT id FROM accounts WHERE role = 'PROVINCIAL_OFFICER' ORDER BY id LIMIT 1")
        await rows(
            """INSERT INTO sessions (id, account_id, token_hash, transport, device, created_at, used_at, expires_at)
               SELECT gen_random_uuid(), $1, $2, 'BEARER', 'bench', n, n, n + interval '1 day' FROM registry_now() n RETURNING id""",
            officer["id"],
            sha256(token.encode()),
        )
        viewer, now = await sessions.authenticate(token)
        assert isinstance(viewer, Viewer)
        assert viewer.role is Role.PROVINCIAL_OFFICER
        found = await rows("SELECT id FROM applications WHERE stage = 'ADMITTED' ORDER BY sha256(uuid_send(id)) LIMIT $1", CASES)
        cases = [str(each["id"]) for each in found]
        statements = {}
        for operation in OPERATIONS:
            read = schema.documents.read(operation.document, schema._schema, configuration)
            variables = {"id": f"Application_{cases[0]}"} if operation.of_case else {}
            node_ = read.operation(None)
            who = viewer if operation.signed_in else None
            data = await schema.plans.read(read.node, node_, variables, viewer=who, now=now, settings=configuration)
            if data is None:
                raise SystemExit(f"{operation.name} is not compiled")
            variant = schema.plans._operation(read.node, node_).variants[0]
            [(key, value)] = data.items()
            columns = list(value["nodes"][0]) if "nodes" in value else list(value)
            statements[operation.name] = {
                "sql": variant.sql, "names": variant.names, "key": key, "columns": columns,
                "size": 50 if operation.name == "notices" else 20 if operation.name == "queue" else None,
            }  # fmt: skip
        assert await database_now() >= now
    finally:
        await close_database()
    path = configuration.data_dir / "statements.json"
    path.write_text(json.dumps(statements, ensure_ascii=False, indent=1))
    return World(configuration, token, cases, path, postmaster)


async def wait_for_second_review(database_url: str) -> None:
    """Take admitted cases back to where the first review had just approved them, until there are as many as are wanted."""
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica; SET LOCAL statement_timeout = 0")
            await connection.execute("CREATE TEMP TABLE taken (id uuid) ON COMMIT DROP")
            await connection.execute(
                """INSERT INTO taken SELECT id FROM applications a
                   WHERE stage = 'ADMITTED' AND round = 1
                       AND NOT EXISTS (SELECT FROM applications o WHERE o.expert_id = a.expert_id AND o.id <> a.id)
                   ORDER BY id LIMIT greatest(0, $1 - (SELECT count(*) FROM applications WHERE stage = 'SECOND_REVIEW'))""",
                WAITING,
            )
            await connection.execute("DELETE FROM application_records r USING taken t WHERE r.application_id = t.id AND r.number > 2")
            await connection.execute(
                "DELETE FROM notice_specialties s USING taken t, public_notices n WHERE n.application_id = t.id AND s.notice_id = n.id"
            )
            await connection.execute("DELETE FROM public_notices n USING taken t WHERE n.application_id = t.id")
            await connection.execute(
                """UPDATE applications a SET stage = r.to_stage, stage_since = r.at, due_at = r.at + interval '7 days', closed_at = NULL,
                       records_count = 2, last_hash = r.hash
                   FROM taken t, application_records r WHERE a.id = t.id AND r.application_id = t.id AND r.number = 2"""
            )
    finally:
        await connection.close()


async def check_equal(all_: list[Contender], world: World) -> None:
    """Every contender answers what we answer. Raises SystemExit with the first difference."""
    ours = all_[0]
    for operation in OPERATIONS:
        for case in world.cases[:20] if operation.of_case else [None]:
            expected = json.loads(await ask(ours.port, ours.request(operation, world, case)))
            assert "errors" not in expected, expected
            for other in all_[1:]:
                if operation.name not in other.operations:
                    continue
                got = json.loads(await ask(other.port, other.request(operation, world, case)))
                if got != expected:
                    raise SystemExit(f"{other.name} answers {operation.name} otherwise: {difference(expected, got)}")


def difference(one: Any, other: Any, path: str = "") -> str:
    """Where two values differ first."""
    if isinstance(one, dict) and isinstance(other, dict) and one.keys() == other.keys():
        return next((difference(one[key], other[key], f"{path}.{key}") for key in one if one[key] != other[key]), "")
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        return next((difference(a, b, f"{path}.{n}") for n, (a, b) in enumerate(zip(one, other, strict=True)) if a != b), "")
    return f"{path}: {str(one)[:300]} / {str(other)[:300]}"


# --- measuring --------------------------------------------------------------------------------------------------------


async def measure(
    all_: list[Contender], world: World, operations: Sequence[Measured], *, rounds: int, seconds: float
) -> dict[str, dict[str, list[Cost]]]:
    """Rounds of every operation, the contenders by turns in changing order."""
    costs: dict[str, dict[str, list[Cost]]] = {}
    for operation in operations:
        those = [each for each in all_ if operation.name in each.operations]
        requests = {each.name: requests_of(each, operation, world) for each in those}
        for each in those:  # warm: plans, caches, prepared statements, JIT
            await one_round(each, requests[each.name], world, seconds / 2)
        for number in range(rounds):
            turn = those[number % len(those) :] + those[: number % len(those)]
            for each in turn:
                cost = await one_round(each, requests[each.name], world, seconds)
                costs.setdefault(operation.name, {}).setdefault(each.name, []).append(cost)
        tell(operation.name, costs[operation.name])
    return costs


def requests_of(contender: Contender, operation: Measured, world: World) -> Iterator[bytes]:
    """Requests without end, case after case."""
    return itertools.cycle([contender.request(operation, world, case) for case in (world.cases if operation.of_case else [None])])


async def one_round(contender: Contender, requests: Iterator[bytes], world: World, seconds: float | None) -> Cost:
    """One round of one contender."""
    assert contender.process is not None
    return await load(
        contender.port, requests, seconds=seconds, connections=CONNECTIONS, server=contender.process.pid, postmaster=world.postmaster
    )


async def put_back(connection: Any) -> None:
    """Every approved case to where it waited; dead rows are swept, so that no contender meets those of the one before."""
    await connection.execute("DELETE FROM application_records r USING kept k WHERE r.application_id = k.id AND r.number > k.records_count")
    await connection.execute(
        """UPDATE applications a SET stage = k.stage, stage_since = k.stage_since, due_at = k.due_at, records_count = k.records_count,
               last_hash = k.last_hash FROM kept k WHERE a.id = k.id AND a.records_count <> k.records_count"""
    )
    await connection.execute("VACUUM applications")
    await connection.execute("VACUUM application_records")


async def measure_approvals(all_: list[Contender], world: World, rounds: int) -> dict[str, list[Cost]]:
    """Every case in its second review is approved once a round, then all are put back."""
    those = [each for each in all_ if MUTATION.name in each.operations]
    costs: dict[str, list[Cost]] = {}
    connection = await asyncpg.connect(world.configuration.database_url)
    try:
        await connection.execute("SET session_replication_role = replica; SET statement_timeout = 0")
        await connection.execute(
            "CREATE TEMP TABLE kept AS SELECT * FROM applications WHERE stage = 'SECOND_REVIEW' ORDER BY id LIMIT $1", WAITING
        )
        waiting = [str(row["id"]) for row in await connection.fetch("SELECT id FROM kept ORDER BY id")]
        for number in range(-1, rounds):
            for each in those[number % len(those) :] + those[: number % len(those)]:
                cost = await one_round(each, iter([each.request(MUTATION, world, case) for case in waiting]), world, None)
                approved = await connection.fetchval(
                    "SELECT count(*) FROM applications JOIN kept k USING (id) WHERE applications.stage = 'FINAL_REVIEW'"
                )
                if approved != len(waiting):
                    raise SystemExit(f"{each.name} approved {approved} of {len(waiting)} cases")
                await put_back(connection)
                if number >= 0:
                    costs.setdefault(each.name, []).append(cost)
    finally:
        await put_back(connection)
        await connection.close()
    tell(MUTATION.name, costs)
    return costs


def pgbench(world: World, name: str, seconds: int) -> float | None:
    """Statements a second of one reading operation alone on one connection; None where there is no pgbench."""
    program = embedded._postgres_binaries() / "pgbench"
    if not program.exists():
        return None
    statement = json.loads(world.statements.read_text())[name]
    known = asyncio.run(_literals(world))
    sql = statement["sql"]
    for number in range(len(statement["names"]), 0, -1):
        sql = sql.replace(f"${number}", known[statement["names"][number - 1]])
    sql = re.sub(r"'[^']*[A-Z]:[A-Z][^']*'", lambda text: "U&" + text[0].replace(":", "\\003A"), sql)  # pgbench takes :MI for a variable
    script = world.configuration.data_dir / f"{name.replace(' ', '-')}.sql"
    script.write_text(sql.replace("\n", " ") + ";\n")
    done = subprocess.run(
        [program, "-n", "-M", "prepared", "-c", "1", "-T", str(seconds), "-f", script, world.configuration.database_url],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    line = next((each for each in done.stdout.splitlines() if each.startswith("tps")), "")
    return float(line.split()[2]) if line else None


async def _literals(world: World) -> dict[str, str]:
    connection = await asyncpg.connect(world.configuration.database_url)
    try:
        now = await connection.fetchval("SELECT quote_literal(registry_now()) || '::timestamptz'")
        officer = await connection.fetchval("SELECT id FROM accounts WHERE role = 'PROVINCIAL_OFFICER' ORDER BY id LIMIT 1")
    finally:
        await connection.close()
    return {
        "now": now, "viewer_account": f"'{officer}'::uuid", "viewer_session": "NULL::uuid", "viewer_expert": "NULL::uuid",
        "viewer_pool": "NULL::text", "p0_key": f"'{world.cases[0]}'::uuid",
    }  # fmt: skip


def tell(name: str, costs: dict[str, list[Cost]]) -> None:
    """A line for each contender."""
    print(f"\n{name}")
    for contender, those in costs.items():
        ratio = statistics.median(each.cpu / our.cpu for each, our in zip(those, costs["ours"], strict=True))
        middle = sorted(those, key=lambda each: each.cpu)[len(those) // 2]
        server, database = (1e6 * each / middle.requests for each in (middle.server_cpu, middle.database_cpu))
        print(
            f"  {contender:<18} {middle.per_second:8.0f}/s  p50 {middle.percentile(0.5):7.2f} ms  p99 {middle.percentile(0.99):7.2f} ms"
            f"  CPU {server:7.0f} + {database:6.0f} µs  {ratio:6.2f} × ours",
            flush=True,
        )


def main() -> int:
    """Run everything and write the results."""
    parser = argparse.ArgumentParser(description="Measure the product beside others.")
    parser.add_argument("--experts", type=int, default=100_000)
    parser.add_argument("--quick", action="store_true", help="3 short rounds on 2000 experts: whether everything works, no figures to keep")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1.5, help="length of one round of one contender")
    parser.add_argument("--only", help="contenders to measure beside ours, by comma")
    parser.add_argument("--operations", help="operations to measure, by comma; the figures are told, not kept")
    chosen = parser.parse_args()
    names = chosen.operations.split(",") if chosen.operations else [each.name for each in (*OPERATIONS, MUTATION)]
    if chosen.quick:
        chosen.experts, chosen.rounds, chosen.seconds = min(chosen.experts, 2_000), 3, 0.4
    directory = HERE / ".data" / str(chosen.experts)
    server = embedded.Postgres(directory / "postgres")
    install_peers()
    url = server.start()
    assert server.process is not None
    all_ = contenders(set(chosen.only.split(",")) if chosen.only else None)
    configuration = Settings(database_url=url, development=True, secret_key=SECRET, data_dir=directory)
    settings_module._current = configuration
    try:
        world = asyncio.run(prepare(configuration, chosen.experts, server.process.pid))
        for each in all_:
            each.start(world)
        asyncio.run(check_equal(all_, world))
        reads = [each for each in OPERATIONS if each.name in names]
        costs = asyncio.run(measure(all_, world, reads, rounds=chosen.rounds, seconds=chosen.seconds))
        if MUTATION.name in names:
            costs[MUTATION.name] = asyncio.run(measure_approvals(all_, world, chosen.rounds))
        memory = {each.name: resident_mib(each.process.pid) for each in all_ if each.process}
        alone = {each.name: pgbench(world, each.name, 2 if chosen.quick else 5) for each in reads}
        if not chosen.quick and not chosen.operations and not chosen.only:
            report.write(costs, memory, alone, chosen.experts)
        print("\nRSS: " + ", ".join(f"{name} {mib:.0f} MiB" for name, mib in memory.items()))
        print("pgbench alone: " + ", ".join(f"{name} {tps:.0f}/s" for name, tps in alone.items() if tps))
    finally:
        for each in all_:
            each.stop()
        server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
