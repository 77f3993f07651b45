"""Operations generated from the schema: any selection, argument, alias, fragment and directive that a client may write."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from graphql import (
    GraphQLArgument,
    GraphQLEnumType,
    GraphQLField,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLObjectType,
    GraphQLSchema,
    get_named_type,
    get_nullable_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from hypothesis.strategies import DrawFn, booleans, composite, integers, lists, sampled_from

from schema.plan.compiler import source_of

DEEPEST = 5
_NAMES_OF_SQL = {
    "id": "x",
    "cursor": "n",
    "code": "t1",
    "name": "t2",
    "stage": "q",
    "move": "page",
    "number": "row",
    "at": "node",
    "state": "proof",
    "totalCount": "total",
    "hasNextPage": "answer",
}
"""Aliases that statements use, or might: as response keys they are names of columns."""
_TEXTS = ["长春", "教", "220199", "A", "", " ", "%_", "张", "1795381012129176~01a2050c-26a8-73a6-a0ba-7103f367161f"]
_NUMBERS = [1, 2, 3, 4, 5, 8, 13, 20, 50, 100, -1, 0, 101]  # the last three are no sizes of a page


@dataclass(slots=True)
class _Writer:
    """What has been written so far of one document."""

    schema: GraphQLSchema
    ids: list[str]
    draw: Any
    variables: dict[str, tuple[str, Any]] = field(default_factory=dict)
    fragments: list[str] = field(default_factory=list)
    fields_left: int = 40

    def root(self) -> str:
        query = self.schema.query_type
        assert query is not None
        names = sorted(query.fields)
        compiled = [name for name in names if source_of(query.fields[name]) is not None]
        chosen = self.draw(lists(sampled_from(names if self.draw(integers(0, 4)) == 0 else compiled), min_size=1, max_size=3))
        body = " ".join(self.field(name, query.fields[name], 0, alias=f"r{number}") for number, name in enumerate(chosen))
        declared = ", ".join(f"${name}: {kind}" for name, (kind, _) in self.variables.items())
        return f"query Generated{f'({declared})' if declared else ''} {{ {body} }} {' '.join(self.fragments)}"

    def selection(self, kind: Any, depth: int) -> str:
        """A selection set of an object or interface."""
        leaves = [name for name, each in kind.fields.items() if is_leaf_type(get_named_type(each.type)) and not each.args]
        inner = [name for name in kind.fields if name not in leaves]
        parts = []
        for name in self.draw(lists(sampled_from(leaves), max_size=4, unique=True)) if leaves else []:
            alias = self.draw(sampled_from(["", "", f"other_{name}: ", f"{_NAMES_OF_SQL.get(name, name)}: "]))
            parts.append(f"{alias}{name}{self.switch()}")
        if inner and depth < DEEPEST:
            names = self.draw(lists(sampled_from(inner), max_size=2))
            parts.extend(self.field(name, kind.fields[name], depth, alias=f"a{number}_{name}") for number, name in enumerate(names))
        if self.draw(booleans()):
            parts.append("__typename")
        if isinstance(kind, GraphQLInterfaceType) and depth < DEEPEST:
            possible = sorted(self.schema.get_possible_types(kind), key=lambda each: each.name)
            chosen = self.draw(lists(sampled_from(possible), max_size=3, unique_by=lambda each: each.name))
            parts.extend(f"... on {each.name} {self.selection(each, depth + 1)}" for each in chosen)
        if isinstance(kind, GraphQLObjectType) and depth < DEEPEST and self.draw(integers(0, 5)) == 0:
            name = f"Part{len(self.fragments)}"
            self.fragments.append("")
            self.fragments[int(name[4:])] = f"fragment {name} on {kind.name} {self.selection(kind, depth + 1)}"
            parts.append(f"...{name}{self.switch()}")
        return "{ " + " ".join(parts or ["__typename"]) + " }"

    def field(self, name: str, each: GraphQLField, depth: int, *, alias: str) -> str:
        named = get_named_type(each.type)
        self.fields_left -= 1
        arguments = self.arguments(each.args)
        if is_leaf_type(named):
            return f"{alias}: {name}{arguments}{self.switch()}"
        below = self.selection(named, depth + 1 if self.fields_left > 0 else DEEPEST)
        return f"{alias}: {name}{arguments}{self.switch()} {below}"

    def switch(self) -> str:
        """Now and then a @skip or @include, by a constant or a variable."""
        if self.draw(integers(0, 7)):
            return ""
        value = self.draw(booleans())
        if self.draw(booleans()):
            name = f"v{len(self.variables)}"
            self.variables[name] = "Boolean!", value
            return f" @{self.draw(sampled_from(['skip', 'include']))}(if: ${name})"
        return f" @{self.draw(sampled_from(['skip', 'include']))}(if: {str(value).lower()})"

    def arguments(self, known: dict[str, GraphQLArgument]) -> str:
        written: list[str] = []
        for name, argument in known.items():
            # Cursors of nothing and pages from both ends are refused with the whole operation: they come, but seldom.
            odds = 30 if name in ("after", "before") or (name == "last" and any(each.startswith("first:") for each in written)) else 2
            if not is_non_null_type(argument.type) and self.draw(integers(0, odds)):
                continue
            value = self.value(name, argument.type)
            if self.draw(booleans()):
                variable = f"v{len(self.variables)}"
                self.variables[variable] = str(argument.type), value
                written.append(f"{name}: ${variable}")
            else:
                written.append(f"{name}: {_literal(value, argument.type)}")
        return f"({', '.join(written)})" if written else ""

    def value(self, name: str, kind: Any) -> Any:
        """A value that the argument or input field may take, good or bad within its type."""
        if not is_non_null_type(kind) and self.draw(integers(0, 9)) == 0:
            return None
        kind = get_nullable_type(kind)
        if is_list_type(kind):
            return [self.value(name, kind.of_type) for _ in range(self.draw(integers(0, 2)))]
        if isinstance(kind, GraphQLInputObjectType):
            return {
                key: self.value(key, each.type)
                for key, each in kind.fields.items()
                if is_non_null_type(each.type) or not self.draw(integers(0, 3))
            }
        if isinstance(kind, GraphQLEnumType):
            return self.draw(sampled_from(sorted(kind.values)))
        match kind.name:
            case "Boolean":
                return self.draw(booleans())
            case "Int":
                return self.draw(sampled_from([2026, 2027] if name == "year" else _NUMBERS))
            case "ID":
                return self.draw(sampled_from(self.ids))
            case "Date":
                return self.draw(sampled_from(["2026-11-01", "2026-12-24", "2027-01-05", "2030-01-01"]))
            case "DateTime":
                return self.draw(sampled_from(["2026-01-01T00:00:00Z", "2030-01-01T00:00:00+08:00"]))
            case _:
                return self.draw(sampled_from(_TEXTS))


def _literal(value: Any, kind: Any) -> str:
    kind = get_nullable_type(kind)
    if value is None:
        return "null"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int):
        return str(value)
    if is_list_type(kind):
        return "[" + ", ".join(_literal(each, kind.of_type) for each in value) + "]"
    if isinstance(kind, GraphQLInputObjectType):
        return "{" + ", ".join(f"{key}: {_literal(each, kind.fields[key].type)}" for key, each in value.items()) + "}"
    return value if isinstance(kind, GraphQLEnumType) else f'"{value}"'


@composite
def operations(draw: DrawFn, schema: GraphQLSchema, ids: list[str]) -> tuple[str, dict[str, Any]]:
    """A document with one query, and its variables."""
    writer = _Writer(schema, ids, draw)
    document = writer.root()
    return document, {name: value for name, (_, value) in writer.variables.items()}
