"""Operations on their way through: one path for HTTP, event streams and sockets."""

from __future__ import annotations

import asyncio
import time
from collections import Counter, OrderedDict
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from dataclasses import dataclass
from functools import lru_cache, partial
from hashlib import sha256
from pathlib import Path
from typing import Any, NamedTuple
from uuid import UUID

import asyncpg
import orjson
import structlog
from graphql import GraphQLError, OperationDefinitionNode, OperationType
from starlette.requests import HTTPConnection
from strawberry.types.execution import ExecutionResult, PreExecutionError

import tracing
from api.bodies import BadRequestError
from api.connections import Connection
from api.listener import Event, Listener
from api.metrics import REFUSED_DOCUMENTS, seconds_of
from api.pace import Pace
from api.security import Credentials, client_address
from domain.actions.sessions import authenticate_reading
from domain.reads import Ahead
from domain.rules.errors import NotAllowed
from domain.rules.messages import Language
from domain.rules.viewer import Viewer
from logs import Recurring
from models.database import database_now
from schema.context import Context, Cookies
from schema.documents import Defined, Document, DocumentError
from schema.faults import OperationTimeoutError, leaving, record_fault
from schema.guarded import GuardedSchema
from schema.plan.operations import Data
from schema.problems import BUSY
from settings import Settings, SettingsError

log = structlog.get_logger("api.operations")
_MOST_RECOGNISED = 4_096
_MOMENT_SECONDS = 1.0
"""A query that failed sooner met a connection that was lost, and is asked once more; one that failed later waited for somebody."""
_TOO_MANY_SUBSCRIPTIONS = "You have too many subscriptions open; one on a socket serves a whole page."
_SLOW = (asyncpg.QueryCanceledError, asyncpg.LockNotAvailableError)
PREFERENCE_READ = 1_000
"""Characters of a header of preferences that are read, in no client more than a few hundred: what it says is kept by its text."""


class Parameters(NamedTuple):
    """What GraphQL over HTTP and graphql-transport-ws call the parameters of a request."""

    query: str
    variables: dict[str, Any] | None
    operation_name: str | None
    extensions: dict[str, Any] | None
    document_id: str | None = None

    @classmethod
    def of(cls, value: Any) -> Parameters:
        """From decoded JSON; raises BadRequestError for whatever else it may be."""
        if isinstance(value, list):
            raise BadRequestError(400, "BATCH_UNSUPPORTED", "Send one operation a request.")
        if not isinstance(value, dict):
            raise BadRequestError(400, "PARAMETERS_INVALID", "The request must be a JSON object with `query`.")
        for name, given in value.items():
            kind = _KINDS.get(name)
            if kind is not None and given is not None and not isinstance(given, kind):
                raise _unfit(name, kind)
        query = value.get("query")
        if query is None and "documentId" not in value:
            raise _unfit("query", str)
        return cls(query or "", value.get("variables"), value.get("operationName"), value.get("extensions"), value.get("documentId"))


_KINDS: Mapping[str, type] = {"query": str, "documentId": str, "variables": dict, "operationName": str, "extensions": dict}


def _unfit(name: str, kind: type) -> BadRequestError:
    return BadRequestError(400, "PARAMETERS_INVALID", f"`{name}` must be {'a string' if kind is str else 'an object'}.")


class Operation(NamedTuple):
    """An operation that may be executed: read, within limits, valid."""

    parameters: Parameters
    document: Document
    defined: Defined

    @property
    def node(self) -> OperationDefinitionNode:
        """Its definition in the document."""
        return self.defined.node

    @property
    def kind(self) -> OperationType:
        """Query, mutation or subscription."""
        return self.defined.node.operation


@dataclass(frozen=True, slots=True)
class Announcements:
    """schema.context.Events: what the listener hears, for as long as the connection is open on which it goes out."""

    listener: Listener
    connection: Connection | None

    def listen(self, wanted: Callable[[Mapping[str, str]], bool]) -> AsyncIterator[Event]:
        """For subscriptions."""
        if self.connection is None:
            raise RuntimeError("only subscriptions listen")
        return self.listener.listen(wanted, self.connection)


class TrustedDocuments:
    """The documents that the operator's file holds, by their SHA-256 in hexadecimal, read at start."""

    def __init__(self, settings: Settings) -> None:
        self._only = settings.trusted_documents_only
        self._kept: Mapping[str, str] = {}
        if settings.trusted_documents:
            self._kept = orjson.loads(Path(settings.trusted_documents).read_bytes())
        for name, text in self._kept.items():
            if sha256(text.encode()).hexdigest() != name:
                raise SettingsError(f"{settings.trusted_documents}: {name} is not the SHA-256 of its document")

    def named(self, parameters: Parameters) -> Parameters:
        """The parameters with the document that they name (`sha256:…` or the bare hash); raises DocumentError where it is not known."""
        if parameters.document_id is not None:
            text = self._kept.get(parameters.document_id.removeprefix("sha256:"))
            if text is None:
                raise DocumentError(GraphQLError("There is no such trusted document.", extensions={"code": "DOCUMENT_UNKNOWN"}))
            return parameters._replace(query=text)
        if self._only and sha256(parameters.query.encode()).hexdigest() not in self._kept:
            raise DocumentError(GraphQLError("Only trusted documents are executed here.", extensions={"code": "DOCUMENT_NOT_TRUSTED"}))
        return parameters


class NoCookies:
    """schema.context.Cookies where no header can be sent any more: on sockets and event streams."""

    def set_session(self, token: str, *, max_age_seconds: int) -> None:  # noqa: ARG002  the protocol's signature
        """Refuse: a session by cookie is opened over plain HTTP."""
        raise NotAllowed

    def clear_session(self) -> None:
        """The session has ended; its cookie opens nothing."""


def language(connection: HTTPConnection) -> Language:
    """The first of Chinese and English that the client prefers; Chinese where it prefers neither."""
    return _preferred(connection.headers.get("accept-language", "")[:PREFERENCE_READ])


@lru_cache(maxsize=256)
def _preferred(header: str) -> Language:
    preferred: list[tuple[float, Language]] = []
    for part in header.split(","):
        tag, _, quality = part.strip().partition(";q=")
        spoken = tag.strip().lower().partition("-")[0]
        try:
            weight = float(quality or 1)
        except ValueError:
            continue
        if spoken in ("zh", "en") and weight > 0:
            preferred.append((weight, "zh" if spoken == "zh" else "en"))
    return max(preferred, key=lambda each: each[0])[1] if preferred else "zh"


class Operations:
    """Reads, identifies, executes and records operations of one schema."""

    def __init__(self, schema: GuardedSchema, settings: Settings, listener: Listener) -> None:
        self.schema = schema
        self.settings = settings
        self.listener = listener
        self.trusted = TrustedDocuments(settings)
        self._recognised: OrderedDict[bytes, Viewer] = OrderedDict()
        self._pace = None if settings.development else Pace(settings)  # trying and measuring come from one machine
        self._told = Recurring("api.operations", "operation")
        self._listening: Counter[UUID | None] = Counter()  # open subscriptions by account

    def read(self, parameters: Parameters, connection: HTTPConnection) -> Operation:
        """The operation that a request names; raises DocumentError, in the client's language where its words are ours."""
        try:
            parameters = self.trusted.named(parameters)
            document = self.schema.documents.read(parameters.query, self.schema._schema, self.settings)  # noqa: SLF001  strawberry has no accessor
            defined = document.operation(parameters.operation_name)
            document.check_cost(defined.node, parameters.variables)
            return Operation(parameters, document, defined)
        except DocumentError as refused:
            code = (refused.errors[0].extensions or {}).get("code", "INVALID")
            REFUSED_DOCUMENTS.labels(code).inc()
            log.info("document refused", code=code)
            raise DocumentError(*leaving(refused.errors, language(connection))) from None

    async def at_once(self, operation: Operation, connection: HTTPConnection, digest: bytes, transport: str) -> ExecutionResult | None:
        """The answer to a query by one statement that proves the session too; None where `context` and `run` must see to it.

        What is remembered of a token only chooses the statement: it answers nothing unless the token still opens the same. `digest` is
        that of the client's `Credentials`.
        """
        viewer = self._recognised.get(digest)
        if operation.kind is not OperationType.QUERY or (digest and viewer is None):
            return None
        began = time.perf_counter()
        read = self.schema.plans.read_proving(
            operation.document.node,
            operation.node,
            operation.parameters.variables or {},
            viewer=viewer,
            token_hash=digest,
            language=language(connection),
            settings=self.settings,
        )
        result = await self._compiled(operation, read, language(connection))
        if result is not None:
            self._record(operation, transport, began, result.errors)
        return result

    async def context(
        self,
        connection: HTTPConnection,
        given: Credentials,
        cookies: Cookies,
        open_on: Connection | None = None,
        operation: Operation | None = None,
    ) -> Context:
        """Who asks, when and from where; the database is asked twice if its connection was lost meanwhile.

        What the `operation` begins with is read along, where that is known.
        """
        wanted = self._ahead(operation, given.digest) if operation is not None else None
        try:
            viewer, now, ahead = await _identify(given, wanted)
        except BUSY:  # if it was what the verb begins with, the verb tells of it
            viewer, now, ahead = await _identify(given, None)
        if given.digest:
            self._remember(given.digest, viewer)
        return Context(
            viewer=viewer,
            now=now,
            language=language(connection),
            client_address=client_address(connection, self.settings),
            device=connection.headers.get("user-agent", ""),
            settings=self.settings,
            cookies=cookies,
            events=Announcements(self.listener, open_on),
            ahead=ahead,
        )

    def _ahead(self, operation: Operation, digest: bytes) -> Ahead | None:
        """As for `at_once`, what is remembered of the token only chooses what is read."""
        viewer = self._recognised.get(digest)
        if viewer is None or operation.kind is not OperationType.MUTATION:
            return None
        try:
            return self.schema.plans.ahead(operation.document.node, operation.node, operation.parameters.variables or {}, viewer)
        except Exception as fault:  # noqa: BLE001  a fault in what only saves time must not take the answer away
            record_fault(fault, field=operation.defined.field)
            return None

    def keep_pace(self, connection: HTTPConnection, digest: bytes) -> None:
        """Count one more request of a client before anything of it is read; raises TooManyRequestsError.

        A token that is not known to be of an account counts for the address, so that inventing tokens gains nothing.
        """
        if self._pace is None:
            return
        viewer = self._recognised.get(digest)
        if viewer is not None:
            self._pace.take_of_account(viewer.account_id)
        else:
            self._pace.take_of_address(client_address(connection, self.settings))

    def _remember(self, digest: bytes, viewer: Viewer | None) -> None:
        if viewer is None:
            self._recognised.pop(digest, None)
            return
        self._recognised[digest] = viewer
        self._recognised.move_to_end(digest)
        if len(self._recognised) > _MOST_RECOGNISED:
            self._recognised.popitem(last=False)

    async def run(self, operation: Operation, context: Context, transport: str) -> ExecutionResult:
        """The result of a query or mutation. A query is asked twice if the database was away for a moment."""
        began = time.perf_counter()
        with tracing.span("operation"):
            result = await self._once(operation, context)
            moment = time.perf_counter() - began < _MOMENT_SECONDS
            if moment and operation.kind is OperationType.QUERY and _code(result.errors) == "SERVICE_UNAVAILABLE":
                result = await self._once(operation, context)
            self._record(operation, transport, began, result.errors)
        return result

    async def _once(self, operation: Operation, context: Context) -> ExecutionResult:
        if operation.kind is OperationType.QUERY:
            read = self.schema.plans.read(
                operation.document.node,
                operation.node,
                operation.parameters.variables or {},
                viewer=context.viewer,
                now=context.now,
                language=context.language,
                settings=self.settings,
                execute=partial(self._remaining, context),
            )
            result = await self._compiled(operation, read, context.language)
            if result is not None:
                return result
        if operation.kind is OperationType.MUTATION and context.viewer is not None:
            return await self._changed(operation, context)
        return await self._executed(operation, context)

    async def _remaining(self, context: Context, text: str, variables: dict[str, Any]) -> dict[str, Any] | None:
        """What a plan leaves to the executor. An error there has the whole operation answered anew, so that errors have one author."""
        result = await self.schema.execute(text, variable_values=variables, context_value=context)
        return None if result.errors else result.data

    async def _executed(self, operation: Operation, context: Context) -> ExecutionResult:
        """What the ordinary executor says."""
        asked = operation.parameters
        result = await self.schema.execute(
            asked.query,
            variable_values=asked.variables,
            context_value=context,
            operation_name=asked.operation_name,
            operation_extensions=asked.extensions,
        )
        if result.errors:  # an operation that was stopped passes the schema's own masking by
            result.errors = leaving(result.errors, context.language)
        return result

    async def _changed(self, operation: Operation, context: Context) -> ExecutionResult:
        """A mutation: its verb is run, the changed row is read by its plan; where there is none, the executor tells what came of it."""
        try:
            async with asyncio.timeout(self.settings.operation_seconds):
                data = await self.schema.plans.change(
                    operation.document.node, operation.node, operation.parameters.variables or {}, context
                )
        except TimeoutError:
            return _lost(OperationTimeoutError(), None, context.language)
        except Exception as fault:  # noqa: BLE001  if the verb was run, its change stands; that the answer is lost is told like any fault
            return _lost(fault, [operation.defined.field], context.language)
        return await self._executed(operation, context) if data is None else ExecutionResult(data, None)

    async def _compiled(self, operation: Operation, read: Awaitable[Data | None], spoken: Language) -> ExecutionResult | None:
        """The answer by one statement; None where the ordinary executor must give it, which then also tells of whatever went wrong here.

        Of a statement that took too long it is told at once: to ask again would load a busy database several times over.
        """
        try:
            data = await read
        except TimeoutError:
            return _lost(OperationTimeoutError(), None, spoken)
        except _SLOW as slow:
            return _lost(slow, None, spoken)
        except BUSY:
            return None
        except Exception as fault:  # noqa: BLE001  a fault of the compiler must not take an answer away that the executor can give
            record_fault(fault, field=operation.defined.field)
            return None
        return None if data is None else ExecutionResult(data, None)

    async def stream(self, operation: Operation, context: Context, transport: str) -> AsyncGenerator[ExecutionResult, None]:
        """The results of any operation one after the other; a PreExecutionError comes first and alone."""
        if operation.kind is not OperationType.SUBSCRIPTION:
            yield await self.run(operation, context, transport)
            return
        account = context.viewer.account_id if context.viewer else None
        if account is not None and self._listening[account] >= self.settings.account_subscriptions:
            yield PreExecutionError(None, [GraphQLError(_TOO_MANY_SUBSCRIPTIONS, extensions={"code": "TOO_MANY_SUBSCRIPTIONS"})])
            return
        self._listening[account] += 1
        try:
            async with aclosing(self._heard(operation, context, transport)) as results:
                async for result in results:
                    yield result
        finally:
            self._listening[account] -= 1
            if not self._listening[account]:
                del self._listening[account]

    async def _heard(self, operation: Operation, context: Context, transport: str) -> AsyncGenerator[ExecutionResult, None]:
        """The results of a subscription."""
        began = time.perf_counter()
        asked = operation.parameters
        errors: list[GraphQLError] | None = None
        source = await self.schema.stream(
            asked.query,
            variable_values=asked.variables,
            context_value=context,
            operation_name=asked.operation_name,
            operation_extensions=asked.extensions,
        )
        try:
            async with aclosing(source):
                async for result in source:
                    assert isinstance(result, ExecutionResult)  # noqa: S101  incremental delivery is off
                    errors = result.errors
                    yield result
        finally:
            self._record(operation, transport, began, errors)

    def _record(self, operation: Operation, transport: str, began: float, errors: list[GraphQLError] | None) -> None:
        seconds = time.perf_counter() - began
        (_, kind, field, name), code = operation.defined, _code(errors)
        outcome = "ok" if code is None else "fault" if code in ("INTERNAL_ERROR", "OPERATION_TIMEOUT", "SERVICE_UNAVAILABLE") else "refused"
        if kind != "subscription":
            seconds_of(kind, field, outcome).observe(seconds)
        tracing.tell(kind=kind, field=field, operation=name, code=code)
        self._told.info(ms=round(seconds * 1000, 1), transport=transport, kind=kind, field=field, operation=name, code=code)


async def _identify(given: Credentials, ahead: Ahead | None) -> Any:
    return await authenticate_reading(given.digest, ahead) if given.digest else (None, await database_now(), None)


def _lost(fault: Exception, path: list[str | int] | None, spoken: Language) -> ExecutionResult:
    error = GraphQLError("lost", path=path, original_error=fault)
    return ExecutionResult(None, leaving([error], spoken))


def is_request_error(result: ExecutionResult) -> bool:
    """Whether nothing was executed: the document or the variables were refused, or the time was over."""
    return isinstance(result, PreExecutionError) or (result.data is None and all(each.path is None for each in result.errors or ()))


def formatted(result: ExecutionResult) -> dict[str, Any]:
    """A result as clients receive it."""
    answer: dict[str, Any] = {"data": result.data}
    if result.errors:
        answer["errors"] = [each.formatted for each in result.errors]
    if result.extensions:
        answer["extensions"] = result.extensions
    return answer


def _code(errors: list[GraphQLError] | None) -> str | None:
    if not errors:
        return None
    code = (errors[0].extensions or {}).get("code", "INVALID")
    return str(code)
