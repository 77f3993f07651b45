"""The demonstration: people of every role who can sign in at once, in development mode alone."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime

from domain.actions.accounts import checked_person, create_expert, create_staff
from domain.actions.sms import wording
from domain.rules import mask
from domain.rules.errors import NotAllowed, Taken
from domain.rules.fields import Fields
from domain.rules.phone import mobile
from models.accounts import Account
from models.database import database_now
from models.enums import Role, SmsState, SmsTemplate
from models.sealing import phone_hash
from models.sms import SmsMessage
from settings import settings


@dataclass(frozen=True, slots=True, kw_only=True)
class DemonstrationAccount:
    """Somebody to try the product as; invented, as is the id number."""

    label: str
    phone: str
    password: str = "registry-demo"  # noqa: S105  known to everybody, and of no use outside development mode
    role: Role
    name: str
    id_number: str
    pool_code: str | None = None


ACCOUNTS = (
    DemonstrationAccount(
        label="临时专家 temporary expert", phone="13800000001", role=Role.EXPERT, name="陈评审", id_number="220102197001011010"
    ),
    DemonstrationAccount(
        label="长春市本级初审 officer of Changchun (220199)",
        phone="13800000002",
        role=Role.LOCAL_OFFICER,
        name="刘初审",
        id_number="220102197202022023",
        pool_code="220199",
    ),
    DemonstrationAccount(
        label="吉林市本级初审 officer of Jilin City (220299)",
        phone="13800000003",
        role=Role.LOCAL_OFFICER,
        name="孙初审",
        id_number="220202197604044044",
        pool_code="220299",
    ),
    DemonstrationAccount(
        label="省级复审 first provincial officer",
        phone="13800000004",
        role=Role.PROVINCIAL_OFFICER,
        name="周复审",
        id_number="220102197403033036",
    ),
    DemonstrationAccount(
        label="省级终审 second provincial officer",
        phone="13800000005",
        role=Role.PROVINCIAL_OFFICER,
        name="吴终审",
        id_number="220102197805055051",
    ),
    DemonstrationAccount(
        label="系统管理员 administrator", phone="13800000006", role=Role.ADMINISTRATOR, name="郑管理", id_number="220102198006066066"
    ),
)


async def prepare() -> None:
    """Make the accounts that are not there yet; a repeat changes nothing. Raises NotAllowed DEVELOPMENT_ONLY outside development mode."""
    if not settings().development:
        raise NotAllowed("DEVELOPMENT_ONLY")
    now = await database_now()
    for each in ACCOUNTS:
        if not await Account.exists(phone_hash=phone_hash(mobile(each.phone))):
            with suppress(Taken):  # somebody tried changing the phone
                await _create(each, now)


async def _create(account: DemonstrationAccount, now: datetime) -> None:
    if account.role is not Role.EXPERT:
        await create_staff(
            role=account.role,
            pool_code=account.pool_code,
            phone=account.phone,
            password=account.password,
            name=account.name,
            id_number=account.id_number,
            now=now,
        )
        return
    fields = Fields()
    person = checked_person(
        fields, name=account.name, phone=account.phone, id_number=account.id_number, password=account.password, language="zh", now=now
    )
    fields.refuse()
    await create_expert(person, terms_version=settings().privacy_terms_version, now=now)


@dataclass(frozen=True, slots=True, kw_only=True)
class SentText:
    """A message as its receiver reads it."""

    template: SmsTemplate
    phone: str
    text: str
    state: SmsState
    created_at: datetime


async def latest_messages(phone: str | None = None, *, limit: int = 20) -> list[SentText]:
    """The latest messages to a phone, or to all, codes included, the newest first: a telephone for those who try the product.

    Raises NotAllowed DEVELOPMENT_ONLY outside development mode, InvalidInput for what is no mobile number.
    """
    if not settings().development:
        raise NotAllowed("DEVELOPMENT_ONLY")
    fields = Fields()
    number = fields.check("phone", lambda: mobile(phone), otherwise="") if phone is not None else None
    fields.refuse()
    found = SmsMessage.all() if number is None else SmsMessage.filter(phone_masked=mask.phone(number))
    return [
        SentText(template=each.template, phone=each.phone, text=await wording(each), state=each.state, created_at=each.created_at)
        for each in await found.order_by("-id").limit(limit)
        if number in (None, each.phone)  # several numbers look alike when masked
    ]
