"""The eligibility report of a submission, and which specialties are scarce."""

from __future__ import annotations

from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.data import JSON_DUMPS
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0004_clear_reads_keys_and_erasure")]

    operations = [
        ops.AddField(model_name="Revision", name="eligibility", field=fields.JSONField(null=True, encoder=JSON_DUMPS, decoder=loads)),
        # Added, filled, then required: every installation has its specialties by now
        ops.AddField(model_name="Specialty", name="scarce", field=fields.BooleanField(null=True)),
        ops.RunSQL("UPDATE specialties SET scarce = FALSE", ""),
        ops.AlterField(model_name="Specialty", name="scarce", field=fields.BooleanField(default=False)),
    ]
