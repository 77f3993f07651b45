"""A data directory for each test of exports."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from models.exports import Export
from models.outbox import OutboxRow
from settings import Settings


@pytest.fixture(autouse=True)
async def data_dir(database: Settings, change_settings: Callable[..., Settings], tmp_path: Path) -> AsyncIterator[Path]:
    """Where this test's objects go; its exports go with it."""
    change_settings(data_dir=tmp_path)
    yield tmp_path
    await OutboxRow.filter(kind="EXPORT").delete()
    await Export.all().delete()
