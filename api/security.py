"""Who may talk to the listening process from where: credentials, origins, client addresses, and the headers of every answer."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from functools import cache
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Any, NamedTuple

from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import HTTPConnection
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from strawberry.http.websocket_origin import is_same_origin

import tracing
from api.bodies import BadRequestError
from domain.actions.sessions import token_hash
from schema.faults import record_fault
from settings import Settings

SESSION_COOKIE = "registry_session"
# Tokens have no character that a cookie must quote. Python's own parser of cookies takes seconds for some that headers have room for.
_SESSION_COOKIE = re.compile(rf"(?:^|;)[ \t]*{SESSION_COOKIE}=([\w-]+)", re.ASCII)
CLIENT_HEADER = "X-Registry-Client"
_LONGEST_TOKEN = 200
_TRACED = frozenset({"/exports", "/files", "/graphql", "/sms"})
_TRACEPARENT = re.compile(r"[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


class Credentials(NamedTuple):
    """The session token that a client sent, whether its browser sent it by itself, and the token's hash: empty where there is none."""

    token: str | None
    by_cookie: bool = False
    digest: bytes = b""

    @classmethod
    def of(cls, sent: str, *, by_cookie: bool = False) -> Credentials:
        """What was sent as a token; nothing is none."""
        token = sent.strip()[:_LONGEST_TOKEN]
        return cls(token, by_cookie, token_hash(token)) if token else cls(None)


def credentials(connection: HTTPConnection) -> Credentials:
    """The token of `Authorization: Bearer`, else of the cookie."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        return Credentials.of(token)
    found = _SESSION_COOKIE.search(";".join(connection.headers.getlist("cookie")))
    return Credentials.of(found[1] if found else "", by_cookie=True)


def check_forgery(connection: HTTPConnection, given: Credentials, settings: Settings, *, simple_type: bool = False) -> None:
    """Raise BadRequestError (403) for what a foreign page could have made a browser send, with these credentials.

    A page of another origin can neither set our header without asking first (CORS), nor leave out the Origin of a POST. The header is asked
    for with every cookie, and for media types that browsers send without asking (`simple_type`).
    """
    origin = connection.headers.get("origin")
    if origin is not None and not origin_allowed(connection, origin, settings):
        raise BadRequestError(403, "ORIGIN_NOT_ALLOWED", "Pages of this origin may not call; the operator can allow it in allowed_origins.")
    if (simple_type or given.by_cookie) and CLIENT_HEADER.lower() not in connection.headers:
        raise BadRequestError(
            403, "CLIENT_HEADER_MISSING", f"Send the header {CLIENT_HEADER}, with any value, along with cookies and forms."
        )


def origin_allowed(connection: HTTPConnection, origin: str, settings: Settings) -> bool:
    """Whether a page of this origin may call: our own and those of settings.allowed_origins."""
    return origin in (settings.origin, *settings.allowed_origins) or is_same_origin(origin, connection.headers.get("host"))


@cache
def _networks(trusted: tuple[str, ...]) -> tuple[IPv4Network | IPv6Network, ...]:
    return tuple(ip_network(each, strict=False) for each in trusted)


def client_address(connection: HTTPConnection, settings: Settings) -> str:
    """The address from which the client talks: of the peer, or what the last trusted proxy saw.

    X-Forwarded-For is read from its end, as only what trusted proxies appended can be believed; the first address that is no trusted
    proxy is the client's.
    """
    peer = connection.scope.get("client")
    address: str = peer[0] if peer else ""
    if not settings.trusted_proxies:
        return address
    forwarded = [part.strip() for part in ",".join(connection.headers.getlist("x-forwarded-for")).split(",") if part.strip()]
    while forwarded and _trusted(address, settings):
        hop = forwarded.pop()
        if not _is_address(hop):
            break
        address = hop
    return address


def _is_address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


def _trusted(address: str, settings: Settings) -> bool:
    return _is_address(address) and any(ip_address(address) in network for network in _networks(settings.trusted_proxies))


def middleware(settings: Settings) -> list[Middleware]:
    """What stands before every route: headers and faults outermost, then CORS where the settings allow other origins."""
    secure = Middleware(SecureAnswers, settings=settings)
    if not settings.allowed_origins:
        return [secure]
    cross_origin = Middleware(
        CORSMiddleware,
        allow_origins=settings.allowed_origins,
        allow_methods=("GET", "POST"),
        allow_headers=("Authorization", "Content-Type", CLIENT_HEADER, "X-File-Name"),
        allow_credentials=True,
        expose_headers=("X-Request-Id", "Retry-After"),
    )
    return [secure, cross_origin]


class SecureAnswers:
    """Puts the headers of safety and a number on every answer, the number on its lines of the log, and answers for what failed."""

    def __init__(self, app: ASGIApp, settings: Settings) -> None:
        self.app = app
        self._settings = settings
        self.headers = {
            "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
            "X-Content-Type-Options": "nosniff",
            "X-Frame-Options": "DENY",
            "Referrer-Policy": "no-referrer",
            "Cross-Origin-Resource-Policy": "same-origin",
            "Cache-Control": "no-store",
        }
        if settings.secure_cookies:
            self.headers["Strict-Transport-Security"] = "max-age=31536000; includeSubDomains"
        self._raw = [(name.lower().encode(), value.encode()) for name, value in self.headers.items()]
        self._names = frozenset(name for name, _ in self._raw)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] == "lifespan":
            await self.app(scope, receive, send)
            return
        number = self._number(scope)
        tracing.begin(number)  # in the context of the server's task for this request alone
        if scope["type"] == "http":
            with _step(scope):
                await self._answer(scope, receive, send, number)
        else:
            await self.app(scope, receive, send)

    def _number(self, scope: Scope) -> str:
        """The id under which the request goes: that of the trace which a trusted proxy has begun (W3C traceparent), else a new one."""
        if self._settings.trusted_proxies and scope["client"] and _trusted(scope["client"][0], self._settings):
            begun = _TRACEPARENT.fullmatch(Headers(scope=scope).get("traceparent", ""))
            if begun:
                return begun[1]
        return tracing.new_id()

    def _further(self, given: Sequence[tuple[bytes, bytes]]) -> Sequence[tuple[bytes, bytes]]:
        """Our headers, less those that an answer has of its own."""
        names = {name for name, _ in given}
        return self._raw if names.isdisjoint(self._names) else [each for each in self._raw if each[0] not in names]

    async def _answer(self, scope: Scope, receive: Receive, send: Send, correlation_id: str) -> None:
        begun = False

        async def send_secured(message: Message) -> None:
            nonlocal begun
            if message["type"] == "http.response.start":
                begun = True
                tracing.tell(status=message["status"])
                given = message["headers"]
                message["headers"] = [*given, (b"x-request-id", correlation_id.encode()), *self._further(given)]
            await send(message)

        try:
            await self.app(scope, receive, send_secured)
        except Exception as fault:  # noqa: BLE001  the last line before the server, which would log the message
            number = record_fault(fault, path=scope["path"])
            if not begun:
                await bad_answer(500, "INTERNAL_ERROR", f"Something failed inside; report number {number} if it happens again.")(
                    scope, receive, send_secured
                )


def _step(scope: Scope) -> AbstractContextManager[Any]:
    """The request as a step of its trace, by a name that nobody can invent. Probes come every few seconds and are none."""
    if not tracing.is_on():
        return nullcontext()
    first = "/" + scope["path"].partition("/")[2].partition("/")[0]
    return tracing.span(f"{scope['method']} {first}") if first in _TRACED else nullcontext()


def bad_answer(status: int, code: str, message: str, headers: Mapping[str, str] | None = None) -> JSONResponse:
    """An answer to what could not be read as a request, in the shape of a GraphQL response."""
    return JSONResponse({"errors": [{"message": message, "extensions": {"code": code}}]}, status, headers)
