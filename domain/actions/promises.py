"""What happens after a commit: promises in the outbox, messages in the ledger, announcements to listeners."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

import tracing
from models.accounts import Account
from models.database import rows
from models.enums import SmsTemplate
from models.outbox import OutboxRow
from models.sms import SmsMessage

EVENTS = "registry_events"
"""Channel of announcements: JSON objects of ids, read by the API's subscriptions."""
HINTS = "registry_outbox"
"""Channel that tells workers that the outbox has something due."""


async def promise(kind: str, subject_id: UUID, *, due_at: datetime, now: datetime) -> None:
    """Write a promise; call inside the transaction of its cause. Workers are told at commit and sweep for it anyway."""
    row = await OutboxRow.create(kind=kind, subject_id=subject_id, due_at=due_at, created_at=now, correlation_id=tracing.correlation_id())
    await rows("SELECT pg_notify($1, $2)", HINTS, str(row.id))


async def announce(event: str, **ids: UUID | str | None) -> None:
    """Tell open subscriptions at commit that something changed; ids only, the listener reads again under its own rights."""
    await rows("SELECT pg_notify($1, $2)", EVENTS, announcement(event, **ids))


def announcement(event: str, **ids: UUID | str | None) -> str:
    """What goes over the channel EVENTS, for statements that announce what they write."""
    return orjson.dumps({"event": event, **{key: str(value) for key, value in ids.items() if value is not None}}).decode()


async def send_sms(
    template: SmsTemplate,
    account: Account,
    *,
    now: datetime,
    application_id: UUID | None = None,
    parameters: Mapping[str, Any] | None = None,
    resend_of: UUID | None = None,
) -> SmsMessage:
    """Put a message to an account's phone into the ledger and promise to send it."""
    message = await SmsMessage.create(
        template=template,
        language=account.language,
        phone=account.phone,
        phone_masked=account.phone_masked,
        account=account,
        application_id=application_id,
        parameters=dict(parameters or {}),
        resend_of=resend_of,
        created_at=now,
    )
    await promise("SMS", message.id, due_at=now, now=now)
    return message
