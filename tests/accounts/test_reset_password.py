from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from domain.actions import accounts, sessions
from domain.rules.errors import CodeRejected, InvalidInput, SignInRefused
from models.accounts import Account, FailedSignIn, PhoneCode
from models.enums import CodePurpose
from models.sealing import phone_hash
from tests.people import PASSWORD, SignedIn, code_sent, registered_expert, sign_in, some_phone

NEW = "another horse battery"


@pytest.fixture
async def person() -> SignedIn:
    return await registered_expert()


async def hash_of(person: SignedIn) -> str:
    return (await Account.get(id=person.account.id)).password_hash


async def test_a_new_password_holds_and_every_session_ends(now: datetime, person: SignedIn) -> None:
    other = await sign_in(person.phone)
    code = await code_sent(person.phone, CodePurpose.RESET_PASSWORD, now=now + timedelta(minutes=2))

    await accounts.reset_password(person.phone[3:], code=code, password=NEW, now=now + timedelta(minutes=2))

    assert [(await sessions.authenticate(each.token))[0] for each in (person, other)] == [None, None]
    with pytest.raises(SignInRefused):
        await sign_in(person.phone, PASSWORD)
    await sign_in(person.phone, NEW)


async def test_what_was_failed_before_no_longer_counts(now: datetime, person: SignedIn) -> None:
    for _ in range(5):
        with pytest.raises(SignInRefused):
            await sign_in(person.phone, "wrong horse battery")
    code = await code_sent(person.phone, CodePurpose.RESET_PASSWORD, now=now + timedelta(minutes=2))

    await accounts.reset_password(person.phone, code=code, password=NEW, now=now + timedelta(minutes=2))

    assert await FailedSignIn.filter(phone_hash=phone_hash(person.phone)).count() == 0


async def test_a_wrong_code_changes_nothing(now: datetime, person: SignedIn) -> None:
    before = await hash_of(person)
    code = await code_sent(person.phone, CodePurpose.RESET_PASSWORD, now=now + timedelta(minutes=2))

    with pytest.raises(CodeRejected):
        await accounts.reset_password(person.phone, code=f"{(int(code) + 1) % 10**6:06}", password=NEW, now=now + timedelta(minutes=2))

    assert await hash_of(person) == before
    assert (await sessions.authenticate(person.token))[0] == person.viewer


async def test_a_code_for_signing_in_resets_nothing(now: datetime, person: SignedIn) -> None:
    before = await hash_of(person)
    code = await code_sent(person.phone, CodePurpose.SIGN_IN, now=now + timedelta(minutes=2))

    with pytest.raises(CodeRejected):
        await accounts.reset_password(person.phone, code=code, password=NEW, now=now + timedelta(minutes=2))

    assert await hash_of(person) == before


async def test_a_password_that_is_not_taken_leaves_the_code_good(now: datetime, person: SignedIn) -> None:
    later = now + timedelta(minutes=2)
    code = await code_sent(person.phone, CodePurpose.RESET_PASSWORD, now=later)
    personal = f"my-{str(person.account.id_number)[-8:]}-word"

    for password, reason in (
        ("short", "PASSWORD_LENGTH"),
        (f"my-{person.phone[3:]}-word", "PASSWORD_PERSONAL"),
        (personal, "PASSWORD_PERSONAL"),
    ):
        with pytest.raises(InvalidInput) as refusal:
            await accounts.reset_password(person.phone, code=code, password=password, now=later)
        assert [(each.path, each.code) for each in refusal.value.problems] == [("password", reason)]

    await accounts.reset_password(person.phone, code=code, password=NEW, now=later)


async def test_without_the_code_nobody_learns_that_a_password_holds_part_of_the_id_number(now: datetime, person: SignedIn) -> None:
    later = now + timedelta(minutes=2)
    await code_sent(person.phone, CodePurpose.RESET_PASSWORD, now=later)
    issued = await PhoneCode.get(phone_hash=phone_hash(person.phone), purpose=CodePurpose.RESET_PASSWORD)
    personal = f"my-{str(person.account.id_number)[-8:]}-word"

    for password in (personal, NEW):
        with pytest.raises(CodeRejected):
            await accounts.reset_password(person.phone, code="x", password=password, now=later)

    assert (await PhoneCode.get(id=issued.id)).wrong_tries == 2


async def test_a_phone_without_account_is_refused_neutrally(now: datetime) -> None:
    phone = some_phone()
    code = await code_sent(phone, CodePurpose.RESET_PASSWORD, now=now)
    before = await Account.all().count()

    with pytest.raises(SignInRefused):
        await accounts.reset_password(phone, code=code, password=NEW, now=now)

    assert await Account.all().count() == before
