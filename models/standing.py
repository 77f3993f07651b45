"""How people's standing changed 专家资格变动, and who is barred from registering again (rules §8)."""

from __future__ import annotations

from uuid import UUID

from tortoise import fields

from models.enums import DismissalCause, Role, Standing, StandingChange
from models.experts import Expert
from models.ids import new_id
from models.row import Row


class StandingRecord(Row):
    """One change of an expert's standing, with its reasons. Append-only (trigger of 0002)."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    expert_id: UUID
    expert: fields.ForeignKeyRelation[Expert] = fields.ForeignKeyField(
        "models.Expert", "standing_records", db_index=True, on_delete=fields.RESTRICT
    )
    at = fields.DatetimeField()
    change = fields.CharEnumField(StandingChange, max_length=20)
    from_standing = fields.CharEnumField(Standing, max_length=20)
    to_standing = fields.CharEnumField(Standing, max_length=20)
    actor_id = fields.UUIDField(null=True)
    actor_name = fields.CharField(max_length=60, null=True)
    actor_role = fields.CharEnumField(Role, max_length=20, null=True)  # empty: the system
    cause = fields.CharEnumField(DismissalCause, max_length=30, null=True)
    reasons = fields.CharField(max_length=1000, null=True)
    until = fields.DateField(null=True)  # last day of a suspension

    class Meta:
        table = "standing_records"


class Bar(Row):
    """Somebody may not register before `until`. Known by the keyed hash of the id number alone, so that it outlives everything else."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    id_number_hash = fields.BinaryField()
    since = fields.DatetimeField()
    until = fields.DateField()

    class Meta:
        table = "bars"
        indexes = (("id_number_hash", "until"),)
