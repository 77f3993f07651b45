from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from domain.actions import publicity
from settings import Settings
from workers import main
from workers.clocks import Clocks
from workers.loops import Alarm


async def test_notices_are_not_closed_by_a_clock_that_is_wrong(database: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[int] = []

    async def close_due_notices(*, limit: int) -> int:
        closed.append(limit)
        return 0

    monkeypatch.setattr(publicity, "close_due_notices", close_due_notices)
    ahead = Clocks(skew_seconds=60, wall=lambda: datetime.now(UTC) + timedelta(days=30))

    with pytest.raises(Alarm, match="CLOCKS_DIFFER"):
        await main._close_notices(ahead)
    assert closed == []

    await main._close_notices(Clocks(skew_seconds=60))
    assert closed == [100]


async def test_sweeping_an_empty_store_takes_nothing_away(
    database: Settings, change_settings: Callable[..., Settings], tmp_path: Path
) -> None:
    change_settings(data_dir=tmp_path)

    with capture_logs() as told:
        await main._sweep_files()

    assert told == [{"event": "stored files swept", "log_level": "info", "rows": 0, "objects": 0, "missing": 0}]
