from __future__ import annotations

import asyncio

from workers.loops import Alarm, Loop


async def test_a_loop_goes_on_after_a_failure_and_ends_when_stopped() -> None:
    done: list[int] = []
    enough = asyncio.Event()

    async def work() -> None:
        done.append(len(done))
        if len(done) == 1:
            raise ZeroDivisionError
        if len(done) == 2:
            raise Alarm("CLOCKS_DIFFER")
        enough.set()

    loop = Loop("test", work, pause_seconds=3600)
    running = asyncio.create_task(loop.run())
    await asyncio.wait_for(enough.wait(), 5)

    loop.stop()
    await asyncio.wait_for(running, 1)

    assert done == [0, 1, 2]


async def test_a_loop_is_woken_before_its_pause_is_over() -> None:
    wake = asyncio.Event()
    times = 0

    async def work() -> None:
        nonlocal times
        times += 1
        wake.clear()

    loop = Loop("test", work, pause_seconds=3600, wake=wake)
    running = asyncio.create_task(loop.run())
    await asyncio.sleep(0.01)

    wake.set()
    await asyncio.sleep(0.01)
    loop.stop()
    await running

    assert times == 2


async def test_work_that_can_wait_does_not_begin_with_the_process_and_is_stopped_before_it_begins() -> None:
    done: list[int] = []

    async def work() -> None:
        done.append(1)

    loop = Loop("test", work, pause_seconds=3600, delay_seconds=0.02)
    running = asyncio.create_task(loop.run())
    await asyncio.sleep(0)
    assert done == []
    await asyncio.sleep(0.05)
    assert done == [1]
    loop.stop()
    await running

    late = Loop("test", work, pause_seconds=3600, delay_seconds=3600)
    running = asyncio.create_task(late.run())
    late.stop()
    await running
    assert done == [1]


async def test_stopping_waits_for_the_work_in_hand() -> None:
    begun, finished = asyncio.Event(), asyncio.Event()

    async def work() -> None:
        begun.set()
        await asyncio.sleep(0.05)
        finished.set()

    loop = Loop("test", work, pause_seconds=3600)
    running = asyncio.create_task(loop.run())
    await begun.wait()

    loop.stop()
    await running

    assert finished.is_set()
