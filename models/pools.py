"""Pools 专家库 that were closed into their successors, and whom that moved (rules §8)."""

from __future__ import annotations

from uuid import UUID

from tortoise import fields

from models.enums import MergeState, Role
from models.experts import Expert
from models.ids import new_id
from models.row import Row


class PoolMerge(Row):
    """A pool that closed and the one that takes its people and cases; how far that is done. A pool closes once (constraint of 0010)."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    from_code = fields.CharField(max_length=6)
    into_code = fields.CharField(max_length=6)
    state = fields.CharEnumField(MergeState, max_length=10, default=MergeState.RUNNING)
    reason = fields.CharField(max_length=500)
    ordered_by_id = fields.UUIDField()
    ordered_by_name = fields.CharField(max_length=60)
    ordered_by_role = fields.CharEnumField(Role, max_length=20)
    created_at = fields.DatetimeField()
    finished_at = fields.DatetimeField(null=True)
    experts_total = fields.IntField()
    experts_moved = fields.IntField(default=0)
    cases_moved = fields.IntField(default=0)

    class Meta:
        table = "pool_merges"


class PoolTransfer(Row):
    """One person moved with a pool. Append-only (trigger of 0010)."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    merge_id: UUID
    merge: fields.ForeignKeyRelation[PoolMerge] = fields.ForeignKeyField("models.PoolMerge", "transfers", on_delete=fields.RESTRICT)
    expert_id: UUID
    expert: fields.ForeignKeyRelation[Expert] = fields.ForeignKeyField(
        "models.Expert", "pool_transfers", db_index=True, on_delete=fields.RESTRICT
    )
    at = fields.DatetimeField()
    from_code = fields.CharField(max_length=6)
    into_code = fields.CharField(max_length=6)

    class Meta:
        table = "pool_transfers"
