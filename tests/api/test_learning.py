"""What an API process learns beside its requests."""

from __future__ import annotations

import asyncio
import json
import time
from unittest.mock import AsyncMock

import pytest

from api import app
from tests.serving import Served


def test_a_process_learns_the_common_pairs_when_it_starts(served: Served) -> None:
    deadline = time.monotonic() + 5
    while "common pairs learnt" not in served.said() and time.monotonic() < deadline:
        time.sleep(0.05)

    line = next(json.loads(each) for each in served.said().splitlines() if "common pairs learnt" in each)
    assert (line["logger"], line["level"]) == ("api.app", "info")
    assert line["found"] >= 0


async def test_it_goes_on_learning_whatever_went_wrong(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    faults: list[Exception] = [ConnectionResetError(), RuntimeError("of 13912345678")]
    learnt = asyncio.Event()

    async def learn() -> int:
        if faults:
            raise faults.pop(0)
        learnt.set()
        return 3

    first = AsyncMock()
    monkeypatch.setattr(app, "learn_first_submissions", first)
    monkeypatch.setattr(app, "learn_common_pairs", learn)
    monkeypatch.setattr(app, "LEARNING_SECONDS", 0.0)
    learning = asyncio.create_task(app._keep_learning())

    await asyncio.wait_for(learnt.wait(), 5)

    assert not learning.done()
    assert first.await_count >= 3
    learning.cancel()
    told = capsys.readouterr()
    assert "13912345678" not in told.out + told.err
