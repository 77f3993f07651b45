"""Whether a code of the reference data can be chosen, and what it stands for now."""

from __future__ import annotations

from typing import TypeVar

from domain.rules.errors import Invalid
from models.enums import CodeKind
from models.reference import Code, Division, DivisionAlias, Qualification, Specialty, Title
from settings import settings

Row = TypeVar("Row", Code, Division, Qualification, Specialty, Title)
_LONGEST_CHAIN = 10  # a division has been renamed three times at most; a table that goes in circles must not hang a request


async def code(kind: CodeKind, chosen: str) -> str:
    """An entry of a flat code table. Raises Invalid: CODE_UNKNOWN, CODE_RETIRED, CODE_NOT_SELECTABLE for a heading."""
    if not _current(await Code.get_or_none(id=f"{kind.value}:{chosen}")).selectable:
        raise Invalid("CODE_NOT_SELECTABLE")
    return chosen


async def title(chosen: str) -> str:
    """A leaf of the title tree. Raises Invalid: CODE_UNKNOWN, CODE_RETIRED, TITLE_NOT_LEAF."""
    if not _current(await Title.get_or_none(code=chosen)).selectable:
        raise Invalid("TITLE_NOT_LEAF")
    return chosen


async def specialty(chosen: str) -> str:
    """A node of level 3 of the specialty tree. Raises Invalid: CODE_UNKNOWN, CODE_RETIRED, SPECIALTY_NOT_LEAF."""
    if _current(await Specialty.get_or_none(code=chosen)).level != 3:
        raise Invalid("SPECIALTY_NOT_LEAF")
    return chosen


async def qualification(chosen: str) -> str:
    """A qualification of the national list. Raises Invalid: CODE_UNKNOWN, CODE_RETIRED."""
    _current(await Qualification.get_or_none(code=chosen))
    return chosen


async def residence(chosen: str) -> str:
    """The present code of a division of the province in which people live. Raises Invalid as `_division`, DIVISION_IS_POOL."""
    found = await _division(chosen)
    if found.kind.startswith("pool"):
        raise Invalid("DIVISION_IS_POOL")
    return found.code


async def home_pool(chosen: str) -> str:
    """The present code of a pool of the province that takes experts.

    Raises Invalid as `_division`, DIVISION_SERVED_BY for a division whose pool goes by another code, POOL_NOT_SELECTABLE for one without.
    """
    found = await _division(chosen)
    if found.pool_selectable:
        return found.code
    served_by = await Division.get_or_none(code=found.pool_code, retired=False) if found.pool_code else None
    if served_by is None:
        raise Invalid("POOL_NOT_SELECTABLE")
    raise Invalid("DIVISION_SERVED_BY", pool=f"{served_by.name} ({served_by.code})")


async def _division(chosen: str) -> Division:
    """A division by its code or one that it bore earlier. Raises Invalid: DIVISION_OUTSIDE_PROVINCE, CODE_UNKNOWN, CODE_RETIRED."""
    if chosen[:2] != settings().province_code[:2]:
        raise Invalid("DIVISION_OUTSIDE_PROVINCE")
    for _ in range(_LONGEST_CHAIN):
        alias = await DivisionAlias.get_or_none(old_code=chosen)
        if alias is None:
            break
        chosen = alias.new_code
    return _current(await Division.get_or_none(code=chosen))


def _current(found: Row | None) -> Row:
    if found is None:
        raise Invalid("CODE_UNKNOWN")
    if found.retired:
        raise Invalid("CODE_RETIRED")
    return found
