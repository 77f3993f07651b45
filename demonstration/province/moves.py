"""Which moves a case has made, by whom and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from types import MappingProxyType

from demonstration.province.fate import LaterCase
from demonstration.province.somebody import Somebody
from demonstration.province.world import Officer
from domain.rules.lifecycle import CLOSED
from models.enums import Move, Stage

Way = tuple[Move, Stage, Stage, Officer | None]
"""A move of a case; without an officer, the expert's or the system's."""
Step = tuple[datetime, Move, Stage, Stage, Officer | None]
"""The same with its time."""

# How many days ago the last step was, from and to. In nine days some cases have become overdue; a notice lasts five working days, and a
# draft that nobody touches for ninety days is cancelled.
_LONG_AGO, _LATELY = (20, 2_500), (0, 9)
_STEPPED: Mapping[Stage, tuple[int, int]] = MappingProxyType({
    Stage.PUBLICITY: (0, 4), Stage.OBJECTION: (20, 40), Stage.WITHDRAWN: (1, 25), Stage.ADMITTED: _LONG_AGO, Stage.REJECTED: _LONG_AGO,
})  # fmt: skip
_RETURNED_ONCE = 0.05


def of_admission(who: Somebody) -> list[Step]:
    """Every move of the admission up to where it stands."""
    path = _path(who, who.stage, Stage.PUBLICITY)
    if who.stage is Stage.ADMITTED and who.chance.random() < _RETURNED_ONCE:
        returned = (Move.RETURN, Stage.FIRST_REVIEW, Stage.RETURNED, who.officer(who.pool))
        path[:1] = [path[0], returned, (Move.SUBMIT, Stage.RETURNED, Stage.FIRST_REVIEW, None)]
    found = _dated(path, who.moment(*_STEPPED.get(who.stage, _LATELY)), who.chance)
    if who.stage in (Stage.ADMITTED, Stage.OBJECTION):
        how = Move.CLOSE_NOTICE if who.stage is Stage.ADMITTED else Move.HOLD_FOR_OBJECTION
        closed = who.world.window(found[-1][0]).closes_at + timedelta(seconds=who.chance.randrange(1, 60))
        found.append((closed, how, Stage.PUBLICITY, who.stage, None))
    return found


def of_later_case(who: Somebody, later: LaterCase, admitted: datetime) -> list[Step]:
    """Every move of a change, or of a change of division to the pool where the person is now."""
    at = who.fate.between(admitted, who.world.now) if later.stage in CLOSED else who.moment(*_LATELY)
    return _dated(_path(who, later.stage, Stage.APPLIED), at, who.chance)


def _path(who: Somebody, stage: Stage, granted: Stage) -> list[Way]:
    """The way of a case to a stage, by the reviews of the pool's office and the province; the last of them leads to `granted`."""
    local, second, final = who.officer(who.pool), who.officer(None), who.officer(None, after=1)
    submitted = (Move.SUBMIT, Stage.DRAFT, Stage.FIRST_REVIEW, None)
    approvals = [
        (Move.APPROVE, Stage.FIRST_REVIEW, Stage.SECOND_REVIEW, local),
        (Move.APPROVE, Stage.SECOND_REVIEW, Stage.FINAL_REVIEW, second),
        (Move.APPROVE, Stage.FINAL_REVIEW, granted, final),
    ]
    match stage:
        case Stage.DRAFT:
            return []
        case Stage.RETURNED:
            return [submitted, (Move.RETURN, Stage.FIRST_REVIEW, stage, local)]
        case Stage.REJECTED:
            return [submitted, (Move.REJECT, Stage.FIRST_REVIEW, stage, local)]
        case Stage.WITHDRAWN:
            return [submitted, (Move.WITHDRAW, Stage.FIRST_REVIEW, stage, None)]
        case _:
            done = {Stage.FIRST_REVIEW: 0, Stage.SECOND_REVIEW: 1, Stage.FINAL_REVIEW: 2}.get(stage, 3)
            return [submitted, *approvals[:done]]


def _dated(path: Sequence[Way], at: datetime, chance: Random) -> list[Step]:
    """The path with times, the last of them `at`."""
    found: list[Step] = []
    for how in reversed(path):
        found.append((at, *how))
        at -= timedelta(seconds=chance.randrange(4 * 3_600, 6 * 86_400))
    return found[::-1]
