from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from domain.rules.completeness import REQUIRED_BASICS, REQUIRED_IMAGES, EntryFacts, ProfileFacts, missing, warnings

COMPLETE = ProfileFacts(
    filled=frozenset((*REQUIRED_BASICS, *REQUIRED_IMAGES, "id_valid_until", "home_pool_code")),
    specialties=1,
    education=[EntryFacts(certificate=True, is_highest=True)],
    titles=[EntryFacts(certificate=True)],
    work_entries=1,
    other_materials=1,
)


def lacking(profile: ProfileFacts, *, application_form_required: bool = True) -> list[tuple[str, str]]:
    return [(each.path, each.code) for each in missing(profile, application_form_required=application_form_required)]


def test_a_complete_profile_lacks_nothing() -> None:
    assert lacking(COMPLETE) == []


def test_an_empty_profile_lacks_everything_in_the_order_of_the_form() -> None:
    assert lacking(ProfileFacts()) == [
        ("basicInfo.name", "REQUIRED"),
        ("basicInfo.idType", "REQUIRED"),
        ("basicInfo.idNumber", "REQUIRED"),
        ("basicInfo.idValidFrom", "REQUIRED"),
        ("basicInfo.ethnicGroup", "REQUIRED"),
        ("basicInfo.politicalAffiliation", "REQUIRED"),
        ("basicInfo.health", "REQUIRED"),
        ("basicInfo.residenceCode", "REQUIRED"),
        ("basicInfo.address", "REQUIRED"),
        ("basicInfo.employer", "REQUIRED"),
        ("basicInfo.employerKind", "REQUIRED"),
        ("basicInfo.workStatus", "REQUIRED"),
        ("basicInfo.workingSince", "REQUIRED"),
        ("basicInfo.yearsInField", "REQUIRED"),
        ("basicInfo.idValidUntil", "REQUIRED"),
        ("basicInfo.portrait", "IMAGE_REQUIRED"),
        ("basicInfo.idFront", "IMAGE_REQUIRED"),
        ("basicInfo.idBack", "IMAGE_REQUIRED"),
        ("evaluationInfo.homePoolCode", "REQUIRED"),
        ("evaluationInfo.specialties", "SPECIALTY_REQUIRED"),
        ("education", "EDUCATION_REQUIRED"),
        ("titles", "TITLE_OR_QUALIFICATION_REQUIRED"),
        ("workHistory", "WORK_ENTRY_REQUIRED"),
        ("otherMaterials", "APPLICATION_FORM_REQUIRED"),
    ]


@pytest.mark.parametrize("name", sorted(COMPLETE.filled))
def test_each_single_gap_is_found(name: str) -> None:
    assert len(lacking(replace(COMPLETE, filled=COMPLETE.filled - {name}))) == 1


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"id_valid_long_term": True, "filled": COMPLETE.filled - {"id_valid_until"}}, []),
        ({"id_expired": True}, [("basicInfo.idValidUntil", "ID_EXPIRED")]),
        ({"id_expired": True, "submitted": True}, []),
        ({"id_expired": True, "filled": COMPLETE.filled - {"id_valid_until"}}, [("basicInfo.idValidUntil", "REQUIRED")]),
        ({"home_pool_closed": True}, [("evaluationInfo.homePoolCode", "POOL_NOT_SELECTABLE")]),
        ({"specialties": 3, "retired_specialties": [1]}, [("evaluationInfo.specialties.1", "CODE_RETIRED")]),
        ({"education": [EntryFacts(certificate=True)]}, [("education", "HIGHEST_EDUCATION_REQUIRED")]),
        (
            {"education": [EntryFacts(certificate=True, is_highest=True), EntryFacts()]},
            [("education.1.certificate", "IMAGE_REQUIRED")],
        ),
        ({"titles": [EntryFacts()]}, [("titles.0.certificate", "IMAGE_REQUIRED")]),
        ({"titles": [], "qualifications": [EntryFacts(certificate=True)]}, []),
        ({"titles": [], "qualifications": [EntryFacts()]}, [("qualifications.0.certificate", "IMAGE_REQUIRED")]),
        ({"qualifications": [EntryFacts(certificate=True), EntryFacts()]}, [("qualifications.1.certificate", "IMAGE_REQUIRED")]),
        ({"other_materials": 0}, [("otherMaterials", "APPLICATION_FORM_REQUIRED")]),
    ],
)
def test_rules_beyond_single_fields(change: dict[str, Any], expected: list[tuple[str, str]]) -> None:
    assert lacking(replace(COMPLETE, **change)) == expected


def test_the_application_form_is_required_by_setting_alone() -> None:
    assert lacking(replace(COMPLETE, other_materials=0), application_form_required=False) == []


def test_an_unknown_region_and_blurred_images_only_warn() -> None:
    profile = replace(COMPLETE, region_unknown=True, blurred=["basicInfo.idFront", "titles.0.certificate"])

    assert [(each.path, each.code) for each in warnings(profile)] == [
        ("basicInfo.idNumber", "ID_NUMBER_REGION"),
        ("basicInfo.idFront", "IMAGE_BLURRED"),
        ("titles.0.certificate", "IMAGE_BLURRED"),
    ]
    assert lacking(profile) == []
    assert warnings(COMPLETE) == []


def test_a_paper_that_expired_is_lacking_before_the_submission_and_a_warning_after_it() -> None:
    draft = replace(COMPLETE, id_expired=True)
    submitted = replace(draft, submitted=True, region_unknown=True, blurred=["basicInfo.idFront"])

    assert (lacking(draft), warnings(draft)) == ([("basicInfo.idValidUntil", "ID_EXPIRED")], [])
    assert lacking(submitted) == []
    assert [each.code for each in warnings(submitted)] == ["ID_NUMBER_REGION", "ID_EXPIRED_SINCE", "IMAGE_BLURRED"]
