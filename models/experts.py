"""Experts: the person in the registry, across revisions and cases."""

from __future__ import annotations

from uuid import UUID

from tortoise import fields

from models.accounts import Account
from models.enums import Standing
from models.ids import new_id
from models.row import Row


class Expert(Row):
    """One person's place in the registry. `pool_code` is set at admission and moves with a division change.

    `name` and `employer` repeat the profile in force, the employer by a trigger. Before admission the name is the account's.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    account_id: UUID
    account: fields.OneToOneRelation[Account] = fields.OneToOneField("models.Account", "expert", on_delete=fields.RESTRICT)
    standing = fields.CharEnumField(Standing, max_length=20, default=Standing.TEMPORARY)
    number = fields.CharField(max_length=20, null=True, unique=True)
    # Of name and employer PostgreSQL keeps `words` in the row, for searches alone (migration 0035).
    name = fields.CharField(max_length=60)
    employer = fields.CharField(max_length=120, null=True)
    pool_code = fields.CharField(max_length=6, null=True)
    formal_since = fields.DatetimeField(null=True)
    draft_id = fields.UUIDField(null=True)  # the open revision, if any
    effective_id = fields.UUIDField(null=True)  # the revision in force, if any
    last_version = fields.IntField(default=0)  # the highest version of drafts that were submitted or dropped: none is given twice
    suspended_until = fields.DateField(null=True)  # last day of the running suspension
    lapses_on = fields.DateField(null=True)  # first day outside by age, set when the person is told
    created_at = fields.DatetimeField()
    erased_at = fields.DatetimeField(null=True)  # when the personal data of somebody who left were erased

    class Meta:
        table = "experts"
