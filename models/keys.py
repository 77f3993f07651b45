"""The keys under which this database was written, by fingerprint: so that a process with other keys is told at start."""

from __future__ import annotations

from tortoise import fields

from models.enums import KeyUse
from models.row import Row


class KnownKey(Row):
    """One key that was used here. `retired_at` is set when nothing is sealed under it any more."""

    fingerprint = fields.CharField(max_length=8, primary_key=True)
    use = fields.CharEnumField(KeyUse, max_length=10)
    since = fields.DatetimeField()
    retired_at = fields.DatetimeField(null=True)

    class Meta:
        table = "known_keys"
