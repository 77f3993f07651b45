"""Reference data: trees and tables that forms choose from, and the calendar. For everybody."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Annotated, Any

import strawberry

from domain import reads
from domain.lists import search_term
from domain.reads import Where
from domain.rules.errors import FieldProblem, InvalidInput
from models import reference
from models.enums import CodeKind
from schema.context import Info
from schema.nodes import listed, rows_of
from schema.types.reference import Code, Division, Qualification, Specialty, Title, WorkingCalendar

_BY_CODE = "{t}.code"

NameSearch = Annotated[str | None, strawberry.argument(description="Only names that contain this text; two characters are enough.")]

Parent = Annotated[
    str | None, strawberry.argument(description="Only what lies directly under this code. Without `parent` and `search`: the top level.")
]
Search = Annotated[
    str | None,
    strawberry.argument(
        description="Only names that contain this text, at any depth; two characters are enough. Codes match by their start."
    ),
]
Closed = Annotated[
    bool | None,
    strawberry.argument(
        description="True: only pools (专家库) that were closed, with or without a successor, without `parent` and `search` at any depth; false: "
        "none of these."
    ),
]
Retired = Annotated[bool, strawberry.argument(description="Also what is no longer given out.")]


def unretired(arguments: Mapping[str, Any]) -> list[Where]:
    """Rows that are still given out, unless the others are asked for too."""
    return [] if arguments.get("include_retired") else [Where("NOT {t}.retired")]


def _tree(arguments: Mapping[str, Any], _: Any) -> Sequence[Where]:
    parent, search = arguments.get("parent"), (arguments.get("search") or "").strip()
    found = unretired(arguments)
    if search:
        found.append(Where("({t}.name ILIKE :search OR starts_with({t}.code, :code))", {"search": search_term(search), "code": search}))
    if parent is not None:
        found.append(Where("{t}.parent_code = :parent_code", {"parent_code": parent}))
    elif not search:
        found.append(Where("{t}.parent_code IS NULL"))
    return found


def _divisions(arguments: Mapping[str, Any], viewer: Any) -> Sequence[Where]:
    """Closed pools lie anywhere in the tree."""
    closed = "({t}.closed_at IS NOT NULL OR EXISTS (SELECT FROM pool_merges m WHERE m.from_code = {t}.code))"
    if arguments.get("closed") is None:
        return _tree(arguments, viewer)
    if not arguments["closed"]:
        return [*_tree(arguments, viewer), Where(f"NOT {closed}")]
    within = unretired(arguments) if arguments.get("parent") is None and not arguments.get("search") else _tree(arguments, viewer)
    return [*within, Where(closed)]


def _flat(arguments: Mapping[str, Any], _: Any) -> Sequence[Where]:
    search = (arguments.get("search") or "").strip()
    return [*unretired(arguments), *([Where("{t}.name ILIKE :search", {"search": search_term(search)})] if search else [])]


def _of_kind(arguments: Mapping[str, Any], _: Any) -> Sequence[Where]:
    return [*unretired(arguments), Where("{t}.kind = :kind", {"kind": arguments["kind"].value})]


@strawberry.type
class ReferenceQueries:
    """Reading of reference data."""

    @strawberry.field(
        description="区划: divisions and pools, by parent or by search; at most 500.", metadata=listed("Division", _divisions, _BY_CODE)
    )
    async def divisions(
        self, info: Info, parent: Parent = None, search: Search = None, include_retired: Retired = False, closed: Closed = None
    ) -> list[Division]:
        """A level, or what was found."""
        return await rows_of(info, parent=parent, search=search, include_retired=include_retired, closed=closed)

    @strawberry.field(
        description="评标专业: the tree of specialties, by parent or by search; at most 500.", metadata=listed("Specialty", _tree, _BY_CODE)
    )
    async def specialties(
        self, info: Info, parent: Parent = None, search: Search = None, include_retired: Retired = False
    ) -> list[Specialty]:
        """A level, or what was found."""
        return await rows_of(info, parent=parent, search=search, include_retired=include_retired)

    @strawberry.field(
        description="职称: the tree of titles, by parent or by search; at most 500.", metadata=listed("Title", _tree, _BY_CODE)
    )
    async def titles(self, info: Info, parent: Parent = None, search: Search = None, include_retired: Retired = False) -> list[Title]:
        """A level, or what was found."""
        return await rows_of(info, parent=parent, search=search, include_retired=include_retired)

    @strawberry.field(
        description="职业资格: the list of professional qualifications, all or by search; at most 500.",
        metadata=listed("Qualification", _flat, _BY_CODE),
    )
    async def qualifications(self, info: Info, search: NameSearch = None, include_retired: Retired = False) -> list[Qualification]:
        """All, or what was found."""
        return await rows_of(info, search=search, include_retired=include_retired)

    @strawberry.field(description="A flat code table, in its order.", metadata=listed("Code", _of_kind, "{t}.position, {t}.code"))
    async def codes(
        self,
        info: Info,
        kind: Annotated[CodeKind, strawberry.argument(description="Which table.")],
        include_retired: Retired = False,
    ) -> list[Code]:
        """The whole table."""
        return await rows_of(info, kind=kind, include_retired=include_retired)

    @strawberry.field(description="工作日历: which days of a year are worked.")
    async def working_calendar(
        self, info: Info, year: Annotated[int, strawberry.argument(description="Calendar year, 2000 to 2100.")]
    ) -> WorkingCalendar:
        """A year without official rows is tentative."""
        if not 2000 <= year <= 2100:
            raise InvalidInput([FieldProblem("year", "YEAR_RANGE", {"least": 2000, "most": 2100})])
        span = Where("{t}.date BETWEEN :first_day AND :last_day", {"first_day": date(year, 1, 1), "last_day": date(year, 12, 31)})
        found = await reads.select(reference.CalendarDay, viewer=info.context.viewer, now=info.context.now, where=[span], order="{t}.date")
        return WorkingCalendar.of(year, found)
