"""What a profile still lacks for submission, and what its owner should look at again (rules §3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from domain.rules.errors import FieldProblem
from domain.rules.profile_input import path_of

REQUIRED_BASICS = (
    "name",
    "id_type",
    "id_number",
    "id_valid_from",
    "ethnic_group",
    "political_affiliation",
    "health",
    "residence_code",
    "address",
    "employer",
    "employer_kind",
    "work_status",
    "working_since",
    "years_in_field",
)
"""Columns of a revision that submission requires; the images and the end of the paper's validity stand beside them."""
REQUIRED_IMAGES = ("portrait", "id_front", "id_back")
LAPSES = frozenset({"ID_EXPIRED", "CODE_RETIRED"})
"""Codes of what a profile that was complete comes to lack by time alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryFacts:
    """An entry of a section: whether the image of its certificate is attached."""

    certificate: bool = False
    is_highest: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileFacts:
    """What completeness asks of a revision. `filled` names its columns and images that hold something.

    `submitted` says that it is no draft; `id_expired` that today lies behind the last day of its identity paper. `retired_specialties` are
    positions of specialties that can no longer be chosen; `blurred` are paths of images. A title or qualification stays what it is when its
    code is retired.
    """

    filled: frozenset[str] = frozenset()
    submitted: bool = False
    id_valid_long_term: bool = False
    id_expired: bool = False
    home_pool_closed: bool = False
    specialties: int = 0
    retired_specialties: Sequence[int] = ()
    education: Sequence[EntryFacts] = ()
    titles: Sequence[EntryFacts] = ()
    work_entries: int = 0
    qualifications: Sequence[EntryFacts] = ()
    other_materials: int = 0
    region_unknown: bool = False
    blurred: Sequence[str] = ()


def missing(profile: ProfileFacts, *, application_form_required: bool) -> list[FieldProblem]:
    """Everything that submission requires and the profile lacks, in the order of the form; empty when it is complete.

    A paper that was valid on the day of submission lacks nothing afterwards: that it has expired since is a warning.
    Paths are those of the `Profile` type: `basicInfo.portrait`, `education`, `titles.0.certificate`.
    """
    return [
        *_basic_info(profile),
        *_evaluation_info(profile),
        *_education(profile),
        *_titles(profile),
        *_work_history(profile),
        *_certificates("qualifications", profile.qualifications),
        *_other_materials(profile, application_form_required),
    ]


def warnings(profile: ProfileFacts) -> list[FieldProblem]:
    """What hinders nothing and should be looked at again: an unknown region in the id number, a paper expired since, blurred images."""
    region = [FieldProblem("basicInfo.idNumber", "ID_NUMBER_REGION")] if profile.region_unknown else []
    expired = [FieldProblem("basicInfo.idValidUntil", "ID_EXPIRED_SINCE")] if profile.submitted and profile.id_expired else []
    return region + expired + [FieldProblem(path, "IMAGE_BLURRED") for path in profile.blurred]


def _basic_info(profile: ProfileFacts) -> Iterator[FieldProblem]:
    for name in REQUIRED_BASICS:
        if name not in profile.filled:
            yield FieldProblem(f"basicInfo.{path_of(name)}", "REQUIRED")
    if "id_valid_until" not in profile.filled and not profile.id_valid_long_term:
        yield FieldProblem("basicInfo.idValidUntil", "REQUIRED")
    elif profile.id_expired and not profile.submitted:
        yield FieldProblem("basicInfo.idValidUntil", "ID_EXPIRED")
    for name in REQUIRED_IMAGES:
        if name not in profile.filled:
            yield FieldProblem(f"basicInfo.{path_of(name)}", "IMAGE_REQUIRED")


def _evaluation_info(profile: ProfileFacts) -> Iterator[FieldProblem]:
    if "home_pool_code" not in profile.filled:
        yield FieldProblem("evaluationInfo.homePoolCode", "REQUIRED")
    elif profile.home_pool_closed:
        yield FieldProblem("evaluationInfo.homePoolCode", "POOL_NOT_SELECTABLE")
    if profile.specialties == 0:
        yield FieldProblem("evaluationInfo.specialties", "SPECIALTY_REQUIRED")
    for position in profile.retired_specialties:
        yield FieldProblem(f"evaluationInfo.specialties.{position}", "CODE_RETIRED")


def _education(profile: ProfileFacts) -> Iterator[FieldProblem]:
    if not profile.education:
        yield FieldProblem("education", "EDUCATION_REQUIRED")
    elif not any(each.is_highest for each in profile.education):
        yield FieldProblem("education", "HIGHEST_EDUCATION_REQUIRED")
    yield from _certificates("education", profile.education)


def _titles(profile: ProfileFacts) -> Iterator[FieldProblem]:
    # Who has no title puts a professional qualification in its place.
    if not profile.titles and not profile.qualifications:
        yield FieldProblem("titles", "TITLE_OR_QUALIFICATION_REQUIRED")
    yield from _certificates("titles", profile.titles)


def _work_history(profile: ProfileFacts) -> Iterator[FieldProblem]:
    if profile.work_entries == 0:
        yield FieldProblem("workHistory", "WORK_ENTRY_REQUIRED")


def _certificates(section: str, entries: Sequence[EntryFacts]) -> Iterator[FieldProblem]:
    for position, entry in enumerate(entries):
        if not entry.certificate:
            yield FieldProblem(f"{section}.{position}.certificate", "IMAGE_REQUIRED")


def _other_materials(profile: ProfileFacts, application_form_required: bool) -> Iterator[FieldProblem]:
    if application_form_required and profile.other_materials == 0:
        yield FieldProblem("otherMaterials", "APPLICATION_FORM_REQUIRED")
