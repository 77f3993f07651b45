"""What every invented person is made from: reference data, employers, the calendar, the officers, and the image that all hand in."""

from __future__ import annotations

import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from random import Random
from typing import Any

from asyncpg.pgproto.pgproto import UUID  # as quick as bytes, which matters for millions of ids

from demonstration import images
from demonstration.province import invented
from demonstration.province.invented import Employer, Person
from demonstration.province.tables import TABLE_NUMBERS, Row
from domain.actions import storage
from domain.actions.calendar import working_calendar
from domain.actions.passwords import hash_password
from domain.rules import mask
from domain.rules.calendar import Window, WorkingCalendar
from models.database import database_now
from models.enums import CodeKind, Role
from models.reference import Code, Division, Qualification, Specialty, Title
from models.sealing import id_number_hash, phone_hash, seal, sha256
from settings import Settings

PASSWORD = "registry-demo"  # noqa: S105  of every invented account, known to everybody
MOST_PEOPLE = 2**24 - 1_000
"""Numbers from here on are the officers', whose ids and phones come from the same line."""
PROVINCIAL_OFFICERS = 12
OFFICERS_OF_A_POOL = 2

_IDS_BEGIN = 1_577_836_800_000
"""Ids carry the person's number in place of the milliseconds since 1970; real ones of today lie far behind."""


@dataclass(frozen=True, slots=True)
class Officer:
    """Who decides cases, with what records tell of them."""

    id: Any
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class World:
    """The same for all people of a province."""

    seed: int
    now: datetime
    terms_version: str
    pools: list[tuple[str, str]]  # (code, name)
    counties: list[str]
    specialties: list[str]
    titles: list[str]
    qualifications: list[str]
    ethnic_groups: list[str]
    employers: Sequence[Employer]
    calendar: WorkingCalendar
    publicity_days: int
    budget_days: int
    bar_years: int
    password_hash: str
    image: tuple[int, int, int, bytes, str]  # bytes, width, height, hash, key

    def id(self, table: str, number: int, place: int = 0) -> Any:
        """The id of a person's row: the same each time, and in order of the numbers, as indexes like it."""
        high = (_IDS_BEGIN + number) << 16 | 7 << 12 | TABLE_NUMBERS[table]
        return UUID((high << 64 | 2 << 62 | self.seed << 32 | place).to_bytes(16))

    def window(self, at: datetime) -> Window:
        """The public notice that opens at an instant."""
        return _window(self.calendar, at.replace(minute=0, second=0, microsecond=0), self.publicity_days)

    def deadline(self, since: datetime) -> datetime:
        """Until when an office decides a case that came to it at an instant."""
        return self.calendar.deadline(since, self.budget_days)

    def officers(self) -> Mapping[str | None, list[Officer]]:
        """The officers of each pool; those of the province stand under None."""
        return {pool: self._officers_of(pool) for pool in (None, *(code for code, _ in self.pools))}

    def staff(self) -> list[Row]:
        """The accounts of all officers."""
        found = []
        for pool, those in self.officers().items():
            first, _ = self._staff_numbers(pool)
            for place, officer in enumerate(those):
                someone = invented.person(first + place, self.counties, Random(first + place))  # noqa: S311  no secret
                made_at = self.now - timedelta(days=3_000)
                found.append(self.account(officer.id, officer.role, someone, name=officer.name, pool=pool, at=made_at))
        return found

    def account(self, key: Any, role: Role, someone: Person, *, name: str, pool: str | None, at: datetime, status: str = "ACTIVE") -> Row:
        """A row of `accounts`."""
        return (
            key, role.value, status, name, seal(someone.phone, "account.phone"), phone_hash(someone.phone), mask.phone(someone.phone),
            seal(someone.id_number, "account.id_number"), id_number_hash(someone.id_number), mask.id_number(someone.id_number),
            self.password_hash, pool, "zh", at,
        )  # fmt: skip

    def _officers_of(self, pool: str | None) -> list[Officer]:
        role = Role.LOCAL_OFFICER if pool else Role.PROVINCIAL_OFFICER
        first, count = self._staff_numbers(pool)
        return [
            Officer(self.id("accounts", number), f"{'初审' if pool else '复审'}{number - first + 1}号", role)
            for number in range(first, first + count)
        ]

    def _staff_numbers(self, pool: str | None) -> tuple[int, int]:
        if pool is None:
            return MOST_PEOPLE, PROVINCIAL_OFFICERS
        place = next(number for number, (code, _) in enumerate(self.pools) if code == pool)
        return MOST_PEOPLE + PROVINCIAL_OFFICERS + place * OFFICERS_OF_A_POOL, OFFICERS_OF_A_POOL


def ids_of_people() -> tuple[Any, Any]:
    """The ids of all invented people's rows lie from the first of these up to the second, whatever their seed."""
    first, end = (UUID(((_IDS_BEGIN + number) << 80).to_bytes(16)) for number in (0, MOST_PEOPLE))
    return first, end


def number_and_seed(key: Any) -> tuple[int, int]:
    """Of which person an id tells, and from which seed the province was invented."""
    return int((key.int >> 80) - _IDS_BEGIN), key.int >> 32 & 0xFFFF


async def read_world(seed: int, configuration: Settings) -> World:
    """The world as reference data and settings have it now; puts the image into the store."""
    divisions = await Division.filter(retired=False).order_by("code")
    counties = [each.code for each in divisions if each.level == 3 and not each.kind.startswith("pool") and each.kind != "devzone"]
    counties.remove("220102")  # left to people made otherwise, whose id numbers must not meet these
    return World(
        seed=seed,
        now=await database_now(),
        terms_version=configuration.privacy_terms_version,
        pools=[(each.code, each.name) for each in divisions if each.pool_selectable],
        counties=counties,
        specialties=[each.code for each in await Specialty.filter(level=3, retired=False).order_by("code")],
        titles=[each.code for each in await Title.filter(selectable=True, retired=False).order_by("code")],
        qualifications=[each.code for each in await Qualification.filter(retired=False).order_by("code")],
        ethnic_groups=["01"] * 12 + [each.code for each in await Code.filter(kind=CodeKind.ETHNIC_GROUP).order_by("position").limit(12)],
        employers=invented.employers(tuple(counties)),
        calendar=await working_calendar(),
        publicity_days=configuration.publicity_working_days,
        budget_days=configuration.stage_budget_working_days,
        bar_years=configuration.dismissal_bar_years,
        password_hash=await hash_password(PASSWORD),
        image=await _kept_image(),
    )


async def _kept_image() -> tuple[int, int, int, bytes, str]:
    scan = images.certificate("SPECIMEN", ["of the seeded province"], size=(600, 800))
    file = io.BytesIO()
    scan.save(file, "JPEG", quality=80)
    digest, size = sha256(file.getvalue()), file.tell()
    key = storage.key_of(digest)
    file.seek(0)
    await storage.put(key, file)
    return size, *scan.size, digest, key


@lru_cache(maxsize=100_000)
def _window(calendar: WorkingCalendar, at: datetime, days: int) -> Window:
    return calendar.publicity_window(at, days)
