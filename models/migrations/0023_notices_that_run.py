"""Notices that run by an index of their own, in place of one on all notices there ever were."""

from __future__ import annotations

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0013_reminders_of_changes"), ("models", "0022_consent_to_sensitive_data")]

    operations = [
        ops.RunSQL(
            "CREATE INDEX IF NOT EXISTS running_notices ON public_notices (closes_at, id) WHERE state = 'OPEN'",
            "DROP INDEX IF EXISTS running_notices",
        ),
        ops.RemoveIndex(model_name="PublicNotice", fields=["state", "closes_at", "id"]),
    ]
