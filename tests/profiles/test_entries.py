"""What all sections of entries have in common; what is peculiar to one stands in its own file."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, fields, replace
from datetime import date, datetime
from typing import Any
from uuid import uuid4

import pytest
from tortoise.models import Model

from domain.actions import profiles
from domain.actions.revisions import copy_as_draft, freeze
from domain.rules.errors import InvalidInput, KeyReused, NotAllowed, NotFound, Stale
from domain.rules.profile_input import UNSET, EducationInput, QualificationInput, SectionInput, TitleInput, WorkEntryInput
from models.database import transaction
from models.enums import StudyMode
from models.profiles import Education, QualificationEntry, TitleEntry, WorkEntry
from tests.people import SignedIn, officer, registered_expert
from tests.profiles.kept import draft_of, everything_of, told


@dataclass(frozen=True, slots=True)
class Section:
    """A section under test: a good entry, a change of it, and how it is saved and removed."""

    name: str
    model: type[Model]
    good: SectionInput
    change: SectionInput
    limit: int
    save: Callable[..., Awaitable[Any]]
    remove: Callable[..., Awaitable[Any]]


SECTIONS = [
    Section(
        "education",
        Education,
        EducationInput(
            school="吉林大学",
            started_on=date(1994, 9, 1),
            ended_on=date(1998, 7, 1),
            major="数学",
            level="21",
            mode=StudyMode.FULL_TIME,
        ),
        EducationInput(major="应用数学"),
        10,
        profiles.save_education,
        profiles.remove_education,
    ),
    Section(
        "titles",
        TitleEntry,
        TitleInput(title_code="T01011", certificate_number="20051234", obtained_on=date(2005, 12, 1), issuer="吉林省人力资源和社会保障厅"),
        TitleInput(issuer="吉林省人社厅"),
        5,
        profiles.save_title,
        profiles.remove_title,
    ),
    Section(
        "workHistory",
        WorkEntry,
        WorkEntryInput(started_on=date(1998, 7, 1), employer="吉林大学", post="讲师", duties="教学\n科研"),
        WorkEntryInput(post="教授"),
        5,
        profiles.save_work_entry,
        profiles.remove_work_entry,
    ),
    Section(
        "qualifications",
        QualificationEntry,
        QualificationInput(qualification_code="Q101", certificate_number="2001-1", obtained_on=date(2001, 6, 1), issuer="教育部"),
        QualificationInput(issuer="吉林省教育厅"),
        5,
        profiles.save_qualification,
        profiles.remove_qualification,
    ),
]


@pytest.fixture
async def expert(now: datetime) -> SignedIn:
    return await registered_expert()


@pytest.fixture(params=[each.name for each in SECTIONS])
def section(request: pytest.FixtureRequest) -> Section:
    return next(each for each in SECTIONS if each.name == request.param)


def given(section_input: SectionInput) -> dict[str, Any]:
    """The fields that an input names."""
    return {each.name: value for each in fields(section_input) if (value := getattr(section_input, each.name)) is not UNSET}


async def test_an_entry_is_added_at_the_end_with_all_its_fields(section: Section, expert: SignedIn, now: datetime) -> None:
    first = await section.save(section.good, viewer=expert.viewer, now=now)
    second = await section.save(section.good, viewer=expert.viewer, now=now)

    draft = await draft_of(expert.viewer)
    kept = await section.model.filter(revision_id=draft.pk).order_by("position")
    assert [each.pk for each in kept] == [first.pk, second.pk]
    assert [each.position for each in kept] == [0, 1]  # type: ignore[attr-defined]  # every section's rows have a position
    assert draft.version == 2
    assert {name: getattr(kept[0], name) for name in given(section.good)} == given(section.good)


async def test_a_change_writes_the_given_fields_alone(section: Section, expert: SignedIn, now: datetime) -> None:
    entry = await section.save(section.good, viewer=expert.viewer, now=now)

    changed = await section.save(section.change, entry=entry.pk, viewer=expert.viewer, now=now)

    kept: Any = await section.model.get(id=entry.pk)
    expected = given(section.good) | given(section.change)
    assert changed.pk == entry.pk
    assert {name: getattr(kept, name) for name in expected} == expected


async def test_a_new_entry_needs_its_required_fields(section: Section, expert: SignedIn, now: datetime) -> None:
    before = await everything_of(expert.viewer)

    with pytest.raises(InvalidInput) as refusal:
        await section.save(type(section.good)(), viewer=expert.viewer, now=now)

    assert {code for _, code in told(refusal.value)} == {"REQUIRED"}
    assert await everything_of(expert.viewer) == before


async def test_there_is_a_limit_and_removing_makes_room(section: Section, expert: SignedIn, now: datetime) -> None:
    entries = [await section.save(section.good, viewer=expert.viewer, now=now) for _ in range(section.limit)]
    before = await everything_of(expert.viewer)

    with pytest.raises(InvalidInput) as refusal:
        await section.save(section.good, viewer=expert.viewer, now=now)

    assert told(refusal.value) == [(section.name, "TOO_MANY")]
    assert refusal.value.problems[0].facts == {"maximum": section.limit}
    assert await everything_of(expert.viewer) == before
    await section.remove(entries[0].pk, viewer=expert.viewer, now=now)
    again = await section.save(section.good, viewer=expert.viewer, now=now)
    assert again.position == section.limit


async def test_two_last_entries_at_once_are_one(section: Section, expert: SignedIn, now: datetime) -> None:
    for _ in range(section.limit - 1):
        await section.save(section.good, viewer=expert.viewer, now=now)

    ends = await asyncio.gather(*(section.save(section.good, viewer=expert.viewer, now=now) for _ in range(3)), return_exceptions=True)

    draft = await draft_of(expert.viewer)
    assert sorted(isinstance(each, InvalidInput) for each in ends) == [False, True, True]
    assert await section.model.filter(revision_id=draft.pk).count() == section.limit


async def test_under_one_key_one_entry_is_added_however_often_it_is_asked_for(section: Section, expert: SignedIn, now: datetime) -> None:
    first = await section.save(section.good, key="k1", expected_version=None, viewer=expert.viewer, now=now)
    version = (await draft_of(expert.viewer)).version

    again = await section.save(section.good, key="k1", expected_version=version - 1, viewer=expert.viewer, now=now)
    ends = await asyncio.gather(*(section.save(section.good, key="k2", viewer=expert.viewer, now=now) for _ in range(3)))
    theirs = await section.save(section.good, key="k1", viewer=(await registered_expert()).viewer, now=now)

    draft = await draft_of(expert.viewer)
    kept = await section.model.filter(revision_id=draft.pk).order_by("position")
    assert again.pk == first.pk
    assert {each.pk for each in ends} == {kept[1].pk}
    assert [each.pk for each in kept] == [first.pk, ends[0].pk]
    assert theirs.pk not in {each.pk for each in kept}
    assert draft.version == version + 1


async def test_a_key_stands_for_what_was_asked_and_stays_free_where_nothing_came_of_it(
    section: Section, expert: SignedIn, now: datetime
) -> None:
    with pytest.raises(InvalidInput):
        await section.save(type(section.good)(), key="k1", viewer=expert.viewer, now=now)
    entry = await section.save(section.good, key="k1", viewer=expert.viewer, now=now)
    before = await everything_of(expert.viewer)

    with pytest.raises(KeyReused):
        await section.save(replace(section.good, **given(section.change)), key="k1", viewer=expert.viewer, now=now)
    for bad in ("", "k" * 101):
        with pytest.raises(InvalidInput) as refusal:
            await section.save(section.good, key=bad, viewer=expert.viewer, now=now)
        assert told(refusal.value) == [("idempotencyKey", "TEXT_LENGTH")]

    assert await everything_of(expert.viewer) == before
    await section.remove(entry.pk, viewer=expert.viewer, now=now)
    with pytest.raises(NotFound):
        await section.save(section.good, key="k1", viewer=expert.viewer, now=now)


async def test_removing_takes_one_entry_out_and_cannot_be_done_twice(section: Section, expert: SignedIn, now: datetime) -> None:
    gone, stays = [await section.save(section.good, viewer=expert.viewer, now=now) for _ in range(2)]

    draft = await section.remove(gone.pk, viewer=expert.viewer, now=now)

    assert (draft.version, [each.pk for each in await section.model.filter(revision_id=draft.pk)]) == (3, [stays.pk])
    with pytest.raises(NotFound):
        await section.remove(gone.pk, viewer=expert.viewer, now=now)
    assert (await draft_of(expert.viewer)).version == 3


async def test_anothers_entry_is_not_found(section: Section, expert: SignedIn, now: datetime) -> None:
    stranger = await registered_expert()
    theirs = await section.save(section.good, viewer=stranger.viewer, now=now)
    before = await everything_of(stranger.viewer), await everything_of(expert.viewer)

    for entry in (theirs.pk, uuid4()):
        with pytest.raises(NotFound):
            await section.save(section.change, entry=entry, viewer=expert.viewer, now=now)
        with pytest.raises(NotFound):
            await section.remove(entry, viewer=expert.viewer, now=now)

    assert (await everything_of(stranger.viewer), await everything_of(expert.viewer)) == before


async def test_an_entry_is_found_by_the_id_that_it_had_before_the_draft_was_copied(
    section: Section, expert: SignedIn, now: datetime
) -> None:
    entry = await section.save(section.good, viewer=expert.viewer, now=now)
    async with transaction():
        frozen = await freeze(await draft_of(expert.viewer), now=now)
        await copy_as_draft(frozen, now=now)

    changed = await section.save(section.change, entry=entry.pk, viewer=expert.viewer, now=now)

    assert changed.pk != entry.pk
    assert changed.entry_id == entry.entry_id
    assert changed.revision_id == (await draft_of(expert.viewer)).pk
    draft = await section.remove(entry.pk, viewer=expert.viewer, now=now)
    assert await section.model.filter(revision_id=draft.pk).count() == 0
    assert await section.model.filter(id=entry.pk).exists()


async def test_an_old_version_is_refused(section: Section, expert: SignedIn, now: datetime) -> None:
    entry = await section.save(section.good, viewer=expert.viewer, now=now)
    before = await everything_of(expert.viewer)

    with pytest.raises(Stale):
        await section.save(section.good, viewer=expert.viewer, now=now, expected_version=0)
    with pytest.raises(Stale):
        await section.remove(entry.pk, viewer=expert.viewer, now=now, expected_version=0)

    assert await everything_of(expert.viewer) == before


async def test_staff_have_no_entries(section: Section, now: datetime) -> None:
    someone = await officer()
    count = await section.model.all().count()

    with pytest.raises(NotAllowed):
        await section.save(section.good, viewer=someone.viewer, now=now)

    assert await section.model.all().count() == count


@pytest.mark.parametrize(
    ("section", "wrong", "problems"),
    [
        ("education", {"level": "20"}, [("level", "CODE_NOT_SELECTABLE")]),
        ("education", {"level": "999"}, [("level", "CODE_UNKNOWN")]),
        ("education", {"degree": "2"}, [("degree", "CODE_NOT_SELECTABLE")]),
        ("education", {"ended_on": date(1990, 1, 1)}, [("endedOn", "DATES_REVERSED")]),
        ("education", {"ended_on": date(2999, 1, 1)}, [("endedOn", "DATE_IN_FUTURE")]),
        ("education", {"started_on": date(1975, 3, 12)}, [("startedOn", "DATE_BEFORE_BIRTH")]),
        ("education", {"school": "吉大😀", "major": " "}, [("school", "TEXT_CHARACTERS"), ("major", "TEXT_EMPTY")]),
        ("titles", {"title_code": "T01"}, [("titleCode", "TITLE_NOT_LEAF")]),
        ("titles", {"title_code": "X"}, [("titleCode", "CODE_UNKNOWN")]),
        ("titles", {"obtained_on": date(2999, 1, 1)}, [("obtainedOn", "DATE_IN_FUTURE")]),
        ("titles", {"certificate_number": "1\x002"}, [("certificateNumber", "TEXT_CHARACTERS")]),
        ("titles", {"certificate_number": "1" * 61}, [("certificateNumber", "TEXT_LENGTH")]),
        ("workHistory", {"ended_on": date(1990, 1, 1)}, [("endedOn", "DATES_REVERSED")]),
        ("workHistory", {"started_on": date(2999, 1, 1)}, [("startedOn", "DATE_IN_FUTURE")]),
        ("workHistory", {"started_on": date(1970, 1, 1)}, [("startedOn", "DATE_BEFORE_BIRTH")]),
        ("workHistory", {"duties": "\x1b[31m", "post": "讲师\n"}, [("duties", "TEXT_CHARACTERS")]),
        ("workHistory", {"duties": "字" * 1001}, [("duties", "TEXT_LENGTH")]),
        ("qualifications", {"qualification_code": "Q000"}, [("qualificationCode", "CODE_UNKNOWN")]),
        ("qualifications", {"valid_until": date(2001, 5, 31)}, [("validUntil", "DATES_REVERSED")]),
        ("qualifications", {"obtained_on": date(1960, 1, 1)}, [("obtainedOn", "DATE_BEFORE_BIRTH")]),
    ],
    indirect=["section"],
)
async def test_a_value_that_cannot_be_kept_is_refused_in_a_new_and_in_a_changed_entry(
    section: Section, expert: SignedIn, now: datetime, wrong: dict[str, Any], problems: list[tuple[str, str]]
) -> None:
    entry = await section.save(section.good, viewer=expert.viewer, now=now)
    before = await everything_of(expert.viewer)

    with pytest.raises(InvalidInput) as of_new:
        await section.save(replace(section.good, **wrong), viewer=expert.viewer, now=now)
    with pytest.raises(InvalidInput) as of_changed:
        await section.save(type(section.good)(**wrong), entry=entry.pk, viewer=expert.viewer, now=now)

    assert told(of_new.value) == told(of_changed.value) == problems
    assert await everything_of(expert.viewer) == before
