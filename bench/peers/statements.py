"""Writes statements.json: what the loaders of the peers ask PostgreSQL, the same for all of them."""

from __future__ import annotations

import json
from pathlib import Path


def instant(column: str) -> str:
    return f"""to_char({column} AT TIME ZONE 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"+00:00"')"""


def fields(names: str, *, ids: str = "", instants: str = "", dates: str = "") -> str:
    """Columns under their GraphQL names."""
    found = [f"'{ids}_' || id AS id"] if ids else []
    found += [f'{name} AS "{camel(name)}"' for name in names.split()]
    found += [f'{instant(name)} AS "{camel(name)}"' for name in instants.split()]
    found += [f'{name}::text AS "{camel(name)}"' for name in dates.split()]
    return ", ".join(found)


def camel(name: str) -> str:
    first, *rest = name.split("_")
    return first + "".join(each.title() for each in rest)


APPLICATION = (
    fields("kind stage round applicant employer pool_code revision_id", ids="Application", instants="submitted_at stage_since due_at")
    + ", id AS key, coalesce(due_at < registry_now(), FALSE) AS overdue"
)
VISIBLE = "round > 0 AND ($%d::text IS NULL OR pool_code = $%d)"
ENTRIES = {
    "Education": ("education", "school major level mode degree certificate_number is_highest certificate_id", "started_on ended_on"),
    "TitleEntry": ("title_entries", "title_code certificate_number issuer certificate_id", "obtained_on"),
    "WorkEntry": ("work_entries", "employer post duties", "started_on ended_on"),
    "QualificationEntry": (
        "qualification_entries", "qualification_code certificate_number issuer certificate_id", "obtained_on valid_until",
    ),
    "ChosenSpecialty": ("revision_specialties", "specialty_code AS code", ""),
    "OtherMaterial": ("other_materials", "file_id", ""),
}  # fmt: skip

STATEMENTS = {
    "session": """SELECT a.id AS account, a.role, a.pool_code AS pool FROM sessions s JOIN accounts a ON a.id = s.account_id
        WHERE s.token_hash = $1 AND a.status = 'ACTIVE' AND s.ended_at IS NULL AND s.expires_at > registry_now()
          AND (a.role = 'EXPERT' OR s.used_at > registry_now() - interval '30 minutes')""",
    "application": f"SELECT {APPLICATION} FROM applications WHERE id = $1 AND {VISIBLE % (2, 2)}",
    "applications": f"""SELECT {APPLICATION}, (extract(epoch FROM stage_since) * 1000000)::bigint || '~' || id AS cursor FROM applications
        WHERE stage IN ('SECOND_REVIEW', 'FINAL_REVIEW', 'OBJECTION') AND {VISIBLE % (2, 2)}
        ORDER BY stage_since, applications.id LIMIT $1""",
    "applicationsCount": f"""SELECT count(*)::int AS n FROM (SELECT FROM applications
        WHERE stage IN ('SECOND_REVIEW', 'FINAL_REVIEW', 'OBJECTION') AND {VISIBLE % (1, 1)} LIMIT 1000) c""",
    "publicNotices": f"""SELECT {fields("name employer pool_code tentative", ids="PublicNotice", instants="opened_at closes_at",
        dates="first_day last_day")}, id AS key, (extract(epoch FROM closes_at) * 1000000)::bigint || '~' || id AS cursor
        FROM public_notices WHERE state = 'OPEN' AND closes_at > registry_now() ORDER BY closes_at, public_notices.id LIMIT $1""",
    "publicNoticesCount": """SELECT count(*)::int AS n FROM (SELECT FROM public_notices
        WHERE state = 'OPEN' AND closes_at > registry_now() LIMIT 1000) c""",
    # Loaders: $1 holds the keys, `k` tells whose each row is
    "Profile": f"""SELECT id AS k, id AS key, {fields("number state name former_name id_type id_number_masked id_valid_long_term sex "
        "ethnic_group political_affiliation health portrait_id id_front_id id_back_id second_phone_masked email_masked residence_code "
        "address_masked postcode employer employer_credit_code employer_kind department post work_status years_in_field source "
        "home_pool_code", ids="Profile", instants="frozen_at", dates="id_valid_from id_valid_until birth_date working_since")}
        FROM revisions WHERE id = ANY($1) AND state <> 'DRAFT' AND ($2::text IS NULL OR home_pool_code = $2)""",
    "Division": "SELECT code AS k, code, name FROM divisions WHERE code = ANY($1)",
    "Specialty": """SELECT code AS k, code, name, parent_code AS "parentCode" FROM specialties WHERE code = ANY($1)""",
    "Title": "SELECT code AS k, name, series, rank FROM titles WHERE code = ANY($1)",
    "Qualification": "SELECT code AS k, name FROM qualifications WHERE code = ANY($1)",
    "Code": "SELECT id AS k, name FROM codes WHERE id = ANY($1)",
    "File": f"SELECT id AS k, {fields('media_type width height', ids='File')} FROM files WHERE id = ANY($1)",
    "records": f"""SELECT application_id AS k, {fields("number move from_stage to_stage actor_name opinion", instants="at")}
        FROM application_records WHERE application_id = ANY($1) ORDER BY application_records.number""",
    "noticeSpecialties": """SELECT notice_id AS k, specialty_code AS code FROM notice_specialties
        WHERE notice_id = ANY($1) ORDER BY position, id""",
    "AvoidanceUnit": """SELECT revision_id AS k, name, credit_code AS "creditCode", relation, until::text, TRUE AS declared
        FROM avoidance_units WHERE revision_id = ANY($1) ORDER BY position, id""",
    # Approving: lock and read, facts, write, announce, read again
    "approveLock": """SELECT *, claimed_until > registry_now() AS held, registry_now() AS now
        FROM applications WHERE id = $1 AND round > 0 FOR UPDATE""",
    "approveFacts": """SELECT o.name, o.role,
            o.phone_hash = a.phone_hash OR o.id_number_hash IN (a.id_number_hash, r.id_number_hash) AS own,
            EXISTS (SELECT FROM application_records WHERE application_id = $1 AND actor_id = $2 AND from_stage = 'FINAL_REVIEW') AS decided,
            (SELECT array_agg((date, kind)::text) FROM calendar_days) AS due
        FROM accounts o, experts e JOIN accounts a ON a.id = e.account_id, revisions r WHERE o.id = $2 AND e.id = $3 AND r.id = $4""",
    "approveWrite": """WITH moved AS (UPDATE applications
            SET stage = 'FINAL_REVIEW', stage_since = $2::timestamptz, due_at = $2::timestamptz + interval '7 days', claimed_by_id = NULL,
                claimed_by_name = NULL, claimed_until = NULL, records_count = records_count + 1, last_hash = $3 WHERE id = $1)
        INSERT INTO application_records (id, application_id, number, round, at, actor_id, actor_name, actor_role, move, from_stage,
            to_stage, revision_id, opinion, field_reasons, previous_hash, hash)
        VALUES ($4, $1, $5, $6, $2, $7, $8, $9, 'APPROVE', 'SECOND_REVIEW', 'FINAL_REVIEW', $10, $11, '[]', $12, $3)""",
    "announce": "SELECT pg_notify('registry_events', $1)",
    "approved": "SELECT 'Application_' || id AS id, stage, round FROM applications WHERE id = $1 AND round > 0",
} | {
    kind: f"""SELECT revision_id AS k, {fields(columns.replace("specialty_code AS code", "specialty_code"), ids=kind, dates=dates)
        .replace('AS "specialtyCode"', 'AS code')} FROM {table} WHERE revision_id = ANY($1) ORDER BY position, {table}.id"""
    for kind, (table, columns, dates) in ENTRIES.items()
}  # fmt: skip

if __name__ == "__main__":
    path = Path(__file__).with_name("statements.json")
    path.write_text(json.dumps(STATEMENTS, indent=1) + "\n")
