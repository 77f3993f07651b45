"""Accounts of staff in the hands of administrators: made, disabled and enabled, moved to another pool (rules §1)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.actions import second_factor
from domain.actions.accounts import create_staff, is_expert, unless_taken
from domain.actions.promises import announce
from domain.actions.sessions import end_sessions
from domain.actions.staff_acts import note
from domain.rules.errors import FieldProblem, InvalidInput, NotAllowed, NotFound, NotSignedIn, Taken
from domain.rules.fields import Fields
from domain.rules.phone import mobile
from domain.rules.staff import keeps_staff
from domain.rules.viewer import Viewer
from models.accounts import Account
from models.database import database_now, rows, transaction
from models.enums import AccountStatus, Role, StaffActKind
from models.reference import Division
from models.sealing import phone_hash


async def create(
    *, role: Role, pool_code: str | None, phone: str, password: str, name: str, id_number: str, viewer: Viewer, now: datetime
) -> Account:
    """See accounts.create_staff; for administrators."""
    if not keeps_staff(viewer):
        raise NotAllowed
    return await create_staff(
        role=role, pool_code=pool_code, phone=phone, password=password, name=name, id_number=id_number, by=viewer, now=now
    )


async def create_by_operator(*, role: str, pool_code: str | None, phone: str, password: str, name: str, id_number: str) -> Account:
    """The same for the operator at the machine: the first administrator has nobody else to ask. Raises ValueError for no role."""
    now = await database_now()
    return await create_staff(role=Role(role), pool_code=pool_code, phone=phone, password=password, name=name, id_number=id_number, now=now)


async def disable(account_id: UUID, *, viewer: Viewer, now: datetime) -> Account:
    """End an account of staff: it signs in no more, its sessions end and its claims are free. A repeat changes nothing.

    The account stays, for records name it. Nobody disables themselves, so that an administrator always remains.
    """
    async with transaction():
        account = await _locked(account_id, viewer)
        if account.id == viewer.account_id:
            raise NotAllowed("OWN_ACCOUNT")
        if account.status is AccountStatus.ACTIVE:
            await put_out_of_use(account, by=viewer, now=now)
    return account


async def put_out_of_use(account: Account, *, by: Viewer, now: datetime) -> None:
    """Disable a locked account of staff: its sessions end, its claims are free. Call inside a transaction."""
    account.status = AccountStatus.DISABLED
    await account.save(update_fields=["status"])
    await end_sessions(account.id, now=now)
    await _free_claims(account)
    await note(StaffActKind.DISABLED, account, by=by, now=now)


async def enable(account_id: UUID, *, viewer: Viewer, now: datetime) -> Account:
    """Take an account of staff back into use; its owner signs in anew. A repeat changes nothing.

    Raises Taken where its phone or id number has become somebody else's, or its id number that of an expert, and InvalidInput for a local
    officer whose pool has closed meanwhile: the account is moved first.
    """
    async with transaction():
        account = await _locked(account_id, viewer)
        if account.status is AccountStatus.DISABLED:
            if account.id_number_hash is not None and await is_expert(account.id_number_hash):
                raise Taken("staffId", "TAKEN_BY_SOMEBODY")
            if account.pool_code is not None and not await _keeps_experts(account.pool_code):
                raise InvalidInput([FieldProblem("staffId", "STAFF_POOL_CLOSED")])
            account.status = AccountStatus.ACTIVE
            with unless_taken(phone="staffId", id_number="staffId", wording="TAKEN_BY_SOMEBODY"):
                await account.save(update_fields=["status"])
            await end_sessions(account.id, now=now)
            await note(StaffActKind.ENABLED, account, by=viewer, now=now)
    return account


async def reset_second_factor(account_id: UUID, *, viewer: Viewer, now: datetime) -> Account:
    """Let a colleague who has lost the authenticator set up another one at the next sign-in; sessions end. A repeat changes nothing.

    Nobody does it for themselves: who has taken over an administrator's session would stay for good.
    """
    async with transaction():
        account = await _locked(account_id, viewer)
        if account.id == viewer.account_id:
            raise NotAllowed("OWN_ACCOUNT")
        if account.second_factor is not None:
            await second_factor.forget(account)
            await end_sessions(account.id, now=now)
            await note(StaffActKind.FACTOR_RESET, account, by=viewer, now=now)
    return account


async def start_second_factor_anew(phone: str) -> Account:
    """The same for the operator at the machine, when no other administrator is left who could. Raises InvalidInput and NotFound."""
    fields = Fields()
    number = fields.check("phone", lambda: mobile(phone), otherwise="")
    fields.refuse()
    async with transaction():
        account = await Account.filter(phone_hash=phone_hash(number), status=AccountStatus.ACTIVE).select_for_update().first()
        if account is None or account.role is Role.EXPERT:
            raise NotFound
        now = await database_now()
        await second_factor.forget(account)
        await end_sessions(account.id, now=now)
        await note(StaffActKind.FACTOR_RESET, account, by=None, now=now)
    return account


async def move_to_pool(account_id: UUID, pool_code: str, *, viewer: Viewer, now: datetime) -> Account:
    """Put a local officer into another pool. Claims on cases of the old one are free, and the officer signs in again."""
    async with transaction():
        account = await _locked(account_id, viewer)
        if account.role is not Role.LOCAL_OFFICER:
            raise InvalidInput([FieldProblem("poolCode", "POOL_OF_LOCAL_OFFICER")])
        if not await _keeps_experts(pool_code):
            raise InvalidInput([FieldProblem("poolCode", "POOL_NOT_SELECTABLE")])
        if account.pool_code != pool_code:
            await put_into_pool(account, pool_code, by=viewer, now=now)
    return account


async def put_into_pool(account: Account, pool_code: str, *, by: Viewer, now: datetime) -> None:
    """Give a locked account of a local officer another pool: its sessions end, its claims are free. Call inside a transaction."""
    account.pool_code = pool_code
    await account.save(update_fields=["pool_code"])
    await end_sessions(account.id, now=now)
    await _free_claims(account)
    await note(StaffActKind.MOVED, account, by=by, now=now)


async def _keeps_experts(pool_code: str) -> bool:
    return await Division.exists(code=pool_code, pool_selectable=True, retired=False)


async def _locked(account_id: UUID, viewer: Viewer) -> Account:
    """The account of staff, locked together with the administrator's own: two cannot disable each other at the same time."""
    if not keeps_staff(viewer):
        raise NotAllowed
    found = await Account.filter(id__in=[account_id, viewer.account_id]).order_by("id").select_for_update(no_key=True)
    held = {each.id: each for each in found}
    if held[viewer.account_id].status is not AccountStatus.ACTIVE:
        raise NotSignedIn
    account = held.get(account_id)
    if account is None or account.role is Role.EXPERT:
        raise NotFound
    return account


async def _free_claims(account: Account) -> None:
    freed = await rows(
        """WITH freed AS (
               UPDATE applications SET claimed_by_id = NULL, claimed_by_name = NULL, claimed_until = NULL
               WHERE claimed_by_id = $1 RETURNING id, pool_code, stage)
           SELECT * FROM freed""",
        account.id,
    )
    for each in freed:
        await announce("applicationClaimed", application=each["id"], pool=each["pool_code"], stage=each["stage"])
