from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

import pytest

from domain.actions import demonstration, phone_codes
from domain.rules.errors import InvalidInput, NotAllowed
from models.enums import CodePurpose, SmsState, SmsTemplate
from settings import Settings
from tests.people import some_address, some_phone


async def test_a_newcomer_reads_the_code_that_was_sent_to_a_phone(now: datetime) -> None:
    phone = some_phone()
    issued = await phone_codes.send(phone, CodePurpose.REGISTER, address=some_address(), now=now)
    await phone_codes.send(some_phone(), CodePurpose.REGISTER, address=some_address(), now=now)

    found = await demonstration.latest_messages(phone[3:])

    assert [(each.template, each.phone, each.state, each.created_at) for each in found] == [
        (SmsTemplate.PHONE_CODE, phone, SmsState.QUEUED, now)
    ]
    assert phone_codes.code_of(issued.id) in found[0].text


async def test_of_two_phones_that_look_alike_when_masked_only_the_one_asked_for_is_shown(now: datetime) -> None:
    await phone_codes.send("13712340001", CodePurpose.REGISTER, address=some_address(), now=now)
    await phone_codes.send("13756780001", CodePurpose.REGISTER, address=some_address(), now=now)

    assert [each.phone for each in await demonstration.latest_messages("13756780001")] == ["+8613756780001"]


async def test_all_phones_together_show_the_newest_first(now: datetime) -> None:
    phones = [some_phone() for _ in range(3)]
    for phone in phones:
        await phone_codes.send(phone, CodePurpose.REGISTER, address=some_address(), now=now)

    found = await demonstration.latest_messages(limit=2)

    assert [each.phone for each in found] == [phones[2], phones[1]]


async def test_what_is_no_phone_is_refused(now: datetime) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await demonstration.latest_messages("123")

    assert [(each.path, each.code) for each in refusal.value.problems] == [("phone", "PHONE_FORMAT")]


async def test_outside_development_nobody_reads_messages(now: datetime, change_settings: Callable[..., Settings]) -> None:
    change_settings(development=False)

    with pytest.raises(NotAllowed) as refusal:
        await demonstration.latest_messages()

    assert refusal.value.code == "DEVELOPMENT_ONLY"
