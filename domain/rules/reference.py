"""The files of reference data: what they must look like, and how a newer calendar meets the one that is kept (rules §10)."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from fnmatch import fnmatchcase
from typing import Any

from domain.rules.errors import Invalid
from domain.rules.text import line
from models.enums import CodeKind, DayKind, DayStatus

Row = dict[str, Any]


@dataclass(frozen=True, slots=True, order=True)
class Flaw:
    """One thing that is wrong with a file; line 1 is the header."""

    file: str
    line: int
    what: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.what}"


class ReferenceFlawed(Exception):
    """The files cannot be loaded; every flaw that was found is listed, one a line."""

    def __init__(self, flaws: Iterable[Flaw]) -> None:
        self.flaws = tuple(sorted(flaws))
        super().__init__("\n".join(map(str, self.flaws)))


# A reader turns the text of one cell into a value or raises ValueError with what was expected.
Reader = Callable[[str], Any]


def _code(pattern: str, expected: str) -> Reader:
    def read(cell: str) -> str:
        if not re.fullmatch(pattern, cell):
            raise ValueError(expected + ("; was a leading zero lost in a spreadsheet?" if cell.isdecimal() else ""))
        return cell

    return read


def _words(longest: int) -> Reader:
    def read(cell: str) -> str:
        try:
            return line(cell, longest=longest)
        except Invalid as refused:
            raise ValueError(f"text of 1 to {longest} characters without controls") from refused

    return read


def _one_of(choices: Mapping[str, Any]) -> Reader:
    def read(cell: str) -> Any:
        if cell not in choices:
            raise ValueError("one of " + ", ".join(choices))
        return choices[cell]

    return read


def _number(least: int, most: int) -> Reader:
    def read(cell: str) -> int:
        if not re.fullmatch("[0-9]{1,4}", cell) or not least <= int(cell) <= most:
            raise ValueError(f"a number from {least} to {most}")
        return int(cell)

    return read


def _day(cell: str) -> date:
    try:
        if re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", cell):
            return date.fromisoformat(cell)
    except ValueError:
        pass
    raise ValueError("a real date like 2026-10-01")


def _optional(reader: Reader, default: Any = None) -> Reader:
    return lambda cell: reader(cell) if cell else default


_FLAG = _one_of({"Y": True, "N": False})
_DIVISION = _code("[0-9]{6}", "six digits")
_TREE = _code("[0-9A-Z]{1,10}", "up to ten digits and capitals")
_RANK = _one_of({rank: rank for rank in ("正高级", "副高级", "中级", "初级（助理级）", "初级（员级）")})
_DIVISION_KINDS = ("province", "pool_provincial", "prefecture", "pool_city", "district", "county", "county_city", "devzone")

Check = Callable[[Sequence[Row]], Iterator[tuple[int, str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sheet:
    """One kind of file. `columns` maps each of its columns to the field of the table that it fills, if any, and its reader.

    `fixed` are values that every row of it bears in the table. A check looks at all rows together and answers (index of the row,
    what is wrong).
    """

    pattern: str
    table: str
    columns: Mapping[str, tuple[str | None, Reader]]
    fixed: Row = field(default_factory=dict)
    key: str = "code"
    checks: tuple[Check, ...] = ()


def _tree(rows: Sequence[Row]) -> Iterator[tuple[int, str]]:
    levels = {row["code"]: row["level"] for row in rows}
    for index, row in enumerate(rows):
        parent = row["parent_code"]
        if parent is not None and parent not in levels:
            yield index, f"parent {parent} is not in the file"
        elif row["level"] != (expected := 1 if parent is None else levels[parent] + 1):
            yield index, f"level {row['level']}, but its place in the tree is {expected}"


def _one_province(rows: Sequence[Row]) -> Iterator[tuple[int, str]]:
    provinces = [row["code"] for row in rows if row["kind"] == "province"]
    if len(provinces) != 1:
        yield 0, f"one province is expected, there are {len(provinces)}"
    for index, row in enumerate(rows):
        if provinces and row["code"][:2] != provinces[0][:2]:
            yield index, f"division {row['code']} is not in the province {provinces[0]}"


def _pools(rows: Sequence[Row]) -> Iterator[tuple[int, str]]:
    pools = {row["code"]: row["pool_code"] for row in rows}
    selectable = {row["code"] for row in rows if row["pool_selectable"]}
    for index, row in enumerate(rows):
        if row["pool_selectable"] and row["pool_code"] != row["code"]:
            yield index, "a pool that can be selected is its own pool_code"
        # A closed pool bears the code of its successor, which may be closed in turn.
        pool, steps = row["pool_code"], 0
        while pool is not None and pool not in selectable and steps < len(rows):
            pool, steps = pools.get(pool), steps + 1
        if row["pool_code"] is not None and pool not in selectable:
            yield index, f"pool_code {row['pool_code']} does not lead to a pool that can be selected"


def _selectable_leaves(rows: Sequence[Row]) -> Iterator[tuple[int, str]]:
    parents = {row["parent_code"] for row in rows}
    for index, row in enumerate(rows):
        if row["selectable"] == (row["code"] in parents):
            yield index, "selectable is Y for the leaves of the tree and N for the rest"


def _exceptional_days(rows: Sequence[Row]) -> Iterator[tuple[int, str]]:
    statuses: dict[int, set[DayStatus]] = {}
    for row in rows:
        statuses.setdefault(row["date"].year, set()).add(row["status"])
    for index, row in enumerate(rows):
        if (row["date"].weekday() < 5) == (row["kind"] is DayKind.WORK):
            yield index, f"{row['date']} is {row['kind'].value.lower()} in every week and no exception"
        if len(statuses[row["date"].year]) > 1:
            yield index, f"the year {row['date'].year} is part official and part tentative"


def _codes(kind: CodeKind, pattern: str, code: Reader, **further: tuple[str | None, Reader]) -> Sheet:
    columns = {"code": ("code", code), "name": ("name", _words(120)), **further}
    checks = (_tree,) if "parent" in further else ()
    return Sheet(pattern=pattern, table="codes", columns=columns, fixed={"kind": kind}, checks=checks)


_SHEETS = (
    Sheet(
        pattern="*divisions.csv",
        table="divisions",
        columns={
            "code": ("code", _DIVISION),
            "name": ("name", _words(120)),
            "level": ("level", _number(1, 3)),
            "parent": ("parent_code", _optional(_DIVISION)),
            "kind": ("kind", _one_of({kind: kind for kind in _DIVISION_KINDS})),
            "pool_selectable": ("pool_selectable", _FLAG),
            "pool_code": ("pool_code", _optional(_DIVISION)),
            "note": ("note", _optional(_words(200), "")),
        },
        checks=(_tree, _one_province, _pools),
    ),
    Sheet(
        pattern="*division_aliases.csv",
        table="division_aliases",
        columns={
            "old_code": ("old_code", _DIVISION),
            "old_name": ("old_name", _words(60)),
            "new_code": ("new_code", _DIVISION),
            "year": ("year", _number(1949, 2999)),
        },
        key="old_code",
    ),
    Sheet(
        pattern="specialties.csv",
        table="specialties",
        columns={
            "code": ("code", _TREE),
            "parent": ("parent_code", _optional(_TREE)),
            "level": ("level", _number(1, 3)),
            "name": ("name", _words(120)),
            "source": ("source", _words(60)),
        },
        checks=(_tree,),
    ),
    Sheet(
        pattern="titles.csv",
        table="titles",
        columns={
            "code": ("code", _TREE),
            "parent": ("parent_code", _optional(_TREE)),
            "level": ("level", _number(1, 3)),
            "name": ("name", _words(120)),
            "series": ("series", _words(60)),
            "rank": ("rank", _optional(_RANK)),
            "gbt8561": ("gbt8561", _optional(_code("[0-9]{3}", "three digits"))),
            "selectable": ("selectable", _FLAG),
        },
        checks=(_tree, _selectable_leaves),
    ),
    Sheet(
        pattern="qualifications.csv",
        table="qualifications",
        columns={
            "code": ("code", _TREE),
            "kind": ("kind", _one_of({kind: kind for kind in ("准入类", "水平评价类", "其他")})),
            "name": ("name", _words(120)),
        },
    ),
    _codes(
        CodeKind.EDUCATION,
        "education.csv",
        _code("[0-9]{2}", "two digits"),
        parent=("parent_code", _optional(_code("[0-9]{2}", "two digits"))),
        level=("level", _number(1, 2)),
        is_graduated=(None, _FLAG),
        rank=("rank", _number(1, 9)),
    ),
    _codes(
        CodeKind.DEGREE,
        "degrees.csv",
        _code("[0-9]|[0-9]{3}", "one or three digits"),
        parent=("parent_code", _optional(_code("[0-9]", "one digit"))),
        level=("level", _number(1, 2)),
        source=(None, _words(60)),
    ),
    _codes(
        CodeKind.ETHNIC_GROUP,
        "ethnic_groups.csv",
        _code("[0-9]{2}", "two digits"),
        alpha=(None, _optional(_code("[A-Z]{2}", "two capitals"))),
        roman=(None, _optional(_words(60))),
    ),
    _codes(CodeKind.POLITICAL, "political.csv", _code("[0-9]{2}", "two digits"), short_name=("short_name", _words(60))),
    _codes(CodeKind.SEX, "sex.csv", _code("[0-9]", "one digit")),
    Sheet(
        pattern="help_contacts.csv",
        table="help_contacts",
        columns={
            "code": ("code", _code("[a-z0-9-]{1,20}", "small letters, digits and hyphens")),
            "name": ("name", _words(120)),
            "phone": ("phone", _words(40)),
            "hours": ("hours", _words(60)),
            "note": ("note", _optional(_words(200), "")),
        },
    ),
    Sheet(
        pattern="*calendar_exceptions.csv",
        table="calendar_days",
        columns={
            "date": ("date", _day),
            "kind": ("kind", _one_of({"off": DayKind.OFF, "work": DayKind.WORK})),
            "name": ("name", _words(60)),
            "status": ("status", _one_of({"official": DayStatus.OFFICIAL, "tentative": DayStatus.TENTATIVE})),
        },
        key="date",
        checks=(_exceptional_days,),
    ),
)


@dataclass(frozen=True, slots=True)
class Loaded:
    """The rows of one file, ready for `table`, with their lines; `scope` says which rows of the table the file speaks for."""

    file: str
    table: str
    key: str
    scope: Row
    rows: tuple[Row, ...]
    lines: tuple[int, ...]


def parse(texts: Mapping[str, str]) -> list[Loaded]:
    """Read files by name; raises ReferenceFlawed with every flaw of all of them, so that nothing is loaded by halves.

    Some of the files will do: what no file speaks for stays as it is.
    """
    flaws: list[Flaw] = []
    found: list[Loaded] = []
    for file, text in sorted(texts.items()):
        sheet = next((each for each in _SHEETS if fnmatchcase(file, each.pattern)), None)
        if sheet is None:
            flaws.append(Flaw(file, 1, "no file of reference data; expected are " + ", ".join(each.pattern for each in _SHEETS)))
            continue
        if other := next((each for each in found if (each.table, each.scope) == (sheet.table, sheet.fixed)), None):
            flaws.append(Flaw(file, 1, f"holds the same data as {other.file}; give one of them"))
            continue
        found.append(_read(file, text, sheet, flaws))
    if not flaws:
        flaws.extend(_aliases_to_nowhere(found))
    if flaws:
        raise ReferenceFlawed(flaws)
    return found


def _read(file: str, text: str, sheet: Sheet, flaws: list[Flaw]) -> Loaded:
    nothing = Loaded(file, sheet.table, sheet.key, sheet.fixed, (), ())
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[Row] = []
    lines: list[int] = []
    before = len(flaws)
    try:
        header = next(reader, [])
        if sorted(header) != sorted(sheet.columns):
            flaws.append(Flaw(file, 1, f"columns are {','.join(header)}; expected are {','.join(sheet.columns)}"))
            return nothing
        for cells in reader:
            if not any(cells):
                continue
            if len(cells) != len(header):
                flaws.append(Flaw(file, reader.line_num, f"{len(cells)} cells in a table of {len(header)} columns"))
                continue
            rows.append(_row(dict(zip(header, cells, strict=True)), sheet, lambda what: flaws.append(Flaw(file, reader.line_num, what))))
            lines.append(reader.line_num)
    except csv.Error as error:
        flaws.append(Flaw(file, reader.line_num, f"no CSV: {error}"))
    if not rows and len(flaws) == before:
        flaws.append(Flaw(file, 1, "the file has no rows"))
    if len(flaws) > before:
        return nothing  # looking at half-read rows together would find faults that are none
    flaws.extend(Flaw(file, lines[index], what) for check in (_unique(sheet.key), *sheet.checks) for index, what in check(rows))
    if sheet.table == "codes":
        parents = {row.get("parent_code") for row in rows}
        rows = [_entry(row, position, selectable=row["code"] not in parents) for position, row in enumerate(rows)]
    return replace(nothing, rows=tuple(rows), lines=tuple(lines))


def _row(cells: Mapping[str, str], sheet: Sheet, flawed: Callable[[str], None]) -> Row:
    row = dict(sheet.fixed)
    for column, (name, read) in sheet.columns.items():
        try:
            value = read(cells[column].strip())
        except ValueError as error:
            flawed(f"{column} {cells[column]!r}: {error}")
        else:
            row |= {name: value} if name else {}
    return row


def _entry(row: Row, position: int, *, selectable: bool) -> Row:
    """A row of the table of codes: its id, its place, and whether it is more than a heading over others."""
    kept = {name: value for name, value in row.items() if name != "level"}
    return {"id": f"{row['kind'].value}:{row['code']}", **kept, "position": position, "selectable": selectable}


def _unique(key: str) -> Check:
    def check(rows: Sequence[Row]) -> Iterator[tuple[int, str]]:
        seen: set[Any] = set()
        for index, row in enumerate(rows):
            if row[key] in seen:
                yield index, f"{key} {row[key]} is there twice"
            seen.add(row[key])

    return check


def _aliases_to_nowhere(found: Iterable[Loaded]) -> Iterator[Flaw]:
    files = {each.table: each for each in found}
    if "divisions" not in files or "division_aliases" not in files:
        return
    present = {row["code"] for row in files["divisions"].rows}
    aliases = files["division_aliases"]
    for number, row in zip(aliases.lines, aliases.rows, strict=True):
        if row["new_code"] not in present:
            yield Flaw(aliases.file, number, f"new_code {row['new_code']} is no division")
        if row["old_code"] in present:
            yield Flaw(aliases.file, number, f"old_code {row['old_code']} is still a division")


@dataclass(frozen=True, slots=True)
class CalendarChange:
    """What a newer file changes in the calendar: rows to write and days to forget."""

    put: tuple[Row, ...]
    forget: tuple[date, ...]


def calendar_change(kept: Mapping[date, DayStatus], loaded: Iterable[Row]) -> CalendarChange:
    """A file speaks for whole years, of which it replaces every day; a year that was published is never made tentative again.

    Years that the file does not name stay as they are.
    """
    rows = tuple(loaded)
    published = {day.year for day, status in kept.items() if status is DayStatus.OFFICIAL}
    expected_only = {row["date"].year for row in rows if row["status"] is DayStatus.TENTATIVE}
    years = {row["date"].year for row in rows} - (published & expected_only)
    put = tuple(row for row in rows if row["date"].year in years)
    days = {row["date"] for row in put}
    return CalendarChange(put, tuple(sorted(day for day in kept if day.year in years and day not in days)))
