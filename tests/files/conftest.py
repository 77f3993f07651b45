"""Fixtures of the tests about files: a data directory for each test, and people who hand images in."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from pathlib import Path

import pytest
from tortoise.exceptions import IntegrityError

from domain.actions import files
from models.database import execute
from models.files import StoredFile
from models.profiles import OtherMaterial
from settings import Settings
from tests import people
from tests.people import SignedIn


@pytest.fixture(autouse=True)
def data_dir(database: Settings, change_settings: Callable[..., Settings], tmp_path: Path) -> Path:
    """Where this test's files go."""
    change_settings(data_dir=tmp_path)
    return tmp_path


@pytest.fixture(scope="module")
async def zhang(database: Settings) -> SignedIn:
    """A temporary expert."""
    return await people.registered_expert()


@pytest.fixture(scope="module")
async def wang(database: Settings) -> SignedIn:
    """Another temporary expert."""
    return await people.registered_expert(name="王五")


@pytest.fixture(autouse=True)
async def no_files_before(database: Settings) -> AsyncIterator[None]:
    """Each test begins without rows of files, but for those that a frozen profile of its module names."""
    yield
    await OtherMaterial.all().delete()
    for table, column in set(files.named_by()) - {("other_materials", "file_id")}:
        with suppress(IntegrityError):
            await execute(f"UPDATE {table} SET {column} = NULL WHERE {column} IS NOT NULL")
    for each in await StoredFile.all():
        with suppress(IntegrityError):
            await each.delete()
