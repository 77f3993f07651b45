"""Real worker processes on real servers, ended in every way."""

from __future__ import annotations

import asyncio
import pickle
import shutil
import signal
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from pathlib import Path
from uuid import UUID

import pytest
from arq.connections import ArqRedis

import embedded
from domain.actions import outbox
from models.applications import Application, ApplicationRecord
from models.database import rows
from models.enums import Move, OutboxState, SmsState, SmsTemplate, Stage, Standing
from models.experts import Expert
from models.outbox import OutboxRow
from models.sms import SmsMessage
from settings import Settings
from tests.cases import case_at
from tests.conftest import Clock
from tests.workers.conftest import WorkerProcess, wait_for
from tests.workers.gateways import Provider
from workers.queue import NAME

Send = Callable[..., Awaitable[tuple[SmsMessage, UUID]]]
StartWorker = Callable[..., WorkerProcess]

NOWHERE = "redis://127.0.0.1:1/0"


@pytest.fixture(scope="module")
def valkey(tmp_path_factory: pytest.TempPathFactory) -> Iterator[embedded.Valkey]:
    """A server of this module alone: its tests kill it."""
    server = embedded.Valkey(tmp_path_factory.mktemp("servers") / "valkey")
    server.start()
    yield server
    server.stop()


@pytest.fixture(autouse=True)
async def _empty(database: Settings, valkey: embedded.Valkey) -> None:
    await OutboxRow.all().delete()
    redis = ArqRedis.from_url(valkey.start())
    await redis.flushall()
    await redis.aclose()


async def until(condition: Callable[[], Awaitable[bool]], what: str, seconds: float = 15) -> None:
    try:
        async with asyncio.timeout(seconds):
            while not await condition():  # noqa: ASYNC110  what is waited for happens in another process
                await asyncio.sleep(0.05)
    except TimeoutError:
        pytest.fail(f"waited {seconds} s in vain for {what}")


async def all_sent(*promises: UUID) -> None:
    async def are_sent() -> bool:
        return await OutboxRow.filter(id__in=promises, state=OutboxState.SENT).count() == len(promises)

    await until(are_sent, f"{len(promises)} kept promises")


def keys(provider: Provider) -> list[UUID]:
    return [UUID(each.key) for each in provider.received()]


async def test_a_promise_made_while_no_worker_ran_is_kept_by_the_next_which_then_ends_in_good_order(
    send: Send, start_worker: StartWorker, valkey: embedded.Valkey, provider: Provider
) -> None:
    message, promise_id = await send()
    worker = start_worker(valkey.url)
    await all_sent(promise_id)
    code, seconds = await asyncio.to_thread(worker.terminate)

    assert keys(provider) == [promise_id]
    assert (await SmsMessage.get(id=message.id)).state is SmsState.SENT
    assert code == 0
    assert seconds < 5
    assert "13910000" not in worker.log.read_text()


async def test_a_worker_killed_while_sending_leaves_the_message_to_the_next_under_the_same_key(
    send: Send, start_worker: StartWorker, valkey: embedded.Valkey, provider: Provider
) -> None:
    provider.behave("hang")
    message, promise_id = await send()
    victim = start_worker(valkey.url)
    await asyncio.to_thread(until_received, provider, 1)
    victim.kill()
    provider.behave("accept")

    start_worker(valkey.url)
    await all_sent(promise_id)

    assert keys(provider) == [promise_id, promise_id]
    sent = await SmsMessage.get(id=message.id)
    assert (sent.state, sent.attempts) == (SmsState.SENT, 2)


async def test_two_workers_keep_every_promise_once(
    send: Send, start_worker: StartWorker, valkey: embedded.Valkey, provider: Provider
) -> None:
    for _ in range(2):
        start_worker(valkey.url, outbox_lease_seconds=30)
    await until(lambda: _listen(2), "two listening workers")

    promises = [(await send())[1] for _ in range(40)]
    await all_sent(*promises)

    assert sorted(keys(provider)) == sorted(promises)


async def test_a_message_leaves_within_a_moment_of_its_commit(
    send: Send, start_worker: StartWorker, valkey: embedded.Valkey, provider: Provider
) -> None:
    start_worker(valkey.url, sweep_seconds=3600)
    await until(lambda: _listen(1), "a listening worker")

    _, promise_id = await send()
    await all_sent(promise_id)

    assert keys(provider) == [promise_id]


async def _listen(count: int) -> bool:
    return (await outbox.depth()).workers == count


async def test_at_sigterm_a_message_under_way_is_finished(
    send: Send, start_worker: StartWorker, valkey: embedded.Valkey, provider: Provider
) -> None:
    provider.behave("slow")
    _, promise_id = await send()
    worker = start_worker(valkey.url, outbox_lease_seconds=30)
    await asyncio.to_thread(until_received, provider, 1)

    code, seconds = await asyncio.to_thread(worker.terminate)

    assert code == 0
    assert seconds < 20
    assert (await OutboxRow.get(id=promise_id)).state is OutboxState.SENT
    assert keys(provider) == [promise_id]


async def test_without_redis_messages_are_sent_and_the_worker_stays(send: Send, start_worker: StartWorker, provider: Provider) -> None:
    worker = start_worker(NOWHERE)
    await asyncio.to_thread(worker.wait_until_started)
    promises = [(await send())[1] for _ in range(5)]

    await all_sent(*promises)

    assert sorted(keys(provider)) == sorted(promises)
    assert worker.process.poll() is None
    assert (await asyncio.to_thread(worker.terminate))[0] == 0


async def test_redis_killed_emptied_and_restarted_loses_no_message(
    send: Send, start_worker: StartWorker, valkey: embedded.Valkey, provider: Provider
) -> None:
    worker = start_worker(valkey.url, outbox_lease_seconds=30)
    await asyncio.to_thread(worker.wait_until_started)
    first = [(await send())[1] for _ in range(10)]
    await all_sent(*first)

    valkey.kill()
    during = [(await send())[1] for _ in range(10)]
    await all_sent(*during)
    shutil.rmtree(valkey.directory / "appendonlydir")
    valkey.start()
    after = [(await send())[1] for _ in range(10)]
    await all_sent(*after)

    assert sorted(keys(provider)) == sorted(first + during + after)
    assert worker.process.poll() is None


async def test_a_redis_that_hangs_holds_up_no_message(
    send: Send, start_worker: StartWorker, valkey: embedded.Valkey, provider: Provider
) -> None:
    worker = start_worker(valkey.url)
    await asyncio.to_thread(worker.wait_until_started)
    assert valkey.process is not None
    valkey.process.send_signal(signal.SIGSTOP)
    try:
        promises = [(await send())[1] for _ in range(10)]
        await all_sent(*promises)
    finally:
        valkey.process.send_signal(signal.SIGCONT)

    assert sorted(keys(provider)) == sorted(promises)


async def test_a_worker_whose_database_connections_are_cut_goes_on_with_new_ones(
    send: Send, start_worker: StartWorker, valkey: embedded.Valkey, provider: Provider
) -> None:
    sessions = "SELECT pid FROM pg_stat_activity WHERE datname = current_database()"
    ours = [each["pid"] for each in await rows(sessions)]
    worker = start_worker(valkey.url)
    await until(lambda: _listen(1), "a listening worker")

    cut = await rows(f"SELECT pg_terminate_backend(pid) FROM ({sessions}) s WHERE pid <> ALL($1)", ours)
    promises = [(await send())[1] for _ in range(5)]
    await all_sent(*promises)
    await until(lambda: _listen(1), "a worker that listens again")

    assert len(cut) >= 2
    assert sorted(keys(provider)) == sorted(promises)
    assert worker.process.poll() is None


async def test_a_failing_kind_of_message_does_not_hold_up_the_others(
    send: Send, start_worker: StartWorker, valkey: embedded.Valkey, provider: Provider
) -> None:
    provider.behave("hang ADMITTED")
    hanging = [(await send(SmsTemplate.ADMITTED))[1] for _ in range(5)]
    start_worker(valkey.url, outbox_lease_seconds=30)
    await asyncio.to_thread(until_received, provider, 5)

    others = [(await send())[1] for _ in range(10)]
    await all_sent(*others)

    assert await OutboxRow.filter(id__in=hanging, state=OutboxState.SENDING).count() == 5


async def test_a_pickled_job_in_the_queue_is_not_opened_and_stops_nothing(
    send: Send, start_worker: StartWorker, valkey: embedded.Valkey, tmp_path: Path
) -> None:
    redis = ArqRedis.from_url(valkey.url)
    trap = tmp_path / "opened"
    job: dict[str, object] = {"t": None, "f": "deliver", "a": (_Trap(str(trap)),), "k": {}, "et": 0}
    await redis.set("arq:job:evil", pickle.dumps(job))
    await redis.zadd(NAME, {"evil": 1})
    start_worker(valkey.url)
    _, promise_id = await send()

    await all_sent(promise_id)

    async def refused() -> bool:
        return bool(await redis.zcard(NAME) == 0)

    await until(refused, "an emptied queue")
    await redis.aclose()
    assert not trap.exists()


class _Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return open, (self.path, "w")


async def test_what_goes_through_redis_is_ids_alone(
    send: Send, start_worker: StartWorker, valkey: embedded.Valkey, provider: Provider
) -> None:
    redis = ArqRedis.from_url(valkey.url)
    worker = start_worker(valkey.url)
    await asyncio.to_thread(worker.wait_until_started)
    async with redis.monitor() as monitor:
        promises = [(await send())[1] for _ in range(3)]
        await all_sent(*promises)
        seen = []
        with suppress(TimeoutError):
            async with asyncio.timeout(1):
                while True:
                    seen.append(str(await monitor.next_command()))
    await redis.aclose()

    spoken = "\n".join(seen)
    assert str(promises[0]) in spoken
    assert "+861391" not in spoken
    assert "评审" not in spoken


def until_received(provider: Provider, count: int) -> None:
    wait_for(lambda: len(provider.received()) >= count, what=f"{count} messages at the provider")


async def test_a_notice_that_ended_while_everything_was_stopped_is_closed_once_by_the_workers_that_start_later(
    start_worker: StartWorker, valkey: embedded.Valkey, clock: Clock
) -> None:
    person, case = await case_at(Stage.PUBLICITY)
    await clock.move(days=30)

    for worker in (start_worker(valkey.url), start_worker(valkey.url)):
        worker.wait_until_started()

    async def is_admitted() -> bool:
        return (await Application.get(id=case.id)).stage is Stage.ADMITTED

    async def is_told() -> bool:
        return await SmsMessage.filter(application_id=case.id, template=SmsTemplate.ADMITTED, state=SmsState.SENT).exists()

    await until(is_admitted, "the end of the notice")
    await until(is_told, "the message of admission")
    assert await SmsMessage.filter(application_id=case.id, template=SmsTemplate.ADMITTED).count() == 1
    assert await ApplicationRecord.filter(application_id=case.id, move=Move.CLOSE_NOTICE).count() == 1
    assert (await Expert.get(id=person.viewer.expert_id)).standing is Standing.FORMAL
