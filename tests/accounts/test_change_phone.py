from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.actions import accounts, passwords, sessions
from domain.rules.errors import CodeRejected, InvalidInput, NotSignedIn, SignInRefused, Taken, TooSoon
from models.accounts import Account, PhoneCode
from models.enums import CodePurpose, SmsTemplate
from models.outbox import OutboxRow
from models.sealing import phone_hash
from models.sms import SmsMessage
from tests.people import PASSWORD, SignedIn, code_sent, registered_expert, sign_in, some_address, some_phone

CHANGE = CodePurpose.CHANGE_PHONE


@pytest.fixture
async def person() -> SignedIn:
    return await registered_expert()


@pytest.fixture
def later(now: datetime) -> datetime:
    """After the pause that follows the code of registration."""
    return now + timedelta(minutes=2)


async def change(person: SignedIn, new_phone: str, *, now: datetime, address: str | None = None, **proof: Any) -> Account:
    return await accounts.change_phone(new_phone, viewer=person.viewer, address=address or some_address(), now=now, **proof)


async def phone_of(person: SignedIn) -> str:
    return str((await Account.get(id=person.account.id)).phone)


async def unused(phone: str) -> bool:
    """Whether the phone's code for changing is still good."""
    found = await PhoneCode.filter(phone_hash=phone_hash(phone), purpose=CHANGE).first()
    return found is not None and found.used_at is None


async def test_with_the_password_the_new_phone_signs_in_and_the_old_one_no_longer(person: SignedIn, later: datetime) -> None:
    new, other = some_phone(), await sign_in(person.phone)
    code = await code_sent(new, CHANGE, now=later)

    account = await change(person, new, code=code, password=PASSWORD, now=later)

    assert (account.phone, account.phone_masked) == (new, f"{new[3:6]}****{new[-4:]}")
    assert await phone_of(person) == new
    assert (await sessions.authenticate(person.token))[0] == person.viewer
    assert (await sessions.authenticate(other.token))[0] is None
    with pytest.raises(SignInRefused):
        await sign_in(person.phone)
    await sign_in(new)


async def test_with_a_code_to_the_old_phone_no_password_is_needed(person: SignedIn, later: datetime) -> None:
    new = some_phone()
    code, old_code = await code_sent(new, CHANGE, now=later), await code_sent(person.phone, CHANGE, now=later)

    await change(person, new, code=code, old_code=old_code, now=later)

    assert await phone_of(person) == new
    assert [await unused(each) for each in (new, person.phone)] == [False, False]


async def test_both_phones_are_told(person: SignedIn, later: datetime) -> None:
    new = some_phone()

    await change(person, new, code=await code_sent(new, CHANGE, now=later), password=PASSWORD, now=later)

    told = await SmsMessage.filter(account_id=person.account.id).order_by("id")
    assert [(each.template, each.phone, each.parameters) for each in told] == [
        (SmsTemplate.PHONE_CHANGED, person.phone, {"phone": f"{new[3:6]}****{new[-4:]}"}),
        (SmsTemplate.PHONE_CHANGED, new, {"phone": f"{new[3:6]}****{new[-4:]}"}),
    ]
    assert await OutboxRow.filter(kind="SMS", subject_id__in=[each.id for each in told]).count() == 2


@pytest.mark.parametrize("proof", [{}, {"password": PASSWORD, "old_code": "123456"}])
async def test_exactly_one_proof_is_asked_for(person: SignedIn, later: datetime, proof: dict[str, str]) -> None:
    new = some_phone()
    code = await code_sent(new, CHANGE, now=later)

    with pytest.raises(InvalidInput) as refusal:
        await change(person, new, code=code, **proof, now=later)

    assert [(each.path, each.code) for each in refusal.value.problems] == [("password", "ONE_PROOF")]
    assert await unused(new)


async def test_the_same_phone_is_no_new_one(person: SignedIn, later: datetime) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await change(person, person.phone, code="123456", password=PASSWORD, now=later)

    assert [(each.path, each.code) for each in refusal.value.problems] == [("newPhone", "PHONE_UNCHANGED")]


async def test_a_wrong_password_changes_nothing_counts_as_a_failure_and_leaves_the_code_good(person: SignedIn, later: datetime) -> None:
    new, here = some_phone(), some_address()
    code = await code_sent(new, CHANGE, now=later)

    for _ in range(5):
        with pytest.raises(SignInRefused):
            await change(person, new, code=code, password="wrong horse battery", address=here, now=later)
    with pytest.raises(TooSoon):
        await change(person, new, code=code, password=PASSWORD, address=here, now=later)

    assert await phone_of(person) == person.phone
    assert await unused(new)


async def test_a_wrong_new_code_leaves_the_old_one_good(person: SignedIn, later: datetime) -> None:
    new = some_phone()
    code, old_code = await code_sent(new, CHANGE, now=later), await code_sent(person.phone, CHANGE, now=later)

    with pytest.raises(CodeRejected):
        await change(person, new, code=f"{(int(code) + 1) % 10**6:06}", old_code=old_code, now=later)

    assert await phone_of(person) == person.phone
    assert await unused(person.phone)


async def test_a_wrong_old_code_leaves_the_new_one_good(person: SignedIn, later: datetime) -> None:
    new = some_phone()
    code, old_code = await code_sent(new, CHANGE, now=later), await code_sent(person.phone, CHANGE, now=later)

    with pytest.raises(CodeRejected):
        await change(person, new, code=code, old_code=f"{(int(old_code) + 1) % 10**6:06}", now=later)

    assert await phone_of(person) == person.phone
    assert await unused(new)


async def test_a_phone_of_somebody_else_is_told_to_its_holder_alone(person: SignedIn, later: datetime) -> None:
    taken = (await registered_expert(name="李四")).phone
    code = await code_sent(taken, CHANGE, now=later)

    with pytest.raises(CodeRejected):
        await change(person, taken, code=f"{(int(code) + 1) % 10**6:06}", password=PASSWORD, now=later)
    with pytest.raises(Taken) as refusal:
        await change(person, taken, code=code, password=PASSWORD, now=later)

    assert refusal.value.path == "newPhone"
    assert await phone_of(person) == person.phone
    assert await SmsMessage.filter(account_id=person.account.id).count() == 0


async def test_two_people_who_change_to_one_phone_at_once_do_not_share_it(later: datetime) -> None:
    people, new = [await registered_expert(), await registered_expert()], some_phone()
    code = await code_sent(new, CHANGE, now=later)

    answers = await asyncio.gather(*(change(each, new, code=code, password=PASSWORD, now=later) for each in people), return_exceptions=True)

    assert sorted(type(each).__name__ for each in answers) == ["Account", "CodeRejected"]
    assert await Account.filter(phone_hash=phone_hash(new)).count() == 1


async def test_a_change_whose_proof_was_overtaken_by_another_change_is_refused(
    person: SignedIn, later: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    overtaking, overtaken = some_phone(), some_phone()
    codes = [await code_sent(each, CHANGE, now=later) for each in (overtaking, overtaken)]

    async def opens_while_overtaken(*arguments: Any, **named: Any) -> bool:
        monkeypatch.undo()
        await change(person, overtaking, code=codes[0], password=PASSWORD, now=later)
        return await real(*arguments, **named)

    real = passwords.password_opens
    monkeypatch.setattr("domain.actions.accounts.password_opens", opens_while_overtaken)

    with pytest.raises(NotSignedIn):
        await change(person, overtaken, code=codes[1], password=PASSWORD, now=later)

    assert await phone_of(person) == overtaking
