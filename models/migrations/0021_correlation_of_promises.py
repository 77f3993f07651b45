"""The id of the request that promised, for worker and provider to go on under."""

from __future__ import annotations

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0020_staff_acts")]

    operations = [
        ops.AddField(model_name="OutboxRow", name="correlation_id", field=fields.CharField(null=True, max_length=32)),
    ]
