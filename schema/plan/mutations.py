"""Mutations whose answer is read by a plan: the executor runs the verb and says what came of it, one statement reads the rest."""

from dataclasses import dataclass
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLUnionType,
    InlineFragmentNode,
    NamedTypeNode,
    NameNode,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
)

from schema.nodes import RECORDS

TYPE, ID = "registry_type", "registry_id"


@dataclass(frozen=True, slots=True)
class Shortened:
    """A mutation that asks of a changed row only which one it is, and of everything else what the client asked."""

    document: DocumentNode
    field: FieldNode
    key: str
    records: tuple[str, ...]


def shortened(schema: Any, document: DocumentNode, definition: OperationDefinitionNode) -> Shortened | None:
    """The short form of a mutation with one root field whose result may be a row; None for any other."""
    selections = definition.selection_set.selections
    if len(selections) != 1 or not isinstance(selections[0], FieldNode) or selections[0].directives:
        return None
    field = selections[0]
    union = get_named_type(schema.mutation_type.fields[field.name.value].type)
    if not isinstance(union, GraphQLUnionType) or field.selection_set is None:
        return None
    records = tuple(each.name for each in union.types if each.name in RECORDS)
    if not records:
        return None
    others = [_on(each.name, field.selection_set) for each in union.types if each.name not in records]
    chosen = (_asked("__typename", TYPE), *(_on(name, SelectionSetNode(selections=(_asked("id", ID),))) for name in records), *others)
    short = _with(field, SelectionSetNode(selections=chosen))
    operation = _operation(definition, SelectionSetNode(selections=(short,)))
    definitions = tuple(operation if each is definition else each for each in document.definitions)
    key = field.alias.value if field.alias else field.name.value
    return Shortened(DocumentNode(definitions=definitions), field, key, records)


def _asked(name: str, alias: str) -> FieldNode:
    return FieldNode(name=NameNode(value=name), alias=NameNode(value=alias), arguments=(), directives=())


def _on(name: str, selection: SelectionSetNode) -> InlineFragmentNode:
    return InlineFragmentNode(type_condition=NamedTypeNode(name=NameNode(value=name)), selection_set=selection, directives=())


def _with(field: FieldNode, selection: SelectionSetNode) -> FieldNode:
    return FieldNode(name=field.name, alias=field.alias, arguments=field.arguments, directives=field.directives, selection_set=selection)


def _operation(definition: OperationDefinitionNode, selection: SelectionSetNode) -> OperationDefinitionNode:
    return OperationDefinitionNode(
        operation=definition.operation,
        name=definition.name,
        variable_definitions=definition.variable_definitions,
        directives=definition.directives,
        selection_set=selection,
    )
