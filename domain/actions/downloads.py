"""Addresses under which one session loads one thing for a short time."""

from __future__ import annotations

import base64
import hmac
from datetime import UTC, datetime
from uuid import UUID

from domain.rules.errors import NotAllowed, NotFound
from domain.rules.viewer import Viewer
from models.sealing import derived_key
from settings import settings


def address(door: str, key: UUID, *, viewer: Viewer, now: datetime) -> str:
    """Path and query under which this session, and no other, gets what the door keeps under the key, for `download_minutes`."""
    expires = int(now.timestamp()) + settings().download_minutes * 60
    return f"/{door}/{key}?e={expires}&s={_signature(door, key, expires, viewer)}"


def check(door: str, key: UUID, *, expires: int, signature: str, viewer: Viewer, now: datetime) -> None:
    """Raises NotFound for an address that was not made for this session, NotAllowed DOWNLOAD_EXPIRED for one of its own that is too old."""
    if not hmac.compare_digest(_signature(door, key, expires, viewer).encode(), signature.encode()):
        raise NotFound
    if datetime.fromtimestamp(expires, UTC) <= now:
        raise NotAllowed("DOWNLOAD_EXPIRED")


def _signature(door: str, key: UUID, expires: int, viewer: Viewer) -> str:
    digest = hmac.digest(derived_key("download"), f"{door} {key} {viewer.session_id} {expires}".encode(), "sha256")
    return base64.urlsafe_b64encode(digest[:18]).decode()
