"""Erasing the personal data of people who left, and of objectors, after their retention times (rules §6, §8); what stays names nobody."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import structlog

from domain.actions.files import drop_unused
from domain.actions.record_chain import erased_hash
from domain.actions.revisions import SECTIONS
from domain.actions.sessions import end_sessions
from domain.actions.sweeping import each_alone
from domain.rules.erasure import ERASED, identifying, scrubbed
from domain.rules.errors import Unavailable
from domain.rules.standing import ENDED
from models.accounts import Account, ClearRead, IdempotencyKey, IdNumberTry, Session
from models.applications import Application, ApplicationNote, ApplicationRecord
from models.database import database_now, rows, transaction
from models.enums import AccountStatus, RevisionState
from models.experts import Expert
from models.profiles import Education, QualificationEntry, Revision, TitleEntry
from models.publicity import Objection, PublicNotice
from models.schedule import ScheduleOccurrence, SchedulePeriod
from models.sms import SmsMessage
from models.standing import StandingRecord
from settings import settings

log = structlog.get_logger("domain.actions.erasure")

_SKELETON = frozenset(
    {
        "id",
        "expert_id",
        "number",
        "base_id",
        "state",
        "version",
        "created_at",
        "updated_at",
        "frozen_at",
        "home_pool_code",
        "id_valid_long_term",
    }
)
"""What stays of a frozen revision, so that records still name one; the trigger of 0004 lets nothing else stay."""

_DUE = """SELECT x.id FROM experts x
    WHERE x.erased_at IS NULL AND x.standing IN ('DEREGISTERED', 'DISMISSED', 'LAPSED')
        AND (SELECT max(s.at) FROM standing_records s WHERE s.expert_id = x.id) < $1 ORDER BY x.id LIMIT $2"""


async def erase_due(*, limit: int = 20) -> int:
    """Erase the data of people who left longer ago than the retention time; how many there were.

    Each person is one transaction. Safe to run late, twice and on several machines: who is erased is not due any more.
    """
    before = await database_now() - timedelta(days=settings().retention_days)
    due = await rows(_DUE, before, limit)
    return await each_alone((row["id"] for row in due), _erase, noun="expert", failed="not erased")


async def forget_objectors(*, limit: int = 100) -> int:
    """Take the phone and address of whoever objected from objections that were settled longer ago than their retention time; how many.

    For one that was left open the time runs from the end of its case. What was written stays with the case, without the phone in it. Safe
    to run late, twice and on several machines: who is forgotten is not due any more.
    """
    before = await database_now() - timedelta(days=settings().objector_retention_days)
    due = await rows(_OBJECTORS_DUE, before, limit)
    return await each_alone((row["id"] for row in due), _forget_objector, noun="objection", failed="objector not forgotten")


_OBJECTORS_DUE = """SELECT o.id FROM objections o JOIN applications c ON c.id = o.application_id
    WHERE o.phone_masked <> '' AND coalesce(o.settled_at, c.closed_at) < $1 ORDER BY o.received_at, o.id LIMIT $2"""


async def _forget_objector(objection_id: UUID) -> bool:
    async with transaction():
        objection = await Objection.filter(id=objection_id).exclude(phone_masked="").select_for_update(skip_locked=True).first()
        if objection is None:
            return False
        objection.text = scrubbed(objection.text, identifying([objection.phone]))
        await _without_objector(objection).save()
        return True


def _without_objector(objection: Objection) -> Objection:
    objection.phone, objection.phone_hash, objection.phone_masked, objection.address_hash = "", b"", "", b""
    return objection


async def _erase(expert_id: UUID) -> bool:
    async with transaction():
        expert = await Expert.select_for_update().get(id=expert_id)
        if expert.erased_at is not None or expert.standing not in ENDED:
            return False
        now = await database_now()
        await rows("SELECT set_config('registry.erasing', $1, TRUE)", str(expert_id))  # the door of models/migrations/0004
        account = await Account.select_for_update().get(id=expert.account_id)
        revisions = await Revision.filter(expert_id=expert_id)
        names = await _names(account, revisions)
        cases = [each.id for each in await Application.filter(expert_id=expert_id)]
        for case_id in cases:
            await _scrub_records(case_id, account.id, names)
        await _empty_what_others_wrote(cases, names)
        await _empty_what_is_known(expert, account, names)
        await _empty_profile(expert, revisions)
        keys = await _take_files(account.id, [each.id for each in revisions])
        await _close(expert, account, now)
    try:
        for key in keys:
            await drop_unused(key)
    except Unavailable:
        log.warning("objects of somebody erased are left to the sweep of stored files", expert=str(expert_id))
    return True


async def _names(account: Account, revisions: list[Revision]) -> tuple[str, ...]:
    """Former phones are those of the messages to the account, which hear of every change of it."""
    known: list[str | None] = [account.name, account.phone, account.id_number]
    for each in revisions:
        known += [each.name, each.former_name, each.id_number, each.second_phone, each.email, each.address]
    known += [each.phone for each in await SmsMessage.filter(account_id=account.id)]
    return identifying(known, await _certificates([each.id for each in revisions]))


async def _certificates(revisions: list[UUID]) -> list[str | None]:
    """Their numbers lead to the person in public registers."""
    found: list[str | None] = []
    for section in (Education, TitleEntry, QualificationEntry):
        found += [each.certificate_number for each in await section.filter(revision_id__in=revisions)]
    return found


async def _scrub_records(case_id: UUID, account_id: UUID, names: tuple[str, ...]) -> None:
    """Records stay, with who decided and why; the person's own words and name go, and the chain is closed over what is left."""
    for record in await ApplicationRecord.filter(application_id=case_id).order_by("number"):
        before = (record.actor_name, record.opinion, record.field_reasons)
        own = record.actor_id == account_id
        record.actor_name = None if own else record.actor_name
        record.opinion = record.opinion and (ERASED if own else scrubbed(record.opinion, names))
        record.field_reasons = [{key: scrubbed(text, names) for key, text in each.items()} for each in record.field_reasons]
        if (record.actor_name, record.opinion, record.field_reasons) != before:
            record.erased_hash = erased_hash(record)
            await record.save(update_fields=["actor_name", "opinion", "field_reasons", "erased_hash"])


async def _empty_what_others_wrote(cases: list[UUID], names: tuple[str, ...]) -> None:
    await ApplicationNote.filter(application_id__in=cases).update(text=ERASED)
    for objection in await Objection.filter(application_id__in=cases):
        objection.text, objection.settlement = ERASED, objection.settlement and scrubbed(objection.settlement, names)
        await _without_objector(objection).save()
    await PublicNotice.filter(application_id__in=cases).update(name=ERASED, employer=ERASED)
    await Application.filter(id__in=cases).update(applicant=ERASED, employer=None)
    await SmsMessage.filter(application_id__in=cases).delete()


async def _empty_what_is_known(expert: Expert, account: Account, names: tuple[str, ...]) -> None:
    await ClearRead.filter(subject_id=account.id).exclude(reason="").update(reason=ERASED)
    for record in await StandingRecord.filter(expert_id=expert.id):
        record.actor_name = None if record.actor_id == account.id else record.actor_name
        record.reasons = record.reasons and scrubbed(record.reasons, names)
        await record.save(update_fields=["actor_name", "reasons"])
    await SmsMessage.filter(account_id=account.id).delete()
    await ScheduleOccurrence.filter(expert_id=expert.id).delete()
    await SchedulePeriod.filter(expert_id=expert.id).delete()


async def _empty_profile(expert: Expert, revisions: list[Revision]) -> None:
    ids = [each.id for each in revisions]
    for section in SECTIONS:
        await section.filter(revision_id__in=ids).delete()
    await Expert.filter(id=expert.id).update(draft_id=None)
    await Revision.filter(id__in=ids, state=RevisionState.DRAFT).delete()
    emptied = {name: None for name in Revision._meta.fields_db_projection if name not in _SKELETON}
    await Revision.filter(id__in=ids).update(id_valid_long_term=False, **emptied)


async def _take_files(account_id: UUID, revisions: list[UUID]) -> set[str]:
    """Rows of images and of exports, also of forms that officers had set; the objects that they named."""
    taken = await rows(
        """WITH images AS (DELETE FROM files WHERE owner_id = $1 RETURNING object_key),
            exported AS (DELETE FROM exports WHERE requested_by_id = $1 OR subject_id = ANY($2::uuid[]) RETURNING object_key)
        SELECT object_key FROM images UNION SELECT object_key FROM exported WHERE object_key IS NOT NULL""",
        account_id,
        revisions,
    )
    return {each["object_key"] for each in taken}


async def _close(expert: Expert, account: Account, now: datetime) -> None:
    """Nobody signs in here again. The hash of the id number stays, to know the person again; so do bars."""
    await end_sessions(account.id, now=now)
    await Session.filter(account_id=account.id).delete()
    await IdempotencyKey.filter(account_id=account.id).delete()
    await IdNumberTry.filter(account_id=account.id).delete()
    account.status, account.name, account.password_hash = AccountStatus.DEREGISTERED, ERASED, ""
    account.phone, account.phone_hash, account.phone_masked = "", b"", ""
    account.id_number = account.id_number_masked = None  # type: ignore[assignment]  # sealed columns are typed without their null
    await account.save()
    await Expert.filter(id=expert.id).update(name=ERASED, lapses_on=None, suspended_until=None, erased_at=now)
