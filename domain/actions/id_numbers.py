"""Whether an id number is free: of other live accounts, and of bars (rules §2, §8); and how many somebody may ask about."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

from domain.rules.calendar import SHANGHAI
from domain.rules.errors import TooSoon
from domain.rules.sign_in import wait_below
from models.accounts import IdNumberTry
from models.database import in_transaction, rows, take_turns, transaction


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


_DAY = timedelta(days=1)


async def count_try(number_hash: bytes, *, account_id: UUID, most: int, now: datetime) -> None:
    """Note that somebody is about to learn something of an id number; the same one again within a day costs nothing.

    Raises TooSoon beyond `most` different ones in a day. Call before looking anything up and outside any transaction: the count must stay.
    """
    if in_transaction():
        raise RuntimeError("a try at an id number must not be rolled back: call outside the transaction")
    async with transaction():
        await take_turns(account_id.bytes)
        [found] = await rows(_TRIES, account_id, now - _DAY, number_hash)
        if found["known"]:
            return
        if wait := wait_below(found["count"], found["oldest"], most, _DAY, now):
            raise TooSoon(wait, "ID_NUMBERS_USED_UP")
        await IdNumberTry.create(account_id=account_id, id_number_hash=number_hash, at=now)


_TRIES = """
SELECT count(*), min(at) AS oldest, coalesce(bool_or(id_number_hash = $3), FALSE) AS known
FROM id_number_tries WHERE account_id = $1 AND at > $2
"""
