"""Time-ordered identifiers of rows."""

from __future__ import annotations

from uuid import UUID

from uuid_utils.compat import uuid7


def new_id() -> UUID:
    """A version 7 UUID: rows made later sort later, which keyset pages and indexes rely on. Not a secret."""
    return uuid7()
