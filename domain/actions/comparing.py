"""Which revision a later one changes, and what differs between them (rules §4)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

from tortoise.models import Model

from domain.rules.difference import SHOWN_BEFORE, Difference, Names, Snapshot, codes_in, compare
from models.database import rows
from models.profiles import AvoidanceUnit, Education, OtherMaterial, QualificationEntry, Revision, RevisionSpecialty, TitleEntry, WorkEntry

_SECTIONS: Mapping[str, type[Model]] = {
    "evaluationInfo.specialties": RevisionSpecialty,
    "evaluationInfo.avoidanceUnits": AvoidanceUnit,
    "education": Education,
    "titles": TitleEntry,
    "workHistory": WorkEntry,
    "qualifications": QualificationEntry,
    "otherMaterials": OtherMaterial,
}

# A returned or withdrawn revision is copied too, so that the one in force may lie several copies back.
_BASE = """
WITH RECURSIVE chain AS (
    SELECT id, base_id, state, 0 AS step FROM revisions WHERE id = $1
    UNION ALL
    SELECT r.id, r.base_id, r.state, step + 1 FROM revisions r JOIN chain c ON r.id = c.base_id
    WHERE c.step = 0 OR c.state NOT IN ('EFFECTIVE', 'SUPERSEDED')
)
SELECT id FROM chain WHERE step > 0 AND state IN ('EFFECTIVE', 'SUPERSEDED') ORDER BY step LIMIT 1
"""

_NAMED = {"TITLE": "titles", "QUALIFICATION": "qualifications", "SPECIALTY": "specialties", "DIVISION": "divisions"}
_NAMES = " UNION ALL ".join(
    [
        "SELECT id AS key, name FROM codes WHERE id = ANY($1::text[])",
        *(
            f"SELECT '{kind}:' || code, name FROM {table} WHERE code = ANY("  # noqa: S608  our own names
            f"ARRAY(SELECT split_part(key, ':', 2) FROM unnest($1::text[]) key WHERE starts_with(key, '{kind}:')))"
            for kind, table in _NAMED.items()
        ),
    ]
)


_ENTRY = " ".join(
    f"WHEN '{name}' THEN (ARRAY(SELECT e.entry_id FROM {model._meta.db_table} e "  # noqa: S608  our own names
    f"WHERE e.revision_id = {{t}}.revision_id ORDER BY e.position, e.id))[found[2]::int + {1 - SHOWN_BEFORE.get(name, 0)}]"
    for name, model in _SECTIONS.items()
)
REASONS = f"""SELECT reason.told ->> 'path' AS path, reason.told ->> 'text' AS text, CASE found[1] {_ENTRY} END::text AS entry_id
FROM jsonb_array_elements({{t}}.field_reasons) WITH ORDINALITY AS reason(told, place),
    regexp_match(reason.told ->> 'path', '^([A-Za-z.]+)[.]([0-9]{{1,2}})([.]|$)') AS found
ORDER BY reason.place"""  # noqa: S608  likewise
"""SQL of the reasons of a return, over its record `{t}`: each with the `entry_id` of what its path names in the record's revision."""

_LENGTHS = ", ".join(
    f'(SELECT count(*) FROM {model._meta.db_table} WHERE revision_id = $1) + {SHOWN_BEFORE.get(name, 0)} AS "{name}"'  # noqa: S608  likewise
    for name, model in _SECTIONS.items()
)


async def reasons_of(record_id: UUID) -> Sequence[Mapping[str, Any]]:
    """`REASONS` of one record: path, text, entry_id."""
    sql = f"SELECT told.* FROM application_records t, LATERAL ({REASONS}) told WHERE t.id = $1"  # noqa: S608  our own names
    return await rows(sql.replace("{t}", "t"), record_id)


async def lengths_of(revision_id: UUID) -> Mapping[str, int]:
    """How many entries each section of a revision shows."""
    found: Mapping[str, int] = (await rows(f"SELECT {_LENGTHS}", revision_id))[0]
    return found


async def base_of(revision_id: UUID) -> UUID | None:
    """The revision in force from which this one was begun; None for a first admission. It stays the same when another takes effect."""
    found = await rows(_BASE, revision_id)
    return found[0]["id"] if found else None


async def difference_of(revision_id: UUID, base_id: UUID) -> Difference:
    """What the revision changes in its base. It holds personal data in clear: show them to their owner alone."""
    before, after = (await snapshots(base_id, revision_id)).values()
    return compare(before, after, await names_in(before, after))


async def names_in(*compared: Snapshot) -> Names:
    """The names of all codes in some revisions."""
    codes = sorted(codes_in(*compared))
    return {each["key"]: each["name"] for each in await rows(_NAMES, codes)} if codes else {}


async def snapshots(*revision_ids: UUID) -> dict[UUID, Snapshot]:
    """What revisions hold, personal data in clear."""
    own = {each.id: _columns(each) for each in await Revision.filter(id__in=revision_ids)}
    sections: dict[UUID, dict[str, list[dict[str, Any]]]] = {each: {name: [] for name in _SECTIONS} for each in revision_ids}
    for name, model in _SECTIONS.items():
        for row in await model.filter(revision_id__in=revision_ids).order_by("position", "id"):
            columns = _columns(row)
            sections[columns["revision_id"]][name].append(columns)
    return {each: Snapshot(own=own[each], sections=sections[each]) for each in revision_ids}


def _columns(row: Model) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row._meta.db_fields}
