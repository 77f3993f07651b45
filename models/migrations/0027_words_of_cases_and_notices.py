"""Words to be searched by stand in the row: an index over an expression had them worked out anew at every move of a case.

Three indexes go that each move wrote too: one that another begins with, one that held every case for the few that are claimed, and that of
records by their actor. Nobody asks for it, but PostgreSQL read it for what an officer has decided of one case: all that officer's records.
"""

from __future__ import annotations

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops


def _words(table: str, name: str, index: str, where: str) -> ops.RunSQL:
    both = f"bigrams(coalesce({name}, '') || ' ' || coalesce(employer, ''))"
    return ops.RunSQL(
        [
            f"ALTER TABLE {table} ADD COLUMN IF NOT EXISTS words text[] GENERATED ALWAYS AS ({both}) STORED",
            f"DROP INDEX IF EXISTS {index}",
            f"CREATE INDEX {index} ON {table} USING gin (words) WHERE {where}",
        ],
        [
            f"DROP INDEX IF EXISTS {index}",
            f"CREATE INDEX {index} ON {table} USING gin ({both}) WHERE {where}",
            f"ALTER TABLE {table} DROP COLUMN IF EXISTS words",
        ],
    )


class Migration(migrations.Migration):
    dependencies = [("models", "0026_phone_proven")]

    operations = [
        _words("applications", "applicant", "cases_by_words", "round > 0"),
        _words("public_notices", "name", "running_notices_by_words", "state = 'OPEN'"),
        ops.AlterField(
            model_name="Application",
            name="claimed_by",
            field=fields.ForeignKeyField(
                "models.Account",
                source_field="claimed_by_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name="claims",
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.AlterField(
            model_name="ApplicationRecord",
            name="application",
            field=fields.ForeignKeyField(
                "models.Application",
                source_field="application_id",
                db_constraint=True,
                to_field="id",
                related_name="records",
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.AlterField(
            model_name="ApplicationRecord",
            name="actor",
            field=fields.ForeignKeyField(
                "models.Account",
                source_field="actor_id",
                null=True,
                db_constraint=True,
                to_field="id",
                related_name="acts",
                on_delete=OnDelete.RESTRICT,
            ),
        ),
        ops.RunSQL(
            [
                "DROP INDEX IF EXISTS idx_application_claimed_62bd1c, idx_application_applica_f3bf5d, idx_application_actor_i_a9f16e",
                "CREATE INDEX IF NOT EXISTS claimed_cases ON applications (claimed_by_id) WHERE claimed_by_id IS NOT NULL",
            ],
            [
                "DROP INDEX IF EXISTS claimed_cases",
                "CREATE INDEX IF NOT EXISTS idx_application_claimed_62bd1c ON applications (claimed_by_id)",
                "CREATE INDEX IF NOT EXISTS idx_application_applica_f3bf5d ON application_records (application_id)",
                "CREATE INDEX IF NOT EXISTS idx_application_actor_i_a9f16e ON application_records (actor_id)",
            ],
        ),
    ]
