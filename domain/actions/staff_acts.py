"""What is done with accounts of staff, on record: numbered, never changed, each bound to the one before (GB/T 22239-2019, 8.1.4.3)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from domain.actions.record_chain import BrokenLink, Head, linked
from domain.rules.viewer import Viewer
from models.accounts import Account, StaffAct
from models.database import rows, take_turns
from models.enums import ChainBreak, Role, StaffActKind

CHAIN = UUID(int=0)
"""Stands for this chain among the heads of cases' chains."""
_TURN = sha256(b"staff acts").digest()
_BATCH = 1_000


async def note(act: StaffActKind, account: Account, *, by: Viewer | None, now: datetime) -> None:
    """Put on record what an administrator, or the operator at the machine (None), did with an account of staff.

    Call inside the transaction of the act and as its last lock: acts are numbered one after the other.
    """
    await _append(act, account, (by.account_id, by.name, by.role) if by else (None, None, None), now)


async def note_own(act: StaffActKind, account: Account, *, now: datetime) -> None:
    """The same for what somebody did with their own account; of experts nothing is kept here."""
    if account.role is not Role.EXPERT:
        await _append(act, account, (account.id, account.name, account.role), now)


async def verify(witnessed: Head | None = None) -> tuple[Sequence[Head], Sequence[BrokenLink]]:
    """Where the chain ends, nowhere if it is empty, and where it does not hold; `witnessed` as in record_chain.verify."""
    broken: list[BrokenLink] = []
    number, digest = 0, None
    while found := await rows("SELECT * FROM staff_acts WHERE number > $1 ORDER BY number LIMIT $2", number, _BATCH):
        for each in found:
            act = StaffAct.of(each)
            broken += [BrokenLink(CHAIN, missing, ChainBreak.MISSING) for missing in range(number + 1, act.number)]
            follows = act.previous_hash == digest or act.number > number + 1
            if not follows or act.hash != _hash(act):
                broken.append(BrokenLink(CHAIN, act.number, ChainBreak.CHANGED, act.id))
            elif witnessed is not None and act.number == witnessed.number and act.hash != witnessed.hash:
                broken.append(BrokenLink(CHAIN, act.number, ChainBreak.FOREIGN, act.id))
            number, digest = act.number, act.hash
    if witnessed is not None and witnessed.number > number:
        broken += [BrokenLink(CHAIN, missing, ChainBreak.MISSING) for missing in range(number + 1, witnessed.number + 1)]
    return ([] if digest is None else [Head(CHAIN, number, digest)]), broken


async def _append(act: StaffActKind, account: Account, actor: tuple[UUID | None, str | None, Role | None], now: datetime) -> None:
    await take_turns(_TURN)
    last = await rows("SELECT number, hash FROM staff_acts ORDER BY number DESC LIMIT 1")
    row = StaffAct(
        number=last[0]["number"] + 1 if last else 1,
        at=now,
        act=act,
        account=account,
        account_name=account.name,
        account_role=account.role,
        account_pool_code=account.pool_code,
        actor_id=actor[0],
        actor_name=actor[1],
        actor_role=actor[2],
        previous_hash=last[0]["hash"] if last else None,
    )
    row.hash = _hash(row)
    await row.save(force_create=True)


def _hash(row: StaffAct) -> bytes:
    told = {name: getattr(row, name) for name in row._meta.fields_db_projection if name not in ("previous_hash", "hash")}
    return linked("staff-acts", row.previous_hash, told)
