"""Files: handing in an image, giving it out to who may see it, and clearing away what nobody uses."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from io import BufferedRandom
from uuid import UUID

import structlog
from tortoise import Tortoise
from tortoise.exceptions import IntegrityError

from domain import reads
from domain.actions import downloads, images, storage
from domain.actions.clear_reads import look_at_image
from domain.rules.errors import FieldProblem, Invalid, InvalidInput, NotAllowed, TooSoon, Unavailable
from domain.rules.images import HEAD_BYTES, ImageKind, check_size, clean_name, is_blurred, kind_of
from domain.rules.viewer import Viewer
from models.database import rows, take_turns, transaction
from models.enums import FilePurpose, Role
from models.exports import Export
from models.files import StoredFile
from models.sealing import current_header
from settings import settings

_log = structlog.get_logger(__name__)
_UNUSED_AFTER = timedelta(hours=24)
_BATCH = 100


async def store(chunks: AsyncIterable[bytes], *, purpose: FilePurpose, name: str, viewer: Viewer, now: datetime) -> StoredFile:
    """Check an image, strip it of everything but the picture, and keep it for one purpose.

    Handing in the same picture again for the same purpose answers with the file that is there. Nothing of what is refused is kept.
    Raises InvalidInput with one problem at path `file` (FILE_…, IMAGE_…), NotAllowed for staff, TooSoon with too many uploads under way,
    Unavailable INSUFFICIENT_STORAGE while the disk is full.
    """
    if viewer.role is not Role.EXPERT:
        raise NotAllowed
    limits = images.limits(purpose, settings())
    with one_more_under_way("image", viewer.account_id), storage.spool() as received, storage.spool() as clean, _told():
        await _check_quota(viewer)
        kind = await _receive(chunks, received, name, purpose)
        picture = await images.clean(received, clean, kind)
        check_size(picture.width, picture.height, limits)
        digest, size = await asyncio.to_thread(_measure, clean)
        file = StoredFile(
            owner_id=viewer.account_id,
            purpose=purpose,
            original_name=clean_name(name, kind),
            media_type=kind.media_type,
            size=size,
            width=picture.width,
            height=picture.height,
            sharpness=picture.sharpness,
            blurred=is_blurred(picture.sharpness, limits),
            sha256=digest,
            object_key=storage.key_of(digest),
            created_at=now,
        )
        try:
            return await _keep(file, clean, viewer, now)
        except Exception:
            await drop_unused(file.object_key)
            raise


async def _keep(file: StoredFile, clean: BufferedRandom, viewer: Viewer, now: datetime) -> StoredFile:
    """Object and row; once more where a sweep took an equal object away between the two."""
    await storage.put(file.object_key, clean)
    try:
        return await _record(file, viewer, now)
    except Unavailable:
        await storage.put(file.object_key, clean)
        return await _record(file, viewer, now)


def check_announced(size: int) -> None:
    """Raises InvalidInput FILE_TOO_LARGE before anything of a body is read that is announced as too large."""
    with _told():
        _check_length(size)


async def visible(file_id: UUID, *, viewer: Viewer | None, now: datetime) -> StoredFile:
    """A file that the viewer may see (domain/reads.py); raises NotFound for all others."""
    return await reads.one(StoredFile, file_id, viewer=viewer, now=now)


def download_address(file_id: UUID, *, viewer: Viewer, now: datetime) -> str:
    """Path and query under which this session, and no other, gets the file for `download_minutes`."""
    return downloads.address("files", file_id, viewer=viewer, now=now)


async def opened(file_id: UUID, *, expires: int, signature: str, viewer: Viewer, now: datetime) -> StoredFile:
    """The file behind a download address, to be read from storage; that an officer saw it is recorded for the owner.

    Raises NotFound for an address that was not made for this session and for a file that the viewer may not see any more, NotAllowed
    DOWNLOAD_EXPIRED for one of this session that is too old, and what `look_at_image` raises for an identity card and its like.
    """
    downloads.check("files", file_id, expires=expires, signature=signature, viewer=viewer, now=now)
    file = await visible(file_id, viewer=viewer, now=now)
    if file.owner_id != viewer.account_id:
        await look_at_image(file, viewer=viewer, now=now)
    return file


@dataclass(slots=True)
class Swept:
    """What a sweep did: rows and objects taken away, and objects that rows name and the store does not have."""

    rows: int = 0
    objects: int = 0
    missing: int = 0


async def sweep_orphans(*, now: datetime) -> Swept:
    """Take away files that no revision has named for 24 hours and objects that no row names; tell of rows whose object is gone.

    May run at any time, on several machines, and be broken off: the next run goes on.
    """
    swept = Swept()
    before = now - _UNUSED_AFTER
    while keys := await _delete_unused_rows(before):
        swept.rows += len(keys)
        for key in set(keys):
            swept.objects += await drop_unused(key)
        if len(keys) < _BATCH:
            break
    for prefix in storage.PREFIXES:
        named = {each["object_key"] for each in await rows("SELECT object_key FROM files WHERE object_key LIKE $1", f"{prefix}/%")}
        found = {key: changed async for key, changed in storage.listed(prefix)}
        for key in found.keys() - named:
            if found[key] < before:
                swept.objects += await drop_unused(key)
        swept.missing += len([key for key in named - found.keys() if not await storage.exists(key)])
    if swept.missing:
        _log.error("files are missing from the object store", missing=swept.missing)
    return swept


async def seal_anew(key: str) -> bool:
    """Seal one object under the present key; whether it lay under another. No sweep takes it away meanwhile, or puts it back."""
    async with transaction():
        await take_turns(_turn(key))
        found = await storage.header(key)
        if found is None or found == current_header():
            return False
        await storage.seal_anew(key)
        return True


_under_way: Counter[tuple[str, UUID]] = Counter()


@contextmanager
def one_more_under_way(step: str, account_id: UUID) -> Iterator[None]:
    """Counts the uploads of an account at one step in this process; raises TooSoon for one too many.

    So nobody fills the disk or the queue. Images of GraphQL arrive in forms, which are a step of their own before the image's.
    """
    key = step, account_id
    if _under_way[key] >= settings().uploads_per_account:
        raise TooSoon(1)
    _under_way[key] += 1
    try:
        yield
    finally:
        _under_way[key] -= 1
        if not _under_way[key]:
            del _under_way[key]


@contextmanager
def _told() -> Iterator[None]:
    """Puts what is wrong with the file where clients look for it."""
    try:
        yield
    except Invalid as problem:
        raise InvalidInput([FieldProblem("file", problem.code, problem.facts)]) from problem


async def _receive(chunks: AsyncIterable[bytes], target: BufferedRandom, name: str, purpose: FilePurpose) -> ImageKind:
    """Write what arrives to a file, no further than the limit; what is no image at all is refused by its first bytes."""
    head, size, kind = b"", 0, None
    async for chunk in chunks:
        size += len(chunk)
        _check_length(size)
        if kind is None:
            head += chunk[:HEAD_BYTES]
            if len(head) >= HEAD_BYTES:
                kind = kind_of(head, name, purpose)
        target.write(chunk)
    if not size:
        raise Invalid("FILE_EMPTY")
    target.flush()
    return kind or kind_of(head, name, purpose)


def _check_length(size: int) -> None:
    most = settings().image_max_bytes
    if size > most:
        raise Invalid("FILE_TOO_LARGE", most_mib=most // 2**20)


def _measure(file: BufferedRandom) -> tuple[bytes, int]:
    """Hash and length. Taken here and not by the decoding process: a decoder gone astray must not name another's content."""
    file.seek(0)
    return hashlib.file_digest(file, "sha256").digest(), file.tell()


async def _check_quota(viewer: Viewer) -> None:
    most = settings().files_per_account
    if await StoredFile.filter(owner_id=viewer.account_id).count() >= most:
        raise Invalid("FILE_QUOTA", most=most)


async def _record(file: StoredFile, viewer: Viewer, now: datetime) -> StoredFile:
    """Write the row, or find the one that is there and count its 24 hours anew."""
    async with transaction():
        await take_turns(viewer.account_id.bytes, _turn(file.object_key))
        same = await StoredFile.filter(owner_id=viewer.account_id, purpose=file.purpose, sha256=file.sha256).select_for_update().first()
        if same is not None:
            same.created_at = now
            await same.save(update_fields=["created_at"])
            return same
        await _check_quota(viewer)
        # A sweep may have taken an equal object away after it was put: from here to the commit it cannot.
        await storage.require(file.object_key)
        await file.save(force_create=True)
        return file


def named_by() -> list[tuple[str, str]]:
    """The columns, with their tables, that name files."""
    return [
        (model._meta.db_table, field.source_field)
        for model in Tortoise.apps["models"].values()
        for field in (model._meta.fields_map[name] for name in model._meta.fk_fields)
        if field.related_model is StoredFile
    ]


async def _delete_unused_rows(before: datetime) -> list[str]:
    """Delete a batch of rows that no revision names; their keys. Rows that are just being named are left to the next sweep."""
    unnamed = " AND ".join(f"NOT EXISTS (SELECT FROM {table} WHERE {column} = f.id)" for table, column in named_by())
    unused = f"SELECT f.id FROM files f WHERE f.created_at < $1 AND {unnamed} LIMIT {_BATCH} FOR UPDATE SKIP LOCKED"  # noqa: S608  names of our models
    try:
        deleted = await rows(
            f"WITH deleted AS (DELETE FROM files WHERE id IN ({unused}) RETURNING object_key) SELECT object_key FROM deleted",  # noqa: S608  as above
            before,
        )
    except IntegrityError:
        return []
    return [each["object_key"] for each in deleted]


async def drop_unused(key: str) -> bool:
    """Take an object away unless a row names it; whether it was taken away."""
    async with transaction():
        await take_turns(_turn(key))
        if await StoredFile.filter(object_key=key).exists() or await Export.filter(object_key=key).exists():
            return False
        await storage.remove(key)
        return True


def _turn(key: str) -> bytes:
    """What recording and clearing away one object take turns by."""
    return bytes.fromhex(key.replace("/", ""))
