"""GraphQL over WebSockets after the graphql-transport-ws protocol."""

from __future__ import annotations

import asyncio
import json
import time
from contextlib import aclosing, suppress
from datetime import timedelta
from typing import Any, cast

import orjson
from graphql import GraphQLError
from starlette.types import Receive, Scope, Send
from starlette.websockets import WebSocket
from strawberry.asgi import GraphQL
from strawberry.exceptions import ConnectionRejectionError
from strawberry.http.exceptions import WebSocketDisconnected
from strawberry.subscriptions import GRAPHQL_TRANSPORT_WS_PROTOCOL
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import BaseGraphQLTransportWSHandler
from strawberry.subscriptions.protocols.graphql_transport_ws.handlers import Operation as SocketOperation
from strawberry.subscriptions.protocols.graphql_transport_ws.types import Message
from strawberry.types.execution import PreExecutionError

from api import bodies
from api.bodies import BadRequestError
from api.connections import Connection, Connections, Ending
from api.operations import NoCookies, Operations, Parameters
from api.security import Credentials, bad_answer, client_address, credentials
from domain.actions.sessions import authenticate
from schema.documents import DocumentError
from schema.faults import record_fault
from schema.problems import BUSY

INIT_SECONDS = 10
MESSAGES_PER_SECOND = 20
MESSAGES_AT_ONCE = 200
_REASONS = {Ending.SESSION_ENDED: "Session ended", Ending.GOING_AWAY: "Server stops"}


class Socket:
    """What is known of one socket. Strawberry takes it for the context of all operations; each is given one of its own instead."""

    def __init__(self, websocket: WebSocket, connection: Connection, operations: Operations) -> None:
        self.websocket = websocket
        self.connection = connection
        self.operations = operations
        self.given = credentials(websocket)
        self.connection_params: dict[str, Any] | None = None  # set by strawberry
        self._full_at = 0.0

    def take(self) -> bool:
        """Whether one more message may come now. Pings, too, cost something; operations are counted besides, for the client."""
        now = time.monotonic()
        self._full_at = max(self._full_at, now) + 1 / MESSAGES_PER_SECOND
        return self._full_at - now <= MESSAGES_AT_ONCE / MESSAGES_PER_SECOND

    async def identify(self) -> None:
        """Take the session of the connection parameters or of the handshake; ConnectionRejectionError for a token that opens nothing.

        A cookie of old is overlooked: its browser may be about to sign in.
        """
        given = (self.connection_params or {}).get("authorization")
        if isinstance(given, str):
            self.given = Credentials.of(given.removeprefix("Bearer "))
        viewer = (await authenticate(self.given.token))[0] if self.given.token else None
        if viewer is not None:
            self.connection.session_id = viewer.session_id
        elif given is not None:
            raise ConnectionRejectionError


class _DocumentId(str):
    """The id of a trusted document, which the library carries in the place of the document."""

    __slots__ = ()


class SocketHandler(BaseGraphQLTransportWSHandler[Socket, None]):
    """Serves one socket until the client leaves, its session ends, or the process stops."""

    async def handle(self) -> None:
        """Serve; the end of the connection cancels every operation before the client is told."""
        connection = self.context.connection
        serving = asyncio.create_task(super().handle())
        try:
            with connection.at_end(lambda _: serving.cancel()):
                await asyncio.wait((serving,))
        finally:
            serving.cancel()
            (outcome,) = await asyncio.gather(serving, return_exceptions=True)
        if connection.ending is not None:
            await self._close(connection.ending.value, _REASONS[connection.ending])
        elif isinstance(outcome, BUSY):
            await self._close(1013, "Try again later")
        elif isinstance(outcome, Exception):
            record_fault(outcome, path="websocket")
            await self._close(1011, "Internal error")

    async def _close(self, code: int, reason: str) -> None:
        with suppress(RuntimeError, WebSocketDisconnected):  # closed already by the other side
            await self.websocket.close(code, reason)

    async def handle_message(self, message: Message) -> None:
        """Close with 4400 what is no message of the protocol, and with 1008 where there are too many."""
        given: Any = message
        if not self.context.take():
            await self._close(1008, "Too many messages")
        elif not isinstance(given, dict) or not isinstance(given.get("type"), str):
            await self.handle_invalid_message("A message is an object with a type")
        elif given["type"] == "connection_init" and given.get("payload", {}) is None:
            await super().handle_message({"type": "connection_init"})
        elif given["type"] in ("subscribe", "complete") and not (isinstance(given.get("id"), str) and given["id"]):
            await self.handle_invalid_message("An operation needs an id")
        elif given["type"] == "subscribe" and not _is_request(given.get("payload")):
            await self.handle_invalid_message("The payload of subscribe must hold a query")
        elif given["type"] == "subscribe" and isinstance(named := given["payload"].get("documentId"), str):
            await super().handle_message(cast(Message, given | {"payload": given["payload"] | {"query": _DocumentId(named)}}))
        else:
            await super().handle_message(message)

    async def run_operation(self, operation: SocketOperation[Socket, None]) -> None:
        """Run one operation under a context of its own; a session that has ended meanwhile takes the socket with it."""
        socket = self.context
        try:
            socket.operations.keep_pace(socket.websocket, socket.given.digest)
            named = str(operation.query) if isinstance(operation.query, _DocumentId) else None
            parameters = Parameters(operation.query, operation.variables, operation.operation_name, None, named)
            asked = socket.operations.read(parameters, socket.websocket)
            context = await socket.operations.context(socket.websocket, socket.given, NoCookies(), socket.connection, asked)
            if context.viewer is None and socket.connection.session_id is not None:
                socket.connection.end(Ending.SESSION_ENDED)
                return
            async with aclosing(socket.operations.stream(asked, context, "websocket")) as results:
                async for result in results:
                    if isinstance(result, PreExecutionError):
                        await operation.send_initial_errors(result.errors or [])
                        return
                    await operation.send_next(result)
            await operation.send_operation_message({"id": operation.id, "type": "complete"})
        except DocumentError as refused:
            await operation.send_initial_errors(list(refused.errors))
        except BadRequestError as bad:
            facts = {"code": bad.code, "retryAfterSeconds": bad.retry_after_seconds}
            await operation.send_initial_errors([GraphQLError(bad.message, extensions=facts)])
        except WebSocketDisconnected:
            pass
        except Exception as fault:  # noqa: BLE001  the library would log its message
            record_fault(fault, path="websocket")
            await self._close(1011, "Internal error")


def _is_request(payload: Any) -> bool:
    try:
        Parameters.of(payload)
    except BadRequestError:
        return False
    return True


class GraphQLOverWebSocket(GraphQL[Socket, None]):
    """The endpoint /graphql for WebSockets; pages of foreign origins are refused with 403 before the handshake."""

    graphql_transport_ws_handler_class = SocketHandler

    def __init__(self, operations: Operations, connections: Connections) -> None:
        settings = operations.settings
        super().__init__(
            operations.schema,
            graphql_ide=None,
            subscription_protocols=[GRAPHQL_TRANSPORT_WS_PROTOCOL],
            connection_init_wait_timeout=timedelta(seconds=INIT_SECONDS),
            max_subscriptions_per_connection=settings.socket_subscriptions,
            allowed_origins=(settings.origin, *settings.allowed_origins),
        )
        self._operations = operations
        self._connections = connections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        websocket = WebSocket(scope, receive, send)
        address = client_address(websocket, self._operations.settings)
        try:
            self._operations.keep_pace(websocket, credentials(websocket).digest)
            self._connections.check_room(address)
        except BadRequestError as bad:
            await websocket.send_denial_response(bad_answer(bad.status, bad.code, bad.message, bad.headers))
            return
        with self._connections.open(address) as connection:
            await self.run(websocket, context=Socket(websocket, connection, self._operations), root_value=None)

    async def on_ws_connect(self, context: Socket) -> Any:
        """Identify who connects; see Socket.identify."""
        await context.identify()
        return await super().on_ws_connect(context)

    def decode_json(self, data: str | bytes) -> object:
        """Messages are decoded as strictly as bodies are."""
        if len(data) > self._operations.settings.body_max_bytes:
            raise json.JSONDecodeError("too long", "", 0)
        try:
            return cast(object, bodies.decode(data))
        except BadRequestError as bad:
            raise json.JSONDecodeError(bad.message, "", 0) from None

    def encode_json(self, data: object) -> str:
        """Compact JSON."""
        return orjson.dumps(data).decode()
