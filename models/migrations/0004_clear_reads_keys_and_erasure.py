"""Who read in clear, fingerprints of keys, and the two doors in the wall around rows that never change: erasure and sealing anew."""

from __future__ import annotations

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from models.enums import KeyUse, Role

_ERASABLE = {
    "application_records": ("records_never_change", "actor_name, opinion, field_reasons, erased_hash"),
    "application_notes": ("notes_never_change", "text"),
    "clear_reads": ("clear_reads_never_change", "reason"),
    "standing_records": ("standing_records_never_change", "actor_name, reasons"),
}
"""The triggers of 0002, and the columns from which personal data of somebody who left are erased."""
_ROLES = "\n".join(f"{each}: {each}" for each in ("EXPERT", "LOCAL_OFFICER", "PROVINCIAL_OFFICER", "ADMINISTRATOR"))


def _never_change(table: str, trigger: str, erasable: str) -> ops.RunSQL:
    listed = ", ".join(f"'{each.strip()}'" for each in erasable.split(","))
    made = f"CREATE OR REPLACE TRIGGER {trigger} BEFORE UPDATE OR DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION refuse_change(%s)"
    return ops.RunSQL(made % listed, made % "")


class Migration(migrations.Migration):
    dependencies = [("models", "0002_what_is_always_true")]

    operations = [
        ops.CreateModel(
            name="KnownKey",
            fields=[
                ("fingerprint", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=8)),
                ("use", fields.CharEnumField(description="HASH: HASH\nSEAL: SEAL", enum_type=KeyUse, max_length=10)),
                ("since", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("retired_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "known_keys",
                "app": "models",
                "pk_attr": "fingerprint",
                "table_description": "One key that was used here. `retired_at` is set when nothing is sealed under it any more.",
            },
            bases=["Model"],
        ),
        ops.AddField(model_name="ApplicationRecord", name="erased_hash", field=fields.BinaryField(null=True)),
        ops.AddField(model_name="Expert", name="erased_at", field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
        # Who read in clear: added, filled from the accounts as they are now, then required
        ops.AlterField(model_name="ClearRead", name="what", field=fields.CharField(max_length=100)),
        ops.AddField(model_name="ClearRead", name="reader_name", field=fields.CharField(null=True, max_length=60)),
        ops.AddField(model_name="ClearRead", name="reader_pool_code", field=fields.CharField(null=True, max_length=6)),
        ops.AddField(
            model_name="ClearRead",
            name="reader_role",
            field=fields.CharEnumField(null=True, description=_ROLES, enum_type=Role, max_length=20),
        ),
        ops.RunSQL(
            """ALTER TABLE clear_reads DISABLE TRIGGER clear_reads_never_change;
            UPDATE clear_reads r SET reader_name = a.name, reader_role = a.role, reader_pool_code = a.pool_code
                FROM accounts a WHERE a.id = r.reader_id AND r.reader_name IS NULL;
            ALTER TABLE clear_reads ENABLE TRIGGER clear_reads_never_change""",
            "",
        ),
        ops.AlterField(model_name="ClearRead", name="reader_name", field=fields.CharField(max_length=60)),
        ops.AlterField(
            model_name="ClearRead",
            name="reader_role",
            field=fields.CharEnumField(description=_ROLES, enum_type=Role, max_length=20),
        ),
        ops.RunSQL(
            "CREATE INDEX IF NOT EXISTS clear_reads_of_a_person ON clear_reads (subject_id, at, id)",
            "DROP INDEX IF EXISTS clear_reads_of_a_person",
        ),
        ops.RunSQL(
            "CREATE INDEX IF NOT EXISTS clear_reads_by_an_officer ON clear_reads (reader_id, at) WHERE application_id IS NOT NULL",
            "DROP INDEX IF EXISTS clear_reads_by_an_officer",
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX IF NOT EXISTS a_version_is_accepted_once ON consents (account_id, terms_version)",
            "DROP INDEX IF EXISTS a_version_is_accepted_once",
        ),
        ops.RunSQL(
            "CREATE INDEX IF NOT EXISTS people_to_erase ON experts (id) "
            "WHERE erased_at IS NULL AND standing IN ('DEREGISTERED', 'DISMISSED', 'LAPSED')",
            "DROP INDEX IF EXISTS people_to_erase",
        ),
        ops.RunSQL(
            "CREATE INDEX IF NOT EXISTS messages_with_codes ON sms_messages (created_at) WHERE phone_code_id IS NOT NULL",
            "DROP INDEX IF EXISTS messages_with_codes",
        ),
        # The door of erasure: for one person, named by this transaction, who is out of the registry
        ops.RunSQL(
            """CREATE OR REPLACE FUNCTION is_being_erased(expert uuid) RETURNS boolean LANGUAGE sql STABLE AS $$
                SELECT current_setting('registry.erasing', TRUE) = expert::text
                    AND EXISTS (SELECT FROM experts WHERE id = expert AND standing IN ('DEREGISTERED', 'DISMISSED', 'LAPSED'))
            $$""",
            "DROP FUNCTION is_being_erased",
        ),
        # The arguments of the trigger are the columns that erasure may change
        ops.RunSQL(
            """CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
                DECLARE kept jsonb := to_jsonb(OLD); expert uuid;
                BEGIN
                    IF TG_OP = 'UPDATE' AND TG_NARGS > 0 AND to_jsonb(NEW) - TG_ARGV = kept - TG_ARGV THEN
                        expert := CASE
                            WHEN kept ? 'expert_id' THEN (kept->>'expert_id')::uuid
                            WHEN kept ? 'subject_id' THEN (SELECT id FROM experts WHERE account_id = (kept->>'subject_id')::uuid)
                            ELSE (SELECT expert_id FROM applications WHERE id = (kept->>'application_id')::uuid) END;
                        IF is_being_erased(expert) THEN RETURN NEW; END IF;
                    END IF;
                    RAISE EXCEPTION 'rows of % never change', TG_TABLE_NAME USING ERRCODE = 'restrict_violation';
                END
            $$""",
            """CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
                BEGIN RAISE EXCEPTION 'rows of % never change', TG_TABLE_NAME USING ERRCODE = 'restrict_violation'; END
            $$""",
        ),
        *(_never_change(table, trigger, columns) for table, (trigger, columns) in _ERASABLE.items()),
        # A frozen revision lets through its state, the same texts sealed under another key, and being emptied
        ops.RunSQL(
            """CREATE OR REPLACE FUNCTION keep_frozen_revision() RETURNS trigger LANGUAGE plpgsql AS $$
                DECLARE
                    sealed CONSTANT text[] := '{id_number,second_phone,email,address}';
                    skeleton CONSTANT text[] :=
                        '{id,expert_id,number,base_id,state,version,created_at,updated_at,frozen_at,home_pool_code,id_valid_long_term}';
                BEGIN
                    IF OLD.state = 'DRAFT' THEN
                        IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
                        RETURN NEW;
                    END IF;
                    IF TG_OP = 'UPDATE' AND NEW.state <> 'DRAFT' THEN
                        IF to_jsonb(NEW) - 'state' = to_jsonb(OLD) - 'state' THEN RETURN NEW; END IF;
                        IF current_setting('registry.sealing_anew', TRUE) = 'on' AND to_jsonb(NEW) - sealed = to_jsonb(OLD) - sealed
                            AND jsonb_strip_nulls(to_jsonb(NEW)) ?& ARRAY(SELECT jsonb_object_keys(jsonb_strip_nulls(to_jsonb(OLD)))) THEN
                            RETURN NEW;
                        END IF;
                        IF is_being_erased(OLD.expert_id) AND jsonb_strip_nulls(to_jsonb(NEW) - skeleton) = '{}'
                            AND NEW.id = OLD.id AND NEW.expert_id = OLD.expert_id AND NEW.number = OLD.number
                            AND NEW.state = OLD.state AND NEW.frozen_at = OLD.frozen_at THEN
                            RETURN NEW;
                        END IF;
                    END IF;
                    RAISE EXCEPTION 'revision % is frozen', OLD.id USING ERRCODE = 'restrict_violation';
                END
            $$""",
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
        ),
        ops.RunSQL(
            """CREATE OR REPLACE FUNCTION keep_frozen_section() RETURNS trigger LANGUAGE plpgsql AS $$
                DECLARE owner uuid := CASE WHEN TG_OP = 'DELETE' THEN OLD.revision_id ELSE NEW.revision_id END;
                BEGIN
                    IF EXISTS (SELECT FROM revisions WHERE id = owner AND state <> 'DRAFT')
                       OR TG_OP = 'UPDATE' AND EXISTS (SELECT FROM revisions WHERE id = OLD.revision_id AND state <> 'DRAFT') THEN
                        IF TG_OP = 'DELETE' AND is_being_erased((SELECT expert_id FROM revisions WHERE id = owner)) THEN RETURN OLD; END IF;
                        RAISE EXCEPTION 'revision % is frozen', owner USING ERRCODE = 'restrict_violation';
                    END IF;
                    IF TG_OP = 'DELETE' THEN RETURN OLD; END IF;
                    RETURN NEW;
                END
            $$""",
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
        ),
    ]
