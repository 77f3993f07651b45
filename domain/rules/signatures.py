"""Signatures between the registry and the bridge to a provider of SMS: HMAC-SHA256 over a canonical form (docs/sms.md)."""

from __future__ import annotations

import hmac
from enum import Enum
from hashlib import sha256

TOLERANCE_SECONDS = 300
"""A signature is believed so long before and after its time: the clocks of two houses differ, and a replay ends somewhere."""


class Spoken(Enum):
    """What is signed: what goes one way is never valid the other way."""

    MESSAGE = "registry-sms-message-1"
    RECEIPT = "registry-sms-receipt-1"


def signature(key: str, spoken: Spoken, *, at: int, target: str, body: bytes) -> str:
    """64 hexadecimal digits. `at` in seconds since 1970, `target` is the path of the request with its query."""
    canonical = "\n".join((spoken.value, str(at), target, sha256(body).hexdigest()))
    return hmac.digest(key.encode(), canonical.encode(), "sha256").hex()


def holds(given: str, key: str, spoken: Spoken, *, at: int, now: float, target: str, body: bytes) -> bool:
    """Whether a signature is that of this key, and of a time near enough; compared in constant time."""
    right = hmac.compare_digest(given.encode(errors="replace"), signature(key, spoken, at=at, target=target, body=body).encode())
    return right and abs(now - at) <= TOLERANCE_SECONDS
