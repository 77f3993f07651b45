"""Creations that a client may ask for again where the answer was lost: under one key of its own, one row comes of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import TypeVar

import orjson
from tortoise.models import Model

from domain.rules.errors import FieldProblem, InvalidInput, KeyReused, NotFound
from domain.rules.viewer import Viewer
from models.accounts import IdempotencyKey
from models.database import take_turns, transaction
from models.sealing import keyed_hash

LONGEST_KEY = 100

Created = TypeVar("Created", bound=Model)


async def once(
    kind: type[Created],
    create: Callable[[], Awaitable[Created]],
    *,
    key: str | None,
    asked: object,
    viewer: Viewer,
    now: datetime,
) -> Created:
    """What `create` makes; on repeat under the same key within 24 hours, the row that it made first. Without a key, it creates each time.

    Keys are the account's own, for each kind of row. `asked` is the whole of what is asked for, as orjson writes it. Raises InvalidInput
    for a key that is none, KeyReused where the key stands for something else, NotFound where the row was taken out since, and what
    `create` raises: then the key stays free.
    """
    if key is None:
        return await create()
    if not 0 < len(key) <= LONGEST_KEY:
        raise InvalidInput([FieldProblem("idempotencyKey", "TEXT_LENGTH", {"longest": LONGEST_KEY, "length": len(key)})])
    verb = kind._meta.db_table
    asked_hash = keyed_hash("idempotency", orjson.dumps(asked, default=str, option=orjson.OPT_SORT_KEYS).decode())
    async with transaction():
        await take_turns(keyed_hash("idempotency turn", f"{viewer.account_id} {verb} {key}"))
        seen = await IdempotencyKey.get_or_none(account_id=viewer.account_id, verb=verb, key=key)
        if seen is None:
            row = await create()
            await IdempotencyKey.create(
                account_id=viewer.account_id, verb=verb, key=key, input_hash=asked_hash, result_id=row.pk, created_at=now
            )
            return row
        if seen.input_hash != asked_hash:
            raise KeyReused
        made = await kind.get_or_none(id=seen.result_id)
        if made is None:
            raise NotFound
        return made
