from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import timedelta
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from domain.actions import outbox, phone_codes, receipts, sms
from models.accounts import PhoneCode
from models.enums import CodePurpose, OutboxState, SmsState, SmsTemplate
from models.outbox import OutboxRow
from models.sms import SmsMessage
from settings import Settings
from tests.conftest import Clock
from tests.people import some_address, some_phone
from tests.workers.conftest import wait_for
from tests.workers.gateways import Provider, Received

Send = Callable[..., Awaitable[tuple[SmsMessage, UUID]]]

RETURNED_TEXT = "【评审专家库】您的申请被退回修改。请登录系统查看原因，修改后重新提交。"


@pytest.fixture(autouse=True)
async def _empty(database: Settings) -> None:
    await OutboxRow.all().delete()


async def attempt(promise_id: UUID, provider: sms.Gateway) -> bool:
    """One try, as the relay makes it; whether the promise was to be had."""
    row = await outbox.claim(promise_id, ("SMS",))
    if row is not None:
        await sms.dispatch(row, provider)
    return row is not None


async def standing(message: SmsMessage, promise_id: UUID) -> tuple[SmsState, OutboxState, int, str | None]:
    """State of the message, state of its promise, attempts and last error of the message."""
    now = await SmsMessage.get(id=message.id)
    return now.state, (await OutboxRow.get(id=promise_id)).state, now.attempts, now.last_error


async def code_promised(clock: Clock) -> tuple[PhoneCode, SmsMessage, UUID]:
    code = await phone_codes.send(some_phone(), CodePurpose.REGISTER, address=some_address(), now=await clock.now())
    message = await SmsMessage.get(phone_code_id=code.id)
    return code, message, (await OutboxRow.get(subject_id=message.id)).id


async def test_an_accepted_message_is_sent_under_the_providers_reference(send: Send, provider: Provider) -> None:
    message, promise_id = await send()

    assert await attempt(promise_id, provider)

    assert provider.received() == [Received(str(promise_id), "RETURNED", RETURNED_TEXT)]
    assert await standing(message, promise_id) == (SmsState.SENT, OutboxState.SENT, 1, None)
    sent = await SmsMessage.get(id=message.id)
    assert (sent.provider, sent.provider_reference) == ("provider", f"reference-{promise_id}")
    assert sent.sent_at is not None


async def test_a_second_hint_at_a_sent_message_does_nothing(send: Send, provider: Provider) -> None:
    _, promise_id = await send()
    await attempt(promise_id, provider)

    assert not await attempt(promise_id, provider)

    assert len(provider.received()) == 1


async def test_a_refused_message_is_undeliverable_and_its_promise_dead(send: Send, provider: Provider) -> None:
    provider.behave("refuse")
    message, promise_id = await send()

    await attempt(promise_id, provider)

    assert await standing(message, promise_id) == (SmsState.UNDELIVERABLE, OutboxState.DEAD, 1, "EMPTY_NUMBER")


@pytest.mark.usefixtures("longest_pauses")
@pytest.mark.parametrize(
    ("behaviour", "error"),
    [("fail", "HTTP_503"), ("lose", "READ_TIMEOUT"), ("starve", "CONFIGURATION NO_CREDIT"), ("break", "ZeroDivisionError")],
)
async def test_a_message_that_did_not_get_through_is_tried_five_times_under_one_key_and_then_failed(
    behaviour: str, error: str, send: Send, provider: Provider, clock: Clock
) -> None:
    provider.behave(behaviour)
    message, promise_id = await send()

    await attempt(promise_id, provider)
    first = await standing(message, promise_id)
    for pause in (timedelta(seconds=2), timedelta(seconds=72), timedelta(minutes=12), timedelta(minutes=72)):
        assert not await attempt(promise_id, provider)
        await clock.move(seconds=pause.total_seconds())
        await attempt(promise_id, provider)

    assert first == (SmsState.QUEUED, OutboxState.PENDING, 1, error)
    assert await standing(message, promise_id) == (SmsState.FAILED, OutboxState.DEAD, 5, error)
    assert provider.received() == [Received(str(promise_id), "RETURNED", RETURNED_TEXT)] * 5


async def test_a_gateway_that_must_be_put_right_here_raises_an_alarm_and_is_counted_until_the_message_went_out(
    send: Send, provider: Provider, clock: Clock
) -> None:
    before = await sms.held_up()
    provider.behave("starve")
    message, promise_id = await send()

    with capture_logs() as told:
        await attempt(promise_id, provider)

    assert told == [{"event": "alarm", "log_level": "critical", "code": "SMS_CONFIGURATION", "gateway": "provider", "reason": "NO_CREDIT"}]
    assert await sms.held_up() == before + 1

    provider.behave("accept")
    await clock.move(seconds=2)
    await attempt(promise_id, provider)

    assert await standing(message, promise_id) == (SmsState.SENT, OutboxState.SENT, 2, None)
    assert await sms.held_up() == before


@pytest.mark.parametrize(
    ("told", "ends"),
    [
        (None, (SmsState.DELIVERED, OutboxState.SENT, 1, None)),
        (sms.Refused("EMPTY_NUMBER"), (SmsState.DELIVERED, OutboxState.DEAD, 1, None)),
        (sms.Unknown("TIMEOUT"), (SmsState.DELIVERED, OutboxState.PENDING, 1, None)),
        (sms.Unreachable("HTTP_503"), (SmsState.DELIVERED, OutboxState.PENDING, 1, None)),
        (sms.NotNow("BUSY", timedelta(0)), (SmsState.DELIVERED, OutboxState.PENDING, 1, None)),
    ],
)
async def test_a_receipt_that_is_faster_than_the_answer_holds(
    told: Exception | None, ends: tuple[SmsState, OutboxState, int, str | None], send: Send, provider: Provider, clock: Clock
) -> None:
    class Slow:
        name = "slow"

        async def send(self, outgoing: sms.Outgoing) -> sms.Accepted:
            await receipts.take(UUID(outgoing.key), SmsState.DELIVERED, now=await clock.now())
            if told:
                raise told
            return sms.Accepted("reference")

    message, promise_id = await send()

    await attempt(promise_id, Slow())

    assert await standing(message, promise_id) == ends
    assert (await SmsMessage.get(id=message.id)).provider_reference == (None if told else "reference")
    await clock.move(seconds=60)
    await attempt(promise_id, provider)
    assert provider.received() == []
    assert (await SmsMessage.get(id=message.id)).state is SmsState.DELIVERED


async def test_a_message_that_failed_once_is_sent_at_the_next_try(send: Send, provider: Provider, clock: Clock) -> None:
    provider.behave("fail")
    message, promise_id = await send()
    await attempt(promise_id, provider)
    provider.behave("accept")
    await clock.move(seconds=2)

    await attempt(promise_id, provider)

    assert await standing(message, promise_id) == (SmsState.SENT, OutboxState.SENT, 2, None)


async def test_a_gateway_that_takes_nothing_at_the_moment_costs_no_attempt(send: Send, clock: Clock) -> None:
    class Paused:
        name = "paused"

        async def send(self, message: sms.Outgoing) -> sms.Accepted:
            raise sms.NotNow("PROVIDER_DOWN", timedelta(seconds=30))

    message, promise_id = await send()

    for _ in range(20):
        assert await attempt(promise_id, Paused())
        await clock.move(seconds=30)

    assert await standing(message, promise_id) == (SmsState.QUEUED, OutboxState.PENDING, 0, "PROVIDER_DOWN")


async def test_who_answers_after_the_lease_changes_nothing(send: Send, provider: Provider, clock: Clock) -> None:
    waiting, go_on = asyncio.Event(), asyncio.Event()

    class Slow:
        name = "slow"

        async def send(self, message: sms.Outgoing) -> sms.Accepted:
            waiting.set()
            await go_on.wait()
            return sms.Accepted("too late")

    message, promise_id = await send()
    stalled = asyncio.create_task(attempt(promise_id, Slow()))
    await waiting.wait()
    await clock.move(seconds=30)
    await attempt(promise_id, provider)

    go_on.set()
    await stalled

    sent = await SmsMessage.get(id=message.id)
    assert (sent.state, sent.provider, sent.provider_reference) == (SmsState.SENT, "provider", f"reference-{promise_id}")
    assert provider.received() == [Received(str(promise_id), "RETURNED", RETURNED_TEXT)]


async def test_a_code_is_sent_with_its_digits_which_are_kept_nowhere(provider: Provider, clock: Clock) -> None:
    code, message, promise_id = await code_promised(clock)

    await attempt(promise_id, provider)

    digits = phone_codes.code_of(code.id)
    assert f"验证码 {digits}，用于注册，" in provider.received()[0].text
    assert await standing(message, promise_id) == (SmsState.SENT, OutboxState.SENT, 1, None)
    assert digits not in str(await SmsMessage.filter(id=message.id).values())
    assert await sms.wording(message) == provider.received()[0].text


@pytest.mark.parametrize(
    ("becomes", "reason"), [("expired", "CODE_EXPIRED"), ("superseded", "CODE_SUPERSEDED"), ("removed", "CODE_SUPERSEDED")]
)
async def test_a_code_that_has_lost_its_use_is_not_sent(becomes: str, reason: str, provider: Provider, clock: Clock) -> None:
    code, message, promise_id = await code_promised(clock)
    if becomes == "expired":
        await clock.move(minutes=5)
    elif becomes == "superseded":
        await PhoneCode.filter(id=code.id).update(superseded_at=await clock.now())
    else:
        await PhoneCode.filter(id=code.id).delete()

    await attempt(promise_id, provider)

    assert provider.received() == []
    assert await standing(message, promise_id) == (SmsState.FAILED, OutboxState.SENT, 0, reason)


@pytest.mark.parametrize("behaviour", ["lose", "break"])
async def test_a_code_that_may_have_arrived_is_not_sent_again(behaviour: str, provider: Provider, clock: Clock) -> None:
    provider.behave(behaviour)
    _, message, promise_id = await code_promised(clock)

    await attempt(promise_id, provider)
    await clock.move(seconds=75)
    await attempt(promise_id, provider)

    assert len(provider.received()) == 1
    assert await standing(message, promise_id) == (SmsState.FAILED, OutboxState.SENT, 1, "OUTCOME_UNKNOWN")


async def test_a_code_whose_sender_vanished_is_not_sent_again(provider: Provider, clock: Clock) -> None:
    provider.behave("hang")
    _, message, promise_id = await code_promised(clock)
    vanishing = asyncio.create_task(attempt(promise_id, provider))
    await asyncio.to_thread(wait_for, provider.received, what="a message at the provider")
    vanishing.cancel()
    await asyncio.wait({vanishing})
    provider.behave("accept")
    await clock.move(seconds=30)

    await attempt(promise_id, provider)

    assert len(provider.received()) == 1
    assert await standing(message, promise_id) == (SmsState.FAILED, OutboxState.SENT, 1, "OUTCOME_UNKNOWN")


async def test_a_code_that_surely_did_not_arrive_is_tried_again_while_it_lives(provider: Provider, clock: Clock) -> None:
    provider.behave("fail")
    _, message, promise_id = await code_promised(clock)
    await attempt(promise_id, provider)
    provider.behave("accept")
    await clock.move(seconds=2)

    await attempt(promise_id, provider)

    assert await standing(message, promise_id) == (SmsState.SENT, OutboxState.SENT, 2, None)


async def test_a_number_that_does_not_exist_makes_no_work_for_operators_when_anybody_may_ask_for_codes(
    provider: Provider, clock: Clock
) -> None:
    provider.behave("refuse")
    _, message, promise_id = await code_promised(clock)

    await attempt(promise_id, provider)

    assert await standing(message, promise_id) == (SmsState.UNDELIVERABLE, OutboxState.SENT, 1, "EMPTY_NUMBER")


async def test_a_buried_message_is_failed_but_a_final_one_stays_as_it_is(send: Send, provider: Provider) -> None:
    buried, buried_promise = await send()
    sent, sent_promise = await send()
    await attempt(sent_promise, provider)

    await sms.give_up(buried.id, "WORKER_LOST")
    await sms.give_up(sent.id, "WORKER_LOST")

    assert await standing(buried, buried_promise) == (SmsState.FAILED, OutboxState.PENDING, 0, "WORKER_LOST")
    assert await standing(sent, sent_promise) == (SmsState.SENT, OutboxState.SENT, 1, None)


async def test_a_message_is_written_in_the_language_of_its_row(send: Send, provider: Provider) -> None:
    message, promise_id = await send(SmsTemplate.ADMITTED)
    await SmsMessage.filter(id=message.id).update(language="en")

    await attempt(promise_id, provider)

    assert provider.received()[0].text == (
        "[Expert registry] You are now a formal expert, number 222026000001. Sign in to keep your schedule."
    )


async def test_the_ledger_is_counted_by_state_and_provider(send: Send, provider: Provider, clock: Clock) -> None:
    await clock.move(days=2)
    _, promise_id = await send()
    await send()
    await attempt(promise_id, provider)

    assert sorted(await sms.counts()) == [(SmsState.QUEUED, "", 1), (SmsState.SENT, "provider", 1)]


def test_the_representation_of_a_message_tells_neither_phone_nor_text() -> None:
    message = sms.Outgoing(
        phone="+8613812345678", template=SmsTemplate.RETURNED, language="zh", parameters={"code": "123456"}, text="secret", key="k"
    )

    assert repr(message) == "<Outgoing RETURNED k>"
