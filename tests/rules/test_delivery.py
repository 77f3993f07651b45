from __future__ import annotations

from datetime import timedelta

import pytest

from domain.rules.delivery import pause_after


@pytest.mark.parametrize(
    ("attempts", "at_least", "at_most"),
    [
        (1, timedelta(0), timedelta(seconds=2)),
        (2, timedelta(seconds=60), timedelta(seconds=72)),
        (3, timedelta(minutes=10), timedelta(minutes=12)),
        (4, timedelta(hours=1), timedelta(minutes=72)),
    ],
)
def test_the_pause_after_a_failure_grows_and_jitter_lengthens_it(attempts: int, at_least: timedelta, at_most: timedelta) -> None:
    assert pause_after(attempts, jitter=0) == at_least
    assert pause_after(attempts, jitter=1) == at_most


def test_the_fifth_failure_is_the_last() -> None:
    assert pause_after(5, jitter=0) is None
