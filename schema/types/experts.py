"""Experts: a person's place in the registry."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from models import experts
from models.enums import Standing
from schema.context import Info
from schema.nodes import Node, column, one, record
from schema.pages import After, Before, Connection, First, Last, page_of, paged
from schema.types.reference import Division

if TYPE_CHECKING:
    from schema.types.applications import Application
    from schema.types.profiles import Profile


@record(experts.Expert, "专家: a person in the registry, across all revisions of the profile and all cases.")
class Expert(Node):
    """An expert."""

    standing: Standing = column("standing", "Temporary, formal, or how the person left.")
    number: str | None = column("number", "Expert number, given at admission.")
    name: str = column("name", "Name.")
    pool_code: str | None = column("pool_code", "Code of the pool, once admitted.")
    pool: Division | None = one("Division", "pool_code", "The pool (库), once admitted.", to="code")
    formal_since: datetime | None = column("formal_since", "When the person became a formal expert.")
    created_at: datetime = column("created_at", "When the person registered.")
    effective_profile: Annotated["Profile", strawberry.lazy("schema.types.profiles")] | None = one(
        "Profile", "effective_id", "The profile in force; empty before admission."
    )
    draft_profile: Annotated["Profile", strawberry.lazy("schema.types.profiles")] | None = one(
        "Profile", "draft_id", "The open draft, for its owner alone; the first section saved opens it."
    )

    @strawberry.field(
        description="All cases of this person, the newest first.",
        metadata=paged("Application", ("created_at", "id"), lambda *_: (), descending=True, key="expert_id"),
    )
    async def applications(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Annotated["Application", strawberry.lazy("schema.types.applications")]]:
        """The person's history."""
        found: Connection[Application] = await page_of(info, self.row, first=first, after=after, last=last, before=before)
        return found
