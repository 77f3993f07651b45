"""Operations and their plans: compiled once a role and shape of arguments, kept while there is room, run as one statement."""

import re
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from secrets import token_hex
from typing import Any, TypeAlias

import orjson
from graphql import (
    DirectiveNode,
    DocumentNode,
    FragmentDefinitionNode,
    GraphQLBoolean,
    GraphQLError,
    GraphQLID,
    GraphQLString,
    OperationDefinitionNode,
    OperationType,
    VariableNode,
    Visitor,
    get_nullable_type,
    visit,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValues, VariableValueSource, get_variable_values

from domain import reads
from domain.actions.sessions import PROOF, proof_values
from domain.rules.errors import Refusal
from domain.rules.messages import Language
from domain.rules.viewer import Viewer
from models.database import fetch
from models.enums import Role
from schema.context import Context
from schema.documents import TOKEN_BYTES, weight
from schema.nodes import NODES, RECORDS, Finished, Node
from schema.plan.compiler import Answered, Compiler, Dynamic, NeedsPython, Request, Statement
from schema.plan.mutations import Verb, told_by_row
from schema.plan.remainder import Left, Remainder
from schema.plan.selection import Selections
from settings import Settings

KEPT_TOKENS = 40_000
"""The `weight` of all kept operations together, each that of its document and of its plans: what clients may invent must not fill the memory."""
_VARIANT_TOKENS = 10  # what a plan takes beside its text
KEPT_VARIANTS = 64
"""Plans of one operation; shapes of arguments beyond that push out the least recently used."""

_MARK = token_hex(16)  # of this process: nobody can store a text that holds it
_MARKED = re.compile(rb'"' + _MARK.encode() + rb'(\d+):([0-9A-Za-z-]*);"')

Data: TypeAlias = Any
"""The value of `data` as a dictionary, or its JSON as an orjson.Fragment."""

Execute: TypeAlias = Callable[[str, dict[str, Any]], Awaitable[Mapping[str, Any] | None]]
"""Runs an operation, with its variables, by the ordinary executor for the same viewer; its `data`, or None where there was any error."""

_Case = tuple[Role | None, tuple[Any, ...], str]
"""The role, the values of the variables that @skip and @include name, and for a mutation the type of the changed row."""


@dataclass(frozen=True, slots=True)
class _Variant:
    """A plan for one role and shape. Without a statement, the operation needs Python. `told` answers from a changed row without it.

    `sql` answers who was authenticated, `proving` whoever asks with a token that was recognised before; each with the names of its values.
    """

    case: _Case
    dynamic: Sequence[Dynamic]
    shapes: Sequence[tuple[str, ...]]
    sql: str = ""
    names: tuple[str, ...] = ()
    proving: tuple[str, tuple[str, ...]] = ("", ())
    statement: Statement | None = None
    told: Callable[[Node], dict[str, Any]] | None = None

    @property
    def weight(self) -> int:
        """What keeping it takes, in the tokens of `schema.documents.weight`."""
        return _VARIANT_TOKENS + (len(self.sql) + len(self.proving[0])) // TOKEN_BYTES


@dataclass(slots=True)
class _Operation:
    """An operation with the plans that were made for it, the latest used first."""

    definition: OperationDefinitionNode
    fragments: Mapping[str, FragmentDefinitionNode]
    switches: tuple[str, ...]  # variables that @skip and @include name
    verb: Verb | None  # of a mutation
    plain: Sequence[tuple[GraphQLVariableSignature, type]] | None  # its variables, where values of these types need no coercion
    weight: int
    variants: list[_Variant] = field(default_factory=list)


class Plans:
    """The plans of one schema."""

    def __init__(self, schema: Any) -> None:
        self._schema = schema
        self._kept: OrderedDict[tuple[int, str], tuple[DocumentNode, _Operation]] = OrderedDict()
        self._tokens = 0

    async def read(
        self,
        document: DocumentNode,
        definition: OperationDefinitionNode,
        variables: Mapping[str, Any],
        *,
        viewer: Viewer | None,
        now: datetime,
        language: Language = "zh",
        settings: Settings,
        execute: Execute | None = None,
    ) -> Data | None:
        """The `data` of a validated query, ready for orjson; None where the ordinary executor must answer: errors are among its answers.

        `execute` runs what a plan leaves to the executor; without it such an operation is the executor's as a whole.
        """
        found = self._readable(document, definition, variables, viewer, settings)
        if found is None:
            return None
        variant, answered = found
        statement = variant.statement
        assert statement is not None  # noqa: S101  it is readable
        if statement.remainder is not None and execute is None:
            return None
        values = _values(variant, answered, reads.viewer_values(viewer, now))
        rows = await fetch(variant.sql, [values[name] for name in variant.names], settings.operation_seconds)
        answer, others = statement.build(rows, answered), None
        if statement.remainder is not None and execute is not None:
            others = await _remaining(orjson.dumps(answer), statement, statement.remainder, variables, execute)
            if others is None:
                return None
            answer = {key: others.roots[key] if key in others.roots else answer[key] for key in statement.order}
        return _finished(answer, statement, viewer, language, others)

    async def read_proving(
        self,
        document: DocumentNode,
        definition: OperationDefinitionNode,
        variables: Mapping[str, Any],
        *,
        viewer: Viewer | None,
        token_hash: bytes,
        language: Language = "zh",
        settings: Settings,
    ) -> Data | None:
        """As `read`, for who held this token when it was last recognised: the statement itself proves that it still opens the same.

        None also where no row came: either nothing is there, or the proof failed, and `read` will tell after authenticating anew; and where
        something is left to the executor, which must know who asks.
        """
        found = self._readable(document, definition, variables, viewer, settings)
        if found is None:
            return None
        variant, answered = found
        assert variant.statement is not None  # noqa: S101  it is readable
        if variant.statement.remainder is not None:
            return None
        values = _values(variant, answered, reads.viewer_values(viewer, None))
        if viewer is not None:
            values |= proof_values(viewer, token_hash)
        sql, names = variant.proving
        rows = await fetch(sql, [values[name] for name in names], settings.operation_seconds)
        if not rows and viewer is not None:
            return None
        return _finished(variant.statement.build(rows, answered), variant.statement, viewer, language)

    def _readable(
        self,
        document: DocumentNode,
        definition: OperationDefinitionNode,
        variables: Mapping[str, Any],
        viewer: Viewer | None,
        settings: Settings,
    ) -> tuple[_Variant, Sequence[Answered]] | None:
        """The plan of a query; None where it needs Python or its variables are refused."""
        if definition.operation is not OperationType.QUERY:
            return None
        operation = self._operation(document, definition)
        request = self._request(operation, variables, viewer, settings)
        if request is None:
            return None
        try:
            variant, answered = self._plan(operation, request, "")
        except (Refusal, GraphQLError):  # the executor tells of it
            return None
        return None if variant.statement is None else (variant, answered)

    async def change(
        self, document: DocumentNode, definition: OperationDefinitionNode, variables: Mapping[str, Any], context: Context
    ) -> dict[str, Any] | None:
        """Run a mutation's verb; the `data` of the row that it changed, read by its plan.

        None where the executor must answer: the verb was run or it was not, and `context.settled` holds what came of it.
        """
        operation = self._operation(document, definition)
        request = self._request(operation, variables, context.viewer, context.settings)
        verb = operation.verb
        if request is None or verb is None:
            return None
        try:
            plans = {record: self._plan(operation, request, record) for record in verb.records}
        except (Refusal, GraphQLError):  # the executor tells of it, or runs the verb and then tells
            return None
        if not all(variant.statement for variant, _ in plans.values()):
            return None
        context.settled = await verb.run(self._schema._schema, definition, request, context)  # noqa: SLF001  no accessor
        row = context.settled.value
        if not isinstance(row, Node) or type(row).__name__ not in plans:
            return None
        variant, answered = plans[type(row).__name__]
        assert variant.statement is not None  # noqa: S101  looked at above
        if variant.told is not None:
            return {verb.key: variant.told(row)}
        values = _values(variant, answered, reads.viewer_values(context.viewer, context.now) | {"key": row.row.pk})
        found = variant.statement.build(await fetch(variant.sql, [values[name] for name in variant.names]), answered)
        if found is None:  # changed so that it is not seen any more, as a session that was ended: the executor tells of the row itself
            return None
        return {verb.key: _finished(found, variant.statement, context.viewer, context.language)}

    def ahead(
        self, document: DocumentNode, definition: OperationDefinitionNode, variables: Mapping[str, Any], viewer: Viewer
    ) -> reads.Ahead | None:
        """What a mutation reads first, for `authenticate_reading`; None where nothing is known of it before its verb is run."""
        verb = self._operation(document, definition).verb
        return verb.ahead(variables, viewer) if verb is not None else None

    def _request(self, operation: _Operation, variables: Mapping[str, Any], viewer: Viewer | None, settings: Settings) -> Request | None:
        """None where the variables do not fit: the ordinary executor then says how."""
        given = None if operation.plain is None else _as_sent(operation.plain, variables)
        if given is None:
            nodes = operation.definition.variable_definitions or ()
            coerced = get_variable_values(self._schema._schema, nodes, dict(variables))  # noqa: SLF001  no accessor
            if not isinstance(coerced, VariableValues):
                return None
            given = coerced
        return Request(given, viewer, settings)

    def _operation(self, document: DocumentNode, definition: OperationDefinitionNode) -> _Operation:
        key = (id(document), definition.name.value if definition.name else "")
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return found[1]
        fragments = {each.name.value: each for each in document.definitions if isinstance(each, FragmentDefinitionNode)}
        mutation = definition.operation is OperationType.MUTATION
        verb = Verb.of(self._schema._schema, definition, self._schema.schema_converter) if mutation else None  # noqa: SLF001  no accessor
        signatures = [get_variable_signature(self._schema._schema, each) for each in definition.variable_definitions or ()]  # noqa: SLF001
        operation = _Operation(definition, fragments, _switches(document), verb, _plain(signatures), weight(document))
        self._kept[key] = (document, operation)  # the document is held, so that its id stays its own
        self._count(operation.weight)
        return operation

    def _count(self, more: int) -> None:
        """Count what the operation used last takes more, and forget others where there is no room for it."""
        self._tokens += more
        while self._tokens > KEPT_TOKENS and len(self._kept) > 1:
            _, (_, dropped) = self._kept.popitem(last=False)
            self._tokens -= dropped.weight

    def _plan(self, operation: _Operation, request: Request, record: str) -> tuple[_Variant, Sequence[Answered]]:
        switched = tuple(request.variables.coerced.get(name) for name in operation.switches)
        case = (request.viewer.role if request.viewer else None, switched, record)
        for number, variant in enumerate(operation.variants):
            if variant.case == case:
                answered = [each.conditions(request) for each in variant.dynamic]
                if [each.shape for each in answered] == variant.shapes:
                    if number:
                        operation.variants.insert(0, operation.variants.pop(number))
                    return variant, answered
        made, answers = self._compile(operation, request, case)
        more = made.weight - sum(each.weight for each in operation.variants[KEPT_VARIANTS - 1 :])
        operation.variants = [made, *operation.variants[: KEPT_VARIANTS - 1]]
        operation.weight += more
        self._count(more)
        return made, answers

    def _compile(self, operation: _Operation, request: Request, case: _Case) -> tuple[_Variant, Sequence[Answered]]:
        dynamic: list[Dynamic] = []
        told = None
        selections = Selections(self._schema._schema, operation.fragments, request.variables)  # noqa: SLF001  no accessor
        remainder = Remainder(operation.definition, operation.fragments) if operation.verb is None else None
        compiler = Compiler(self._schema, selections, request, dynamic, remainder)
        try:
            if operation.verb is not None:
                statement = compiler.compile_row(RECORDS[case[2]], [operation.verb.node])
                kind = self._schema._schema.type_map[case[2]]  # noqa: SLF001  no accessor
                told = told_by_row(kind, selections.of(kind, [operation.verb.node]))
            else:
                query = self._schema._schema.query_type  # noqa: SLF001  no accessor
                statement = compiler.compile(selections.merged(query, [operation.definition.selection_set]))
        except NeedsPython:
            return _Variant(case, (), []), []
        answers = [each.conditions(request) for each in dynamic]
        sql, names = reads.numbered(statement.sql)
        proving = reads.numbered(_proving(statement.sql, signed_in=case[0] is not None))
        kept = replace(statement, sql="")  # both texts that are sent are made of it
        return _Variant(case, dynamic, [each.shape for each in answers], sql, names, proving, kept, told), answers


def _plain(signatures: Sequence[GraphQLVariableSignature | GraphQLError]) -> Sequence[tuple[GraphQLVariableSignature, type]] | None:
    found = [(each, _AS_SENT.get(get_nullable_type(each.type))) for each in signatures if not isinstance(each, GraphQLError)]
    plain = [(signature, kind) for signature, kind in found if kind is not None]
    return plain if len(plain) == len(signatures) else None


_AS_SENT: Mapping[Any, type] = {GraphQLID: str, GraphQLString: str, GraphQLBoolean: bool}
"""What coercion leaves as it is."""


def _as_sent(plain: Sequence[tuple[GraphQLVariableSignature, type]], variables: Mapping[str, Any]) -> VariableValues | None:
    """The variables where all are there and of the types that need no coercion."""
    sources: dict[str, VariableValueSource] = {}
    coerced: dict[str, Any] = {}
    for signature, kind in plain:
        name = signature.name
        value = variables.get(name)
        if type(value) is not kind:
            return None
        sources[name] = VariableValueSource(signature, value)
        coerced[name] = value
    return VariableValues(sources, coerced)


def _values(variant: _Variant, answered: Sequence[Answered], values: dict[str, Any]) -> dict[str, Any]:
    """All that the statement may name: the viewer's values, and those of each field's arguments under the field's prefix."""
    values["mark"] = _MARK
    for dynamic, each in zip(variant.dynamic, answered, strict=True):
        for where in each.where:
            for name, value in where.values.items():
                values[dynamic.prefix + name] = value
    return values


@dataclass(frozen=True, slots=True)
class _Remaining:
    """What the executor answered: root fields by response key, fields of rows by the number of their mark and the row's key."""

    roots: Mapping[str, Any]
    values: Mapping[tuple[int, str], Any]


async def _remaining(
    answer: bytes, statement: Statement, left: Remainder, variables: Mapping[str, Any], execute: Execute
) -> _Remaining | None:
    """What the statement left, for the rows that it found; None where that is too much for one operation, or ends in an error."""
    keys: dict[int, dict[str, None]] = {}
    for number, key in _MARKED.findall(answer):
        if isinstance(statement.unfinished[int(number)], Left):
            keys.setdefault(int(number), {})[key.decode()] = None
    if any(len(each) > NODES for each in keys.values()):
        return None
    if not keys and not left.roots:
        return _Remaining({}, {})
    found = {number: list(each) for number, each in keys.items()}
    data = await execute(left.text, left.variables(variables, found))
    values = None if data is None else left.values(data, found)
    return None if data is None or values is None else _Remaining({key: data[key] for key in left.roots}, values)


def _finished(answer: Any, statement: Statement, viewer: Viewer | None, language: Language, others: _Remaining | None = None) -> Any:
    """The answer with its marked texts made; as JSON where there are any."""
    if not statement.unfinished:
        return answer

    def made(found: re.Match[bytes]) -> bytes:
        number, text = int(found[1]), found[2].decode()
        source = statement.unfinished[number]
        if isinstance(source, Finished):
            return orjson.dumps(source.finish(text, viewer, language))
        assert others is not None  # noqa: S101  the statement has a remainder
        return orjson.dumps(others.values[number, text])

    return orjson.Fragment(_MARKED.sub(made, orjson.dumps(answer)))


def _proving(sql: str, *, signed_in: bool) -> str:
    """A plan that takes the time from the proof of the session, and answers nothing where there is no proof."""
    timed = reads.at(sql, "(SELECT now FROM proof)")
    if not signed_in:
        return f"WITH proof AS MATERIALIZED (SELECT registry_now() AS now) {timed}"
    return f"WITH proof AS MATERIALIZED ({PROOF}) SELECT * FROM ({timed}) answer WHERE EXISTS (SELECT FROM proof)"  # noqa: S608  ours


def _switches(document: DocumentNode) -> tuple[str, ...]:
    """The variables on which @skip and @include depend."""
    found: dict[str, None] = {}

    class Directives(Visitor):
        def enter_directive(self, node: DirectiveNode, *_: Any) -> None:
            for argument in node.arguments or ():
                if isinstance(argument.value, VariableNode):
                    found[argument.value.name.value] = None

    visit(document, Directives())
    return tuple(found)
