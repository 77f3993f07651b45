"""Reminders, each given once, and the messages that go with them."""

from __future__ import annotations

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from models.enums import ReminderKind, SmsTemplate
from models.ids import new_id


class Migration(migrations.Migration):
    dependencies = [("models", "0003_change_of_division")]

    operations = [
        ops.CreateModel(
            name="Reminder",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                (
                    "kind",
                    fields.CharEnumField(
                        description="CASE_LYING: CASE_LYING\nQUALIFICATION_ENDING: QUALIFICATION_ENDING",
                        enum_type=ReminderKind,
                        max_length=30,
                    ),
                ),
                ("subject_id", fields.UUIDField()),
                ("counted_from", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("days", fields.IntField()),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "reminders",
                "app": "models",
                "pk_attr": "id",
                "table_description": "That somebody was reminded of something, once (a_reminder_is_given_once): of what, counted from "
                "when, at which distance in days.",
            },
            bases=["Model"],
        ),
        ops.AlterField(
            model_name="SmsMessage",
            name="template",
            field=fields.CharEnumField(
                description="\n".join(f"{each.value}: {each.value}" for each in SmsTemplate), enum_type=SmsTemplate, max_length=30
            ),
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX IF NOT EXISTS a_reminder_is_given_once ON reminders (kind, subject_id, counted_from, days)",
            "DROP INDEX IF EXISTS a_reminder_is_given_once",
        ),
        ops.RunSQL(
            "CREATE INDEX IF NOT EXISTS qualifications_by_their_end ON qualification_entries (valid_until) WHERE valid_until IS NOT NULL",
            "DROP INDEX IF EXISTS qualifications_by_their_end",
        ),
    ]
