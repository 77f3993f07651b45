"""When the provider told what became of a message."""

from __future__ import annotations

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0024_masks_that_hide_more")]

    operations = [
        ops.AddField(model_name="SmsMessage", name="receipt_at", field=fields.DatetimeField(null=True)),
    ]
