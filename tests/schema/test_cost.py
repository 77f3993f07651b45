from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

import pytest
from graphql import OperationDefinitionNode, parse

from schema.cost import HANDFUL, Costs
from schema.documents import DocumentError
from schema.root import schema
from tests.conftest import BASE

FRAGMENTS = """{ ...Q }
fragment Q on Query { applications(first: 3) { ...P } }
fragment P on ApplicationConnection { nodes { ...C } }
fragment C on Application { records { at } }"""


def cost(text: str, **variables: Any) -> int:
    document = parse(text)
    operation = next(each for each in document.definitions if isinstance(each, OperationDefinitionNode))
    return Costs(document, schema._schema, replace(BASE, document_cost=10**15)).of(operation, variables)


def refusal(text: str, **variables: Any) -> dict[str, object]:
    def read() -> None:
        document = schema.documents.read(text, schema._schema, BASE)
        document.check_cost(document.operation(None).node, variables)

    with pytest.raises(DocumentError) as refused:
        read()
    return dict(refused.value.errors[0].extensions or {})


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{ __typename privacyTermsVersion }", 0),
        ("{ applications { nodes { id } } }", 20),
        ("{ applications(first: 7) { nodes { id } } }", 7),
        ("{ applications(last: 7) { edges { node { id } } totalCount } }", 7),
        ("{ applications(first: 1000) { nodes { id } } }", 100),
        ("{ applications(first: -1) { nodes { id } } }", 0),
        ("{ divisions { code } }", HANDFUL),
        ("{ divisions { children { code } } }", HANDFUL + HANDFUL**2),
        ("{ viewer { account { pool { name } } } }", 0),
        ("{ applications(first: 10) { nodes { availableMoves } } }", 10),
        ("{ applications(first: 10) { nodes { records { at } } } }", 10 + 10 * HANDFUL),
        ("{ applications(first: 10) { nodes { profile { titles { certificateNumber } education { school } } } } }", 10 + 20 * HANDFUL),
        ("{ applications(first: 10) { nodes { expert { applications(first: 3) { nodes { id } } } } } }", 10 + 10 * 3),
        ('{ nodes(ids: ["a", "b", "c"]) { id } }', 3),
        ('{ nodes(ids: "a") { ... on Application { records { at } } } }', 1 + HANDFUL),
        ("{ a: applications(first: 3) { nodes { id } } b: applications(first: 4) { nodes { id } } }", 7),
        (FRAGMENTS, 3 + 3 * HANDFUL),
        ('{ application(id: "a") { notes { application { notes { text } } } } }', HANDFUL + HANDFUL**2 + HANDFUL**3),
        ('{ application(id: "a") { records { application { id } } } }', HANDFUL + HANDFUL**2),
    ],
)
def test_the_objects_that_lists_may_hold_are_counted_sizes_multiplied(text: str, expected: int) -> None:
    assert cost(text) == expected


PAGES = "query ($n: Int, $m: Int = 4) { applications(first: $n) { nodes { expert { applications(last: $m) { nodes { id } } } } } }"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, 20 + 20 * 4),
        ({"n": 2, "m": 3}, 2 + 2 * 3),
        ({"n": None, "m": None}, 20 + 20 * 20),
        ({"n": 10**9}, 100 + 100 * 4),
        ({"n": "many"}, 100 + 100 * 4),
    ],
)
def test_sizes_are_taken_from_the_variables_of_the_request(given: dict[str, Any], expected: int) -> None:
    assert cost(PAGES, **given) == expected


@pytest.mark.parametrize("ids", ["$ids", "[$one, $one]"])
def test_ids_are_counted_in_variables_too(ids: str) -> None:
    document = f"query ($ids: [ID!]!, $one: ID!) {{ nodes(ids: {ids}) {{ id }} }}"

    assert cost(document, ids=["a", "b"], one="a") == 2


def test_a_document_that_costs_too_much_is_refused_with_what_was_measured() -> None:
    deep = "{ applications(first: 100) { nodes { expert { applications(first: 50) { nodes { id } } } } } }"

    assert refusal(deep) == {"code": "DOCUMENT_TOO_COMPLEX", "limit": "cost", "measured": 5100, "allowed": 5000}


def test_a_document_is_refused_with_one_page_size_and_answered_with_another() -> None:
    document = schema.documents.read(PAGES, schema._schema, BASE)

    document.check_cost(document.operation(None).node, {"n": 99, "m": 49})
    assert refusal(PAGES, n=100, m=50)["measured"] == 5100


def test_ids_in_a_variable_count_as_many_as_there_are() -> None:
    text = "query ($ids: [ID!]!) { nodes(ids: $ids) { ... on Expert { applications(first: 100) { nodes { id } } } } }"

    assert refusal(text, ids=["x"] * 60)["measured"] == 60 + 6000


def test_fragments_that_double_are_counted_once_each_and_refused_in_milliseconds() -> None:
    levels = 60
    body = " ".join(f"fragment F{n} on Division {{ children {{ ...F{n + 1} }} again: children {{ ...F{n + 1} }} }}" for n in range(levels))
    document = parse(f"{{ divisions {{ ...F0 }} }} {body} fragment F{levels} on Division {{ code }}")
    operation = document.definitions[0]
    assert isinstance(operation, OperationDefinitionNode)
    began = time.perf_counter()

    found = Costs(document, schema._schema, replace(BASE, document_cost=10**99)).of(operation, {})

    assert found > 5**levels
    assert time.perf_counter() - began < 0.5
