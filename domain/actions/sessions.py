"""Sessions: opening one, recognising its token, ending it (rules §2)."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from typing import Any, NamedTuple
from uuid import UUID

from domain.actions import phone_codes, second_factor
from domain.actions.passwords import password_opens
from domain.actions.promises import announce
from domain.actions.staff_acts import note_own
from domain.reads import Ahead, at, numbered, viewer_values
from domain.rules.errors import NotFound, SecondFactorNeeded, SecondFactorRejected, SignInRefused
from domain.rules.fields import Fields
from domain.rules.phone import mobile
from domain.rules.viewer import Viewer
from models.accounts import Account, Session, SignInTicket
from models.database import execute, fetch, in_transaction, rows, transaction
from models.enums import AccountStatus, CodePurpose, Role, StaffActKind, Transport
from models.sealing import phone_hash, sha256
from settings import settings

_TOKEN_BYTES = 32
_DEVICE_LONGEST = 200

# Of a session `s` and its account `a` at `clock.now`; `:idle` is the time in minutes after which an unused staff session ends.
_OPEN = """a.status = 'ACTIVE' AND s.ended_at IS NULL AND s.expires_at > clock.now
    AND (a.role = 'EXPERT' OR s.used_at > clock.now - make_interval(mins => :idle))"""

PROOF = f"""WITH clock AS MATERIALIZED (SELECT registry_now() AS now)
    SELECT clock.now FROM clock, sessions s JOIN accounts a ON a.id = s.account_id
    WHERE s.token_hash = :token AND s.used_at >= clock.now - interval '1 minute' AND {_OPEN} AND s.id = :viewer_session
        AND a.id = :viewer_account AND a.role = :role AND a.pool_code IS NOT DISTINCT FROM :viewer_pool"""  # noqa: S608  our own constant
"""One row, the registry's time, where the token still opens what it did when the viewer was last authenticated, and no use is to be noted.

A statement that holds this answers and authenticates in one; its values are those of `proof_values` and of the viewer (domain/reads.py).
An account's expert never changes.
"""


@lru_cache(maxsize=64)
def _who(ahead: str) -> tuple[str, tuple[str, ...]]:
    """Who holds a token, and the row that the statement `ahead` finds, if there is one."""
    read, joined = "", ""
    if ahead:
        read = ", ahead.*"
        joined = f"LEFT JOIN LATERAL (SELECT TRUE AS viewer_ahead, first.* FROM ({at(ahead, 'clock.now')}) first) ahead ON s.id IS NOT NULL"  # noqa: S608  our own
    return numbered(f"""WITH clock AS MATERIALIZED (SELECT registry_now() AS now)
        SELECT clock.now AS viewer_now, s.id AS viewer_session, s.used_at < clock.now - interval '1 minute' AS viewer_unnoted,
               a.id AS viewer_account, a.role AS viewer_role, a.name AS viewer_name, a.pool_code AS viewer_pool, e.id AS viewer_expert{read}
        FROM clock
        LEFT JOIN (sessions s JOIN accounts a ON a.id = s.account_id) ON s.token_hash = :token AND {_OPEN}
        LEFT JOIN experts e ON e.account_id = a.id {joined}""")  # noqa: S608  our own constants


_STILL_OPEN = numbered(f"""WITH clock AS MATERIALIZED (SELECT registry_now() AS now)
    SELECT s.id FROM clock, sessions s JOIN accounts a ON a.id = s.account_id WHERE s.id = ANY(:ids::uuid[]) AND {_OPEN}""")  # noqa: S608  our own constant


class OpenedSession(NamedTuple):
    """A new session and its token, which is told this once and kept nowhere."""

    session: Session
    token: str


async def open_session(
    phone: str,
    *,
    password: str | None = None,
    code: str | None = None,
    transport: Transport,
    device: str,
    address: str,
    replaces: Viewer | None = None,
    now: datetime,
) -> OpenedSession:
    """Sign in by password or by phone code; every sign-in makes a new session and a new token.

    `replaces` is who was signed in on the same browser until now: a browser holds one token, so that session ends.
    Raises InvalidInput unless exactly one proof is given, TooSoon after too many wrong passwords, CodeRejected for a wrong code,
    SignInRefused for a wrong password, a phone without an account and an account that may not sign in. For staff with a second factor all
    of this ends with SecondFactorNeeded: `confirm_session` opens the session, for the same transport and device.
    """
    number = _checked(phone, password, code)
    digest = phone_hash(number)
    if password is not None:
        known = await _account(digest)
        if not await password_opens(known, password, phone_hash=digest, address=address, now=now):
            raise SignInRefused
    else:
        known = None
        await phone_codes.spend(number, CodePurpose.SIGN_IN, code or "", address=address, now=now)
    async with transaction():
        account = await Account.filter(phone_hash=digest, status=AccountStatus.ACTIVE).select_for_update().first()
        # While the password was being checked it may have been reset, which ends all sessions; this one would live on.
        if account is None or (known is not None and known.password_hash != account.password_hash):
            raise SignInRefused
        if not second_factor.is_needed(account):
            return await _open(account, transport, _printable(device), replaces=replaces, now=now)
        issued = await second_factor.issue(account, phone_proven=known is None, transport=transport, device=_printable(device), now=now)
    raise SecondFactorNeeded(issued.ticket, issued.expires_at, issued.enrolment)


async def confirm_session(
    ticket: str, code: str, *, phone_code: str | None = None, replaces: Viewer | None = None, now: datetime
) -> OpenedSession:
    """Open the session for which a ticket was issued, with the second factor; `replaces` as with open_session, where a browser asked.

    Setting a factor up after a password needs `phone_code` too, which proves the phone that the administrator entered. A try at a code is
    counted whatever becomes of it: call outside any transaction. Raises SecondFactorRejected, TooSoon after too many, InvalidInput and
    CodeRejected about the phone code.
    """
    if in_transaction():
        raise RuntimeError("a try at a code must not be rolled back: call outside the transaction")
    digest = second_factor.ticket_hash(ticket)
    known = await SignInTicket.get_or_none(token_hash=digest)
    if known is None:
        raise SecondFactorRejected
    await second_factor.prove_phone(known, phone_code, now=now)
    async with transaction():
        account = await Account.filter(id=known.account_id, status=AccountStatus.ACTIVE).select_for_update().first()
        held = await SignInTicket.filter(token_hash=digest).select_for_update().first()
        if account is not None and held is not None and await second_factor.redeem(held, account, code, now=now):
            leaves = replaces if held.transport is Transport.COOKIE else None
            return await _open(account, held.transport, held.device, replaces=leaves, now=now)
    raise SecondFactorRejected


async def _open(account: Account, transport: Transport, device: str, *, replaces: Viewer | None, now: datetime) -> OpenedSession:
    """A session of an account that is locked and proven."""
    token = secrets.token_urlsafe(_TOKEN_BYTES)
    session = await Session.create(
        account=account,
        token_hash=token_hash(token),
        transport=transport,
        device=device,
        created_at=now,
        used_at=now,
        expires_at=now + timedelta(days=settings().session_days),
    )
    if replaces is not None:
        await _end(replaces.account_id, now=now, only=replaces.session_id)
    await note_own(StaffActKind.SIGNED_IN, account, now=now)
    return OpenedSession(session, token)


async def authenticate(token: str) -> tuple[Viewer | None, datetime]:
    """Who holds this token, None where it opens nothing (any more), and the registry's time, in one statement.

    A session ends by itself at its longest age, a staff session also when it was not used for a while. Its last use is noted once a minute.
    """
    viewer, now, _ = await authenticate_reading(token_hash(token), None)
    return viewer, now


async def authenticate_reading(digest: bytes, ahead: Ahead | None) -> tuple[Viewer | None, datetime, Mapping[str, Any] | None]:
    """As `authenticate`, for a token's `token_hash`, with the row that `ahead` finds; None where there is none.

    What is remembered of a token gives nobody anything: the row is handed out only where the token opens the very viewer it was read for.
    """
    sql, names = _who(ahead.sql if ahead else "")
    values = {"token": digest, "idle": settings().staff_session_idle_minutes}
    if ahead is not None:
        values = {**viewer_values(ahead.viewer, None), **ahead.values, **values}
    [row] = await fetch(sql, [values[name] for name in names])
    now: datetime = row["viewer_now"]
    if row["viewer_session"] is None:
        return None, now, None
    if row["viewer_unnoted"]:
        await execute("UPDATE sessions SET used_at = $2 WHERE id = $1 AND used_at < $2", row["viewer_session"], now)
    viewer = Viewer(
        account_id=row["viewer_account"],
        session_id=row["viewer_session"],
        role=Role(row["viewer_role"]),
        name=row["viewer_name"],
        pool_code=row["viewer_pool"],
        expert_id=row["viewer_expert"],
    )
    read = row if ahead is not None and row["viewer_ahead"] and viewer == ahead.viewer else None
    return viewer, now, read


def token_hash(token: str) -> bytes:
    """What is kept of a token; 32 bytes."""
    return sha256(token.encode(errors="replace"))


def proof_values(viewer: Viewer, digest: bytes) -> Mapping[str, Any]:
    """The values of PROOF beside those of the viewer; `digest` is the `token_hash` of the token that the viewer held."""
    return {"token": digest, "role": viewer.role, "idle": settings().staff_session_idle_minutes}


async def still_open(session_ids: Sequence[UUID]) -> set[UUID]:
    """Those of the sessions that open something now; to ask is no use of them."""
    values = {"ids": list(session_ids), "idle": settings().staff_session_idle_minutes}
    return {each["id"] for each in await rows(_STILL_OPEN[0], *(values[name] for name in _STILL_OPEN[1]))}


async def close_session(*, viewer: Viewer, now: datetime) -> None:
    """Leave this device. A repeat finds it left already."""
    async with transaction():
        await _end(viewer.account_id, now=now, only=viewer.session_id)


async def close_all(*, viewer: Viewer, keep_this: bool = False, now: datetime) -> int:
    """Leave all devices, this one too unless it is kept; the number of sessions that were open."""
    async with transaction():
        return await end_sessions(viewer.account_id, now=now, keep=viewer.session_id if keep_this else None)


async def revoke(session_id: UUID, *, viewer: Viewer, now: datetime) -> Session:
    """End one of the viewer's own sessions. A repeat changes nothing; raises NotFound for a session of somebody else."""
    async with transaction():
        await _end(viewer.account_id, now=now, only=session_id)
        session = await Session.get_or_none(id=session_id, account_id=viewer.account_id)
        if session is None:
            raise NotFound
    return session


async def end_sessions(account_id: UUID, *, now: datetime, keep: UUID | None = None) -> int:
    """End all open sessions of an account but `keep`, inside the transaction of what makes it necessary; how many there were.

    Sign-ins that wait for their second factor end too; their wrong codes still count, or who can reset the password could go on guessing.
    """
    await execute("UPDATE sign_in_tickets SET used_at = $2 WHERE account_id = $1 AND used_at IS NULL", account_id, now)
    return await _end(account_id, now=now, keep=keep)


async def _end(account_id: UUID, *, now: datetime, only: UUID | None = None, keep: UUID | None = None) -> int:
    ended = await rows(
        """WITH ended AS (
               UPDATE sessions SET ended_at = $2
               WHERE account_id = $1 AND ended_at IS NULL AND ($3::uuid IS NULL OR id = $3) AND ($4::uuid IS NULL OR id <> $4) RETURNING id)
           SELECT id FROM ended""",
        account_id,
        now,
        only,
        keep,
    )
    for each in ended:
        await announce("sessionEnded", session_id=each["id"])
    return len(ended)


async def _account(digest: bytes) -> Account | None:
    return await Account.filter(phone_hash=digest, status=AccountStatus.ACTIVE).first()


def _printable(device: str) -> str:
    """What a client calls itself, fit to be shown to its owner."""
    return "".join(each for each in device if each.isprintable()).strip()[:_DEVICE_LONGEST]


def _checked(phone: str, password: str | None, code: str | None) -> str:
    fields = Fields()
    number = fields.check("phone", lambda: mobile(phone), otherwise="")
    if (password is None) == (code is None):
        fields.wrong("password", "ONE_PROOF")
    fields.refuse()
    return number
