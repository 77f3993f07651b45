from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from domain import lists
from domain.actions import exporting, exports, files, outbox, processes, storage
from domain.rules.errors import Unavailable
from models.database import database_now, execute, rows
from models.enums import AccountStatus, ExportState, OutboxState
from models.exports import Export
from models.outbox import OutboxRow
from settings import Settings
from tests.conftest import ROOT, Clock
from tests.exports.making import claimed, contents, made
from tests.files.uploads import on_disk
from tests.people import officer, registered_expert


async def asked() -> Export:
    return await exports.ask_cases(lists.CaseFilter(), viewer=(await officer()).viewer, now=await database_now())


async def objects() -> list[str]:
    return [key for each in storage.PREFIXES async for key, _ in storage.listed(each)]


async def test_what_is_made_can_be_had_for_a_day(database: Settings) -> None:
    export = await made(await asked())

    assert export.finished_at is not None
    assert export.expires_at == export.finished_at + timedelta(hours=24)
    assert (export.state, export.file_name, export.done, export.total) == (ExportState.READY, "办件清单.xlsx", 0, 0)
    assert len(await contents(export)) == export.size
    assert (await OutboxRow.get(subject_id=export.id)).state is OutboxState.SENT


async def test_of_two_workers_at_one_export_only_the_one_with_the_claim_leaves_a_file(database: Settings) -> None:
    export = await asked()
    stalled = await claimed(export)
    await execute("UPDATE outbox SET due_at = registry_now() WHERE id = $1", stalled.id)  # its lease ran out
    taking_over = await outbox.claim(stalled.id, [exports.PROMISE])
    assert taking_over is not None

    await exports.make(taking_over)
    first = await Export.get(id=export.id)
    await exports.make(stalled)

    assert await objects() == [first.object_key]
    assert (await Export.get(id=export.id)).object_key == first.object_key


async def test_a_claim_lost_while_the_file_was_made_leaves_nothing_behind(database: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    export = await asked()
    write = exports._write

    async def slow(*given: Any, **more: Any) -> str:
        await execute("UPDATE outbox SET lease_token = gen_random_uuid() WHERE subject_id = $1", export.id)
        return await write(*given, **more)

    monkeypatch.setattr(exports, "_write", slow)
    await exports.make(await claimed(export))

    assert await objects() == []
    assert (await Export.get(id=export.id)).state is ExportState.RUNNING


async def test_what_was_broken_off_is_made_anew(database: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    export = await asked()
    with monkeypatch.context() as broken:
        broken.setattr(exporting, "write", _raising(processes.CutOff()))
        with pytest.raises(processes.CutOff):
            await exports.make(await claimed(export))
    assert (await Export.get(id=export.id)).state is ExportState.RUNNING
    await execute("UPDATE outbox SET due_at = registry_now() WHERE subject_id = $1", export.id)

    assert (await made(export)).state is ExportState.READY


async def test_a_store_that_is_away_is_no_reason_to_give_up(database: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    export = await asked()
    monkeypatch.setattr(storage, "put", _raising(Unavailable()))

    with pytest.raises(Unavailable):
        await exports.make(await claimed(export))

    assert (await Export.get(id=export.id)).state is ExportState.RUNNING


def _raising(fault: Exception) -> Callable[..., Any]:
    async def fail(*_: Any, **__: Any) -> None:
        raise fault

    return fail


async def test_an_export_that_cannot_be_made_says_so_once_its_promise_is_dead(database: Settings) -> None:
    export = await asked()

    await exports.give_up(export.id, "CutOff")

    failed = await Export.get(id=export.id)
    assert (failed.state, failed.failure) == (ExportState.FAILED, "EXPORT_FAILED")


async def test_giving_up_what_is_ready_changes_nothing(database: Settings) -> None:
    export = await made(await asked())

    await exports.give_up(export.id, "late")

    assert (await Export.get(id=export.id)).state is ExportState.READY


@pytest.mark.parametrize("change", [{"status": AccountStatus.DISABLED}, {"pool_code": "220299"}])
async def test_an_officer_who_was_disabled_or_moved_gets_nothing_of_the_former_office(database: Settings, change: dict[str, Any]) -> None:
    export = await asked()
    account = await export.requested_by
    await account.update_from_dict(change).save()

    export = await made(export)

    assert (export.state, export.failure) == (ExportState.FAILED, "NOT_ALLOWED")


async def test_the_file_goes_when_its_time_is_over(database: Settings, clock: Clock) -> None:
    export = await made(await asked())
    assert export.expires_at is not None

    early = await exports.sweep(now=export.expires_at - timedelta(seconds=1))
    swept = await exports.sweep(now=export.expires_at)
    again = await exports.sweep(now=export.expires_at)

    assert (early, swept, again) == (0, 1, 0)
    gone = await Export.get(id=export.id)
    assert (gone.state, gone.object_key) == (ExportState.EXPIRED, None)
    assert await objects() == []


async def test_what_a_sweep_could_not_take_away_is_left_to_that_of_stored_files(
    database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    export = await made(await asked())
    assert export.expires_at is not None
    with monkeypatch.context() as broken:
        broken.setattr(storage, "remove", _raising(Unavailable()))
        with pytest.raises(Unavailable):
            await exports.sweep(now=export.expires_at)
    assert (await Export.get(id=export.id)).state is ExportState.EXPIRED

    assert await exports.sweep(now=export.expires_at) == 0
    assert (await files.sweep_orphans(now=await database_now() + timedelta(days=2))).objects == 1
    assert await objects() == []


async def test_directories_of_workers_that_died_are_cleared_away_after_a_day(database: Settings, data_dir: Path) -> None:
    left = data_dir / "incoming" / "export-left"
    left.mkdir(parents=True)
    (left / "sheet.xml").write_text("张三")
    now = await database_now()

    exporting.clear_left_behind(now=now)
    assert left.exists()
    assert exporting.clear_left_behind(now=now + timedelta(days=1, minutes=1)) == 1
    assert not left.exists()


async def test_making_leaves_nothing_on_the_disk_but_the_sealed_object(database: Settings, data_dir: Path) -> None:
    await made(await asked())
    person = await registered_expert()
    draft = await rows("SELECT id FROM revisions WHERE expert_id = $1", person.viewer.expert_id)

    assert draft == []
    assert len(on_disk(data_dir)) == 1
    assert list((data_dir / "incoming").iterdir()) == []


def test_neither_the_api_nor_the_worker_loads_what_sets_forms_and_writes_sheets() -> None:
    script = "import sys, api.app, workers.main; print([name for name in ('typst', 'xlsxwriter', 'PIL') if name in sys.modules])"
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "REGISTRY_DEVELOPMENT": "1"}

    said = subprocess.run([sys.executable, "-c", script], cwd=ROOT, env=environment, capture_output=True, check=True, text=True)

    assert said.stdout == "[]\n"


async def test_the_process_is_ended_at_its_limit_of_time(
    database: Settings, change_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    slow = tmp_path / "slow.py"
    slow.write_text("import time; time.sleep(30)")
    with storage.spool() as source, storage.spool() as target, pytest.raises(processes.CutOff):
        await processes.run(slow, source=source, target=target, seconds=1)
