"""Images that people hand in."""

from __future__ import annotations

from uuid import UUID

from tortoise import fields

from models.accounts import Account
from models.enums import FilePurpose
from models.ids import new_id
from models.row import Row


class StoredFile(Row):
    """One checked and stripped image. The bytes lie in the object store under `object_key`, named by their hash."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    owner_id: UUID
    owner: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField("models.Account", "files", db_index=True, on_delete=fields.RESTRICT)
    purpose = fields.CharEnumField(FilePurpose, max_length=20)
    original_name = fields.CharField(max_length=200)
    media_type = fields.CharField(max_length=30)
    size = fields.IntField()
    width = fields.IntField()
    height = fields.IntField()
    sharpness = fields.FloatField()
    blurred = fields.BooleanField()
    sha256 = fields.BinaryField()
    object_key = fields.CharField(max_length=200)
    created_at = fields.DatetimeField()

    class Meta:
        table = "files"
        indexes = (("object_key",),)
