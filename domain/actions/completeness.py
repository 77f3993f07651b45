"""The facts of a profile by which it is complete, or what it lacks (rules §3)."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime

from domain.rules import identity
from domain.rules.calendar import SHANGHAI
from domain.rules.completeness import REQUIRED_BASICS, REQUIRED_IMAGES, EntryFacts, ProfileFacts
from domain.rules.profile_input import id_expired
from models.database import rows
from models.enums import RevisionState
from models.profiles import Education, Revision


async def facts_of(revision: Revision, *, now: datetime) -> ProfileFacts:
    """What completeness asks of a revision at an instant; three statements."""
    images = await rows(_IMAGE_PLACES, revision.pk)
    (counts,) = await rows(_COUNTS, revision.pk)
    highest = await Education.filter(revision_id=revision.pk).order_by("position", "id").values_list("is_highest", flat=True)
    entries = {
        section: tuple(EntryFacts(certificate=each["file_id"] is not None) for each in images if each["section"] == section)
        for section in ("education", "titles", "qualifications")
    }
    filled = {name for name in (*REQUIRED_BASICS, "id_valid_until", "home_pool_code") if getattr(revision, name) is not None}
    filled |= {name for name in REQUIRED_IMAGES if getattr(revision, f"{name}_id") is not None}
    return ProfileFacts(
        filled=frozenset(filled),
        submitted=revision.state is not RevisionState.DRAFT,
        id_valid_long_term=revision.id_valid_long_term,
        id_expired=id_expired(revision.id_valid_until, today=now.astimezone(SHANGHAI).date()),
        home_pool_closed=counts["home_pool_closed"],
        specialties=len(counts["specialties_retired"]),
        retired_specialties=tuple(position for position, retired in enumerate(counts["specialties_retired"]) if retired),
        education=tuple(replace(entry, is_highest=bool(mark)) for entry, mark in zip(entries["education"], highest, strict=True)),
        titles=entries["titles"],
        work_entries=counts["work_entries"],
        qualifications=entries["qualifications"],
        other_materials=sum(each["section"] == "otherMaterials" for each in images),
        region_unknown=_region_unknown(revision),
        blurred=tuple(each["path"] for each in images if each["blurred"]),
    )


def _region_unknown(revision: Revision) -> bool:
    if None in (revision.id_number, revision.id_type):
        return False
    known = identity.id_number(revision.id_number, kind=revision.id_type, today=revision.updated_at.astimezone(SHANGHAI).date())
    return "ID_NUMBER_REGION" in known.warnings


def _places(section: str, table: str, column: str, field: str) -> str:
    return (
        f"SELECT '{section}' AS section, '{section}.' || row_number() OVER (ORDER BY position, id) - 1 || '{field}' AS path, "  # noqa: S608  our own names
        f"row_number() OVER (ORDER BY position, id) AS place, {column} AS file_id FROM {table} WHERE revision_id = $1"
    )


_IMAGE_PLACES = " UNION ALL ".join(
    (
        """SELECT 'basicInfo' AS section, 'basicInfo.' || image AS path, place, file_id FROM revisions,
        LATERAL (VALUES ('portrait', 1, portrait_id), ('idFront', 2, id_front_id), ('idBack', 3, id_back_id)) AS v (image, place, file_id)
        WHERE id = $1""",
        _places("education", "education", "certificate_id", ".certificate"),
        _places("titles", "title_entries", "certificate_id", ".certificate"),
        _places("qualifications", "qualification_entries", "certificate_id", ".certificate"),
        _places("otherMaterials", "other_materials", "file_id", ""),
    )
)
_IMAGE_PLACES = (
    "SELECT section, path, file_id, coalesce(f.blurred, FALSE) AS blurred "  # noqa: S608  as above
    f"FROM ({_IMAGE_PLACES}) places LEFT JOIN files f ON f.id = file_id "
    "ORDER BY array_position(ARRAY['basicInfo', 'education', 'titles', 'qualifications', 'otherMaterials'], section), place"
)
_COUNTS = """
SELECT
    NOT EXISTS (
        SELECT FROM divisions d JOIN divisions heir ON heir.code = d.pool_code
        WHERE d.code = r.home_pool_code AND heir.pool_selectable AND NOT heir.retired
    ) AS home_pool_closed,
    (SELECT count(*) FROM work_entries w WHERE w.revision_id = r.id) AS work_entries,
    ARRAY(
        SELECT t.retired FROM revision_specialties s JOIN specialties t ON t.code = s.specialty_code
        WHERE s.revision_id = r.id ORDER BY s.position, s.id
    ) AS specialties_retired
FROM revisions r WHERE r.id = $1
"""
