"""The object store: sealed bytes under names that tell nothing, in a directory or in S3."""

from __future__ import annotations

import asyncio
import errno
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta
from functools import lru_cache
from io import BufferedRandom
from pathlib import Path
from typing import IO, TYPE_CHECKING

import structlog

from domain.rules.errors import Unavailable
from models.sealed_objects import HEADER_BYTES, sealed, unsealed
from models.sealing import keyed_hash
from settings import settings

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_PART_BYTES = 8 * 2**20  # of an S3 upload; one at a time, so that this is also the memory it takes
_READ_BYTES = 256 * 2**10
_log = structlog.get_logger(__name__)

PREFIXES = tuple(f"{number:02x}" for number in range(256))
"""What keys begin with: each names an equal share of the objects."""


def key_of(content_sha256: bytes) -> str:
    """The key of a content: equal contents lie once, and who knows a content cannot tell its key."""
    name = keyed_hash("object", content_sha256.hex()).hex()
    return f"{name[:2]}/{name[2:]}"


@contextmanager
def spool() -> Iterator[BufferedRandom]:
    """A nameless file on the data directory's disk, gone when the process ends at the latest. Raises Unavailable while the disk is full."""
    directory = settings().data_dir / "incoming"
    with told_when_full():
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        file = tempfile.TemporaryFile("w+b", dir=directory)  # noqa: SIM115  closed below
    try:
        with told_when_full():
            yield file
    finally:
        with suppress(OSError):  # what could not be written is not wanted any more
            file.close()


@contextmanager
def told_when_full() -> Iterator[None]:
    """Turns the system's error of a full disk into the refusal."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise Unavailable("INSUFFICIENT_STORAGE") from error
        raise


async def put(key: str, source: IO[bytes]) -> None:
    """Store the whole of `source` sealed under a key of `key_of`; whole or not at all. Putting a content again changes nothing."""
    if await exists(key):
        return
    with spool() as box, _told():
        await asyncio.to_thread(_seal, source, box, key)
        await _store().put_async(key, box, chunk_size=_PART_BYTES, max_concurrency=1)


async def read(key: str) -> AsyncIterator[bytes]:
    """The bytes behind a key, once the store has answered; raises Unavailable where the object is missing or the store is away."""
    with _told():
        found = await _store().get_async(key)
    return unsealed(found.stream(min_chunk_size=_READ_BYTES), key)


async def header(key: str) -> bytes | None:
    """The bytes of an object that tell under which key it is sealed; None where there is no object."""
    with _told():
        try:
            return bytes(await _store().get_range_async(key, start=0, end=HEADER_BYTES))
        except FileNotFoundError:
            return None


async def seal_anew(key: str) -> None:
    """Seal an object under the present key in place of itself; who is reading it reads on."""
    with spool() as clear, spool() as box, _told():
        async for part in await read(key):
            clear.write(part)
        await asyncio.to_thread(_seal, clear, box, key)
        await _store().put_async(key, box, chunk_size=_PART_BYTES, max_concurrency=1)


async def exists(key: str) -> bool:
    """Whether there is an object under a key."""
    with _told():
        try:
            await _store().head_async(key)
        except FileNotFoundError:
            return False
        return True


async def require(key: str) -> None:
    """Raises Unavailable where there is no object under a key."""
    if not await exists(key):
        raise Unavailable


async def remove(key: str) -> None:
    """Take an object away; one that is not there is no error."""
    with _told(), suppress(FileNotFoundError):
        await _store().delete_async(key)


async def listed(prefix: str) -> AsyncIterator[tuple[str, datetime]]:
    """Keys and times of last change of the objects of one of PREFIXES."""
    with _told():
        async for batch in _store().list(prefix, chunk_size=1000):
            for each in batch:
                yield each["path"], each["last_modified"]


def _seal(source: IO[bytes], box: IO[bytes], key: str) -> None:
    source.seek(0)
    box.writelines(sealed(source, key))
    box.flush()
    box.seek(0)


def _store() -> ObjectStore:
    chosen = settings()
    return _store_at(chosen.storage_url, chosen.data_dir / "files")


@lru_cache(maxsize=4)
def _store_at(url: str, directory: Path) -> ObjectStore:
    from obstore.store import LocalStore, from_url  # noqa: PLC0415  17 MB and a thread pool that a process without files does without

    if not url:
        directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        return LocalStore(directory)
    return from_url(
        url,
        # By default obstore tries for three minutes, much longer than anybody waits.
        retry_config={"max_retries": 2, "retry_timeout": timedelta(seconds=8)},
        # Plain HTTP only where the operator's own endpoint says so; what travels is sealed in any case.
        client_options={"allow_http": True, "connect_timeout": "2s", "timeout": "30s"},
    )


@contextmanager
def _told() -> Iterator[None]:
    """Turns the store's errors into refusals, and tells the operator."""
    from obstore.exceptions import BaseError  # noqa: PLC0415  as in `_store_at`

    try:
        with told_when_full():
            yield
    except (BaseError, FileNotFoundError) as error:
        if "StorageFull" in str(error) or "QuotaExceeded" in str(error):  # Rust's names of ENOSPC and EDQUOT; obstore has no type for them
            raise Unavailable("INSUFFICIENT_STORAGE") from error
        _log.error("object store failed", kind=type(error).__qualname__, reason=str(error).partition("\n")[0][:300])
        raise Unavailable from error
