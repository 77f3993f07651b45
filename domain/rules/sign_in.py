"""When a password may be tried (rules §2): few failures for one phone from one address, more for the phone or the address as a whole."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.rules.errors import TooSoon

WIDER = 10
"""How many times the failures of phone and address together make the cap of the phone from everywhere, and of the address for everybody.

Nobody is locked out by another's guessing unless it comes from that many addresses; signing in by phone code stays open even then.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class AttemptLimits:
    """Failures that make the next try wait, and the time over which they count."""

    failures: int = 5
    span: timedelta = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Failures:
    """Failed tries within the span and the time of the oldest; tries in hand count as failed."""

    count: int = 0
    oldest: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FailureHistory:
    """Failed tries within the span: for this phone from this address, for this phone from anywhere, from this address for any phone."""

    here: Failures = Failures()
    for_phone: Failures = Failures()
    from_address: Failures = Failures()


def check_attempt(history: FailureHistory, *, now: datetime, limits: AttemptLimits) -> None:
    """Raise TooSoon at a limit, with the seconds until the last of the limits in the way can have gone."""
    waits = [
        _wait(history.here, limits.failures, limits.span, now),
        _wait(history.for_phone, limits.failures * WIDER, limits.span, now),
        _wait(history.from_address, limits.failures * WIDER, limits.span, now),
    ]
    if (wait := max(waits)) > timedelta(0):
        raise TooSoon(math.ceil(wait.total_seconds()))


def wait_below(count: int, oldest: datetime | None, most: int, span: timedelta, now: datetime) -> int:
    """Seconds until fewer than `most` failures lie within the span; 0 where that is so already."""
    return max(0, math.ceil(_wait(Failures(count, oldest), most, span, now).total_seconds()))


def _wait(failed: Failures, most: int, span: timedelta, now: datetime) -> timedelta:
    return failed.oldest + span - now if failed.oldest and failed.count >= most else timedelta(0)
