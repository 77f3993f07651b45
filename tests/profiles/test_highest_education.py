from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import date, datetime

import pytest
from tortoise.exceptions import IntegrityError

from domain.actions.profiles import save_education
from domain.rules.profile_input import EducationInput
from models.database import execute
from models.enums import StudyMode
from models.profiles import Education
from tests.people import SignedIn, registered_expert
from tests.profiles.kept import draft_of

BACHELOR = EducationInput(
    school="吉林大学", started_on=date(1994, 9, 1), ended_on=date(1998, 7, 1), major="数学", level="21", mode=StudyMode.FULL_TIME
)


@pytest.fixture
async def expert(now: datetime) -> SignedIn:
    return await registered_expert()


async def highest(expert: SignedIn) -> list[object]:
    """The rows that are marked as the highest education."""
    draft = await draft_of(expert.viewer)
    return [each.pk for each in await Education.filter(revision_id=draft.pk, is_highest=True)]


async def test_an_education_is_the_highest_only_where_that_is_said(expert: SignedIn, now: datetime) -> None:
    await save_education(BACHELOR, viewer=expert.viewer, now=now)

    assert await highest(expert) == []


async def test_the_mark_goes_over_to_the_entry_that_is_marked_last(expert: SignedIn, now: datetime) -> None:
    bachelor = await save_education(replace(BACHELOR, is_highest=True), viewer=expert.viewer, now=now)
    master = await save_education(replace(BACHELOR, level="14", is_highest=True), viewer=expert.viewer, now=now)
    after_adding = await highest(expert)

    await save_education(EducationInput(is_highest=True), entry=bachelor.pk, viewer=expert.viewer, now=now)

    assert after_adding == [master.pk]
    assert await highest(expert) == [bachelor.pk]


async def test_saving_the_highest_again_keeps_the_mark_and_null_takes_it_away(expert: SignedIn, now: datetime) -> None:
    bachelor = await save_education(replace(BACHELOR, is_highest=True), viewer=expert.viewer, now=now)

    await save_education(EducationInput(is_highest=True, major="应用数学"), entry=bachelor.pk, viewer=expert.viewer, now=now)
    kept = await highest(expert)
    await save_education(EducationInput(is_highest=None), entry=bachelor.pk, viewer=expert.viewer, now=now)

    assert (kept, await highest(expert)) == ([bachelor.pk], [])


async def test_of_several_marked_at_once_one_is_the_highest(expert: SignedIn, now: datetime) -> None:
    await asyncio.gather(*(save_education(replace(BACHELOR, is_highest=True), viewer=expert.viewer, now=now) for _ in range(4)))

    assert len(await highest(expert)) == 1


async def test_the_database_knows_one_highest_education_a_revision(expert: SignedIn, now: datetime) -> None:
    await save_education(replace(BACHELOR, is_highest=True), viewer=expert.viewer, now=now)
    other = await save_education(BACHELOR, viewer=expert.viewer, now=now)

    with pytest.raises(IntegrityError, match="one_highest_education_per_revision"):
        await execute("UPDATE education SET is_highest = TRUE WHERE id = $1", other.pk)
