"""What verbs are given: the arguments that plans convert are those that the library converts."""

from __future__ import annotations

from typing import Any

import pytest
from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLFloat,
    GraphQLID,
    GraphQLInputObjectType,
    GraphQLInt,
    GraphQLString,
    OperationDefinitionNode,
    get_nullable_type,
    parse,
)
from graphql.execution.values import VariableValues, get_argument_values, get_variable_values
from strawberry.types.arguments import convert_arguments

from schema.plan.compiler import Arguments, Request
from schema.root import schema
from settings import settings

_VALUES: dict[Any, list[Any]] = {
    GraphQLID: ["Application_1", 7],
    GraphQLString: ["甲", ""],
    GraphQLBoolean: [True, False],
    GraphQLInt: [1, 0],
    GraphQLFloat: [1.5, 0.0],
}
_mutations = schema._schema.mutation_type
assert _mutations is not None
VERBS = sorted(_mutations.fields)


def _asked(verb: str, passed: list[str]) -> tuple[Any, Any, OperationDefinitionNode]:
    """The field, its node and its operation: fields of the input that are `passed` in variables, all others left out or written out."""
    assert _mutations is not None
    field = _mutations.fields[verb]
    kind = get_nullable_type(field.args["input"].type)
    assert isinstance(kind, GraphQLInputObjectType)
    written = [f"{name}: ${name}" for name in passed]
    for name, each in kind.fields.items():
        leaf = get_nullable_type(each.type)
        if name not in passed and isinstance(leaf, GraphQLEnumType):
            written.append(f"{name}: {next(iter(leaf.values))}")
    variables = ", ".join(f"${name}: {kind.fields[name].type}" for name in passed)
    head = f"mutation({variables})" if variables else "mutation"
    [operation] = parse(f"{head} {{ {verb}(input: {{{', '.join(written)}}}) {{ __typename }} }}").definitions
    assert isinstance(operation, OperationDefinitionNode)
    return field, operation.selection_set.selections[0], operation


def _plain(verb: str) -> list[str]:
    """The fields of a verb's input that take a scalar of GraphQL itself."""
    assert _mutations is not None
    kind = get_nullable_type(_mutations.fields[verb].args["input"].type)
    assert isinstance(kind, GraphQLInputObjectType)
    return [name for name, each in kind.fields.items() if get_nullable_type(each.type) in _VALUES]


@pytest.mark.parametrize("verb", VERBS)
def test_a_verb_is_given_what_the_library_would_give_it(verb: str) -> None:
    names = _plain(verb)
    field, node, operation = _asked(verb, names)
    ours = Arguments(field, node, schema.schema_converter, shared=False)
    types = {name: get_nullable_type(get_nullable_type(field.args["input"].type).fields[name].type) for name in names}
    requests: list[dict[str, Any]] = [{name: _VALUES[types[name]][turn] for name in names} for turn in (0, 1, 0)]
    requests += [requests[0] | {name: None} for name in names]
    requests += [{name: value for name, value in requests[0].items() if name != left_out} for left_out in names]
    same = 0
    for given in requests:
        variables = get_variable_values(schema._schema, operation.variable_definitions or (), given)
        if not isinstance(variables, VariableValues):
            continue  # null, or nothing, for what must be there
        converter = schema.schema_converter
        try:
            values = get_argument_values(field, node, variables)
            theirs = convert_arguments(
                values, field.extensions["strawberry-definition"].arguments, converter.scalar_registry, converter.config
            )
        except Exception as refused:  # noqa: BLE001  whatever the library says of an input that lacks something
            with pytest.raises(type(refused)):
                ours.of(Request(variables, None, settings()))
            continue
        first, second = (ours.of(Request(variables, None, settings())) for _ in range(2))
        assert first == second == theirs
        assert first["input"] is not second["input"]
        same += 1
    assert same or _lacking(verb, names)


def _lacking(verb: str, names: list[str]) -> list[str]:
    """Fields without which no request of a verb can be written, beside those of these names."""
    assert _mutations is not None
    kind = get_nullable_type(_mutations.fields[verb].args["input"].type)
    assert isinstance(kind, GraphQLInputObjectType)
    return [name for name, each in kind.fields.items() if str(each.type).endswith("!") and name not in names]


def test_most_inputs_go_the_short_way() -> None:
    short = [verb for verb in VERBS if Arguments(*_asked(verb, _plain(verb))[:2], schema.schema_converter, shared=False)._input is not None]

    assert "applicationApprove" in short
    assert "applicationReturn" not in short  # its reasons are a list
    assert len(short) > len(VERBS) / 2
