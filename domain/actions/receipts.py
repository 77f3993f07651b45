"""What providers tell of messages after they took them: delivered, or never to be (rules §7)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.actions import outbox
from domain.rules.delivery import after_receipt, failure_word
from domain.rules.errors import NotFound
from models.database import transaction
from models.enums import SmsState
from models.outbox import OutboxRow
from models.sms import SmsMessage


async def take(key: UUID, told: SmsState, *, error: object = None, now: datetime) -> bool:
    """Write a receipt into the ledger: `told` is DELIVERED or UNDELIVERABLE, `key` the one that travelled with the message.

    Whether it changed anything: a repeat and what comes late does not. A message whose answer was lost is sent no more once there is
    a receipt for it. Raises NotFound for a key that is none (any more): keys of messages that went out are kept for 30 days.
    """
    async with transaction():
        row = await OutboxRow.filter(id=key, kind="SMS").select_for_update().first()
        message = None if row is None else await SmsMessage.filter(id=row.subject_id).select_for_update().first()
        if row is None or message is None:
            raise NotFound
        state = after_receipt(message.state, told)
        if state is None:
            return False
        message.state, message.receipt_at = state, now
        message.last_error = failure_word(error, otherwise="UNDELIVERABLE") if state is SmsState.UNDELIVERABLE else None
        await message.save(update_fields=["state", "receipt_at", "last_error"])
        if state is SmsState.DELIVERED:
            await outbox.kept_after_all(row)
    return True
