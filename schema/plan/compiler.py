"""From a validated query to one SQL statement: types say where their data is, the compiler writes it down.

Every selection becomes a list of output columns (response key, SQL expression). The rows of a single root field are fetched as plain
columns under their response keys; whatever lies deeper is a JSON value that PostgreSQL builds and nobody looks at again.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any
from uuid import UUID

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLObjectType,
    ListValueNode,
    ObjectValueNode,
    Undefined,
    ValueNode,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    specified_scalar_types,
)
from graphql.execution.values import VariableValues, get_argument_values
from strawberry.types.arguments import convert_arguments
from tortoise import fields

from domain import reads
from domain.rules.viewer import Viewer
from schema.nodes import (
    RECORDS,
    ById,
    Cell,
    Column,
    Computed,
    Finished,
    GlobalId,
    Listed,
    Many,
    Node,
    OfViewer,
    One,
    Part,
    Selected,
    Sql,
    named,
)
from schema.pages import CURSOR_SEPARATOR, Page, Slice
from schema.plan.remainder import Left, Remainder
from schema.plan.selection import Selections
from schema.scalars import SQL_FORMAT
from settings import Settings

Columns = list[tuple[str, str]]


class NeedsPython(Exception):
    """The operation asks for something that SQL does not give; the ordinary executor answers it."""


@dataclass(frozen=True, slots=True)
class Statement:
    """SQL with named values, and how its rows become the value of `data`: `build` takes them and what the dynamic fields came to.

    Texts that the statement left unfinished are marked with the value `mark` and the number of the source in `unfinished`; those that are
    `Left`, and the root fields of `remainder`, are for the ordinary executor. `order` are the response keys of the whole operation.
    """

    sql: str
    build: "Build"
    unfinished: Sequence[Finished | Left] = ()
    remainder: Remainder | None = None
    order: Sequence[str] = ()


@dataclass(slots=True)
class Request:
    """What differs between two runs of one operation: its variables, who asks, and the limits of the installation."""

    variables: VariableValues
    viewer: Viewer | None
    settings: Settings


def source_of(field: GraphQLField) -> Any:
    """Where a field's data is; None where only its resolver knows."""
    definition = (field.extensions or {}).get("strawberry-definition")
    return definition.metadata.get("source") if definition is not None else None


class _Input:
    """A written-out input of nothing but scalars and enums, of which only scalars are in variables: the rest of it is converted once.

    `passed` are the variables by the Python names of their fields.
    """

    def __init__(self, argument: str, passed: Mapping[str, str]) -> None:
        self._argument, self._passed = argument, passed
        self._kind: Any = None
        self._rest: dict[str, Any] = {}

    def of(self, coerced: Mapping[str, Any], convert: Callable[[], dict[str, Any]]) -> Mapping[str, Any]:
        """The argument in one request; what `convert` makes of it where a variable was left out or is null."""
        given = {name: coerced.get(variable) for name, variable in self._passed.items()}
        if None in given.values():
            return convert()
        if self._kind is None:
            first = convert()[self._argument]
            self._kind = type(first)
            self._rest = {name: value for name, value in vars(first).items() if name not in given}
        return {self._argument: self._kind(**self._rest | given)}


_SCALARS = tuple(specified_scalar_types.values())
"""Scalars that resolvers take as they were coerced."""


class Arguments:
    """The arguments of one field as its resolver would get them, by their Python names.

    Written-out values are converted once, unless whoever gets them could change them (`shared` is false); scalars in variables are passed on
    as they were coerced, also as fields of an input that is written out. What remains is converted each time.
    """

    def __init__(self, field: GraphQLField, node: FieldNode, converter: Any, *, shared: bool = True) -> None:
        self._field, self._node, self._converter = field, node, converter
        self._definition = (field.extensions or {})["strawberry-definition"]
        self._shared = shared
        self._fixed: dict[str, Any] | None = None
        self._varies = any(_names_variable(each.value) for each in node.arguments or ())
        self._passed = self._plain_variables()
        self._input = self._input_of_variables()

    def of(self, request: Request) -> Mapping[str, Any]:
        """Their values in one request; raises GraphQLError for values that do not fit."""
        if self._passed is not None:
            coerced = request.variables.coerced
            found = {name: coerced[variable] for name, variable in self._passed.items() if variable in coerced}
            if None not in found.values():
                return found
        elif self._input is not None:
            return self._input.of(request.variables.coerced, partial(self._converted, request))
        elif not self._varies and self._shared:
            if self._fixed is None:
                self._fixed = self._converted(request)
            return self._fixed
        return self._converted(request)

    def _converted(self, request: Request) -> dict[str, Any]:
        values = get_argument_values(self._field, self._node, request.variables)
        return convert_arguments(values, self._definition.arguments, self._converter.scalar_registry, self._converter.config)

    def _input_of_variables(self) -> _Input | None:
        """The one argument, where it is an input object of which `_Input` knows."""
        if len(self._field.args) != 1 or not self._node.arguments:
            return None
        [argument] = self._field.args.values()
        [node] = self._node.arguments
        kind = get_nullable_type(argument.type)
        if not isinstance(node.value, ObjectValueNode) or not isinstance(kind, GraphQLInputObjectType):
            return None
        types = {field: get_nullable_type(each.type) for field, each in kind.fields.items()}
        variables = {each.name.value: each.value.name.value for each in node.value.fields if isinstance(each.value, VariableNode)}
        if not all(is_leaf_type(each) for each in types.values()) or not all(types[each] in _SCALARS for each in variables):
            return None
        definition = kind.extensions["strawberry-definition"]
        names = {self._converter.config.name_converter.from_field(each): each.python_name for each in definition.fields}
        [python_name] = [each.python_name for each in self._definition.arguments]
        return _Input(python_name, {names[field]: variable for field, variable in variables.items()})

    def _plain_variables(self) -> Mapping[str, str] | None:
        """Variables by the Python names of the arguments, where all arguments are plain scalars and have no values of their own."""
        if not self._varies or any(each.default_value is not Undefined for each in self._field.args.values()):
            return None
        named = {each.name.value: each.value for each in self._node.arguments or ()}
        plain = all(
            isinstance(value, VariableNode) and get_nullable_type(self._field.args[name].type) in _SCALARS for name, value in named.items()
        )
        names = {self._converter.config.name_converter.from_argument(each): each.python_name for each in self._definition.arguments}
        return {names[name]: value.name.value for name, value in named.items() if isinstance(value, VariableNode)} if plain else None


def _only_python(kind: GraphQLObjectType, nodes: list[FieldNode]) -> bool:
    name = nodes[0].name.value
    return not name.startswith("__") and source_of(kind.fields[name]) is None


def _names_variable(value: ValueNode) -> bool:
    if isinstance(value, ListValueNode):
        return any(_names_variable(each) for each in value.values)
    if isinstance(value, ObjectValueNode):
        return any(_names_variable(each.value) for each in value.fields)
    return isinstance(value, VariableNode)


@dataclass(frozen=True, slots=True)
class Dynamic:
    """A field whose statement depends on its arguments: `conditions` gives the parts of it, `prefix` names their values apart."""

    arguments: Arguments
    source: Any
    prefix: str

    def conditions(self, request: Request) -> "Answered":
        """What the arguments come to in this request; raises a Refusal, which the ordinary executor then raises in its place."""
        arguments = self.arguments.of(request)
        match self.source:
            case ById():
                kind, key = named(arguments["id"], request.viewer, self.source.target)
                return Answered(kind.__name__ if kind else "", (reads.Where("", {"key": key}),))
            case Listed():
                return Answered("", tuple(self.source.where(arguments, request.viewer)))
            case Page():
                # The size is written out: PostgreSQL then knows how few rows are wanted, and need not plan anew for each request.
                part = Slice.of(self.source, arguments, request.settings.page_max)
                shape = f"{'<' if part.backwards else '>'}{'a' if part.after else ''}{'b' if part.before else ''}{part.size}"
                where = tuple(self.source.where(arguments, request.viewer))
                cursors = tuple(part.conditions(self.source))
                return Answered(shape, (*where, *cursors), part, len(where))
        raise TypeError(self.source)


@dataclass(frozen=True, slots=True)
class Answered:
    """The conditions of a dynamic field in one request. Requests of equal `shape` share a statement."""

    kind: str
    where: tuple[reads.Where, ...]
    part: Slice | None = None
    uncursored: int = 0

    @property
    def shape(self) -> tuple[str, ...]:
        """Everything that the text of the statement depends on."""
        return (self.kind, *(text for each in self.where for text in (each.sql, each.counting)))


Build = Callable[[Sequence[Any], Sequence[Answered]], Any]


class Compiler:
    """Compiles one operation for one role, one shape of arguments. What only Python answers goes into the remainder, if it may."""

    def __init__(
        self, schema: Any, selections: Selections, request: Request, dynamic: list[Dynamic], remainder: Remainder | None = None
    ) -> None:
        self._schema = schema._schema  # noqa: SLF001  strawberry has no accessor
        self._converter = schema.schema_converter
        self._selections = selections
        self._request = request
        self._role = request.viewer.role if request.viewer else None
        self._dynamic = dynamic
        self._unfinished: list[Finished | Left] = []
        self._remainder = remainder
        self._aliases = 0

    def compile(self, root: Mapping[str, list[FieldNode]]) -> Statement:
        """The statement of the whole operation. Raises NeedsPython."""
        kind, left = self._schema.query_type, self._remainder
        compiled = root
        if left is not None:
            left.roots = {key: nodes for key, nodes in root.items() if _only_python(kind, nodes)}
            compiled = {key: nodes for key, nodes in root.items() if key not in left.roots}
        if not compiled:
            raise NeedsPython("every root field")
        statement = self._operation(compiled)
        if left:
            left.close()
        return replace(statement, unfinished=self._unfinished, remainder=left or None, order=list(root))

    def _operation(self, root: Mapping[str, list[FieldNode]]) -> Statement:
        kind = self._schema.query_type
        if len(root) == 1:
            [(key, nodes)] = root.items()
            found = self._alone(kind, nodes)
            if found is not None:
                build = found.build
                return Statement(found.sql, lambda rows, answered: {key: build(rows, answered)})
        columns = [(key, self._expression(kind, None, nodes, "")) for key, nodes in root.items()]
        keys = [key for key, _ in columns]
        sql = "SELECT " + ", ".join(f"{expression} AS c{number}" for number, (_, expression) in enumerate(columns))
        return Statement(sql, lambda rows, _: dict(zip(keys, rows[0], strict=True)))

    def compile_row(self, record: type[Node], nodes: list[FieldNode]) -> Statement:
        """The statement that reads the selections of these fields from one row, whose key is the value `key`. Raises NeedsPython."""
        table = self._alias()
        columns = self._columns(self._named(record), record, nodes, table)
        where = f"{table}.{record.__model__._meta.pk_attr} = :key"
        return Statement(self._select(columns, record, table, [where]), _one_row(_keys(columns)), self._unfinished)

    # Root fields that stand alone: rows of plain columns

    def _alone(self, parent: GraphQLObjectType, nodes: list[FieldNode]) -> Statement | None:
        if nodes[0].name.value.startswith("__"):
            return None
        field = parent.fields[nodes[0].name.value]
        source = source_of(field)
        if isinstance(source, ById):
            answered, values = self._answer(field, nodes[0], source)
            if not answered.kind:
                return None
            record = RECORDS[answered.kind]
            table = self._alias()
            columns = self._columns(self._named(record), record, nodes, table)
            key = f"{table}.{record.__model__._meta.pk_attr} = :{values}key"
            return Statement(self._select(columns, record, table, [key]), _one_row(_keys(columns)))
        if isinstance(source, Listed):
            answered, values = self._answer(field, nodes[0], source)
            record = RECORDS[source.target]
            table = self._alias()
            columns = self._columns(self._named(record), record, nodes, table)
            conditions = [_renamed(each, values) for each in answered.where]
            tail = f" ORDER BY {source.order} LIMIT {source.limit:d}".replace("{t}", table)
            return Statement(self._select(columns, record, table, conditions, table) + tail, _all_rows(_keys(columns)))
        if isinstance(source, Page):
            return self._page_of_rows(field, nodes, source)
        return None

    def _page_of_rows(self, field: GraphQLField, nodes: list[FieldNode], source: Page) -> Statement:
        answered, values = self._answer(field, nodes[0], source)
        part, record, table = answered.part, RECORDS[source.target], self._alias()
        assert part is not None  # noqa: S101  a page always has its slice
        kind = self._below(field)
        wanted = _PageSelection.of(self._selections, kind, nodes)
        node = self._named(record)
        sets = [self._columns(node, record, each, table) for each in (wanted.edge_nodes, wanted.nodes) if each]
        names = [f"c{place}_{number}" for place, columns in enumerate(sets) for number in range(len(columns))]
        expressions = [expression for columns in sets for _, expression in columns]
        output = [f"{expression} AS {name}" for expression, name in zip(expressions, names, strict=True)]
        output.append(f"{self._cursor(source, record, table)} AS cursor")
        where = [_renamed(each, values) for each in answered.where]
        sql = (
            f"SELECT {', '.join(output)} FROM {record.__model__._meta.db_table} {table} "
            f"WHERE {self._visible(record, table, where)} ORDER BY {part.order(source)} LIMIT {part.size + 1:d}"
        )
        if wanted.total:
            # One row at least, so that an empty page has its total too.
            total = self._total(source, record, answered, values)
            sql = f"SELECT page.*, total.n AS total FROM ({total}) total LEFT JOIN LATERAL ({sql}) page ON TRUE"
        return Statement(sql.replace("{t}", table), _page_builder(wanted, [_keys(columns) for columns in sets]))

    def _total(self, source: Page, record: type[Node], answered: Answered, values: str, parent: str = "") -> str:
        table = self._alias()
        where = [_renamed(replace(each, sql=each.counted), values) for each in answered.where[: answered.uncursored]]
        if source.key is not None:
            where.append(f"{{t}}.{source.key} = {parent}.id")
        limit = self._request.settings.count_max
        counted = f"SELECT FROM {record.__model__._meta.db_table} {table} WHERE {self._visible(record, table, where)} LIMIT {limit:d}"
        return f"SELECT count(*)::int AS n FROM ({counted}) counted".replace("{t}", table)

    def _cursor(self, source: Page, record: type[Node], table: str) -> str:
        parts = []
        for name in source.order:
            column = record.__model__._meta.fields_map[name]
            value = f"{table}.{name}"
            if isinstance(column, fields.DatetimeField):
                value = f"(extract(epoch FROM {value}) * 1000000)::bigint"
            parts.append(value)
        return f" || '{CURSOR_SEPARATOR}' || ".join(parts) if len(parts) > 1 else f"{parts[0]}::text"

    # Selections as columns

    def _columns(self, kind: GraphQLObjectType, record: Any, nodes: list[FieldNode], table: str) -> Columns:
        found = self._selections.of(kind, nodes)
        return [(key, self._expression(kind, record, each, table)) for key, each in found.items()]

    def _expression(self, kind: GraphQLObjectType, record: Any, nodes: list[FieldNode], table: str) -> str:
        """One field as SQL over the row of alias `table`."""
        name = nodes[0].name.value
        if name == "__typename":
            return f"'{kind.name}'"
        if name.startswith("__"):
            raise NeedsPython(name)
        field = kind.fields[name]
        source = source_of(field)
        match source:
            case GlobalId():
                return f"'{record.__name__}_' || {table}.{record.__model__._meta.pk_attr}"
            case Column():
                return self._column(source, record, table)
            case Computed():
                return self._sql(source.sql, table)
            case Finished():
                self._unfinished.append(source)
                return f":mark::text || '{len(self._unfinished) - 1}:' || ({self._sql(source.sql, table)}) || ';'"
            case Part():
                inner = self._object(self._columns(self._below(field), record, nodes, table))
                return inner if source.when is None else f"CASE WHEN {self._sql(source.when, table)} THEN {inner} END"
            case Selected():
                each = self._alias()
                columns = self._columns(self._below(field), record, nodes, each)
                return self._array(f"SELECT {_output(columns)} FROM ({self._sql(source.sql, table)}) {each}")
            case Cell():
                return f"{table}.{source.name}"
            case One():
                value = f"{table}.{source.key}" if source.sql is None else self._sql(source.sql, table)
                return self._one(source, nodes, value, record)
            case Many():
                return self._many(source, record, nodes, table)
            case Page():
                return self._page_as_json(field, nodes, source, table)
            case ById() | Listed():
                return self._root_as_json(field, nodes, source, table)
            case OfViewer():
                return self._of_viewer(field, nodes, source)
        return self._left(kind, record, nodes, table)

    def _left(self, kind: GraphQLObjectType, record: Any, nodes: list[FieldNode], table: str) -> str:
        """Only the key of the row, under a mark: the ordinary executor answers the field."""
        asked = f"{kind.name}.{nodes[0].name.value}"
        if self._remainder is None or record is None or kind.name != record.__name__ or record.__model__._meta.pk.field_type is not UUID:
            raise NeedsPython(asked)
        number, left = len(self._unfinished), Left(kind.name, nodes)
        self._unfinished.append(left)
        self._remainder.rows[number] = left
        return f":mark::text || '{number}:' || {table}.{record.__model__._meta.pk_attr} || ';'"

    def _column(self, source: Column, record: Any, table: str) -> str:
        if source.only and self._role not in source.only:
            return "NULL::text"
        if source.sql is not None:
            return self._sql(source.sql, table)
        column = record.__model__._meta.fields_map[source.name]
        if source.convert is not None or not isinstance(column, _PLAIN):
            raise NeedsPython(source.name)
        value = f"{table}.{column.source_field or source.name}"
        return f"to_char({value} AT TIME ZONE 'UTC', '{SQL_FORMAT}')" if isinstance(column, fields.DatetimeField) else value

    def _one(self, source: One | OfViewer, nodes: list[FieldNode], value: str, parent: Any = None) -> str:
        record, table = RECORDS[source.target or ""], self._alias()
        columns = self._columns(self._named(record), record, nodes, table)
        where = f"{table}.{source.to} = {value}"
        if isinstance(source, One) and parent is not None and reads.visible_where_named(record.__model__, parent.__model__, source.key):
            sql = f"SELECT {_output(columns)} FROM {record.__model__._meta.db_table} {table} WHERE {where}"
        else:
            sql = self._select(columns, record, table, [where])
        return _as_object(sql)

    def _many(self, source: Many, parent: Any, nodes: list[FieldNode], table: str) -> str:
        record, inner = RECORDS[source.target], self._alias()
        columns = self._columns(self._named(record), record, nodes, inner)
        joined = f"{inner}.{source.to} = {table}.{source.key}"
        # A row that is visible only through its parent is visible here: the parent was checked.
        model = record.__model__
        implied = reads.visible_through(model) == (source.to, parent.__model__) if parent is not None else False
        where = joined if implied else self._visible(record, inner, [joined])
        sql = f"SELECT {_output(columns)} FROM {model._meta.db_table} {inner} WHERE {where} ORDER BY {source.order}"
        return self._array(sql.replace("{t}", inner))

    def _root_as_json(self, field: GraphQLField, nodes: list[FieldNode], source: ById | Listed, parent: str) -> str:
        answered, values = self._answer(field, nodes[0], source)
        table = self._alias()
        if isinstance(source, Listed):
            record = RECORDS[source.target]
            columns = self._columns(self._named(record), record, nodes, table)
            where = [_renamed(each, values) for each in answered.where]
            if source.key is not None:
                where.append(f"{table}.{source.key} = {parent}.id")
            sql = f"{self._select(columns, record, table, where, table)} ORDER BY {source.order} LIMIT {source.limit:d}"
            return self._array(sql.replace("{t}", table))
        if not answered.kind:
            return "NULL::json"
        record = RECORDS[answered.kind]
        columns = self._columns(self._named(record), record, nodes, table)
        where = [f"{table}.{record.__model__._meta.pk_attr} = :{values}key"]
        return _as_object(self._select(columns, record, table, where))

    def _of_viewer(self, field: GraphQLField, nodes: list[FieldNode], source: OfViewer) -> str:
        if self._request.viewer is None:
            return "NULL::json"
        if source.target is None:
            return self._object(self._columns(self._below(field), None, nodes, ""))
        return self._one(source, nodes, f":{source.value}")

    def _page_as_json(self, field: GraphQLField, nodes: list[FieldNode], source: Page, parent: str) -> str:
        answered, values = self._answer(field, nodes[0], source)
        part, record, table = answered.part, RECORDS[source.target], self._alias()
        assert part is not None  # noqa: S101  a page always has its slice
        kind = self._below(field)
        wanted = _PageSelection.of(self._selections, kind, nodes)
        node = self._named(record)
        where = [_renamed(each, values) for each in answered.where]
        if source.key is not None:
            where.append(f"{table}.{source.key} = {parent}.id")
        output = [f"{self._cursor(source, record, table)} AS cursor"]
        for name, chosen in (("edge_node", wanted.edge_nodes), ("node", wanted.nodes)):
            if chosen:
                output.append(f"{self._object(self._columns(node, record, chosen, table))} AS {name}")
        inner = (
            f"SELECT {', '.join(output)} FROM {record.__model__._meta.db_table} {table} "
            f"WHERE {self._visible(record, table, where)} ORDER BY {part.order(source)} LIMIT {part.size + 1:d}"
        ).replace("{t}", table)
        direction = " DESC" if part.backwards else ""
        shown = f"FROM page WHERE n <= {part.size:d}"
        total = self._total(source, record, answered, values, parent) if wanted.total else ""
        columns: Columns = []
        for key, name in wanted.fields:
            if name == "edges":
                of_edge = {"cursor": "cursor", "node": "edge_node", "__typename": f"'{wanted.edge_name}'"}
                edge = _output([(inner_key, of_edge[inner_name]) for inner_key, inner_name in wanted.edge])
                columns.append((key, self._array(f"SELECT {edge} {shown} ORDER BY page.n{direction}")))
            elif name == "nodes":
                columns.append((key, f"to_json(ARRAY(SELECT node {shown} ORDER BY page.n{direction}))"))
            elif name == "pageInfo":
                more = f"EXISTS (SELECT FROM page WHERE n > {part.size:d})"
                ends = [
                    f"(SELECT cursor {shown} ORDER BY page.n{each} LIMIT 1)"
                    for each in (("", " DESC") if not part.backwards else (" DESC", ""))
                ]
                facts = {
                    "hasNextPage": more if not part.backwards else str(part.before is not None).upper(),
                    "hasPreviousPage": more if part.backwards else str(part.after is not None).upper(),
                    "startCursor": ends[0],
                    "endCursor": ends[1],
                    "__typename": "'PageInfo'",
                }
                columns.append((key, self._object([(inner_key, facts[inner_name]) for inner_key, inner_name in wanted.info])))
            elif name == "totalCount":
                columns.append((key, f"({total})"))
            else:
                columns.append((key, f"'{kind.name}'"))
        return f"(WITH page AS (SELECT row_number() OVER () AS n, q.* FROM ({inner}) q) SELECT {_as_object(f'SELECT {_output(columns)}')})"

    # Pieces

    def _answer(self, field: GraphQLField, node: FieldNode, source: Any) -> tuple[Answered, str]:
        prefix = f"p{len(self._dynamic)}_"
        found = Dynamic(Arguments(field, node, self._converter), source, prefix)
        self._dynamic.append(found)
        return found.conditions(self._request), prefix

    def _select(self, columns: Columns, record: Any, table: str, where: list[str], alias: str = "") -> str:
        sql = f"SELECT {_output(columns)} FROM {record.__model__._meta.db_table} {table} WHERE {self._visible(record, table, where)}"
        return sql.replace("{t}", alias) if alias else sql

    def _visible(self, record: Any, table: str, where: list[str]) -> str:
        predicate = reads.visible(record.__model__, self._role, where).replace("{t}", table)
        return " AND ".join([*where, *([f"({predicate})"] if predicate != "TRUE" else [])]) or "TRUE"

    def _sql(self, sql: Sql, table: str) -> str:
        return (sql if isinstance(sql, str) else sql(self._role)).replace("{t}", table)

    def _named(self, record: type[Node]) -> GraphQLObjectType:
        found: GraphQLObjectType = self._schema.get_type(record.__name__)
        return found

    @staticmethod
    def _below(field: GraphQLField) -> GraphQLObjectType:
        """The object type of a field's selections; interfaces and unions are answered in Python."""
        found = get_named_type(field.type)
        if not isinstance(found, GraphQLObjectType):
            raise NeedsPython(str(found))
        return found

    def _alias(self) -> str:
        self._aliases += 1
        return f"t{self._aliases}"

    @staticmethod
    def _object(columns: Columns) -> str:
        return _as_object(f"SELECT {_output(columns)}")

    @staticmethod
    def _array(select: str) -> str:
        return f"to_json(ARRAY(SELECT {_ROW} FROM ({select}) {_ROW}))"


_PLAIN = (fields.CharField, fields.IntField, fields.BooleanField, fields.DateField, fields.DatetimeField, fields.UUIDField)
_LONGEST_NAME = 63


@dataclass(frozen=True, slots=True)
class _PageSelection:
    """What is asked of a connection: (response key, field) on each level, and what is asked of the rows."""

    name: str
    edge_name: str
    fields: list[tuple[str, str]]
    edge: list[tuple[str, str]]
    info: list[tuple[str, str]]
    edge_nodes: list[FieldNode]
    nodes: list[FieldNode]
    total: bool

    @classmethod
    def of(cls, selections: Selections, kind: GraphQLObjectType, nodes: list[FieldNode]) -> "_PageSelection":
        chosen = selections.of(kind, nodes)
        names = [(key, each[0].name.value) for key, each in chosen.items()]
        below: dict[str, list[FieldNode]] = {}
        for each in chosen.values():
            if each[0].name.value in below:
                raise NeedsPython("one field of a connection under two names")
            below[each[0].name.value] = each
        edges = _object_type(kind, "edges")
        edge = selections.of(edges, below["edges"]) if "edges" in below else {}
        info = selections.of(_object_type(kind, "pageInfo"), below["pageInfo"]) if "pageInfo" in below else {}
        inside = [each for each in edge.values() if each[0].name.value == "node"]
        if len(inside) > 1:
            raise NeedsPython("the nodes of edges under two names")
        return cls(
            kind.name,
            edges.name,
            names,
            [(key, each[0].name.value) for key, each in edge.items()],
            [(key, each[0].name.value) for key, each in info.items()],
            inside[0] if inside else [],
            below.get("nodes", []),
            "totalCount" in below,
        )


def _object_type(kind: GraphQLObjectType, name: str) -> GraphQLObjectType:
    found = get_named_type(kind.fields[name].type)
    if not isinstance(found, GraphQLObjectType):
        raise TypeError(f"{kind.name}.{name} is no object")
    return found


def _renamed(where: reads.Where, prefix: str) -> str:
    """A condition whose own values carry the field's prefix; those of the viewer keep their names."""
    return reads.PARAMETER.sub(lambda match: f":{prefix}{match[1]}" if match[1] in where.values else match[0], where.sql)


def _keys(columns: Columns) -> list[str]:
    return [key for key, _ in columns]


_ROW = "row$"
"""What a row is called where it becomes JSON: its columns bear response keys, and no GraphQL name holds the sign. A column of the row's own
name would be taken for it."""


def _as_object(select: str) -> str:
    return f"(SELECT row_to_json({_ROW}) FROM ({select}) {_ROW})"


def _output(columns: Columns) -> str:
    if any(len(key) > _LONGEST_NAME for key, _ in columns):
        raise NeedsPython("a response key that PostgreSQL would cut")
    return ", ".join(f'{expression} AS "{key}"' for key, expression in columns)


def _one_row(keys: list[str]) -> Build:
    return lambda rows, _: dict(zip(keys, rows[0], strict=True)) if rows else None


def _all_rows(keys: list[str]) -> Build:
    return lambda rows, _: [dict(zip(keys, row, strict=True)) for row in rows]


def _page_builder(wanted: _PageSelection, sets: list[list[str]]) -> Build:
    """A connection from its rows: the columns of `edges.node`, those of `nodes`, then the cursor, then the total."""
    edge_keys = sets[0] if wanted.edge_nodes else []
    node_keys = sets[-1] if wanted.nodes else []
    skipped = len(edge_keys)
    cursor = len(edge_keys) + len(node_keys)

    def build(rows: Sequence[Any], answered: Sequence[Answered]) -> dict[str, Any]:
        part = answered[0].part
        assert part is not None  # noqa: S101  the first dynamic field is the page itself
        total = rows[0][cursor + 1] if wanted.total else None
        found = [] if wanted.total and rows[0][cursor] is None else list(rows)
        more = len(found) > part.size
        found = found[: part.size]
        if part.backwards:
            found.reverse()
        answer: dict[str, Any] = {}
        for key, name in wanted.fields:
            match name:
                case "edges":
                    answer[key] = [_edge(wanted, edge_keys, row, cursor) for row in found]
                case "nodes":
                    answer[key] = [dict(zip(node_keys, tuple(row)[skipped:], strict=False)) for row in found]
                case "pageInfo":
                    facts = {
                        "hasNextPage": part.has_next(more),
                        "hasPreviousPage": part.has_previous(more),
                        "startCursor": found[0][cursor] if found else None,
                        "endCursor": found[-1][cursor] if found else None,
                        "__typename": "PageInfo",
                    }
                    answer[key] = {inner: facts[each] for inner, each in wanted.info}
                case "totalCount":
                    answer[key] = total
                case _:
                    answer[key] = wanted.name
        return answer

    return build


def _edge(wanted: _PageSelection, keys: list[str], row: Any, cursor: int) -> dict[str, Any]:
    facts = {"cursor": row[cursor], "node": dict(zip(keys, row, strict=False)), "__typename": wanted.edge_name}
    return {key: facts[name] for key, name in wanted.edge}
