"""Experts are listed: by pool and standing in the order of the list, by name and employer through `words`, as cases are.

The employer is that of the profile in force, repeated as the name is.
"""

from __future__ import annotations

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


def _index(name: str, on: str) -> ops.RunSQL:
    return ops.RunSQL(f"CREATE INDEX IF NOT EXISTS {name} ON {on}", f"DROP INDEX IF EXISTS {name}")


class Migration(migrations.Migration):
    dependencies = [("models", "0034_versions_given_once")]

    operations = [
        ops.AddField(model_name="Expert", name="employer", field=fields.CharField(null=True, max_length=120)),
        # A process of the version before knows nothing of the column: whoever admits, changes or erases, it follows.
        ops.RunSQL(
            """CREATE OR REPLACE FUNCTION employer_in_force() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN
                NEW.employer := (SELECT r.employer FROM revisions r WHERE r.id = NEW.effective_id);
                RETURN NEW;
            END $$""",
            "DROP FUNCTION IF EXISTS employer_in_force()",
        ),
        ops.RunSQL(
            "CREATE OR REPLACE TRIGGER an_expert_bears_the_employer_in_force BEFORE UPDATE OF effective_id, erased_at ON experts "
            "FOR EACH ROW EXECUTE FUNCTION employer_in_force()",
            "DROP TRIGGER IF EXISTS an_expert_bears_the_employer_in_force ON experts",
        ),
        ops.RunSQL(
            "UPDATE experts x SET employer = r.employer FROM revisions r WHERE r.id = x.effective_id AND r.employer IS NOT NULL", ""
        ),
        ops.RunSQL(
            "ALTER TABLE experts ADD COLUMN IF NOT EXISTS words text[] "
            "GENERATED ALWAYS AS (bigrams(coalesce(name, '') || ' ' || coalesce(employer, ''))) STORED",
            "ALTER TABLE experts DROP COLUMN IF EXISTS words",
        ),
        _index("experts_by_words", "experts USING gin (words)"),
        _index("experts_by_standing", "experts (standing, id)"),
        _index("experts_of_a_pool_by_standing", "experts (pool_code, standing, id) WHERE pool_code IS NOT NULL"),
    ]
