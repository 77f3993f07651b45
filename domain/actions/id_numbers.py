"""Whether an id number is free: of other live accounts, and of bars (rules §2, §8)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.rules.calendar import SHANGHAI
from models.database import rows


async def is_taken(number_hash: bytes | None, *, account_id: UUID, now: datetime) -> bool:
    """Whether another live account than this one has the number, or its holder was dismissed and is barred; no number is nobody's.

    Which of the two it is, nobody is told. One statement sees a dismissal in flight either before it closes the account or with its bar;
    who writes the number into an account asks after writing, so that the unique constraint has waited for the dismissal.
    """
    return number_hash is not None and bool(await rows(_TAKEN, number_hash, account_id, now.astimezone(SHANGHAI).date()))


_TAKEN = """
SELECT FROM accounts WHERE id_number_hash = $1 AND status = 'ACTIVE' AND id <> $2
UNION ALL SELECT FROM bars WHERE id_number_hash = $1 AND until > $3
"""
