"""When working days became others, for what was counted by the former ones just then; from when offices have their time."""

from __future__ import annotations

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from models.ids import new_id


class Migration(migrations.Migration):
    dependencies = [("models", "0031_days_that_are_days")]

    operations = [
        ops.CreateModel(
            name="CalendarChange",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("settled", fields.BooleanField(default=False)),
            ],
            options={
                "table": "calendar_changes",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A time at which working days became others; settled once what was counted by the former ones "
                "meanwhile is counted again.",
            },
            bases=["Row"],
        ),
        ops.AddField(model_name="Application", name="given_at", field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
        # Of changes of division the record does not say whether it was the office that decides: they keep what they were given.
        ops.RunSQL(
            """UPDATE applications c SET given_at = r.at FROM application_records r
               WHERE c.closed_at IS NULL AND c.stage = 'FIRST_REVIEW' AND c.kind <> 'DIVISION_CHANGE'
               AND r.application_id = c.id AND r.move = 'TRANSFER' AND r.at > c.stage_since
               AND NOT EXISTS (SELECT FROM application_records later WHERE later.application_id = c.id AND later.move = 'TRANSFER'
                   AND later.number > r.number)""",
            "",
        ),
        # Objections that wait to be settled get their time with the next counting, which is at once.
        ops.RunSQL(
            """INSERT INTO calendar_changes (id, at, settled) SELECT gen_random_uuid(), registry_now() - interval '1 hour', FALSE
               WHERE EXISTS (SELECT FROM applications WHERE stage = 'OBJECTION')""",
            "",
        ),
    ]
