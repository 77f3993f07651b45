"""Whether the clocks can be believed before something is done that cannot be undone (rules §6)."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

from models.database import rows

_JUMP = timedelta(days=1)


def _wall_clock() -> datetime:
    return datetime.fromtimestamp(time.time(), UTC)  # noqa: TID251  this process's own clock is what is being checked


def _running_clock() -> float:
    """Seconds that pass whatever is done to the wall clock, time asleep included where the system counts it."""
    return time.clock_gettime(time.CLOCK_BOOTTIME) if hasattr(time, "CLOCK_BOOTTIME") else time.monotonic()


class Clocks:
    """Compares the database's clock with this process's own, and with the time that passed since the first look.

    Development mode moves the registry's clock, not the database's: that is none of a fault.
    """

    def __init__(
        self, *, skew_seconds: float, wall: Callable[[], datetime] = _wall_clock, running: Callable[[], float] = _running_clock
    ) -> None:
        self._skew = timedelta(seconds=skew_seconds)
        self._wall = wall
        self._running = running
        self._first: tuple[datetime, float] | None = None

    async def fault(self) -> str | None:
        """What is wrong: CLOCKS_DIFFER or DATABASE_CLOCK_JUMPED; None where nothing is.

        A jump stays one until the clock is set back or the process is started anew, by somebody who has looked.
        """
        database = (await rows("SELECT clock_timestamp() AS now"))[0]["now"]
        return self.compare(database)

    def compare(self, database: datetime) -> str | None:
        """As `fault`, for a known time of the database."""
        running = self._running()
        if self._first is None:
            self._first = database, running
        since, then = self._first
        if abs(database - since - timedelta(seconds=running - then)) > _JUMP:
            return "DATABASE_CLOCK_JUMPED"
        return "CLOCKS_DIFFER" if abs(database - self._wall()) > self._skew else None
