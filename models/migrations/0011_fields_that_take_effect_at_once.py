"""Which fields of a revision took effect at once, and room for the copy that brings them into force beside an open draft."""

from __future__ import annotations

from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.data import JSON_DUMPS
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0009_second_factor")]

    operations = [
        ops.AddField(model_name="Revision", name="changed_at_once", field=fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
        # As a constraint it can wait for the end of a transaction; an index cannot.
        ops.RunSQL(
            """ALTER TABLE revisions DROP CONSTRAINT IF EXISTS one_draft_per_expert;
            DROP INDEX IF EXISTS one_draft_per_expert;
            ALTER TABLE revisions ADD CONSTRAINT one_draft_per_expert
                EXCLUDE USING btree (expert_id WITH =) WHERE (state = 'DRAFT') DEFERRABLE INITIALLY IMMEDIATE""",
            """ALTER TABLE revisions DROP CONSTRAINT IF EXISTS one_draft_per_expert;
            CREATE UNIQUE INDEX IF NOT EXISTS one_draft_per_expert ON revisions (expert_id) WHERE state = 'DRAFT'""",
        ),
    ]
