"""What was done with accounts of staff."""

from datetime import datetime

from models import accounts
from models.enums import Role, StaffActKind
from schema.nodes import Node, column, one, record
from schema.types.accounts import Account
from schema.types.reference import Division


@record(
    accounts.StaffAct,
    "账号操作记录: something done with an account of staff. Records are numbered, bound to each other, and never changed.",
)
class StaffAct(Node):
    """A line of the record."""

    number: int = column("number", "Its number; there are no gaps.")
    at: datetime = column("at", "When.")
    act: StaffActKind = column("act", "What was done.")
    account: Account | None = one("Account", "account_id", "The account as it is now.")
    account_name: str = column("account_name", "Name of the account's owner.")
    account_role: Role = column("account_role", "Role of the account.")
    account_pool_code: str | None = column("account_pool_code", "Code of a local officer's pool since the act.")
    account_pool: Division | None = one("Division", "account_pool_code", "The pool of that code.", to="code")
    actor_name: str | None = column("actor_name", "Name of who did it; empty for the operator at the machine.")
    actor_role: Role | None = column("actor_role", "Role of who did it; empty for the operator at the machine.")
