"""The ciphers of sealing: GCM over AES, and over SM4 (GB/T 32907)."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

__all__ = ["AESGCM", "SM4GCM", "InvalidTag", "UnknownKey"]

_TAG_BYTES = 16


class UnknownKey(InvalidTag):
    """Something is sealed under a key that the settings do not hold; its fingerprint is told."""


class SM4GCM:
    """SM4 in GCM, shaped like cryptography's AESGCM."""

    def __init__(self, key: bytes) -> None:
        self._cipher = algorithms.SM4(key[:16])

    def encrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        """Closed, with its tag behind it."""
        closing = Cipher(self._cipher, modes.GCM(nonce)).encryptor()
        closing.authenticate_additional_data(associated_data)
        return closing.update(data) + closing.finalize() + closing.tag

    def decrypt(self, nonce: bytes, data: bytes, associated_data: bytes) -> bytes:
        """Open; raises InvalidTag."""
        if len(data) < _TAG_BYTES:
            raise InvalidTag
        opening = Cipher(self._cipher, modes.GCM(nonce, data[-_TAG_BYTES:])).decryptor()
        opening.authenticate_additional_data(associated_data)
        return opening.update(data[:-_TAG_BYTES]) + opening.finalize()
