"""The ledger of messages to phones (rules §7)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tortoise import fields

from models.accounts import Account
from models.enums import ReminderKind, SmsState, SmsTemplate
from models.ids import new_id
from models.row import Row
from models.sealing import SealedField


class SmsMessage(Row):
    """One message. Its text is made from template, language and parameters at the time of sending; a code is never in it."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    template = fields.CharEnumField(SmsTemplate, max_length=30)
    language = fields.CharField(max_length=5)
    phone = SealedField("sms.phone")
    phone_masked = fields.CharField(max_length=20)
    account_id: UUID | None
    account: fields.ForeignKeyNullableRelation[Account] = fields.ForeignKeyField(
        "models.Account", "messages", null=True, db_index=True, on_delete=fields.RESTRICT
    )
    application_id = fields.UUIDField(null=True)
    phone_code_id = fields.UUIDField(null=True)
    parameters = fields.JSONField[dict[str, Any]](default=dict)
    state = fields.CharEnumField(SmsState, max_length=20, default=SmsState.QUEUED)
    attempts = fields.IntField(default=0)
    provider = fields.CharField(max_length=30, null=True)
    provider_reference = fields.CharField(max_length=100, null=True)
    last_error = fields.CharField(max_length=200, null=True)
    resend_of = fields.UUIDField(null=True)  # the message that this one repeats
    created_at = fields.DatetimeField()
    sent_at = fields.DatetimeField(null=True)
    receipt_at = fields.DatetimeField(null=True)  # when its provider told what became of it

    class Meta:
        table = "sms_messages"
        indexes = (("application_id",), ("state", "created_at"), ("created_at", "id"))


class Reminder(Row):
    """That somebody was reminded of something, once (a_reminder_is_given_once): of what, counted from when, at which distance in days."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    kind = fields.CharEnumField(ReminderKind, max_length=30)
    subject_id = fields.UUIDField()  # the case; the entry of the qualification, which keeps its id through all revisions
    counted_from = fields.DatetimeField()
    days = fields.IntField()
    at = fields.DatetimeField()

    class Meta:
        table = "reminders"
