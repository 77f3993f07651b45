from __future__ import annotations

import asyncio
from datetime import date, datetime
from typing import Any

import pytest
from tortoise.exceptions import IntegrityError
from tortoise.models import Model

from domain.actions.attachments import attach_file
from domain.actions.profiles import (
    save_basic_info,
    save_education,
    save_evaluation_info,
    save_qualification,
    save_title,
    save_work_entry,
)
from domain.actions.revisions import SECTIONS, copy_as_draft, freeze, open_draft
from domain.rules.errors import NotAllowed
from domain.rules.profile_input import (
    AvoidanceUnitInput,
    BasicInfo,
    EducationInput,
    EvaluationInfo,
    QualificationInput,
    TitleInput,
    WorkEntryInput,
)
from models.applications import Application
from models.database import execute, rows, transaction
from models.enums import CaseKind, FilePurpose, RevisionState, Stage, Standing, StudyMode
from models.experts import Expert
from models.profiles import Revision
from tests.people import SignedIn, registered_expert
from tests.profiles.kept import draft_of, everything_of, some_image


@pytest.fixture
async def expert(now: datetime) -> SignedIn:
    return await registered_expert()


async def person(expert: SignedIn) -> Expert:
    return await Expert.get(id=expert.viewer.expert_id)


async def filled_draft(expert: SignedIn, now: datetime) -> Revision:
    """A draft with a row in every section."""
    viewer = expert.viewer
    await save_basic_info(BasicInfo(employer="吉林大学", email="zhang@example.com", address="长春市人民大街1号"), viewer=viewer, now=now)
    units = [AvoidanceUnitInput(name="吉林银行", relation="持股")]
    await save_evaluation_info(
        EvaluationInfo(home_pool_code="220199", specialties=["A01010000", "A02010000"], avoidance_units=units), viewer=viewer, now=now
    )
    education = EducationInput(
        school="吉林大学",
        started_on=date(1994, 9, 1),
        ended_on=date(1998, 7, 1),
        major="数学",
        level="21",
        mode=StudyMode.FULL_TIME,
        is_highest=True,
    )
    await save_education(education, viewer=viewer, now=now)
    title = TitleInput(title_code="T01011", certificate_number="1", obtained_on=date(2005, 12, 1), issuer="人社厅")
    await save_title(title, viewer=viewer, now=now)
    work = WorkEntryInput(started_on=date(1998, 7, 1), employer="吉林大学", post="讲师", duties="教学")
    await save_work_entry(work, viewer=viewer, now=now)
    qualification = QualificationInput(qualification_code="Q101", certificate_number="1", obtained_on=date(2001, 6, 1), issuer="教育部")
    await save_qualification(qualification, viewer=viewer, now=now)
    form = await some_image(viewer, FilePurpose.OTHER)
    return await attach_file(form.pk, viewer=viewer, now=now)


async def frozen_revision(expert: SignedIn, now: datetime) -> Revision:
    draft = await filled_draft(expert, now)
    async with transaction():
        return await freeze(draft, now=now)


async def contents(revision: Revision, model: type[Model]) -> list[dict[str, Any]]:
    """The rows of a section without what tells copies apart."""
    return [
        {key: value for key, value in each.items() if key not in ("id", "revision_id")}
        for each in await model.filter(revision_id=revision.pk).order_by("position").values()
    ]


async def test_a_draft_opened_twice_at_once_is_one(expert: SignedIn, now: datetime) -> None:
    someone = await person(expert)

    drafts = await asyncio.gather(*(open_draft(someone, now=now) for _ in range(6)))

    assert len({each.pk for each in drafts}) == 1
    assert await Revision.filter(expert_id=expert.viewer.expert_id).count() == 1
    assert await Application.filter(expert_id=expert.viewer.expert_id).count() == 1


async def test_freezing_ends_the_draft(expert: SignedIn, now: datetime) -> None:
    frozen = await frozen_revision(expert, now)

    kept = await Revision.get(id=frozen.pk)
    assert (kept.state, kept.frozen_at, (await person(expert)).draft_id) == (RevisionState.FROZEN, now, None)


async def test_a_copy_holds_everything_under_new_rows_and_the_same_entries(expert: SignedIn, now: datetime) -> None:
    frozen = await frozen_revision(expert, now)

    async with transaction():
        copy = await copy_as_draft(frozen, now=now)

    assert (copy.number, copy.base_id, copy.state, copy.frozen_at, copy.version) == (
        2,
        frozen.pk,
        RevisionState.DRAFT,
        None,
        frozen.version,
    )
    assert (copy.employer, copy.email, copy.address, copy.id_number) == (
        "吉林大学",
        "zhang@example.com",
        "长春市人民大街1号",
        expert.account.id_number,
    )
    assert (await person(expert)).draft_id == copy.pk
    for model in SECTIONS:
        assert len(await contents(copy, model)) == (2 if model.__name__ == "RevisionSpecialty" else 1)
        assert await contents(copy, model) == await contents(frozen, model)


async def test_a_second_draft_cannot_be_opened_beside_the_first(expert: SignedIn, now: datetime) -> None:
    frozen = await frozen_revision(expert, now)
    async with transaction():
        await copy_as_draft(frozen, now=now)
    before = await everything_of(expert.viewer)

    with pytest.raises(IntegrityError, match="one_draft_per_expert"):
        async with transaction():
            await copy_as_draft(frozen, now=now)

    assert await everything_of(expert.viewer) == before


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE revisions SET employer = '别处' WHERE id = $1",
        "UPDATE revisions SET state = 'DRAFT', frozen_at = NULL WHERE id = $1",
        "DELETE FROM revisions WHERE id = $1",
        "UPDATE education SET major = '物理' WHERE revision_id = $1",
        "DELETE FROM education WHERE revision_id = $1",
        "UPDATE title_entries SET certificate_id = NULL, issuer = '别处' WHERE revision_id = $1",
        "DELETE FROM work_entries WHERE revision_id = $1",
        "DELETE FROM qualification_entries WHERE revision_id = $1",
        "DELETE FROM revision_specialties WHERE revision_id = $1",
        "UPDATE avoidance_units SET until = now() WHERE revision_id = $1",
        "DELETE FROM other_materials WHERE revision_id = $1",
        """INSERT INTO work_entries (id, entry_id, position, revision_id, started_on, employer, post, duties)
           SELECT gen_random_uuid(), gen_random_uuid(), 9, $1, now(), '甲', '乙', '丙'""",
    ],
)
async def test_a_frozen_revision_refuses_changes_by_sql_as_well(expert: SignedIn, now: datetime, statement: str) -> None:
    frozen = await frozen_revision(expert, now)
    before = await everything_of(expert.viewer)

    with pytest.raises(IntegrityError, match="is frozen"):
        await execute(statement, frozen.pk)

    assert await everything_of(expert.viewer) == before


async def test_a_row_of_a_frozen_revision_cannot_be_moved_to_a_draft(expert: SignedIn, now: datetime) -> None:
    frozen = await frozen_revision(expert, now)
    async with transaction():
        copy = await copy_as_draft(frozen, now=now)

    with pytest.raises(IntegrityError, match="is frozen"):
        await execute("UPDATE work_entries SET revision_id = $2 WHERE revision_id = $1", frozen.pk, copy.pk)

    assert len(await rows("SELECT FROM work_entries WHERE revision_id = $1", frozen.pk)) == 1


async def test_while_offices_have_the_case_nothing_can_be_edited(expert: SignedIn, now: datetime) -> None:
    await frozen_revision(expert, now)
    for stage in (Stage.FIRST_REVIEW, Stage.SECOND_REVIEW, Stage.FINAL_REVIEW, Stage.PUBLICITY, Stage.OBJECTION):
        await Application.filter(expert_id=expert.viewer.expert_id).update(stage=stage)
        before = await everything_of(expert.viewer)

        with pytest.raises(NotAllowed) as refusal:
            await save_basic_info(BasicInfo(employer="别处"), viewer=expert.viewer, now=now)

        assert refusal.value.code == "CASE_UNDER_REVIEW"
        assert await everything_of(expert.viewer) == before


@pytest.mark.parametrize("standing", [Standing.DISMISSED, Standing.LAPSED, Standing.DEREGISTERED])
async def test_who_has_left_or_was_dismissed_cannot_edit(expert: SignedIn, now: datetime, standing: Standing) -> None:
    await Expert.filter(id=expert.viewer.expert_id).update(standing=standing)
    before = await everything_of(expert.viewer)

    with pytest.raises(NotAllowed) as refusal:
        await save_basic_info(BasicInfo(employer="别处"), viewer=expert.viewer, now=now)

    assert refusal.value.code == "STANDING_ENDED"
    assert await everything_of(expert.viewer) == before


async def test_after_a_closed_case_editing_opens_another_from_the_newest_revision(expert: SignedIn, now: datetime) -> None:
    frozen = await frozen_revision(expert, now)
    await Application.filter(expert_id=expert.viewer.expert_id).update(stage=Stage.REJECTED, closed_at=now)

    draft = await open_draft(await person(expert), now=now)

    open_cases = await Application.filter(expert_id=expert.viewer.expert_id, closed_at=None)
    assert (draft.number, draft.base_id, draft.employer) == (2, frozen.pk, "吉林大学")
    assert [(each.kind, each.stage, each.round) for each in open_cases] == [(CaseKind.ADMISSION, Stage.DRAFT, 0)]


async def test_a_formal_experts_draft_comes_from_the_revision_in_force_and_opens_no_case(expert: SignedIn, now: datetime) -> None:
    effective = await frozen_revision(expert, now)
    async with transaction():
        later = await copy_as_draft(effective, now=now)
        await freeze(later, now=now)
    await Revision.filter(id=effective.pk).update(state=RevisionState.EFFECTIVE)
    await Revision.filter(id=later.pk).update(state=RevisionState.NOT_ADOPTED)
    await Application.filter(expert_id=expert.viewer.expert_id).update(stage=Stage.ADMITTED, closed_at=now)
    await Expert.filter(id=expert.viewer.expert_id).update(standing=Standing.FORMAL, effective_id=effective.pk)

    await save_basic_info(BasicInfo(name="张三丰", employer="长春理工大学"), viewer=expert.viewer, now=now)

    draft = await draft_of(expert.viewer)
    assert (draft.number, draft.base_id, draft.employer) == (3, effective.pk, "长春理工大学")
    assert (await Revision.get(id=effective.pk)).employer == "吉林大学"
    assert not await Application.filter(expert_id=expert.viewer.expert_id, closed_at=None).exists()
    assert (await person(expert)).name == "张三"
    assert [each["name"] for each in await rows("SELECT name FROM accounts WHERE id = $1", expert.viewer.account_id)] == ["张三"]
