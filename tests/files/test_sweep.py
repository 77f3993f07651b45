from __future__ import annotations

import asyncio
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import structlog

from demonstration.images import certificate, jpeg
from domain.actions import attachments, files, storage
from domain.rules.errors import InvalidInput
from models.database import rows, transaction
from models.enums import FilePurpose
from models.files import StoredFile
from tests import people
from tests.files import attacks
from tests.files.uploads import contents, hand_in, on_disk
from tests.people import SignedIn

DAY = timedelta(hours=24)


def grown_old(directory: Path) -> None:
    """Objects are as old as their file system says."""
    for each in on_disk(directory):
        os.utime(each, (0, 0))


async def test_a_file_that_no_profile_names_goes_after_a_day(zhang: SignedIn, now: datetime, data_dir: Path) -> None:
    file = await hand_in(attacks.scan(), zhang, now)

    early = await files.sweep_orphans(now=now + DAY)
    kept = await StoredFile.exists(id=file.id)
    late = await files.sweep_orphans(now=now + DAY + timedelta(seconds=1))

    assert (early.rows, early.objects, kept) == (0, 0, True)
    assert (late.rows, late.objects, late.missing) == (1, 1, 0)
    assert not await StoredFile.exists(id=file.id)
    assert on_disk(data_dir) == []


async def test_handing_in_again_counts_the_day_anew(zhang: SignedIn, now: datetime) -> None:
    file = await hand_in(attacks.scan(), zhang, now)
    await hand_in(attacks.scan(), zhang, now + timedelta(hours=23))

    swept = await files.sweep_orphans(now=now + timedelta(hours=25))

    assert swept.rows == 0
    assert await StoredFile.exists(id=file.id)


@pytest.mark.parametrize("purpose", [FilePurpose.PORTRAIT, FilePurpose.ID_FRONT, FilePurpose.ID_BACK, FilePurpose.OTHER])
async def test_a_file_that_a_profile_names_stays(now: datetime, purpose: FilePurpose) -> None:
    expert = await people.registered_expert()
    file = await hand_in(attacks.scan(), expert, now, purpose=purpose)
    await attachments.attach_file(file.id, viewer=expert.viewer, now=now)

    swept = await files.sweep_orphans(now=now + 365 * DAY)

    assert swept.missing == 0
    assert len(await contents(await StoredFile.get(id=file.id))) == file.size


async def test_every_column_that_names_files_has_its_index() -> None:
    indexed = {
        (each["tablename"], each["indexdef"].partition("(")[2].partition(")")[0])
        for each in await rows("SELECT tablename, indexdef FROM pg_indexes WHERE schemaname = 'public'")
    }

    assert len(files.named_by()) == 7
    assert set(files.named_by()) <= indexed


async def test_an_object_goes_with_the_last_row_that_names_it(zhang: SignedIn, wang: SignedIn, now: datetime, data_dir: Path) -> None:
    await hand_in(attacks.scan(), zhang, now)
    later = await hand_in(attacks.scan(), wang, now + timedelta(hours=5))
    assert len(on_disk(data_dir)) == 1

    first = await files.sweep_orphans(now=now + timedelta(hours=25))
    still = await contents(later)
    second = await files.sweep_orphans(now=now + timedelta(hours=30))

    assert (first.rows, first.objects) == (1, 0)
    assert len(still) == later.size
    assert (second.rows, second.objects) == (1, 1)
    assert on_disk(data_dir) == []


async def test_an_object_that_no_row_names_goes_after_a_day(data_dir: Path) -> None:
    key = storage.key_of(b"\1" * 32)
    with storage.spool() as source:
        source.write(b"left by a process that was killed")
        await storage.put(key, source)

    fresh = await files.sweep_orphans(now=datetime.now(UTC))
    grown_old(data_dir)
    old = await files.sweep_orphans(now=datetime.now(UTC))
    again = await files.sweep_orphans(now=datetime.now(UTC))

    assert (fresh.objects, old.objects, again.objects) == (0, 1, 0)
    assert on_disk(data_dir) == []


async def test_more_rows_than_one_batch_go_in_one_sweep(zhang: SignedIn, now: datetime, data_dir: Path) -> None:
    file = await hand_in(attacks.scan(), zhang, now)
    for number in range(250):
        file.pk, file.sha256 = None, number.to_bytes(32)
        await StoredFile.create(
            **{name: getattr(file, name) for name in StoredFile._meta.db_fields if name not in ("id", "sha256")}, sha256=number.to_bytes(32)
        )

    swept = await files.sweep_orphans(now=now + 2 * DAY)

    assert (swept.rows, swept.objects) == (251, 1)
    assert on_disk(data_dir) == []


async def test_a_row_without_its_object_is_told(zhang: SignedIn, now: datetime, data_dir: Path) -> None:
    file = await hand_in(attacks.scan(), zhang, now)
    (data_dir / "files" / file.object_key).unlink()

    with structlog.testing.capture_logs() as logged:
        swept = await files.sweep_orphans(now=now)

    assert swept.missing == 1
    assert [(each["log_level"], each["event"], each["missing"]) for each in logged] == [
        ("error", "files are missing from the object store", 1)
    ]
    assert await StoredFile.exists(id=file.id)


async def test_a_file_that_is_just_being_attached_stays(now: datetime) -> None:
    expert = await people.registered_expert()
    file = await hand_in(attacks.scan(), expert, now, purpose=FilePurpose.PORTRAIT)
    attached, go_on = asyncio.Event(), asyncio.Event()

    async def attach() -> None:
        async with transaction():
            await attachments.attach_file(file.id, viewer=expert.viewer, now=now)
            attached.set()
            await go_on.wait()

    attaching = asyncio.create_task(attach())
    await attached.wait()

    swept = await files.sweep_orphans(now=now + 2 * DAY)
    go_on.set()
    await attaching

    assert swept.rows == 0
    assert len(await contents(await StoredFile.get(id=file.id))) == file.size


async def test_attaching_and_sweeping_at_once_end_in_one_of_two_ways(now: datetime) -> None:
    expert = await people.registered_expert()

    for number in range(12):
        scan = jpeg(certificate("CERTIFICATE", [f"Number {number}"], size=(600, 800)))
        file = await hand_in(scan, expert, now, purpose=FilePurpose.ID_FRONT)

        attached, swept = await asyncio.gather(
            attachments.attach_file(file.id, viewer=expert.viewer, now=now), files.sweep_orphans(now=now + 2 * DAY), return_exceptions=True
        )

        assert isinstance(swept, files.Swept)
        if isinstance(attached, InvalidInput):
            assert not await StoredFile.exists(id=file.id)
        else:
            assert not isinstance(attached, BaseException)
            assert len(await contents(await StoredFile.get(id=file.id))) == file.size


async def test_uploads_and_sweeps_at_once_never_part_row_and_object(zhang: SignedIn, wang: SignedIn, now: datetime, data_dir: Path) -> None:
    scan = attacks.small_scan()

    async def sweep() -> None:
        for _ in range(15):
            grown_old(data_dir)
            await files.sweep_orphans(now=now + 2 * DAY)

    sweeping = asyncio.create_task(sweep())
    while not sweeping.done():
        for who in (zhang, wang):
            await hand_in(scan, who, now)
    await sweeping
    final = await files.sweep_orphans(now=now)

    assert final.missing == 0


async def test_two_sweeps_at_once_do_the_work_of_one(zhang: SignedIn, now: datetime, data_dir: Path) -> None:
    await hand_in(attacks.scan(), zhang, now)

    swept = await asyncio.gather(*(files.sweep_orphans(now=now + 2 * DAY) for _ in range(3)))

    assert sum(each.rows for each in swept) == 1
    assert on_disk(data_dir) == []
