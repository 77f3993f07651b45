"""Lists under one condition are read in their order: a page must not cost a walk past everything that does not meet it.

Cases at one stage (whatever the pool), changes among the many admissions, and staff among the accounts of experts. Each lay so far apart in
the whole list that a province of a million experts waited seconds for twenty of them.
"""

from __future__ import annotations

from tortoise import migrations
from tortoise.migrations import operations as ops


def _index(name: str, columns: str, where: str) -> ops.RunSQL:
    return ops.RunSQL(f"CREATE INDEX IF NOT EXISTS {name} ON {columns} WHERE {where}", f"DROP INDEX IF EXISTS {name}")


class Migration(migrations.Migration):
    dependencies = [("models", "0027_words_of_cases_and_notices")]

    operations = [
        _index("cases_at_a_stage", "applications (stage, stage_since, id)", "round > 0"),
        _index("cases_of_change", "applications (stage_since, id)", "kind IN ('CHANGE', 'DIVISION_CHANGE') AND round > 0"),
        _index("staff_accounts", "accounts (created_at, id)", "role <> 'EXPERT'"),
    ]
