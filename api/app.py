"""The application that listens: its routes, what stands before them, and what is open while it runs."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager, suppress
from types import FrameType
from typing import Any

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.exceptions import ExceptionMiddleware
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Route, WebSocketRoute
from starlette.types import ASGIApp, Receive, Scope, Send

import logs
import tracing
from api import graphiql
from api.connections import Connections
from api.files import Files
from api.graphql import GraphQLOverHTTP
from api.health import Health
from api.listener import Listener
from api.operations import Operations
from api.receipts import Receipts
from api.security import bad_answer, middleware
from api.sockets import GraphQLOverWebSocket
from domain.actions import keys
from domain.actions.demonstration import ACCOUNTS
from domain.actions.learning import learn_common_pairs, learn_first_submissions
from domain.actions.sessions import still_open
from models.database import close_database, open_database
from schema.faults import record_fault
from schema.guarded import GuardedSchema
from schema.problems import BUSY
from schema.root import schema
from settings import Settings, settings

log = structlog.get_logger("api.app")
PATH = "/graphql"
LEARNING_SECONDS = 600.0
"""PostgreSQL samples a table anew when a tenth of it has changed."""


def create_app() -> Starlette:
    """The product's application under the settings of the environment."""
    configuration = settings()
    logs.set_up(configuration, "api")
    tracing.set_up(configuration, "api")
    return application(schema, configuration)


def application(served: GuardedSchema, configuration: Settings) -> Starlette:
    """An application that serves a schema; it opens the database when it starts and closes it when it stops."""
    connections = Connections(0 if configuration.development else configuration.open_connections_per_address)
    listener = Listener(configuration.database_url, connections, still_open)
    operations = Operations(served, configuration, listener)
    over_http = GraphQLOverHTTP(operations, connections)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await open_database(configuration)
        try:
            await keys.check()
            await listener.start()
            gc.freeze()  # schema, modules and plans of classes live as long as the process: no collection need walk them
            gc.set_threshold(10_000, 20, 20)  # an answer's objects are freed as they are let go; few of them are in circles
            gc.enable()
            async with _learning():
                with _at_stop_signal(connections.end_all):
                    yield
            connections.end_all()
        finally:
            await listener.stop()
            await close_database()

    routes: list[BaseRoute] = [
        Route(PATH, over_http, methods=["GET", "POST"]),
        WebSocketRoute(PATH, GraphQLOverWebSocket(operations, connections)),
        *Files(operations).routes(),
        *Receipts(operations).routes(),
        *Health(configuration, listener, connections).routes(),
        *graphiql.routes(configuration, [{"label": each.label, "phone": each.phone, "password": each.password} for each in ACCOUNTS]),
    ]
    if configuration.graphiql:
        routes.append(Route("/", _to_graphiql))
    return _Application(
        routes=routes,
        middleware=[*middleware(configuration), Middleware(GraphQLFirst, endpoint=over_http)],
        exception_handlers={HTTPException: _answer_in_json},
        lifespan=lifespan,
    )


class _Application(Starlette):
    """Starlette without its outermost layer, which would answer what failed: `SecureAnswers` does, and each layer costs every request."""

    def build_middleware_stack(self) -> ASGIApp:
        """The middleware and the router."""
        app: ASGIApp = ExceptionMiddleware(self.router, self.exception_handlers)
        for cls, arguments, options in reversed(self.user_middleware):
            app = cls(app, *arguments, **options)
        return app


class GraphQLFirst:
    """Sends GraphQL straight to its endpoint: the router and what stands around it cost as much as a small read."""

    def __init__(self, app: ASGIApp, endpoint: ASGIApp) -> None:
        self.app = app
        self.endpoint = endpoint

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        ours = scope["type"] == "http" and scope["path"] == PATH and scope["method"] in ("POST", "GET")
        await (self.endpoint if ours else self.app)(scope, receive, send)


@asynccontextmanager
async def _learning() -> AsyncIterator[None]:
    task = asyncio.create_task(_keep_learning())
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task  # it may hold a connection, which the pool would wait for


async def _keep_learning() -> None:
    """Know of the cases what `learning` tells, as they change. Lists are right without it, but may be slow."""
    while True:
        try:
            await learn_first_submissions()
            log.info("common pairs learnt", found=await learn_common_pairs())
        except BUSY as busy:
            log.warning("nothing learnt", kind=type(busy).__qualname__)
        except Exception as fault:  # noqa: BLE001  the next time may do
            record_fault(fault, task="learning")
        await asyncio.sleep(LEARNING_SECONDS)


async def _to_graphiql(_: Request) -> Response:
    return RedirectResponse("/graphiql")


async def _answer_in_json(_: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)  # noqa: S101  it is registered for these alone
    answer = bad_answer(error.status_code, f"HTTP_{error.status_code}", error.detail)
    answer.headers.update(error.headers or {})
    return answer


@contextmanager
def _at_stop_signal(act: Callable[[], None]) -> Iterator[None]:
    """Act in the loop when SIGTERM or SIGINT arrives, before the server does.

    The server waits for open connections before it tells the application that it stops; subscriptions would keep it waiting.
    """
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    loop = asyncio.get_running_loop()
    before: dict[signal.Signals, Any] = {}

    def stop(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(act)
        handler = before[signal.Signals(number)]
        if callable(handler):
            handler(number, frame)

    for each in (signal.SIGTERM, signal.SIGINT):
        before[each] = signal.signal(each, stop)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
