"""Passwords: hashing them, and trying one under the limit of failed tries (rules §2)."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

from argon2 import Parameters, PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

from domain.rules.network import network
from domain.rules.passwords import normalised
from domain.rules.sign_in import AttemptLimits, FailureHistory, Failures, check_attempt
from models.accounts import Account, FailedSignIn
from models.database import in_transaction, rows, take_turns, transaction
from models.sealing import keyed_hash
from settings import settings

# OWASP's figures for argon2id: 50 ms and 19 MiB a try. Two threads, so that a flood of tries leaves a core to everybody else.
FIGURES = Parameters(type=Type.ID, version=19, salt_len=16, hash_len=32, time_cost=2, memory_cost=19 * 1024, parallelism=1)
_HASHER = PasswordHasher.from_parameters(FIGURES)
_THREADS = ThreadPoolExecutor(max_workers=2, thread_name_prefix="argon2")

# The hash of random bytes that nobody kept, with the same figures: what an unknown phone's password is compared with.
_NOBODYS = "$argon2id$v=19$m=19456,t=2,p=1$b4DfYmijOuIZAQNZWMH/WA$hFsvCZF2ygRkJu4OxKE3+XLhu/LM5vc5zmDrBl+yM4w"


async def hash_password(password: str) -> str:
    """The argon2id hash to keep, salt and figures in it."""
    return await asyncio.get_running_loop().run_in_executor(_THREADS, _HASHER.hash, password)


async def password_opens(account: Account | None, password: str, *, phone_hash: bytes, address: str, now: datetime) -> bool:
    """Whether a password is the account's; without an account the same work is done for nothing, so that time tells nothing.

    Each try is counted for phone and address before it is made, and a success wipes out what was counted for both; so of many tries at
    once no more are made than the limit. Raises TooSoon at the limit. Call outside any transaction: the count must stay.
    """
    if in_transaction():
        raise RuntimeError("a try at a password must not be rolled back: call outside the transaction")
    address_hash = keyed_hash("address", network(address))
    async with transaction():
        await take_turns(phone_hash, address_hash)
        check_attempt(await _failures(phone_hash, address_hash, now), now=now, limits=_limits())
        await FailedSignIn.create(phone_hash=phone_hash, address_hash=address_hash, at=now)
    kept = account.password_hash if account is not None else _NOBODYS
    right = await asyncio.get_running_loop().run_in_executor(_THREADS, _matches, kept, password)
    if account is None or not right:
        return False
    await FailedSignIn.filter(phone_hash=phone_hash, address_hash=address_hash).delete()
    return True


async def forget_failures(phone_hash: bytes) -> None:
    """Start counting anew for a phone whose holder has just proven to have it."""
    await FailedSignIn.filter(phone_hash=phone_hash).delete()


def _limits() -> AttemptLimits:
    return AttemptLimits(failures=settings().sign_in_failures, span=timedelta(minutes=settings().sign_in_failure_minutes))


def _matches(kept: str, password: str) -> bool:
    try:
        return _HASHER.verify(kept, normalised(password).encode(errors="replace"))
    except (VerificationError, InvalidHashError):
        return False


async def _failures(phone_hash: bytes, address_hash: bytes, now: datetime) -> FailureHistory:
    found = await rows(
        """SELECT 'here' AS whose, count(*), min(at) FROM failed_sign_ins WHERE phone_hash = $1 AND address_hash = $2 AND at > $3
           UNION ALL
           SELECT 'for_phone', count(*), min(at) FROM failed_sign_ins WHERE phone_hash = $1 AND at > $3
           UNION ALL
           SELECT 'from_address', count(*), min(at) FROM failed_sign_ins WHERE address_hash = $2 AND at > $3""",
        phone_hash,
        address_hash,
        now - _limits().span,
    )
    return FailureHistory(**{each["whose"]: Failures(each["count"], each["min"]) for each in found})
