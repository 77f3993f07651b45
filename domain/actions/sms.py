"""Messages to phones: handed to a gateway, and what became of each kept in the ledger (rules §7)."""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Protocol
from uuid import UUID

import structlog

from domain.actions import outbox
from domain.actions.phone_codes import code_of
from domain.rules import sms_texts
from domain.rules.calendar import SHANGHAI
from domain.rules.delivery import pause_after
from domain.rules.messages import Language
from models.accounts import PhoneCode
from models.database import database_now, rows, transaction
from models.enums import SmsState, SmsTemplate
from models.outbox import OutboxRow
from models.sms import SmsMessage

_log = structlog.get_logger(__name__)

FINAL = frozenset({SmsState.SENT, SmsState.DELIVERED, SmsState.FAILED, SmsState.UNDELIVERABLE})
"""States after which a message is not sent any more."""

OURS = "CONFIGURATION "
"""Before the last error of a message that was not taken for a reason on our side."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message as a gateway gets it. `phone` is E.164; `text` is the wording of template and parameters; equal `key`, equal message."""

    phone: str
    template: SmsTemplate
    language: Language
    parameters: Mapping[str, Any]
    text: str
    key: str

    def __repr__(self) -> str:
        return f"<Outgoing {self.template.value} {self.key}>"  # phone and code belong in no log


@dataclass(frozen=True, slots=True)
class Accepted:
    """The provider took the message, under its own reference."""

    reference: str


class GatewayError(Exception):
    """A message was not accepted. `code` is the provider's or ours, a short word without personal data."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Refused(GatewayError):
    """The provider will never take this message, e.g. an empty number."""


class Unreachable(GatewayError):
    """The message certainly was not taken: no connection, or an answer that says so (5xx, flow control)."""


class Unknown(GatewayError):
    """The message may have been taken: the answer was lost."""


class Misconfigured(GatewayError):
    """The message certainly was not taken, for a reason that somebody here must put right: credentials, credit, a template.

    `all_alike`: no other message would be taken either.
    """

    def __init__(self, code: str, *, all_alike: bool = True) -> None:
        super().__init__(code)
        self.all_alike = all_alike


class NotNow(GatewayError):
    """The gateway takes nothing at the moment and has not tried; the attempt does not count."""

    def __init__(self, code: str, again_in: timedelta) -> None:
        super().__init__(code)
        self.again_in = again_in


class Gateway(Protocol):
    """A way to phones, by whatever vendor."""

    name: str

    async def send(self, message: Outgoing) -> Accepted:
        """Hand a message over; raises Refused, Unreachable, Unknown, Misconfigured or NotNow."""


async def dispatch(row: OutboxRow, gateway: Gateway) -> None:
    """Send the message of a claimed promise and write down what became of it, in the ledger and in the outbox together.

    May run twice for one message: the provider sees the same key both times. A phone code is the exception, whose second copy would only
    confuse: once it may have been taken, it is not sent again. What is final already, or a code that has lost its use, is not sent at all.
    """
    begun = await _begin(row, gateway)
    if begun is None:
        return
    message, outgoing = begun
    try:
        accepted = await gateway.send(outgoing)
    except NotNow as pause:
        await _put_back(row, message, pause)
    except Refused as refusal:
        await _give_up(row, message, SmsState.UNDELIVERABLE, refusal.code)
    except Unreachable as failure:
        await _try_again(row, message, failure.code)
    except Misconfigured as fault:
        _log.critical("alarm", code="SMS_CONFIGURATION", gateway=gateway.name, reason=fault.code)
        await _try_again(row, message, f"{OURS}{fault.code}")
    except Unknown as failure:
        await _unknown(row, message, failure.code)
    except Exception as fault:  # noqa: BLE001  a faulty gateway is one that does not answer; the promise must not hang on it
        _log.error("gateway fault", gateway=gateway.name, kind=type(fault).__qualname__, exc_info=fault)
        await _unknown(row, message, type(fault).__qualname__)
    else:
        await _accepted(row, message, accepted)


async def give_up(message_id: UUID, error: str) -> None:
    """The promise of this message is dead: it waits as FAILED for somebody to send it again. Nothing happens to one that is final."""
    await SmsMessage.filter(id=message_id, state__not_in=FINAL).update(state=SmsState.FAILED, last_error=error[:200])


async def wording(message: SmsMessage) -> str:
    """The text of a message, code included: for gateways and for the terminal of development mode, never for a log."""
    return sms_texts.text(message.template, _language(message), await _parameters(message))


async def counts() -> list[tuple[SmsState, str, int]]:
    """Messages of the last 24 hours by state and provider ("" before the first attempt), for metrics."""
    found = await rows(
        """SELECT state, coalesce(provider, '') AS provider, count(*) AS n FROM sms_messages
           WHERE created_at > registry_now() - interval '1 day' GROUP BY 1, 2"""
    )
    return [(SmsState(each["state"]), each["provider"], each["n"]) for each in found]


async def held_up() -> int:
    """Messages of the last 24 hours that were last refused for credentials, credit or a template, for metrics."""
    [found] = await rows(
        """SELECT count(*) AS n FROM sms_messages
           WHERE created_at > registry_now() - interval '1 day' AND state = ANY($1) AND starts_with(last_error, $2)""",
        [SmsState.QUEUED.value, SmsState.FAILED.value],
        OURS,
    )
    return int(found["n"])


async def _begin(row: OutboxRow, gateway: Gateway) -> tuple[SmsMessage, Outgoing] | None:
    """The message, marked as being sent, and what the gateway gets; None where it shall not be sent, which is written down."""
    async with transaction():
        if not await outbox.hold(row):
            return None
        message = await SmsMessage.select_for_update().get(id=row.subject_id)
        if message.state in FINAL:
            await outbox.done(row)
            return None
        if message.template is SmsTemplate.PHONE_CODE and (reason := await _useless(message)):
            message.state, message.last_error = SmsState.FAILED, reason
            await message.save(update_fields=["state", "last_error"])
            await outbox.done(row)
            return None
        outgoing = await _outgoing(message, row)
        message.state, message.provider = SmsState.SENDING, gateway.name
        message.attempts += 1
        await message.save(update_fields=["state", "provider", "attempts"])
        return message, outgoing


async def _useless(message: SmsMessage) -> str | None:
    """Why a phone code is not sent (any more)."""
    if message.state is SmsState.SENDING:
        return "OUTCOME_UNKNOWN"  # an earlier attempt ended without an answer
    code = await PhoneCode.get_or_none(id=message.phone_code_id)
    if code is None or code.superseded_at is not None or code.used_at is not None:
        return "CODE_SUPERSEDED"
    return "CODE_EXPIRED" if await database_now() >= code.expires_at else None


async def _outgoing(message: SmsMessage, row: OutboxRow) -> Outgoing:
    language, parameters = _language(message), await _parameters(message)
    text = sms_texts.text(message.template, language, parameters)
    return Outgoing(phone=message.phone, template=message.template, language=language, parameters=parameters, text=text, key=str(row.id))


def _language(message: SmsMessage) -> Language:
    return "en" if message.language == "en" else "zh"


async def _parameters(message: SmsMessage) -> dict[str, Any]:
    if message.template is not SmsTemplate.PHONE_CODE:
        return dict(message.parameters)
    code = await PhoneCode.get_or_none(id=message.phone_code_id)
    if code is None:
        return dict.fromkeys(("code", "purpose", "until"), "—")  # old codes are removed, their messages stay
    until = code.expires_at.astimezone(SHANGHAI).strftime("%H:%M")
    return {"code": code_of(code.id), "purpose": code.purpose.zh if _language(message) == "zh" else code.purpose.en, "until": until}


async def _accepted(row: OutboxRow, message: SmsMessage, accepted: Accepted) -> None:
    async with transaction():
        if await outbox.done(row):
            taken = SmsMessage.filter(id=message.id)
            await taken.update(provider_reference=accepted.reference[:100], sent_at=await database_now())
            await _write(message, state=SmsState.SENT, last_error=None)


async def _put_back(row: OutboxRow, message: SmsMessage, pause: NotNow) -> None:
    async with transaction():
        if await outbox.postpone(row, pause.again_in):
            await _write(message, state=SmsState.QUEUED, last_error=pause.code, attempts=message.attempts - 1)


async def _unknown(row: OutboxRow, message: SmsMessage, error: str) -> None:
    if message.template is SmsTemplate.PHONE_CODE:
        await _give_up(row, message, SmsState.FAILED, "OUTCOME_UNKNOWN")
    else:
        await _try_again(row, message, error)


async def _try_again(row: OutboxRow, message: SmsMessage, error: str) -> None:
    pause = pause_after(row.attempts, jitter=random.random())  # noqa: S311  spreads load, keeps no secret
    if pause is None:
        await _give_up(row, message, SmsState.FAILED, error)
        return
    async with transaction():
        if await outbox.failed(row, error, again_in=pause):
            await _write(message, state=SmsState.QUEUED, last_error=error[:200])


async def _give_up(row: OutboxRow, message: SmsMessage, state: SmsState, error: str) -> None:
    async with transaction():
        # A code that did not arrive is asked for again by its owner; an operator can do nothing about it.
        ended = outbox.done(row) if message.template is SmsTemplate.PHONE_CODE else outbox.failed(row, error, again_in=None)
        if await ended:
            await _write(message, state=state, last_error=error[:200])


async def _write(message: SmsMessage, **changes: Any) -> None:
    """Write what became of a message that was being sent; where a receipt was faster than the answer, the receipt holds."""
    await SmsMessage.filter(id=message.id, state=SmsState.SENDING).update(**changes)
