from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import pytest

from domain.actions import phone_codes
from domain.rules.errors import CodeRejected
from models.accounts import PhoneCode
from models.database import transaction
from models.enums import CodePurpose
from tests.people import some_address, some_phone

PURPOSE = CodePurpose.SIGN_IN


async def sent(now: datetime) -> tuple[str, PhoneCode, str]:
    """A phone, the challenge that was sent to it, and its digits."""
    phone = some_phone()
    issued = await phone_codes.send(phone, PURPOSE, address=some_address(), now=now)
    return phone, issued, phone_codes.code_of(issued.id)


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


async def state(issued: PhoneCode) -> tuple[int, bool]:
    """Wrong tries, and whether it was used."""
    kept = await PhoneCode.get(id=issued.id)
    return kept.wrong_tries, kept.used_at is not None


async def test_a_right_code_is_good_once(now: datetime) -> None:
    phone, issued, code = await sent(now)

    await phone_codes.spend(phone, PURPOSE, code, now=now + timedelta(minutes=4, seconds=59))

    assert await state(issued) == (0, True)
    with pytest.raises(CodeRejected):
        await phone_codes.spend(phone, PURPOSE, code, now=now + timedelta(minutes=4, seconds=59))
    assert await state(issued) == (0, True)


async def test_full_width_digits_and_spaces_around_are_the_same_code(now: datetime) -> None:
    phone, issued, code = await sent(now)
    full_width = "".join(chr(ord(each) + 0xFEE0) for each in code)

    await phone_codes.spend(phone, PURPOSE, f" {full_width}\n", now=now)

    assert await state(issued) == (0, True)


async def test_at_five_minutes_a_code_is_dead(now: datetime) -> None:
    phone, issued, code = await sent(now)

    with pytest.raises(CodeRejected):
        await phone_codes.spend(phone, PURPOSE, code, now=now + timedelta(minutes=5))

    assert await state(issued) == (0, False)


async def test_a_code_serves_its_own_purpose_and_phone_alone(now: datetime) -> None:
    phone, issued, code = await sent(now)
    other, other_issued, other_code = await sent(now)

    for number, purpose, digits in ((phone, CodePurpose.RESET_PASSWORD, code), (some_phone(), PURPOSE, code)):
        with pytest.raises(CodeRejected):
            await phone_codes.spend(number, purpose, digits, now=now)
    assert code != other_code
    with pytest.raises(CodeRejected):
        await phone_codes.spend(other, PURPOSE, code, now=now)

    assert await state(issued) == (0, False)
    assert await state(other_issued) == (1, False)


async def test_a_superseded_code_is_refused_and_its_digits_count_against_the_new_one(now: datetime) -> None:
    phone, issued, code = await sent(now)
    later = now + timedelta(minutes=1)
    newer = await phone_codes.send(phone, PURPOSE, address=some_address(), now=later)

    with pytest.raises(CodeRejected):
        await phone_codes.spend(phone, PURPOSE, code, now=later)

    assert (await state(issued), await state(newer)) == ((0, False), (1, False))
    await phone_codes.spend(phone, PURPOSE, phone_codes.code_of(newer.id), now=later)


@pytest.mark.parametrize("digits", ["", "12345", "1234567", "abcdef", "\ud800", "0" * 100_000])
async def test_whatever_is_typed_is_one_wrong_try(now: datetime, digits: str) -> None:
    phone, issued, _ = await sent(now)

    with pytest.raises(CodeRejected):
        await phone_codes.spend(phone, PURPOSE, digits, now=now)

    assert await state(issued) == (1, False)


async def test_five_wrong_tries_lock_a_code(now: datetime) -> None:
    phone, issued, code = await sent(now)
    for _ in range(5):
        with pytest.raises(CodeRejected):
            await phone_codes.spend(phone, PURPOSE, wrong(code), now=now)

    with pytest.raises(CodeRejected):
        await phone_codes.spend(phone, PURPOSE, code, now=now)

    assert await state(issued) == (5, False)


async def test_strangers_spend_three_of_the_five_and_who_asked_for_the_code_keeps_two(now: datetime) -> None:
    phone, owner = some_phone(), some_address()
    issued = await phone_codes.send(phone, PURPOSE, address=owner, now=now)
    code = phone_codes.code_of(issued.id)
    for _ in range(8):
        with pytest.raises(CodeRejected):
            await phone_codes.spend(phone, PURPOSE, wrong(code), address=some_address(), now=now)

    assert await state(issued) == (3, False)
    with pytest.raises(CodeRejected):
        await phone_codes.spend(phone, PURPOSE, code, address=some_address(), now=now)  # the right one tells a stranger no more
    with pytest.raises(CodeRejected):
        await phone_codes.spend(phone, PURPOSE, wrong(code), address=owner, now=now)
    await phone_codes.spend(phone, PURPOSE, code, address=owner, now=now)
    assert await state(issued) == (4, True)


async def test_from_elsewhere_a_code_is_good_too_and_five_tries_lock_it_from_wherever_they_come(now: datetime) -> None:
    (phone, _, code), (other, locked, digits) = await sent(now), await sent(now)
    tries = [some_address()] * 3 + [None] * 2

    await phone_codes.spend(phone, PURPOSE, code, address=some_address(), now=now)
    for address in tries:
        with pytest.raises(CodeRejected):
            await phone_codes.spend(other, PURPOSE, wrong(digits), address=address, now=now)

    with pytest.raises(CodeRejected):
        await phone_codes.spend(other, PURPOSE, digits, now=now)
    assert await state(locked) == (5, False)


async def test_four_wrong_tries_leave_one(now: datetime) -> None:
    phone, issued, code = await sent(now)
    for _ in range(4):
        with pytest.raises(CodeRejected):
            await phone_codes.spend(phone, PURPOSE, wrong(code), now=now)

    await phone_codes.spend(phone, PURPOSE, code, now=now)

    assert await state(issued) == (4, True)


async def test_of_fifty_wrong_tries_at_once_five_count_and_the_right_code_comes_too_late(now: datetime) -> None:
    phone, issued, code = await sent(now)
    tries = [phone_codes.spend(phone, PURPOSE, f"{(int(code) + each) % 1_000_000:06}", now=now) for each in range(1, 51)]

    answers = await asyncio.gather(*tries, return_exceptions=True)

    assert {type(each) for each in answers} == {CodeRejected}
    assert await state(issued) == (5, False)
    with pytest.raises(CodeRejected):
        await phone_codes.spend(phone, PURPOSE, code, now=now)


async def test_the_same_right_code_twice_at_once_succeeds_once(now: datetime) -> None:
    phone, issued, code = await sent(now)

    answers = await asyncio.gather(*(phone_codes.spend(phone, PURPOSE, code, now=now) for _ in range(10)), return_exceptions=True)

    assert [each for each in answers if each is None] == [None]
    assert sum(isinstance(each, CodeRejected) for each in answers) == 9
    assert await state(issued) == (0, True)


async def test_making_sure_of_a_code_leaves_it_but_counts_a_wrong_one(now: datetime) -> None:
    phone, issued, code = await sent(now)

    await phone_codes.check(phone, PURPOSE, code, now=now)
    with pytest.raises(CodeRejected):
        await phone_codes.check(phone, PURPOSE, wrong(code), now=now)

    assert await state(issued) == (1, False)
    await phone_codes.spend(phone, PURPOSE, code, now=now)


async def test_a_try_inside_a_transaction_is_a_fault_because_its_count_could_be_rolled_back(now: datetime) -> None:
    phone, issued, code = await sent(now)

    with pytest.raises(RuntimeError):
        async with transaction():
            await phone_codes.spend(phone, PURPOSE, wrong(code), now=now)

    assert await state(issued) == (0, False)
