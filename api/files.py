"""Files over plain HTTP: images handed in as a stream of bytes; images and exports given out under signed addresses."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import quote, unquote
from uuid import UUID

import orjson
import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import BaseRoute, Route

from api.bodies import UPLOAD_SECONDS, BadRequestError
from api.operations import NoCookies, Operations, language
from api.security import check_forgery, credentials
from domain.actions import exports, files, storage
from domain.rules.errors import (
    ClaimedByAnother,
    FieldProblem,
    InvalidInput,
    NotAllowed,
    NotFound,
    NotSignedIn,
    Refusal,
    TooSoon,
    Unavailable,
)
from domain.rules.messages import Language, text
from models.enums import FilePurpose
from models.files import StoredFile
from models.ids import uuid_or_none
from schema.context import Context
from schema.problems import BUSY

log = structlog.get_logger("api.files")

_STATUS: dict[type[Refusal], int] = {
    NotSignedIn: 401,
    NotAllowed: 403,
    NotFound: 404,
    ClaimedByAnother: 409,
    InvalidInput: 422,
    TooSoon: 429,
    Unavailable: 503,
}
_LARGE = {"FILE_TOO_LARGE": 413, "IMAGE_TOO_MANY_PIXELS": 413, "IMAGE_TYPE": 415, "INSUFFICIENT_STORAGE": 507}
# Pictures may be shown in pages of our own site; nothing in them can run, whatever a browser takes them for.
_DOWNLOAD_HEADERS = {
    "Cache-Control": "private, no-store",
    "Content-Security-Policy": "default-src 'none'; sandbox; frame-ancestors 'none'",
    "Cross-Origin-Resource-Policy": "same-site",
    "X-Content-Type-Options": "nosniff",
}


class Files:
    """The endpoints /files, /files/{id} and /exports/{id}."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations

    def routes(self) -> list[BaseRoute]:
        """POST to hand in, GET to load."""
        return [
            Route("/files", self._told(self._hand_in), methods=["POST"]),
            Route("/files/{file}", self._told(self._give_out), methods=["GET"]),
            Route("/exports/{export}", self._told(self._give_out_export), methods=["GET"]),
        ]

    def _told(self, endpoint: Callable[[Request], Awaitable[Response]]) -> Callable[[Request], Awaitable[Response]]:
        """Answers refusals as JSON: `code` and `message` as problems have them in GraphQL, `fields` with InvalidInput."""

        async def answer(request: Request) -> Response:
            try:
                self._operations.keep_pace(request, credentials(request).digest)
                return await endpoint(request)
            except Refusal as refusal:
                return _problem(refusal, language(request))
            except BadRequestError as bad:
                return _json({"code": bad.code, "message": bad.message}, bad.status, bad.headers)
            except ClientDisconnect:
                return Response(status_code=400)
            except BUSY as busy:
                log.warning("unavailable", kind=type(busy).__qualname__)
                return _problem(Unavailable(), language(request))

        return answer

    async def _context(self, request: Request) -> Context:
        return await self._operations.context(request, credentials(request), NoCookies())

    async def _hand_in(self, request: Request) -> Response:
        """The body is the image; `purpose` in the query, the file's name percent-encoded in `X-File-Name`."""
        check_forgery(request, credentials(request), self._operations.settings)
        context = await self._context(request)
        viewer = context.signed_in()
        try:
            purpose = FilePurpose(request.query_params.get("purpose", ""))
        except ValueError:
            raise InvalidInput([FieldProblem("purpose", "PURPOSE_UNKNOWN", {"known": [each.value for each in FilePurpose]})]) from None
        if request.headers.get("content-encoding", "identity") != "identity":
            raise BadRequestError(415, "ENCODING_UNSUPPORTED", "Send the body without Content-Encoding.")
        announced = request.headers.get("content-length", "")
        if announced.isdecimal():
            files.check_announced(int(announced))
        try:
            async with asyncio.timeout(UPLOAD_SECONDS):
                file = await files.store(
                    request.stream(),
                    purpose=purpose,
                    name=unquote(request.headers.get("x-file-name", ""), errors="replace"),
                    viewer=viewer,
                    now=context.now,
                )
        except TimeoutError:
            raise BadRequestError(408, "BODY_TOO_SLOW", "The file did not arrive in time.") from None
        return _json({"file": _shown(file, context)}, 201)

    async def _give_out(self, request: Request) -> Response:
        """The address is one of `File.url`; it serves the session for which it was made, and that session alone."""
        context = await self._context(request)
        viewer = context.signed_in()
        file_id, expires, signature = _asked_for(request, "file")
        file = await files.opened(file_id, expires=expires, signature=signature, viewer=viewer, now=context.now)
        return await _given_out(file.object_key, file.media_type, file.size, f"inline; {_named(file.original_name)}")

    async def _give_out_export(self, request: Request) -> Response:
        """The address is one of `Export.url`; it serves the session for which it was made, and that session alone."""
        context = await self._context(request)
        viewer = context.signed_in()
        export_id, expires, signature = _asked_for(request, "export")
        export = await exports.opened(export_id, expires=expires, signature=signature, viewer=viewer, now=context.now)
        if export.object_key is None or export.file_name is None:
            raise NotFound
        return await _given_out(export.object_key, export.media_type, export.size, f"attachment; {_named(export.file_name)}")


async def _given_out(key: str, media_type: str | None, size: int | None, disposition: str) -> Response:
    """What lies in the store under this key, in clear, as it is read."""
    headers = {**_DOWNLOAD_HEADERS, "Content-Length": str(size), "Content-Disposition": disposition}
    return StreamingResponse(await storage.read(key), media_type=media_type, headers=headers)


def _named(name: str) -> str:
    """The name under which a browser keeps it (RFC 6266)."""
    return f"filename*=UTF-8''{quote(name, safe='')}"


def _asked_for(request: Request, name: str) -> tuple[UUID, int, str]:
    """Key, expiry and signature of a signed address; raises NotFound for what cannot be one."""
    key, expires = uuid_or_none(request.path_params[name]), request.query_params.get("e", "")
    if key is None or not (expires.isascii() and expires.isdecimal() and len(expires) <= 12):
        raise NotFound
    return key, int(expires), request.query_params.get("s", "")


def _shown(file: StoredFile, context: Context) -> dict[str, Any]:
    """The fields of GraphQL's type File."""
    return {
        "id": f"File_{file.id}",
        "purpose": file.purpose,
        "name": file.original_name,
        "mediaType": file.media_type,
        "size": file.size,
        "width": file.width,
        "height": file.height,
        "blurred": file.blurred,
        "warning": text("IMAGE_BLURRED", context.language) if file.blurred else None,
        "url": files.download_address(file.id, viewer=context.signed_in(), now=context.now),
    }


def _problem(refusal: Refusal, spoken: Language) -> Response:
    answer: dict[str, Any] = {"code": refusal.code, "message": text(refusal.wording, spoken, refusal.facts)}
    codes = [refusal.code]
    if isinstance(refusal, InvalidInput):
        answer["fields"] = [
            {"path": each.path, "code": each.code, "message": text(each.code, spoken, each.facts)} for each in refusal.problems
        ]
        codes = [each.code for each in refusal.problems]
    headers = {}
    if isinstance(refusal, TooSoon):
        answer["retryAfterSeconds"] = refusal.retry_after_seconds
        headers["Retry-After"] = str(refusal.retry_after_seconds)
    log.info("file refused", codes=codes)
    return _json(answer, _LARGE.get(codes[0]) or _STATUS.get(type(refusal), 400), headers)


def _json(answer: dict[str, Any], status: int, headers: dict[str, str] | None = None) -> Response:
    return Response(orjson.dumps(answer), status, headers, "application/json")
