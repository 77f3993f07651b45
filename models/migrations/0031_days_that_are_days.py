"""Days without end are empty: the driver kept 9999-12-31, by which people say 长期, as PostgreSQL's infinity, no day to reckon with.

It stands where a paper, a qualification or a unit to avoid has no end, so nothing of what was said is lost; an identity paper is then valid
for life. Frozen profiles are put right too: what they say stays the same, only a form printed before with that day on it has another check
code. All other days were held to the date of birth, to today or to each other by their rules.

The triggers that keep frozen rows are taken away, for which writers wait, only where there is something to put right; in one transaction.
"""

from __future__ import annotations

from tortoise import migrations
from tortoise.migrations import operations as ops


def _put_right(table: str, trigger: str, changed: str, wrong: str) -> ops.RunSQL:
    """Change the rows that are wrong, frozen ones too."""
    return ops.RunSQL(
        f"""DO $do$ BEGIN
            IF EXISTS (SELECT FROM {table} WHERE {wrong}) THEN
                ALTER TABLE {table} DISABLE TRIGGER {trigger};
                UPDATE {table} SET {changed} WHERE {wrong};
                ALTER TABLE {table} ENABLE TRIGGER {trigger};
            END IF;
        END $do$""",  # noqa: S608  constants below
        "",
    )


class Migration(migrations.Migration):
    dependencies = [("models", "0030_cases_by_submission")]

    operations = [
        _put_right(
            "revisions",
            "a_frozen_revision_keeps_its_data",
            "id_valid_until = NULL, id_valid_long_term = TRUE",
            "id_valid_until = 'infinity'",
        ),
        _put_right("qualification_entries", "a_frozen_revision_keeps_its_rows", "valid_until = NULL", "valid_until = 'infinity'"),
        # The year 1 for a unit that need not be avoided any more: still over, on the first day that is taken.
        _put_right(
            "avoidance_units",
            "a_frozen_revision_keeps_its_rows",
            "until = CASE WHEN until = '-infinity' THEN '1900-01-01'::date END",
            "NOT isfinite(until)",
        ),
    ]
