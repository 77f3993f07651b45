"""How many instructions the process of a server executes for a request, counted by valgrind: alike whatever else the machine does.

What it does not tell is how long they take: that is for the other measurements.
"""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from collections.abc import Iterable, Sequence
from functools import partial
from pathlib import Path

from bench import report
from bench.load import load
from bench.operations import MUTATION, OPERATIONS, Measured
from bench.servers import Contender
from bench.world import World, approvable

COUNTED = ("ours", "hand-written", "bare ASGI")
WARM, REQUESTS = 50, 200
START_SECONDS = 300.0
"""Under valgrind a process takes fifty times as long to start."""


def measure(contenders: Sequence[Contender], world: World) -> None:
    """Count for each of the servers that are our own code, and keep the results. Raises SystemExit where there is no valgrind."""
    if shutil.which("valgrind") is None:
        raise SystemExit("valgrind is not installed: it counts the instructions")
    found: dict[str, dict[str, int]] = {}
    for each in (one for one in contenders if one.name in COUNTED):
        for operation, count in _of(each, world).items():
            found.setdefault(operation, {})[each.name] = count
        print(each.name, {operation: by[each.name] for operation, by in found.items() if each.name in by}, flush=True)
    report.write_instructions(found)


def _of(contender: Contender, world: World) -> dict[str, int]:
    out = world.configuration.data_dir / f"{contender.name.replace(' ', '-')}.instructions"
    for left in out.parent.glob(f"{out.name}*"):
        left.unlink()
    contender.command = ["valgrind", "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={out}", *contender.command]
    contender.environment["REGISTRY_OPERATION_SECONDS"] = "60"
    contender.start(world, seconds=START_SECONDS)
    counted = [each for each in (*OPERATIONS, MUTATION) if each.name in contender.operations]
    try:
        asyncio.run(_requests(contender, world, counted))
    finally:
        contender.stop()
    return {each.name: _total(Path(f"{out}.{number}")) // REQUESTS for number, each in enumerate(counted, 1)}


async def _requests(contender: Contender, world: World, operations: Iterable[Measured]) -> None:
    for operation in operations:
        if operation is not MUTATION:
            cases = world.cases if operation.of_case else [None]
            await _counted(contender, world, [contender.request(operation, world, cases[n % len(cases)]) for n in range(WARM + REQUESTS)])
            continue
        async with approvable(world) as (_, waiting):
            await _counted(contender, world, [contender.request(operation, world, case) for case in waiting[: WARM + REQUESTS]])


async def _counted(contender: Contender, world: World, requests: Sequence[bytes]) -> None:
    """Send some requests, count the rest, and have the count written down."""
    assert contender.process is not None
    process = contender.process.pid
    send = partial(load, contender.port, seconds=None, connections=1, server=process, postmaster=world.postmaster)
    await send(iter(requests[:WARM]))
    _control(process, "-i", "on")
    await send(iter(requests[WARM:]))
    _control(process, "-i", "off")
    _control(process, "-d")


def _control(process: int, *order: str) -> None:
    subprocess.run(["callgrind_control", *order, str(process)], check=True, capture_output=True)


def _total(path: Path) -> int:
    found = re.search(r"^totals: (\d+)", path.read_text(), re.MULTILINE)
    if found is None:
        raise SystemExit(f"{path} holds no count")
    return int(found[1])
