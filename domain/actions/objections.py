"""Objections 异议: raised by anybody with a phone, settled by the province (rules §6). Who objected is told to nobody else."""

from __future__ import annotations

import secrets
from datetime import datetime
from uuid import UUID

from domain import reads
from domain.actions import phone_codes
from domain.actions.case_facts import is_person
from domain.actions.moving import Decision, move
from domain.actions.promises import announce
from domain.rules import mask
from domain.rules.calendar import SHANGHAI
from domain.rules.errors import AlreadySettled, NotAllowed, NotFound, NoticeOver
from domain.rules.fields import Fields
from domain.rules.network import network
from domain.rules.objections import DAY, TEXT_LENGTH, Raised, check_raising, settlement, settling_move
from domain.rules.phone import mobile
from domain.rules.phone_codes import Sent
from domain.rules.text import prose
from domain.rules.viewer import Viewer
from models.accounts import Account
from models.applications import Application
from models.database import database_now, rows, take_turns, transaction
from models.enums import CodePurpose, NoticeState, ObjectionState, Role
from models.publicity import Objection, PublicNotice
from models.sealing import keyed_hash, phone_hash
from settings import settings


async def raise_objection(notice_id: UUID, *, phone: str, code: str, text: str, address: str, now: datetime) -> Objection:
    """Receive an objection to a running notice; the code proves the phone.

    Raises InvalidInput, NotFound and NoticeOver before the code is touched, CodeRejected, TooSoon at the limit of phone or address, and
    NoticeOver where the notice ends meanwhile: what counts is the database's clock at the time of writing.
    """
    fields = Fields()
    number = fields.check("phone", lambda: mobile(phone), otherwise="")
    said = fields.check("text", lambda: prose(text, longest=TEXT_LENGTH), otherwise="")
    fields.refuse()
    notice = await PublicNotice.get_or_none(id=notice_id)
    if notice is None:
        raise NotFound
    _check_running(notice, now)
    await phone_codes.spend(number, CodePurpose.OBJECT, code, address=address, now=now)
    by_phone, from_address = phone_hash(number), keyed_hash("address", network(address))
    async with transaction():
        await take_turns(by_phone, from_address)
        # The case first, as in every verb: whoever closes the notice holds it too, so either sees what the other has done.
        case = await Application.select_for_update().get(id=notice.application_id)
        received_at = await database_now()
        _check_running(await PublicNotice.get(id=notice_id), received_at)
        limits = settings()
        check_raising(
            await _raised(by_phone, from_address, received_at),
            now=received_at,
            per_phone=limits.objections_per_phone_day,
            per_address=limits.objections_per_address_day,
        )
        objection = await Objection.create(
            receipt=f"{received_at.astimezone(SHANGHAI):%Y%m%d}-{secrets.token_hex(4).upper()}",
            notice=notice,
            application_id=case.id,
            phone=number,
            phone_hash=by_phone,
            phone_masked=mask.phone(number),
            address_hash=from_address,
            text=said,
            received_at=received_at,
        )
        await announce("objectionReceived", application=case.id, stage=case.stage.value)
    return objection


def _check_running(notice: PublicNotice, now: datetime) -> None:
    if notice.state is not NoticeState.OPEN or notice.closes_at <= now:
        raise NoticeOver


async def _raised(by_phone: bytes, from_address: bytes, now: datetime) -> Raised:
    [found] = await rows(
        """SELECT count(*) FILTER (WHERE phone_hash = $1) AS phone, min(received_at) FILTER (WHERE phone_hash = $1) AS phone_oldest,
                  count(*) FILTER (WHERE address_hash = $2) AS address, min(received_at) FILTER (WHERE address_hash = $2) AS address_oldest
           FROM objections WHERE (phone_hash = $1 OR address_hash = $2) AND received_at > $3""",
        by_phone,
        from_address,
        now - DAY,
    )
    return Raised(by_phone=Sent(found["phone"], found["phone_oldest"]), from_address=Sent(found["address"], found["address_oldest"]))


async def settle(objection_id: UUID, *, upheld: bool, reasons: str, viewer: Viewer, now: datetime) -> Objection:
    """Decide an objection, for provincial officers; the case moves where the rules say so (domain/rules/objections.py).

    The reasons of one upheld are the opinion on record, which the expert reads; those of a dismissal stay with the province.
    Raises NotFound, InvalidInput, AlreadySettled, and NotAllowed for who is the applicant (OWN_CASE) or objector (OWN_OBJECTION).
    """
    async with transaction():
        objection, case = await _locked(objection_id, viewer, now)
        if objection.state is not ObjectionState.OPEN:
            raise AlreadySettled(objection.state)
        await _check_settler(objection, case, viewer)
        fields = Fields()
        said = fields.check("reasons", lambda: settlement(reasons, phone=objection.phone), otherwise="")
        fields.refuse()
        objection.state = ObjectionState.UPHELD if upheld else ObjectionState.DISMISSED
        objection.settled_at, objection.settled_by_id, objection.settled_by_name = now, viewer.account_id, viewer.name
        objection.settlement = said
        await objection.save(update_fields=["state", "settled_at", "settled_by_id", "settled_by_name", "settlement"])
        others_open = await Objection.filter(application_id=case.id, state=ObjectionState.OPEN).exists()
        how = settling_move(case.stage, upheld=upheld, others_open=others_open)
        if how is not None:
            await move(case, how, viewer=viewer, now=now, decision=Decision(opinion=said if upheld else None))
        else:
            await announce("objectionSettled", application=case.id, stage=case.stage.value)
    return objection


async def _locked(objection_id: UUID, viewer: Viewer, now: datetime) -> tuple[Objection, Application]:
    """The objection and its case, both locked, the case first; raises NotFound unless the viewer may see objections."""
    if viewer.role is not Role.PROVINCIAL_OFFICER:
        raise NotFound
    found = await reads.one(Objection, objection_id, viewer=viewer, now=now)
    case = await Application.select_for_update().get(id=found.application_id)
    return await Objection.select_for_update().get(id=objection_id), case


async def _check_settler(objection: Objection, case: Application, viewer: Viewer) -> None:
    officer = await Account.get(id=viewer.account_id)
    if officer.phone_hash == objection.phone_hash:
        raise NotAllowed("OWN_OBJECTION")
    if await is_person(officer.id, case.expert_id, case.revision_id):
        raise NotAllowed("OWN_CASE")
