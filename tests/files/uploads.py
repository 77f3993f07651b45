"""Handing in and looking at what was kept."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path

import pytest
from PIL import Image

from domain.actions import files, storage
from domain.rules.errors import FieldProblem, InvalidInput
from models.enums import FilePurpose
from models.files import StoredFile
from tests.people import SignedIn


async def chunked(data: bytes, size: int = 64 * 2**10) -> AsyncIterator[bytes]:
    """Bytes as they come in from a network."""
    for start in range(0, len(data), size):
        yield data[start : start + size]


async def hand_in(
    data: bytes, who: SignedIn, now: datetime, *, purpose: FilePurpose = FilePurpose.EDUCATION, name: str = "scan.jpg"
) -> StoredFile:
    """Hand in one image."""
    return await files.store(chunked(data), purpose=purpose, name=name, viewer=who.viewer, now=now)


async def refusal(
    data: bytes, who: SignedIn, now: datetime, *, purpose: FilePurpose = FilePurpose.EDUCATION, name: str = "scan.jpg"
) -> FieldProblem:
    """The one problem with which an upload is refused."""
    with pytest.raises(InvalidInput) as refused:
        await hand_in(data, who, now, purpose=purpose, name=name)
    (problem,) = refused.value.problems
    return problem


async def contents(file: StoredFile) -> bytes:
    """What a download of a file would give."""
    return b"".join([part async for part in await storage.read(file.object_key)])


async def picture(file: StoredFile) -> Image.Image:
    """A kept image, decoded."""
    return Image.open(io.BytesIO(await contents(file)))


def on_disk(data_dir: Path) -> list[Path]:
    """Every file below a directory, unfinished ones included."""
    return [each for each in data_dir.rglob("*") if each.is_file()]
