from __future__ import annotations

import asyncio
import errno
import subprocess
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from uuid import uuid4

import pytest
import structlog

from domain.actions import files, storage
from domain.rules.errors import Refusal, Unavailable
from domain.rules.messages import text
from models.enums import FilePurpose
from models.files import StoredFile
from settings import Settings
from tests.files import attacks
from tests.files.uploads import contents, hand_in, on_disk
from tests.people import SignedIn


@contextmanager
def small_disk(directory: Path, size: str) -> Iterator[None]:
    """A file system of its own at a directory."""
    directory.mkdir(exist_ok=True)
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", directory], capture_output=True, text=True, check=False
    )
    if mounted.returncode:
        pytest.skip(f"a small disk needs the right to mount: {mounted.stderr.strip()}")
    try:
        yield
    finally:
        subprocess.run(["umount", directory], check=True)


@pytest.mark.parametrize("full", ["incoming", "files"])
async def test_a_full_disk_is_told_and_leaves_nothing(
    zhang: SignedIn, now: datetime, data_dir: Path, full: str, change_settings: Callable[..., Settings]
) -> None:
    with small_disk(data_dir / full, "256k"):
        with pytest.raises(Unavailable) as refused:
            await hand_in(attacks.scan(), zhang, now)

        assert refused.value.code == "INSUFFICIENT_STORAGE"
        assert text(refused.value.code, "zh", refused.value.facts)
        assert await StoredFile.all().count() == 0
        assert on_disk(data_dir) == []
        small = await hand_in(attacks.small_scan(), zhang, now)
        assert len(await contents(small)) == small.size


async def test_a_disk_that_fills_while_the_clean_image_is_written_is_told(zhang: SignedIn, now: datetime, data_dir: Path) -> None:
    scan = attacks.scan()
    with small_disk(data_dir / "incoming", f"{len(scan) // 1024 + 100}k"):
        with pytest.raises(Unavailable) as refused:
            await hand_in(scan, zhang, now)

        assert refused.value.code == "INSUFFICIENT_STORAGE"
        assert await StoredFile.all().count() == 0
        assert on_disk(data_dir) == []


async def test_other_errors_of_the_system_are_not_taken_for_a_full_disk() -> None:
    with pytest.raises(PermissionError), storage.told_when_full():
        raise PermissionError(errno.EACCES, "no")


async def test_putting_a_content_again_changes_nothing(data_dir: Path) -> None:
    key = storage.key_of(b"\1" * 32)
    with storage.spool() as source:
        source.write(b"content")
        await storage.put(key, source)
        first = (data_dir / "files" / key).read_bytes()

        await storage.put(key, source)

    assert on_disk(data_dir) == [data_dir / "files" / key]
    assert (data_dir / "files" / key).read_bytes() == first
    assert b"".join([part async for part in await storage.read(key)]) == b"content"


async def test_a_missing_object_is_told_to_the_operator(data_dir: Path) -> None:
    with structlog.testing.capture_logs() as logged, pytest.raises(Unavailable) as refused:
        await storage.read(storage.key_of(b"\2" * 32))

    assert refused.value.code == "SERVICE_UNAVAILABLE"
    assert [(each["log_level"], each["event"]) for each in logged] == [("error", "object store failed")]


async def test_removing_what_is_not_there_is_no_error() -> None:
    await storage.remove(storage.key_of(b"\3" * 32))


async def test_keys_differ_between_installations(change_settings: Callable[..., Settings]) -> None:
    here = storage.key_of(b"\1" * 32)
    change_settings(secret_key="another secret of another place, 32 characters")
    there = storage.key_of(b"\1" * 32)

    assert here != there
    assert len(here) == len(there) == 65


async def test_an_object_store_that_is_away_is_told_in_time(
    zhang: SignedIn, now: datetime, data_dir: Path, change_settings: Callable[..., Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_ENDPOINT", "http://127.0.0.1:9")
    change_settings(storage_url=f"s3://no-such-bucket-{uuid4()}/images")

    with structlog.testing.capture_logs(), pytest.raises(Unavailable) as refused:
        async with asyncio.timeout(10):
            await hand_in(attacks.scan(), zhang, now)

    assert refused.value.code == "SERVICE_UNAVAILABLE"
    assert await StoredFile.all().count() == 0
    assert on_disk(data_dir) == []


async def test_a_row_is_not_written_without_its_object(
    zhang: SignedIn, now: datetime, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A sweep may take an equal object away between its putting and the row."""
    put = storage.put

    async def put_and_lose(key: str, source: object) -> None:
        await put(key, source)  # type: ignore[arg-type]
        await storage.remove(key)

    monkeypatch.setattr(storage, "put", put_and_lose)

    with pytest.raises(Refusal) as refused:
        await hand_in(attacks.scan(), zhang, now)

    assert refused.value.code == "SERVICE_UNAVAILABLE"
    assert await StoredFile.all().count() == 0
    assert on_disk(data_dir) == []


async def test_other_uploads_go_on_while_one_is_slow(zhang: SignedIn, wang: SignedIn, now: datetime) -> None:
    go_on = asyncio.Event()

    async def slowly() -> AsyncIterator[bytes]:
        yield attacks.scan()
        await go_on.wait()

    slow = asyncio.create_task(files.store(slowly(), purpose=FilePurpose.TITLE, name="scan.jpg", viewer=zhang.viewer, now=now))
    quick = await hand_in(attacks.scan(), wang, now)
    go_on.set()

    assert quick.sha256 == (await slow).sha256
