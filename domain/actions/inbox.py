"""The officers' inbox: how many cases stand where, for how long, and how many beyond the office's time (rules §5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import pairwise
from typing import Any

from domain import lists, reads
from domain.actions.calendar import working_calendar
from domain.rules.viewer import Viewer
from models.enums import Stage
from settings import settings


@dataclass(frozen=True, slots=True)
class Age:
    """Cases that have stood at a stage for at least `least` working days and less than `below`, empty for the last of the ages."""

    least: int
    below: int | None
    total: int


@dataclass(frozen=True, slots=True)
class OfPool:
    """The part of one pool in a count."""

    pool_code: str
    total: int
    overdue: int
    claimed: int


@dataclass(frozen=True, slots=True)
class Count:
    """The cases at a stage."""

    stage: Stage
    total: int
    overdue: int
    claimed: int
    ages: Sequence[Age]
    pools: Sequence[OfPool]


async def inbox(*, awaiting_me: bool, viewer: Viewer, now: datetime) -> list[Count]:
    """Open cases of the viewer's office by stage, in the order of the vocabulary, without empty stages; two statements.

    Ages go up to two working days, the office's budget, twice the budget, and beyond.
    """
    budget = settings().stage_budget_working_days
    steps = sorted({2, budget, 2 * budget})
    calendar = await working_calendar()
    since = [calendar.waiting_since(now, each) for each in steps]
    where = lists.CaseFilter(awaiting_me=awaiting_me).conditions(viewer)
    found = await reads.queue_counts(viewer=viewer, now=now, where=where, since=since)
    by_stage = {stage: [each for each in found if each["stage"] == stage] for stage in Stage}
    return [_count(stage, of_stage, steps) for stage, of_stage in by_stage.items() if of_stage]


def _count(stage: Stage, found: Sequence[dict[str, Any]], steps: Sequence[int]) -> Count:
    total, overdue, claimed = (sum(each[name] for each in found) for name in ("total", "overdue", "claimed"))
    reached = [total, *(sum(each["waiting"][number] for each in found) for number in range(len(steps))), 0]
    bounds = [0, *steps, None]
    ages = [Age(least or 0, below, reached[number] - reached[number + 1]) for number, (least, below) in enumerate(pairwise(bounds))]
    pools = [OfPool(each["pool_code"], each["total"], each["overdue"], each["claimed"]) for each in found]
    return Count(stage, total, overdue, claimed, ages, pools)
