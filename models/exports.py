"""Exports 导出: files that somebody asked for, made by a worker (rules §3, §9)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tortoise import fields

from models.accounts import Account
from models.enums import ExportKind, ExportState
from models.ids import new_id
from models.row import Row


class Export(Row):
    """One file to take along, for the person who asked alone. Its bytes lie sealed in the object store under `object_key`.

    `subject_id` is the revision of an application form. `pool_code` is the officer's at the time of asking: who has moved to another office
    does not take the former one's rows along.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    kind = fields.CharEnumField(ExportKind, max_length=20)
    requested_by_id: UUID
    requested_by: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField("models.Account", "exports", on_delete=fields.RESTRICT)
    pool_code = fields.CharField(max_length=6, null=True)
    subject_id = fields.UUIDField(null=True)
    conditions = fields.JSONField[dict[str, Any]](default=dict)
    state = fields.CharEnumField(ExportState, max_length=20, default=ExportState.QUEUED)
    done = fields.IntField(default=0)  # rows or files so far
    total = fields.IntField(null=True)  # known once it is being made
    failure = fields.CharField(max_length=60, null=True)  # code of the reason
    created_at = fields.DatetimeField()
    finished_at = fields.DatetimeField(null=True)
    expires_at = fields.DatetimeField(null=True)
    downloaded_at = fields.DatetimeField(null=True)
    object_key = fields.CharField(max_length=200, null=True)
    file_name = fields.CharField(max_length=200, null=True)
    media_type = fields.CharField(max_length=100, null=True)
    size = fields.BigIntField(null=True)

    class Meta:
        table = "exports"
        indexes = (("requested_by_id", "created_at", "id"), ("object_key",), ("state", "expires_at"))
