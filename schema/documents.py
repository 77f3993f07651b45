"""Documents as clients send them: parsed, measured and validated once, and kept while there is room."""

import sys
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, NamedTuple

from graphql import (
    DocumentNode,
    FieldNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    parse,
    specified_rules,
    validate,
)
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.schema.validation_rules.one_of import OneOfInputValidationRule

from schema import limits
from schema.cost import Costs
from schema.faults import with_code
from settings import Settings

RULES = (*specified_rules, MaybeNullValidationRule, OneOfInputValidationRule)
MOST_ERRORS = 20
KEPT_TOKENS = 20_000
"""The `weight` of all kept documents together."""
TOKEN_BYTES = 400
"""Bytes that one token of kept documents takes, about."""
_LONGEST_NAME = 80


def weight(node: DocumentNode) -> int:
    """What keeping a document takes, in lexical tokens, of which one takes about 0.4 KiB: its text counts too, for one token may be long."""
    text = node.loc.source.body if node.loc else ""
    return node.token_count + sys.getsizeof(text) // TOKEN_BYTES


class DocumentError(Exception):
    """A document that is not executed: it cannot be parsed, is too large, or does not fit the schema."""

    def __init__(self, *errors: GraphQLError) -> None:
        super().__init__(*errors)
        self.errors = errors


class Defined(NamedTuple):
    """An operation as its document defines it, and what logs and metrics call it."""

    node: OperationDefinitionNode
    kind: str
    field: str
    """The first root field; a name of the schema, so that there are not many."""
    name: str | None
    """Shortened."""

    @classmethod
    def of(cls, node: OperationDefinitionNode) -> "Defined":
        """From its definition."""
        field = next((each.name.value for each in node.selection_set.selections if isinstance(each, FieldNode)), "fragment")
        return cls(node, node.operation.value, field, node.name.value[:_LONGEST_NAME] if node.name else None)


@dataclass(frozen=True, slots=True, eq=False)
class Document:
    """A document that may be executed, and its operations by name, "" for one without."""

    node: DocumentNode
    operations: Mapping[str, Defined]
    costs: Costs

    def check_cost(self, operation: OperationDefinitionNode, variables: Mapping[str, Any] | None) -> None:
        """Raise DocumentError where pages of the sizes that these variables ask for could hold too much."""
        try:
            self.costs.check(operation, variables or {})
        except GraphQLError as error:
            raise DocumentError(error) from None

    def operation(self, name: str | None) -> Defined:
        """The operation to execute; raises DocumentError where the name is unknown, or missing though there are several."""
        if name is None and len(self.operations) == 1:
            return next(iter(self.operations.values()))
        found = self.operations.get(name or "")
        if found is None:
            known = ", ".join(self.operations)
            told = f"Name in `operationName` which operation to execute, one of: {known}." if known else _NOTHING
            raise DocumentError(GraphQLError(told, extensions={"code": "OPERATION_RESOLUTION_FAILURE"}))
        return found


_NOTHING = "The document holds no operation."


class Documents:
    """The documents of one schema. Only those that may be executed are kept, the least recently used go first."""

    def __init__(self) -> None:
        self._kept: OrderedDict[str, Document] = OrderedDict()
        self._tokens = 0

    def read(self, text: str, schema: GraphQLSchema, settings: Settings) -> Document:
        """The document in a text; raises DocumentError with what is wrong."""
        found = self._kept.get(text)
        if found is not None:
            self._kept.move_to_end(text)
            return found
        document = _read(text, schema, settings)
        self._keep(text, document)
        return document

    def _keep(self, text: str, document: Document) -> None:
        self._kept[text] = document
        self._tokens += weight(document.node)
        while self._tokens > KEPT_TOKENS:
            _, dropped = self._kept.popitem(last=False)
            self._tokens -= weight(dropped.node)


def _read(text: str, schema: GraphQLSchema, settings: Settings) -> Document:
    try:
        # Comments and blanks are bounded by the size of the body, comments also because each is kept as a token.
        node = parse(text, max_lexical_tokens=settings.document_tokens, max_comments=settings.document_tokens)
        _unchain(node)
        limits.check(text, node, settings)
    except GraphQLError as error:
        raise DocumentError(_named(error)) from None
    rules = RULES if settings.introspection else (*RULES, NoSchemaIntrospectionCustomRule)
    errors = validate(schema, node, rules, max_errors=MOST_ERRORS, hide_suggestions=not settings.development)
    if errors:
        raise DocumentError(*(with_code(each, "GRAPHQL_VALIDATION_FAILED") for each in errors))
    definitions = [each for each in node.definitions if isinstance(each, OperationDefinitionNode)]
    operations = {each.name.value if each.name else "": Defined.of(each) for each in definitions}
    try:
        return Document(node, MappingProxyType(operations), Costs(node, schema, settings))
    except GraphQLError as error:
        raise DocumentError(error) from None


def _unchain(node: DocumentNode) -> None:
    """Let the tokens of a document know only the next one: in both directions they are circles, and keep it until they are looked for."""
    token = node.loc.start_token if node.loc else None
    while token is not None:
        token.prev = None
        token = token.next


def _named(error: GraphQLError) -> GraphQLError:
    """What the parser says under its code; its own limits under the code of ours."""
    return with_code(error, "DOCUMENT_TOO_COMPLEX" if "Parsing aborted" in error.message else "GRAPHQL_PARSE_FAILED")
