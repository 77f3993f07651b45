"""Everything that is kept of an expert, written out for that expert: JSON and images in a ZIP (rules §9)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import IO, Any
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

import orjson
from tortoise import fields
from tortoise.models import Model

from domain.actions import storage
from domain.actions.exporting import Progress
from domain.actions.revisions import SECTIONS
from domain.actions.sms import wording
from domain.rules.calendar import SHANGHAI
from domain.rules.viewer import Viewer
from models.accounts import Account, ClearRead, Consent, FailedSignIn, IdempotencyKey, IdNumberTry, PhoneCode, Session
from models.applications import Application, ApplicationRecord
from models.enums import SmsTemplate
from models.experts import Expert
from models.exports import Export
from models.files import StoredFile
from models.pools import PoolTransfer
from models.profiles import Revision
from models.publicity import NoticeSpecialty, PublicNotice
from models.schedule import SchedulePeriod
from models.sms import SmsMessage
from models.standing import Bar, StandingRecord

_EXPLANATION = """这是评审专家库中保存的与您有关的全部数据，生成于 {made_at}（北京时间）。

data.json    您的账号、登录设备、个人资料的全部版本、申请及办理记录、公示、短信、日程、资格变动、查阅记录等
images/      您上传的图片，文件名与 data.json 中 images 的 file 一项对应

不包含的内容：密码和登录令牌（只保存不可还原的摘要）；工作人员之间的备注和经办人姓名；针对您的异议（依规定对提出人保密）。
本文件含有您的个人信息，请妥善保管。
"""

_LEFT_OUT: Mapping[type[Model], frozenset[str]] = MappingProxyType(
    {
        Account: frozenset({"password_hash"}),
        # Experts learn what was decided, not by whom (rules §5), nor who holds their case.
        Application: frozenset({"claimed_by_id", "claimed_by_name", "claimed_until"}),
        ApplicationRecord: frozenset({"actor_id", "actor_name"}),
        StandingRecord: frozenset({"actor_id", "actor_name"}),
        ClearRead: frozenset({"reader_id"}),
        StoredFile: frozenset({"object_key"}),
        Export: frozenset({"object_key"}),
    }
)
"""Columns that are not told, beside all hashes: what only protects the person, and what protects others."""

NOT_TOLD: Mapping[str, str] = MappingProxyType(
    {
        "application_notes": "notes among officers, apart from what the expert reads (rules §5)",
        "objections": "whoever objected is protected, their words might name them (rules §6)",
        "schedule_occurrences": "follow from the periods",
        "staff_acts": "what is done with accounts of staff",
        "sign_in_tickets": "sign-ins of staff that wait for their second factor",
        "outbox": "promises about other rows, without data of their own",
    }
)
"""Tables with rows about people that are left out, and why."""


async def write_own_data(target: IO[bytes], *, viewer: Viewer, now: datetime, progress: Progress) -> str:
    """Write everything about an expert to `target` as a ZIP; the name of the file. One part of one image at a time is held in memory.

    Images that are missing from the store are named in the JSON with `file` null.
    """
    found = await collect(viewer)
    images = found["images"]
    await progress(0, len(images))
    with ZipFile(target, "w", ZIP_STORED) as packed:
        for done, (image, row) in enumerate(
            zip(images, await StoredFile.filter(owner_id=viewer.account_id).order_by("id"), strict=True), 1
        ):
            image["file"] = await _add(packed, row) if await storage.exists(row.object_key) else None
            await progress(done, len(images))
        text = orjson.dumps(found, default=str, option=orjson.OPT_INDENT_2)  # keys come as UUIDs of the driver
        await asyncio.to_thread(packed.writestr, "data.json", text, ZIP_DEFLATED)
        made_at = now.astimezone(SHANGHAI).strftime("%Y-%m-%d %H:%M")
        packed.writestr("说明.txt", _EXPLANATION.format(made_at=made_at), ZIP_DEFLATED)
    return f"个人数据-{now.astimezone(SHANGHAI):%Y%m%d}.zip"


async def collect(viewer: Viewer) -> dict[str, Any]:
    """Everything but the bytes of images, as JSON would have it; personal data in clear."""
    account = await Account.get(id=viewer.account_id)
    own = {"account_id": account.id}
    return {
        "account": _columns(account),
        "consents": await _all(Consent, own),
        "sessions": await _all(Session, own),
        "phoneCodes": await _all(PhoneCode, {"phone_hash": account.phone_hash}),
        "failedSignIns": await _all(FailedSignIn, {"phone_hash": account.phone_hash}),
        "requests": await _all(IdempotencyKey, own),
        "idNumberTries": await _all(IdNumberTry, own),
        "expert": _columns(await Expert.get(id=viewer.expert_id)),
        "profiles": [await _profile(each) for each in await Revision.filter(expert_id=viewer.expert_id).order_by("number")],
        "applications": [await _case(each) for each in await Application.filter(expert_id=viewer.expert_id).order_by("id")],
        "schedule": await _all(SchedulePeriod, {"expert_id": viewer.expert_id}),
        "standing": await _all(StandingRecord, {"expert_id": viewer.expert_id}),
        "poolTransfers": await _all(PoolTransfer, {"expert_id": viewer.expert_id}),
        "bars": [] if account.id_number_hash is None else await _all(Bar, {"id_number_hash": account.id_number_hash}),
        "messages": [await _message(each) for each in await SmsMessage.filter(**own).order_by("id")],
        "clearReads": await _all(ClearRead, {"subject_id": account.id}),
        "exports": await _all(Export, {"requested_by_id": account.id}),
        "images": await _all(StoredFile, {"owner_id": account.id}),
    }


async def _profile(revision: Revision) -> dict[str, Any]:
    sections = {each._meta.db_table: await _all(each, {"revision_id": revision.id}, "position", "id") for each in SECTIONS}
    return _columns(revision) | sections


async def _case(case: Application) -> dict[str, Any]:
    found = _columns(case) | {"records": await _all(ApplicationRecord, {"application_id": case.id}, "number"), "notice": None}
    if notice := await PublicNotice.get_or_none(application_id=case.id):
        found["notice"] = _columns(notice) | {"specialties": await _all(NoticeSpecialty, {"notice_id": notice.id})}
    return found


async def _message(message: SmsMessage) -> dict[str, Any]:
    # A code is not told again: it may still be live.
    return _columns(message) | {"text": None if message.template is SmsTemplate.PHONE_CODE else await wording(message)}


async def _all(model: type[Model], of: Mapping[str, Any], *order: str) -> list[dict[str, Any]]:
    return [_columns(row) for row in await model.filter(**of).order_by(*(order or ("id",)))]


def _columns(row: Model) -> dict[str, Any]:
    """The columns of a row, but for those that are left out."""
    left_out = _LEFT_OUT.get(type(row), frozenset())
    columns = (row._meta.fields_map[name] for name in row._meta.fields_db_projection)
    return {
        column.model_field_name: getattr(row, column.model_field_name)
        for column in columns
        if not isinstance(column, fields.BinaryField) and column.model_field_name not in left_out
    }


async def _add(packed: ZipFile, row: StoredFile) -> str:
    """Copy an image into the archive; its name there."""
    name = f"images/{row.purpose}-{row.id}.{row.media_type.rpartition('/')[2].replace('jpeg', 'jpg')}"
    moment: Sequence[int] = row.created_at.astimezone(SHANGHAI).timetuple()[:6]
    with packed.open(ZipInfo(name, tuple(moment)), "w", force_zip64=True) as part:  # type: ignore[arg-type]  # six numbers
        async for piece in await storage.read(row.object_key):
            await asyncio.to_thread(part.write, piece)
    return name
