"""Objections 异议 to an admission (rules §6): how many somebody may raise, and what settling one does to the case."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.rules.errors import Invalid, TooSoon
from domain.rules.phone_codes import Sent
from domain.rules.text import prose
from models.enums import Move, Stage

TEXT_LENGTH = 2000
REASONS_LENGTH = 1000
DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Raised:
    """Objections of the last 24 hours: with this phone, and from this client address."""

    by_phone: Sent
    from_address: Sent


def check_raising(raised: Raised, *, now: datetime, per_phone: int, per_address: int) -> None:
    """Raise TooSoon, with the seconds until the limit in the way can have gone, when one is reached."""
    waits = [
        sent.oldest + DAY - now
        for sent, most in ((raised.by_phone, per_phone), (raised.from_address, per_address))
        if sent.oldest is not None and sent.count >= most
    ]
    if waits:
        raise TooSoon(max(1, math.ceil(max(waits).total_seconds())), "OBJECTIONS_USED_UP")


def settling_move(stage: Stage, *, upheld: bool, others_open: bool) -> Move | None:
    """The move that settling one objection brings about, None where the case stays.

    One upheld ends the case, whether the notice still runs or not. Dismissals move nothing while it runs (closing it is the worker's);
    after the window the last of them admits. A case that is closed already stays as it is.
    """
    if upheld:
        return Move.UPHOLD_OBJECTION if stage in (Stage.PUBLICITY, Stage.OBJECTION) else None
    return Move.DISMISS_OBJECTIONS if stage is Stage.OBJECTION and not others_open else None


def settlement(text: str, *, phone: str) -> str:
    """The reasons of a settlement, which the expert may come to read; raises Invalid: as `prose`, NAMES_OBJECTOR for the phone in them.

    The phone is empty where the objector was forgotten meanwhile.
    """
    reasons = prose(text, longest=REASONS_LENGTH)
    if phone and phone.removeprefix("+86") in re.sub("[^0-9]", "", reasons):
        raise Invalid("NAMES_OBJECTOR")
    return reasons
