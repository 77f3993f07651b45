"""Who is asking: the facts about a signed-in person that rules need."""

from __future__ import annotations

from dataclasses import dataclass
from uuid import UUID

from models.enums import Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """A signed-in account. `pool_code` is set for local officers, `expert_id` for experts."""

    account_id: UUID
    session_id: UUID
    role: Role
    name: str
    pool_code: str | None = None
    expert_id: UUID | None = None

    @property
    def is_officer(self) -> bool:
        """Whether the account belongs to a finance office that reviews."""
        return self.role in (Role.LOCAL_OFFICER, Role.PROVINCIAL_OFFICER)
