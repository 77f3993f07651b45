"""The policy of phone codes (rules §2): when one may be sent and what becomes of one that is presented."""

from __future__ import annotations

import math
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import Enum

from domain.rules.errors import TooSoon
from models.enums import CodePurpose

FOR_ANY_PHONE = frozenset({CodePurpose.REGISTER, CodePurpose.OBJECT})
"""Purposes with whose codes the holder of an account can do nothing; they share half of a phone's day, the others keep the rest."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeLimits:
    """The figures of rules §2, from the settings."""

    life: timedelta = timedelta(minutes=5)
    resend_after: timedelta = timedelta(seconds=60)
    wrong_tries: int = 5
    per_phone_and_day: int = 10
    per_address_and_hour: int = 30
    in_all_and_hour: int = 3_000

    @property
    def share_of_strangers(self) -> int:
        """Codes of a phone's day that purposes of anybody, or codes asked for from one address and never used, may take."""
        return _half(self.per_phone_and_day)

    @property
    def tries_elsewhere(self) -> int:
        """Wrong tries at a code from other addresses than the one that asked for it."""
        return _half(self.wrong_tries)


@dataclass(frozen=True, slots=True)
class Sent:
    """How many codes went out in a span of time, and when the oldest and the newest of them did."""

    count: int = 0
    oldest: datetime | None = None
    newest: datetime | None = None


@dataclass(frozen=True, slots=True)
class SendHistory:
    """What was sent before: to this phone in 24 hours, in all, for purposes of anybody (nothing where another is in hand), and for this
    client address without having been used; for this client address and by everybody in one hour."""

    to_phone: Sent = field(default_factory=Sent)
    for_anybody: Sent = field(default_factory=Sent)
    unused_from_here: Sent = field(default_factory=Sent)
    for_address: Sent = field(default_factory=Sent)
    in_all: Sent = field(default_factory=Sent)


def check_sending(history: SendHistory, *, now: datetime, limits: CodeLimits) -> None:
    """Raise TooSoon when a limit is reached, with the seconds until the last of the limits in the way can have gone."""
    waits = [
        _wait_for_next(history.to_phone, limits.resend_after, now),
        _wait_below(history.to_phone, limits.per_phone_and_day, timedelta(days=1), now),
        _wait_below(history.for_anybody, limits.share_of_strangers, timedelta(days=1), now),
        _wait_below(history.unused_from_here, limits.share_of_strangers, timedelta(days=1), now),
        _wait_below(history.for_address, limits.per_address_and_hour, timedelta(hours=1), now),
        _wait_below(history.in_all, limits.in_all_and_hour, timedelta(hours=1), now),
    ]
    if (wait := max(waits)) > timedelta(0):
        raise TooSoon(math.ceil(wait.total_seconds()), "PHONE_CODES_USED_UP" if wait > limits.resend_after else None)


def _wait_for_next(sent: Sent, pause: timedelta, now: datetime) -> timedelta:
    return sent.newest + pause - now if sent.newest else timedelta(0)


def _half(number: int) -> int:
    return (number + 1) // 2


def _wait_below(sent: Sent, most: int, span: timedelta, now: datetime) -> timedelta:
    return sent.oldest + span - now if sent.oldest and sent.count >= most else timedelta(0)


class CodeOutcome(Enum):
    """What a try comes to. Only ACCEPTED opens anything; the others look the same from outside (CodeRejected)."""

    ACCEPTED = "accepted"
    WRONG = "wrong"
    LOCKED = "locked"
    EXPIRED = "expired"
    USED = "used"
    SUPERSEDED = "superseded"
    OTHER_PURPOSE = "other purpose"


@dataclass(frozen=True, slots=True, kw_only=True)
class IssuedCode:
    """What is kept of a code that was sent. `wrong_tries`, and those of them from elsewhere, are the numbers before the try in hand."""

    purpose: CodePurpose
    expires_at: datetime
    wrong_tries: int = 0
    wrong_elsewhere: int = 0
    used_at: datetime | None = None
    superseded_at: datetime | None = None


def present(
    code: IssuedCode, *, purpose: CodePurpose, matches: bool, now: datetime, limits: CodeLimits, elsewhere: bool = False
) -> CodeOutcome:
    """The outcome of one try; `matches` tells whether the digits were right, `elsewhere` whether another address asked for the code.

    Only ACCEPTED uses the code up and only WRONG counts a try: a dead code is not compared, so guessing at it reveals nothing. Ask under
    the lock of the code's row, so that tries made at the same time are counted one after the other.
    """
    if code.purpose is not purpose:
        return CodeOutcome.OTHER_PURPOSE
    if code.used_at is not None:
        return CodeOutcome.USED
    if code.superseded_at is not None:
        return CodeOutcome.SUPERSEDED
    if now >= code.expires_at:
        return CodeOutcome.EXPIRED
    if code.wrong_tries >= limits.wrong_tries or (elsewhere and code.wrong_elsewhere >= limits.tries_elsewhere):
        return CodeOutcome.LOCKED
    return CodeOutcome.ACCEPTED if matches else CodeOutcome.WRONG
