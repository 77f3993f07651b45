from __future__ import annotations

from datetime import date, datetime

from domain.actions.attachments import attach_file
from domain.actions.completeness import facts_of
from domain.actions.profiles import (
    save_basic_info,
    save_education,
    save_evaluation_info,
    save_qualification,
    save_title,
    save_work_entry,
)
from domain.rules.completeness import REQUIRED_BASICS, REQUIRED_IMAGES, EntryFacts, ProfileFacts, missing, warnings
from domain.rules.identity import check_digit
from domain.rules.profile_input import BasicInfo, EducationInput, EvaluationInfo, QualificationInput, TitleInput, WorkEntryInput
from models.database import execute
from models.enums import EmployerKind, FilePurpose, HealthDeclaration, StudyMode, WorkStatus
from tests.people import registered_expert
from tests.profiles.kept import draft_of, some_image


async def test_a_fresh_draft_holds_what_registration_knew(now: datetime) -> None:
    expert = await registered_expert()
    draft = await save_basic_info(BasicInfo(), viewer=expert.viewer, now=now)

    assert await facts_of(draft, now=now) == ProfileFacts(filled=frozenset({"name", "id_type", "id_number"}), home_pool_closed=True)


async def test_a_profile_filled_in_section_by_section_is_complete(now: datetime) -> None:
    viewer = (await registered_expert()).viewer
    await save_basic_info(
        BasicInfo(
            id_valid_from=date(2015, 6, 1),
            id_valid_long_term=True,
            ethnic_group="01",
            political_affiliation="13",
            health=HealthDeclaration.GOOD,
            residence_code="220102",
            address="吉林省长春市南关区人民大街1号",
            employer="吉林大学",
            employer_kind=EmployerKind.INSTITUTION,
            work_status=WorkStatus.EMPLOYED,
            working_since=date(1998, 7, 1),
            years_in_field=25,
        ),
        viewer=viewer,
        now=now,
    )
    await save_evaluation_info(EvaluationInfo(home_pool_code="220199", specialties=["A01010000"]), viewer=viewer, now=now)
    education = await save_education(
        EducationInput(
            school="吉林大学",
            started_on=date(1994, 9, 1),
            ended_on=date(1998, 7, 1),
            major="数学",
            level="21",
            mode=StudyMode.FULL_TIME,
            is_highest=True,
        ),
        viewer=viewer,
        now=now,
    )
    title = await save_title(
        TitleInput(title_code="T01011", certificate_number="1", obtained_on=date(2005, 12, 1), issuer="人社厅"), viewer=viewer, now=now
    )
    await save_work_entry(
        WorkEntryInput(started_on=date(1998, 7, 1), employer="吉林大学", post="讲师", duties="教学"), viewer=viewer, now=now
    )
    places = [
        (FilePurpose.PORTRAIT, None),
        (FilePurpose.ID_FRONT, None),
        (FilePurpose.ID_BACK, None),
        (FilePurpose.EDUCATION, education.pk),
        (FilePurpose.TITLE, title.pk),
        (FilePurpose.OTHER, None),
    ]
    for purpose, entry in places:
        image = await some_image(viewer, purpose, blurred=purpose in (FilePurpose.ID_BACK, FilePurpose.TITLE))
        await attach_file(image.pk, entry=entry, viewer=viewer, now=now)

    facts = await facts_of(await draft_of(viewer), now=now)

    assert facts == ProfileFacts(
        filled=frozenset((*REQUIRED_BASICS, *REQUIRED_IMAGES, "home_pool_code")),
        id_valid_long_term=True,
        specialties=1,
        education=(EntryFacts(certificate=True, is_highest=True),),
        titles=(EntryFacts(certificate=True),),
        work_entries=1,
        other_materials=1,
        blurred=("basicInfo.idBack", "titles.0.certificate"),
    )
    assert missing(facts, application_form_required=True) == []


async def test_entries_stand_in_their_order(now: datetime) -> None:
    viewer = (await registered_expert()).viewer
    given = QualificationInput(qualification_code="Q101", certificate_number="1", obtained_on=date(2001, 6, 1), issuer="教育部")
    for _ in range(2):
        await save_qualification(given, viewer=viewer, now=now)
    last = await save_qualification(given, viewer=viewer, now=now)
    image = await some_image(viewer, FilePurpose.QUALIFICATION, blurred=True)
    await attach_file(image.pk, entry=last.pk, viewer=viewer, now=now)

    facts = await facts_of(await draft_of(viewer), now=now)

    assert facts.qualifications == (EntryFacts(), EntryFacts(), EntryFacts(certificate=True))
    assert facts.blurred == ("qualifications.2.certificate",)


async def test_a_pool_that_closed_and_a_specialty_that_was_retired_are_told(now: datetime) -> None:
    viewer = (await registered_expert()).viewer
    await save_evaluation_info(EvaluationInfo(home_pool_code="220221", specialties=["A02040000", "A02050000"]), viewer=viewer, now=now)
    await execute("UPDATE divisions SET retired = TRUE WHERE code = '220221'")
    await execute("UPDATE specialties SET retired = TRUE WHERE code = 'A02050000'")

    lacking = missing(await facts_of(await draft_of(viewer), now=now), application_form_required=True)

    assert [(each.path, each.code) for each in lacking if each.path.startswith("evaluationInfo")] == [
        ("evaluationInfo.homePoolCode", "POOL_NOT_SELECTABLE"),
        ("evaluationInfo.specialties.1", "CODE_RETIRED"),
    ]


async def test_an_unknown_region_in_the_id_number_warns(now: datetime) -> None:
    viewer = (await registered_expert()).viewer
    body = "77010119750312001"
    await save_basic_info(BasicInfo(id_number=body + check_digit(body)), viewer=viewer, now=now)

    found = warnings(await facts_of(await draft_of(viewer), now=now))

    assert [(each.path, each.code) for each in found] == [("basicInfo.idNumber", "ID_NUMBER_REGION")]
