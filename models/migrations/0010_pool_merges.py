"""Pools that were closed into their successors, and whom that moved."""

from __future__ import annotations

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

from models.enums import MergeState, Move, Role
from models.ids import new_id


def _described(members: str) -> str:
    return "\n".join(f"{each}: {each}" for each in members.split())


_ROLES = "EXPERT LOCAL_OFFICER PROVINCIAL_OFFICER ADMINISTRATOR"
_MOVES = "SUBMIT WITHDRAW APPROVE RETURN REJECT CLOSE_NOTICE HOLD_FOR_OBJECTION DISMISS_OBJECTIONS UPHOLD_OBJECTION CANCEL TRANSFER"


class Migration(migrations.Migration):
    dependencies = [("models", "0011_fields_that_take_effect_at_once")]

    operations = [
        ops.CreateModel(
            name="PoolMerge",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                ("from_code", fields.CharField(max_length=6)),
                ("into_code", fields.CharField(max_length=6)),
                (
                    "state",
                    fields.CharEnumField(
                        default=MergeState.RUNNING, description=_described("RUNNING DONE"), enum_type=MergeState, max_length=10
                    ),
                ),
                ("reason", fields.CharField(max_length=500)),
                ("ordered_by_id", fields.UUIDField()),
                ("ordered_by_name", fields.CharField(max_length=60)),
                ("ordered_by_role", fields.CharEnumField(description=_described(_ROLES), enum_type=Role, max_length=20)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("finished_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("experts_total", fields.IntField()),
                ("experts_moved", fields.IntField(default=0)),
                ("cases_moved", fields.IntField(default=0)),
            ],
            options={
                "table": "pool_merges",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A pool that closed and the one that takes its people and cases; how far that is done. "
                "A pool closes once (constraint of 0010).",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="PoolTransfer",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                (
                    "merge",
                    fields.ForeignKeyField(
                        "models.PoolMerge",
                        source_field="merge_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="transfers",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                (
                    "expert",
                    fields.ForeignKeyField(
                        "models.Expert",
                        source_field="expert_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="pool_transfers",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("from_code", fields.CharField(max_length=6)),
                ("into_code", fields.CharField(max_length=6)),
            ],
            options={
                "table": "pool_transfers",
                "app": "models",
                "pk_attr": "id",
                "table_description": "One person moved with a pool. Append-only (trigger of 0010).",
            },
            bases=["Model"],
        ),
        ops.AlterField(
            model_name="ApplicationRecord",
            name="move",
            field=fields.CharEnumField(description=_described(_MOVES), enum_type=Move, max_length=30),
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX IF NOT EXISTS a_pool_closes_once ON pool_merges (from_code)", "DROP INDEX IF EXISTS a_pool_closes_once"
        ),
        ops.RunSQL(
            """ALTER TABLE pool_merges DROP CONSTRAINT IF EXISTS a_pool_is_merged_into_another;
            ALTER TABLE pool_merges ADD CONSTRAINT a_pool_is_merged_into_another CHECK (from_code <> into_code)""",
            "ALTER TABLE pool_merges DROP CONSTRAINT IF EXISTS a_pool_is_merged_into_another",
        ),
        ops.RunSQL(
            """ALTER TABLE pool_merges DROP CONSTRAINT IF EXISTS a_merge_that_is_done_has_its_time;
            ALTER TABLE pool_merges ADD CONSTRAINT a_merge_that_is_done_has_its_time
                CHECK ((state = 'DONE') = (finished_at IS NOT NULL))""",
            "ALTER TABLE pool_merges DROP CONSTRAINT IF EXISTS a_merge_that_is_done_has_its_time",
        ),
        ops.RunSQL(
            "CREATE UNIQUE INDEX IF NOT EXISTS a_person_is_moved_once_by_a_merge ON pool_transfers (merge_id, expert_id)",
            "DROP INDEX IF EXISTS a_person_is_moved_once_by_a_merge",
        ),
        ops.RunSQL(
            "CREATE OR REPLACE TRIGGER pool_transfers_never_change BEFORE UPDATE OR DELETE ON pool_transfers "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()",
            "DROP TRIGGER IF EXISTS pool_transfers_never_change ON pool_transfers",
        ),
        ops.RunSQL(
            "CREATE INDEX IF NOT EXISTS experts_of_a_pool ON experts (pool_code, id) WHERE pool_code IS NOT NULL",
            "DROP INDEX IF EXISTS experts_of_a_pool",
        ),
    ]
