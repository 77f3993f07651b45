"""The schedule 日程 of formal experts: periods as they were given, and the occurrences that a weekly repetition comes to (rules §8)."""

from __future__ import annotations

from uuid import UUID

from tortoise import fields

from models.enums import Availability, HalfDay
from models.experts import Expert
from models.ids import new_id
from models.row import Row


class _Span(Row):
    """From one half-day to another, both included."""

    availability = fields.CharEnumField(Availability, max_length=20)
    first_date = fields.DateField()
    first_half = fields.CharEnumField(HalfDay, max_length=2)
    last_date = fields.DateField()
    last_half = fields.CharEnumField(HalfDay, max_length=2)

    class Meta:
        abstract = True


class SchedulePeriod(_Span):
    """A period as the expert gave it; with `weekly_until` it comes again every seven days, the last time on that day at the latest."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    expert_id: UUID
    expert: fields.ForeignKeyRelation[Expert] = fields.ForeignKeyField(
        "models.Expert", "schedule_periods", db_index=True, on_delete=fields.RESTRICT
    )
    weekly_until = fields.DateField(null=True)
    reason = fields.CharField(max_length=200, null=True)
    saved_at = fields.DatetimeField()

    class Meta:
        table = "schedule_periods"


class ScheduleOccurrence(_Span):
    """One time that a period comes. Those of one expert do not overlap (exclusion constraint of 0002, which serves ranges too)."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    period_id: UUID
    period: fields.ForeignKeyRelation[SchedulePeriod] = fields.ForeignKeyField(
        "models.SchedulePeriod", "occurrences", db_index=True, on_delete=fields.CASCADE
    )
    expert_id: UUID
    expert: fields.ForeignKeyRelation[Expert] = fields.ForeignKeyField("models.Expert", "schedule_occurrences", on_delete=fields.RESTRICT)

    class Meta:
        table = "schedule_occurrences"
