"""Promises, providers and worker processes for the tests of the later process."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from domain.actions.promises import send_sms
from models.database import database_now, transaction
from models.enums import SmsTemplate
from models.outbox import OutboxRow
from models.sms import SmsMessage
from settings import Settings, variable
from tests.people import SignedIn, registered_expert
from tests.workers.gateways import Provider


@pytest.fixture(scope="module")
async def expert(database: Settings) -> SignedIn:
    """Somebody to write to; what registering promised is out of the way."""
    found = await registered_expert()
    await OutboxRow.all().delete()
    return found


@pytest.fixture
def send(expert: SignedIn) -> Callable[..., Awaitable[tuple[SmsMessage, UUID]]]:
    """`message, promise_id = await send()` puts a message to the expert into the ledger, as a verb does."""

    async def send(template: SmsTemplate = SmsTemplate.RETURNED) -> tuple[SmsMessage, UUID]:
        async with transaction():
            await send_sms(template, expert.account, parameters={"number": "222026000001"}, now=await database_now())
        message = await SmsMessage.all().order_by("-id").first()
        assert message is not None
        return message, (await OutboxRow.get(subject_id=message.id)).id

    return send


@pytest.fixture
def provider(database: Settings, tmp_path: Path) -> Provider:
    """A provider in this process that notes down what it is sent in `tmp_path`."""
    return Provider(replace(database, data_dir=tmp_path))


@pytest.fixture
def longest_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every pause after a failure gets all of its jitter."""
    monkeypatch.setattr("random.random", lambda: 1.0)


class WorkerProcess:
    """A worker of the product, running."""

    def __init__(self, environment: dict[str, str], log: Path) -> None:
        self.log = log
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                [sys.executable, "-c", "from workers.main import main; main()"], env=environment, stdout=output, stderr=output
            )

    def wait_until_started(self) -> None:
        """Return when it listens."""
        wait_for(lambda: "worker started" in self.log.read_text() or self.process.poll() is not None, what="a started worker")
        assert self.process.poll() is None, self.log.read_text()

    def kill(self) -> None:
        """SIGKILL: nothing is finished or given back."""
        self.process.kill()
        self.process.wait()

    def terminate(self) -> tuple[int, float]:
        """SIGTERM; exit code and seconds until the end."""
        begun = time.monotonic()
        self.process.terminate()
        return self.process.wait(timeout=25), time.monotonic() - begun


@pytest.fixture
def start_worker(environment: dict[str, str], tmp_path: Path) -> Iterator[Callable[..., WorkerProcess]]:
    """`start_worker(redis_url, sweep_seconds=0.2)` runs a worker on this module's database with a provider in `tmp_path`."""
    started: list[WorkerProcess] = []

    def start(redis_url: str, **changes: Any) -> WorkerProcess:
        chosen = {
            "redis_url": redis_url,
            "data_dir": tmp_path,
            "sms_gateway": "tests.workers.gateways:Provider",
            "sweep_seconds": 0.2,
            "outbox_lease_seconds": 2,
        } | changes
        worker = WorkerProcess(
            environment | {variable(name): str(value) for name, value in chosen.items()}, tmp_path / f"worker-{len(started)}.log"
        )
        started.append(worker)
        return worker

    yield start
    for each in started:
        each.kill()


def wait_for(what_is: Callable[[], Any], *, what: str, seconds: float = 15) -> None:
    """Wait until something holds; fails naming `what` when it does not in time."""
    deadline = time.monotonic() + seconds
    while not what_is():
        if time.monotonic() > deadline:
            pytest.fail(f"waited {seconds} s in vain for {what}")
        time.sleep(0.05)
