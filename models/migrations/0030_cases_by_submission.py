"""Cases submitted before a moment are found by it where they are few: the list had been walked to its end for them."""

from __future__ import annotations

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0029_time_of_the_machine")]

    operations = [
        ops.RunSQL(
            "CREATE INDEX IF NOT EXISTS cases_by_submission ON applications (submitted_at) WHERE round > 0",
            "DROP INDEX IF EXISTS cases_by_submission",
        ),
    ]
