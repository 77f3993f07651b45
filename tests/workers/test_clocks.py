from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from workers.clocks import Clocks

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)


class Times:
    """A process's wall clock and running clock in the hands of a test."""

    def __init__(self) -> None:
        self.wall = NOW
        self.running = 1000.0
        self.clocks = Clocks(skew_seconds=60, wall=lambda: self.wall, running=lambda: self.running)

    def pass_by(self, **span: float) -> None:
        self.wall += timedelta(**span)
        self.running += timedelta(**span).total_seconds()


@pytest.mark.parametrize(
    ("off", "fault"),
    [
        (timedelta(0), None),
        (timedelta(seconds=60), None),
        (timedelta(seconds=-60), None),
        (timedelta(seconds=61), "CLOCKS_DIFFER"),
        (timedelta(days=30), "CLOCKS_DIFFER"),
        (timedelta(days=-1), "CLOCKS_DIFFER"),
    ],
)
def test_a_process_whose_clock_differs_from_the_databases_is_not_believed(off: timedelta, fault: str | None) -> None:
    times = Times()
    times.wall = NOW + off

    assert times.clocks.compare(NOW) == fault


def test_time_that_passes_for_everybody_is_no_fault() -> None:
    times = Times()
    times.clocks.compare(NOW)

    times.pass_by(days=40)

    assert times.clocks.compare(NOW + timedelta(days=40)) is None


def test_a_jump_of_both_clocks_together_is_seen_until_they_are_set_back() -> None:
    times = Times()
    times.clocks.compare(NOW)

    times.pass_by(seconds=5)
    times.wall += timedelta(days=2)

    assert times.clocks.compare(times.wall) == "DATABASE_CLOCK_JUMPED"
    times.pass_by(hours=1)
    assert times.clocks.compare(times.wall) == "DATABASE_CLOCK_JUMPED"
    times.wall -= timedelta(days=2)
    assert times.clocks.compare(times.wall) is None
