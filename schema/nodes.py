"""Records as GraphQL objects: global ids, and where each field's data is.

A type of the schema that stands for a row says for each field where its data lies: `column` of the row itself, `one` row or `many` rows
elsewhere, `part` for a nested object over the same row, `page` for a connection. The ordinary executor answers from these through batched
loaders.

    @record(models.applications.Application)
    class Application(Node):
        stage: Stage = column("stage", "Where the case stands.")
        notice: PublicNotice | None = one("PublicNotice", "id", to="application_id", description="…")
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar
from uuid import UUID

import strawberry
from tortoise.models import Model

from domain import reads
from domain.rules.errors import NotFound, NotSignedIn
from domain.rules.messages import Language
from domain.rules.viewer import Viewer
from models.enums import Role
from models.ids import uuid_or_none
from schema.context import Context, Info

T = TypeVar("T", bound=type)
RECORDS: dict[str, type["Node"]] = {}
"""Every type that stands for a row, by its GraphQL name."""
NODES = 100
"""Ids in one call of `nodes`."""


Sql = str | Callable[[Role | None], str]
"""An expression over the row's table: `{t}` is its alias, `:name` a value of the viewer (domain/reads.py); by role where it differs."""


@dataclass(frozen=True, slots=True)
class Column:
    """A column of the row. With `only`, other roles get null. With `convert`, `sql` must say the same, else the field is not compiled."""

    name: str
    only: tuple[Role, ...] = ()
    convert: Callable[[Any], Any] | None = None
    sql: Sql | None = None


@dataclass(frozen=True, slots=True)
class Computed:
    """A value that a resolver computes and `sql` computes alike."""

    sql: Sql


@dataclass(frozen=True, slots=True)
class Finished:
    """A text that SQL alone cannot make: `sql` tells in letters, digits and `-` what it is made of, null for null; `finish` makes it of that.

    A resolver must answer alike.
    """

    sql: Sql
    finish: Callable[[str, Viewer | None, Language], str]


@dataclass(frozen=True, slots=True)
class One:
    """A row of another type: its `to` column equals this row's `key` column, or what `sql` comes to; a resolver must then answer alike."""

    target: str
    key: str
    to: str
    sql: Sql | None = None


@dataclass(frozen=True, slots=True)
class Many:
    """All rows of another type whose `to` column equals this row's `key` column, in order; for short lists only."""

    target: str
    to: str
    order: str
    key: str = "id"


@dataclass(frozen=True, slots=True)
class Part:
    """A nested object over the same row; null unless `when` holds."""

    when: Sql | None = None


@dataclass(frozen=True, slots=True)
class Selected:
    """The rows of a subquery about this row; the fields of the objects are `Cell`s, columns of it. A resolver must answer alike."""

    sql: Sql


@dataclass(frozen=True, slots=True)
class Cell:
    """A column of a `Selected` row."""

    name: str


@dataclass(frozen=True, slots=True)
class GlobalId:
    """The row's global id."""


@dataclass(frozen=True, slots=True)
class ById:
    """A row by the global id in the argument `id`; without a target, of whichever type the id names."""

    target: str | None = None


@dataclass(frozen=True, slots=True)
class OfViewer:
    """The row whose `to` column equals a value of the viewer, e.g. `viewer_account`; without a target, the viewer as a whole."""

    target: str | None = None
    value: str = ""
    to: str = "id"


Conditions = Callable[[Mapping[str, Any], Viewer | None], Sequence[reads.Where]]
"""The conditions that a field's arguments set, by their Python names; may raise a Refusal."""


@dataclass(frozen=True, slots=True)
class Listed:
    """All visible rows of a type under the conditions of the arguments, in order, at most `limit`.

    With `key`, only rows whose column `key` equals the parent row's id.
    """

    target: str
    where: Conditions
    order: str
    limit: int
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Begins:
    """How a verb begins, in the metadata of its mutation as `begins`: it reads a row whose global id, of this kind, its input holds under a name.

    That can be read while the session is proven; the resolver finds it in `Context.ahead`.
    """

    name: str
    kind: type["Node"]
    reading: Callable[[UUID, Viewer], reads.Ahead | None]


@strawberry.interface(description="Anything with a global id (Relay): fetch it again with `node(id:)`.")
class Node:
    """A row as a GraphQL object."""

    __model__: strawberry.Private[Any] = None
    row: strawberry.Private[Any]

    @strawberry.field(
        description="Global id, to be treated as opaque; give it back to `node` and to mutations as it is.", metadata={"source": GlobalId()}
    )
    def id(self) -> strawberry.ID:
        """`Type_` and the row's key."""
        return strawberry.ID(f"{type(self).__name__}_{self.row.pk}")


def record(model: type[Model], description: str) -> Callable[[T], T]:
    """Make a class a GraphQL type that stands for rows of `model`."""

    def decorate(cls: T) -> T:
        cls.__model__ = model  # type: ignore[attr-defined]  # typed on Node
        made = strawberry.type(cls, description=description)
        RECORDS[cls.__name__] = made
        return made

    return decorate


def listed(target: str, where: Conditions, order: str, limit: int = 500, key: str | None = None) -> dict[str, Any]:
    """Metadata of a field that lists rows; its resolver calls `rows_of`."""
    return {"source": Listed(target, where, order, limit, key)}


async def rows_of(info: Info, parent_row: Any = None, **arguments: Any) -> list[Any]:
    """The answer of a field whose source is `Listed`; `parent_row` is the row it hangs on."""
    source: Listed = info._field.metadata["source"]  # noqa: SLF001  the field that is being answered
    context, kind = info.context, RECORDS[source.target]
    where = list(source.where(arguments, context.viewer))
    if source.key is not None:
        where.append(reads.Where(f"{{t}}.{source.key} = :parent_id", {"parent_id": parent_row.id}))
    found = await reads.select(kind.__model__, viewer=context.viewer, now=context.now, where=where, order=source.order, limit=source.limit)
    return [kind(row=row) for row in found]


async def row_by_id(info: Info, id: strawberry.ID) -> Any:
    """The answer of a field whose source is `ById`. Raises NotSignedIn."""
    source: ById = info._field.metadata["source"]  # noqa: SLF001  as above
    return await resolve_node(id, info.context, source.target)


def of_viewer(target: str, value: str, description: str, *, to: str = "id") -> Any:
    """A field that is the row whose `to` column equals this value of the viewer (see reads.viewer_values)."""

    async def resolve(info: Info) -> Any:
        kind = RECORDS[target]
        row = await info.context.load_one(kind.__model__, to, reads.viewer_values(info.context.viewer, info.context.now)[value])
        return None if row is None else kind(row=row)

    return strawberry.field(resolver=resolve, description=description, metadata={"source": OfViewer(target, value, to)})


def column(
    name: str,
    description: str,
    *,
    only: Sequence[Role] = (),
    convert: Callable[[Any], Any] | None = None,
    sql: Sql | None = None,
    **options: Any,
) -> Any:
    """A field that is a column. `only`: for these roles, null for others. `convert`: a Python function over the value; `sql`: the same in SQL."""

    def resolve(root: Any, info: Info) -> Any:
        viewer = info.context.viewer
        if only and (viewer is None or viewer.role not in only):
            return None
        value = getattr(root.row, name)
        return convert(value) if convert and value is not None else value

    def plain(root: Any) -> Any:
        return getattr(root.row, name)

    source = Column(name, tuple(only), convert, sql)
    return strawberry.field(resolver=resolve if only or convert else plain, description=description, metadata={"source": source}, **options)


def one(target: str, key: str, description: str, *, to: str = "id", **options: Any) -> Any:
    """A field that is one row of another type, null where the viewer may not see it."""

    async def resolve(root: Any, info: Info) -> Any:
        kind = RECORDS[target]
        row = await info.context.load_one(kind.__model__, to, getattr(root.row, key))
        return None if row is None else kind(row=row)

    return strawberry.field(resolver=resolve, description=description, metadata={"source": One(target, key, to)}, **options)


def many(target: str, to: str, description: str, *, order: str = "{t}.position, {t}.id", key: str = "id", **options: Any) -> Any:
    """A field that is a short list of rows of another type."""

    async def resolve(root: Any, info: Info) -> Any:
        kind = RECORDS[target]
        return [kind(row=row) for row in await info.context.load_many(kind.__model__, to, getattr(root.row, key), order)]

    return strawberry.field(resolver=resolve, description=description, metadata={"source": Many(target, to, order, key)}, **options)


def part(kind: type, description: str, *, when: Sql | None = None, present: Callable[[Any, Context], bool] | None = None) -> Any:
    """A field that is a nested object over the same row: `kind` has `row` and columns. Null unless `present`, which `when` says in SQL."""

    def resolve(root: Any, info: Info) -> Any:
        return kind(row=root.row) if present is None or present(root.row, info.context) else None

    return strawberry.field(resolver=resolve, description=description, metadata={"source": Part(when)})


def cell(name: str, description: str) -> Any:
    """A field of an object that a resolver makes and a `Selected` source selects alike."""
    return strawberry.field(description=description, metadata={"source": Cell(name)})


def key_and_kind(global_id: str, target: str | None = None) -> tuple[type[Node] | None, Any]:
    """The type and the row's key behind a global id; (None, None) where it is malformed or not of the type `target`."""
    name, _, text = global_id.partition("_")
    kind = RECORDS.get(name) if target in (None, name) else None
    if kind is None:
        return None, None
    key = text or None if kind.__model__._meta.pk.field_type is str else uuid_or_none(text)
    return (None, None) if key is None else (kind, key)


def key_of(global_id: str, kind: type[Node]) -> Any:
    """The row's key behind a global id of this kind; None where it is malformed or of another type."""
    return key_and_kind(global_id, kind.__name__)[1]


def wanted_key(global_id: str, kind: type[Node]) -> Any:
    """As `key_of`; raises NotFound instead, as for a row that is not there."""
    key = key_of(global_id, kind)
    if key is None:
        raise NotFound
    return key


def named(global_id: str, viewer: Viewer | None, target: str | None = None) -> tuple[type[Node] | None, Any]:
    """As `key_and_kind`, for who asks: raises NotSignedIn for a kind of which nobody sees anything without a session.

    So a session that has ended is not taken for a thing that is gone, and nothing is told of whether the thing is there.
    """
    kind, key = key_and_kind(global_id, target)
    asked = kind or RECORDS.get(target or "")
    if viewer is None and asked is not None and not reads.is_public(asked.__model__):
        raise NotSignedIn
    return kind, key


async def resolve_node(global_id: str, context: Context, target: str | None = None) -> Node | None:
    """The object behind a global id; None where there is none or the viewer may not see it. Raises NotSignedIn as `named`."""
    kind, value = named(global_id, context.viewer, target)
    if kind is None:
        return None
    row = await context.load_one(kind.__model__, kind.__model__._meta.pk_attr, value)
    return None if row is None else kind(row=row)
