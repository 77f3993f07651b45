"""What clients read: every name explained, one style throughout, and the committed schema in step with the built one."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from graphql import (
    GraphQLEnumType,
    GraphQLInputObjectType,
    GraphQLInterfaceType,
    GraphQLList,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLUnionType,
    get_named_type,
    is_non_null_type,
    is_specified_scalar_type,
)

from schema.nodes import RECORDS
from schema.root import schema
from tests.conftest import ROOT

BUILT = schema._schema
TYPES = {name: kind for name, kind in BUILT.type_map.items() if not name.startswith("__") and not is_specified_scalar_type(kind)}
ROOTS = {"Query", "Mutation", "Subscription"}

RELIED_UPON = {
    "Query": """viewer node nodes application applications expert publicNotices divisions specialties titles qualifications codes
        workingCalendar""",
    "Mutation": """phoneCodeSend accountRegister sessionOpen sessionClose sessionCloseAll passwordReset phoneChange basicInfoSave
        evaluationInfoSave educationSave educationRemove titleSave titleRemove workEntrySave workEntryRemove qualificationSave
        qualificationRemove fileAttach fileDetach applicationSubmit applicationWithdraw applicationClaim applicationRelease
        applicationApprove applicationReturn applicationReject""",
    "Subscription": "applicationMoved queueChanged",
}


def places() -> Iterator[tuple[str, str, Any]]:
    """(kind of place, its name, what is there) for everything that a client can name."""
    for name, kind in TYPES.items():
        yield "type", name, kind
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            for field, each in kind.fields.items():
                yield "field", f"{name}.{field}", each
                for argument, given in each.args.items():
                    yield "argument", f"{name}.{field}({argument}:)", given
        elif isinstance(kind, GraphQLInputObjectType):
            for field, given in kind.fields.items():
                yield "input field", f"{name}.{field}", given
        elif isinstance(kind, GraphQLEnumType):
            for value, each_value in kind.values.items():
                yield "enum value", f"{name}.{value}", each_value


def test_the_committed_schema_is_the_built_one() -> None:
    committed = (ROOT / "schema" / "schema.graphql").read_text()

    assert committed == schema.as_str() + "\n", "run `python3 run.py schema` and look at the difference"


@pytest.mark.parametrize("place", ["type", "field", "argument", "input field", "enum value"])
def test_everything_is_described(place: str) -> None:
    found = [(name, (each.description or "").strip()) for kind, name, each in places() if kind == place]

    assert len(found) > 20
    assert [name for name, description in found if not description] == []


@pytest.mark.parametrize(
    ("place", "style"),
    [
        ("type", r"[A-Z][A-Za-z]*"),
        ("field", r"[A-Z][A-Za-z]*\.[a-z][A-Za-z0-9]*"),
        ("argument", r"[A-Z][A-Za-z]*\.[a-z][A-Za-z]*\([a-z][A-Za-z]*:\)"),
        ("input field", r"[A-Z][A-Za-z]*\.[a-z][A-Za-z]*"),
        ("enum value", r"[A-Z][A-Za-z]*\.[A-Z][A-Z0-9]*(_[A-Z0-9]+)*"),
    ],
)
def test_names_are_written_in_one_style(place: str, style: str) -> None:
    assert [name for kind, name, _ in places() if kind == place and not re.fullmatch(style, name)] == []


@pytest.mark.parametrize("root", RELIED_UPON)
def test_the_names_that_clients_rely_on_are_there(root: str) -> None:
    kind = TYPES[root]
    assert isinstance(kind, GraphQLObjectType)

    assert set(RELIED_UPON[root].split()) - set(kind.fields) == set()


def test_every_mutation_takes_one_input_and_answers_its_own_result() -> None:
    assert BUILT.mutation_type is not None

    odd = []
    for name, field in BUILT.mutation_type.fields.items():
        pascal = name[0].upper() + name[1:]
        arguments = {argument: str(given.type) for argument, given in field.args.items()}
        if arguments not in ({"input": f"{pascal}Input!"}, {}) or str(field.type) != f"{pascal}Result!":
            odd.append((name, arguments, str(field.type)))

    assert odd == []


def test_a_result_is_one_success_or_problems() -> None:
    assert BUILT.mutation_type is not None
    results = {str(field.type).rstrip("!"): field for field in BUILT.mutation_type.fields.values()}

    for name in results:
        kind = TYPES[name]
        assert isinstance(kind, GraphQLUnionType)
        problems = [member.name for member in kind.types if "Problem" in {each.name for each in member.interfaces}]
        assert len(kind.types) - len(problems) == 1, name


def test_every_problem_tells_a_code_and_a_message() -> None:
    problem = TYPES["Problem"]
    assert isinstance(problem, GraphQLInterfaceType)

    assert {name: str(field.type) for name, field in problem.fields.items()} == {"code": "String!", "message": "String!"}
    assert len(BUILT.get_possible_types(problem)) >= 15


def test_members_of_a_union_have_no_field_of_one_name_and_two_types() -> None:
    clashes = []
    for name, kind in TYPES.items():
        if isinstance(kind, GraphQLUnionType):
            types: dict[str, set[str]] = {}
            for member in kind.types:
                for field, each in member.fields.items():
                    types.setdefault(field, set()).add(str(each.type))
            clashes += [(name, field, found) for field, found in types.items() if len(found) > 1]

    assert clashes == []


def test_inputs_and_connections_are_named_for_what_they_are() -> None:
    inputs = [name for name, kind in TYPES.items() if isinstance(kind, GraphQLInputObjectType)]
    connections = {name: kind for name, kind in TYPES.items() if name.endswith("Connection")}

    assert [name for name in inputs if not name.endswith(("Input", "Filter"))] == []
    assert len(connections) >= 2
    for name, kind in connections.items():
        assert isinstance(kind, GraphQLObjectType)
        node = name.removesuffix("Connection")
        assert str(kind.fields["edges"].type) == f"[{node}Edge!]!"
        assert str(kind.fields["pageInfo"].type) == "PageInfo!"
        edge = TYPES[f"{node}Edge"]
        assert isinstance(edge, GraphQLObjectType)
        assert [str(edge.fields[each].type) for each in ("node", "cursor")] == [f"{node}!", "String!"]


def test_connections_take_the_arguments_of_relay() -> None:
    expected = {"first": "Int", "after": "String", "last": "Int", "before": "String"}
    paged = {
        name: {argument: str(given.type) for argument, given in each.args.items() if argument in expected}
        for kind, name, each in places()
        if kind == "field" and get_named_type(each.type).name.endswith("Connection")
    }

    assert paged
    assert [name for name, arguments in paged.items() if arguments != expected] == []


def test_whatever_stands_for_a_row_is_a_node_and_nothing_else_has_an_id() -> None:
    node = TYPES["Node"]
    assert isinstance(node, GraphQLInterfaceType)
    nodes = {kind.name for kind in BUILT.get_possible_types(node)}

    assert nodes == set(RECORDS)
    with_id = {name for name, kind in TYPES.items() if isinstance(kind, GraphQLObjectType) and "id" in kind.fields}
    assert with_id == nodes


def test_lists_hold_no_nulls_but_where_nodes_asks_for_several_things() -> None:
    def holds_nulls(kind: Any) -> bool:
        while isinstance(kind, GraphQLNonNull | GraphQLList):
            if isinstance(kind, GraphQLList) and not is_non_null_type(kind.of_type):
                return True
            kind = kind.of_type
        return False

    typed = [(name, each.type) for kind, name, each in places() if kind in ("field", "argument", "input field")]
    assert [name for name, kind in typed if holds_nulls(kind)] == ["Query.nodes"]


def test_an_enum_says_each_value_in_chinese_and_in_english() -> None:
    found = {name: each.description for kind, name, each in places() if kind == "enum value"}

    assert [name for name, text in found.items() if not re.match(r"[^:]*[\u4e00-\u9fff][^:]*: .+\.$", text or "")] == []


def test_descriptions_are_sentences() -> None:
    texts = [(name, (each.description or "").strip()) for _, name, each in places() if not name.startswith("__")]

    assert [name for name, text in texts if not text.endswith((".", "。"))] == []
    assert [name for name, text in texts if "TODO" in text or "  " in text] == []


def test_every_type_is_reached_from_a_root() -> None:
    reached: set[str] = set()
    waiting = [kind for name, kind in TYPES.items() if name in ROOTS]
    while waiting:
        kind = waiting.pop()
        if kind.name in reached:
            continue
        reached.add(kind.name)
        below: list[Any] = []
        if isinstance(kind, GraphQLObjectType | GraphQLInterfaceType):
            below += [each.type for each in kind.fields.values()]
            below += [given.type for each in kind.fields.values() for given in each.args.values()]
            below += kind.interfaces
        if isinstance(kind, GraphQLInterfaceType):
            below += BUILT.get_possible_types(kind)
        if isinstance(kind, GraphQLUnionType):
            below += kind.types
        if isinstance(kind, GraphQLInputObjectType):
            below += [each.type for each in kind.fields.values()]
        waiting += [get_named_type(each) for each in below]

    assert set(TYPES) - reached == set()
