"""What providers tell of messages, over real sockets."""

from __future__ import annotations

import hashlib
import hmac
import json
import time
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from domain.actions.promises import send_sms
from models.database import database_now, transaction
from models.enums import OutboxState, SmsState, SmsTemplate
from models.outbox import OutboxRow
from models.sms import SmsMessage
from settings import Settings, SettingsError, read
from tests.people import SignedIn, administrator, registered_expert
from tests.serving import PRODUCT, Served, Start, talk

KEY = "the key under which receipts are signed"
PATH = "/sms/receipts"


@pytest.fixture(scope="module")
def product(start: Start) -> Served:
    return start(PRODUCT, sms_receipt_key=KEY)


@pytest.fixture(scope="module")
async def zhang(database: Settings) -> SignedIn:
    return await registered_expert()


@dataclass(frozen=True)
class Sent:
    """A message in the ledger, and the key under which its provider knows it."""

    id: UUID
    key: UUID

    async def now(self) -> tuple[SmsState, str | None, bool]:
        """State, last error, and whether a receipt is noted."""
        found = await SmsMessage.get(id=self.id)
        return found.state, found.last_error, found.receipt_at is not None

    def receipt(self, state: str = "DELIVERED", **further: Any) -> bytes:
        return json.dumps({"key": str(self.key), "state": state, **further}).encode()


async def sent(to: SignedIn, state: SmsState = SmsState.SENT, promise: OutboxState = OutboxState.SENT) -> Sent:
    async with transaction():
        message = await send_sms(SmsTemplate.RETURNED, to.account, now=await database_now())
    await SmsMessage.filter(id=message.id).update(state=state, provider="bridge", provider_reference="ref-1")
    row = await OutboxRow.get(subject_id=message.id)
    await OutboxRow.filter(id=row.id).update(state=promise, done_at=row.created_at)
    return Sent(message.id, row.id)


def signed(body: bytes, *, at: float | None = None, key: str = KEY, what: str = "receipt", target: str = PATH) -> dict[str, str]:
    """The headers of a receipt, as a bridge makes them by docs/sms.md without our code."""
    said_at = int(time.time() if at is None else at)
    canonical = f"registry-sms-{what}-1\n{said_at}\n{target}\n{hashlib.sha256(body).hexdigest()}"
    return {"X-Registry-Time": str(said_at), "X-Registry-Signature": hmac.new(key.encode(), canonical.encode(), "sha256").hexdigest()}


async def tell(product: Served, body: bytes, headers: dict[str, str] | None = None, target: str = PATH) -> httpx.Response:
    async with talk(base_url=product.url) as client:
        return await client.post(target, content=body, headers=signed(body) if headers is None else headers)


async def test_a_receipt_of_delivery_stands_in_the_ledger_that_administrators_read(product: Served, zhang: SignedIn) -> None:
    message, admin = await sent(zhang), await administrator()

    answer = await tell(product, message.receipt())

    assert (answer.status_code, answer.content) == (204, b"")
    found = await product.post(
        "query($id: ID!) { node(id: $id) { ... on Message { state receiptAt lastError } } }",
        {"id": f"Message_{message.id}"},
        {"Authorization": f"Bearer {admin.token}"},
    )
    assert found["data"]["node"]["state"] == "DELIVERED"
    assert found["data"]["node"]["lastError"] is None
    assert datetime.fromisoformat(found["data"]["node"]["receiptAt"]).tzinfo is not None


async def test_a_number_that_cannot_be_reached_is_told_with_the_providers_word(product: Served, zhang: SignedIn) -> None:
    message, careless = await sent(zhang), await sent(zhang)

    first = await tell(product, message.receipt("UNDELIVERABLE", error="POWERED_OFF"))
    second = await tell(product, careless.receipt("UNDELIVERABLE", error="13812345678 is empty"))

    assert (first.status_code, second.status_code) == (204, 204)
    assert await message.now() == (SmsState.UNDELIVERABLE, "POWERED_OFF", True)
    assert await careless.now() == (SmsState.UNDELIVERABLE, "UNDELIVERABLE", True)


async def test_repeated_and_late_receipts_are_taken_and_change_nothing(product: Served, zhang: SignedIn) -> None:
    message = await sent(zhang)
    await tell(product, message.receipt())
    before = await SmsMessage.get(id=message.id)

    again = await tell(product, message.receipt())
    late = await tell(product, message.receipt("UNDELIVERABLE", error="EXPIRED"))

    assert (again.status_code, late.status_code) == (204, 204)
    after = await SmsMessage.get(id=message.id)
    assert (after.state, after.last_error, after.receipt_at) == (SmsState.DELIVERED, None, before.receipt_at)


async def test_a_message_that_was_given_up_but_arrived_after_all_needs_no_operator_any_more(product: Served, zhang: SignedIn) -> None:
    message = await sent(zhang, SmsState.FAILED, OutboxState.DEAD)

    await tell(product, message.receipt())

    assert await message.now() == (SmsState.DELIVERED, None, True)
    assert (await OutboxRow.get(id=message.key)).state is OutboxState.SENT


@pytest.mark.parametrize(
    "wrong",
    [
        {"key": "another key of thirty-two characters"},
        {"what": "message"},
        {"target": "/sms/receipts?x=1"},
        {"at": 0},
        {"at_from_now": -310},
        {"at_from_now": 310},
    ],
)
async def test_what_is_not_signed_for_this_and_for_now_is_refused(wrong: dict[str, Any], product: Served, zhang: SignedIn) -> None:
    message = await sent(zhang)
    body = message.receipt()
    if "at_from_now" in wrong:
        wrong = {"at": time.time() + wrong["at_from_now"]}

    answer = await tell(product, body, signed(body, **wrong))

    assert (answer.status_code, answer.json()["code"]) == (401, "SIGNATURE_REJECTED")
    assert await message.now() == (SmsState.SENT, None, False)


@pytest.mark.parametrize(
    "headers", [{}, {"X-Registry-Time": "x"}, {"X-Registry-Time": "9" * 5_000}, {"X-Registry-Time": "1", "X-Registry-Signature": ""}]
)
async def test_headers_that_are_missing_or_make_no_sense_are_refused(headers: dict[str, str], product: Served, zhang: SignedIn) -> None:
    message = await sent(zhang)

    answer = await tell(product, message.receipt(), headers)

    assert answer.status_code == 401
    assert await message.now() == (SmsState.SENT, None, False)


async def test_a_body_that_was_changed_on_the_way_is_refused(product: Served, zhang: SignedIn) -> None:
    message = await sent(zhang)

    answer = await tell(product, message.receipt(), signed(message.receipt("UNDELIVERABLE")))

    assert answer.status_code == 401
    assert await message.now() == (SmsState.SENT, None, False)


async def test_a_message_that_is_not_there_is_answered_quietly(product: Served, zhang: SignedIn) -> None:
    message = await sent(zhang)

    answers = [await tell(product, Sent(message.id, key).receipt()) for key in (uuid4(), message.id)]

    assert [each.status_code for each in answers] == [404, 404]
    assert [each.json() for each in answers] == [{"code": "NOT_FOUND", "message": "There is no such message."}] * 2


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"[]", 400, "RECEIPT_INVALID"),
        (b'{"key": "x", "state": "DELIVERED"}', 400, "RECEIPT_INVALID"),
        (b'{"key": 7, "state": "DELIVERED"}', 400, "RECEIPT_INVALID"),
        (b'{"key": "01980000-0000-7000-8000-000000000000", "state": "SENT"}', 400, "RECEIPT_INVALID"),
        (b'{"key": "01980000-0000-7000-8000-000000000000", "state": ["DELIVERED"]}', 400, "RECEIPT_INVALID"),
        (b"{", 400, "JSON_INVALID"),
        (b" " * 5_000, 413, "BODY_TOO_LARGE"),
    ],
)
async def test_what_is_no_receipt_is_refused(body: bytes, status: int, code: str, product: Served) -> None:
    answer = await tell(product, body)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


async def test_receipts_are_counted_by_what_came_of_them_and_no_phone_is_logged(start: Start, zhang: SignedIn) -> None:
    served = start(PRODUCT, sms_receipt_key=KEY)
    message = await sent(zhang)
    for _ in range(2):
        await tell(served, message.receipt())
    await tell(served, Sent(message.id, uuid4()).receipt())
    await tell(served, message.receipt(), {})
    await tell(served, b'{"error": "13812345678"}')

    async with talk(base_url=served.url) as client:
        metrics = (await client.get("/metrics")).text

    counted = {line for line in metrics.splitlines() if line.startswith("registry_sms_receipts_total")}
    assert counted == {
        'registry_sms_receipts_total{outcome="TAKEN"} 1.0',
        'registry_sms_receipts_total{outcome="REPEATED"} 1.0',
        'registry_sms_receipts_total{outcome="UNKNOWN"} 1.0',
        'registry_sms_receipts_total{outcome="REFUSED"} 2.0',
    }
    assert "DELIVERED" in metrics
    assert "13812345678" not in served.said()
    assert zhang.phone[-11:] not in served.said()


async def test_without_a_key_there_is_no_door(start: Start, zhang: SignedIn) -> None:
    served, message = start(PRODUCT), await sent(zhang)
    body = message.receipt()

    answer = await tell(served, body, signed(body, key=""))

    assert answer.status_code == 404
    assert await message.now() == (SmsState.SENT, None, False)


async def test_it_is_posted_to(product: Served) -> None:
    async with talk(base_url=product.url) as client:
        assert (await client.get(PATH)).status_code == 405


def test_a_key_that_could_be_guessed_stops_the_start() -> None:
    with pytest.raises(SettingsError, match="REGISTRY_SMS_RECEIPT_KEY must hold at least 32"):
        read({"REGISTRY_DEVELOPMENT": "1", "REGISTRY_SMS_RECEIPT_KEY": "short"})
