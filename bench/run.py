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
import itertools  # noqa: E402
import json  # noqa: E402
import re  # noqa: E402
import statistics  # noqa: E402
import subprocess  # noqa: E402
from collections.abc import Iterator, Sequence  # noqa: E402
from typing import Any  # noqa: E402

import asyncpg  # noqa: E402

import embedded  # noqa: E402
import settings as settings_module  # noqa: E402
from bench import growth, instructions, report  # noqa: E402
from bench.load import Cost, load, resident_mib  # noqa: E402
from bench.operations import MUTATION, OPERATIONS, Measured  # noqa: E402
from bench.servers import Contender, contenders, install, worker_figures  # noqa: E402
from bench.world import SECRET, World, approvable, prepare, put_back  # noqa: E402
from settings import Settings  # noqa: E402

CONNECTIONS = 4


async def check_equal(all_: list[Contender], world: World) -> None:
    """Every contender answers what we answer. Raises SystemExit with the first difference."""
    for operation in OPERATIONS:
        for case in world.cases[:20] if operation.of_case else [None]:
            await check_answers([each for each in all_ if operation.name in each.operations], operation, world, case)


async def check_answers(all_: list[Contender], operation: Measured, world: World, case: str | None) -> None:
    """All answer one request alike, the first of them being us. Raises SystemExit with the first difference."""
    expected = await all_[0].answer(operation, world, case)
    assert "errors" not in expected, expected
    for other in all_[1:]:
        got = await other.answer(operation, world, case)
        found = difference(*(map(without_cursors, (expected, got)) if other.shaped else (expected, got)))
        if found:
            raise SystemExit(f"{other.name} answers {operation.name} otherwise: {found}")


def without_cursors(answer: Any) -> Any:
    """An answer with whether there are cursors in place of them: clients are not to look into them."""
    if isinstance(answer, dict):
        return {key: value is not None if key == "endCursor" else without_cursors(value) for key, value in answer.items()}
    return [without_cursors(each) for each in answer] if isinstance(answer, list) else answer


def difference(one: Any, other: Any, path: str = "") -> str:
    """Where two values differ first, and how; nothing where they are equal."""
    if one == other:
        return ""
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


async def measure_approvals(all_: list[Contender], world: World, rounds: int) -> dict[str, list[Cost]]:
    """Every case in its second review is approved once a round, then all are put back."""
    those = [each for each in all_ if MUTATION.name in each.operations]
    costs: dict[str, list[Cost]] = {}
    async with approvable(world) as (connection, waiting):
        for each in those:
            await check_approval(those[0], each, connection, world, waiting[0])
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
    tell(MUTATION.name, costs)
    return costs


async def check_approval(ours: Contender, other: Contender, connection: Any, world: World, case: str) -> None:
    """Both answer the approval of a case alike and leave the same record; the case is put back."""
    left = []
    for each in (ours, other):
        answer = await each.answer(MUTATION, world, case)
        row = await connection.fetchrow(
            """SELECT number, round, actor_id, actor_name, actor_role, move, from_stage, to_stage, revision_id, opinion, previous_hash
               FROM application_records WHERE application_id = $1 ORDER BY number DESC LIMIT 1""",
            case,
        )
        left.append({**answer, "record": {key: str(value) for key, value in row.items()}})
        await put_back(connection)
    if left[0] != left[1]:
        raise SystemExit(f"{other.name} approves otherwise: {difference(*left)}")


def ended(contender: Contender) -> dict[str, float]:
    """What a contender's process took, which ends now."""
    assert contender.process is not None
    taken = {"start_cpu": contender.start_cpu, "start_mib": contender.start_mib, "mib": resident_mib(contender.process.pid)}
    contender.stop()
    return taken


def beside_pgbench(ours: Contender, world: World, operation: Measured, *, rounds: int, seconds: float) -> list[tuple[float, float]]:
    """Answers a second of pgbench and of our server, by turns, round by round; none where there is no pgbench."""
    program = embedded._postgres_binaries() / "pgbench"
    if not program.exists():
        return []
    requests = requests_of(ours, operation, world)
    return [
        (pgbench(program, world, operation.name, max(1, round(seconds))), asyncio.run(one_round(ours, requests, world, seconds)).per_second)
        for _ in range(rounds)
    ]


def pgbench(program: Path, world: World, name: str, seconds: int) -> float:
    """Statements a second of one reading operation alone on one connection."""
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
    line = next(each for each in done.stdout.splitlines() if each.startswith("tps"))
    return float(line.split()[2])


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


async def run_script(url: str, script: str) -> None:
    """SQL of a peer."""
    connection = await asyncpg.connect(url)
    try:
        await connection.execute(script)
    finally:
        await connection.close()


def main() -> int:
    """Run everything and write the results."""
    parser = argparse.ArgumentParser(description="Measure the product beside others.")
    parser.add_argument("--experts", type=int, default=100_000)
    parser.add_argument("--quick", action="store_true", help="3 short rounds on 2000 experts: whether everything works, no figures to keep")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--seconds", type=float, default=1.5, help="length of one round of one contender")
    parser.add_argument("--only", help="contenders to measure beside ours, by comma")
    parser.add_argument("--growth", help="instead, how the cost grows over these numbers of experts, by comma: 1000,100000,1000000")
    parser.add_argument("--instructions", action="store_true", help="instead, count instructions of our own servers (needs valgrind)")
    parser.add_argument("--operations", help="operations to measure, by comma; the figures are told, not kept")
    chosen = parser.parse_args()
    names = chosen.operations.split(",") if chosen.operations else [each.name for each in (*OPERATIONS, MUTATION)]
    if chosen.quick:
        chosen.experts, chosen.rounds, chosen.seconds = min(chosen.experts, 2_000), 3, 0.4
    if chosen.growth:
        growth.measure([int(each) for each in chosen.growth.split(",")], rounds=chosen.rounds, seconds=chosen.seconds)
        return 0
    directory = HERE / ".data" / str(chosen.experts)
    server = embedded.Postgres(directory / "postgres")
    install()
    url = server.start()
    assert server.process is not None
    all_ = contenders(set(chosen.only.split(",")) if chosen.only else None)
    configuration = Settings(database_url=url, development=True, secret_key=SECRET, data_dir=directory)
    settings_module._current = configuration
    try:
        world = asyncio.run(prepare(configuration, chosen.experts, server.process.pid))
        if chosen.instructions:
            instructions.measure(all_, world)
            return 0
        for each in all_:
            if each.prepare:
                asyncio.run(run_script(url, each.prepare.read_text()))
            each.start(world)
        asyncio.run(check_equal(all_, world))
        reads = [each for each in OPERATIONS if each.name in names]
        costs = asyncio.run(measure(all_, world, reads, rounds=chosen.rounds, seconds=chosen.seconds))
        alone = {each.name: beside_pgbench(all_[0], world, each, rounds=chosen.rounds, seconds=chosen.seconds) for each in reads}
        processes = {each.name: ended(each) for each in all_ if MUTATION.name not in each.operations}  # announcements would wake them
        if MUTATION.name in names:
            costs[MUTATION.name] = asyncio.run(measure_approvals(all_, world, chosen.rounds))
        processes |= {each.name: ended(each) for each in all_ if each.name not in processes} | {"worker": worker_figures(world)}
        if not chosen.quick and not chosen.operations and not chosen.only:
            report.write(costs, processes, alone, chosen.experts)
        print()
        for name, each in processes.items():
            print(f"{name:<20} {each['start_cpu']:.2f} s of CPU to start, {each['start_mib']:.0f} MiB then, {each['mib']:.0f} MiB now")
        print(f"of pgbench alone: {report.of_pgbench(report.beside(alone))}")
    finally:
        for each in all_:
            each.stop()
        server.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
