"""Sending a message of the ledger once more, by officers of the case and administrators (rules §7)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain import reads
from domain.actions import outbox
from domain.actions.promises import send_sms
from domain.actions.sms import FINAL
from domain.rules.errors import NotAllowed
from domain.rules.viewer import Viewer
from models.accounts import Account
from models.database import transaction
from models.enums import AccountStatus, SmsTemplate
from models.sms import SmsMessage


async def resend(message_id: UUID, *, viewer: Viewer, now: datetime) -> SmsMessage:
    """Write the same message anew into the ledger, to the phone that its reader has now; the old row stays as it is.

    Where its promise had been given up, nobody is alarmed by that any more: there is another. A message is sent again once: a repeat gives
    the message that was written then. Raises NotFound, and NotAllowed: MESSAGE_ON_ITS_WAY before it has ended one way or the other,
    MESSAGE_NOT_RESENT for codes, RECIPIENT_LEFT where the account can be used no more.
    """
    async with transaction():
        await outbox.hold_given_up("SMS", message_id)
        message = await reads.one(SmsMessage, message_id, viewer=viewer, now=now, lock=True)
        if message.template is SmsTemplate.PHONE_CODE:
            raise NotAllowed("MESSAGE_NOT_RESENT")
        written = await SmsMessage.get_or_none(resend_of=message.id)
        if written is not None:
            return written
        if message.state not in FINAL:
            raise NotAllowed("MESSAGE_ON_ITS_WAY")
        account = await Account.get_or_none(id=message.account_id, status=AccountStatus.ACTIVE)
        if account is None:
            raise NotAllowed("RECIPIENT_LEFT")
        await outbox.settle("SMS", message.id)
        return await send_sms(
            message.template,
            account,
            application_id=message.application_id,
            parameters=message.parameters,
            resend_of=message.id,
            now=now,
        )
