"""Cases 申请: one request of an expert on its way through the reviews, and the chain of its records (rules §5)."""

from __future__ import annotations

from uuid import UUID

from tortoise import fields

from models.accounts import Account
from models.enums import CaseKind, Move, RejectReason, Role, Stage
from models.experts import Expert
from models.ids import new_id
from models.profiles import Revision
from models.row import Row


class Application(Row):
    """One case. `stage` is its only status; domain/actions/moving.py is its only writer.

    `revision` is the frozen revision under review (the last reviewed one while the case is returned), empty before the first submission.
    `applicant`, `employer` and `pool_code` repeat that revision for the officers' queue. `round` counts submissions. A change of division
    (and nothing else) names in `leaving_pool_code` the pool that the expert was in when it was submitted.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    kind = fields.CharEnumField(CaseKind, max_length=20)
    expert_id: UUID
    expert: fields.ForeignKeyRelation[Expert] = fields.ForeignKeyField(
        "models.Expert", "applications", db_index=True, on_delete=fields.RESTRICT
    )
    revision_id: UUID | None
    revision: fields.ForeignKeyNullableRelation[Revision] = fields.ForeignKeyField(
        "models.Revision", "applications", null=True, db_index=True, on_delete=fields.RESTRICT
    )
    stage = fields.CharEnumField(Stage, max_length=20, default=Stage.DRAFT)
    round = fields.IntField(default=0)
    pool_code = fields.CharField(max_length=6, null=True)
    leaving_pool_code = fields.CharField(max_length=6, null=True)
    # Of applicant and employer PostgreSQL keeps `words` in the row, for searches alone (migration 0027).
    applicant = fields.CharField(max_length=60)
    employer = fields.CharField(max_length=120, null=True)
    declared_commitment = fields.BooleanField(default=False)
    declared_avoidance = fields.BooleanField(default=False)
    created_at = fields.DatetimeField()
    submitted_at = fields.DatetimeField(null=True)
    stage_since = fields.DatetimeField()
    due_at = fields.DatetimeField(null=True)  # end of the office's budget for this stage
    given_at = fields.DatetimeField(null=True)  # when a pool that closed gave the case to the office whose budget that is
    closed_at = fields.DatetimeField(null=True)
    claimed_by_id: UUID | None
    claimed_by: fields.ForeignKeyNullableRelation[Account] = fields.ForeignKeyField(
        "models.Account", "claims", null=True, on_delete=fields.RESTRICT
    )
    claimed_by_name = fields.CharField(max_length=60, null=True)
    claimed_until = fields.DatetimeField(null=True)
    records_count = fields.IntField(default=0)
    last_hash = fields.BinaryField(null=True)

    class Meta:
        table = "applications"
        indexes = (("stage", "pool_code", "stage_since", "id"),)


class ApplicationRecord(Row):
    """One move of a case: who, when, from, to. Append-only (trigger of 0002); `hash` covers the row and the hash of the one before."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    application_id: UUID
    application: fields.ForeignKeyRelation[Application] = fields.ForeignKeyField("models.Application", "records", on_delete=fields.RESTRICT)
    number = fields.IntField()
    round = fields.IntField()
    at = fields.DatetimeField()
    actor_id: UUID | None
    actor: fields.ForeignKeyNullableRelation[Account] = fields.ForeignKeyField(
        "models.Account", "acts", null=True, on_delete=fields.RESTRICT
    )
    actor_name = fields.CharField(max_length=60, null=True)
    actor_role = fields.CharEnumField(Role, max_length=20, null=True)  # empty: the system
    move = fields.CharEnumField(Move, max_length=30)
    from_stage = fields.CharEnumField(Stage, max_length=20)
    to_stage = fields.CharEnumField(Stage, max_length=20)
    revision_id: UUID | None
    revision: fields.ForeignKeyNullableRelation[Revision] = fields.ForeignKeyField(
        "models.Revision", "records", null=True, on_delete=fields.RESTRICT
    )
    opinion = fields.CharField(max_length=1000, null=True)
    reject_reason = fields.CharEnumField(RejectReason, max_length=30, null=True)
    field_reasons = fields.JSONField[list[dict[str, str]]](default=list)  # [{path, text}] of a return
    previous_hash = fields.BinaryField(null=True)
    hash = fields.BinaryField()
    erased_hash = fields.BinaryField(null=True)  # covers the row as it is once personal data were erased from it

    class Meta:
        table = "application_records"
        unique_together = (("application", "number"),)


class ApplicationNote(Row):
    """A note among the officers of a case. Append-only (trigger of 0002)."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    application_id: UUID
    application: fields.ForeignKeyRelation[Application] = fields.ForeignKeyField(
        "models.Application", "notes", db_index=True, on_delete=fields.RESTRICT
    )
    author_id: UUID
    author: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField("models.Account", "notes", on_delete=fields.RESTRICT)
    author_name = fields.CharField(max_length=60)
    author_role = fields.CharEnumField(Role, max_length=20)
    author_pool_code = fields.CharField(max_length=6, null=True)  # the officer's pool when it was written; empty for the province
    text = fields.CharField(max_length=2000)
    at = fields.DatetimeField()

    class Meta:
        table = "application_notes"
