"""The separate consent to the handling of sensitive data (个人信息保护法 art. 29)."""

from __future__ import annotations

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0021_correlation_of_promises")]

    operations = [ops.AddField(model_name="Consent", name="sensitive_accepted_at", field=fields.DatetimeField(null=True))]
