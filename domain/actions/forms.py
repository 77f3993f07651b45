"""Setting the application form 申请表 of a revision as PDF, and the check code printed on it."""

from __future__ import annotations

import hmac
from datetime import datetime
from typing import IO
from uuid import UUID

import orjson

from domain.actions import exporting, storage
from domain.actions.comparing import names_in, snapshots
from domain.rules import forms
from domain.rules.calendar import SHANGHAI
from domain.rules.difference import Snapshot
from domain.rules.viewer import Viewer
from models.accounts import Account
from models.experts import Expert
from models.files import StoredFile
from models.reference import Division
from models.sealing import derived_key
from settings import settings


async def check_code_of(revision_id: UUID) -> str:
    """The check code of a revision as it is now; it stays the same once the revision is frozen, and while scans are added to it."""
    return _check_code(revision_id, (await snapshots(revision_id))[revision_id])


async def set_form(revision_id: UUID, target: IO[bytes], *, viewer: Viewer, now: datetime) -> str:
    """Write the form of a revision to `target` as PDF, in clear for its owner and masked for others; the name of the file.

    The photo is left out where it is missing from the store. Call for a viewer who may see the revision.
    """
    revision = (await snapshots(revision_id))[revision_id]
    expert = await Expert.get(id=revision.own["expert_id"])
    account = await Account.get(id=expert.account_id)
    province = await Division.get_or_none(code=settings().province_code)
    clear = expert.id == viewer.expert_id
    form = forms.form(
        revision,
        await names_in(revision),
        phone=account.phone.removeprefix("+86") if clear else account.phone_masked,
        clear=clear,
        code=_check_code(revision_id, revision),
        province=province.name if province else "",
        printed_on=now.astimezone(SHANGHAI).date(),
    )
    with storage.spool() as source:
        source.write(orjson.dumps(form) + b"\n")
        if portrait := await StoredFile.get_or_none(id=revision.own["portrait_id"]):
            await _copy(portrait.object_key, source)
        await exporting.write("form", source, target)
    return f"申请表-{form['code']}.pdf"


async def _copy(key: str, target: IO[bytes]) -> None:
    if await storage.exists(key):
        async for part in await storage.read(key):
            target.write(part)


def _check_code(revision_id: UUID, revision: Snapshot) -> str:
    told = orjson.dumps(forms.content(revision), option=orjson.OPT_SORT_KEYS)
    return forms.check_code(hmac.digest(derived_key("form"), revision_id.bytes + told, "sha256"))
