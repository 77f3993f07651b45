"""The conditions that officers set on their lists: the same for what they read and for what they take along."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from domain.reads import Where
from domain.rules.lifecycle import CLOSED, REVIEWS, By
from domain.rules.viewer import Viewer
from models.enums import CaseKind, Role, Stage


def search_term(text: str) -> str:
    """A text as a LIKE pattern for names that contain it."""
    escaped = text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


def contains(columns: tuple[str, str], text: str) -> Where:
    """Rows of which one of the columns contains the text, whatever the case of letters.

    From two characters on, the index on `bigrams` of both columns (models/migrations/0002) finds the candidates; one character is looked
    for in every row, in the order of the list.
    """
    first, second = (f"{{t}}.{column}" for column in columns)
    found, words = f"({first} ILIKE :search OR {second} ILIKE :search)", text.strip()
    if len(words) < 2:
        return Where(found, {"search": search_term(text)})
    candidates = f"bigrams(coalesce({first}, '') || ' ' || coalesce({second}, '')) @> bigrams(:words)"
    return Where(f"({candidates} AND {found})", {"search": search_term(text), "words": words})


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Which cases of the officers' queue; conditions are joined by AND, None sets none, an empty list excludes everything."""

    awaiting_me: bool | None = None
    stages: Sequence[Stage] | None = None
    kinds: Sequence[CaseKind] | None = None
    pool_codes: Sequence[str] | None = None
    overdue: bool | None = None
    claimed: bool | None = None
    claimed_by_me: bool | None = None
    search: str | None = None
    submitted_from: datetime | None = None
    submitted_before: datetime | None = None

    def conditions(self, viewer: Viewer) -> Sequence[Where]:
        """In SQL."""
        found = self._of_stages(viewer)
        for name, wanted in (("stage", self.stages), ("kind", self.kinds), ("pool_code", self.pool_codes)):
            if wanted is not None:
                found.append(Where(f"{{t}}.{name} = ANY(:{name}s)", {f"{name}s": [str(each) for each in wanted]}))
        if self.overdue is not None:
            found.append(Where("coalesce({t}.due_at < :now, FALSE) = :overdue", {"overdue": self.overdue}))
        if self.claimed is not None:
            found.append(Where("coalesce({t}.claimed_until > :now, FALSE) = :claimed", {"claimed": self.claimed}))
        if self.claimed_by_me:
            found.append(Where("({t}.claimed_by_id = :me AND {t}.claimed_until > :now)", {"me": viewer.account_id}))
        if self.search is not None and self.search.strip():
            found.append(contains(("applicant", "employer"), self.search))
        if self.submitted_from is not None:
            found.append(Where("{t}.submitted_at >= :submitted_from", {"submitted_from": self.submitted_from}))
        if self.submitted_before is not None:
            found.append(Where("{t}.submitted_at < :submitted_before", {"submitted_before": self.submitted_before}))
        return found

    def _of_stages(self, viewer: Viewer) -> list[Where]:
        found = []
        if self.awaiting_me:
            # Written out and not bound, as the small indexes on what awaits an office say the same (models/migrations/0002).
            stages = ", ".join(f"'{stage.value}'" for stage in awaiting(viewer.role))
            found.append(Where(f"{{t}}.stage IN ({stages})"))
        if self.stages and CLOSED.isdisjoint(self.stages):
            found.append(Where("{t}.closed_at IS NULL"))  # it says nothing new, but names the small index
        return found


def awaiting(role: Role) -> list[Stage]:
    """The stages that an office of this role decides."""
    by = {Role.LOCAL_OFFICER: By.LOCAL_OFFICE, Role.PROVINCIAL_OFFICER: By.PROVINCE}.get(role)
    return [stage for stage, decides in REVIEWS.items() if decides is by]
