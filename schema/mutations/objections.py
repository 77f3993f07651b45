"""Mutations of objections 异议: raised by anybody, settled by provincial officers."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain.actions import objections
from schema import problems as p
from schema.context import Info
from schema.nodes import wanted_key
from schema.types.objections import Objection
from schema.types.publicity import PublicNotice


@strawberry.input(description="Object to an admission while its notice runs.")
class ObjectionRaiseInput:
    """Input of objectionRaise."""

    notice_id: strawberry.ID = strawberry.field(description="Global id of the public notice, see `publicNotices`.")
    phone: str = strawberry.field(description="Your mobile number, at which the province can reach you; the expert never learns it.")
    code: str = strawberry.field(description="The six digits that were sent to the phone. Purpose: OBJECT.")
    text: str = strawberry.field(description="What speaks against the admission; at most 2000 characters.")


@strawberry.type(description="The objection was received. Keep the receipt number: nothing else is told about it later.")
class ObjectionReceived:
    """Success of objectionRaise."""

    receipt: str = strawberry.field(description="回执号: name it when you speak to the provincial office.")
    received_at: datetime = strawberry.field(description="When it was received, by the server's clock.")


@strawberry.input(description="Settle an objection.")
class ObjectionSettleInput:
    """Input of objectionSettle."""

    objection_id: strawberry.ID = strawberry.field(description="Global id of the objection.")
    upheld: bool = strawberry.field(description="True: it has ground, the admission is refused. False: dismissed.")
    reasons: str = strawberry.field(
        description="At most 1000 characters. Where it is upheld the expert reads them: do not say who objected."
    )


ObjectionRaiseResult = Annotated[
    ObjectionReceived | p.CodeRejected | p.InvalidInput | p.NotFound | p.NoticeOver | p.TooSoon | p.Unavailable,
    strawberry.union("ObjectionRaiseResult", description="That the objection was received, or why not."),
]
ObjectionSettleResult = Annotated[
    Objection | p.AlreadySettled | p.InvalidInput | p.NotAllowed | p.NotFound | p.NotSignedIn | p.Unavailable,
    strawberry.union("ObjectionSettleResult", description="The settled objection, or why it was not settled."),
]


@strawberry.type
class ObjectionMutations:
    """Doors of domain.actions.objections."""

    @strawberry.mutation(
        description="异议: object to an admission, without an account, until the last second of its notice. The expert never learns who it was."
    )
    async def objection_raise(self, info: Info, input: ObjectionRaiseInput) -> ObjectionRaiseResult:
        """See objections.raise_objection."""
        key = wanted_key(input.notice_id, PublicNotice)
        received = await objections.raise_objection(
            key, phone=input.phone, code=input.code, text=input.text, address=info.context.client_address, now=info.context.now
        )
        return ObjectionReceived(receipt=received.receipt, received_at=received.received_at)

    @strawberry.mutation(
        description="Settle an objection, for provincial officers. One upheld refuses the admission at once; when the notice is over and "
        "the last one is dismissed, the person is admitted."
    )
    async def objection_settle(self, info: Info, input: ObjectionSettleInput) -> ObjectionSettleResult:
        """See objections.settle."""
        viewer = info.context.signed_in()
        key = wanted_key(input.objection_id, Objection)
        settled = await objections.settle(key, upheld=input.upheld, reasons=input.reasons, viewer=viewer, now=info.context.now)
        return Objection(row=settled)
