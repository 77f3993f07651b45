"""What an operation may cost: how many objects its lists can hold at most, sizes of nested lists multiplied, counted in linear time.

A page holds as many objects as `first` or `last` says, `nodes` as many as it is given ids, and any other list is taken for a handful: its
length is not for the client to choose. A fragment is measured once, however often it is spread.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from graphlib import TopologicalSorter
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLInterfaceType,
    GraphQLNamedType,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    ListValueNode,
    OperationDefinitionNode,
    SelectionSetNode,
    Undefined,
    VariableNode,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    value_from_ast_untyped,
)

from schema.limits import compare
from schema.pages import DEFAULT_PAGE
from settings import Settings

HANDFUL = 5
"""How many objects a list is taken to hold whose length the client does not choose: titles of a profile, records of a case."""

_BACK = frozenset((kind, "application") for kind in ("ApplicationNote", "ApplicationRecord", "Message", "Objection"))
"""Fields that lead from an item of a list without bounds back to what has the list: counted as lists, or a circle of them costs nothing."""

_Variables = Mapping[str, Any]
_Size = Callable[[_Variables], int]


@dataclass(slots=True, eq=False)
class _List:
    """A list that is asked for: how many objects it holds, which lists each of them has, and which fragments are spread on each."""

    size: _Size
    below: list["_List"] = field(default_factory=list)
    spreads: list[str] = field(default_factory=list)

    def cost(self, fragments: Mapping[str, int], variables: _Variables) -> int:
        """Its objects and all below them."""
        return self.size(variables) * (1 + self.of_each(fragments, variables))

    def of_each(self, fragments: Mapping[str, int], variables: _Variables) -> int:
        """What is below one of its objects."""
        return sum(each.cost(fragments, variables) for each in self.below) + sum(fragments[name] for name in self.spreads)

    def all_spreads(self) -> set[str]:
        """Of itself and of all below."""
        return set(self.spreads).union(*(each.all_spreads() for each in self.below))


class Costs:
    """The lists of a valid document, ready to be counted with the variables of a request."""

    def __init__(self, document: DocumentNode, schema: GraphQLSchema, settings: Settings) -> None:
        self._settings = settings
        self._schema = schema
        self._depends = False
        fragments: dict[str, _List] = {}
        self._operations: dict[OperationDefinitionNode, _List] = {}
        for each in document.definitions:
            if isinstance(each, FragmentDefinitionNode):
                fragments[each.name.value] = self._measured(each.selection_set, schema.get_type(each.type_condition.name.value))
            elif isinstance(each, OperationDefinitionNode):
                self._operations[each] = self._measured(each.selection_set, schema.get_root_type(each.operation))
        innermost_first = TopologicalSorter({name: each.all_spreads() for name, each in fragments.items()}).static_order()
        self._fragments = {name: fragments[name] for name in innermost_first}
        if not self._depends:
            for operation in self._operations:
                self._compare(operation, {})

    def check(self, operation: OperationDefinitionNode, variables: _Variables) -> None:
        """Raise GraphQLError where an operation of the document costs too much with these variables; free where they make no difference."""
        if self._depends:
            self._compare(operation, variables)

    def _compare(self, operation: OperationDefinitionNode, variables: _Variables) -> None:
        compare("cost", self.of(operation, variables), self._settings.document_cost)

    def of(self, operation: OperationDefinitionNode, variables: _Variables) -> int:
        """The cost of an operation of the document."""
        given = {
            each.variable.name.value: value_from_ast_untyped(each.default_value)
            for each in operation.variable_definitions or ()
            if each.default_value is not None
        } | dict(variables)
        fragments: dict[str, int] = {}
        for name, each in self._fragments.items():
            fragments[name] = each.of_each(fragments, given)
        return self._operations[operation].of_each(fragments, given)

    def _measured(self, selections: SelectionSetNode, on: GraphQLNamedType | None) -> _List:
        """The lists below a definition; without recursion, for fields that are no lists may be nested deeply."""
        whole = _List(lambda _: 1)
        stack = [(selections, on, whole)]
        while stack:
            found, parent, into = stack.pop()
            for node in found.selections:
                if isinstance(node, FragmentSpreadNode):
                    into.spreads.append(node.name.value)
                elif isinstance(node, FieldNode):
                    if node.selection_set is not None:
                        stack.append((node.selection_set, *self._entered(node, parent, into)))
                elif isinstance(node, InlineFragmentNode):
                    inner = self._schema.get_type(node.type_condition.name.value) if node.type_condition else parent
                    stack.append((node.selection_set, inner, into))
        return whole

    def _entered(self, node: FieldNode, parent: GraphQLNamedType | None, into: _List) -> tuple[GraphQLNamedType | None, _List]:
        """The type behind a field, and the list that fields below it are on."""
        if not isinstance(parent, GraphQLObjectType | GraphQLInterfaceType):
            return None, into  # `__typename` alone stands on a union
        defined = self._schema.get_field(parent, node.name.value)
        if defined is None:
            return None, into
        kind = get_named_type(defined.type)
        size = None
        if _is_page(kind):
            size = self._page_size(node)
        elif "ids" in defined.args:
            size = self._length(node)
        elif (is_list_type(get_nullable_type(defined.type)) and not is_leaf_type(kind) and not _is_page(parent)) or (
            parent.name,
            node.name.value,
        ) in _BACK:
            size = _handful
        if size is None:
            return kind, into
        into.below.append(_List(size))
        return kind, into.below[-1]

    def _page_size(self, node: FieldNode) -> _Size:
        most = self._settings.page_max
        sizes = [self._value(node, name) for name in ("first", "last")]

        def size(variables: _Variables) -> int:
            asked = next((value for each in sizes if (value := each(variables)) is not None), DEFAULT_PAGE)
            return min(max(asked, 0), most) if isinstance(asked, int) else most

        return size

    def _length(self, node: FieldNode) -> _Size:
        ids = self._value(node, "ids")

        def size(variables: _Variables) -> int:
            given = ids(variables)
            return len(given) if isinstance(given, list) else 1

        return size

    def _value(self, node: FieldNode, name: str) -> Callable[[_Variables], Any]:
        """An argument's value under variables; only where there are any is the operation counted anew for each request."""
        given = next((each.value for each in node.arguments or () if each.name.value == name), None)
        if given is None:
            return _nothing
        parts = given.values if isinstance(given, ListValueNode) else (given,)
        if any(isinstance(each, VariableNode) for each in parts):
            self._depends = True
            return lambda variables: None if (value := value_from_ast_untyped(given, dict(variables))) is Undefined else value
        fixed = value_from_ast_untyped(given)
        return lambda _: fixed


def _is_page(kind: GraphQLNamedType) -> bool:
    return isinstance(kind, GraphQLObjectType) and kind.name.endswith("Connection") and "pageInfo" in kind.fields


def _handful(_: _Variables) -> int:
    return HANDFUL


def _nothing(_: _Variables) -> None:
    return None
