"""Personal data at rest: sealed columns (AES-256-GCM) and the keyed hashes by which they are found again."""

from __future__ import annotations

import hashlib
import hmac
import os
from functools import lru_cache
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from tortoise.fields import Field

from settings import settings

_FORMAT = b"\x01"
_NONCE_BYTES = 12


@lru_cache(maxsize=16)
def derived_key(purpose: str) -> bytes:
    """A 32-byte key for one purpose, derived from the installation's secret."""
    return hmac.digest(settings().secret_key.encode(), b"registry/" + purpose.encode(), "sha256")


def keyed_hash(purpose: str, text: str) -> bytes:
    """32 bytes that are equal for equal texts and tell nothing without the installation's key."""
    return hmac.digest(derived_key("hash/" + purpose), text.encode(), "sha256")


def phone_hash(number: str) -> bytes:
    """The hash by which a phone (E.164) is found in every table."""
    return keyed_hash("phone", number)


def id_number_hash(number: str) -> bytes:
    """The hash by which an id number (normalised) is found in every table."""
    return keyed_hash("id_number", number)


def seal(text: str, purpose: str) -> bytes:
    """Encrypt a text; `purpose` is bound to it, so that a value copied into another column does not open."""
    nonce = os.urandom(_NONCE_BYTES)
    return _FORMAT + nonce + AESGCM(derived_key("seal")).encrypt(nonce, text.encode(), purpose.encode())


def unseal(sealed: bytes, purpose: str) -> str:
    """The text behind `seal`; raises cryptography's InvalidTag for a foreign key, purpose or changed bytes."""
    nonce, box = sealed[1 : 1 + _NONCE_BYTES], sealed[1 + _NONCE_BYTES :]
    return AESGCM(derived_key("seal")).decrypt(nonce, box, purpose.encode()).decode()


def sha256(data: bytes) -> bytes:
    """Plain content hash."""
    return hashlib.sha256(data).digest()


class SealedField(Field[str], str):  # type: ignore[misc]  # noqa: SLOT000  as every field of tortoise
    """A text column that is encrypted in the database and clear in Python; it cannot be searched, keep a hash beside it."""

    SQL_TYPE = "BYTEA"
    allows_generated = False

    def __init__(self, purpose: str, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.purpose = purpose

    def to_db_value(self, value: str | None, instance: Any) -> Any:  # noqa: ARG002  tortoise's signature
        """Bytes for the driver."""
        return None if value is None else seal(value, self.purpose)

    def to_python_value(self, value: Any) -> Any:
        """Clear text, whether it comes from the driver or from code."""
        return unseal(bytes(value), self.purpose) if isinstance(value, bytes | memoryview) else value
