"""Files at rest: bytes sealed piece by piece, so that a large one opens while it is being read."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from typing import IO

from models.sealing import Box, box_for, current_header, header_of

_SALT_BYTES = 16
_PIECE_BYTES = 64 * 1024
_SEALED_PIECE_BYTES = _PIECE_BYTES + 16  # GCM's tag
_PURPOSE = "object"
HEADER_BYTES = 5
"""So many bytes of a file tell under which key it is sealed (models/sealing.py)."""


def sealed(source: IO[bytes], name: str) -> Iterator[bytes]:
    """The pieces of a sealed file. Its name is bound to them, and their order and number: what opens is whole and in its place."""
    header, salt = current_header(), os.urandom(_SALT_BYTES)
    yield header + salt
    cipher, number = _cipher(header, salt), 0
    piece = source.read(_PIECE_BYTES)
    while True:
        following = source.read(_PIECE_BYTES)
        yield cipher.encrypt(_nonce(number), piece, _bound(name, last=not following))
        if not following:
            return
        piece, number = following, number + 1


async def unsealed(parts: AsyncIterator[bytes], name: str) -> AsyncIterator[bytes]:
    """The bytes behind `sealed`, from parts of any length; raises cryptography's InvalidTag for a foreign key or name or changed bytes."""
    held, cipher, number = bytearray(), None, 0
    async for part in parts:
        held += part
        if cipher is None:
            header = header_of(bytes(held[:HEADER_BYTES]))
            start = len(header) + _SALT_BYTES
            if len(held) < max(start, HEADER_BYTES):
                continue
            cipher = _cipher(header, bytes(held[len(header) : start]))
            del held[:start]
        while len(held) > _SEALED_PIECE_BYTES:  # more than one: the first is not the last
            yield cipher.decrypt(_nonce(number), bytes(held[:_SEALED_PIECE_BYTES]), _bound(name, last=False))
            del held[:_SEALED_PIECE_BYTES]
            number += 1
    yield (cipher or _cipher(b"", b"")).decrypt(_nonce(number), bytes(held), _bound(name, last=True))


def _cipher(header: bytes, salt: bytes) -> Box:
    """A key for one object alone, so that a counter serves as nonce."""
    return box_for(header, _PURPOSE, salt)


def _nonce(number: int) -> bytes:
    return number.to_bytes(12)


def _bound(name: str, *, last: bool) -> bytes:
    return bytes([last]) + name.encode()
