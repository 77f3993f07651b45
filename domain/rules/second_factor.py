"""The second factor of staff (GB/T 22239-2019, 8.1.4.1): six digits of the time by RFC 6238, as authenticator apps show them."""

from __future__ import annotations

import base64
import hmac
from datetime import datetime
from urllib.parse import quote

from domain.rules.text import normal_form

SECRET_BYTES = 20
STEP_SECONDS = 30
TOLERATED_STEPS = 1
"""A phone's clock may be so many steps ahead or behind."""


def step_of(now: datetime) -> int:
    """The step of thirty seconds that a moment is in."""
    return int(now.timestamp()) // STEP_SECONDS


def code_at(secret: bytes, step: int) -> str:
    """The six digits of a step (RFC 4226, 5.3, with SHA-1, which is what every app knows)."""
    digest = hmac.digest(secret, step.to_bytes(8, "big"), "sha1")
    at = digest[-1] & 0x0F
    return f"{(int.from_bytes(digest[at : at + 4], 'big') & 0x7FFFFFFF) % 10**6:06}"


def accepted_step(secret: bytes, code: str, *, now: datetime, last_used: int | None) -> int | None:
    """The step whose code this is, None where it is none of the present ones; a step that was used, and those before it, count no more."""
    digits = normal_form(code, "NFKC").replace(" ", "").encode(errors="replace")
    present = step_of(now)
    for step in range(present - TOLERATED_STEPS, present + TOLERATED_STEPS + 1):
        if hmac.compare_digest(digits, code_at(secret, step).encode()) and (last_used is None or step > last_used):
            return step
    return None


def written(secret: bytes) -> str:
    """A secret as people type it, in base32."""
    return base64.b32encode(secret).decode().rstrip("=")


def read(text: str) -> bytes:
    """A secret from how it is written."""
    return base64.b32decode(text + "=" * (-len(text) % 8))


def address(secret: str, *, account: str, issuer: str) -> str:
    """What the QR code of an app's enrolment holds; `secret` as it is written."""
    return f"otpauth://totp/{quote(issuer)}:{quote(account)}?secret={secret}&issuer={quote(issuer)}"
