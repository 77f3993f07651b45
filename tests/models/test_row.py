"""What all models have in common."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from tortoise import fields
from tortoise.exceptions import FieldError

from models.accounts import Account
from models.row import Row
from settings import Settings


class Commented(Row):
    #: Would be the column's comment in the database.
    name = fields.CharField(max_length=10)

    class Meta:
        abstract = True


def test_comments_beside_a_column_are_not_looked_for() -> None:
    assert Commented._meta.fields_map["name"].description is None


async def test_rows_are_found_by_comparing(database: Settings) -> None:
    since = datetime(2026, 1, 1, tzinfo=UTC)

    found = await Account.filter(name__in=["nobody"], created_at__gte=since, second_factor_since__isnull=True).count()

    assert found == 0


async def test_rows_are_not_searched_by_the_object_mapper(database: Settings) -> None:
    with pytest.raises(FieldError, match="name__icontains"):
        await Account.filter(name__icontains="nobody").count()
