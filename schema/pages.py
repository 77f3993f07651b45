"""Connections (Relay): keyset pages over visible rows; the total is counted only when asked for."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any, Generic, TypeVar

import strawberry
from tortoise import fields

from domain import reads
from domain.rules.errors import FieldProblem, InvalidInput
from models.ids import uuid_or_none
from schema.context import Info
from schema.nodes import RECORDS, Conditions

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LONGEST_TIME = 10**17  # microseconds; three thousand years
_MOST_DIGITS = 19
CURSOR_SEPARATOR = "~"
DEFAULT_PAGE = 20

First = Annotated[int | None, strawberry.argument(description="So many from the start; at most 100. Without `first` and `last`: 20.")]
After = Annotated[str | None, strawberry.argument(description="Only what comes after this cursor.")]
Last = Annotated[int | None, strawberry.argument(description="So many from the end; at most 100.")]
Before = Annotated[str | None, strawberry.argument(description="Only what comes before this cursor.")]


@strawberry.type(description="Where a page stands in its list.")
class PageInfo:
    """Relay's PageInfo."""

    has_next_page: bool = strawberry.field(description="Whether more follows after this page.")
    has_previous_page: bool = strawberry.field(description="Whether something precedes this page.")
    start_cursor: str | None = strawberry.field(description="Cursor of the first item; give it as `before` to page back.")
    end_cursor: str | None = strawberry.field(description="Cursor of the last item; give it as `after` to page on.")


@strawberry.type(description="An item of a page with its cursor.")
class Edge(Generic[T]):
    """Relay's Edge."""

    node: T = strawberry.field(description="The item.")
    cursor: str = strawberry.field(description="Its place in the list, for `after` or `before`.")


@strawberry.type(description="A page of a list, at most 100 items. Ask for `nodes` alone where the cursors of single items do not matter.")
class Connection(Generic[T]):
    """Relay's Connection."""

    edges: list[Edge[T]] = strawberry.field(description="Items with their cursors.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")
    counter: strawberry.Private[Callable[[], Awaitable[int]]]

    @strawberry.field(description="The items alone, for who needs no cursors.")
    def nodes(self) -> list[T]:
        """Shortcut past the edges."""
        return [edge.node for edge in self.edges]

    @strawberry.field(
        description="How many items there are in all under the same filter, counted up to 1000: that number stands for 1000 or more."
    )
    async def total_count(self) -> int:
        """One more statement."""
        return await self.counter()


@dataclass(frozen=True, slots=True)
class Page:
    """A keyset page of visible rows of a type, in the order of columns that end with a unique one and hold no nulls.

    `where` gives the conditions of the arguments; with `key`, only rows whose column `key` equals the parent row's id.
    """

    target: str
    order: tuple[str, ...]
    where: Conditions
    descending: bool = False
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Slice:
    """What the page arguments say: so many rows from one end, between cursors."""

    size: int
    backwards: bool
    after: list[Any] | None
    before: list[Any] | None

    @classmethod
    def of(cls, source: Page, arguments: Mapping[str, Any], limit: int) -> "Slice":
        """Read from a field's arguments. Raises InvalidInput for a bad size or cursor."""
        first, last, model = arguments.get("first"), arguments.get("last"), RECORDS[source.target].__model__
        after, before = (
            None if arguments.get(path) is None else _cursor_values(arguments[path], model, source.order, path)
            for path in ("after", "before")
        )
        return cls(_size(first, last, limit), last is not None, after, before)

    def conditions(self, source: Page) -> list[reads.Where]:
        """What the cursors exclude: one row comparison each, which an index on the order serves."""
        columns = f"({', '.join(f'{{t}}.{name}' for name in source.order)})"
        found = []
        for path, values, forward in (("after", self.after, True), ("before", self.before, False)):
            if values is not None:
                sign = ">" if forward is not source.descending else "<"
                names = [f"{path}_{name}" for name in source.order]
                found.append(
                    reads.Where(f"{columns} {sign} ({', '.join(f':{name}' for name in names)})", dict(zip(names, values, strict=True)))
                )
        return found

    def order(self, source: Page) -> str:
        """ORDER BY in the direction in which the rows are fetched."""
        direction = " DESC" if source.descending is not self.backwards else ""
        return ", ".join(f"{{t}}.{name}{direction}" for name in source.order)

    def has_next(self, more: bool) -> bool:
        """Whether rows follow the page; `more` tells that one row beyond the size was found."""
        return self.before is not None if self.backwards else more

    def has_previous(self, more: bool) -> bool:
        """Whether rows precede the page."""
        return more if self.backwards else self.after is not None


def paged(target: str, order: tuple[str, ...], where: Conditions, **options: Any) -> dict[str, Any]:
    """Metadata of a field that is a connection; its resolver calls `page_of`."""
    return {"source": Page(target, order, where, **options)}


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return str((value - _EPOCH) // timedelta(microseconds=1))
    return str(value)


def _read(text: str, column: fields.Field[Any]) -> Any:
    """A value as `_written`; ValueError for any other text."""
    if isinstance(column, fields.DatetimeField):
        return _EPOCH + timedelta(microseconds=_number(text, _LONGEST_TIME))
    if isinstance(column, fields.UUIDField):
        found = uuid_or_none(text)
        if found is None:
            raise ValueError("no id")
        return found
    return _number(text, column.constraints["le"]) if isinstance(column, fields.IntField) else text


def _number(text: str, most: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS and int(text) <= most):
        raise ValueError("no number of this column")
    return int(text)


def _cursor_values(cursor: str, model: Any, order: Sequence[str], path: str) -> list[Any]:
    try:
        return [_read(text, model._meta.fields_map[name]) for text, name in zip(cursor.split(CURSOR_SEPARATOR), order, strict=True)]
    except ValueError:
        raise InvalidInput([FieldProblem(path, "CURSOR_INVALID")]) from None


def _size(first: int | None, last: int | None, limit: int) -> int:
    if first is not None and last is not None:
        raise InvalidInput([FieldProblem("last", "PAGE_FIRST_AND_LAST")])
    size = DEFAULT_PAGE if first is None and last is None else first if first is not None else last
    if size is None or not 0 <= size <= limit:
        raise InvalidInput([FieldProblem("last" if last is not None else "first", "PAGE_SIZE", {"maximum": limit})])
    return size


async def page_of(info: Info, parent: Any = None, **arguments: Any) -> Any:
    """The answer of a field whose source is `Page`; `parent` is the row it hangs on. Raises InvalidInput for a bad size or cursor."""
    source: Page = info._field.metadata["source"]  # noqa: SLF001  the field that is being answered
    context, kind = info.context, RECORDS[source.target]
    model: Any = kind.__model__
    part = Slice.of(source, arguments, context.settings.page_max)
    where = list(source.where(arguments, context.viewer))
    if source.key is not None:
        where.append(reads.Where(f"{{t}}.{source.key} = :parent", {"parent": parent.id}))
    found = await reads.select(
        model,
        viewer=context.viewer,
        now=context.now,
        where=[*where, *part.conditions(source)],
        order=part.order(source),
        limit=part.size + 1,
    )
    more = len(found) > part.size
    found = found[: part.size]
    if part.backwards:
        found.reverse()
    edges = [Edge(node=kind(row=row), cursor=CURSOR_SEPARATOR.join(_written(getattr(row, name)) for name in source.order)) for row in found]

    async def counter() -> int:
        return await reads.count(model, viewer=context.viewer, now=context.now, where=where, limit=context.settings.count_max)

    return Connection(
        edges=edges,
        page_info=PageInfo(
            has_next_page=part.has_next(more),
            has_previous_page=part.has_previous(more),
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
        counter=counter,
    )
