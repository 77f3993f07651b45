"""The pool that a change of division leaves, who wrote a note for which pool, and objections among what awaits the province."""

from __future__ import annotations

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

_AWAITING = "CREATE INDEX IF NOT EXISTS cases_awaiting_the_province ON applications (stage_since, id) WHERE stage IN (%s) AND round > 0"


class Migration(migrations.Migration):
    dependencies = [("models", "0005_exports")]

    operations = [
        ops.AddField(model_name="Application", name="leaving_pool_code", field=fields.CharField(null=True, max_length=6)),
        ops.RunSQL(
            """ALTER TABLE applications DROP CONSTRAINT IF EXISTS a_change_of_division_leaves_a_pool;
            ALTER TABLE applications ADD CONSTRAINT a_change_of_division_leaves_a_pool
                CHECK ((kind = 'DIVISION_CHANGE') = (leaving_pool_code IS NOT NULL))""",
            "ALTER TABLE applications DROP CONSTRAINT IF EXISTS a_change_of_division_leaves_a_pool",
        ),
        ops.RunSQL(
            "CREATE INDEX IF NOT EXISTS cases_leaving_a_pool ON applications (leaving_pool_code, stage_since, id) "
            "WHERE leaving_pool_code IS NOT NULL",
            "DROP INDEX IF EXISTS cases_leaving_a_pool",
        ),
        # Until now the officers of a case's pool alone wrote notes to it, beside the province
        ops.AddField(model_name="ApplicationNote", name="author_pool_code", field=fields.CharField(null=True, max_length=6)),
        ops.RunSQL(
            """ALTER TABLE application_notes DISABLE TRIGGER notes_never_change;
            UPDATE application_notes n SET author_pool_code = a.pool_code FROM applications a
                WHERE a.id = n.application_id AND n.author_role = 'LOCAL_OFFICER' AND n.author_pool_code IS NULL;
            ALTER TABLE application_notes ENABLE TRIGGER notes_never_change""",
            "",
        ),
        ops.RunSQL("DROP INDEX IF EXISTS cases_awaiting_the_province", ""),
        ops.RunSQL(
            _AWAITING % "'SECOND_REVIEW', 'FINAL_REVIEW', 'OBJECTION'",
            "DROP INDEX IF EXISTS cases_awaiting_the_province; " + _AWAITING % "'SECOND_REVIEW', 'FINAL_REVIEW'",
        ),
    ]
