from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest

from domain.actions import outbox, receipts, resending
from domain.rules.errors import NotAllowed, NotFound
from domain.rules.viewer import Viewer
from models.accounts import Account
from models.applications import Application
from models.database import rows, transaction
from models.enums import AccountStatus, CodePurpose, OutboxState, SmsState, SmsTemplate, Stage
from models.outbox import OutboxRow
from models.sms import SmsMessage
from settings import Settings
from tests.cases import case_at
from tests.graphql import both, execute
from tests.people import SignedIn, administrator, code_sent, officer, provincial_officer, some_phone


async def returned(state: SmsState = SmsState.FAILED) -> tuple[SignedIn, Application, SmsMessage]:
    """A returned case and the message about it, which came to this."""
    person, case = await case_at(Stage.RETURNED)
    message = await SmsMessage.get(application_id=case.id)
    await came_to(state, message)
    return person, case, message


async def came_to(state: SmsState, message: SmsMessage) -> None:
    """The worker is done with this message; a failed one it has given up."""
    message.state, message.last_error, message.attempts = state, "BUSY", 4
    await message.save()
    promise = OutboxState.DEAD if state is SmsState.FAILED else OutboxState.SENT
    await OutboxRow.filter(subject_id=message.id).update(state=promise, last_error="BUSY")


@pytest.mark.parametrize("state", [SmsState.FAILED, SmsState.UNDELIVERABLE, SmsState.SENT, SmsState.DELIVERED])
async def test_a_message_is_sent_again_to_the_phone_of_today(now: datetime, state: SmsState) -> None:
    person, case, message = await returned(state)
    await Account.filter(id=person.account.id).update(phone="+8613900001234", phone_masked="139****1234")
    before = await SmsMessage.filter(id=message.id).values()

    again = await resending.resend(message.id, viewer=(await officer()).viewer, now=now)

    assert await SmsMessage.filter(id=message.id).values() == before
    kept = await SmsMessage.get(id=again.id)
    assert (kept.template, kept.state, kept.attempts, kept.phone, kept.application_id, kept.resend_of) == (
        SmsTemplate.RETURNED,
        SmsState.QUEUED,
        0,
        "+8613900001234",
        case.id,
        message.id,
    )
    assert await OutboxRow.filter(kind="SMS", subject_id=again.id, state="PENDING").count() == 1


async def test_two_clicks_send_one_message(now: datetime) -> None:
    _, case, message = await returned()
    here, province = await officer(), await provincial_officer()

    first, second = await asyncio.gather(
        resending.resend(message.id, viewer=here.viewer, now=now), resending.resend(message.id, viewer=province.viewer, now=now)
    )

    assert first.id == second.id
    assert await SmsMessage.filter(application_id=case.id).count() == 2


@pytest.mark.parametrize("state", [SmsState.QUEUED, SmsState.SENDING])
async def test_a_message_on_its_way_is_not_sent_again(now: datetime, state: SmsState) -> None:
    _, case, message = await returned(state)

    with pytest.raises(NotAllowed) as refusal:
        await resending.resend(message.id, viewer=(await officer()).viewer, now=now)

    assert refusal.value.code == "MESSAGE_ON_ITS_WAY"
    assert await SmsMessage.filter(application_id=case.id).count() == 1


async def test_who_left_gets_no_message_for_the_phone_may_be_another_persons(now: datetime) -> None:
    person, case, message = await returned()
    await Account.filter(id=person.account.id).update(status=AccountStatus.DEREGISTERED)

    with pytest.raises(NotAllowed) as refusal:
        await resending.resend(message.id, viewer=(await officer()).viewer, now=now)

    assert refusal.value.code == "RECIPIENT_LEFT"
    assert await SmsMessage.filter(application_id=case.id).count() == 1


WAITING = """query { messages(awaitingMe: true, first: 100) { totalCount nodes { id resentAs { id } resendOf { id } } } }"""


async def waiting(viewer: Viewer, *messages: SmsMessage) -> list[Any]:
    """Which of these are in the to-do list of the viewer, with what is said of them, the newest first."""
    listed = (await both(WAITING, viewer))["messages"]["nodes"]
    return [each for each in listed if each["id"] in {f"Message_{message.id}" for message in messages}]


@pytest.mark.parametrize("state", [SmsState.FAILED, SmsState.UNDELIVERABLE])
async def test_what_did_not_arrive_waits_until_it_is_sent_again_and_its_repeat_waits_if_that_fails_too(
    now: datetime, state: SmsState
) -> None:
    _, _, message = await returned(state)
    here, elsewhere = (await officer()).viewer, (await officer("220299")).viewer
    first, second = f"Message_{message.id}", ""
    links = """query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Message { state resent resentAs { id } resendOf { id } } } }"""

    before = [await waiting(each, message) for each in (here, (await provincial_officer()).viewer, (await administrator()).viewer)]
    again = await resending.resend(message.id, viewer=here, now=now)
    second = f"Message_{again.id}"
    under_way = await waiting(here, message, again)
    await came_to(state, again)

    assert before == [[{"id": first, "resentAs": None, "resendOf": None}]] * 3
    assert under_way == []
    assert await waiting(here, message, again) == [{"id": second, "resentAs": None, "resendOf": {"id": first}}]
    assert await waiting(elsewhere, message, again) == []
    assert (await both(links, here, ids=[first, second]))["nodes"] == [
        {"state": state.value, "resent": False, "resentAs": {"id": second}, "resendOf": None},
        {"state": state.value, "resent": True, "resentAs": None, "resendOf": {"id": first}},
    ]


async def test_only_what_somebody_can_send_again_waits(now: datetime) -> None:
    person, _, of_leaver = await returned()
    await Account.filter(id=person.account.id).update(status=AccountStatus.DEREGISTERED)
    others = [(await returned(state))[2] for state in SmsState if state not in (SmsState.FAILED, SmsState.UNDELIVERABLE)]
    await code_sent(some_phone(), CodePurpose.SIGN_IN)
    code = await SmsMessage.filter(template=SmsTemplate.PHONE_CODE).order_by("-id").first()
    assert code is not None
    await came_to(SmsState.FAILED, code)

    assert await waiting((await administrator()).viewer, of_leaver, code, *others) == []


async def test_the_list_of_what_waits_keeps_to_states_that_are_asked_for(now: datetime) -> None:
    _, _, failed = await returned(SmsState.FAILED)
    _, _, refused = await returned(SmsState.UNDELIVERABLE)
    asked = "query ($states: [SmsState!]) { messages(awaitingMe: true, states: $states, first: 100) { nodes { id } } }"
    viewer = (await officer()).viewer

    for states, expected in ((["FAILED"], [failed]), (["UNDELIVERABLE", "SENT"], [refused]), (["SENT"], []), ([], [])):
        found = (await both(asked, viewer, states=states))["messages"]["nodes"]
        assert [each for each in (failed, refused) if {"id": f"Message_{each.id}"} in found] == expected


async def test_nobody_is_alarmed_any_more_by_the_promise_of_what_is_sent_again(now: datetime) -> None:
    person, _, message = await returned()
    _, _, other = await returned()
    viewer, alarming = (await officer()).viewer, (await outbox.depth()).dead

    await Account.filter(id=person.account.id).update(status=AccountStatus.DEREGISTERED)
    with pytest.raises(NotAllowed):
        await resending.resend(message.id, viewer=viewer, now=now)
    refused = (await OutboxRow.get(subject_id=message.id)).state, (await outbox.depth()).dead
    await Account.filter(id=person.account.id).update(status=AccountStatus.ACTIVE)
    await resending.resend(message.id, viewer=viewer, now=now)

    assert refused == (OutboxState.DEAD, alarming)
    promise = await OutboxRow.get(subject_id=message.id)
    assert (promise.state, promise.last_error, promise.done_at is not None) == (OutboxState.SENT, "BUSY", True)
    assert (await OutboxRow.get(subject_id=other.id)).state is OutboxState.DEAD
    assert (await outbox.depth()).dead == alarming - 1


async def test_a_code_is_never_sent_again_by_others(now: datetime) -> None:
    await code_sent(some_phone(), CodePurpose.SIGN_IN)
    message = await SmsMessage.filter(template=SmsTemplate.PHONE_CODE).order_by("-id").first()
    assert message is not None
    await SmsMessage.filter(id=message.id).update(state=SmsState.FAILED)

    with pytest.raises(NotAllowed) as refusal:
        await resending.resend(message.id, viewer=(await administrator()).viewer, now=now)
    with pytest.raises(NotFound):
        await resending.resend(message.id, viewer=(await provincial_officer()).viewer, now=now)

    assert refusal.value.code == "MESSAGE_NOT_RESENT"
    assert await SmsMessage.filter(resend_of=message.id).count() == 0


async def test_the_ledger_is_for_the_officers_of_the_case_and_administrators(now: datetime) -> None:
    person, case, message = await returned()
    document = "query Read($id: ID!) { application(id: $id) { messages { template state phoneMasked lastError resent } } }"
    ledger = "query Ledger { messages(states: [FAILED], first: 100) { nodes { id } } }"
    here, elsewhere = (await officer()).viewer, (await officer("220299")).viewer
    line = {"template": "RETURNED", "state": "FAILED", "phoneMasked": person.account.phone_masked, "lastError": "BUSY", "resent": False}

    async def of_case(viewer: Viewer) -> Any:
        return (await both(document, viewer, id=f"Application_{case.id}"))["application"]

    async def listed(viewer: Viewer) -> bool:
        return {"id": f"Message_{message.id}"} in (await both(ledger, viewer))["messages"]["nodes"]

    assert await of_case(here) == {"messages": [line]}
    assert await of_case(person.viewer) == {"messages": []}
    assert await of_case(elsewhere) is None
    assert [await listed(each) for each in (here, (await provincial_officer()).viewer, (await administrator()).viewer)] == [True] * 3
    assert not await listed(elsewhere)
    for viewer, code in ((None, "NOT_SIGNED_IN"), (person.viewer, "NOT_ALLOWED")):
        refused = await execute(ledger, viewer)
        assert refused.errors is not None
        assert (refused.errors[0].extensions or {})["code"] == code


async def test_a_message_leads_to_its_case_where_the_viewer_may_see_it(now: datetime) -> None:
    _, case, message = await returned()
    document = "query Line($id: ID!) { node(id: $id) { ... on Message { application { id stage } } } }"

    here, operator = [
        (await both(document, (await each()).viewer, id=f"Message_{message.id}"))["node"] for each in (officer, administrator)
    ]

    assert here == {"application": {"id": f"Application_{case.id}", "stage": "RETURNED"}}
    assert operator == {"application": None}


async def test_the_door_of_resending(database: Settings) -> None:
    person, _, message = await returned()
    document = """mutation Again($id: ID!) { messageResend(input: {messageId: $id}) { __typename
        ... on Message { state resent } ... on Problem { code } } }"""
    given = {"id": f"Message_{message.id}"}

    refused = [(await execute(document, viewer, **given)).data for viewer in (person.viewer, (await officer("220299")).viewer, None)]
    done = await execute(document, (await administrator()).viewer, **given)

    assert [(each or {})["messageResend"]["code"] for each in refused] == ["NOT_FOUND", "NOT_FOUND", "NOT_SIGNED_IN"]
    assert done.data == {"messageResend": {"__typename": "Message", "state": "QUEUED", "resent": True}}


async def test_a_receipt_that_comes_while_a_message_is_sent_again_does_not_wait_for_ever(now: datetime) -> None:
    _, _, message = await returned()
    promise, here = await OutboxRow.get(subject_id=message.id), (await officer()).viewer
    free = asyncio.Event()

    async def hold() -> None:
        async with transaction():
            await rows("SELECT FROM sms_messages WHERE id = $1 FOR UPDATE", message.id)
            await free.wait()

    holding = asyncio.create_task(hold())
    await asyncio.sleep(0.2)
    again = asyncio.create_task(resending.resend(message.id, viewer=here, now=now))
    await asyncio.sleep(0.2)
    receipt = asyncio.create_task(receipts.take(promise.id, SmsState.DELIVERED, now=now))
    await asyncio.sleep(0.2)
    free.set()
    await asyncio.gather(holding, again, receipt)

    assert (await SmsMessage.get(id=message.id)).state is SmsState.DELIVERED
    assert (await OutboxRow.get(id=promise.id)).state is OutboxState.SENT
