"""GraphQL over HTTP: JSON answers and event streams, negotiated; every malformed request answered with 4xx and a reason."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import orjson
import structlog
from graphql import GraphQLError, OperationType
from starlette.datastructures import Headers
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.types import Receive, Scope, Send
from strawberry.types.execution import ExecutionResult, PreExecutionError

from api import bodies
from api.bodies import BadRequestError
from api.connections import Connection, Connections
from api.operations import PREFERENCE_READ, NoCookies, Operation, Operations, Parameters, formatted, is_request_error
from api.public import Key, PublicAnswers
from api.security import SESSION_COOKIE, Credentials, bad_answer, check_forgery, client_address, credentials
from api.streams import EventStream
from domain.actions.files import one_more_under_way
from domain.rules.errors import TooSoon, Unavailable
from domain.rules.messages import text
from schema.documents import DocumentError
from schema.problems import BUSY
from settings import Settings

log = structlog.get_logger("api.graphql")

GRAPHQL_JSON = "application/graphql-response+json"
JSON = "application/json"
EVENTS = "text/event-stream"
_VARY = "Accept, Accept-Encoding, Accept-Language, Authorization, Cookie, Origin"
_STATUS = {
    "OPERATION_TIMEOUT": 503,
    "SERVICE_UNAVAILABLE": 503,
    "INTERNAL_ERROR": 500,
    "METHOD_NOT_ALLOWED": 405,
    "EVENTS_NOT_ACCEPTED": 406,
}


@dataclass(frozen=True, slots=True)
class Accepted:
    """What the client's Accept header allows: one type of JSON, and whether event streams."""

    json: str | None
    events: bool


@lru_cache(maxsize=256)
def _accepted(header: str) -> Accepted:
    """The JSON type of the highest quality, the first of equals; JSON as such where all or nothing is named."""
    best: tuple[float, str] | None = None
    events = False
    for part in (header or "*/*").split(","):
        media, *options = (each.strip().lower() for each in part.split(";"))
        quality = _quality(options)
        if quality <= 0:
            continue
        if media == EVENTS:
            events = True
        elif media in (GRAPHQL_JSON, JSON, "*/*", "application/*") and (best is None or quality > best[0]):
            best = quality, media if media == GRAPHQL_JSON else JSON
    return Accepted(best[1] if best else None, events)


@lru_cache(maxsize=256)
def _media_type(header: str) -> tuple[str, str]:
    """The type and the charset of a Content-Type header, in lower case."""
    media = header.lower()
    return media.partition(";")[0].strip(), media.partition("charset=")[2].strip(' "')


def _quality(options: list[str]) -> float:
    for each in options:
        if each.startswith("q="):
            try:
                return float(each[2:])
            except ValueError:
                return 0
    return 1


@lru_cache(maxsize=256)
def _takes_gzip(header: str) -> bool:
    """Whether an Accept-Encoding header allows gzip, by name or by `*`."""
    named = (part.split(";") for part in header.lower().replace(" ", "").split(","))
    qualities = {coding: _quality(options) for coding, *options in named}
    return qualities.get("gzip", qualities.get("*", 0)) > 0


class ResponseCookies:
    """schema.context.Cookies over HTTP: kept until there is an answer to put them on."""

    def __init__(self, settings: Settings) -> None:
        self._secure = settings.secure_cookies
        self._token: tuple[str, int] | None = None

    def set_session(self, token: str, *, max_age_seconds: int) -> None:
        """Hand the browser its session."""
        self._token = token, max_age_seconds

    def clear_session(self) -> None:
        """Take the session from the browser."""
        self._token = "", 0

    def put_on(self, response: Response) -> None:
        """Write the header, if there is anything to say."""
        if self._token is not None:
            token, age = self._token
            response.set_cookie(SESSION_COOKIE, token, max_age=age, secure=self._secure, httponly=True, samesite="lax")


class _IndexedHeaders(Headers):
    """Headers that are found by name; Starlette's are walked through anew for each of the dozen that are looked at."""

    def __init__(self, scope: Scope) -> None:
        super().__init__(scope=scope)
        self._first = {name.decode("latin-1"): value.decode("latin-1") for name, value in reversed(self._list)}

    def __getitem__(self, key: str) -> str:
        return self._first[key.lower()]

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and key.lower() in self._first

    def get(self, key: str, default: Any = None) -> Any:
        """The first header of this name."""
        return self._first.get(key.lower(), default)

    def getlist(self, key: str) -> list[str]:
        """All headers of this name; in most requests each comes but once."""
        if len(self._first) < len(self._list):
            return super().getlist(key)
        found = self._first.get(key.lower())
        return [] if found is None else [found]


class _Request(Request):
    def __init__(self, scope: Scope, receive: Receive, send: Send) -> None:
        super().__init__(scope, receive, send)
        self._indexed = _IndexedHeaders(scope)

    @property
    def headers(self) -> Headers:
        return self._indexed


class GraphQLOverHTTP:
    """The endpoint /graphql for GET and POST."""

    def __init__(self, operations: Operations, connections: Connections) -> None:
        self._operations = operations
        self._connections = connections
        self._settings = operations.settings
        self._public = PublicAnswers(operations.listener)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI; a plain function would be wrapped in Starlette's handling of exceptions, which come no further than `answer`."""
        response = await self.answer(_Request(scope, receive, send))
        await response(scope, receive, send)

    async def answer(self, request: Request) -> Response:
        """The answer to one request, whatever it holds."""
        try:
            return await self._answer(request)
        except BadRequestError as bad:
            log.info("request refused", status=bad.status, code=bad.code)
            return bad_answer(bad.status, bad.code, bad.message, bad.headers)
        except TooSoon as soon:
            waiting = {"Retry-After": str(soon.retry_after_seconds)}
            return bad_answer(429, soon.code, "Too many uploads at once; wait until one has ended.", waiting)
        except Unavailable as full:
            log.warning("unavailable", code=full.code)
            return bad_answer(507, full.code, text(full.code, "en"))
        except BUSY as busy:
            log.warning("unavailable", kind=type(busy).__qualname__)
            return bad_answer(503, "SERVICE_UNAVAILABLE", "The registry is busy; try again shortly.")
        except ClientDisconnect:
            return Response(status_code=400)

    async def _answer(self, request: Request) -> Response:
        if (
            request.method != "POST"
            and not request.url.query
            and self._settings.graphiql
            and "text/html" in request.headers.get("accept", "")
        ):
            return RedirectResponse("/graphiql")
        content_type, charset = _media_type(request.headers.get("content-type", "")[:PREFERENCE_READ])
        given = credentials(request)
        self._operations.keep_pace(request, given.digest)
        check_forgery(request, given, self._settings, simple_type=content_type == "multipart/form-data")
        accepted = _accepted(",".join(request.headers.getlist("accept"))[:PREFERENCE_READ])
        if accepted.json is None and not accepted.events:
            raise BadRequestError(406, "NOT_ACCEPTABLE", f"Answers come as {GRAPHQL_JSON}, {JSON} or {EVENTS}.")
        if content_type == "multipart/form-data" and request.method == "POST":
            return await self._with_files(request, given, accepted)
        return await self._executed(request, await self._parameters(request, content_type, charset), given, accepted)

    async def _with_files(self, request: Request, given: Credentials, accepted: Accepted) -> Response:
        """A form goes to the disk as it arrives, so nothing of it is read before it is known who sends it."""
        viewer = (await self._operations.context(request, given, NoCookies())).viewer
        if viewer is None:
            raise BadRequestError(401, "NOT_SIGNED_IN", "Forms with files are for those who are signed in: call `sessionOpen` first.")
        most = self._settings.image_max_bytes + bodies.FORM_OVERHEAD_BYTES
        with one_more_under_way("form", viewer.account_id):
            async with bodies.multipart(request, most=most, most_json=self._settings.body_max_bytes) as sent:
                return await self._executed(request, Parameters.of(sent), given, accepted)

    async def _executed(self, request: Request, parameters: Parameters, given: Credentials, accepted: Accepted) -> Response:
        try:
            operation = self._operations.read(parameters, request)
            _check_transport(request, operation, accepted)
        except DocumentError as refused:
            return _json(accepted, PreExecutionError(None, list(refused.errors)))
        if operation.kind is OperationType.SUBSCRIPTION or accepted.json is None:
            address = client_address(request, self._settings)
            return EventStream(self._connections, address, lambda connection: self._results(request, operation, connection))
        key = self._public.key(operation) if given.token is None else None
        if key is not None:
            return await self._public_answer(request, operation, accepted, key)
        result = await self._operations.at_once(operation, request, given.digest, "http")
        if result is not None:
            return _json(accepted, result)
        cookies = ResponseCookies(self._settings)
        context = await self._operations.context(request, given, cookies, operation=operation)
        result = await self._operations.run(operation, context, "http")
        response = _json(accepted, result)
        cookies.put_on(response)
        return response

    async def _public_answer(self, request: Request, operation: Operation, accepted: Accepted, key: Key) -> Response:
        """What everybody may know, from memory while nothing has changed; a GET may be kept by caches on the way."""
        found = self._public.find(key)
        if found is None:
            generation = self._public.generation
            context = await self._operations.context(request, Credentials(None), NoCookies())
            result = await self._operations.run(operation, context, "http")
            if result.errors:
                return _json(accepted, result)
            found = await self._public.keep(key, orjson.dumps(formatted(result)), generation, context.now)
        headers: dict[str, str] = {}
        body = found.body
        if request.method == "GET":
            headers |= {"Cache-Control": f"public, max-age={self._public.seconds_left(key)}", "Vary": _VARY}
        if found.gzipped is not None and _takes_gzip(",".join(request.headers.getlist("accept-encoding"))[:PREFERENCE_READ]):
            headers["Content-Encoding"], body = "gzip", found.gzipped
        return Response(body, headers=headers, media_type=f"{accepted.json}; charset=utf-8")

    async def _results(self, request: Request, operation: Operation, connection: Connection) -> AsyncGenerator[ExecutionResult, None]:
        context = await self._operations.context(request, credentials(request), NoCookies(), connection, operation)
        connection.session_id = context.viewer.session_id if context.viewer else None
        async with aclosing(self._operations.stream(operation, context, "sse")) as results:
            async for result in results:
                yield result

    async def _parameters(self, request: Request, content_type: str, charset: str) -> Parameters:
        if request.method != "POST":
            return Parameters.of(_from_address(request))
        if content_type != JSON:
            raise BadRequestError(415, "MEDIA_TYPE_UNSUPPORTED", f"Send {JSON}, or multipart/form-data with files.")
        if charset not in ("", "utf-8", "utf8"):
            raise BadRequestError(415, "CHARSET_UNSUPPORTED", "JSON travels in UTF-8.")
        body = await bodies.read(request, most=self._settings.body_max_bytes, seconds=self._settings.operation_seconds)
        return Parameters.of(bodies.decode(body))


def _from_address(request: Request) -> dict[str, Any]:
    found: dict[str, Any] = dict(bodies.query_parameters(request.scope["query_string"]))
    for name in ("variables", "extensions"):
        if name in found:
            found[name] = bodies.decode(found[name]) if found[name] else None
    return found


def _check_transport(request: Request, operation: Operation, accepted: Accepted) -> None:
    if request.method != "POST" and operation.kind is OperationType.MUTATION:
        raise DocumentError(GraphQLError("A mutation is sent by POST.", extensions={"code": "METHOD_NOT_ALLOWED"}))
    if operation.kind is OperationType.SUBSCRIPTION and not accepted.events:
        message = f"A subscription is answered as {EVENTS}, or over a WebSocket."
        raise DocumentError(GraphQLError(message, extensions={"code": "EVENTS_NOT_ACCEPTED"}))


def _json(accepted: Accepted, result: ExecutionResult) -> Response:
    """The answer in the accepted type. In JSON as such its status is always 200, as clients of old expect; see GraphQL over HTTP, 6.4."""
    media = accepted.json or GRAPHQL_JSON
    answer = formatted(result)
    status = 200
    if result.errors and is_request_error(result):
        del answer["data"]
        code = (result.errors[0].extensions or {}).get("code")
        status = _STATUS.get(str(code), 400)
        if media == JSON and status not in (405, 406):
            status = 200
    headers = {"Allow": "POST"} if status == 405 else {"Retry-After": "1"} if status == 503 else None
    return Response(orjson.dumps(answer), status, headers, f"{media}; charset=utf-8")
