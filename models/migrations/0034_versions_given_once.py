"""No two drafts of one person have the same version, so that a save that was meant for one never goes into another."""

from __future__ import annotations

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0033_messages_to_send_again")]

    operations = [
        ops.AddField(model_name="Expert", name="last_version", field=fields.IntField(null=True)),
        ops.RunSQL(
            "UPDATE experts SET last_version = coalesce((SELECT max(version) FROM revisions r WHERE r.expert_id = experts.id "
            "AND r.state <> 'DRAFT'), 0)",
            "",
        ),
        ops.AlterField(model_name="Expert", name="last_version", field=fields.IntField(default=0)),
        # For processes of the version before, which go on registering people while this one is brought in.
        ops.RunSQL("ALTER TABLE experts ALTER last_version SET DEFAULT 0", "ALTER TABLE experts ALTER last_version DROP DEFAULT"),
    ]
