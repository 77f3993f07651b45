"""Personal data at rest: sealed columns and the keyed hashes by which they are found again.

A sealed value begins with its suite (one byte) and the fingerprint of its key (four bytes), so that values under former keys and the other
suite open beside new ones. Suite 1 is that of the first releases: AES, without a fingerprint, under the key that derives from the secret.
"""

from __future__ import annotations

import hashlib
import hmac
import os
from collections.abc import Mapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any, Protocol

from tortoise.fields import Field

from settings import Settings, settings

_FIRST, _AES, _SM4 = b"\x01", b"\x02", b"\x03"
_SUITES: Mapping[str, bytes] = MappingProxyType({"aes": _AES, "sm": _SM4})
_FINGERPRINT_BYTES = 4
_TAG_BYTES = 16
_NONCE_BYTES = 12


class Box(Protocol):
    """A cipher that notices every change: GCM under one key."""

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        """Closed, with its tag behind it."""

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        """Open; raises InvalidTag."""


@lru_cache(maxsize=64)
def _derived(secret: str, purpose: str) -> bytes:
    return hmac.digest(secret.encode(), b"registry/" + purpose.encode(), "sha256")


def derived_key(purpose: str) -> bytes:
    """A 32-byte key for one purpose other than sealing, derived from the installation's secret; it is never replaced."""
    return _derived(settings().secret_key, purpose)


def keyed_hash(purpose: str, text: str) -> bytes:
    """32 bytes that are equal for equal texts and tell nothing without the installation's key."""
    return hmac.digest(derived_key("hash/" + purpose), text.encode(), "sha256")


def phone_hash(number: str) -> bytes:
    """The hash by which a phone (E.164) is found in every table."""
    return keyed_hash("phone", number)


def id_number_hash(number: str) -> bytes:
    """The hash by which an id number (normalised) is found in every table."""
    return keyed_hash("id_number", number)


def _fingerprint(secret: str) -> bytes:
    return _derived(secret, "fingerprint")[:_FINGERPRINT_BYTES]


def secret_fingerprint() -> str:
    """Tells one installation's secret from another's; nothing can be derived from it."""
    return _derived(settings().secret_key, "fingerprint of the secret")[:_FINGERPRINT_BYTES].hex()


def sealing_secret(chosen: Settings) -> str:
    """What new values are sealed under."""
    return chosen.seal_key or chosen.secret_key


@lru_cache(maxsize=8)
def _ring(*secrets: str) -> Mapping[bytes, str]:
    return {_fingerprint(each): each for each in secrets}


def _keys() -> Mapping[bytes, str]:
    chosen = settings()
    return _ring(chosen.secret_key, *chosen.further_seal_keys, sealing_secret(chosen))


def known_fingerprints() -> set[str]:
    """The keys that open here, by fingerprint; the secret's own is always one of them."""
    return {each.hex() for each in _keys()}


def current_fingerprint() -> str:
    """The key under which this process seals."""
    return _fingerprint(sealing_secret(settings())).hex()


def current_header() -> bytes:
    """What a value or file begins with that is sealed now."""
    chosen = settings()
    return _SUITES[chosen.crypto] + _fingerprint(sealing_secret(chosen))


def header_of(sealed: bytes) -> bytes:
    """The header that something sealed begins with: suite and fingerprint, of the first suite the one byte."""
    return sealed[:1] if sealed[:1] == _FIRST else sealed[: 1 + _FINGERPRINT_BYTES]


def box_for(header: bytes, purpose: str, salt: bytes = b"") -> Box:
    """The cipher for what has this header; with a salt, a key for one file alone. Raises InvalidTag (UnknownKey) for a foreign one."""
    from models import ciphers  # noqa: PLC0415  an OpenSSL of its own: 6 MiB that a process does without until it opens something

    suite, fingerprint = header[:1], header[1:]
    if suite == _FIRST:
        secret = settings().secret_key
    elif suite in _SUITES.values():
        found = _keys().get(fingerprint)
        if found is None:
            raise ciphers.UnknownKey(f"sealed under a key that is not known here, fingerprint {fingerprint.hex()}")
        secret = found
    else:
        raise ciphers.InvalidTag
    key = _derived(secret, f"{purpose}/sm4" if suite == _SM4 else purpose)
    if salt:
        key = hmac.digest(key, salt, "sha256")
    return ciphers.SM4GCM(key) if suite == _SM4 else ciphers.AESGCM(key)


def seal(text: str, purpose: str) -> bytes:
    """Encrypt a text; `purpose` is bound to it, so that a value copied into another column does not open."""
    header, nonce = current_header(), os.urandom(_NONCE_BYTES)
    return header + nonce + box_for(header, "seal").encrypt(nonce, text.encode(), purpose.encode())


def unseal(sealed: bytes, purpose: str) -> str:
    """The text behind `seal`; raises cryptography's InvalidTag for a foreign key, purpose or changed bytes."""
    header = header_of(sealed)
    start = len(header) + _NONCE_BYTES
    whole = len(sealed) >= start + _TAG_BYTES
    box = box_for(header if whole else b"", "seal")  # no cipher is for what has no header
    return box.decrypt(sealed[len(header) : start], sealed[start:], purpose.encode()).decode()


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
