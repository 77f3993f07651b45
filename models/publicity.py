"""Public notices 公示 and objections to them (rules §6)."""

from __future__ import annotations

from uuid import UUID

from tortoise import fields

from models.applications import Application
from models.enums import NoticeState, ObjectionState
from models.ids import new_id
from models.row import Row
from models.sealing import SealedField


class PublicNotice(Row):
    """One admission before the public, with what the public sees of it."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    application_id: UUID
    application: fields.OneToOneRelation[Application] = fields.OneToOneField("models.Application", "notice", on_delete=fields.RESTRICT)
    state = fields.CharEnumField(NoticeState, max_length=10, default=NoticeState.OPEN)
    name = fields.CharField(max_length=60)
    employer = fields.CharField(max_length=120)
    pool_code = fields.CharField(max_length=6)
    opened_at = fields.DatetimeField()
    first_day = fields.DateField()
    last_day = fields.DateField()
    closes_at = fields.DatetimeField()
    days_counted = fields.JSONField[list[str]]()  # ISO dates
    tentative = fields.BooleanField()
    closed_at = fields.DatetimeField(null=True)

    class Meta:
        table = "public_notices"


class NoticeSpecialty(Row):
    """A specialty named in a notice."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    notice_id: UUID
    notice: fields.ForeignKeyRelation[PublicNotice] = fields.ForeignKeyField(
        "models.PublicNotice", "specialties", db_index=True, on_delete=fields.RESTRICT
    )
    position = fields.IntField(default=0)
    specialty_code = fields.CharField(max_length=12)

    class Meta:
        table = "notice_specialties"


class Objection(Row):
    """异议: somebody objects to an admission; who it was is never told to the expert."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    notice_id: UUID
    notice: fields.ForeignKeyRelation[PublicNotice] = fields.ForeignKeyField(
        "models.PublicNotice", "objections", db_index=True, on_delete=fields.RESTRICT
    )
    application_id: UUID
    application: fields.ForeignKeyRelation[Application] = fields.ForeignKeyField(
        "models.Application", "objections", db_index=True, on_delete=fields.RESTRICT
    )
    receipt = fields.CharField(max_length=20)
    state = fields.CharEnumField(ObjectionState, max_length=10, default=ObjectionState.OPEN)
    phone = SealedField("objection.phone")
    phone_hash = fields.BinaryField()
    phone_masked = fields.CharField(max_length=20)
    address_hash = fields.BinaryField()
    text = fields.CharField(max_length=2000)
    received_at = fields.DatetimeField()
    settled_at = fields.DatetimeField(null=True)
    settled_by_id = fields.UUIDField(null=True)
    settled_by_name = fields.CharField(max_length=60, null=True)
    settlement = fields.CharField(max_length=1000, null=True)

    class Meta:
        table = "objections"
        indexes = (("phone_hash", "received_at"), ("address_hash", "received_at"), ("received_at", "id"))
