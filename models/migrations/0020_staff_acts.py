"""What is done with accounts of staff, on record."""

from __future__ import annotations

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

from models.enums import Role, StaffActKind
from models.ids import new_id

_ROLES = "\n".join(f"{each.value}: {each.value}" for each in Role)


class Migration(migrations.Migration):
    dependencies = [("models", "0011_fields_that_take_effect_at_once")]

    operations = [
        ops.CreateModel(
            name="StaffAct",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("number", fields.IntField()),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                (
                    "act",
                    fields.CharEnumField(
                        description="\n".join(f"{each.value}: {each.value}" for each in StaffActKind),
                        enum_type=StaffActKind,
                        max_length=20,
                    ),
                ),
                (
                    "account",
                    fields.ForeignKeyField(
                        "models.Account",
                        source_field="account_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="staff_acts",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("account_name", fields.CharField(max_length=60)),
                ("account_role", fields.CharEnumField(description=_ROLES, enum_type=Role, max_length=20)),
                ("account_pool_code", fields.CharField(null=True, max_length=6)),
                ("actor_id", fields.UUIDField(null=True)),
                ("actor_name", fields.CharField(null=True, max_length=60)),
                ("actor_role", fields.CharEnumField(null=True, description=_ROLES, enum_type=Role, max_length=20)),
                ("previous_hash", fields.BinaryField(null=True)),
                ("hash", fields.BinaryField()),
            ],
            options={
                "table": "staff_acts",
                "app": "models",
                "pk_attr": "id",
                "table_description": "Something done with an account of staff. Append-only (trigger of 0020), numbered, each bound "
                "to the one before by a keyed hash.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX IF NOT EXISTS staff_acts_are_numbered ON staff_acts (number)",
            "DROP INDEX IF EXISTS staff_acts_are_numbered",
        ),
        ops.RunSQL(
            "CREATE OR REPLACE TRIGGER staff_acts_never_change BEFORE UPDATE OR DELETE ON staff_acts "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            "DROP TRIGGER IF EXISTS staff_acts_never_change ON staff_acts",
        ),
    ]
