"""Pools that were merged into others, and who moved with them."""

from datetime import datetime

from models import pools
from models.enums import MergeState, Role
from schema.nodes import Node, column, one, record
from schema.types.reference import Division


@record(pools.PoolMerge, "专家库合并: a pool that closed into its successor, and how far its people and cases have followed.")
class PoolMerge(Node):
    """A merge."""

    from_pool_code: str = column("from_code", "Code of the pool that closed.")
    from_pool: Division | None = one("Division", "from_code", "The pool that closed.", to="code")
    into_pool_code: str = column("into_code", "Code of the pool it was closed into; see `Division.poolCode` for who has its people now.")
    into_pool: Division | None = one("Division", "into_code", "The pool it was closed into.", to="code")
    state: MergeState = column("state", "Whether people and cases are still being moved.")
    reason: str = column("reason", "Why, as it was ordered.")
    ordered_by_name: str = column("ordered_by_name", "Name of who ordered it.")
    ordered_by_role: Role = column("ordered_by_role", "Role of who ordered it.")
    created_at: datetime = column("created_at", "When the pool closed: nobody is admitted to it from then on.")
    finished_at: datetime | None = column("finished_at", "When nobody was left in it.")
    experts_total: int = column(
        "experts_total", "People who were in it when it closed, by their standing or by a case, be it one by which they left it."
    )
    experts_moved: int = column(
        "experts_moved", "People who were moved so far, with those who had left the pool before and whose cases alone moved."
    )
    cases_moved: int = column("cases_moved", "Cases that were moved so far, open and closed ones.")


@record(pools.PoolTransfer, "转库: a person moved with a pool that was merged. Never changed.")
class PoolTransfer(Node):
    """A transfer."""

    at: datetime = column("at", "When.")
    from_pool_code: str = column("from_code", "Code of the pool that closed.")
    from_pool: Division | None = one("Division", "from_code", "The pool that closed.", to="code")
    into_pool_code: str = column("into_code", "Code of the pool that has the person since.")
    into_pool: Division | None = one("Division", "into_code", "The pool that has the person since.", to="code")
