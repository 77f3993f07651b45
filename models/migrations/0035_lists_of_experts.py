"""Experts are listed: by pool and standing in the order of the list, by name and employer through `words`, as cases are.

The employer is that of the profile in force, repeated as the name is. Beside it what other lists are asked for by: objections by their
receipt, and the decisions of an officer. That index holds decisions alone, so nothing that asks for an officer's records of one case can be
answered by it: for that one over all records was read in whole (0027).
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
        _index("objections_by_receipt", "objections (receipt)"),
        _index(
            "decisions_of_an_officer",
            "application_records (actor_id, at, id) "
            "WHERE move IN ('APPROVE', 'DISMISS_OBJECTIONS', 'REJECT', 'RETURN', 'UPHOLD_OBJECTION')",
        ),
    ]
