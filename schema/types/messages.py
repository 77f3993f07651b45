"""The ledger of messages to phones."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from models import sms
from models.enums import SmsState, SmsTemplate
from schema.nodes import Computed, Node, column, one, record

if TYPE_CHECKING:
    from schema.types.applications import Application


@record(sms.SmsMessage, "A message to a phone (SMS), for the officers of its case and administrators.")
class Message(Node):
    """A line of the ledger."""

    template: SmsTemplate = column("template", "What it tells.")
    state: SmsState = column("state", "What became of it.")
    phone_masked: str = column("phone_masked", "Phone it went to, its middle hidden.")
    language: str = column("language", "Language: `zh` or `en`.")
    attempts: int = column("attempts", "How often it was handed to the provider.")
    last_error: str | None = column("last_error", "What the last failed attempt came to: a word of the provider's or ours.")
    provider: str | None = column("provider", "The provider that it was handed to last.")
    provider_reference: str | None = column("provider_reference", "The provider's own reference, to ask there what became of it.")
    application: Annotated["Application", strawberry.lazy("schema.types.applications")] | None = one(
        "Application", "application_id", "The case it is about; empty where it is about none, or that is not for the viewer."
    )
    resend_of: Annotated["Message", strawberry.lazy("schema.types.messages")] | None = one(
        "Message", "resend_of", "The message that this one repeats; empty for one that repeats none."
    )
    resent_as: Annotated["Message", strawberry.lazy("schema.types.messages")] | None = one(
        "Message", "id", "The message by which this one was repeated; empty where it was not sent again.", to="resend_of"
    )
    created_at: datetime = column("created_at", "When it was written.")
    sent_at: datetime | None = column("sent_at", "When the provider took it.")
    receipt_at: datetime | None = column("receipt_at", "When the provider told what became of it; empty where it tells nothing.")

    @strawberry.field(
        description="Whether it repeats an earlier message, `resendOf`.", metadata={"source": Computed("({t}.resend_of IS NOT NULL)")}
    )
    def resent(self) -> bool:
        """By the row it repeats."""
        return self.row.resend_of is not None
