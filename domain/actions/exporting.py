"""The limited process that sets forms and writes lists; this process never loads what it needs for them."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import IO

from domain.actions import processes, storage
from settings import settings

Progress = Callable[[int, int], Awaitable[object]]
"""Told how far an export is: rows or files so far, and in all."""

_PROCESS = Path(__file__).with_name("export_process.py")
_PREFIX = "export-"
# One thread and few arenas: memory that is only reserved counts against the limit too.
_ENVIRONMENT = {"RAYON_NUM_THREADS": "1", "MALLOC_ARENA_MAX": "2"}
_MOST_BYTES = 2 * 2**30


async def write(what: str, source: IO[bytes], target: IO[bytes]) -> None:
    """Turn `source` into what export_process.py makes of it. Raises processes.CutOff at a limit of time or memory."""
    chosen = settings()
    source.flush()
    source.seek(0)
    with _directory() as directory:
        await processes.run(
            _PROCESS,
            what,
            directory,
            chosen.export_process_mib * 2**20,
            chosen.export_process_seconds,
            _MOST_BYTES,
            source=source,
            target=target,
            seconds=chosen.export_process_seconds,
            environment=_ENVIRONMENT,
        )


def clear_left_behind(*, now: datetime) -> int:
    """Remove the directories of processes whose worker did not live to remove them; how many."""
    removed = 0
    for each in (settings().data_dir / "incoming").glob(f"{_PREFIX}*"):
        if each.stat().st_mtime < (now - timedelta(days=1)).timestamp():
            shutil.rmtree(each, ignore_errors=True)
            removed += 1
    return removed


@contextmanager
def _directory() -> Iterator[Path]:
    """An empty directory for intermediate files, gone with its contents afterwards."""
    parent = settings().data_dir / "incoming"
    with storage.told_when_full():
        parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        made = Path(tempfile.mkdtemp(prefix=_PREFIX, dir=parent))
    try:
        yield made
    finally:
        shutil.rmtree(made, ignore_errors=True)
