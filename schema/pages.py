"""Connections (Relay): keyset pages over visible rows; the total is counted only when asked for."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Annotated, Any, Generic, TypeVar
from uuid import UUID

import strawberry
from tortoise import fields

from domain import reads
from domain.rules.errors import FieldProblem, InvalidInput
from schema.context import Info
from schema.nodes import Node

T = TypeVar("T")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_BETWEEN = "~"
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
    cursor: str = strawberry.field(description="Its place in the list.")


@strawberry.type(description="A page of a list.")
class Connection(Generic[T]):
    """Relay's Connection."""

    edges: list[Edge[T]] = strawberry.field(description="Items with their cursors.")
    page_info: PageInfo = strawberry.field(description="Where this page stands.")
    counter: strawberry.Private[Callable[[], Awaitable[int]]]

    @strawberry.field(description="The items alone, for who needs no cursors.")
    def nodes(self) -> list[T]:
        """Shortcut past the edges."""
        return [edge.node for edge in self.edges]

    @strawberry.field(description="How many items there are in all under the same filter; counted only when asked for.")
    async def total_count(self) -> int:
        """One more statement."""
        return await self.counter()


def _written(value: Any) -> str:
    if isinstance(value, datetime):
        return str((value - _EPOCH) // timedelta(microseconds=1))
    return value.isoformat() if isinstance(value, date) else str(value)


def _read(text: str, column: fields.Field[Any]) -> Any:
    if isinstance(column, fields.DatetimeField):
        return _EPOCH + timedelta(microseconds=int(text))
    if isinstance(column, fields.DateField):
        return date.fromisoformat(text)
    if isinstance(column, fields.UUIDField):
        return UUID(text)
    return int(text) if isinstance(column, fields.IntField) else text


def _cursor_values(cursor: str, model: Any, order: Sequence[str], path: str) -> list[Any]:
    try:
        return [_read(text, model._meta.fields_map[name]) for text, name in zip(cursor.split(_BETWEEN), order, strict=True)]
    except (ValueError, OverflowError):
        raise InvalidInput([FieldProblem(path, "CURSOR_INVALID")]) from None


def _size(first: int | None, last: int | None, limit: int) -> int:
    if first is not None and last is not None:
        raise InvalidInput([FieldProblem("last", "PAGE_FIRST_AND_LAST")])
    size = DEFAULT_PAGE if first is None and last is None else first if first is not None else last
    if size is None or not 0 <= size <= limit:
        raise InvalidInput([FieldProblem("last" if last is not None else "first", "PAGE_SIZE", {"maximum": limit})])
    return size


async def page(
    info: Info,
    kind: type[Node],
    *,
    order: Sequence[str],
    where: Sequence[reads.Where] = (),
    first: int | None = None,
    after: str | None = None,
    last: int | None = None,
    before: str | None = None,
    descending: bool = False,
) -> Any:
    """A page of the visible rows of `kind` in the order of the named columns, which end with a unique one and hold no nulls.

    Raises InvalidInput for a bad size or cursor.
    """
    context = info.context
    model: Any = kind.__model__
    size = _size(first, last, context.settings.page_max)
    backwards = last is not None
    tuple_sql = f"({', '.join(f'{{t}}.{name}' for name in order)})"
    conditions = list(where)
    for cursor, path, forward in ((after, "after", True), (before, "before", False)):
        if cursor is not None:
            values = {f"{path}_{name}": value for name, value in zip(order, _cursor_values(cursor, model, order, path), strict=True)}
            sign = ">" if forward is not descending else "<"
            conditions.append(reads.Where(f"{tuple_sql} {sign} ({', '.join(f':{path}_{name}' for name in order)})", values))
    direction = " DESC" if descending is not backwards else ""
    found = await reads.select(
        model,
        viewer=context.viewer,
        now=context.now,
        where=conditions,
        order=", ".join(f"{{t}}.{name}{direction}" for name in order),
        limit=size + 1,
    )
    more = len(found) > size
    found = found[:size]
    if backwards:
        found.reverse()
    edges = [Edge(node=kind(row=row), cursor=_BETWEEN.join(_written(getattr(row, name)) for name in order)) for row in found]

    async def counter() -> int:
        return await reads.count(model, viewer=context.viewer, now=context.now, where=where)

    return Connection(
        edges=edges,
        page_info=PageInfo(
            has_next_page=more if not backwards else before is not None,
            has_previous_page=more if backwards else after is not None,
            start_cursor=edges[0].cursor if edges else None,
            end_cursor=edges[-1].cursor if edges else None,
        ),
        counter=counter,
    )
