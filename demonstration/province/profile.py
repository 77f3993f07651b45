"""The profile of an invented person: images, sections, and the revisions that hold them."""

from __future__ import annotations

from collections import defaultdict
from datetime import date, datetime, timedelta
from random import Random
from typing import Any

from demonstration.province import invented
from demonstration.province.somebody import Somebody
from demonstration.province.tables import Row
from domain.rules import mask
from domain.rules.identity import FEMALE, MALE
from models.enums import RevisionState, Stage
from models.sealing import id_number_hash, seal


class Profile:
    """What a person has handed in and filled in, revision by revision."""

    def __init__(self, who: Somebody) -> None:
        self._who = who
        self.revisions: list[Any] = []
        self.is_promoted = False  # from the next revision on the post is another
        self._sections: list[tuple[str, Row]] = []
        self._files: dict[str, Any] = {}
        self._entries = 0

    def hand_in(self, at: datetime) -> None:
        """The images, whether they are used yet or not."""
        size, width, height, digest, key = self._who.world.image
        for place, purpose in enumerate(("PORTRAIT", "ID_FRONT", "ID_BACK", "EDUCATION", "TITLE", "QUALIFICATION", "OTHER")):
            if purpose == "QUALIFICATION" and self._who.number % 3:
                continue
            self._files[purpose] = file = self._who.id("files", place)
            name = f"{purpose.lower()}.jpg"
            self._who.put(
                "files", file, self._who.account, purpose, name, "image/jpeg", size, width, height, 812.5, False, digest, key, at
            )  # fmt: skip

    def fill_in(self) -> None:
        """All sections."""
        number = f"{self._who.number:07}"
        began = self._educate(number)
        self._work(began, number)
        for code in self._who.specialties:
            self._entry("revision_specialties", code)
        for unit in self._who.chance.sample(self._who.world.employers, self._who.chance.choice((0, 1, 1, 2))):
            self._entry("avoidance_units", unit.name, unit.credit_code, "配偶任职", None)
        self._entry("other_materials", self._files["OTHER"])

    def _entry(self, table: str, *values: Any) -> None:
        self._sections.append((table, values))

    def _educate(self, number: str) -> int:
        """The years of education; when they ended."""
        chance, began = self._who.chance, self._who.person.born.year + 18
        levels = (("31", None, 3), ("21", "4", 4), ("14", "3", 3), ("11", "2", 4))
        first = chance.choice((0, 1, 1, 1))
        for place in range(first, first + chance.choice((1, 1, 2, 2, 3))):
            if place < len(levels):
                level, degree, years = levels[place]
                self._entry(
                    "education", chance.choice(invented.SCHOOLS), date(began, 9, 1), date(began + years, 7, 1),
                    chance.choice(invented.MAJORS), level, "FULL_TIME", degree, f"10183{began}{level}{number}", False,
                    self._files["EDUCATION"],
                )  # fmt: skip
                began += years
        table, values = self._sections[-1]
        self._sections[-1] = (table, (*values[:-2], True, values[-1]))
        return began

    def _work(self, began: int, number: str) -> None:
        """Titles, employments and qualifications since the education ended."""
        chance, world, files = self._who.chance, self._who.world, self._files
        for place in range(chance.choice((1, 1, 2, 3))):
            on = date(began + 5 + place * 4, 12, 1)
            self._entry(
                "title_entries", chance.choice(world.titles), f"ZC{on.year}{number}", on, "吉林省人力资源和社会保障厅", files["TITLE"]
            )
        since, jobs = date(began, 8, 1), chance.choice((1, 2, 2, 3, 4, 5))
        for place in range(jobs):
            until = None if place == jobs - 1 else date(since.year + 3, 6, 30)
            where = self._who.employer if until is None else chance.choice(world.employers)
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

    def revision(self, state: RevisionState, created: datetime, frozen: datetime | None) -> Any:
        """A revision with all sections filled in so far; entries are the same ones in each revision."""
        who, person, files = self._who, self._who.person, self._files
        chance = Random(who.number)  # noqa: S311  the same in each revision
        number = len(self.revisions) + 1
        key = who.id("revisions", number)
        base = self.revisions[-1] if self.revisions else None
        self.revisions.append(key)
        address = f"吉林省{who.pool_name.removesuffix('本级')}人民大街 {chance.randrange(1, 9_000)} 号"
        phone, mail = f"+86137{who.number % 10**8:08}", f"expert{who.number}@example.cn"
        post = chance.randrange(len(invented.POSTS)) + self.is_promoted
        who.put(
            "revisions", key, who.expert, number, base, state.value, 9, created, frozen or created, frozen, person.name, "RESIDENT_ID",
            seal(person.id_number, "revision.id_number"), id_number_hash(person.id_number), mask.id_number(person.id_number),
            date(2016, 5, 1), date(2036, 5, 1), False, FEMALE if person.female else MALE, person.born,
            chance.choice(who.world.ethnic_groups), "01" if chance.random() < 0.4 else "13", "GOOD",
            files["PORTRAIT"], files["ID_FRONT"], files["ID_BACK"],
            seal(phone, "revision.second_phone"), mask.phone(phone), seal(mail, "revision.email"), mask.email(mail),
            chance.choice(who.world.counties), seal(address, "revision.address"), mask.address(address), "130000",
            who.employer.name, who.employer.credit_code, who.employer.kind.value, invented.POSTS[post % len(invented.POSTS)], "EMPLOYED",
            date(person.born.year + 23, 8, 1), chance.randrange(8, 35), chance.choice(("SELF", "UNIT", "PUBLIC_CALL")),
            None if who.stage is Stage.DRAFT else who.pool,
        )  # fmt: skip
        places: dict[str, int] = defaultdict(int)
        for entry, (table, values) in enumerate(self._sections):
            self._entries += 1
            who.put(table, who.id(table, self._entries), who.id("entries", entry), places[table], key, *values)
            places[table] += 1
        return key
