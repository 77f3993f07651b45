"""The worker process: takes promises from the queue and, beside it, relays, sweeps, closes notices and tidies up."""

from __future__ import annotations

import asyncio
import signal
import sys
from functools import partial

import structlog

import logs
import tracing
from domain.actions import calendar, erasure, exports, files, housekeeping, keys, pools, publicity, reminders, standing
from models.database import close_database, database_now, open_database
from settings import Settings, SettingsError, settings
from workers.clocks import Clocks
from workers.loops import Alarm, Loop
from workers.queue import Hints, consumer, drain
from workers.relay import Relay, kinds
from workers.sms.gateways import gateway

_log = structlog.get_logger(__name__)

GRACE_SECONDS = 15.0
"""What is under way at SIGTERM may take so long; together with closing everything the process ends within 20 s."""
_DELAY_SECONDS = 30.0
_TIDY_SECONDS = 600.0
_STANDING_SECONDS = 600.0
_REMINDERS_SECONDS = 600.0
_FILES_SECONDS = 3600.0
_ERASURE_SECONDS = 3600.0
_EXPORTS_SECONDS = 300.0
_NOTICES_AT_A_TIME = 100


def main() -> None:
    """Run until SIGTERM or Ctrl-C; ends with exit code 0 when everything under way was finished or given back."""
    try:
        configuration = settings()
        logs.set_up(configuration, "worker")
        tracing.set_up(configuration, "worker")
        asyncio.run(run(configuration))
    except SettingsError as error:
        sys.exit(str(error))


async def run(configuration: Settings) -> None:
    """The process. Its loops fail one by one and go on; only a signal ends them. A database that is away at the start ends it at once."""
    stopping = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stopping.set)
    hints = Hints(configuration.redis_url)
    relay = Relay(kinds(gateway(configuration)), hints, configuration.database_url)
    clocks = Clocks(skew_seconds=configuration.clock_skew_seconds)
    pause = configuration.sweep_seconds
    loops = [
        Loop("queue", partial(_consume, configuration.redis_url, relay, stopping), pause_seconds=0),
        Loop("announced promises", relay.pass_on_heard, pause_seconds=pause, wake=relay.heard),
        Loop("due promises", relay.sweep, pause_seconds=pause, wake=relay.missed),
        Loop("public notices", partial(_close_notices, clocks), pause_seconds=pause),
        Loop("calendar changes", _count_again, pause_seconds=pause),
        Loop("standing", partial(_keep_standing, clocks), pause_seconds=_STANDING_SECONDS, delay_seconds=_DELAY_SECONDS),
        Loop("reminders", partial(_remind, clocks), pause_seconds=_REMINDERS_SECONDS, delay_seconds=_DELAY_SECONDS),
        Loop("pool merges", partial(_move_with_pools, clocks), pause_seconds=pause),
        Loop("erasure", partial(_erase, clocks), pause_seconds=_ERASURE_SECONDS, delay_seconds=_DELAY_SECONDS),
        Loop("housekeeping", housekeeping.tidy, pause_seconds=_TIDY_SECONDS, delay_seconds=_DELAY_SECONDS),
        Loop("exports", _sweep_exports, pause_seconds=_EXPORTS_SECONDS, delay_seconds=_DELAY_SECONDS),
        Loop("stored files", _sweep_files, pause_seconds=_FILES_SECONDS, delay_seconds=_DELAY_SECONDS),
    ]
    await open_database(configuration)
    try:
        await keys.check()
        listening = asyncio.create_task(Loop("listening", relay.listen, pause_seconds=0).run())
        working = [asyncio.create_task(each.run()) for each in loops]
        _log.info("worker started", gateway=configuration.sms_gateway)
        await stopping.wait()
        listening.cancel()
        for each in loops:
            each.stop()
        _, late = await asyncio.wait(working, timeout=GRACE_SECONDS + 2)
        for task in late:
            task.cancel()
        await asyncio.gather(listening, *late, return_exceptions=True)
        await relay.stop_lengthy()
        _log.info("worker stopped", cancelled=len(late))
    finally:
        await hints.close()
        await close_database()


async def _consume(redis_url: str, relay: Relay, stopping: asyncio.Event) -> None:
    """Work off the queue until the end, or until Redis stays away for longer than arq waits."""
    worker = consumer(redis_url, relay.deliver)
    polling = asyncio.create_task(worker.main())
    told = asyncio.create_task(stopping.wait())
    try:
        await asyncio.wait({polling, told}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        told.cancel()
        await drain(worker, GRACE_SECONDS)
        polling.cancel()
        await asyncio.wait({polling})
    if not polling.cancelled():
        polling.result()


async def _close_notices(clocks: Clocks) -> None:
    if fault := await clocks.fault():
        raise Alarm(fault)
    while (closed := await publicity.close_due_notices(limit=_NOTICES_AT_A_TIME)) > 0:
        _log.info("notices closed", count=closed)


async def _count_again() -> None:
    if extended := await calendar.count_again():
        _log.info("notices counted again", extended=extended)


async def _keep_standing(clocks: Clocks) -> None:
    if fault := await clocks.fault():
        raise Alarm(fault)
    if changed := await standing.keep_standing():
        _log.info("standing kept", experts=changed)


async def _remind(clocks: Clocks) -> None:
    """A cancelled case does not come back: under a doubtful clock it waits."""
    if fault := await clocks.fault():
        raise Alarm(fault)
    while (moved := await reminders.keep_cases_moving()) > 0:
        _log.info("people reminded of cases, or cases cancelled", count=moved)
    while (told := await reminders.remind_of_begun_changes()) > 0:
        _log.info("people reminded of changes that were begun", count=told)
    while (told := await reminders.tell_of_closed_pools()) > 0:
        _log.info("people told that their pool was closed", count=told)
    while (told := await reminders.tell_of_ending_qualifications()) > 0:
        _log.info("people told of qualifications", count=told)


async def _move_with_pools(clocks: Clocks) -> None:
    if fault := await clocks.fault():
        raise Alarm(fault)
    if moved := await pools.carry_on():
        _log.info("moved with their pools", experts=moved)
    if cancelled := await pools.cancel_without_office():
        _log.info("cases of closed pools cancelled", cases=cancelled)


async def _erase(clocks: Clocks) -> None:
    """Nothing brings erased data back: under a doubtful clock it waits."""
    if fault := await clocks.fault():
        raise Alarm(fault)
    while (erased := await erasure.erase_due()) > 0:
        _log.info("personal data erased", experts=erased)
    while (forgotten := await erasure.forget_objectors()) > 0:
        _log.info("objectors forgotten", objections=forgotten)


async def _sweep_files() -> None:
    swept = await files.sweep_orphans(now=await database_now())
    _log.info("stored files swept", rows=swept.rows, objects=swept.objects, missing=swept.missing)


async def _sweep_exports() -> None:
    if swept := await exports.sweep(now=await database_now()):
        _log.info("exports cleared away", count=swept)
