"""What arrives in a request: JSON, query strings and forms, read up to a limit and decoded without forgiving anything."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from typing import Any
from urllib.parse import parse_qsl

import orjson
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.types import Message, Receive

from domain.actions.storage import told_when_full

DEEPEST = 32
"""Nesting of JSON: inputs of the schema are far flatter."""
MOST_BRACKETS = 10_000
"""Objects and lists of one JSON text, with the brackets in its strings: room for the largest document and a long list beside it."""
MOST_FILES = 10
FORM_OVERHEAD_BYTES = 64 * 2**10
ARRIVED = "registry.body_arrived"
"""Extension of the ASGI scope, set by the server when a request is here to its last byte."""
_CHARSET = re.compile(r";\s*charset\s*=(?!\s*\"?utf-?8\b)", re.IGNORECASE)
_PLACE = re.compile("[0-9]{1,3}")
UPLOAD_SECONDS = 120
"""Longest time in which a form may arrive: 20 MB over a poor telephone."""


class BadRequestError(Exception):
    """A request that is not read. `code` is stable, the message is for the client's developer."""

    def __init__(self, status: int, code: str, message: str, *, retry_after_seconds: int | None = None) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.retry_after_seconds = retry_after_seconds

    @property
    def headers(self) -> dict[str, str]:
        """What the answer says beside its status."""
        return {} if self.retry_after_seconds is None else {"Retry-After": str(self.retry_after_seconds)}


def decode(data: bytes | str) -> Any:
    """The value of a JSON text; BadRequestError for what RFC 8259 and UTF-8 do not allow, for NUL, and for deep or endless nesting."""
    text = data if isinstance(data, bytes) else data.encode(errors="surrogatepass")
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadRequestError(400, "JSON_INVALID", f"The body is no JSON in UTF-8: {error.msg} at {error.lineno}:{error.colno}.") from None
    brackets = text.count(b"{") + text.count(b"[")
    if brackets > MOST_BRACKETS:
        raise BadRequestError(400, "JSON_TOO_DEEP", f"The JSON holds more than {MOST_BRACKETS} objects and lists.")
    if b"\\u0000" in text or brackets > DEEPEST:  # else there is nothing to find: NUL is only an escape, and each level has its bracket
        _check(value)
    return value


def _check(value: Any) -> None:
    """Walk without recursion. NUL is refused here because PostgreSQL cannot store it."""
    level = [value]
    for _ in range(DEEPEST + 1):  # what the deepest level holds is walked too
        deeper: list[Any] = []
        for each in level:
            if isinstance(each, str):
                if "\0" in each:
                    raise BadRequestError(400, "NUL_CHARACTER", "A text holds a NUL character.")
            elif isinstance(each, list):
                deeper += each
            elif isinstance(each, dict):
                deeper += each
                deeper += each.values()
        if not deeper:
            return
        level = deeper
    raise BadRequestError(400, "JSON_TOO_DEEP", f"The JSON is nested more than {DEEPEST} levels deep.")


def query_parameters(query_string: bytes) -> dict[str, str]:
    """The parameters of an address; BadRequestError for what is no UTF-8 or holds NUL."""
    try:
        found = dict(parse_qsl(query_string.decode("ascii"), keep_blank_values=True, errors="strict", max_num_fields=20))
    except ValueError:  # UnicodeDecodeError included
        raise BadRequestError(400, "QUERY_INVALID", "The query string is no percent-encoded UTF-8.") from None
    _check(found)
    return found


async def read(request: Request, *, most: int, seconds: float) -> bytes:
    """The whole body; BadRequestError when it is longer than `most` bytes or does not arrive in time."""
    _check_announced(request, most)
    chunks = []
    size = 0
    more = True
    try:
        # Small requests come in one piece, and a timer would cost more than reading them.
        async with nullcontext() if ARRIVED in request.scope.get("extensions", ()) else asyncio.timeout(seconds):
            while more:
                message = await request.receive()
                if message["type"] == "http.disconnect":
                    raise ClientDisconnect
                chunk = message.get("body", b"")
                size += len(chunk)
                if size > most:
                    raise _too_large(most)
                chunks.append(chunk)
                more = message.get("more_body", False)
    except TimeoutError:
        raise BadRequestError(408, "BODY_TOO_SLOW", "The body did not arrive in time.") from None
    return b"".join(chunks)


@asynccontextmanager
async def multipart(request: Request, *, most: int, most_json: int) -> AsyncIterator[Any]:
    """The operations of a form after the GraphQL multipart request convention, files in their places; closed at the end.

    Raises BadRequestError for a form that breaks the convention, is longer than `most` bytes, or has texts longer than `most_json`;
    Unavailable INSUFFICIENT_STORAGE while the disk is full to which it goes.
    """
    _check_announced(request, most)
    if _CHARSET.search(request.headers.get("content-type", "")):
        raise BadRequestError(400, "FORM_INVALID", "The form cannot be read: forms travel in UTF-8.")
    limited = Request(request.scope, _limited(request, most))
    try:
        async with asyncio.timeout(UPLOAD_SECONDS):
            with told_when_full():
                form = await limited.form(max_files=MOST_FILES, max_fields=2, max_part_size=most_json)
    except TimeoutError:
        raise BadRequestError(408, "BODY_TOO_SLOW", "The form did not arrive in time.") from None
    except HTTPException as error:
        raise BadRequestError(400, "FORM_INVALID", f"The form cannot be read: {error.detail}.") from None
    try:
        yield _operations(form)
    finally:
        await form.close()


def _check_announced(request: Request, most: int) -> None:
    announced = request.headers.get("content-length", "0")
    if request.headers.get("content-encoding", "identity") != "identity":
        raise BadRequestError(415, "ENCODING_UNSUPPORTED", "Send the body without Content-Encoding.")
    if announced.isdecimal() and int(announced) > most:
        raise _too_large(most)


def _too_large(most: int) -> BadRequestError:
    return BadRequestError(413, "BODY_TOO_LARGE", f"The body is larger than {most} bytes.")


def _limited(request: Request, most: int) -> Receive:
    size = 0

    async def receive() -> Message:
        nonlocal size
        message = await request.receive()
        size += len(message.get("body", b""))
        if size > most:
            raise _too_large(most)
        return message

    return receive


def _operations(form: FormData) -> Any:
    texts = {name: value for name, value in form.multi_items() if isinstance(value, str)}
    files = {name: value for name, value in form.multi_items() if isinstance(value, UploadFile)}
    if "operations" not in texts or "map" not in texts:
        raise _unconventional("`operations` and `map` are needed")
    operations, places = decode(texts["operations"]), decode(texts["map"])
    if not isinstance(places, dict):
        raise _unconventional("`map` is no object")
    for name, paths in places.items():
        if name not in files or not isinstance(paths, list):
            raise _unconventional(f"`map` names {name[:40]!r}, which is no file of the form")
        for path in paths:
            _put(operations, path, files[name])
    return operations


def _put(target: Any, path: Any, file: UploadFile) -> None:
    """Put a file where a null stands at a dotted path such as `variables.input.file`."""
    parts = path.split(".") if isinstance(path, str) else []
    for part in parts[:-1]:
        target = _child(target, part)
    if not parts or _child(target, parts[-1]) is not None:
        raise _unconventional("a path of `map` does not lead to null")
    target[_key(target, parts[-1])] = file


def _child(target: Any, part: str) -> Any:
    key = _key(target, part)
    if (isinstance(target, dict) and key in target) or (isinstance(key, int) and key < len(target)):
        return target[key]
    raise _unconventional("a path of `map` leads nowhere")


def _key(target: Any, part: str) -> str | int:
    """A part of a path as the key of an object, or as the place in a list where it is one."""
    return int(part) if isinstance(target, list) and _PLACE.fullmatch(part) else part


def _unconventional(reason: str) -> BadRequestError:
    return BadRequestError(400, "FORM_INVALID", f"The form breaks the GraphQL multipart request convention: {reason}.")
