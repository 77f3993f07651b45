"""When a promise that failed is tried again (rules §7)."""

from __future__ import annotations

from datetime import timedelta

_PAUSES = (timedelta(0), timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))


def pause_after(attempts: int, *, jitter: float) -> timedelta | None:
    """How long to wait after that many failed attempts (at least 1); None: give up.

    `jitter` in [0, 1] lengthens the pause by up to a fifth, at least by up to 2 s, so that what failed together does not return together.
    """
    if attempts > len(_PAUSES):
        return None
    pause = _PAUSES[attempts - 1]
    return pause + jitter * max(pause / 5, timedelta(seconds=2))
