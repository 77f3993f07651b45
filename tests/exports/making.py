"""Exports made as a worker makes them, and what is in their files."""

from __future__ import annotations

import io
import re
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID
from zipfile import ZipFile

import orjson
from pypdf import PdfReader
from python_calamine import CalamineWorkbook

from domain.actions import exports, outbox, storage
from domain.rules.viewer import Viewer
from models.database import database_now
from models.exports import Export
from models.outbox import OutboxRow


async def claimed(export: Export) -> OutboxRow:
    """The promise of an export, taken by this process."""
    row = await outbox.claim((await OutboxRow.get(subject_id=export.id)).id, [exports.PROMISE])
    assert row is not None
    return row


async def made(export: Export) -> Export:
    """The export after a worker was at it."""
    await exports.make(await claimed(export))
    return await Export.get(id=export.id)


async def load(export: Export, viewer: Viewer) -> bytes:
    """What the door gives out to somebody."""
    now = await database_now()
    parts = urlsplit(exports.download_address(export.id, viewer=viewer, now=now))
    query = parse_qs(parts.query)
    key = UUID(parts.path.removeprefix("/exports/"))
    opened = await exports.opened(key, expires=int(query["e"][0]), signature=query["s"][0], viewer=viewer, now=now)
    return await contents(opened)


async def contents(export: Export) -> bytes:
    """The bytes of a made export."""
    assert export.object_key is not None
    return b"".join([part async for part in await storage.read(export.object_key)])


async def form_of(profile_id: UUID, viewer: Viewer) -> tuple[PdfReader, str]:
    """Somebody's form of a profile, and its text without blanks and breaks."""
    export = await made(await exports.ask_form(profile_id, viewer=viewer, now=await database_now()))
    assert export.state == "READY", export.failure
    reader = PdfReader(io.BytesIO(await contents(export)))
    return reader, re.sub(r"[\s\u200b]", "", "".join(page.extract_text() for page in reader.pages))


async def sheet_of(export: Export) -> list[dict[str, Any]]:
    """The rows of a list by their labels."""
    [head, *rows] = CalamineWorkbook.from_filelike(io.BytesIO(await contents(export))).get_sheet_by_index(0).to_python()
    return [dict(zip(map(str, head), row, strict=True)) for row in rows]


async def packed(export: Export) -> tuple[dict[str, Any], dict[str, bytes]]:
    """The JSON of own data, and the other files by name."""
    with ZipFile(io.BytesIO(await contents(export))) as archive:
        assert archive.testzip() is None
        files = {name: archive.read(name) for name in archive.namelist()}
    return orjson.loads(files.pop("data.json")), files
