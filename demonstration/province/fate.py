"""What is in store for invented experts beside and after their admission, by their number alone."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from random import Random

from domain.rules.schedule import Slot, Span, occurrences
from models.enums import Availability, CaseKind, HalfDay, Stage, StandingChange

SETTLED_IN = timedelta(days=60)
"""So long after admission nothing of the kind happens; the steps of a later case find their time in it."""


@dataclass(frozen=True, slots=True)
class LaterCase:
    """A case of a formal expert: what for, and where it stands."""

    kind: CaseKind
    stage: Stage


@dataclass(frozen=True, slots=True)
class Kept:
    """A period of a schedule with every time that it comes."""

    availability: Availability
    spans: Sequence[Span]
    weekly_until: date | None
    reason: str


_CHANGES = (
    *[Stage.APPLIED] * 5, Stage.FIRST_REVIEW, Stage.FIRST_REVIEW, Stage.SECOND_REVIEW, Stage.FINAL_REVIEW, Stage.RETURNED, Stage.REJECTED
)  # fmt: skip
_MOVES_AWAY = (Stage.APPLIED, Stage.APPLIED, Stage.FIRST_REVIEW, Stage.SECOND_REVIEW)
_LATER_CASES = (
    *[LaterCase(CaseKind.CHANGE, each) for each in _CHANGES],
    *[LaterCase(CaseKind.DIVISION_CHANGE, each) for each in _MOVES_AWAY],
)
_STANDING = (
    *[(StandingChange.DEREGISTER,)] * 4, (StandingChange.DISMISS,), (StandingChange.DISMISS,),
    *[(StandingChange.SUSPEND,)] * 3, *[(StandingChange.SUSPEND, StandingChange.REINSTATE)] * 2,
)  # fmt: skip
_AWAY, _WEEKLY, _LOOKED_AT, _OBJECTED = range(100, 200), range(200, 230), range(300, 330), range(400, 404)


class Fate:
    """What is in store for one person. Every thousand people in a row hold the shares exactly, as far as they are long admitted."""

    def __init__(self, number: int, seed: int) -> None:
        self._place = number * 389 % 1000
        self.chance = Random(seed << 64 | number)  # noqa: S311  the same for the same number, no secret

    @property
    def later_case(self) -> LaterCase | None:
        """A change, or a change of division."""
        return _LATER_CASES[self._place - 1] if 1 <= self._place <= len(_LATER_CASES) else None

    @property
    def standing(self) -> Sequence[StandingChange]:
        """How the standing changed, in order."""
        first = len(_LATER_CASES) + 1
        return _STANDING[self._place - first] if first <= self._place < first + len(_STANDING) else ()

    @property
    def is_looked_at(self) -> bool:
        """Whether an officer asked for data in clear during the first review, and noted what came of it."""
        return self._place in _LOOKED_AT

    @property
    def is_objected(self) -> bool:
        """Whether somebody objected to the admission, without ground."""
        return self._place in _OBJECTED

    def schedule(self, today: date) -> Kept | None:
        """Away for some days, or every week on an afternoon."""
        if self._place in _AWAY:
            first = today + timedelta(days=self.chance.randrange(2, 60))
            away = Span(Slot(first, HalfDay.AM), Slot(first + timedelta(days=self.chance.randrange(7)), HalfDay.PM))
            return Kept(Availability.UNAVAILABLE, [away], None, self.chance.choice(("出差", "外出讲学", "体检", "休假")))
        if self._place in _WEEKLY:
            first = today + timedelta(days=self.chance.randrange(2, 9))
            until = first + timedelta(weeks=self.chance.randrange(4, 16))
            return Kept(Availability.UNAVAILABLE, occurrences(Span(Slot(first, HalfDay.PM), Slot(first, HalfDay.PM)), until), until, "授课")
        return None

    def between(self, admitted: datetime, now: datetime) -> datetime:
        """When something that is over happened: in the nearer half of the time since admission, and not so long ago as to be erased."""
        return now - min((now - admitted) * self.chance.uniform(0.05, 0.5), timedelta(days=900))
