"""What development mode shows: messages as their receivers read them."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain.actions import demonstration
from models.enums import SmsState, SmsTemplate
from schema.context import Info

MESSAGES = 20


@strawberry.type(description="A message to a phone as its receiver reads it, code included. Development mode only.")
class DevelopmentMessage:
    """See demonstration.SentText."""

    template: SmsTemplate = strawberry.field(description="What it is about.")
    phone: str = strawberry.field(description="To whom, +86….")
    text: str = strawberry.field(description="The words.")
    state: SmsState = strawberry.field(description="What became of it.")
    created_at: datetime = strawberry.field(description="When it was written.")


@strawberry.type
class DevelopmentQueries:
    """Doors of domain.actions.demonstration."""

    @strawberry.field(description="The latest 20 messages, the newest first. Development mode only.")
    async def development_messages(
        self, info: Info, phone: Annotated[str | None, strawberry.argument(description="Only messages to this phone.")] = None
    ) -> list[DevelopmentMessage]:
        """See demonstration.latest_messages."""
        del info
        found = await demonstration.latest_messages(phone, limit=MESSAGES)
        return [
            DevelopmentMessage(template=each.template, phone=each.phone, text=each.text, state=each.state, created_at=each.created_at)
            for each in found
        ]
