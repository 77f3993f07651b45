"""How the cost of our answers grows with the number of experts: PostgreSQL's CPU, all sizes by turns in one run."""

from __future__ import annotations

import asyncio
import itertools
import re
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass

import embedded
import settings as settings_module
from bench import report
from bench.load import Cost, load
from bench.operations import Measured
from bench.servers import HERE, Contender, contenders
from bench.world import SECRET, World, prepare
from settings import Settings

CONNECTIONS = 2
PAGE = 20
DEEP = (500, 5_000)
_CASES = (
    "applications(first: 20AFTER) { nodes { id stage round applicant employer submittedAt stageSince } pageInfo { hasNextPage endCursor } }"
)
_EXPERTS = (
    """availableExperts(date: "2027-03-03", first: 20AFTER) { nodes { id name number poolCode } pageInfo { hasNextPage endCursor } }"""
)
QUESTIONS = {
    "first page: queue": "applications(first: 20, filter: {awaitingMe: true}) { nodes { id stage applicant } }",
    "first page: all cases": _CASES,
    "first page: available experts": _EXPERTS,
    "first page: public notices": "publicNotices(first: 20) { nodes { id name employer closesAt } }",
    "first page: cases by name": 'applications(first: 20, filter: {search: "李伟"}) { nodes { id applicant } }',
    "first page: cases by full name": 'applications(first: 20, filter: {search: "万建明"}) { nodes { id applicant } }',
    "first page: cases by a common word": 'applications(first: 20, filter: {search: "公司"}) { nodes { id applicant } }',
    **{f"page {number:,}: {name}": asked for name, asked in (("all cases", _CASES), ("available experts", _EXPERTS)) for number in DEEP},
    "total: queue": "applications(filter: {awaitingMe: true}) { totalCount }",
    "total: all cases": "applications { totalCount }",
    "total: public notices": "publicNotices { totalCount }",
}
"""AFTER is the place of the cursor."""


@dataclass(slots=True)
class Size:
    """A province of so many experts, and the server that answers from it."""

    experts: int
    world: World
    server: Contender
    requests: dict[str, bytes]


def measure(sizes: Sequence[int], *, rounds: int, seconds: float) -> None:
    """Measure all sizes, and keep the results."""
    with ExitStack() as running:
        found = [_started(each, running) for each in sizes]
        costs = asyncio.run(_by_turns(found, rounds, seconds))
    report.write_growth(costs)


def _started(experts: int, running: ExitStack) -> Size:
    directory = HERE / ".data" / str(experts)
    postgres = embedded.Postgres(directory / "postgres")
    url = postgres.start()
    running.callback(postgres.stop)
    assert postgres.process is not None
    settings_module._current = configuration = Settings(database_url=url, development=True, secret_key=SECRET, data_dir=directory)
    world = asyncio.run(prepare(configuration, experts, postgres.process.pid))
    # With kept answers public notices would cost the database nothing.
    server = next(each for each in contenders(None) if each.name == "ours, nothing kept")
    server.start(world)
    running.callback(server.stop)
    return Size(experts, world, server, asyncio.run(_requests(server, world)))


async def _requests(server: Contender, world: World) -> dict[str, bytes]:
    found = {}
    for name, question in QUESTIONS.items():
        number = int(name.split(":")[0].removeprefix("page ").replace(",", "")) if name.startswith("page") else 1
        after = f', after: "{await _before(server, world, question, number)}"' if number > 1 else ""
        found[name] = _request(server, world, question.replace("AFTER", after))
    return found


async def _before(server: Contender, world: World, question: str, number: int) -> str:
    """The cursor before a page, or before one of the last that are full where there are fewer."""
    before, cursor, most = "", "", 100
    for _ in range((number - 1) * PAGE // most):
        after = f', after: "{cursor}"' if cursor else ""
        asked = re.sub(r"nodes \{[^}]*\}", "", question.replace("first: 20AFTER", f"first: {most}{after}"))
        answer = await server.answer(_operation(asked), world, None)
        (page,) = answer["data"].values()
        if not page["pageInfo"]["hasNextPage"]:
            return before
        before, cursor = cursor, page["pageInfo"]["endCursor"]
    return cursor


def _operation(question: str) -> Measured:
    return Measured("growth", f"{{ {question} }}")


def _request(server: Contender, world: World, question: str) -> bytes:
    return server.request(_operation(question), world, None)


async def _by_turns(sizes: Sequence[Size], rounds: int, seconds: float) -> dict[str, dict[int, list[Cost]]]:
    costs: dict[str, dict[int, list[Cost]]] = {}
    for name in QUESTIONS:
        for number in range(-1, rounds):
            for each in sizes[number % len(sizes) :] + sizes[: number % len(sizes)]:
                cost = await _round(each, name, seconds)
                if number >= 0:
                    costs.setdefault(name, {}).setdefault(each.experts, []).append(cost)
        told = (f"{experts:,}: {1e6 * sum(each.database_cpu / each.requests for each in those) / len(those):.0f} µs"
                for experts, those in costs[name].items())  # fmt: skip
        print(f"{name:<32} {'  '.join(told)}", flush=True)
    return costs


async def _round(size: Size, name: str, seconds: float) -> Cost:
    assert size.server.process is not None
    return await load(
        size.server.port, itertools.repeat(size.requests[name]), seconds=seconds, connections=CONNECTIONS,
        server=size.server.process.pid, postmaster=size.world.postmaster,
    )  # fmt: skip
