"""Promises: what must happen later, written in the same transaction as its cause."""

from __future__ import annotations

from tortoise import fields

from models.enums import OutboxState
from models.ids import new_id
from models.row import Row


class OutboxRow(Row):
    """One promise: `kind` names the verb, `subject_id` the row it is about; the id is the provider's idempotency key.

    `correlation_id` is that of the request that promised it: worker and provider go on under it.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    kind = fields.CharField(max_length=30)
    subject_id = fields.UUIDField()
    state = fields.CharEnumField(OutboxState, max_length=10, default=OutboxState.PENDING)
    attempts = fields.IntField(default=0)
    correlation_id = fields.CharField(max_length=32, null=True)
    due_at = fields.DatetimeField()
    lease_token = fields.UUIDField(null=True)
    last_error = fields.CharField(max_length=200, null=True)
    created_at = fields.DatetimeField()
    done_at = fields.DatetimeField(null=True)

    class Meta:
        table = "outbox"
        indexes = (("state", "due_at"),)
