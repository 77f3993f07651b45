"""Receipts of SMS: what a provider, or the bridge to it, tells of messages afterwards, signed (docs/sms.md)."""

from __future__ import annotations

import time
from uuid import UUID

import structlog
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from api import bodies
from api.bodies import BadRequestError
from api.metrics import RECEIPTS
from api.operations import Operations
from domain.actions import receipts
from domain.rules.errors import NotFound
from domain.rules.signatures import Spoken, holds
from models.database import database_now
from models.enums import SmsState
from models.ids import uuid_or_none
from schema.problems import BUSY

log = structlog.get_logger("api.receipts")

PATH = "/sms/receipts"
LONGEST = 4 * 2**10
_SECONDS = 5.0
_STATES = {each.value: each for each in (SmsState.DELIVERED, SmsState.UNDELIVERABLE)}
_LONGEST_TIME = 12


class Receipts:
    """The endpoint /sms/receipts, which is there only where the settings hold a key for it."""

    def __init__(self, operations: Operations) -> None:
        self._operations = operations
        self._key = operations.settings.sms_receipt_key

    def routes(self) -> list[BaseRoute]:
        """POST alone."""
        return [Route(PATH, self._answer, methods=["POST"])] if self._key else []

    async def _answer(self, request: Request) -> Response:
        """204 whether the receipt is new or not, 404 for a message that is not there (any more)."""
        try:
            self._operations.keep_pace(request, b"")
            changed = await self._take(request)
        except NotFound:
            RECEIPTS.labels("UNKNOWN").inc()
            return _refused(404, "NOT_FOUND", "There is no such message.")
        except BadRequestError as bad:
            RECEIPTS.labels("REFUSED").inc()
            log.warning("receipt refused", code=bad.code)
            return _refused(bad.status, bad.code, bad.message, bad.headers)
        except ClientDisconnect:
            return Response(status_code=400)
        except BUSY as busy:
            log.warning("unavailable", kind=type(busy).__qualname__)
            return _refused(503, "SERVICE_UNAVAILABLE", "Send it again later.", {"Retry-After": "5"})
        RECEIPTS.labels("TAKEN" if changed else "REPEATED").inc()
        return Response(status_code=204)

    async def _take(self, request: Request) -> bool:
        body = await bodies.read(request, most=LONGEST, seconds=_SECONDS)
        self._check_signature(request, body)
        key, told, error = _read(body)
        return await receipts.take(key, told, error=error, now=await database_now())

    def _check_signature(self, request: Request, body: bytes) -> None:
        said_at = request.headers.get("x-registry-time", "")
        target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        right = said_at.isdecimal() and len(said_at) <= _LONGEST_TIME
        if not right or not holds(
            request.headers.get("x-registry-signature", ""),
            self._key,
            Spoken.RECEIPT,
            at=int(said_at),
            now=time.time(),  # noqa: TID251  compared with the clock of another house, which development mode does not move
            target=target,
            body=body,
        ):
            raise BadRequestError(401, "SIGNATURE_REJECTED", "The signature is wrong, or too old or new.")


def _read(body: bytes) -> tuple[UUID, SmsState, object]:
    said = bodies.decode(body)
    facts = said if isinstance(said, dict) else {}
    key = uuid_or_none(facts["key"]) if isinstance(facts.get("key"), str) else None
    told = _STATES.get(facts["state"]) if isinstance(facts.get("state"), str) else None
    if key is None or told is None:
        raise BadRequestError(400, "RECEIPT_INVALID", f"A receipt holds `key`, a UUID, and `state`, one of {', '.join(_STATES)}.")
    return key, told, facts.get("error")


def _refused(status: int, code: str, message: str, headers: dict[str, str] | None = None) -> Response:
    return JSONResponse({"code": code, "message": message}, status, headers)
