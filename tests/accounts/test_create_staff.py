from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from domain.actions import accounts
from domain.rules.errors import InvalidInput, Taken
from models.accounts import Account
from models.enums import Role
from models.experts import Expert
from tests.people import PASSWORD, registered_expert, some_id_number, some_phone


def filled(**changes: Any) -> dict[str, Any]:
    given = {"role": Role.LOCAL_OFFICER, "pool_code": "220199", "phone": some_phone(), "password": PASSWORD, "name": "李初审"}
    return given | {"id_number": some_id_number()} | changes


async def test_an_officer_of_a_pool_has_an_account_and_no_place_among_the_experts(now: datetime) -> None:
    account = await accounts.create_staff(**filled(pool_code="229900"), now=now)

    kept = await Account.get(id=account.id)
    assert (kept.role, kept.pool_code, kept.name) == (Role.LOCAL_OFFICER, "229900", "李初审")
    assert not await Expert.exists(account_id=account.id)


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"role": Role.EXPERT, "pool_code": None}, "role", "NOT_A_STAFF_ROLE"),
        ({"pool_code": None}, "poolCode", "POOL_OF_LOCAL_OFFICER"),
        ({"role": Role.PROVINCIAL_OFFICER}, "poolCode", "POOL_OF_LOCAL_OFFICER"),
        ({"pool_code": "220100"}, "poolCode", "POOL_NOT_SELECTABLE"),  # a prefecture, not its pool
        ({"pool_code": "110101"}, "poolCode", "POOL_NOT_SELECTABLE"),
        ({"password": "1234567890"}, "password", "PASSWORD_COMMON"),
        ({"id_number": "220102197503120010"}, "idNumber", "ID_NUMBER_CHECK_DIGIT"),
    ],
)
async def test_a_wrong_field_is_told_by_its_path(now: datetime, changes: dict[str, Any], path: str, code: str) -> None:
    before = await Account.all().count()

    with pytest.raises(InvalidInput) as refusal:
        await accounts.create_staff(**filled(**changes), now=now)

    assert [(each.path, each.code) for each in refusal.value.problems] == [(path, code)]
    assert await Account.all().count() == before


async def test_an_expert_cannot_become_staff(now: datetime) -> None:
    expert = await registered_expert()
    before = await Account.all().count()

    with pytest.raises(Taken) as by_number:
        await accounts.create_staff(**filled(id_number=expert.account.id_number), now=now)
    with pytest.raises(Taken) as by_phone:
        await accounts.create_staff(**filled(phone=expert.phone), now=now)

    assert (by_number.value.path, by_phone.value.path) == ("idNumber", "phone")
    assert await Account.all().count() == before
