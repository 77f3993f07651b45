from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.actions import demonstration
from domain.actions.demonstration import ACCOUNTS
from domain.rules.errors import NotAllowed
from models.accounts import Account
from models.enums import Role, Standing
from models.experts import Expert
from models.sms import SmsMessage
from settings import Settings
from tests.people import sign_in


async def test_outside_development_there_are_no_such_accounts(database: Settings, change_settings: Callable[..., Settings]) -> None:
    change_settings(development=False)

    with pytest.raises(NotAllowed) as refusal:
        await demonstration.prepare()

    assert refusal.value.code == "DEVELOPMENT_ONLY"
    assert await Account.all().count() == 0


async def test_everybody_can_sign_in_and_a_second_start_changes_nothing(database: Settings) -> None:
    await demonstration.prepare()
    before = {each.id: each.password_hash for each in await Account.all()}

    await demonstration.prepare()

    assert {each.id: each.password_hash for each in await Account.all()} == before
    people = [await sign_in(each.phone, each.password) for each in ACCOUNTS]
    assert [(each.viewer.role, each.viewer.pool_code) for each in people] == [
        (Role.EXPERT, None),
        (Role.LOCAL_OFFICER, "220199"),
        (Role.LOCAL_OFFICER, "220299"),
        (Role.PROVINCIAL_OFFICER, None),
        (Role.PROVINCIAL_OFFICER, None),
        (Role.ADMINISTRATOR, None),
    ]
    assert [each.standing for each in await Expert.all()] == [Standing.TEMPORARY]
    assert await SmsMessage.all().count() == 0
