from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domain.actions import outbox
from domain.actions.outbox import Due
from domain.actions.promises import promise
from models.database import database_now, rows, transaction
from models.enums import OutboxState
from models.outbox import OutboxRow
from settings import Settings
from tests.conftest import Clock
from workers import relay as relay_module
from workers.queue import QueueAway
from workers.relay import Kind, Relay


class Queue:
    """Takes hints, or is away."""

    def __init__(self) -> None:
        self.given: list[Due] = []
        self.away = False

    async def give(self, promises: Sequence[Due]) -> None:
        if self.away:
            raise QueueAway("ConnectionError")
        self.given += promises

    async def close(self) -> None:
        pass


class Killed(BaseException):
    """What a killed worker does about its promise: nothing any more."""


class Verb:
    """Keeps promises, stumbles over those it is told to, and remembers both."""

    def __init__(self) -> None:
        self.kept: list[UUID] = []
        self.given_up: list[tuple[UUID, str]] = []
        self.poison: set[UUID] = set()
        self.deadly: set[UUID] = set()
        self.at_once = 0
        self.most_at_once = 0

    async def keep(self, row: OutboxRow) -> None:
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        await asyncio.sleep(0.005)
        self.at_once -= 1
        if row.subject_id in self.poison:
            raise ZeroDivisionError
        if row.subject_id in self.deadly:
            raise Killed
        self.kept.append(row.subject_id)
        await outbox.done(row)

    async def give_up(self, subject_id: UUID, error: str) -> None:
        self.given_up.append((subject_id, error))


@pytest.fixture
def queue() -> Queue:
    return Queue()


@pytest.fixture
def verb() -> Verb:
    return Verb()


@pytest.fixture
async def relay(database: Settings, queue: Queue, verb: Verb) -> Relay:
    await OutboxRow.all().delete()
    return Relay({"TEST": Kind(verb.keep, verb.give_up)}, queue, database.database_url)  # type: ignore[arg-type]  # a stand-in


async def promised(count: int = 1) -> list[OutboxRow]:
    now = await database_now()
    async with transaction():
        for _ in range(count):
            await promise("TEST", uuid4(), due_at=now, now=now)
    return await OutboxRow.all().order_by("-id").limit(count)


async def test_a_sweep_hints_at_what_is_due_and_delivers_nothing_itself(relay: Relay, queue: Queue, verb: Verb) -> None:
    made = await promised(3)

    await relay.sweep()

    assert {each.id for each in queue.given} == {each.id for each in made}
    assert verb.kept == []


async def test_without_the_queue_a_sweep_delivers_by_itself_but_never_too_many_at_once(relay: Relay, queue: Queue, verb: Verb) -> None:
    queue.away = True
    made = await promised(60)

    await relay.sweep()

    assert sorted(verb.kept) == sorted(each.subject_id for each in made)
    assert 1 < verb.most_at_once <= 20


async def test_a_queue_that_was_away_is_asked_again_only_after_a_while(relay: Relay, queue: Queue, verb: Verb) -> None:
    queue.away = True
    await promised()
    await relay.sweep()
    queue.away = False
    await promised()

    await relay.sweep()

    assert queue.given == []
    assert len(verb.kept) == 2


async def test_promises_are_heard_of_when_they_are_committed_and_not_before(relay: Relay, queue: Queue) -> None:
    listening = asyncio.create_task(relay.listen())
    await asyncio.wait_for(relay.missed.wait(), 5)

    now = await database_now()
    async with transaction():
        await promise("TEST", uuid4(), due_at=now, now=now)
        await asyncio.sleep(0.05)
        assert not relay.heard.is_set()
    await asyncio.wait_for(relay.heard.wait(), 5)
    await relay.pass_on_heard()

    row = await OutboxRow.all().first()
    assert row is not None
    assert queue.given == [Due(row.id, 0)]
    assert not relay.heard.is_set()
    listening.cancel()
    await asyncio.wait({listening})


async def test_a_lost_connection_ends_the_listening_and_the_next_begins_with_a_sweep(relay: Relay) -> None:
    listening = asyncio.create_task(relay.listen())
    await asyncio.wait_for(relay.missed.wait(), 5)
    assert (await outbox.depth()).workers == 1
    relay.missed.clear()

    await rows("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1", outbox.LISTENER)

    with pytest.raises(ConnectionError):
        await asyncio.wait_for(listening, 5)
    again = asyncio.create_task(relay.listen())
    await asyncio.wait_for(relay.missed.wait(), 5)
    again.cancel()
    with suppress(asyncio.CancelledError):
        await again


async def test_more_than_can_be_remembered_asks_for_a_sweep(relay: Relay, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relay_module, "_UNHEARD", 2)

    for _ in range(3):
        relay._hear(str(uuid4()))

    assert relay.missed.is_set()
    assert len(relay._announced) == 2


@pytest.mark.usefixtures("longest_pauses")
async def test_a_promise_that_always_fails_is_dead_after_five_tries_while_the_others_are_kept(
    relay: Relay, queue: Queue, verb: Verb, clock: Clock
) -> None:
    queue.away = True
    poison, *others = await promised(4)
    verb.poison = {poison.subject_id}

    await relay.sweep()
    assert sorted(verb.kept) == sorted(each.subject_id for each in others)
    for pause in (timedelta(seconds=2), timedelta(seconds=72), timedelta(minutes=12), timedelta(minutes=72)):
        assert verb.given_up == []
        await clock.move(seconds=pause.total_seconds())
        await relay.sweep()

    dead = await OutboxRow.get(id=poison.id)
    assert (dead.state, dead.attempts, dead.last_error) == (OutboxState.DEAD, 5, "ZeroDivisionError")
    assert verb.given_up == [(poison.subject_id, "ZeroDivisionError")]


async def test_a_promise_that_no_worker_survived_is_buried_and_its_subject_told(relay: Relay, verb: Verb) -> None:
    (row,) = await promised()
    await OutboxRow.filter(id=row.id).update(attempts=10)

    await relay.sweep()
    await relay.sweep()

    assert verb.given_up == [(row.subject_id, "WORKER_LOST")]
    assert (await OutboxRow.get(id=row.id)).state is OutboxState.DEAD


async def test_a_promise_that_kills_its_worker_ten_times_is_dead_for_operators_to_see_while_the_others_are_kept(
    relay: Relay, queue: Queue, verb: Verb, clock: Clock
) -> None:
    queue.away = True
    deadly, *others = await promised(2)
    verb.deadly = {deadly.subject_id}

    for attempt in range(1, 11):
        await relay.sweep()
        row = await OutboxRow.get(id=deadly.id)
        assert (row.state, row.attempts) == (OutboxState.SENDING, attempt)
        await relay.sweep()
        assert await outbox.claim(deadly.id, ["TEST"]) is None
        assert verb.given_up == []
        others += await promised()
        await clock.move(seconds=30)
    await relay.sweep()

    dead = await OutboxRow.get(id=deadly.id)
    assert (dead.state, dead.attempts, dead.last_error) == (OutboxState.DEAD, 10, "WORKER_LOST")
    assert verb.given_up == [(deadly.subject_id, "WORKER_LOST")]
    assert (await outbox.depth()).dead == 1
    assert sorted(verb.kept) == sorted(each.subject_id for each in others)


async def test_the_same_promise_delivered_five_times_at_once_is_kept_once(relay: Relay, verb: Verb) -> None:
    made = await promised(10)

    await asyncio.gather(*(relay.deliver(each.id) for each in made * 5))

    assert sorted(verb.kept) == sorted(each.subject_id for each in made)


async def test_what_takes_long_is_kept_beside_the_jobs_and_keeps_its_claim(
    database: Settings, queue: Queue, change_settings: Callable[..., Settings]
) -> None:
    await OutboxRow.all().delete()
    change_settings(outbox_lease_seconds=1)
    over, ended, kept = asyncio.Event(), asyncio.Event(), []

    async def keep(row: OutboxRow) -> None:
        await over.wait()
        kept.append(await outbox.done(row))
        ended.set()

    relay = Relay({"TEST": Kind(keep, Verb().give_up, lengthy=True)}, queue, database.database_url)  # type: ignore[arg-type]  # a stand-in
    [row] = await promised()

    await asyncio.wait_for(relay.deliver(row.id), 1)
    await asyncio.sleep(1.5)
    assert await outbox.claim(row.id, ["TEST"]) is None
    over.set()
    await asyncio.wait_for(ended.wait(), 5)

    assert kept == [True]
    assert (await OutboxRow.get(id=row.id)).state is OutboxState.SENT


async def test_no_more_than_two_lengthy_promises_are_kept_at_once_and_the_others_wait_uncounted(database: Settings, queue: Queue) -> None:
    await OutboxRow.all().delete()
    never = asyncio.Event()

    async def keep(_: OutboxRow) -> None:
        await never.wait()

    relay = Relay({"TEST": Kind(keep, Verb().give_up, lengthy=True)}, queue, database.database_url)  # type: ignore[arg-type]  # a stand-in
    for each in await promised(3):
        await relay.deliver(each.id)

    states = sorted((each.state.value, each.attempts) for each in await OutboxRow.all())
    assert states == [("PENDING", 0), ("SENDING", 1), ("SENDING", 1)]
    await relay.stop_lengthy()


async def test_a_process_that_stops_gives_what_takes_long_back_at_once(database: Settings, queue: Queue) -> None:
    await OutboxRow.all().delete()
    ended: list[str] = []

    async def keep(_: OutboxRow) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.append("ended")

    relay = Relay({"TEST": Kind(keep, Verb().give_up, lengthy=True)}, queue, database.database_url)  # type: ignore[arg-type]  # a stand-in
    [row] = await promised()
    await relay.deliver(row.id)
    await asyncio.sleep(0)

    await relay.stop_lengthy()

    assert ended == ["ended"]
    given_back = await OutboxRow.get(id=row.id)
    assert (given_back.state, given_back.attempts) == (OutboxState.PENDING, 0)
    assert [each.id for each in await outbox.due(["TEST"])] == [row.id]


async def test_a_lengthy_promise_whose_claim_was_lost_is_broken_off(
    database: Settings, queue: Queue, change_settings: Callable[..., Settings]
) -> None:
    await OutboxRow.all().delete()
    change_settings(outbox_lease_seconds=1)
    ended = asyncio.Event()

    async def keep(_: OutboxRow) -> None:
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    relay = Relay({"TEST": Kind(keep, Verb().give_up, lengthy=True)}, queue, database.database_url)  # type: ignore[arg-type]  # a stand-in
    [row] = await promised()
    await relay.deliver(row.id)
    await rows("WITH lost AS (UPDATE outbox SET lease_token = gen_random_uuid() WHERE id = $1 RETURNING id) SELECT id FROM lost", row.id)

    await asyncio.wait_for(ended.wait(), 3)
    assert (await OutboxRow.get(id=row.id)).state is OutboxState.SENDING


async def test_a_lengthy_promise_that_fails_is_tried_again_like_others(database: Settings, queue: Queue) -> None:
    await OutboxRow.all().delete()
    verb = Verb()
    relay = Relay({"TEST": Kind(verb.keep, verb.give_up, lengthy=True)}, queue, database.database_url)  # type: ignore[arg-type]  # a stand-in
    [row] = await promised()
    verb.poison.add(row.subject_id)

    await relay.deliver(row.id)
    failed = row
    for _ in range(250):
        failed = await OutboxRow.get(id=row.id)
        if failed.last_error is not None:
            break
        await asyncio.sleep(0.02)

    assert (failed.state, failed.attempts, failed.last_error) == (OutboxState.PENDING, 1, "ZeroDivisionError")
