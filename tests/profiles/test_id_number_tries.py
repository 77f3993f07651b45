from __future__ import annotations

from dataclasses import replace
from datetime import datetime

import pytest

from domain.actions.id_numbers import count_try
from domain.actions.profiles import save_basic_info
from domain.rules.errors import InvalidInput, Taken, TooSoon
from domain.rules.profile_input import BasicInfo
from models.accounts import Account, IdNumberTry
from models.database import transaction
from settings import settings
from tests.conftest import Clock
from tests.graphql import execute
from tests.people import SignedIn, officer, registered_expert, some_id_number

SAVE = """mutation Save($input: BasicInfoSaveInput!) { basicInfoSave(input: $input) { __typename
    ... on TooSoon { retryAfterSeconds } ... on Problem { code } } }"""


async def save(id_number: str, person: SignedIn, now: datetime) -> None:
    await save_basic_info(BasicInfo(id_number=id_number), viewer=person.viewer, now=now)


async def test_so_many_different_numbers_a_day_taken_or_not_and_then_nothing_is_told(clock: Clock) -> None:
    person, other = await registered_expert(), await registered_expert()
    taken, now = str(other.account.id_number), await clock.now()
    free = [some_id_number() for _ in range(3)]
    for each in free:
        await save(each, person, now)
    with pytest.raises(Taken):
        await save(taken, person, now)
    with pytest.raises(Taken):  # the same again costs nothing
        await save(taken, person, now)
    await save(free[0], person, now)
    await save(some_id_number(), person, now)
    before = await Account.get(id=person.account.id)

    for number in (some_id_number(), str((await registered_expert()).account.id_number)):
        with pytest.raises(TooSoon) as refusal:
            await save(number, person, now)
        assert refusal.value.retry_after_seconds == 24 * 3600
    answer = await execute(SAVE, person.viewer, input={"idNumber": some_id_number()})

    assert answer.data is not None
    assert answer.data["basicInfoSave"]["__typename"] == "TooSoon"
    assert (await Account.get(id=person.account.id)).id_number_hash == before.id_number_hash
    assert await IdNumberTry.filter(account_id=person.account.id).count() == 5
    with pytest.raises(Taken):
        await save(taken, person, now)  # what is known already may be asked again
    later = await clock.move(hours=24, seconds=1)
    await save(some_id_number(), person, later)


async def test_the_own_number_and_what_is_no_number_cost_nothing(clock: Clock) -> None:
    person, now = await registered_expert(), await clock.now()

    await save(str(person.account.id_number), person, now)
    with pytest.raises(InvalidInput):
        await save("220102197503120011", person, now)
    await save_basic_info(BasicInfo(employer="吉林大学"), viewer=person.viewer, now=now)

    assert await IdNumberTry.filter(account_id=person.account.id).count() == 0


async def test_each_account_has_its_own_count_and_staff_none(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("domain.actions.profiles.settings", lambda: replace(settings(), id_numbers_per_day=1))
    person, other, staff, now = await registered_expert(), await registered_expert(), await officer(), await clock.now()
    await save(some_id_number(), person, now)

    await save(some_id_number(), other, now)
    answer = await execute(SAVE, staff.viewer, input={"idNumber": some_id_number()})

    assert answer.data == {"basicInfoSave": {"__typename": "NotAllowed", "code": "NOT_ALLOWED"}}
    assert await IdNumberTry.filter(account_id=staff.account.id).count() == 0


async def test_a_try_is_never_counted_where_it_could_be_rolled_back(clock: Clock) -> None:
    person = await registered_expert()

    with pytest.raises(RuntimeError, match="must not be rolled back"):
        async with transaction():
            await count_try(b"x" * 32, account_id=person.account.id, most=5, now=await clock.now())
