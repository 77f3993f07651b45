"""How large a GraphQL document is with every fragment written out, counted in time linear in the document as it is sent.

A fragment is measured once, however often it is spread: sixty fragments that each spread the next one twice select 2⁶⁰ fields in
two kilobytes, and are refused after sixty additions.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from graphlib import CycleError, TopologicalSorter

from graphql import (
    DocumentNode,
    ExecutableDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
)

from settings import Settings

# PostgreSQL stores no NUL; an escaped one in a literal must not travel that far.
_NUL = re.compile(r"\\u(?:0000|\{0+\})")
_UNCOUNTED = 10**9


@dataclass(frozen=True, slots=True)
class Size:
    """What one operation or fragment selects with its fragments written out.

    `depth` counts nested fields, `roots` the outermost ones. `aliases` counts what asks for a field a second time: fields with an alias,
    and fields written twice in one selection set, which cost quadratic time when they are merged.
    """

    depth: int
    fields: int
    roots: int
    aliases: int


@dataclass(frozen=True, slots=True)
class _Own:
    """What a definition selects by itself, and which fragments it spreads at which depth."""

    size: Size
    directives: int
    spreads: tuple[tuple[str, int], ...]


def check(text: str, document: DocumentNode, settings: Settings) -> None:
    """Raise GraphQLError at the first limit that a document exceeds, with what was measured; also for fragments in a circle and for NUL."""
    if _NUL.search(text):
        raise GraphQLError("The document holds a NUL character, which nothing here can store.", extensions={"code": "NUL_CHARACTER"})
    directives, sizes = measure(document)
    compare("directives", directives, settings.document_directives)
    for definition, size in sizes:
        compare("depth", size.depth, settings.document_depth)
        compare("fields", size.fields, settings.document_fields)
        compare("aliases", size.aliases, settings.document_aliases)
        if isinstance(definition, OperationDefinitionNode) and definition.operation is OperationType.MUTATION:
            compare("root mutations", size.roots, settings.root_mutations)
    fragments = {each.name.value: each for each, _ in sizes if isinstance(each, FragmentDefinitionNode)}
    for definition, _ in sizes:  # with fields within their limit: walking them is no work now
        compare("comparisons", comparisons(definition, fragments), settings.document_comparisons)


def comparisons(definition: ExecutableDefinitionNode, fragments: Mapping[str, FragmentDefinitionNode]) -> int:
    """Pairs of fields that answer under one key, which validation compares with one another, each with all that is selected below it.

    A fragment counts once in a set, however often it is spread there. Components that each spread their own fragment and all ask for the id
    are usual; a hundred fragments that ask for the same few fields take half a second.
    """
    pairs = 0
    waiting = [[definition.selection_set]]
    while waiting:
        below: dict[str, list[SelectionSetNode | None]] = {}
        spread: set[str] = set()
        level = waiting.pop()
        while level:
            for node in level.pop().selections:
                if isinstance(node, FieldNode):
                    below.setdefault((node.alias or node.name).value, []).append(node.selection_set)
                elif isinstance(node, InlineFragmentNode):
                    level.append(node.selection_set)
                elif isinstance(node, FragmentSpreadNode) and node.name.value in fragments and node.name.value not in spread:
                    spread.add(node.name.value)
                    level.append(fragments[node.name.value].selection_set)
        for same in below.values():
            pairs += len(same) * (len(same) - 1) // 2
            waiting.append([each for each in same if each is not None])
        pairs += len(spread) ** 2 // 8  # fragments of one set are compared pairwise too, for which little of each is read
    return pairs


def measure(document: DocumentNode) -> tuple[int, list[tuple[ExecutableDefinitionNode, Size]]]:
    """The directives of a document, and its operations, then its fragments with their sizes; raises GraphQLError for those in a circle."""
    operations = [(each, _measure(each)) for each in document.definitions if isinstance(each, OperationDefinitionNode)]
    fragments = [(each, _measure(each)) for each in document.definitions if isinstance(each, FragmentDefinitionNode)]
    directives = sum(own.directives for _, own in (*operations, *fragments))
    totals = _with_fragments({each.name.value: own for each, own in fragments})
    return directives, [(each, _total(own, totals)) for each, own in (*operations, *fragments)]


def compare(what: str, measured: int, allowed: int) -> None:
    """Raise GraphQLError where more is measured than allowed."""
    if measured <= allowed:
        return
    shown = str(measured) if measured < _UNCOUNTED else "more than a thousand million"
    raise GraphQLError(
        f"The document is too complex: {what} {shown}, allowed {allowed}.",
        extensions={"code": "DOCUMENT_TOO_COMPLEX", "limit": what, "measured": min(measured, _UNCOUNTED), "allowed": allowed},
    )


def _measure(definition: OperationDefinitionNode | FragmentDefinitionNode) -> _Own:
    """Walk one definition without entering its spreads, and without recursion: it may be nested deeply."""
    deepest = fields = roots = aliases = 0
    directives = sum(len(each.directives or ()) for each in (definition, *(definition.variable_definitions or ())))
    spreads: list[tuple[str, int]] = []
    stack: list[tuple[SelectionSetNode, int, set[tuple[str, str]], str]] = [(definition.selection_set, 1, set(), "")]
    while stack:
        selections, depth, seen, condition = stack.pop()
        for node in selections.selections:
            directives += len(node.directives or ())
            if isinstance(node, FieldNode):
                fields += 1
                roots += depth == 1
                deepest = max(deepest, depth)
                written = (condition, (node.alias or node.name).value)
                aliases += node.alias is not None or written in seen
                seen.add(written)
                if node.selection_set:
                    stack.append((node.selection_set, depth + 1, set(), ""))
            elif isinstance(node, InlineFragmentNode):
                # Other types of a union may well name the same fields; the same type twice is the same set written twice.
                inner = node.type_condition.name.value if node.type_condition else condition
                stack.append((node.selection_set, depth, seen, inner))
            elif isinstance(node, FragmentSpreadNode):
                spreads.append((node.name.value, depth - 1))
    return _Own(Size(deepest, fields, roots, aliases), directives, tuple(spreads))


def _with_fragments(own: Mapping[str, _Own]) -> dict[str, Size]:
    """The size of each fragment with those that it spreads, each computed once, innermost first."""
    graph = TopologicalSorter({name: [spread for spread, _ in each.spreads] for name, each in own.items()})
    try:
        order = list(graph.static_order())
    except CycleError as cycle:
        names = cycle.args[1]
        raise GraphQLError(
            f"Fragments may not spread themselves: {' → '.join(names[:5])}.", extensions={"code": "FRAGMENT_CYCLE"}
        ) from None
    result: dict[str, Size] = {}
    for name in order:
        if name in own:  # an unknown fragment is for validation to tell
            result[name] = _total(own[name], result)
    return result


def _total(own: _Own, fragments: Mapping[str, Size]) -> Size:
    depth, fields, roots, aliases = own.size.depth, own.size.fields, own.size.roots, own.size.aliases
    for name, at in own.spreads:
        inner = fragments.get(name)
        if inner is not None:
            depth = max(depth, at + inner.depth)
            fields += inner.fields
            roots += inner.roots if at == 0 else 0
            aliases += inner.aliases
    return Size(depth, fields, roots, aliases)
