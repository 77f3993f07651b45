"""A province of invented experts, written straight into the tables: for trying and measuring at full size, in development mode alone."""

from __future__ import annotations

import argparse
import asyncio
import io
import sys
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from functools import lru_cache
from random import Random
from time import monotonic
from types import MappingProxyType, SimpleNamespace
from typing import Any, Self

import asyncpg
import orjson
from asyncpg.pgproto.pgproto import UUID  # as quick as bytes, which matters for millions of ids

from demonstration import images, invented, seed_later
from demonstration.invented import Employer, Person
from demonstration.seed_later import Fate, LaterCase
from domain.actions import storage
from domain.actions.calendar import working_calendar
from domain.actions.passwords import hash_password
from domain.actions.record_chain import chain_hash
from domain.rules import mask
from domain.rules.calendar import SHANGHAI, Window, WorkingCalendar
from domain.rules.clear_reads import written
from domain.rules.identity import FEMALE, MALE
from domain.rules.lifecycle import CLOSED, REVIEWS
from domain.rules.standing import CHANGES, CLOSES_ACCOUNT
from models.database import database_now, opened_database
from models.enums import (
    CaseKind,
    CodeKind,
    Move,
    ObjectionState,
    PersonalField,
    RevisionState,
    Role,
    SmsTemplate,
    Stage,
    Standing,
    StandingChange,
)
from models.reference import Code, Division, Qualification, Specialty, Title
from models.sealing import id_number_hash, keyed_hash, phone_hash, seal, sha256
from settings import Settings

BATCH = 1_000
"""Experts of one transaction: what was committed stays when the command is interrupted, and a repeat goes on behind it."""
PASSWORD = "registry-demo"  # noqa: S105  of every invented account, known to everybody
PROVINCIAL_OFFICERS = 12
OFFICERS_OF_A_POOL = 2

Row = tuple[Any, ...]
Step = tuple[datetime, Move, Stage, Stage, "Officer | None"]
"""A move of a case; without an officer, the expert's or the system's."""

_IDS_BEGIN = 1_577_836_800_000
"""Ids carry the person's number in place of the milliseconds since 1970; real ones of today lie far behind."""
_MOST_PEOPLE = 2**24
_STAFF = _MOST_PEOPLE - 1_000
"""Numbers of the officers, whose ids and phones come from the same line."""

# How many of a thousand experts stand where; the rest are admitted.
_UNFINISHED: Mapping[Stage, float] = MappingProxyType({
    Stage.PUBLICITY: 5.0, Stage.FIRST_REVIEW: 4.0, Stage.SECOND_REVIEW: 2.0, Stage.FINAL_REVIEW: 1.5, Stage.RETURNED: 1.0,
    Stage.DRAFT: 3.5, Stage.REJECTED: 2.0, Stage.WITHDRAWN: 1.0, Stage.OBJECTION: 1.0,
})  # fmt: skip
# How many days ago the last step was, from and to. In nine days some cases have become overdue; a notice lasts five working days, and a
# draft that nobody touches for ninety days is cancelled.
_LONG_AGO, _LATELY = (20, 2_500), (0, 9)
_STEPPED: Mapping[Stage, tuple[int, int]] = MappingProxyType({
    Stage.PUBLICITY: (0, 4), Stage.OBJECTION: (20, 40), Stage.WITHDRAWN: (1, 25), Stage.ADMITTED: _LONG_AGO, Stage.REJECTED: _LONG_AGO,
})  # fmt: skip
_RETURNED_ONCE = 0.05

_ENTRY = "id entry_id position revision_id "
_COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    table: tuple(columns.split()) for table, columns in {
        "accounts": "id role status name phone phone_hash phone_masked id_number id_number_hash id_number_masked password_hash pool_code "
        "language created_at",
        "consents": "id account_id terms_version accepted_at sensitive_accepted_at",
        "experts": "id account_id standing number name pool_code formal_since draft_id effective_id suspended_until created_at",
        "files": "id owner_id purpose original_name media_type size width height sharpness blurred sha256 object_key created_at",
        "revisions": "id expert_id number base_id state version created_at updated_at frozen_at name id_type id_number id_number_hash "
        "id_number_masked id_valid_from id_valid_until id_valid_long_term sex birth_date ethnic_group political_affiliation health "
        "portrait_id id_front_id id_back_id second_phone second_phone_masked email email_masked residence_code address address_masked "
        "postcode employer employer_credit_code employer_kind post work_status working_since years_in_field source home_pool_code",
        "education": _ENTRY + "school started_on ended_on major level mode degree certificate_number is_highest certificate_id",
        "title_entries": _ENTRY + "title_code certificate_number obtained_on issuer certificate_id",
        "work_entries": _ENTRY + "started_on ended_on employer post duties",
        "qualification_entries": _ENTRY + "qualification_code certificate_number obtained_on valid_until issuer certificate_id",
        "revision_specialties": _ENTRY + "specialty_code",
        "avoidance_units": _ENTRY + "name credit_code relation until",
        "other_materials": _ENTRY + "file_id",
        "applications": "id kind expert_id revision_id stage round pool_code leaving_pool_code applicant employer declared_commitment "
        "declared_avoidance created_at submitted_at stage_since due_at closed_at records_count last_hash",
        "application_records": "id application_id number round at actor_id actor_name actor_role move from_stage to_stage revision_id "
        "opinion reject_reason field_reasons previous_hash hash",
        "public_notices": "id application_id state name employer pool_code opened_at first_day last_day closes_at days_counted tentative "
        "closed_at",
        "notice_specialties": "id notice_id position specialty_code",
    }.items()
} | dict(seed_later.COLUMNS))  # fmt: skip
_TABLE_NUMBERS = {table: number for number, table in enumerate((*_COLUMNS, "entries"))}


@dataclass(frozen=True, slots=True)
class Officer:
    """Who decides cases, with what records tell of them."""

    id: Any
    name: str
    role: Role


@dataclass(frozen=True, slots=True)
class World:
    """What every person is made from: the reference data, the employers, the calendar, and the one image that all hand in."""

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
        high = (_IDS_BEGIN + number) << 16 | 7 << 12 | _TABLE_NUMBERS[table]
        return UUID((high << 64 | 2 << 62 | self.seed << 32 | place).to_bytes(16))

    def officers(self, pool: str | None) -> list[Officer]:
        """The officers of a pool, or of the province."""
        role = Role.LOCAL_OFFICER if pool else Role.PROVINCIAL_OFFICER
        first, count = self._staff_numbers(pool)
        return [
            Officer(self.id("accounts", number), f"{'初审' if pool else '复审'}{number - first + 1}号", role)
            for number in range(first, first + count)
        ]

    def _staff_numbers(self, pool: str | None) -> tuple[int, int]:
        if pool is None:
            return _STAFF, PROVINCIAL_OFFICERS
        place = next(number for number, (code, _) in enumerate(self.pools) if code == pool)
        return _STAFF + PROVINCIAL_OFFICERS + place * OFFICERS_OF_A_POOL, OFFICERS_OF_A_POOL

    def staff(self) -> list[Row]:
        """The accounts of all officers."""
        found = []
        for pool in (None, *(code for code, _ in self.pools)):
            first, _ = self._staff_numbers(pool)
            for place, officer in enumerate(self.officers(pool)):
                someone = invented.person(first + place, self.counties, Random(first + place))  # noqa: S311  no secret
                found.append(
                    self.account(officer.id, officer.role, someone, name=officer.name, pool=pool, at=self.now - timedelta(days=3_000))
                )
        return found

    def account(self, key: Any, role: Role, someone: Person, *, name: str, pool: str | None, at: datetime, status: str = "ACTIVE") -> Row:
        """A row of `accounts`."""
        return (
            key, role.value, status, name, seal(someone.phone, "account.phone"), phone_hash(someone.phone), mask.phone(someone.phone),
            seal(someone.id_number, "account.id_number"), id_number_hash(someone.id_number), mask.id_number(someone.id_number),
            self.password_hash, pool, "zh", at,
        )  # fmt: skip


class Batch:
    """Rows by table of the people of some numbers."""

    def __init__(self, officers: Mapping[str | None, list[Officer]], serials: Sequence[int]) -> None:
        self.rows: dict[str, list[Row]] = defaultdict(list)
        self._officers, self._serials = officers, iter(serials)

    @classmethod
    def of(cls, world: World, officers: Mapping[str | None, list[Officer]], numbers: range, serials: Sequence[int]) -> Self:
        """The people of some numbers with everything that hangs on them; the first ones come with the staff."""
        batch = cls(officers, serials)
        if numbers.start == 0:
            batch.rows["accounts"] = world.staff()
        for number in numbers:
            chance = Random(world.seed << 32 | number)  # noqa: S311  the same person for the same number, no secret
            _Life(batch, world, number, chance).write()
        return batch

    def officer(self, pool: str | None, number: int) -> Officer:
        """Who decides the case of a person; the next number gives another officer."""
        those = self._officers[pool]
        return those[number % len(those)]

    def serial(self) -> int:
        """The next number of an expert."""
        return next(self._serials)


class _Life:
    """One person: registration, profile, case."""

    def __init__(self, batch: Batch, world: World, number: int, chance: Random) -> None:
        self.batch, self.world, self.number, self.chance = batch, world, number, chance
        self.person = invented.person(number, world.counties, chance)
        self.employer = chance.choice(world.employers)
        self.pool, self.pool_name = chance.choice(world.pools)
        self.stage = self._stage()
        self.account, self.expert, self.case = (world.id(table, number) for table in ("accounts", "experts", "applications"))
        self.sections: list[tuple[str, Row]] = []
        self.specialties = chance.sample(world.specialties, chance.choice((1, 1, 2, 2, 3)))
        self.files: dict[str, Any] = {}
        self.revisions: list[Any] = []
        self.fate = Fate(number, world.seed)
        self.is_promoted = False
        self._entries = self._messages = self._cases = 0

    def _stage(self) -> Stage:
        drawn = self.number * 617 % 1000 + self.chance.random()  # every thousand people in a row hold the shares exactly
        for stage, share in _UNFINISHED.items():
            if drawn < share:
                return stage
            drawn -= share
        return Stage.ADMITTED

    def _put(self, table: str, *row: Any) -> None:
        self.batch.rows[table].append(row)

    def write(self) -> None:
        """All rows of this person."""
        moves = self._moves()
        registered = moves[0][0] - timedelta(days=self.chance.randrange(2, 40)) if moves else self._moment(1, 25)
        person, world = self.person, self.world
        self._put("consents", world.id("consents", self.number), self.account, world.terms_version, registered, registered)
        self._upload(registered)
        if self.stage is not Stage.DRAFT:
            self._fill_in()
        last = moves[-1][0] if moves else registered
        admitted = self.stage is Stage.ADMITTED
        is_settled = admitted and world.now - last > seed_later.SETTLED_IN
        later = self.fate.later_case if is_settled else None
        effective, draft = self._admission_revisions(moves, registered, is_superseded=later is not None and later.stage is Stage.APPLIED)
        number = f"22{last.astimezone(SHANGHAI).year}{self.batch.serial():06}" if admitted else None
        self._write_case(moves, registered, self.revisions, number=number)
        if self.stage is Stage.WITHDRAWN:  # the draft opened again, with a case to submit it
            self._draft_case(world.id("applications", self.number, 1), last)
        pool = self.pool if admitted else None
        if later:
            effective, draft, pool = self._later_case(later, last)
        standing, suspended_until = Standing.FORMAL if admitted else Standing.TEMPORARY, None
        if is_settled and self.fate.standing:
            standing, suspended_until = self._standing(last)
        elif admitted:
            self._schedule()
        status = "DEREGISTERED" if standing in CLOSES_ACCOUNT else "ACTIVE"
        self._put("accounts", *world.account(self.account, Role.EXPERT, person, name=person.name, pool=None, at=registered, status=status))
        self._put(
            "experts", self.expert, self.account, standing.value, number, person.name, pool, last if admitted else None, draft, effective,
            suspended_until, registered,
        )  # fmt: skip

    def _admission_revisions(self, moves: Sequence[Step], registered: datetime, *, is_superseded: bool) -> tuple[Any, Any]:
        """The revisions up to admission; the admitted one and the open draft."""
        returned_before = sum(move is Move.RETURN for _, move, *_ in moves[:-1])
        for round_ in range(returned_before):
            self._revision(RevisionState.NOT_ADOPTED, registered, moves[round_ * 2][0])
        match self.stage:
            case Stage.DRAFT:
                return None, self._revision(RevisionState.DRAFT, registered, None)
            case Stage.ADMITTED:
                state = RevisionState.SUPERSEDED if is_superseded else RevisionState.EFFECTIVE
                return self._revision(state, registered, moves[returned_before * 2][0]), None
            case Stage.RETURNED | Stage.WITHDRAWN | Stage.REJECTED:
                self._revision(RevisionState.NOT_ADOPTED, registered, moves[0][0])
                return None, None if self.stage is Stage.REJECTED else self._revision(RevisionState.DRAFT, moves[-1][0], None)
            case _:
                self._revision(RevisionState.FROZEN, registered, moves[returned_before * 2][0])
                return None, None

    # The profile

    def _moment(self, least: int, most: int) -> datetime:
        """Some instant so many days ago."""
        return self.world.now - timedelta(seconds=self.chance.randrange(least * 86_400, most * 86_400), microseconds=self.number)

    def _upload(self, at: datetime) -> None:
        size, width, height, digest, key = self.world.image
        for place, purpose in enumerate(("PORTRAIT", "ID_FRONT", "ID_BACK", "EDUCATION", "TITLE", "QUALIFICATION", "OTHER")):
            if purpose == "QUALIFICATION" and self.number % 3:
                continue
            self.files[purpose] = file = self.world.id("files", self.number, place)
            name = f"{purpose.lower()}.jpg"
            self._put("files", file, self.account, purpose, name, "image/jpeg", size, width, height, 812.5, False, digest, key, at)

    def _entry(self, table: str, *values: Any) -> None:
        self.sections.append((table, values))

    def _fill_in(self) -> None:
        """All sections; the order in which chance is asked makes the person."""
        number = f"{self.number:07}"
        began = self._educate(number)
        self._work(began, number)
        for code in self.specialties:
            self._entry("revision_specialties", code)
        for unit in self.chance.sample(self.world.employers, self.chance.choice((0, 1, 1, 2))):
            self._entry("avoidance_units", unit.name, unit.credit_code, "配偶任职", None)
        self._entry("other_materials", self.files["OTHER"])

    def _educate(self, number: str) -> int:
        """The years of education; when they ended."""
        chance, began = self.chance, self.person.born.year + 18
        levels = (("31", None, 3), ("21", "4", 4), ("14", "3", 3), ("11", "2", 4))
        first = chance.choice((0, 1, 1, 1))
        for place in range(first, first + chance.choice((1, 1, 2, 2, 3))):
            if place < len(levels):
                level, degree, years = levels[place]
                self._entry(
                    "education", chance.choice(invented.SCHOOLS), date(began, 9, 1), date(began + years, 7, 1),
                    chance.choice(invented.MAJORS), level, "FULL_TIME", degree, f"10183{began}{level}{number}", False,
                    self.files["EDUCATION"],
                )  # fmt: skip
                began += years
        table, values = self.sections[-1]
        self.sections[-1] = (table, (*values[:-2], True, values[-1]))
        return began

    def _work(self, began: int, number: str) -> None:
        """Titles, employments and qualifications since the education ended."""
        chance, world, files = self.chance, self.world, self.files
        for place in range(chance.choice((1, 1, 2, 3))):
            on = date(began + 5 + place * 4, 12, 1)
            self._entry(
                "title_entries", chance.choice(world.titles), f"ZC{on.year}{number}", on, "吉林省人力资源和社会保障厅", files["TITLE"]
            )
        since, jobs = date(began, 8, 1), chance.choice((1, 2, 2, 3, 4, 5))
        for place in range(jobs):
            until = None if place == jobs - 1 else date(since.year + 3, 6, 30)
            where = self.employer if until is None else chance.choice(world.employers)
            self._entry("work_entries", since, until, where.name, chance.choice(invented.POSTS), chance.choice(invented.DUTIES))
            since = until + timedelta(days=1) if until else since
        if "QUALIFICATION" in files:
            for place in range(chance.choice((1, 1, 2))):
                on = date(began + 6 + place, 5, 20)
                until = world.now.date().replace(day=1) + timedelta(days=chance.randrange(60, 1_500))
                code = chance.choice(world.qualifications)
                self._entry(
                    "qualification_entries", code, f"ZG{on.year}{number}{place}", on, until, "住房和城乡建设部", files["QUALIFICATION"]
                )

    def _revision(self, state: RevisionState, created: datetime, frozen: datetime | None) -> Any:
        """A revision with all sections filled in so far; entries are the same ones in each revision."""
        world, person, chance, files = self.world, self.person, Random(self.number), self.files  # noqa: S311  the same in each revision
        number = len(self.revisions) + 1
        key = world.id("revisions", self.number, number)
        base = self.revisions[-1] if self.revisions else None
        self.revisions.append(key)
        address = f"吉林省{self.pool_name.removesuffix('本级')}人民大街 {chance.randrange(1, 9_000)} 号"
        phone, mail = f"+86137{self.number % 10**8:08}", f"expert{self.number}@example.cn"
        complete = self.stage is not Stage.DRAFT
        post = chance.randrange(len(invented.POSTS)) + self.is_promoted
        self._put(
            "revisions", key, self.expert, number, base, state.value, 9, created, frozen or created, frozen, person.name, "RESIDENT_ID",
            seal(person.id_number, "revision.id_number"), id_number_hash(person.id_number), mask.id_number(person.id_number),
            date(2016, 5, 1), date(2036, 5, 1), False, FEMALE if person.female else MALE, person.born, chance.choice(world.ethnic_groups),
            "01" if chance.random() < 0.4 else "13", "GOOD", files["PORTRAIT"], files["ID_FRONT"], files["ID_BACK"],
            seal(phone, "revision.second_phone"), mask.phone(phone), seal(mail, "revision.email"), mask.email(mail),
            chance.choice(world.counties), seal(address, "revision.address"), mask.address(address), "130000",
            self.employer.name, self.employer.credit_code, self.employer.kind.value, invented.POSTS[post % len(invented.POSTS)], "EMPLOYED",
            date(person.born.year + 23, 8, 1), chance.randrange(8, 35), chance.choice(("SELF", "UNIT", "PUBLIC_CALL")),
            self.pool if complete else None,
        )  # fmt: skip
        places: dict[str, int] = defaultdict(int)
        for entry, (table, values) in enumerate(self.sections):
            self._entries += 1
            same = world.id("entries", self.number, entry)
            self._put(table, world.id(table, self.number, self._entries), same, places[table], key, *values)
            places[table] += 1
        return key

    # The case

    def _moves(self) -> list[Step]:
        """Every move of the admission up to where it stands."""
        path = self._path(self.stage, self.pool, Stage.PUBLICITY)
        if self.stage is Stage.ADMITTED and self.chance.random() < _RETURNED_ONCE:
            submitted = (Move.SUBMIT, Stage.RETURNED, Stage.FIRST_REVIEW, None)
            path[:1] = [path[0], (Move.RETURN, Stage.FIRST_REVIEW, Stage.RETURNED, self.batch.officer(self.pool, self.number)), submitted]
        found = self._dated(path, self._moment(*_STEPPED.get(self.stage, _LATELY)))
        if self.stage in (Stage.ADMITTED, Stage.OBJECTION):
            how = Move.CLOSE_NOTICE if self.stage is Stage.ADMITTED else Move.HOLD_FOR_OBJECTION
            closed = self._window(found[-1][0]).closes_at + timedelta(seconds=self.chance.randrange(1, 60))
            found.append((closed, how, Stage.PUBLICITY, self.stage, None))
        return found

    def _path(self, stage: Stage, pool: str, granted: Stage) -> list[tuple[Move, Stage, Stage, Officer | None]]:
        """The way of a case to a stage, by the reviews of a pool's office and the province; the last of them leads to `granted`."""
        local, province = self.batch.officer(pool, self.number), [self.batch.officer(None, self.number + each) for each in (0, 1)]
        submitted = (Move.SUBMIT, Stage.DRAFT, Stage.FIRST_REVIEW, None)
        approvals = [
            (Move.APPROVE, Stage.FIRST_REVIEW, Stage.SECOND_REVIEW, local),
            (Move.APPROVE, Stage.SECOND_REVIEW, Stage.FINAL_REVIEW, province[0]),
            (Move.APPROVE, Stage.FINAL_REVIEW, granted, province[1]),
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

    def _dated(self, path: Sequence[tuple[Move, Stage, Stage, Officer | None]], at: datetime) -> list[Step]:
        """The path with times, the last of them `at`."""
        found: list[Step] = []
        for how in reversed(path):
            found.append((at, *how))
            at -= timedelta(seconds=self.chance.randrange(4 * 3_600, 6 * 86_400))
        return found[::-1]

    def _window(self, at: datetime) -> Window:
        return _window(self.world.calendar, at.replace(minute=0, second=0, microsecond=0), self.world.publicity_days)

    def _draft_case(self, key: Any, at: datetime) -> None:
        self._put(
            "applications", key, "ADMISSION", self.expert, None, "DRAFT", 0, None, None, self.person.name, None, False, False, at, None, at,
            None, None, 0, None,
        )  # fmt: skip

    def _write_case(
        self,
        moves: Sequence[Step],
        opened: datetime,
        revisions: Sequence[Any],
        *,
        kind: CaseKind = CaseKind.ADMISSION,
        leaving: str | None = None,
        number: str | None = None,
    ) -> None:
        """A case with its records and messages; `revisions` were submitted in this order, `number` is the one that admission gives."""
        if not moves:
            self._draft_case(self.case, opened)
            return
        world, previous, round_ = self.world, None, 0
        case = self.case if kind is CaseKind.ADMISSION else world.id("applications", self.number, 2)
        for place, step in enumerate(moves, 1):
            at, how, left, reached, officer = step
            round_ += how is Move.SUBMIT
            revision, is_leaving = revisions[round_ - 1], leaving is not None
            previous = self._record(step, case, place, round_, revision=revision, previous=previous, is_leaving=is_leaving)
            if reached is Stage.PUBLICITY:
                self._write_notice(at, moves[-1][0] if self.stage in (Stage.ADMITTED, Stage.OBJECTION) else None)
            elif reached in seed_later.SMS_AFTER:
                self._message(seed_later.SMS_AFTER[reached], at, case, {"number": number} if reached is Stage.ADMITTED else {})
            if how is Move.APPROVE and left is Stage.FIRST_REVIEW and officer and self.fate.is_looked_at:
                self._looked_at(case, officer, at)
        self._cases += 1
        stage, since = moves[-1][3], moves[-1][0]
        submitted = next(at for at, how, *_ in reversed(moves) if how is Move.SUBMIT)
        due = _deadline(world.calendar, since.replace(minute=0, second=0, microsecond=0), world.budget_days)
        self._put(
            "applications", case, kind.value, self.expert, revisions[round_ - 1], stage.value, round_, self.pool, leaving,
            self.person.name, self.employer.name, True, True, opened, submitted, since, due if stage in REVIEWS else None,
            since if stage in CLOSED else None, len(moves), previous,
        )  # fmt: skip

    def _record(self, step: Step, case: Any, place: int, round_: int, *, revision: Any, previous: bytes | None, is_leaving: bool) -> bytes:
        """The record of a move, bound to the one before; its hash."""
        at, how, left, reached, officer = step
        own = how in (Move.SUBMIT, Move.WITHDRAW)
        told = SimpleNamespace(
            id=self.world.id("application_records", self.number, 100 * self._cases + place), application_id=case, number=place,
            round=round_, at=at,
            actor_id=officer.id if officer else self.account if own else None,
            actor_name=officer.name if officer else self.person.name if own else None,
            actor_role=officer.role.value if officer else Role.EXPERT.value if own else None,
            move=how.value, from_stage=left.value, to_stage=reached.value, revision_id=revision,
            opinion=_REASON_TO_MOVE if is_leaving and how is Move.SUBMIT else _OPINIONS.get(how),
            reject_reason="NOT_ELIGIBLE" if how is Move.REJECT else None,
            field_reasons=_REASONS if how is Move.RETURN else [], previous_hash=previous,
        )  # fmt: skip
        digest = chain_hash(told)  # type: ignore[arg-type]  # a record in everything that is hashed
        reasons = _REASONS_WRITTEN if how is Move.RETURN else "[]"
        values = [getattr(told, name) for name in _COLUMNS["application_records"][:-3]]
        self._put("application_records", *values, reasons, previous, digest)
        return digest

    def _write_notice(self, at: datetime, closed: datetime | None) -> None:
        window, key = self._window(at), self.world.id("public_notices", self.number)
        days = "[" + ",".join(f'"{day.isoformat()}"' for day in window.days_counted) + "]"
        self._put(
            "public_notices", key, self.case, "CLOSED" if closed else "OPEN", self.person.name, self.employer.name, self.pool, at,
            window.first_day, window.last_day, window.closes_at, days, window.tentative, closed,
        )  # fmt: skip
        for place, code in enumerate(self.specialties):
            self._put("notice_specialties", self.world.id("notice_specialties", self.number, place), key, place, code)
        shown = {"first_day": window.first_day.isoformat(), "last_day": window.last_day.isoformat()}
        self._message(SmsTemplate.NOTICE_OPENED, at, self.case, shown)
        if self.stage is Stage.OBJECTION or (not closed and self.number % 8 == 0) or (closed and self.fate.is_objected):
            self._objection(key, at + (min(window.closes_at, self.world.now) - at) / 2)

    # Beside and after the admission

    def _message(self, template: SmsTemplate, at: datetime, case: Any, parameters: Mapping[str, Any]) -> None:
        self._messages += 1
        state, attempts, reference, error, sent_at = seed_later.sms_outcome(self.number, self._messages, at)
        phone = self.person.phone
        self._put(
            "sms_messages", self.world.id("sms_messages", self.number, self._messages), template.value, "zh", seal(phone, "sms.phone"),
            mask.phone(phone), self.account, case, orjson.dumps(parameters).decode(), state, attempts, "console", reference, error, at,
            sent_at,
        )  # fmt: skip

    def _looked_at(self, case: Any, officer: Officer, decided: datetime) -> None:
        self._put(
            "clear_reads", self.world.id("clear_reads", self.number), self.account, officer.id, officer.name, officer.role.value, self.pool,
            case, written({PersonalField.ID_NUMBER, PersonalField.PHONE}), "电话核实工作单位", decided - timedelta(minutes=10),
        )  # fmt: skip
        self._put(
            "application_notes", self.world.id("application_notes", self.number), case, decided - timedelta(minutes=5), officer.id,
            officer.name, officer.role.value, "已电话核实，单位属实。",
        )  # fmt: skip

    def _objection(self, notice: Any, at: datetime) -> None:
        """One that was dismissed before the notice ended, or is open."""
        is_open = self.stage is not Stage.ADMITTED
        phone, settler = f"+86135{self.number % 10**8:08}", self.batch.officer(None, self.number)
        settled = (None,) * 4 if is_open else (at + timedelta(hours=20), settler.id, settler.name, "经核实，所述情况不属实。")
        self._put(
            "objections", self.world.id("objections", self.number), notice, self.case,
            f"{at.astimezone(SHANGHAI):%Y%m%d}-{self.number:08X}", (ObjectionState.OPEN if is_open else ObjectionState.DISMISSED).value,
            seal(phone, "objection.phone"), phone_hash(phone), mask.phone(phone), keyed_hash("address", "192.0.2.0/24"),
            "公示的工作经历与实际不符，请核实。", at, *settled,
        )  # fmt: skip

    def _later_case(self, later: LaterCase, admitted: datetime) -> tuple[Any, Any, str]:
        """A change of the post, or of the division; the revision in force after it, the draft, and the pool."""
        left = self.pool
        if later.kind is CaseKind.CHANGE:
            self.is_promoted = True
        else:
            self.pool = self.fate.chance.choice([code for code, _ in self.world.pools if code != left])
        at = self.fate.between(admitted, self.world.now) if later.stage in CLOSED else self._moment(*_LATELY)
        moves = self._dated(self._path(later.stage, self.pool, Stage.APPLIED), at)
        is_division = later.kind is CaseKind.DIVISION_CHANGE
        opened = moves[0][0] if is_division else moves[0][0] - timedelta(days=2)
        in_force, draft, pool = self.revisions[-1], None, left
        match later.stage:
            case Stage.APPLIED:
                in_force, pool = self._revision(RevisionState.EFFECTIVE, opened, moves[0][0]), self.pool
            case Stage.RETURNED | Stage.REJECTED:
                self._revision(RevisionState.NOT_ADOPTED, opened, moves[0][0])
                if later.stage is Stage.RETURNED:
                    draft = self._revision(RevisionState.DRAFT, at, None)
            case _:
                self._revision(RevisionState.FROZEN, opened, moves[0][0])
        submitted = self.revisions[-2 if draft else -1]
        self._write_case(moves, opened, [submitted], kind=later.kind, leaving=left if is_division else None)
        return in_force, draft, pool

    def _schedule(self) -> None:
        kept = self.fate.schedule(self.world.now.astimezone(SHANGHAI).date())
        if kept is None:
            return
        key = self.world.id("schedule_periods", self.number)
        rows = [(each.first.day, each.first.half.value, each.last.day, each.last.half.value) for each in kept.spans]
        saved_at = self.world.now - timedelta(hours=1 + self.number % 20)
        availability = kept.availability.value
        self._put("schedule_periods", key, self.expert, availability, *rows[0], kept.weekly_until, kept.reason, saved_at)
        for place, span in enumerate(rows):
            occurrence = self.world.id("schedule_occurrences", self.number, place)
            self._put("schedule_occurrences", occurrence, key, self.expert, availability, *span)

    def _standing(self, admitted: datetime) -> tuple[Standing, date | None]:
        """What the province, or the expert, did about the standing; where it ended, and the last day of a suspension that runs."""
        now, standing, until = self.world.now, Standing.FORMAL, None
        at = self.fate.between(admitted, now)
        changes = self.fate.standing
        if changes[-1] is StandingChange.SUSPEND:
            at = now - timedelta(days=10)
        for place, how in enumerate(changes):
            target, cause, reasons = CHANGES[standing, how], None, None
            actor: Row = (None, None, None)
            match how:
                case StandingChange.DEREGISTER:
                    actor, until = (self.account, self.person.name, Role.EXPERT.value), None
                case StandingChange.REINSTATE if until:  # by itself, in the night after the last day
                    at, until = datetime.combine(until + timedelta(days=1), time(0, 0, 3), SHANGHAI), None
                case _:
                    officer = self.batch.officer(None, self.number)
                    actor, reasons = (officer.id, officer.name, officer.role.value), "因评审活动中的违规行为正在调查。"
                    if how is StandingChange.DISMISS:
                        cause, reasons, barred = seed_later.dismissal(at, self.world.bar_years)
                        digest = id_number_hash(self.person.id_number)
                        self._put("bars", self.world.id("bars", self.number), digest, at, barred)
                    else:
                        last = now + timedelta(days=80) if how is changes[-1] else at + (now - at) / 2 - timedelta(days=1)
                        until = last.astimezone(SHANGHAI).date()
            self._put(
                "standing_records", self.world.id("standing_records", self.number, place), self.expert, at, how.value, standing.value,
                target.value, *actor, cause, reasons, until,
            )  # fmt: skip
            self._message(seed_later.SMS_OF_STANDING[how], at, None, {"last_day": until.isoformat()} if until else {})
            standing = target
        return standing, until


_REASONS = [{"path": "titles.0.certificate", "text": "图片不清晰，请重新上传"}]
_REASONS_WRITTEN = orjson.dumps(_REASONS).decode()
_REASON_TO_MOVE = "工作调动，常住地已迁入。"
_OPINIONS = {Move.APPROVE: "材料齐全，同意", Move.RETURN: "请补充材料", Move.REJECT: "不符合入库条件"}


@lru_cache(maxsize=100_000)
def _window(calendar: WorkingCalendar, at: datetime, days: int) -> Window:
    return calendar.publicity_window(at, days)


@lru_cache(maxsize=100_000)
def _deadline(calendar: WorkingCalendar, at: datetime, days: int) -> datetime:
    return calendar.deadline(at, days)


async def _world(seed: int, configuration: Settings) -> World:
    divisions = await Division.filter(retired=False).order_by("code")
    counties = [each.code for each in divisions if each.level == 3 and not each.kind.startswith("pool") and each.kind != "devzone"]
    counties.remove("220102")  # left to people made otherwise, whose id numbers must not meet these
    scan = images.certificate("SPECIMEN", ["of the seeded province"], size=(600, 800))
    file = io.BytesIO()
    scan.save(file, "JPEG", quality=80)
    digest = sha256(file.getvalue())
    key = storage.key_of(digest)
    size = file.tell()
    file.seek(0)
    await storage.put(key, file)
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
        image=(size, *scan.size, digest, key),
    )


class OtherSeed(Exception):
    """The province was invented from another seed; mixing two would double people."""


async def _seeded(connection: Any, seed: int) -> int:
    """How many experts are there already. Raises OtherSeed."""
    low, high = (UUID(((_IDS_BEGIN + number) << 80).to_bytes(16)) for number in (0, _STAFF))
    last = await connection.fetchval("SELECT id FROM experts WHERE id >= $1 AND id < $2 ORDER BY id DESC LIMIT 1", low, high)
    if last is None:
        return 0
    if last.int >> 32 & 0xFFFF != seed:
        raise OtherSeed(last.int >> 32 & 0xFFFF)
    return int((last.int >> 80) - _IDS_BEGIN + 1)


async def _begun(connection: Any, world: World, officers: Mapping[str | None, list[Officer]], numbers: range) -> asyncio.Task[Batch]:
    """A batch that another thread makes."""
    found = await connection.fetch("SELECT nextval('expert_numbers') AS n FROM generate_series(1, $1)", len(numbers))
    return asyncio.create_task(asyncio.to_thread(Batch.of, world, officers, numbers, [row["n"] for row in found]))


async def seed_experts(experts: int, *, seed: int, configuration: Settings, tell: Any = None) -> int:
    """Bring the number of invented experts up to `experts`; how many were added. Call with the database open.

    The session writes as a replica would, so that no trigger hinders rows of frozen revisions: foreign keys are not checked either, the
    data have to be right by themselves. This needs a superuser of PostgreSQL. Raises OtherSeed.
    """
    connection = await asyncpg.connect(configuration.database_url)
    try:
        await connection.execute("SET session_replication_role = replica; SET statement_timeout = 0")
        await connection.execute("SELECT pg_advisory_lock(hashtext('seed'))")
        before = await _seeded(connection, seed)
        if before >= experts:
            return 0
        world = await _world(seed, configuration)
        officers: dict[str | None, list[Officer]] = {pool: world.officers(pool) for pool in (None, *(code for code, _ in world.pools))}
        batches = [range(first, min(first + BATCH, experts)) for first in range(before, experts, BATCH)]
        made = await _begun(connection, world, officers, batches[0])
        for numbers, following in zip(batches, [*batches[1:], None], strict=True):
            batch = await made
            if following:  # is made while PostgreSQL takes this one
                made = await _begun(connection, world, officers, following)
            async with connection.transaction():
                for table, rows in batch.rows.items():
                    await connection.copy_records_to_table(table, records=rows, columns=_COLUMNS[table])
            if tell:
                tell(numbers.stop - before, experts - before)
        for table in _COLUMNS:
            await connection.execute(f"VACUUM (ANALYZE) {table}")
        return experts - before
    finally:
        await connection.close()


class Progress:
    """A line on the terminal that tells how far the work is."""

    def __init__(self) -> None:
        self._began = monotonic()

    def __call__(self, done: int, of: int) -> None:
        """Draw it anew."""
        seconds = monotonic() - self._began
        bar = "█" * (30 * done // of)
        left = seconds / done * (of - done)
        end = "\n" if done == of else ""
        print(f"\r{bar:░<30} {done:,} of {of:,} experts, {done / seconds:,.0f}/s, {left:.0f} s left ", end=end, flush=True)


async def run(arguments: Sequence[str], configuration: Settings) -> int:
    """`seed [--experts N] [--seed S]`; the exit status."""
    parser = argparse.ArgumentParser(prog="run.py seed", description="Invent a province of experts, for trying and measuring.")
    parser.add_argument("--experts", type=int, default=1_000, help="how many there shall be; a repeat adds what is missing (default 1000)")
    parser.add_argument("--seed", type=int, default=1, help="another number gives other people (0 to 65535)")
    chosen = parser.parse_args(arguments)
    if not configuration.development:
        print("Invented people are for development mode alone.", file=sys.stderr)
        return 2
    if not (0 <= chosen.seed < 2**16 and 0 < chosen.experts < _STAFF):
        parser.error(f"--seed is 0 to 65535, --experts 1 to {_STAFF - 1}")
    began = monotonic()
    try:
        async with opened_database(configuration):
            added = await seed_experts(chosen.experts, seed=chosen.seed, configuration=configuration, tell=Progress())
    except OtherSeed as other:
        print(f"The province here was invented with --seed {other}; go on with that, or take an empty database.", file=sys.stderr)
        return 1
    print(f"{added:,} experts added in {monotonic() - began:.0f} s; every account's password is {PASSWORD}")
    return 0
