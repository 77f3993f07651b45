from __future__ import annotations

import time
from dataclasses import replace

import pytest
from graphql import FieldNode, FragmentDefinitionNode, FragmentSpreadNode, GraphQLError, SelectionSetNode, parse
from hypothesis import given
from hypothesis import strategies as st

from schema.limits import Size, check, comparisons, measure
from settings import Settings

SETTINGS = Settings(
    document_depth=4, document_fields=12, document_aliases=3, document_directives=2, document_comparisons=5, root_mutations=2
)


def size(text: str) -> Size:
    return measure(parse(text))[1][0][1]


def compared(text: str) -> list[int]:
    """Of each operation and fragment."""
    definitions = [each for each, _ in measure(parse(text))[1]]
    fragments = {each.name.value: each for each in definitions if isinstance(each, FragmentDefinitionNode)}
    return [comparisons(each, fragments) for each in definitions]


def refusal(text: str, settings: Settings = SETTINGS) -> dict[str, object]:
    with pytest.raises(GraphQLError) as refused:
        check(text, parse(text), settings)
    return dict(refused.value.extensions or {})


def test_a_document_is_measured_as_if_its_fragments_were_written_out() -> None:
    text = "{ a { ...F } b: a { ...F c } } fragment F on T { x y: x ... on U { z { w } } }"

    assert size(text) == Size(depth=3, fields=11, roots=2, aliases=3)


def test_pairs_of_fields_under_one_key_are_counted_with_all_that_is_below_them() -> None:
    assert compared("{ a b c: d }") == [0]
    assert compared("{ a { x } a { x y } a { y } }") == [3 + 1 + 1]
    assert compared("{ t { ...F ...G ... on U { a } } } fragment F on T { a { x } } fragment G on T { a { x } b }") == [3 + 1, 0, 0]


def test_a_fragment_counts_once_in_a_set_however_often_it_is_spread_there() -> None:
    assert compared("{ t { ...F ...F ... { ...F } } t { ...F } } fragment F on T { a { x } }") == [1, 0]


def test_fragments_of_one_set_are_pairs_of_their_own() -> None:
    text = "{ t { " + " ".join(f"...F{n}" for n in range(80)) + " } } " + " ".join(f"fragment F{n} on T {{ f{n} }}" for n in range(80))

    assert compared(text)[0] == 800


def test_a_field_written_twice_in_one_set_counts_like_an_alias_and_fields_of_other_types_do_not() -> None:
    assert size("{ a { x x x } }").aliases == 2
    assert size("{ a { x ... { x } ... on T { x } ... on T { x } ... on U { x } } }").aliases == 2


@pytest.mark.parametrize(
    ("text", "limit", "measured"),
    [
        ("{ a { a { a { a { x } } } } }", "depth", 5),
        ("{ a { ...F } } fragment F on T { a { a { a { x } } } }", "depth", 5),
        ("{ a b c d e f g h i j k l m }", "fields", 13),
        ("{ a { ...F } b { ...F } } fragment F on T { c d e f g h }", "fields", 14),
        ("{ a: x b: x c: x d: x }", "aliases", 4),
        ("{ a { ...F } b { ...F } } fragment F on T { c: x d: x }", "aliases", 4),
        ("{ a @skip(if: true) b @skip(if: true) c @skip(if: true) }", "directives", 3),
        ("query ($v: Int @a @b) { a @c }", "directives", 3),
        ("mutation { a b c }", "root mutations", 3),
        ("mutation { ...F ...G } fragment F on M { a b } fragment G on M { ... { c } }", "root mutations", 3),
        ("query A { x } query B { a { a { a { a { x } } } } }", "depth", 5),
        ("{ a { ...F ...G ...H } } " + " ".join(f"fragment {each} on T {{ x {{ y }} }}" for each in "FGH"), "comparisons", 7),
        (
            "{ a } fragment F on T { ...G ...H ...I } " + " ".join(f"fragment {each} on T {{ x {{ y }} }}" for each in "GHI"),
            "comparisons",
            7,
        ),
        ("{ a } fragment F on T { a { ...G } b { ...G } } fragment G on T { c d e f g h }", "fields", 14),
    ],
)
def test_what_exceeds_a_limit_is_refused_with_what_was_measured(text: str, limit: str, measured: int) -> None:
    extensions = refusal(text)

    assert extensions["code"] == "DOCUMENT_TOO_COMPLEX"
    assert (extensions["limit"], extensions["measured"]) == (limit, measured)


def test_a_document_at_every_limit_passes() -> None:
    text = "{ a @skip(if: true) { b { c { d } } } e: x f: x g: x h i j k l @skip(if: true) }"

    check(text, parse(text), SETTINGS)
    check("mutation { a b }", parse("mutation { a b }"), SETTINGS)


def bomb(levels: int) -> str:
    fragments = " ".join(f"fragment F{n} on T {{ a {{ ...F{n + 1} }} b {{ ...F{n + 1} }} }}" for n in range(levels))
    return f"{{ ...F0 }} {fragments} fragment F{levels} on T {{ x }}"


def test_a_bomb_of_fragments_is_refused_in_milliseconds() -> None:
    text = bomb(60)
    document = parse(text)
    began = time.process_time()

    extensions = refusal(text, replace(SETTINGS, document_depth=100))

    assert extensions == {"code": "DOCUMENT_TOO_COMPLEX", "limit": "fields", "measured": 10**9, "allowed": 12}
    assert time.process_time() - began < 0.2
    assert measure(document)[1][0][1].fields == 2**61 - 2 + 2**60


def test_spreads_of_empty_fragments_cost_nothing() -> None:
    chain = " ".join(f"fragment F{n} on M {{ ...F{n + 1} ...F{n + 1} }}" for n in range(60))
    text = f"mutation {{ ...F0 }} {chain} fragment F60 on M {{ }}"

    check(text, parse(text), replace(SETTINGS, document_comparisons=500))


@pytest.mark.parametrize("text", ["{ ...A } fragment A on T { a { ...A } }", "{ x } fragment A on T { ...B } fragment B on T { ...A }"])
def test_fragments_in_a_circle_are_refused(text: str) -> None:
    assert refusal(text) == {"code": "FRAGMENT_CYCLE"}


def test_an_unknown_fragment_is_left_to_validation() -> None:
    check("{ ...Nowhere }", parse("{ ...Nowhere }"), SETTINGS)


@pytest.mark.parametrize("literal", [r'"a\u0000b"', r'"\u{0}"', r'"\u{0000}"'])
def test_a_nul_character_in_a_literal_is_refused(literal: str) -> None:
    assert refusal(f"{{ a(b: {literal}) }}") == {"code": "NUL_CHARACTER"}


def written_out(selections: SelectionSetNode, fragments: dict[str, FragmentDefinitionNode], depth: int = 1) -> tuple[int, int]:
    """Depth and fields by expanding: what the limiter must equal without doing it."""
    deepest = fields = 0
    for node in selections.selections:
        if isinstance(node, FieldNode):
            deepest, fields = max(deepest, depth), fields + 1
            inner = written_out(node.selection_set, fragments, depth + 1) if node.selection_set else (0, 0)
        elif isinstance(node, FragmentSpreadNode):
            inner = written_out(fragments[node.name.value].selection_set, fragments, depth)
        else:
            inner = written_out(node.selection_set, fragments, depth)  # type: ignore[attr-defined]  # an inline fragment
        deepest, fields = max(deepest, inner[0]), fields + inner[1]
    return deepest, fields


def sets(later: list[str]) -> st.SearchStrategy[str]:
    leaves = st.sampled_from(["x", "y", *(f"...{name}" for name in later)])
    selection = st.recursive(
        leaves, lambda inner: st.lists(inner, min_size=1, max_size=3).map(lambda each: f"a {{ {' '.join(each)} }}"), max_leaves=4
    )
    return st.lists(selection, min_size=1, max_size=3).map(" ".join)


@given(st.tuples(sets(["A", "B", "C"]), sets(["B", "C"]), sets(["C"]), sets([])))
def test_any_document_measures_what_it_expands_to(parts: tuple[str, str, str, str]) -> None:
    query, a, b, c = parts
    document = parse(f"{{ {query} }} fragment A on T {{ {a} }} fragment B on T {{ {b} }} fragment C on T {{ {c} }}")
    fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}

    operation, measured = measure(document)[1][0]

    assert (measured.depth, measured.fields) == written_out(operation.selection_set, fragments)
