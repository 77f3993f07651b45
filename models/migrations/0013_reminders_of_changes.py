"""Reminders of changes that were begun and not submitted, and of pools that closed."""

from __future__ import annotations

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from models.enums import ReminderKind

_KINDS = "CASE_LYING DRAFT_LYING POOL_CLOSED QUALIFICATION_ENDING"


class Migration(migrations.Migration):
    dependencies = [("models", "0012_pools_without_successor")]

    operations = [
        ops.AlterField(
            model_name="Reminder",
            name="kind",
            field=fields.CharEnumField(
                description="\n".join(f"{each}: {each}" for each in _KINDS.split()),
                enum_type=ReminderKind,
                max_length=30,
            ),
        ),
    ]
