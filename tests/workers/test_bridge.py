from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest

from domain.actions.sms import Accepted, GatewayError, Misconfigured, Outgoing, Refused, Unknown, Unreachable
from models.enums import OutboxState, SmsState, SmsTemplate
from models.outbox import OutboxRow
from models.sms import SmsMessage
from settings import Settings, SettingsError
from tests.workers.conftest import WorkerProcess, wait_for
from tests.workers.provider import FakeProvider, fake_provider, own_certificate
from workers.sms.bridge import Bridge
from workers.sms.wire import LONGEST_ANSWER

KEY = "the key that bridge and registry share"
MESSAGE = Outgoing(
    phone="+8613812345678",
    template=SmsTemplate.ADMITTED,
    language="zh",
    parameters={"number": "222026000001"},
    text="【评审专家库】…",
    key="key-1",
)


@pytest.fixture
def provider() -> Iterator[FakeProvider]:
    with fake_provider() as found:
        yield found


def settings_for(provider: FakeProvider, **changes: Any) -> Settings:
    chosen: dict[str, Any] = {
        "sms_gateway": "bridge",
        "sms_url": f"{provider.url}/v1/messages?of=jilin",
        "sms_key_id": "jilin",
        "sms_key": KEY,
    }
    return replace(Settings(development=True), **(chosen | {"sms_seconds": 0.5} | changes))


async def test_a_message_goes_out_signed_with_its_key_and_everything_that_a_provider_may_need(provider: FakeProvider) -> None:
    accepted = await Bridge(settings_for(provider, sms_templates=("ADMITTED=T-7",))).send(MESSAGE)

    assert accepted == Accepted("ref-1")
    [got] = provider.got
    assert got.path == "/v1/messages?of=jilin"
    assert got.facts == {
        "key": "key-1",
        "phone": "+8613812345678",
        "template": "ADMITTED",
        "templateId": "T-7",
        "language": "zh",
        "parameters": {"number": "222026000001"},
        "text": "【评审专家库】…",
    }
    said_at = got.headers["x-registry-time"]
    canonical = f"registry-sms-message-1\n{said_at}\n/v1/messages?of=jilin\n{hashlib.sha256(got.body).hexdigest()}"
    assert got.headers["x-registry-signature"] == hmac.new(KEY.encode(), canonical.encode(), hashlib.sha256).hexdigest()
    assert abs(int(said_at) - time.time()) < 5
    assert (got.headers["x-registry-key"], got.headers["idempotency-key"]) == ("jilin", "key-1")


@pytest.mark.parametrize(
    ("status", "answer", "raised", "code"),
    [
        (422, {"error": "EMPTY_NUMBER"}, Refused, "EMPTY_NUMBER"),
        (429, {"error": "FLOW_CONTROL"}, Unreachable, "FLOW_CONTROL"),
        (503, {}, Unreachable, "HTTP_503"),
        (500, {}, Unknown, "HTTP_500"),
        (502, None, Unknown, "HTTP_502"),
        (504, {"error": "UPSTREAM"}, Unknown, "UPSTREAM"),
        (400, {}, Misconfigured, "HTTP_400"),
        (401, {"error": "SIGNATURE"}, Misconfigured, "SIGNATURE"),
        (402, {"error": "NO_CREDIT"}, Misconfigured, "NO_CREDIT"),
        (404, {}, Misconfigured, "HTTP_404"),
        (200, {}, Unknown, "ANSWER_UNREADABLE"),
        (200, {"reference": 7}, Unknown, "ANSWER_UNREADABLE"),
        (200, [], Unknown, "ANSWER_UNREADABLE"),
        (422, {"error": "13812345678 is empty"}, Refused, "HTTP_422"),
        (422, {"error": "NUMBER_13812345678"}, Refused, "HTTP_422"),
    ],
)
async def test_what_comes_back_tells_whether_and_when_it_is_tried_again(
    status: int, answer: Any, raised: type[GatewayError], code: str, provider: FakeProvider
) -> None:
    provider.says(answer, status)

    with pytest.raises(raised) as failure:
        await Bridge(settings_for(provider)).send(MESSAGE)

    assert (type(failure.value), failure.value.code) == (raised, code)
    assert len(provider.got) == 1


@pytest.mark.parametrize(
    ("behaviour", "code"), [("cut", "ANSWER_UNREADABLE"), ("slow", "TIMEOUT"), ("drip", "TIMEOUT"), ("nonsense", "ANSWER_UNREADABLE")]
)
async def test_a_lost_answer_leaves_open_whether_the_message_was_taken(behaviour: str, code: str, provider: FakeProvider) -> None:
    provider.behaviour = behaviour

    with pytest.raises(Unknown, match=code):
        await Bridge(settings_for(provider)).send(MESSAGE)

    assert len(provider.got) == 1


async def test_an_answer_without_end_is_not_read(provider: FakeProvider) -> None:
    provider.answer = b"x" * (LONGEST_ANSWER + 1)

    with pytest.raises(Unknown, match="ANSWER_TOO_LONG"):
        await Bridge(settings_for(provider)).send(MESSAGE)


async def test_a_redirect_is_not_followed(provider: FakeProvider) -> None:
    with fake_provider() as elsewhere:
        provider.status, provider.further_headers = 307, {"Location": elsewhere.url}

        with pytest.raises(Misconfigured, match="HTTP_307"):
            await Bridge(settings_for(provider)).send(MESSAGE)

        assert elsewhere.got == []


async def test_where_nobody_listens_the_message_certainly_was_not_taken(provider: FakeProvider) -> None:
    gateway = Bridge(settings_for(provider))
    provider.server.shutdown()
    provider.server.server_close()

    with pytest.raises(Unreachable, match="NO_CONNECTION"):
        await gateway.send(MESSAGE)


async def test_a_certificate_is_verified_and_nothing_is_told_to_a_stranger(tmp_path: Path) -> None:
    file, trusted = own_certificate(tmp_path)
    with fake_provider(file) as provider:
        with pytest.raises(Misconfigured, match="CERTIFICATE_NOT_TRUSTED"):
            await Bridge(settings_for(provider)).send(MESSAGE)
        assert provider.got == []

        assert await Bridge(settings_for(provider, sms_ca=trusted)).send(MESSAGE) == Accepted("ref-1")

        by_other_name = settings_for(provider, sms_ca=trusted, sms_url=provider.url.replace("127.0.0.1", "localhost"))
        with pytest.raises(Misconfigured, match="CERTIFICATE_NOT_TRUSTED"):
            await Bridge(by_other_name).send(MESSAGE)


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"sms_url": "http://bridge.example.cn/"}, "REGISTRY_SMS_URL"),
        ({"sms_url": "https://user:password@bridge.example.cn/"}, "REGISTRY_SMS_URL"),
        ({"sms_url": ""}, "REGISTRY_SMS_URL"),
        ({"sms_key": ""}, "REGISTRY_SMS_KEY"),
        ({"sms_key_id": ""}, "REGISTRY_SMS_KEY_ID"),
        ({"sms_templates": ("NO_SUCH=1",)}, "REGISTRY_SMS_TEMPLATES"),
        ({"sms_templates": ("RETURNED",)}, "REGISTRY_SMS_TEMPLATES"),
        ({"sms_ca": "no certificate", "sms_url": "https://bridge.example.cn/"}, "REGISTRY_SMS_CA"),
    ],
)
def test_settings_that_cannot_work_stop_the_start_with_the_name_of_the_variable(
    changes: dict[str, Any], named: str, provider: FakeProvider
) -> None:
    with pytest.raises(SettingsError, match=named):
        Bridge(settings_for(provider, **changes))


Send = Callable[..., Awaitable[tuple[SmsMessage, UUID]]]


async def test_a_worker_sends_through_the_bridge_and_its_log_knows_neither_phone_nor_words_nor_key(
    send: Send, start_worker: Callable[..., WorkerProcess], provider: FakeProvider
) -> None:
    await OutboxRow.all().delete()
    message, promise_id = await send(SmsTemplate.ADMITTED)
    worker = start_worker(
        "redis://127.0.0.1:1/0", sms_gateway="bridge", sms_url=provider.url, sms_key_id="jilin", sms_key=KEY, log_level="DEBUG"
    )

    wait_for(lambda: provider.got, what="a message at the provider")

    def kept() -> bool:
        return worker.log.read_text().count("promise tried") == 1

    wait_for(kept, what="a kept promise")
    sent = await SmsMessage.get(id=message.id)
    assert (sent.state, sent.provider, sent.provider_reference) == (SmsState.SENT, "bridge", "ref-1")
    assert (await OutboxRow.get(id=promise_id)).state is OutboxState.SENT
    assert provider.got[0].facts["key"] == str(promise_id)
    assert provider.got[0].facts["phone"] == message.phone
    assert provider.got[0].headers["x-request-id"] == promise_id.hex
    said = worker.log.read_text()
    assert message.phone[-11:] not in said
    assert "222026000001" not in said
    assert KEY not in said


async def test_a_worker_whose_credentials_are_refused_raises_an_alarm_and_tries_again(
    send: Send, start_worker: Callable[..., WorkerProcess], provider: FakeProvider
) -> None:
    await OutboxRow.all().delete()
    provider.says({"error": "NO_CREDIT"}, 402)
    await send(SmsTemplate.ADMITTED)
    worker = start_worker("redis://127.0.0.1:1/0", sms_gateway="bridge", sms_url=provider.url, sms_key_id="jilin", sms_key=KEY)

    wait_for(lambda: "SMS_CONFIGURATION" in worker.log.read_text(), what="an alarm")
    provider.says({"reference": "ref-2"})
    wait_for(lambda: len(provider.got) > 1, what="another try")

    assert '"reason": "NO_CREDIT"' in worker.log.read_text() or '"reason":"NO_CREDIT"' in worker.log.read_text()
    assert {each.facts["key"] for each in provider.got} == {provider.got[0].facts["key"]}
