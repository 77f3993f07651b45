"""What all models have in common."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import cast

import pytest
from tortoise import Tortoise, fields
from tortoise.exceptions import FieldError

from models.accounts import Account
from models.database import columns, rows
from models.row import Row
from settings import Settings
from tests.plan.province import small_province


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


async def test_a_row_is_what_tortoise_would_have_made(database: Settings) -> None:
    await small_province()
    compared = 0
    for model in cast("list[type[Row]]", list((Tortoise.apps or {})["models"].values())):
        for found in await rows(f"SELECT {columns(model, 't')} FROM {model._meta.db_table} t LIMIT 50"):
            row, expected = model.of(found), model._init_from_db(**dict(found))

            assert vars(row) == vars(expected)
            assert {name: type(each) for name, each in vars(row).items()} == {name: type(each) for name, each in vars(expected).items()}
            compared += 1
    assert compared > 100


async def test_a_row_that_was_found_can_be_changed_and_saved(database: Settings) -> None:
    province = await small_province()
    viewer = province.viewers["admitted"]
    assert viewer is not None
    [found] = await rows(f"SELECT {columns(Account, 't')}, 1 AS further FROM accounts t WHERE id = $1", viewer.account_id)

    account = Account.of(found)
    account.name = "陈改"
    await account.save()

    assert (await Account.get(id=viewer.account_id)).name == "陈改"
    assert await Account.filter(name="陈改").count() == 1


async def test_a_row_wants_all_its_columns(database: Settings) -> None:
    [found] = await rows("SELECT 1 AS id")

    with pytest.raises(KeyError):
        Account.of(found)
