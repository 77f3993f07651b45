"""When working days became others, so that what was counted by the former ones just then is counted again."""

from __future__ import annotations

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from models.ids import new_id


class Migration(migrations.Migration):
    dependencies = [("models", "0030_cases_by_submission")]

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
    ]
