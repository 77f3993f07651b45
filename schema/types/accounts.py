"""The viewer's own account and sessions."""

from datetime import datetime

import strawberry

from models import accounts
from models.enums import Role
from schema.context import Info
from schema.nodes import RECORDS, Node, column, record
from schema.types.experts import Expert
from schema.types.reference import Division


@record(accounts.Account, "An account: who can sign in.")
class Account(Node):
    """An account."""

    role: Role = column("role", "What it is for.")
    name: str = column("name", "Name.")
    phone_masked: str = column("phone_masked", "Login phone, its middle hidden.")
    created_at: datetime = column("created_at", "When it was registered.")


@strawberry.type(description="Who is signed in.")
class Viewer:
    """The viewer."""

    @strawberry.field(description="The viewer's account.")
    async def account(self, info: Info) -> Account:
        """Own row."""
        return Account(row=await info.context.load_one(accounts.Account, "id", info.context.signed_in().account_id))

    @strawberry.field(description="The viewer as an expert; empty for staff.")
    async def expert(self, info: Info) -> Expert | None:
        """Own row."""
        kind = RECORDS["Expert"]
        row = await info.context.load_one(kind.__model__, "id", info.context.signed_in().expert_id)
        return None if row is None else Expert(row=row)

    @strawberry.field(description="The pool whose cases the viewer reviews; empty for all but local officers.")
    async def pool(self, info: Info) -> Division | None:
        """Own office."""
        row = await info.context.load_one(Division.__model__, "code", info.context.signed_in().pool_code)
        return None if row is None else Division(row=row)
