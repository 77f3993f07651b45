"""Pools that closed without a successor; phones and id numbers of disabled staff are no live account's."""

from __future__ import annotations

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


def _one_live_account(name: str, column: str) -> ops.RunSQL:
    index = "CREATE UNIQUE INDEX {name} ON accounts ({column}) WHERE {live}"
    return ops.RunSQL(
        f"DROP INDEX IF EXISTS {name}; " + index.format(name=name, column=column, live="status = 'ACTIVE'"),
        f"DROP INDEX IF EXISTS {name}; " + index.format(name=name, column=column, live="status <> 'DEREGISTERED'"),
    )


class Migration(migrations.Migration):
    dependencies = [("models", "0010_pool_merges"), ("models", "0020_staff_acts")]

    operations = [
        ops.AddField(model_name="Division", name="closed_at", field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
        ops.AddField(model_name="Division", name="closing_reason", field=fields.CharField(null=True, max_length=500)),
        ops.RunSQL(
            """ALTER TABLE divisions DROP CONSTRAINT IF EXISTS a_pool_without_successor_takes_nobody;
            ALTER TABLE divisions ADD CONSTRAINT a_pool_without_successor_takes_nobody
                CHECK (closed_at IS NULL OR (NOT pool_selectable AND pool_code IS NULL))""",
            "ALTER TABLE divisions DROP CONSTRAINT IF EXISTS a_pool_without_successor_takes_nobody",
        ),
        _one_live_account("one_live_account_per_phone", "phone_hash"),
        _one_live_account("one_live_account_per_id_number", "id_number_hash"),
    ]
