from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from domain.actions import phone_codes
from domain.rules.errors import InvalidInput, TooSoon
from models.accounts import PhoneCode
from models.enums import CodePurpose, OutboxState, SmsState, SmsTemplate
from models.outbox import OutboxRow
from models.sealing import phone_hash
from models.sms import SmsMessage
from settings import Settings
from tests.people import registered_expert, some_address, some_phone


async def kept(phone: str) -> list[PhoneCode]:
    return await PhoneCode.filter(phone_hash=phone_hash(phone)).order_by("id")


async def test_a_code_lives_five_minutes_and_its_message_is_promised_without_the_digits(now: datetime) -> None:
    phone = some_phone()

    sent = await phone_codes.send(phone, CodePurpose.REGISTER, address="192.0.2.1", language="en", now=now)

    assert sent.expires_at == now + timedelta(minutes=5)
    message = await SmsMessage.get(phone_code_id=sent.id)
    assert (message.template, message.state, message.phone, message.language) == (SmsTemplate.PHONE_CODE, SmsState.QUEUED, phone, "en")
    assert (message.parameters, message.account_id) == ({}, None)
    promised = await OutboxRow.get(subject_id=message.id)
    assert (promised.kind, promised.state, promised.due_at) == ("SMS", OutboxState.PENDING, now)


async def test_codes_are_six_digits_that_no_row_holds_and_that_differ_by_challenge(now: datetime) -> None:
    sent = [await phone_codes.send(some_phone(), CodePurpose.REGISTER, address=some_address(), now=now) for _ in range(20)]

    codes = [phone_codes.code_of(each.id) for each in sent]

    assert all(len(code) == 6 and code.isdecimal() for code in codes)
    assert len(set(codes)) > 15
    assert codes == [phone_codes.code_of(each.id) for each in sent]
    assert "code_hash" not in PhoneCode._meta.fields


async def test_known_and_unknown_phones_get_the_same_answer_and_the_same_message(now: datetime) -> None:
    known = (await registered_expert()).phone
    later = now + timedelta(minutes=2)

    answers = [await phone_codes.send(phone, CodePurpose.SIGN_IN, address=some_address(), now=later) for phone in (known, some_phone())]

    assert [(each.expires_at, each.purpose) for each in answers] == [(later + timedelta(minutes=5), CodePurpose.SIGN_IN)] * 2
    messages = [await SmsMessage.get(phone_code_id=each.id) for each in answers]
    assert [(each.template, each.parameters, each.account_id) for each in messages] == [(SmsTemplate.PHONE_CODE, {}, None)] * 2


@pytest.mark.parametrize(
    ("phone", "code"),
    [("0431-88904114", "PHONE_NOT_MOBILE"), ("+1 415 555 2671", "PHONE_NOT_MAINLAND"), ("95588", "PHONE_FORMAT"), ("", "PHONE_FORMAT")],
)
async def test_what_is_no_mobile_number_of_the_mainland_is_refused(now: datetime, phone: str, code: str) -> None:
    before = await PhoneCode.all().count()

    with pytest.raises(InvalidInput) as refusal:
        await phone_codes.send(phone, CodePurpose.REGISTER, address="192.0.2.1", now=now)

    assert [(each.path, each.code) for each in refusal.value.problems] == [("phone", code)]
    assert await PhoneCode.all().count() == before


async def test_within_sixty_seconds_there_is_no_second_code_whatever_its_purpose(now: datetime) -> None:
    phone = some_phone()
    await phone_codes.send(phone, CodePurpose.REGISTER, address=some_address(), now=now)

    with pytest.raises(TooSoon) as refusal:
        await phone_codes.send(phone, CodePurpose.SIGN_IN, address=some_address(), now=now + timedelta(seconds=59))

    assert refusal.value.retry_after_seconds == 1
    assert len(await kept(phone)) == 1
    await phone_codes.send(phone, CodePurpose.SIGN_IN, address=some_address(), now=now + timedelta(seconds=60))


async def test_a_new_code_takes_the_place_of_the_old_one_of_its_purpose_alone(now: datetime) -> None:
    phone = some_phone()
    for number, purpose in enumerate((CodePurpose.REGISTER, CodePurpose.SIGN_IN, CodePurpose.REGISTER)):
        await phone_codes.send(phone, purpose, address=some_address(), now=now + timedelta(minutes=number))

    codes = await kept(phone)

    assert [each.superseded_at for each in codes] == [now + timedelta(minutes=2), None, None]


async def test_a_phone_gets_ten_codes_in_a_day(now: datetime) -> None:
    phone = some_phone()
    for number in range(10):
        await phone_codes.send(phone, CodePurpose.SIGN_IN, address=some_address(), now=now + timedelta(hours=number))

    with pytest.raises(TooSoon) as refusal:
        await phone_codes.send(phone, CodePurpose.SIGN_IN, address=some_address(), now=now + timedelta(hours=23))

    assert refusal.value.retry_after_seconds == 3600
    assert len(await kept(phone)) == 10
    await phone_codes.send(phone, CodePurpose.SIGN_IN, address=some_address(), now=now + timedelta(hours=24))


async def test_purposes_of_anybody_take_half_of_a_phones_day_and_leave_the_rest_to_its_owner(now: datetime) -> None:
    phone = some_phone()
    for number in range(5):
        purpose = CodePurpose.OBJECT if number % 2 else CodePurpose.REGISTER
        await phone_codes.send(phone, purpose, address=some_address(), now=now + timedelta(hours=number))

    for purpose in (CodePurpose.OBJECT, CodePurpose.REGISTER):
        with pytest.raises(TooSoon) as refusal:
            await phone_codes.send(phone, purpose, address=some_address(), now=now + timedelta(hours=5))
        assert refusal.value.retry_after_seconds == 19 * 3600

    assert len(await kept(phone)) == 5
    for number, purpose in enumerate((CodePurpose.SIGN_IN, CodePurpose.RESET_PASSWORD, CodePurpose.DEREGISTER)):
        await phone_codes.send(phone, purpose, address=some_address(), now=now + timedelta(hours=6 + number))


async def test_codes_that_one_address_asks_for_and_nobody_uses_take_half_of_a_phones_day(now: datetime) -> None:
    phone, stranger, owner = some_phone(), some_address(), some_address()
    for number in range(5):
        await phone_codes.send(phone, CodePurpose.SIGN_IN, address=stranger, now=now + timedelta(hours=number))

    with pytest.raises(TooSoon) as refusal:
        await phone_codes.send(phone, CodePurpose.RESET_PASSWORD, address=stranger, now=now + timedelta(hours=5))

    assert refusal.value.retry_after_seconds == 19 * 3600
    assert len(await kept(phone)) == 5
    for number in range(5):
        issued = await phone_codes.send(phone, CodePurpose.SIGN_IN, address=owner, now=now + timedelta(hours=6 + number))
        await phone_codes.spend(phone, CodePurpose.SIGN_IN, phone_codes.code_of(issued.id), now=now + timedelta(hours=6 + number))


async def test_who_uses_the_codes_has_all_ten_from_one_address(now: datetime) -> None:
    phone, owner = some_phone(), some_address()

    for number in range(10):
        later = now + timedelta(hours=number)
        issued = await phone_codes.send(phone, CodePurpose.SIGN_IN, address=owner, now=later)
        await phone_codes.spend(phone, CodePurpose.SIGN_IN, phone_codes.code_of(issued.id), now=later)

    assert len(await kept(phone)) == 10


async def test_a_client_address_gets_thirty_codes_in_an_hour_also_when_it_asks_for_all_at_once(now: datetime) -> None:
    asked = [phone_codes.send(some_phone(), CodePurpose.REGISTER, address=f"2001:db8::{each:x}", now=now) for each in range(50)]

    answers = await asyncio.gather(*asked, return_exceptions=True)

    assert sum(isinstance(each, PhoneCode) for each in answers) == 30
    assert {each.retry_after_seconds for each in answers if isinstance(each, TooSoon)} == {3600}
    await phone_codes.send(some_phone(), CodePurpose.REGISTER, address="2001:db8:0:1::1", now=now)


async def test_of_two_requests_for_one_phone_at_once_one_sends(now: datetime) -> None:
    phone = some_phone()
    asked = [phone_codes.send(phone, CodePurpose.REGISTER, address=some_address(), now=now) for _ in range(8)]

    answers = await asyncio.gather(*asked, return_exceptions=True)

    assert sorted(type(each).__name__ for each in answers) == ["PhoneCode"] + ["TooSoon"] * 7
    assert len(await kept(phone)) == 1


async def test_when_the_installation_has_sent_its_budget_sending_stops_until_it_falls(
    now: datetime, change_settings: Callable[..., Settings]
) -> None:
    begin = now + timedelta(days=3)
    change_settings(phone_codes_per_hour=4)
    for number in range(4):
        await phone_codes.send(some_phone(), CodePurpose.REGISTER, address=some_address(), now=begin + timedelta(minutes=number))

    with pytest.raises(TooSoon) as refusal:
        await phone_codes.send(some_phone(), CodePurpose.REGISTER, address=some_address(), now=begin + timedelta(minutes=50))

    assert refusal.value.retry_after_seconds == 600
    await phone_codes.send(some_phone(), CodePurpose.REGISTER, address=some_address(), now=begin + timedelta(minutes=60))
