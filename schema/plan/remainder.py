"""What a plan leaves to the ordinary executor: fields that only Python answers, asked in one operation of their own beside the statement."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    NameNode,
    Node,
    OperationDefinitionNode,
    VariableNode,
    Visitor,
    print_ast,
    visit,
)

_VALUE = "value"


@dataclass(frozen=True, slots=True)
class Left:
    """A field of rows of one type. The statement tells only their keys, the executor answers the field for each of them."""

    kind: str
    nodes: Sequence[FieldNode]


@dataclass(slots=True)
class Remainder:
    """What one plan leaves: root fields by response key, and fields of rows by the number under which the statement marks them."""

    definition: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    roots: dict[str, list[FieldNode]] = field(default_factory=dict)
    rows: dict[int, Left] = field(default_factory=dict)
    text: str = ""
    _passed: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.roots or self.rows)

    def close(self) -> None:
        """Write the operation down, when all that is left is known."""
        fields = [each for nodes in (*self.roots.values(), *(left.nodes for left in self.rows.values())) for each in nodes]
        names = _Names()
        for each in fields:
            visit(each, names)
        spread: dict[str, FragmentDefinitionNode] = {}
        while unseen := names.spread - spread.keys():
            for name in unseen:
                spread[name] = self.fragments[name]
                visit(spread[name], names)
        given = [each for each in self.definition.variable_definitions or () if each.variable.name.value in names.variables]
        self._passed = tuple(each.variable.name.value for each in given)
        variables = [*(print_ast(each) for each in given), *(f"${_list(number)}: [ID!]!" for number in self.rows)]
        head = f"query Remainder({', '.join(variables)})" if variables else "query Remainder"
        selections = " ".join([*map(print_ast, (each for nodes in self.roots.values() for each in nodes)), *self._lists()])
        self.text = "\n".join([f"{head} {{ {selections} }}", *map(print_ast, spread.values())])

    def _lists(self) -> Iterator[str]:
        for number, left in self.rows.items():
            asked = " ".join(print_ast(_named(each)) for each in left.nodes)
            yield f"{_list(number)}: nodes(ids: ${_list(number)}) {{ ... on {left.kind} {{ {asked} }} }}"

    def variables(self, given: Mapping[str, Any], keys: Mapping[int, Sequence[str]]) -> dict[str, Any]:
        """The variables of the operation: those that it passes on, and the keys of the rows that the statement found."""
        passed = {name: given[name] for name in self._passed if name in given}
        return passed | {_list(number): [f"{left.kind}_{key}" for key in keys.get(number, ())] for number, left in self.rows.items()}

    def values(self, data: Mapping[str, Any], keys: Mapping[int, Sequence[str]]) -> dict[tuple[int, str], Any] | None:
        """What the executor answered, by number and key; None where a row is not there any more."""
        found: dict[tuple[int, str], Any] = {}
        for number, each in keys.items():
            for key, row in zip(each, data[_list(number)], strict=True):
                if row is None:
                    return None
                found[number, key] = row[_VALUE]
        return found


class _Names(Visitor):
    """The variables and fragments that something names."""

    def __init__(self) -> None:
        super().__init__()
        self.variables: set[str] = set()
        self.spread: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.variables.add(node.name.value)

    def enter_fragment_spread(self, node: FragmentSpreadNode, *_: Any) -> None:
        self.spread.add(node.name.value)


def _named(node: FieldNode) -> Node:
    return FieldNode(
        alias=NameNode(value=_VALUE), name=node.name, arguments=node.arguments, directives=node.directives, selection_set=node.selection_set
    )


def _list(number: int) -> str:
    return f"rows_{number}"
