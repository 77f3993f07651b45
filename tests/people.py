"""People for tests, each made by the verbs that make them in life, none by writing rows."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from itertools import count

from domain.actions import accounts, phone_codes, sessions, staff
from domain.rules.identity import check_digit
from domain.rules.viewer import Viewer
from models.accounts import Account
from models.database import database_now
from models.enums import CodePurpose, Role, Transport
from settings import settings

PASSWORD = "correct horse battery"

_numbers = count(1)
_people = count(1000)


def some_phone() -> str:
    """A mobile number that no other person of this process has, in E.164."""
    return f"+861391{next(_numbers):07}"


def some_id_number(*, born: date = date(1975, 3, 12), male: bool = True) -> str:
    """A valid resident id number of Changchun that no other person of this process has."""
    district, order = divmod(next(_people), 500)
    body = f"2201{district:02}{born:%Y%m%d}{order * 2 + male:03}"
    return body + check_digit(body)


def some_address() -> str:
    """A client address of its own, so that one test does not use up another's limits."""
    number = next(_numbers)
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedIn:
    """Somebody with an open session."""

    account: Account
    viewer: Viewer
    token: str
    phone: str
    password: str


async def code_sent(phone: str, purpose: CodePurpose, *, now: datetime | None = None) -> str:
    """Have a code sent and read it like the holder of the phone."""
    issued = await phone_codes.send(phone, purpose, address=some_address(), now=now or await database_now())
    return phone_codes.code_of(issued.id)


async def sign_in(phone: str, password: str = PASSWORD) -> SignedIn:
    """Sign in by password."""
    opened = await sessions.open_session(
        phone, password=password, transport=Transport.BEARER, device="pytest", address=some_address(), now=await database_now()
    )
    viewer, _ = await sessions.authenticate(opened.token)
    assert viewer is not None
    return SignedIn(account=await Account.get(id=viewer.account_id), viewer=viewer, token=opened.token, phone=phone, password=password)


async def registered_expert(*, name: str = "张三", id_number: str | None = None, phone: str | None = None) -> SignedIn:
    """A temporary expert, registered by phone code and signed in."""
    phone = phone or some_phone()
    await accounts.register(
        phone=phone,
        code=await code_sent(phone, CodePurpose.REGISTER),
        password=PASSWORD,
        name=name,
        id_number=id_number or some_id_number(),
        terms_version=settings().privacy_terms_version,
        sensitive_data_accepted=True,
        language="zh",
        now=await database_now(),
    )
    return await sign_in(phone)


async def officer(pool_code: str = "220199", *, name: str = "李初审") -> SignedIn:
    """An officer of a city or county, signed in."""
    return await _staff(Role.LOCAL_OFFICER, name, pool_code)


async def provincial_officer(*, name: str = "王复审") -> SignedIn:
    """An officer of the province, signed in."""
    return await _staff(Role.PROVINCIAL_OFFICER, name, None)


async def administrator(*, name: str = "赵管理") -> SignedIn:
    """An administrator, signed in."""
    return await _staff(Role.ADMINISTRATOR, name, None)


async def under_a_new_account(person: SignedIn, by: SignedIn) -> SignedIn:
    """The same provincial officer, whose account an administrator has disabled, in a new one with the same phone and id number."""
    await staff.disable(person.account.id, viewer=by.viewer, now=await database_now())
    return await _staff(Role.PROVINCIAL_OFFICER, person.account.name, None, phone=person.phone, id_number=person.account.id_number)


async def _staff(role: Role, name: str, pool_code: str | None, *, phone: str | None = None, id_number: str | None = None) -> SignedIn:
    phone = phone or some_phone()
    await accounts.create_staff(
        role=role,
        pool_code=pool_code,
        phone=phone,
        password=PASSWORD,
        name=name,
        id_number=id_number or some_id_number(),
        now=await database_now(),
    )
    return await sign_in(phone)
