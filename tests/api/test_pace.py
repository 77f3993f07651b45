from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from websockets.exceptions import InvalidStatus

from api import pace
from api.pace import Pace, TooManyRequestsError
from domain.rules.viewer import Viewer
from models.enums import Role
from tests.conftest import BASE
from tests.people import registered_expert
from tests.serving import ROOT, STANDIN, Served, Start, begin, heard, say, talk

SETTINGS = replace(BASE, requests_per_second_account=2, requests_per_second_address=10, request_burst_seconds=3)


class Moment:
    """A clock in the hands of the test."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def somebody() -> Viewer:
    return Viewer(account_id=uuid4(), session_id=uuid4(), role=Role.EXPERT, name="张三", pool_code=None, expert_id=uuid4())


def taken(bucket: Pace, viewer: Viewer | None, address: str = "203.0.113.9", tries: int = 100) -> int:
    """How many of so many tries are let through."""
    through = 0
    for _ in range(tries):
        try:
            if viewer is not None:
                bucket.take_of_account(viewer.account_id)
            else:
                bucket.take_of_address(address)
        except TooManyRequestsError:
            continue
        through += 1
    return through


def test_a_burst_is_let_through_and_then_the_rate() -> None:
    clock = Moment()
    bucket, viewer = Pace(SETTINGS, clock=clock), somebody()

    assert taken(bucket, viewer) == 6
    clock.now += 1
    assert taken(bucket, viewer) == 2
    clock.now += 1000
    assert taken(bucket, viewer) == 6


def test_who_asks_too_fast_is_told_when_to_come_back() -> None:
    clock = Moment()
    bucket, viewer = Pace(replace(SETTINGS, requests_per_second_account=0.1, request_burst_seconds=0), clock=clock), somebody()
    bucket.take_of_account(viewer.account_id)

    with pytest.raises(TooManyRequestsError) as refused:
        bucket.take_of_account(viewer.account_id)

    assert (refused.value.status, refused.value.code, refused.value.headers) == (429, "TOO_MANY_REQUESTS", {"Retry-After": "10"})
    clock.now += 10
    bucket.take_of_account(viewer.account_id)


def test_one_client_takes_nothing_from_another() -> None:
    bucket, viewer = Pace(SETTINGS, clock=Moment()), somebody()
    taken(bucket, viewer)
    taken(bucket, None, "203.0.113.9")

    assert taken(bucket, somebody(), "203.0.113.9") == 6
    assert taken(bucket, None, "203.0.113.10") == 30
    assert taken(bucket, None, "2001:db8::1") == 30
    assert taken(bucket, None, "2001:db8::2") == 0


def test_no_rate_is_no_limit() -> None:
    bucket = Pace(replace(SETTINGS, requests_per_second_account=0), clock=Moment())

    assert taken(bucket, somebody()) == 100


def test_what_is_kept_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pace, "_MOST_BUCKETS", 50)
    clock = Moment()
    bucket = Pace(SETTINGS, clock=clock)
    for n in range(50):
        bucket.take_of_address(f"198.51.100.{n}")
    busy = somebody()
    clock.now += 1
    taken(bucket, busy)

    for n in range(40):
        bucket.take_of_address(f"203.0.113.{n}")

    assert len(bucket._full_at) == 41
    assert taken(bucket, busy) == 0
    for n in range(100):
        bucket.take_of_address(f"192.0.2.{n}")
    assert len(bucket._full_at) <= 50


@pytest.fixture(scope="module")
def paced(start: Start) -> Served:
    """Three requests at once, and hardly any more."""
    return start(
        STANDIN,
        development="0",
        requests_per_second_account=0.01,
        requests_per_second_address=0.01,
        request_burst_seconds=300,
        trusted_proxies="127.0.0.1",
    )


async def ask(paced: Served, path: str = "/graphql", **headers: str) -> Any:
    async with talk() as client:
        sent = {name.replace("_", "-"): value for name, value in headers.items()}
        return await client.post(paced.url + path, json={"query": "{ who }"}, headers=sent)


async def test_an_address_that_asks_too_fast_is_refused_early_and_others_are_answered(paced: Served) -> None:
    answers = [await ask(paced, x_forwarded_for="203.0.113.1", authorization=f"Bearer invented{n}") for n in range(4)]
    other = await ask(paced, x_forwarded_for="203.0.113.2")

    assert [each.status_code for each in answers] == [200, 200, 200, 429]
    assert answers[3].json()["errors"][0]["extensions"] == {"code": "TOO_MANY_REQUESTS"}
    assert 90 <= int(answers[3].headers["retry-after"]) <= 100
    assert other.status_code == 200


async def test_an_account_has_its_own_rate_wherever_it_asks_from(paced: Served) -> None:
    person = await registered_expert()
    token = f"Bearer {person.token}"
    answers = [await ask(paced, x_forwarded_for=f"203.0.113.{10 + n}", authorization=token) for n in range(5)]

    assert [each.status_code for each in answers] == [200, 200, 200, 200, 429]  # the first was not known yet


async def test_files_and_sockets_count_too_and_health_does_not(paced: Served) -> None:
    for _ in range(3):
        await ask(paced, x_forwarded_for="203.0.113.30")

    file = await ask(paced, "/files", x_forwarded_for="203.0.113.30")
    with pytest.raises(InvalidStatus) as refused:
        async with paced.socket(additional_headers={"x-forwarded-for": "203.0.113.30"}):
            pass
    async with talk() as client:
        health = [(await client.get(f"{paced.url}/livez", headers={"x-forwarded-for": "203.0.113.30"})).status_code for _ in range(5)]

    assert (file.status_code, file.json()["code"]) == (429, "TOO_MANY_REQUESTS")
    assert refused.value.response.status_code == 429
    assert refused.value.response.headers["retry-after"]
    assert health == [200] * 5


async def test_an_operation_too_many_on_a_socket_is_refused_and_the_socket_stays(paced: Served) -> None:
    async with paced.socket(additional_headers={"x-forwarded-for": "203.0.113.40"}) as ws:
        await begin(ws)
        for n in range(2):
            await say(ws, "subscribe", id=str(n), payload={"query": "{ who }"})
            assert [(await heard(ws))["type"], (await heard(ws))["type"]] == ["next", "complete"]

        await say(ws, "subscribe", id="2", payload={"query": "{ who }"})
        refused = await heard(ws)
        await say(ws, "ping")

        assert refused["type"] == "error"
        assert refused["payload"][0]["extensions"]["code"] == "TOO_MANY_REQUESTS"
        assert (await heard(ws))["type"] == "pong"


async def test_one_client_holds_so_many_connections_open_and_others_are_let_in(start: Start) -> None:
    served = start(STANDIN, development="0", open_connections_per_address=2, trusted_proxies="127.0.0.1")
    greedy = {"x-forwarded-for": "203.0.113.50"}
    events = greedy | {"accept": "text/event-stream"}
    count = {"query": "subscription { count(to: 1) }"}

    async with served.socket(additional_headers=greedy), served.socket(additional_headers=greedy):
        with pytest.raises(InvalidStatus) as socket:
            async with served.socket(additional_headers=greedy):
                pass
        async with talk() as client:
            stream = await client.post(served.endpoint, json=count, headers=events)
            other = await client.post(served.endpoint, json=count, headers=events | {"x-forwarded-for": "203.0.113.51"})
    async with talk() as client:
        later = await client.post(served.endpoint, json=count, headers=events)

    assert (socket.value.response.status_code, stream.status_code, other.status_code, later.status_code) == (429, 429, 200, 200)
    assert stream.json()["errors"][0]["extensions"] == {"code": "TOO_MANY_CONNECTIONS"}
    assert stream.headers["retry-after"] == "10"


def test_a_process_that_listens_has_as_many_descriptors_as_it_may() -> None:
    code = (
        "import resource as r; from api.server import allow_descriptors; most = r.getrlimit(r.RLIMIT_NOFILE)[1];"
        " r.setrlimit(r.RLIMIT_NOFILE, (64, most)); allow_descriptors(); assert r.getrlimit(r.RLIMIT_NOFILE) == (most, most)"
    )

    subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True)
