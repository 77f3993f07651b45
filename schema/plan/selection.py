"""Selections as the specification merges them: response keys in order, fragments followed, @skip and @include decided."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLIncludeDirective,
    GraphQLObjectType,
    GraphQLSchema,
    GraphQLSkipDirective,
    InlineFragmentNode,
    SelectionNode,
    SelectionSetNode,
    get_directive_values,
    is_abstract_type,
)


class Selections:
    """The selections of one operation under given values of its variables."""

    def __init__(self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], variables: Any) -> None:
        self._schema = schema
        self._fragments = fragments
        self._variables = variables

    def of(self, kind: GraphQLObjectType, fields: Sequence[FieldNode]) -> dict[str, list[FieldNode]]:
        """The fields below these fields of an object of this kind, by response key."""
        return self.merged(kind, [field.selection_set for field in fields if field.selection_set])

    def merged(self, kind: GraphQLObjectType, sets: Sequence[SelectionSetNode]) -> dict[str, list[FieldNode]]:
        """The fields of these selection sets, by response key in order of their first appearance."""
        found: dict[str, list[FieldNode]] = {}
        followed: set[str] = set()
        for each in sets:
            for field in self._fields(kind, each, followed):
                found.setdefault(field.alias.value if field.alias else field.name.value, []).append(field)
        return found

    def _fields(self, kind: GraphQLObjectType, chosen: SelectionSetNode, followed: set[str]) -> Iterator[FieldNode]:
        for node in chosen.selections:
            if not self._included(node):
                continue
            if isinstance(node, FieldNode):
                yield node
            elif isinstance(node, InlineFragmentNode):
                if self._applies(node.type_condition.name.value if node.type_condition else None, kind):
                    yield from self._fields(kind, node.selection_set, followed)
            elif isinstance(node, FragmentSpreadNode) and node.name.value not in followed:
                followed.add(node.name.value)
                fragment = self._fragments[node.name.value]
                if self._applies(fragment.type_condition.name.value, kind):
                    yield from self._fields(kind, fragment.selection_set, followed)

    def _included(self, node: SelectionNode) -> bool:
        skip = get_directive_values(GraphQLSkipDirective, node, self._variables)
        if skip and skip["if"]:
            return False
        include = get_directive_values(GraphQLIncludeDirective, node, self._variables)
        return include is None or bool(include["if"])

    def _applies(self, condition: str | None, kind: GraphQLObjectType) -> bool:
        if condition is None or condition == kind.name:
            return True
        named = self._schema.get_type(condition)
        return is_abstract_type(named) and self._schema.is_sub_type(named, kind)
