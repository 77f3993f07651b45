"""The facts of the eligibility report, and which specialties are scarce (rules §5)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from domain.actions.promises import announce
from domain.rules.calendar import SHANGHAI
from domain.rules.eligibility import BadRecord, Facts, HeldQualification, HeldTitle, Limits, Report, report
from domain.rules.errors import FieldProblem, InvalidInput, NotAllowed
from domain.rules.viewer import Viewer
from models.database import rows, transaction
from models.enums import Role, StandingChange
from models.profiles import Revision
from models.reference import Specialty
from settings import settings


async def report_of(revision: Revision, *, now: datetime) -> Report:
    """What was said on the day of submission, for good; of a draft, what would be said today.

    A revision that was submitted before reports were kept is looked at as of its own day.
    """
    kept: dict[str, Any] | None = revision.eligibility
    if kept is not None:
        return Report.of(kept)
    return await assess(revision, now=revision.frozen_at or now)


async def assess(revision: Revision, *, now: datetime) -> Report:
    """The report on a revision as of an instant; one statement."""
    (found,) = await rows(_FACTS, revision.pk, now)
    chosen = settings()
    facts = Facts(
        day=now.astimezone(SHANGHAI).date(),
        birth_date=revision.birth_date,
        titles=[HeldTitle(*each) for each in found["titles"]],
        qualifications=[HeldQualification(*each) for each in found["qualifications"]],
        years_in_field=revision.years_in_field,
        records=[BadRecord(StandingChange(change), *days) for change, *days in found["records"]],
        scarce=found["scarce"],
    )
    limits = Limits(age=chosen.expert_age_limit, middle_title_years=chosen.middle_title_years, record_years=chosen.record_years)
    return report(facts, limits)


async def set_scarce(code: str, scarce: bool, *, viewer: Viewer) -> Specialty:
    """Mark a specialty, with all below it, as one with few experts, or take the mark away; for administrators. A repeat changes nothing.

    Reports that were given keep what they said. Raises NotAllowed, and InvalidInput for what is no specialty.
    """
    if viewer.role is not Role.ADMINISTRATOR:
        raise NotAllowed
    async with transaction():
        found = await Specialty.select_for_update().get_or_none(code=code)
        if found is None:
            raise InvalidInput([FieldProblem("specialtyCode", "CODE_UNKNOWN")])
        if found.scarce != scarce:
            found.scarce = scarce
            await found.save(update_fields=["scarce"])
            await announce("referenceChanged")
    return found


_FACTS = """
WITH person AS (
    SELECT ARRAY[a.id_number_hash, r.id_number_hash] AS hashes
    FROM revisions r JOIN experts x ON x.id = r.expert_id JOIN accounts a ON a.id = x.account_id WHERE r.id = $1
), changes AS (
    SELECT s.* FROM person p JOIN accounts a ON a.id_number_hash = ANY (p.hashes) JOIN experts x ON x.account_id = a.id
    JOIN standing_records s ON s.expert_id = x.id WHERE s.at <= $2
), bad AS (
    SELECT 'DISMISS' AS change, (at AT TIME ZONE 'Asia/Shanghai')::date AS day, NULL::date AS until FROM changes WHERE change = 'DISMISS'
    UNION  -- the bar outlives what is erased
    SELECT 'DISMISS', (b.since AT TIME ZONE 'Asia/Shanghai')::date, NULL::date
    FROM person p JOIN bars b ON b.id_number_hash = ANY (p.hashes) WHERE b.since <= $2
    UNION
    SELECT 'SUSPEND', (s.at AT TIME ZONE 'Asia/Shanghai')::date, least(s.until, (
        SELECT (min(e.at) AT TIME ZONE 'Asia/Shanghai')::date FROM changes e
        WHERE e.expert_id = s.expert_id AND e.change = 'REINSTATE' AND e.at > s.at))
    FROM changes s WHERE s.change = 'SUSPEND'
)
SELECT
    ARRAY(SELECT t FROM (
        SELECT t.name, t.rank FROM title_entries e JOIN titles t ON t.code = e.title_code
        WHERE e.revision_id = $1 ORDER BY e.position, e.id) t) AS titles,
    ARRAY(SELECT q FROM (
        SELECT q.name, e.valid_until FROM qualification_entries e JOIN qualifications q ON q.code = e.qualification_code
        WHERE e.revision_id = $1 ORDER BY e.position, e.id) q) AS qualifications,
    ARRAY(SELECT b FROM (SELECT * FROM bad ORDER BY day, change) b) AS records,
    ARRAY(
        SELECT c.name FROM revision_specialties s JOIN specialties c ON c.code = s.specialty_code
        LEFT JOIN specialties p ON p.code = c.parent_code LEFT JOIN specialties g ON g.code = p.parent_code
        WHERE s.revision_id = $1 AND (c.scarce OR p.scarce OR g.scarce) ORDER BY s.position, s.id
    ) AS scarce
"""
