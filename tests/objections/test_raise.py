from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest

from domain.actions import objections, publicity
from domain.rules.errors import CodeRejected, InvalidInput, NotFound, NoticeOver, TooSoon
from models.applications import ApplicationRecord
from models.database import database_now, rows
from models.enums import CodePurpose, ObjectionState, SmsTemplate, Stage
from models.publicity import Objection, PublicNotice
from models.sms import SmsMessage
from settings import Settings
from tests.cases import case_at, everything_about
from tests.conftest import Clock
from tests.graphql import execute
from tests.objections.raising import TEXT, objection_to
from tests.people import code_sent, some_address, some_phone

RAISE = """mutation Raise($input: ObjectionRaiseInput!) { objectionRaise(input: $input) { __typename
    ... on ObjectionReceived { receipt receivedAt } ... on Problem { code message } ... on InvalidInput { fields { path code } } } }"""


async def test_an_objection_is_kept_with_its_time_and_moves_nothing(now: datetime) -> None:
    _, case = await case_at(Stage.PUBLICITY)
    before = await everything_about(case.id)
    phone = some_phone()

    objection = await objection_to(case.id, phone=phone, text="  履历不实\r\n请核查 ")

    kept = await Objection.get(id=objection.id)
    assert (kept.text, kept.state, kept.application_id) == ("履历不实\n请核查", ObjectionState.OPEN, case.id)
    assert (kept.phone, kept.phone_masked) == (phone, f"{phone[3:6]}****{phone[-4:]}")
    assert now <= kept.received_at <= await database_now()
    assert await everything_about(case.id) == before


async def test_nothing_of_the_objector_is_readable_at_rest(now: datetime) -> None:
    _, case = await case_at(Stage.PUBLICITY)
    phone = some_phone()

    await objection_to(case.id, phone=phone, address="10.200.1.1")

    [row] = await rows("SELECT to_jsonb(o)::text AS text FROM objections o WHERE application_id = $1", case.id)
    assert phone[3:] not in row["text"]
    assert "10.200.1.1" not in row["text"]


async def test_it_is_received_until_the_last_second_and_not_after_it(clock: Clock) -> None:
    _, case = await case_at(Stage.PUBLICITY)
    notice = await PublicNotice.get(application_id=case.id)
    phone, late = some_phone(), some_phone()
    await clock.move(seconds=(notice.closes_at - await clock.now()).total_seconds() - 60)
    code, late_code = await code_sent(phone, CodePurpose.OBJECT), await code_sent(late, CodePurpose.OBJECT)
    await clock.move(seconds=(notice.closes_at - await clock.now()).total_seconds() - 1)

    received = await objections.raise_objection(notice.id, phone=phone, code=code, text=TEXT, address=some_address(), now=await clock.now())
    asked = await clock.now()
    await clock.move(seconds=2)
    with pytest.raises(NoticeOver):  # asked in time, written too late: what counts is the time of writing
        await objections.raise_objection(notice.id, phone=late, code=late_code, text=TEXT, address=some_address(), now=asked)

    assert received.received_at < notice.closes_at
    assert await Objection.filter(application_id=case.id).count() == 1
    await publicity.close_due_notices()
    last = await ApplicationRecord.filter(application_id=case.id).order_by("-number").first()
    assert last is not None
    assert last.to_stage is Stage.OBJECTION


async def test_a_notice_that_is_over_is_told_before_the_code_is_used(now: datetime) -> None:
    _, case = await case_at(Stage.ADMITTED)
    notice, phone = await PublicNotice.get(application_id=case.id), some_phone()
    code = await code_sent(phone, CodePurpose.OBJECT)
    current = await database_now()

    with pytest.raises(NoticeOver):
        await objections.raise_objection(notice.id, phone=phone, code=code, text=TEXT, address=some_address(), now=current)
    with pytest.raises(NotFound):
        await objections.raise_objection(uuid4(), phone=phone, code=code, text=TEXT, address=some_address(), now=current)

    assert await Objection.filter(application_id=case.id).count() == 0
    _, running = await case_at(Stage.PUBLICITY)
    await objections.raise_objection(
        (await PublicNotice.get(application_id=running.id)).id,
        phone=phone,
        code=code,
        text=TEXT,
        address=some_address(),
        now=await database_now(),
    )


async def test_a_code_serves_one_objection_and_only_its_own_purpose(now: datetime) -> None:
    _, case = await case_at(Stage.PUBLICITY)
    notice, phone, other = await PublicNotice.get(application_id=case.id), some_phone(), some_phone()
    code = await code_sent(phone, CodePurpose.OBJECT)
    wrong = await code_sent(other, CodePurpose.REGISTER)

    async def object_with(phone: str, code: str) -> None:
        current = await database_now()
        await objections.raise_objection(notice.id, phone=phone, code=code, text=TEXT, address=some_address(), now=current)

    await object_with(phone, code)
    with pytest.raises(CodeRejected):
        await object_with(phone, code)
    with pytest.raises(CodeRejected):
        await object_with(other, wrong)

    assert await Objection.filter(application_id=case.id).count() == 1


async def test_objections_are_limited_by_phone_and_by_address(now: datetime, change_settings: Callable[..., Settings]) -> None:
    _, case = await case_at(Stage.PUBLICITY)
    address = some_address()
    change_settings(objections_per_phone_day=1, objections_per_address_day=2)
    first = await objection_to(case.id, address=address)
    await objection_to(case.id, address=address)

    with pytest.raises(TooSoon) as by_address:
        await objection_to(case.id, address=address)

    await rows("UPDATE phone_codes SET created_at = created_at - interval '2 minutes'")  # the pause between two codes is another rule
    with pytest.raises(TooSoon):
        await objection_to(case.id, phone=first.phone)
    assert timedelta(hours=23) < timedelta(seconds=by_address.value.retry_after_seconds) <= timedelta(hours=24)
    assert await Objection.filter(application_id=case.id).count() == 2


async def test_bad_input_is_told_field_by_field(now: datetime) -> None:
    _, case = await case_at(Stage.PUBLICITY)
    notice = await PublicNotice.get(application_id=case.id)

    with pytest.raises(InvalidInput) as refusal:
        await objections.raise_objection(notice.id, phone="123", code="000000", text=" ", address=some_address(), now=now)

    assert [(each.path, each.code) for each in refusal.value.problems] == [("phone", "PHONE_FORMAT"), ("text", "TEXT_EMPTY")]


async def test_over_the_wire_nothing_but_the_receipt_is_told_and_nobody_gets_a_message(now: datetime) -> None:
    person, case = await case_at(Stage.PUBLICITY)
    notice, phone = await PublicNotice.get(application_id=case.id), some_phone()
    given: dict[str, Any] = {"noticeId": f"PublicNotice_{notice.id}", "phone": phone, "text": TEXT}

    answer = await execute(RAISE, input=given | {"code": await code_sent(phone, CodePurpose.OBJECT)})
    unknown = await execute(RAISE, input=given | {"code": "000000", "noticeId": "PublicNotice_x"})
    wrong = await execute(RAISE, input=given | {"code": "000000"})

    kept = await Objection.get(application_id=case.id)
    assert answer.data is not None
    assert answer.data["objectionRaise"]["__typename"] == "ObjectionReceived"
    assert answer.data["objectionRaise"]["receipt"] == kept.receipt
    assert unknown.data is not None
    assert unknown.data["objectionRaise"]["__typename"] == "NotFound"
    assert wrong.data is not None
    assert wrong.data["objectionRaise"]["__typename"] == "CodeRejected"
    told = await SmsMessage.filter(account_id=person.account.id)
    assert [each.template for each in told] == [SmsTemplate.NOTICE_OPENED]
