"""Pools 专家库: who closes them, and which one has taken another's place (rules §8)."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from domain.rules.viewer import Viewer
from models.enums import Role

REASON_LENGTH = 500


def closes_pools(viewer: Viewer) -> bool:
    """Administrators and provincial officers alone."""
    return viewer.role in (Role.ADMINISTRATOR, Role.PROVINCIAL_OFFICER)


def heir(code: str, heirs: Mapping[str, str]) -> str:
    """The pool that has taken the place of `code` in the end; itself where it was never closed. `heirs` has no circles."""
    while code in heirs:
        code = heirs[code]
    return code


def as_merged(divisions: Iterable[Mapping[str, Any]], heirs: Mapping[str, str]) -> tuple[dict[str, Any], ...]:
    """Rows of a file of divisions in which closed pools stay closed, and what they served is served by their heirs.

    A file older than a merger, or one that knows nothing of it, opens no pool again.
    """
    rows = [dict(row) for row in divisions]
    serving = {row["code"]: row["pool_code"] for row in rows}
    for row in rows:
        if row["code"] in heirs:
            row["pool_selectable"] = False
        if (found := heir(row["pool_code"], heirs)) != row["pool_code"]:
            row["pool_code"] = serving.get(found) or found  # the file itself may have closed the heir in turn
    return tuple(rows)


def as_closed(divisions: Iterable[Mapping[str, Any]], closed: Collection[str]) -> tuple[dict[str, Any], ...]:
    """Rows of a file of divisions in which pools that closed without a successor serve nobody, whatever the file says."""
    rows = [dict(row) for row in divisions]
    for row in rows:
        row["pool_selectable"] = row["pool_selectable"] and row["code"] not in closed
        row["pool_code"] = None if row["code"] in closed or row["pool_code"] in closed else row["pool_code"]
    return tuple(rows)
