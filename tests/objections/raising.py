"""Objections for tests, raised by the verb."""

from __future__ import annotations

from uuid import UUID

from domain.actions import objections
from models.database import database_now
from models.enums import CodePurpose
from models.publicity import Objection, PublicNotice
from tests.people import code_sent, some_address, some_phone

TEXT = "该人员所报工作履历与事实不符。"


async def objection_to(case_id: UUID, *, phone: str | None = None, address: str | None = None, text: str = TEXT) -> Objection:
    """Somebody's objection to the notice of a case."""
    phone = phone or some_phone()
    notice = await PublicNotice.get(application_id=case_id)
    return await objections.raise_objection(
        notice.id,
        phone=phone,
        code=await code_sent(phone, CodePurpose.OBJECT),
        text=text,
        address=address or some_address(),
        now=await database_now(),
    )
