"""Accounts: registering, resetting the password, changing the phone, and accounts of staff (rules §2)."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime

from tortoise.exceptions import IntegrityError

from domain.actions import phone_codes
from domain.actions.consents import check_consent
from domain.actions.id_numbers import is_taken
from domain.actions.passwords import forget_failures, hash_password, password_opens
from domain.actions.promises import send_sms
from domain.actions.sessions import end_sessions
from domain.actions.staff_acts import note, note_own
from domain.rules import identity, mask
from domain.rules.calendar import SHANGHAI
from domain.rules.errors import NotSignedIn, SignInRefused, Taken
from domain.rules.fields import Fields
from domain.rules.messages import Language
from domain.rules.passwords import acceptable, not_personal
from domain.rules.phone import mobile
from domain.rules.text import person_name
from domain.rules.viewer import Viewer
from models.accounts import Account, Consent
from models.database import rows, take_turns, transaction
from models.enums import AccountStatus, CodePurpose, Role, SmsTemplate, StaffActKind
from models.experts import Expert
from models.reference import Division
from models.sealing import id_number_hash, phone_hash


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Who an account is for, every field checked: phone in E.164, id number normalised, password as it is hashed."""

    name: str
    phone: str
    id_number: str
    password: str
    language: Language


def checked_person(fields: Fields, *, name: str, phone: str, id_number: str, password: str, language: Language, now: datetime) -> Person:
    """The person as an account keeps them; problems are noted under `name`, `phone`, `idNumber` and `password`."""
    number = fields.check("phone", lambda: mobile(phone), otherwise="")
    today = now.astimezone(SHANGHAI).date()
    paper = fields.check("idNumber", lambda: identity.of_card(id_number, today=today).number, otherwise="")
    return Person(
        name=fields.check("name", lambda: person_name(name), otherwise=""),
        phone=number,
        id_number=paper,
        password=fields.check("password", lambda: _password(password, number, paper), otherwise=""),
        language=language,
    )


async def register(
    *,
    phone: str,
    code: str,
    password: str,
    name: str,
    id_number: str,
    terms_version: str,
    sensitive_data_accepted: bool,
    language: Language,
    address: str | None = None,
    now: datetime,
) -> Account:
    """Register a temporary expert: the code proves the phone, the present privacy terms and, apart, the use of sensitive data are accepted.

    Raises InvalidInput before the code is touched, CodeRejected, and Taken for a phone or id number of a live account, told to nobody
    but the holder of the phone; the code is used up by then, so that each id number tried costs a new one.
    """
    fields = Fields()
    person = checked_person(fields, name=name, phone=phone, id_number=id_number, password=password, language=language, now=now)
    check_consent(fields, "termsVersion", terms_version, sensitive_data_accepted=sensitive_data_accepted)
    fields.refuse()
    await phone_codes.spend(person.phone, CodePurpose.REGISTER, code, address=address, now=now)
    return await create_expert(person, terms_version=terms_version, now=now)


async def create_expert(person: Person, *, terms_version: str, now: datetime) -> Account:
    """The account, consent and place in the registry of somebody whose phone is proven. Raises Taken."""
    password_hash = await hash_password(person.password)
    with unless_taken(phone="phone"):
        async with transaction():
            account = await _create_account(person, Role.EXPERT, password_hash, now=now)
            if await is_taken(account.id_number_hash, account_id=account.id, now=now):
                raise Taken("idNumber")
            await Expert.create(account=account, name=account.name, created_at=now)
            await Consent.create(account=account, terms_version=terms_version, accepted_at=now, sensitive_accepted_at=now)
    return account


async def create_staff(
    *,
    role: Role,
    pool_code: str | None = None,
    phone: str,
    password: str,
    name: str,
    id_number: str,
    language: Language = "zh",
    by: Viewer | None = None,
    now: datetime,
) -> Account:
    """An account of an officer or administrator; called by administrators and the command line, which answer for the phone.

    A local officer needs a pool that can be chosen, the others have none. Raises InvalidInput, and Taken where the phone or id number
    has a live account: finance staff may not be experts (art. 16 of 财库〔2016〕198号).
    """
    fields = Fields()
    person = checked_person(fields, name=name, phone=phone, id_number=id_number, password=password, language=language, now=now)
    if role is Role.EXPERT:
        fields.wrong("role", "NOT_A_STAFF_ROLE")
    if (role is Role.LOCAL_OFFICER) != (pool_code is not None):
        fields.wrong("poolCode", "POOL_OF_LOCAL_OFFICER")
    elif pool_code is not None and not await Division.exists(code=pool_code, pool_selectable=True, retired=False):
        fields.wrong("poolCode", "POOL_NOT_SELECTABLE")
    fields.refuse()
    password_hash = await hash_password(person.password)
    with unless_taken(phone="phone", wording="TAKEN_BY_SOMEBODY"):
        async with transaction():
            if await is_expert(id_number_hash(person.id_number)):
                raise Taken("idNumber", "TAKEN_BY_SOMEBODY")
            account = await _create_account(person, role, password_hash, pool_code=pool_code, now=now)
            await note(StaffActKind.CREATED, account, by=by, now=now)
    return account


async def is_expert(number_hash: bytes) -> bool:
    """Whether an id number is that of a live expert: of a draft, of a case under way, or of the profile in force.

    A profile may bear another number than the account of its owner. Until the transaction ends nobody submits a profile with this number.
    """
    await take_turns(number_hash)
    return bool(await rows(_IS_EXPERT, number_hash))


_IS_EXPERT = """
SELECT FROM revisions r JOIN experts x ON x.id = r.expert_id JOIN accounts a ON a.id = x.account_id
LEFT JOIN applications c ON c.expert_id = x.id AND c.closed_at IS NULL
WHERE r.id_number_hash = $1 AND r.id IN (x.draft_id, x.effective_id, c.revision_id) AND a.status <> 'DEREGISTERED' LIMIT 1
"""


async def reset_password(phone: str, *, code: str, password: str, address: str | None = None, now: datetime) -> None:
    """Set a new password with a phone code, and end every session of the account.

    Raises InvalidInput, CodeRejected, and SignInRefused where the code is right but the phone has no account that can be used.
    """
    fields = Fields()
    number = fields.check("phone", lambda: mobile(phone), otherwise="")
    chosen = fields.check("password", lambda: _password(password, number), otherwise="")
    fields.refuse()
    digest = phone_hash(number)
    known = await Account.get_or_none(phone_hash=digest, status=AccountStatus.ACTIVE)
    if known is not None:
        fields.check("password", lambda: not_personal(chosen, known.id_number), otherwise=None)
    if fields.problems:
        # That the password holds part of the id number is for the holder of the phone to know; they keep the code for another one.
        await phone_codes.check(number, CodePurpose.RESET_PASSWORD, code, address=address, now=now)
        fields.refuse()
    await phone_codes.spend(number, CodePurpose.RESET_PASSWORD, code, address=address, now=now)
    password_hash = await hash_password(chosen)
    async with transaction():
        account = await Account.filter(phone_hash=digest, status=AccountStatus.ACTIVE).select_for_update().first()
        if account is None:
            raise SignInRefused
        account.password_hash = password_hash
        await account.save(update_fields=["password_hash"])
        await end_sessions(account.id, now=now)
        await forget_failures(digest)
        await note_own(StaffActKind.PASSWORD_RESET, account, now=now)


async def change_phone(
    new_phone: str, *, code: str, password: str | None = None, old_code: str | None = None, viewer: Viewer, address: str, now: datetime
) -> Account:
    """Sign in with another phone from now on; `code` proves the new one, the password or `old_code` the person.

    All other sessions end, and both phones get a message. Raises InvalidInput, CodeRejected, SignInRefused for a wrong password, TooSoon
    after too many, and Taken once both are proven. Codes are used up only when everything is right.
    """
    fields = Fields()
    known = await Account.get(id=viewer.account_id)
    number = fields.check("newPhone", lambda: mobile(new_phone), otherwise="")
    if number == known.phone:
        fields.wrong("newPhone", "PHONE_UNCHANGED")
    if (password is None) == (old_code is None):
        fields.wrong("password", "ONE_PROOF")
    fields.refuse()
    await phone_codes.check(number, CodePurpose.CHANGE_PHONE, code, address=address, now=now)
    if password is not None:
        if not await password_opens(known, password, phone_hash=known.phone_hash, address=address, now=now):
            raise SignInRefused("PASSWORD_WRONG")
    elif old_code is not None:
        await phone_codes.spend(known.phone, CodePurpose.CHANGE_PHONE, old_code, now=now)
    await phone_codes.spend(number, CodePurpose.CHANGE_PHONE, code, address=address, now=now)
    with unless_taken(phone="newPhone", wording="PHONE_TAKEN"):
        async with transaction():
            account = await Account.filter(id=viewer.account_id, status=AccountStatus.ACTIVE).select_for_update().first()
            if account is None or (account.phone_hash, account.password_hash) != (known.phone_hash, known.password_hash):
                raise NotSignedIn  # what was proven is no longer so: the phone or password has been changed from elsewhere
            changed = {"phone": mask.phone(number)}
            await send_sms(SmsTemplate.PHONE_CHANGED, account, parameters=changed, now=now)
            account.phone, account.phone_hash, account.phone_masked = number, phone_hash(number), mask.phone(number)
            await account.save(update_fields=["phone", "phone_hash", "phone_masked"])
            await send_sms(SmsTemplate.PHONE_CHANGED, account, parameters=changed, now=now)
            await end_sessions(account.id, now=now, keep=viewer.session_id)
            await note_own(StaffActKind.PHONE_CHANGED, account, now=now)
    return account


def _password(text: str, phone: str, id_number: str | None = None) -> str:
    chosen = acceptable(text)
    not_personal(chosen, phone.removeprefix("+86"), id_number)
    return chosen


async def _create_account(person: Person, role: Role, password_hash: str, *, pool_code: str | None = None, now: datetime) -> Account:
    return await Account.create(
        role=role,
        name=person.name,
        phone=person.phone,
        phone_hash=phone_hash(person.phone),
        phone_masked=mask.phone(person.phone),
        id_number=person.id_number,
        id_number_hash=id_number_hash(person.id_number),
        id_number_masked=mask.id_number(person.id_number),
        password_hash=password_hash,
        pool_code=pool_code,
        language=person.language,
        created_at=now,
    )


@contextmanager
def unless_taken(*, phone: str, id_number: str = "idNumber", wording: str | None = None) -> Iterator[None]:
    """Turn the refusal of the two constraints into Taken, with the paths of phone and id number in the input, and its text."""
    paths = {"one_live_account_per_phone": phone, "one_live_account_per_id_number": id_number}
    try:
        yield
    except IntegrityError as error:
        path = paths.get(getattr(error.__cause__, "constraint_name", ""))
        if path is None:
            raise
        raise Taken(path, wording) from None
