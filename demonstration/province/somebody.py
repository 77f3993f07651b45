"""One invented person: who it is, where the admission stands, and where the rows go that tell so."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from random import Random
from types import MappingProxyType
from typing import Any

from demonstration.province import invented
from demonstration.province.fate import Fate
from demonstration.province.tables import Row
from demonstration.province.world import Officer, World
from models.enums import Stage

# How many of a thousand experts stand where; the rest are admitted.
_UNFINISHED: Mapping[Stage, float] = MappingProxyType({
    Stage.PUBLICITY: 5.0, Stage.FIRST_REVIEW: 4.0, Stage.SECOND_REVIEW: 2.0, Stage.FINAL_REVIEW: 1.5, Stage.RETURNED: 1.0,
    Stage.DRAFT: 3.5, Stage.REJECTED: 2.0, Stage.WITHDRAWN: 1.0, Stage.OBJECTION: 1.0,
})  # fmt: skip


class Batch:
    """Rows by table of the people of some numbers, with what these people share."""

    def __init__(self, world: World, serials: Sequence[int]) -> None:
        self.world = world
        self.rows: dict[str, list[Row]] = defaultdict(list)
        self._officers, self._serials = world.officers(), iter(serials)

    def officer(self, pool: str | None, number: int) -> Officer:
        """Who decides the case of a person; the next number gives another officer."""
        those = self._officers[pool]
        return those[number % len(those)]

    def serial(self) -> int:
        """The next number of an expert."""
        return next(self._serials)


class Somebody:
    """The person of a number. The order in which `chance` is asked makes the person, here and in all that follows."""

    def __init__(self, batch: Batch, number: int) -> None:
        self.batch, self.world, self.number = batch, batch.world, number
        self.chance = Random(self.world.seed << 32 | number)  # noqa: S311  the same person for the same number, no secret
        self.person = invented.person(number, self.world.counties, self.chance)
        self.employer = self.chance.choice(self.world.employers)
        self.pool, self.pool_name = self.chance.choice(self.world.pools)
        self.stage = self._drawn_stage()
        self.specialties = self.chance.sample(self.world.specialties, self.chance.choice((1, 1, 2, 2, 3)))
        self.fate = Fate(number, self.world.seed)
        self.account, self.expert = self.id("accounts"), self.id("experts")

    def _drawn_stage(self) -> Stage:
        drawn = self.number * 617 % 1000 + self.chance.random()  # every thousand people in a row hold the shares exactly
        for stage, share in _UNFINISHED.items():
            if drawn < share:
                return stage
            drawn -= share
        return Stage.ADMITTED

    def id(self, table: str, place: int = 0) -> Any:
        """The id of one of the person's rows."""
        return self.world.id(table, self.number, place)

    def put(self, table: str, *row: Any) -> None:
        """Add a row."""
        self.batch.rows[table].append(row)

    def officer(self, pool: str | None, after: int = 0) -> Officer:
        """Who of a pool, or of the province, decides this person's case; `after` gives the next ones."""
        return self.batch.officer(pool, self.number + after)

    def moment(self, least: int, most: int) -> datetime:
        """Some instant so many days ago."""
        return self.world.now - timedelta(seconds=self.chance.randrange(least * 86_400, most * 86_400), microseconds=self.number)
