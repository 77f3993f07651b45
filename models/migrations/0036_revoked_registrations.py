"""Registrations that the province revokes, who asked about which id number, and wrong tries at a code from elsewhere."""

from __future__ import annotations

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from models.enums import StandingChange
from models.ids import new_id


class Migration(migrations.Migration):
    dependencies = [("models", "0035_lists_of_experts")]

    operations = [
        ops.CreateModel(
            name="IdNumberTry",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                (
                    "account",
                    fields.ForeignKeyField(
                        "models.Account",
                        source_field="account_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="id_number_tries",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("id_number_hash", fields.BinaryField()),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "id_number_tries",
                "app": "models",
                "indexes": [Index(fields=["account_id", "at"])],
                "pk_attr": "id",
                "table_description": "An id number about which somebody signed in learnt something: an expert who entered it, an officer "
                "who looked for its holder.",
            },
            bases=["Model"],
        ),
        ops.AddField(model_name="PhoneCode", name="wrong_elsewhere", field=fields.IntField(null=True)),
        ops.RunSQL("UPDATE phone_codes SET wrong_elsewhere = 0", ""),  # they live five minutes
        ops.AlterField(model_name="PhoneCode", name="wrong_elsewhere", field=fields.IntField(default=0)),
        # For processes of the version before, which go on sending codes while this one is brought in.
        ops.RunSQL(
            "ALTER TABLE phone_codes ALTER wrong_elsewhere SET DEFAULT 0",
            "ALTER TABLE phone_codes ALTER wrong_elsewhere DROP DEFAULT",
        ),
        ops.AlterModelOptions(
            name="StandingRecord",
            options={
                "table": "standing_records",
                "app": "models",
                "pk_attr": "id",
                "table_description": "One change of an expert's standing, with its reasons. Append-only (trigger of 0002).",
            },
        ),
        ops.AlterField(
            model_name="StandingRecord",
            name="change",
            field=fields.CharEnumField(
                description="SUSPEND: SUSPEND\nREINSTATE: REINSTATE\nDISMISS: DISMISS\nDEREGISTER: DEREGISTER\nLAPSE: LAPSE\n"
                "REVOKE: REVOKE",
                enum_type=StandingChange,
                max_length=20,
            ),
        ),
        ops.RunSQL(
            """ALTER TABLE standing_records DROP CONSTRAINT IF EXISTS a_revocation_ends_a_temporary_standing_with_reasons;
            ALTER TABLE standing_records ADD CONSTRAINT a_revocation_ends_a_temporary_standing_with_reasons
                CHECK (change <> 'REVOKE' OR (from_standing = 'TEMPORARY' AND reasons IS NOT NULL))""",
            "ALTER TABLE standing_records DROP CONSTRAINT IF EXISTS a_revocation_ends_a_temporary_standing_with_reasons",
        ),
    ]
