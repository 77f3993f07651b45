"""When people are reminded of a case that they leave lying, and when it is cancelled (rules §5)."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta


@dataclass(frozen=True, slots=True)
class Lying:
    """What is due for a case that was not touched for some time: its end, or the reminder of so many days, or nothing."""

    cancel: bool = False
    remind_days: int | None = None


def lying(untouched_since: datetime, now: datetime, *, remind: Collection[int], cancel: int) -> Lying:
    """What is due. After an outage only the last of several reminders is: nobody is told twice in a day that time is passing."""
    age = now - untouched_since
    if age >= timedelta(days=cancel):
        return Lying(cancel=True)
    return Lying(remind_days=max((days for days in remind if age >= timedelta(days=days)), default=None))
