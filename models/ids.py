"""Identifiers of rows: made in the order of time, and read from texts."""

from __future__ import annotations

from uuid import UUID

from asyncpg.pgproto import pgproto
from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A version 7 UUID: rows made later sort later, which keyset pages and indexes rely on. Not a secret."""
    return uuid7()


def uuid_or_none(text: str) -> UUID | None:
    """A UUID from its 32 hexadecimal digits, with hyphens or without; None for any other text."""
    try:
        found: UUID = pgproto.UUID(text)  # the driver's own kind, made in a seventh of the time and stricter
    except ValueError:
        return None
    return found
