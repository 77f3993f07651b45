"""Reading personal data in clear: for the officers whose case it is, each look recorded for the person to see (rules §9)."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from uuid import UUID

from domain import reads
from domain.actions.case_facts import facts_of
from domain.rules.clear_reads import HOUR, REASON_LENGTH, SHOW_THEM, check_in_hands, check_rate, written
from domain.rules.errors import NotAllowed, NotFound
from domain.rules.fields import Fields
from domain.rules.phone_codes import Sent
from domain.rules.text import line
from domain.rules.viewer import Viewer
from models.accounts import Account, ClearRead
from models.applications import Application
from models.database import rows, take_turns, transaction
from models.enums import PersonalField
from models.experts import Expert
from models.files import StoredFile
from models.profiles import Revision
from settings import settings


async def reveal(
    case_id: UUID, fields: Collection[PersonalField], *, reason: str, viewer: Viewer, now: datetime
) -> Mapping[PersonalField, str | None]:
    """What the submitted profile of a case says in clear, for the officers in whose hands it is; recorded before it is told.

    Raises InvalidInput, NotFound, NotAllowed CASE_NOT_YOURS at any other stage, ClaimedByAnother, and TooSoon after
    `clear_reads_per_hour` looks of this officer. A repeat is another look.
    """
    checked = Fields()
    said = checked.check("reason", lambda: line(reason, longest=REASON_LENGTH), otherwise="")
    wanted = set(fields)
    if not wanted:
        checked.wrong("fields", "REQUIRED")
    checked.refuse()
    if not viewer.is_officer:
        raise NotFound
    async with transaction():
        case = await reads.one(Application, case_id, viewer=viewer, now=now, lock=True)  # it does not leave the office meanwhile
        check_in_hands(facts_of(case), viewer, holder=case.claimed_by_name or "", now=now)
        await take_turns(viewer.account_id.bytes)
        check_rate(await _asked(viewer, now), most=settings().clear_reads_per_hour, now=now)
        account = await Account.get(id=(await Expert.get(id=case.expert_id)).account_id)
        revision = await Revision.get(id=case.revision_id)
        await _record(account.id, written(wanted), viewer=viewer, now=now, reason=said, application_id=case.id)
    told = {
        PersonalField.ID_NUMBER: revision.id_number,
        PersonalField.PHONE: account.phone,
        PersonalField.SECOND_PHONE: revision.second_phone,
        PersonalField.EMAIL: revision.email,
        PersonalField.ADDRESS: revision.address,
    }
    return {each: told[each] for each in wanted}


async def look_at_image(file: StoredFile, *, viewer: Viewer, now: datetime) -> None:
    """Note for the owner of an image that an officer opens it by itself.

    For images on which masked data can be read it is as with `reveal`: raises NotAllowed CASE_NOT_YOURS unless a case of the owner is with
    the officer's office, ClaimedByAnother while a colleague holds it.
    """
    if file.purpose in SHOW_THEM:
        case = await Application.filter(expert__account_id=file.owner_id, closed_at__isnull=True).first()
        if case is None:
            raise NotAllowed("CASE_NOT_YOURS")
        check_in_hands(facts_of(case), viewer, holder=case.claimed_by_name or "", now=now)
    await record_image(file, viewer=viewer, now=now)


async def record_image(file: StoredFile, *, viewer: Viewer, now: datetime) -> None:
    """Note for the owner of an image that somebody else saw it."""
    await _record(file.owner_id, f"FILE:{file.purpose}", viewer=viewer, now=now)


async def _record(
    subject_id: UUID, what: str, *, viewer: Viewer, now: datetime, reason: str = "", application_id: UUID | None = None
) -> None:
    await ClearRead.create(
        subject_id=subject_id,
        reader_id=viewer.account_id,
        reader_name=viewer.name,
        reader_role=viewer.role,
        reader_pool_code=viewer.pool_code,
        application_id=application_id,
        what=what,
        reason=reason,
        at=now,
    )


async def _asked(viewer: Viewer, now: datetime) -> Sent:
    found = await rows(
        "SELECT count(*), min(at), max(at) FROM clear_reads WHERE reader_id = $1 AND application_id IS NOT NULL AND at > $2",
        viewer.account_id,
        now - HOUR,
    )
    return Sent(found[0]["count"], found[0]["min"], found[0]["max"])
