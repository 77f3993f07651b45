"""The second factor of staff: tickets between password and session, tries at a code, setting up and starting anew (rules §2)."""

from __future__ import annotations

import os
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from domain.actions import phone_codes
from domain.actions.staff_acts import note_own
from domain.rules import second_factor as rules
from domain.rules.errors import FieldProblem, InvalidInput, TooSoon
from domain.rules.sign_in import wait_below
from models.accounts import Account, SignInTicket
from models.database import rows
from models.enums import AccountStatus, CodePurpose, Role, StaffActKind, Transport
from models.sealing import sha256
from settings import settings

_TICKET_BYTES = 32
_ISSUER = "评审专家库"
LIFE = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Enrolment:
    """What an authenticator app has to be told, this once."""

    secret: str
    uri: str
    phone_code_needed: bool


@dataclass(frozen=True, slots=True)
class Issued:
    """A ticket: the first factor was right, until `expires_at` the second one may follow."""

    ticket: str
    expires_at: datetime
    enrolment: Enrolment | None


def is_needed(account: Account) -> bool:
    """Whether the account signs in with two factors."""
    return settings().staff_second_factor and account.role is not Role.EXPERT


async def issue(account: Account, *, phone_proven: bool, transport: Transport, device: str, now: datetime) -> Issued:
    """A ticket for an account that is locked, whose first factor was right; without a factor as yet, with the secret of a new one.

    The secret holds once a code of it has been given: who breaks off sets up another one the next time. `phone_proven`: the first factor
    was a phone code; else setting up needs one. Raises TooSoon after too many wrong codes.
    """
    await _check_tries(account, now)
    ticket = secrets.token_urlsafe(_TICKET_BYTES)
    offered = rules.written(os.urandom(rules.SECRET_BYTES)) if account.second_factor is None else None
    await SignInTicket.create(
        account=account,
        token_hash=ticket_hash(ticket),
        offered_secret=offered,
        phone_proven=phone_proven,
        transport=transport,
        device=device,
        created_at=now,
        expires_at=now + LIFE,
    )
    uri = rules.address(offered, account=account.phone_masked, issuer=_ISSUER) if offered else ""
    return Issued(ticket, now + LIFE, Enrolment(offered, uri, not phone_proven) if offered else None)


async def prove_phone(ticket: SignInTicket, phone_code: str | None, *, now: datetime) -> None:
    """Before a second factor is set up, use up a phone code for it, and remember that with the ticket; call outside any transaction.

    Nothing is needed where the account has a factor, or the ticket its proof: a later try with it may bear the same code. Raises
    InvalidInput where a code is missing, CodeRejected, which counts the try at the code. What has become of the ticket, `redeem` tells.
    """
    if ticket.phone_proven or ticket.used_at is not None or ticket.expires_at <= now:
        return
    account = await Account.get_or_none(id=ticket.account_id, status=AccountStatus.ACTIVE, second_factor=None)
    if account is None:
        return
    if not phone_code:
        raise InvalidInput([FieldProblem("phoneCode", "REQUIRED")])
    await phone_codes.spend(account.phone, CodePurpose.SECOND_FACTOR, phone_code, now=now)
    await SignInTicket.filter(id=ticket.id).update(phone_proven=True)


async def redeem(ticket: SignInTicket, account: Account, code: str, *, now: datetime) -> bool:
    """Whether a code is right; the try is counted and a right code used up, with its ticket. Both rows are locked.

    Raises TooSoon after too many wrong codes, whoever gave them and with whichever ticket.
    """
    await _check_tries(account, now)
    kept = ticket.offered_secret if account.second_factor is None else account.second_factor
    if ticket.used_at is not None or ticket.expires_at <= now or kept is None:
        return False
    if account.second_factor is None and not ticket.phone_proven:
        return False  # taken away between the two steps: the next sign-in sets up another one
    step = rules.accepted_step(rules.read(kept), code, now=now, last_used=account.second_factor_step)
    if step is None:
        ticket.wrong_tries += 1
        await ticket.save(update_fields=["wrong_tries"])
        await note_own(StaffActKind.FACTOR_REFUSED, account, now=now)
        return False
    ticket.used_at, account.second_factor_step = now, step
    await ticket.save(update_fields=["used_at"])
    is_new = account.second_factor is None
    if is_new:
        account.second_factor, account.second_factor_since = kept, now
    await account.save(update_fields=["second_factor", "second_factor_since", "second_factor_step"])
    if is_new:
        await note_own(StaffActKind.FACTOR_SET, account, now=now)
    return True


async def forget(account: Account) -> None:
    """Take the factor of a locked account away: its next sign-in sets up another one, and wrong codes of the old one count no more."""
    await SignInTicket.filter(account_id=account.id).delete()
    account.second_factor, account.second_factor_since, account.second_factor_step = None, None, None
    await account.save(update_fields=["second_factor", "second_factor_since", "second_factor_step"])


def ticket_hash(ticket: str) -> bytes:
    """What is kept of a ticket; 32 bytes."""
    return sha256(ticket.encode(errors="replace"))


async def _check_tries(account: Account, now: datetime) -> None:
    """Who comes this far knows the password or holds the phone, so all tries at the account count together, from wherever."""
    span = timedelta(minutes=settings().sign_in_failure_minutes)
    [found] = await rows(
        "SELECT coalesce(sum(wrong_tries), 0)::int AS count, min(created_at) FILTER (WHERE wrong_tries > 0) AS oldest"
        " FROM sign_in_tickets WHERE account_id = $1 AND created_at > $2",
        account.id,
        now - span,
    )
    wait = wait_below(found["count"], found["oldest"], settings().sign_in_failures, span, now)
    if wait > 0:
        raise TooSoon(wait)
