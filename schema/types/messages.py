"""The ledger of messages to phones."""

from datetime import datetime

import strawberry

from models import sms
from models.enums import SmsState, SmsTemplate
from schema.nodes import Computed, Node, column, record


@record(sms.SmsMessage, "A message to a phone (SMS), for the officers of its case and administrators.")
class Message(Node):
    """A line of the ledger."""

    template: SmsTemplate = column("template", "What it tells.")
    state: SmsState = column("state", "What became of it.")
    phone_masked: str = column("phone_masked", "Phone it went to, its middle hidden.")
    language: str = column("language", "Language: `zh` or `en`.")
    attempts: int = column("attempts", "How often it was handed to the provider.")
    last_error: str | None = column("last_error", "What the last failed attempt came to: a word of the provider's or ours.")
    created_at: datetime = column("created_at", "When it was written.")
    sent_at: datetime | None = column("sent_at", "When the provider took it.")

    @strawberry.field(description="Whether it repeats an earlier message.", metadata={"source": Computed("({t}.resend_of IS NOT NULL)")})
    def resent(self) -> bool:
        """By the row it repeats."""
        return self.row.resend_of is not None
