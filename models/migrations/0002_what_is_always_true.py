"""Constraints named as sentences, append-only and frozen rows, and the registry's clock."""

from __future__ import annotations

from tortoise import migrations
from tortoise.migrations import operations as ops

_REVIEWS = "('FIRST_REVIEW', 'SECOND_REVIEW', 'FINAL_REVIEW')"
_CLOSED = "('ADMITTED', 'APPLIED', 'REJECTED', 'WITHDRAWN', 'CANCELLED')"
_SECTIONS = (
    "education",
    "title_entries",
    "work_entries",
    "qualification_entries",
    "revision_specialties",
    "avoidance_units",
    "other_materials",
)
_IMAGES = (
    ("revisions", "portrait_id"),
    ("revisions", "id_front_id"),
    ("revisions", "id_back_id"),
    ("education", "certificate_id"),
    ("title_entries", "certificate_id"),
    ("qualification_entries", "certificate_id"),
    ("other_materials", "file_id"),
)


def _unique(name: str, table: str, columns: str, where: str) -> ops.RunSQL:
    return ops.RunSQL(f"CREATE UNIQUE INDEX IF NOT EXISTS {name} ON {table} ({columns}) WHERE {where}", f"DROP INDEX IF EXISTS {name}")


def _index(name: str, table: str, column: str) -> ops.RunSQL:
    return ops.RunSQL(
        f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({column}) WHERE {column} IS NOT NULL",
        f"DROP INDEX IF EXISTS {name}",
    )


def _order(name: str, table: str, columns: str, where: str) -> ops.RunSQL:
    return ops.RunSQL(f"CREATE INDEX IF NOT EXISTS {name} ON {table} ({columns}) WHERE {where}", f"DROP INDEX IF EXISTS {name}")


def _search(name: str, table: str, first: str, second: str, where: str) -> ops.RunSQL:
    words = f"bigrams(coalesce({first}, '') || ' ' || coalesce({second}, ''))"
    return ops.RunSQL(f"CREATE INDEX IF NOT EXISTS {name} ON {table} USING gin ({words}) WHERE {where}", f"DROP INDEX IF EXISTS {name}")


def _check(name: str, table: str, condition: str) -> ops.RunSQL:
    return ops.RunSQL(
        f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}; ALTER TABLE {table} ADD CONSTRAINT {name} CHECK ({condition})",
        f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {name}",
    )


def _trigger(name: str, table: str, event: str, function: str) -> ops.RunSQL:
    return ops.RunSQL(
        f"CREATE OR REPLACE TRIGGER {name} BEFORE {event} ON {table} FOR EACH ROW EXECUTE FUNCTION {function}()",
        f"DROP TRIGGER IF EXISTS {name} ON {table}",
    )


class Migration(migrations.Migration):
    dependencies = [("models", "0001_tables")]

    operations = [
        ops.RunSQL("CREATE EXTENSION IF NOT EXISTS btree_gist", ""),
        # The clock of everything that is due; statement time, so that waiting for a lock does not stop it.
        ops.RunSQL(
            """CREATE OR REPLACE FUNCTION registry_now() RETURNS timestamptz LANGUAGE sql STABLE AS $$
                SELECT statement_timestamp() + make_interval(secs => coalesce((SELECT offset_seconds FROM development_clock LIMIT 1), 0))
            $$""",
            "DROP FUNCTION registry_now()",
        ),
        ops.RunSQL("CREATE SEQUENCE IF NOT EXISTS expert_numbers", "DROP SEQUENCE IF EXISTS expert_numbers"),
        # Accounts
        _unique("one_live_account_per_phone", "accounts", "phone_hash", "status <> 'DEREGISTERED'"),
        _unique("one_live_account_per_id_number", "accounts", "id_number_hash", "status <> 'DEREGISTERED'"),
        _check("a_local_officer_has_a_pool", "accounts", "(role = 'LOCAL_OFFICER') = (pool_code IS NOT NULL)"),
        _unique("a_session_token_is_unique", "sessions", "token_hash", "true"),
        _unique("one_live_code_per_phone_and_purpose", "phone_codes", "phone_hash, purpose", "used_at IS NULL AND superseded_at IS NULL"),
        # Profiles
        _unique("one_draft_per_expert", "revisions", "expert_id", "state = 'DRAFT'"),
        _unique("one_effective_revision_per_expert", "revisions", "expert_id", "state = 'EFFECTIVE'"),
        _unique("one_highest_education_per_revision", "education", "revision_id", "is_highest"),
        _unique("a_specialty_stands_once_in_a_revision", "revision_specialties", "revision_id, specialty_code", "true"),
        _check("education_ends_after_it_starts", "education", "ended_on >= started_on"),
        _check("work_ends_after_it_starts", "work_entries", "ended_on >= started_on"),
        _check("a_frozen_revision_has_its_time", "revisions", "(state = 'DRAFT') = (frozen_at IS NULL)"),
        # Images: without these every deleted row of `files` would be looked for in whole tables
        _unique("an_owner_keeps_an_image_once_for_a_purpose", "files", "owner_id, sha256, purpose", "true"),
        *(_index(f"{table}_by_{column}", table, column) for table, column in _IMAGES),
        # Cases
        _unique("one_open_case_per_expert", "applications", "expert_id", "closed_at IS NULL"),
        _check("a_case_is_closed_with_its_stage", "applications", f"(stage IN {_CLOSED}) = (closed_at IS NOT NULL)"),
        _check("a_claim_has_a_holder_and_an_end", "applications", "(claimed_by_id IS NULL) = (claimed_until IS NULL)"),
        _check(
            "a_submitted_case_has_pool_and_revision", "applications", "round = 0 OR (pool_code IS NOT NULL AND revision_id IS NOT NULL)"
        ),
        _unique(
            "one_review_per_stage_and_round",
            "application_records",
            "application_id, round, from_stage",
            f"from_stage IN {_REVIEWS} AND move IN ('APPROVE', 'RETURN', 'REJECT')",
        ),
        ops.RunSQL(
            """ALTER TABLE application_records ADD CONSTRAINT second_and_final_review_by_two_officers
                EXCLUDE USING gist (application_id WITH =, actor_id WITH =, from_stage WITH <>)
                WHERE (from_stage IN ('SECOND_REVIEW', 'FINAL_REVIEW') AND move IN ('APPROVE', 'RETURN', 'REJECT'))""",
            "ALTER TABLE application_records DROP CONSTRAINT IF EXISTS second_and_final_review_by_two_officers",
        ),
        _check(
            "a_return_names_its_reasons",
            "application_records",
            "move <> 'RETURN' OR (coalesce(opinion, '') <> '' AND jsonb_array_length(field_reasons) > 0)",
        ),
        _check(
            "a_rejection_names_its_reason",
            "application_records",
            "move <> 'REJECT' OR (coalesce(opinion, '') <> '' AND reject_reason IS NOT NULL)",
        ),
        # Queues in their order: an office's and the province's, all cases and the open ones (which are few)
        _order("cases_awaiting_an_office", "applications", "pool_code, stage_since, id", "stage = 'FIRST_REVIEW' AND round > 0"),
        _order(
            "cases_awaiting_the_province", "applications", "stage_since, id", "stage IN ('SECOND_REVIEW', 'FINAL_REVIEW') AND round > 0"
        ),
        _order("cases_of_a_pool", "applications", "pool_code, stage_since, id", "round > 0"),
        _order("cases_of_the_province", "applications", "stage_since, id", "round > 0"),
        _order("open_cases_of_a_pool", "applications", "pool_code, stage_since, id", "closed_at IS NULL"),
        _order("open_cases_of_the_province", "applications", "stage_since, id", "closed_at IS NULL"),
        # Standing
        _check("a_suspension_has_an_end", "experts", "(standing = 'SUSPENDED') = (suspended_until IS NOT NULL)"),
        _check("a_dismissal_has_its_cause", "standing_records", "(change = 'DISMISS') = (cause IS NOT NULL)"),
        _order("accounts_of_an_id_number", "accounts", "id_number_hash, created_at", "id_number_hash IS NOT NULL"),
        _order("suspensions_by_their_end", "experts", "suspended_until", "standing = 'SUSPENDED'"),
        _order("lapses_to_come", "experts", "lapses_on", "standing IN ('FORMAL', 'SUSPENDED') AND lapses_on IS NOT NULL"),
        _order("revisions_in_force_by_birth", "revisions", "birth_date", "state = 'EFFECTIVE'"),
        # Objections
        _unique("a_receipt_is_given_once", "objections", "receipt", "true"),
        _check("a_settled_objection_has_its_reasons", "objections", "(state = 'OPEN') = (settlement IS NULL AND settled_at IS NULL)"),
        # Search by parts of Chinese names, most of two characters: too short for trigrams
        ops.RunSQL(
            """CREATE OR REPLACE FUNCTION bigrams(words text) RETURNS text[] LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
                SELECT coalesce(array_agg(DISTINCT substr(folded, n, 2)), '{}')
                FROM (SELECT lower(words) AS folded) f, generate_series(1, length(folded) - 1) n
            $$""",
            "DROP FUNCTION bigrams(text)",
        ),
        _search("cases_by_words", "applications", "applicant", "employer", "round > 0"),
        _search("running_notices_by_words", "public_notices", "name", "employer", "state = 'OPEN'"),
        # Schedule: half-days are counted from a fixed day, so that a period is a range of numbers
        ops.RunSQL(
            """CREATE OR REPLACE FUNCTION half_days(first_date date, first_half text, last_date date, last_half text)
                RETURNS int4range LANGUAGE sql IMMUTABLE PARALLEL SAFE RETURN int4range(
                    (first_date - DATE '2000-01-01') * 2 + (first_half = 'PM')::int,
                    (last_date - DATE '2000-01-01') * 2 + (last_half = 'PM')::int, '[]')""",
            "DROP FUNCTION IF EXISTS half_days",
        ),
        ops.RunSQL(
            """ALTER TABLE schedule_occurrences ADD CONSTRAINT occurrences_of_one_expert_do_not_overlap
                EXCLUDE USING gist (expert_id WITH =, half_days(first_date, first_half, last_date, last_half) WITH &&)""",
            "ALTER TABLE schedule_occurrences DROP CONSTRAINT IF EXISTS occurrences_of_one_expert_do_not_overlap",
        ),
        _order("experts_by_revision_in_force", "experts", "effective_id", "effective_id IS NOT NULL"),
        _order("revisions_by_specialty", "revision_specialties", "specialty_code, revision_id", "TRUE"),
        _order("formal_experts_of_a_pool", "experts", "pool_code, number", "standing = 'FORMAL'"),
        # Messages
        _unique("a_message_is_resent_once", "sms_messages", "resend_of", "resend_of IS NOT NULL"),
        # Rows that never change
        ops.RunSQL(
            """CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN RAISE EXCEPTION 'rows of % never change', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END
            $$""",
            "DROP FUNCTION refuse_change()",
        ),
        _trigger("records_never_change", "application_records", "UPDATE OR DELETE", "refuse_change"),
        _trigger("notes_never_change", "application_notes", "UPDATE OR DELETE", "refuse_change"),
        _trigger("clear_reads_never_change", "clear_reads", "UPDATE OR DELETE", "refuse_change"),
        _trigger("standing_records_never_change", "standing_records", "UPDATE OR DELETE", "refuse_change"),
        _trigger("bars_never_change", "bars", "UPDATE OR DELETE", "refuse_change"),
        ops.RunSQL(
            """CREATE OR REPLACE FUNCTION keep_frozen_revision() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN
                    IF OLD.state = 'DRAFT' THEN
                        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
                        RETURN NEW;
                    END IF;
                    IF TG_OP = 'UPDATE' AND NEW.state <> 'DRAFT' AND to_jsonb(NEW) - 'state' = to_jsonb(OLD) - 'state' THEN
                        RETURN NEW;
                    END IF;
                    RAISE EXCEPTION 'revision % is frozen', OLD.id USING ERRCODE = 'restrict_violation';
                END
            $$""",
            "DROP FUNCTION keep_frozen_revision()",
        ),
        _trigger("a_frozen_revision_keeps_its_data", "revisions", "UPDATE OR DELETE", "keep_frozen_revision"),
        ops.RunSQL(
            """CREATE OR REPLACE FUNCTION keep_frozen_section() RETURNS trigger LANGUAGE plpgsql AS $$
                DECLARE owner uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.revision_id ELSE NEW.revision_id END;
                BEGIN
                    IF EXISTS (SELECT FROM revisions WHERE id = owner AND state <> 'DRAFT')
                       OR TG_OP = 'UPDATE' AND EXISTS (SELECT FROM revisions WHERE id = OLD.revision_id AND state <> 'DRAFT') THEN
                        RAISE EXCEPTION 'revision % is frozen', owner USING ERRCODE = 'restrict_violation';
                    END IF;
                    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
                    RETURN NEW;
                END
            $$""",
            "DROP FUNCTION keep_frozen_section()",
        ),
        *(_trigger("a_frozen_revision_keeps_its_rows", table, "INSERT OR UPDATE OR DELETE", "keep_frozen_section") for table in _SECTIONS),
    ]
