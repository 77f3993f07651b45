"""When a promise that failed is tried again, and what providers tell of messages afterwards (rules §7)."""

from __future__ import annotations

import re
from datetime import timedelta

from models.enums import SmsState

_PAUSES = (timedelta(0), timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
_WORD = re.compile(r"[A-Za-z][A-Za-z._-]{0,99}")


def pause_after(attempts: int, *, jitter: float) -> timedelta | None:
    """How long to wait after that many failed attempts (at least 1); None: give up.

    `jitter` in [0, 1] lengthens the pause by up to a fifth, at least by up to 2 s, so that what failed together does not return together.
    """
    if attempts > len(_PAUSES):
        return None
    pause = _PAUSES[attempts - 1]
    return pause + jitter * max(pause / 5, timedelta(seconds=2))


def after_receipt(state: SmsState, told: SmsState) -> SmsState | None:
    """The state of a message once its provider has told that it was DELIVERED or is UNDELIVERABLE; None: it stays as it is.

    Receipts come late, twice and out of order. Whatever else is told, before or after, what a phone has had stays delivered.
    """
    if told not in (SmsState.DELIVERED, SmsState.UNDELIVERABLE):
        raise ValueError(told)
    return None if state in (told, SmsState.DELIVERED) else told


def failure_word(said: object, *, otherwise: str) -> str:
    """A provider's word for a failure, where it is one that may stand in ledger and log: without digits, which may be those of a phone."""
    return said if isinstance(said, str) and _WORD.fullmatch(said) else otherwise
