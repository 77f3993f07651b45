"""Mutations whose answer is read by a plan: the verb is run first; a changed row one statement reads, anything else the executor tells.

Where nothing is asked but columns of the changed row, the row that the verb left tells them and nothing is read.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from graphql import (
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLResolveInfo,
    GraphQLSchema,
    GraphQLUnionType,
    ObjectValueNode,
    OperationDefinitionNode,
    ValueNode,
    get_named_type,
    get_nullable_type,
    is_enum_type,
    is_leaf_type,
    value_from_ast_untyped,
)
from graphql.pyutils import Path, is_awaitable

from domain.reads import Ahead
from domain.rules.viewer import Viewer
from schema.context import Context, Settled
from schema.nodes import RECORDS, Begins, Column, GlobalId, Node, key_of
from schema.plan.compiler import Arguments, Request, source_of
from schema.problems import VERB


@dataclass(frozen=True, slots=True)
class Verb:
    """The one root field of a mutation, whose result may be a row of one of the types `records`."""

    node: FieldNode
    field: GraphQLField
    key: str
    records: tuple[str, ...]
    arguments: Arguments
    begins: Begins | None
    named: ValueNode | None
    """What names the row to begin with: a part of an input that is written out, or the variable that is all of it."""

    @classmethod
    def of(cls, schema: GraphQLSchema, definition: OperationDefinitionNode, converter: Any) -> "Verb | None":
        """None for a mutation of several fields, for `__typename`, and for a verb that never answers with a row."""
        selections = definition.selection_set.selections
        if schema.mutation_type is None or len(selections) != 1 or not isinstance(selections[0], FieldNode) or selections[0].directives:
            return None
        node = selections[0]
        field = schema.mutation_type.fields.get(node.name.value)
        if field is None:
            return None
        union = get_named_type(field.type)
        records = tuple(each.name for each in union.types if each.name in RECORDS) if isinstance(union, GraphQLUnionType) else ()
        if not records or not node.selection_set:
            return None
        key = node.alias.value if node.alias else node.name.value
        begins = field.extensions["strawberry-definition"].metadata.get("begins")
        return cls(node, field, key, records, Arguments(field, node, converter, shared=False), begins, _naming(node, begins))

    def ahead(self, variables: Mapping[str, Any], viewer: Viewer) -> Ahead | None:
        """What this viewer's verb reads first; None where that is not known yet, or the input is none."""
        begins = self.begins
        if begins is None or self.named is None:
            return None
        value = value_from_ast_untyped(self.named, dict(variables))
        wanted = value.get(begins.name) if isinstance(value, dict) else value
        key = key_of(wanted, begins.kind) if isinstance(wanted, str) else None
        return None if key is None else begins.reading(key, viewer)

    async def run(self, schema: GraphQLSchema, definition: OperationDefinitionNode, request: Request, context: Context) -> Settled:
        """What comes of the verb, as its resolver says it: a row, a problem, or what was raised."""
        kind = schema.mutation_type
        assert kind is not None  # noqa: S101  this is one of its fields
        info: Any = GraphQLResolveInfo(  # as the executor makes it; verbs know nothing of it but the context
            self.node.name.value,
            [self.node],
            self.field.type,
            kind,
            Path(None, self.key, kind.name),
            schema,
            {},
            None,
            definition,
            request.variables,
            context,
            is_awaitable,
            None,
            None,  # type: ignore[arg-type]  # helpers for tasks that outlive their resolver; there are none
        )
        try:
            return Settled(await self.field.extensions[VERB](None, info, **self.arguments.of(request)))
        except Exception as raised:  # noqa: BLE001  the executor raises it again, and tells it as it tells all others
            return Settled(raised=raised)


def _naming(node: FieldNode, begins: Begins | None) -> ValueNode | None:
    if begins is None or not node.arguments:
        return None
    [given] = node.arguments
    if not isinstance(given.value, ObjectValueNode):
        return given.value
    return next((each.value for each in given.value.fields if each.name.value == begins.name), None)


def told_by_row(kind: GraphQLObjectType, chosen: Mapping[str, list[FieldNode]]) -> Callable[[Node], dict[str, Any]] | None:
    """How a row itself answers these selections; None where they ask for more than its plain columns."""
    found = {key: _cell(kind, nodes[0].name.value) for key, nodes in chosen.items()}
    cells = {key: cell for key, cell in found.items() if cell is not None}
    return (lambda node: {key: cell(node) for key, cell in cells.items()}) if len(cells) == len(found) else None


def _cell(kind: GraphQLObjectType, name: str) -> Callable[[Node], Any] | None:
    if name == "__typename":
        return lambda _: kind.name
    field = kind.fields.get(name)
    leaf = get_nullable_type(field.type) if field else None
    match field and source_of(field):
        case GlobalId():
            return lambda node: node.id()
        case Column(name=column, only=(), convert=None) if is_leaf_type(leaf):
            serialize = cache(leaf.serialize) if is_enum_type(leaf) else leaf.serialize

            def cell(node: Node) -> Any:
                value = getattr(node.row, column)
                return None if value is None else serialize(value)

            return cell
    return None


def run_once(mutations: GraphQLObjectType) -> None:
    """Have the verbs of a schema tell what came of them where they were run already."""
    for field in mutations.fields.values():
        assert field.resolve is not None  # noqa: S101  every verb has its resolver
        field.resolve = _unless_settled(field.resolve)


def _unless_settled(resolve: Callable[..., Any]) -> Callable[..., Any]:
    def resolved(source: Any, info: "GraphQLResolveInfo[Context]", **given: Any) -> Any:
        settled = info.context.settled
        return resolve(source, info, **given) if settled is None else settled.tell()

    return resolved
