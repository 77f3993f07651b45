"""People who leave, with something of theirs in every table, and ways to see what is left of them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

from domain.actions import (
    applications,
    attachments,
    clear_reads,
    divisions,
    exports,
    keys,
    notes,
    objections,
    profiles,
    reviews,
    schedule,
    standing,
)
from domain.actions.publicity import close_due_notices
from domain.rules import mask
from domain.rules import profile_input as given
from domain.rules.calendar import SHANGHAI
from domain.rules.schedule import PeriodInput, Slot, Span
from models.accounts import Account
from models.applications import Application
from models.database import database_now, rows
from models.enums import Availability, CodePurpose, FilePurpose, HalfDay, PersonalField, Stage
from models.sealing import phone_hash, unseal
from tests.cases import approve, complete_profile, submit
from tests.conftest import Clock
from tests.files import attacks
from tests.files.uploads import hand_in
from tests.objections.raising import objection_to
from tests.people import SignedIn, code_sent, officer, provincial_officer, registered_expert, sign_in

NAME, EMPLOYER, OBJECTOR = "金丝雀", "金丝雀研究院", "+8613755554444"


@dataclass(frozen=True, slots=True)
class Someone:
    """A person with something in every table, and what names them."""

    person: SignedIn
    case: Application
    id_number: str
    id_number_hash: bytes

    @property
    def canaries(self) -> list[str]:
        """As they would stand in a dump."""
        phone = self.person.phone
        return [
            NAME,
            self.id_number,
            phone.removeprefix("+86"),
            mask.phone(phone),
            phone_hash(phone).hex(),
            "88888888",
            "0431****8888",
            "expert@example.cn",
            "e***@example.cn",
            "人民大街",
            "长春某公司",
            "101831199805000001",
            "ZC2010001",
            "教学与科研",
            "住院手术",
            "机场路",
            "黄莺手机",
            "松花江畔",
            OBJECTOR.removeprefix("+86"),
            mask.phone(OBJECTOR),
            phone_hash(OBJECTOR).hex(),
        ]


async def admitted(name: str, clock: Clock, *, full: bool = False, phone: str | None = None, returned_for: Sequence[str] = ()) -> Someone:
    """Admitted, after a return where there are words for it: an opinion, and what is said of a title.

    In full after one whose reasons name the person; with notes, an objection, looks, images and a schedule.
    """
    person = await registered_expert(name=name, phone=phone)
    account = await Account.get(id=person.account.id)
    await complete_profile(person.viewer, employer=EMPLOYER if full else "吉林大学")
    if full:
        image = await hand_in(attacks.scan(), person, await database_now(), purpose=FilePurpose.ID_FRONT, name=f"{name}身份证.jpg")
        await attachments.attach_file(image.id, viewer=person.viewer, now=await database_now())
    case = await submit(person.viewer)
    local = await officer()
    if full:
        now = await database_now()
        await clear_reads.reveal(
            case.id, list(PersonalField), reason=f"核实{name}的机场路住址", viewer=local.viewer, now=await database_now()
        )
        await notes.add(case.id, f"已电话联系{name}", viewer=local.viewer, now=await database_now())
        returned_for = (f"{name}（{person.phone}）请补充", f"{name}的证书不清晰")
    if returned_for:
        opinion, *texts = returned_for
        await reviews.return_to_expert(
            case.id,
            opinion=opinion,
            reasons=[("titles.0.certificate", each) for each in texts],
            seen=reviews.Seen(Stage.FIRST_REVIEW),
            viewer=local.viewer,
            now=await database_now(),
        )
        case = await submit(person.viewer)
    await approve(case.id, local.viewer, opinion="同意")
    for _ in range(2):
        await approve(case.id, (await provincial_officer()).viewer)
    if full:
        objection = await objection_to(case.id, phone=OBJECTOR, text=f"{name}与某公司有关联")
        settler = await provincial_officer()
        await objections.settle(objection.id, upheld=False, reasons=f"经查{name}无此情形", viewer=settler.viewer, now=await database_now())
    await clock.move(days=28)
    await close_due_notices()
    person = await sign_in(person.phone)
    now = await database_now()
    day = now.astimezone(SHANGHAI).date() + timedelta(days=3)
    await schedule.save(
        PeriodInput(availability=Availability.UNAVAILABLE, span=Span(Slot(day, HalfDay.AM), Slot(day, HalfDay.PM)), reason="住院手术"),
        viewer=person.viewer,
        now=now,
    )
    assert case.revision_id is not None
    for each in (person, await provincial_officer()) if full else ():
        await exports.ask_form(case.revision_id, viewer=each.viewer, now=now)
    assert account.id_number_hash is not None
    return Someone(person, await Application.get(id=case.id), str(account.id_number), account.id_number_hash)


async def edit_something(someone: Someone) -> None:
    """Ask for a change of division and take it back, then open the draft of a change."""
    now = await database_now()
    moving = await divisions.request_division_change(
        "220299", reason="全家迁居松花江畔", commitment=True, avoidance=True, viewer=someone.person.viewer, now=now
    )
    await applications.withdraw(moving.id, viewer=someone.person.viewer, now=now)
    entry = given.WorkEntryInput(started_on=now.date() - timedelta(days=900), employer=EMPLOYER, post="院长", duties="黄莺手机")
    await profiles.save_work_entry(entry, viewer=someone.person.viewer, now=now)


async def dump() -> str:
    """Everything there is in the database, sealed columns opened."""
    tables = [each["tablename"] for each in await rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    written = [str(each["line"]) for table in tables for each in await rows(f"SELECT t::text AS line FROM {table} t")]
    for table, column, purpose in keys.sealed_columns():
        written += [unseal(each["v"], purpose) for each in await rows(f"SELECT {column} AS v FROM {table} WHERE {column} IS NOT NULL")]
    return "\n".join(written)


async def leave(someone: Someone) -> None:
    code = await code_sent(someone.person.phone, CodePurpose.DEREGISTER)
    await standing.deregister(code=code, confirm=True, viewer=someone.person.viewer, now=await database_now())


async def pass_days(clock: Clock, days: int) -> None:
    for _ in range(days // 20):
        await clock.move(days=20)
    await clock.move(days=days % 20)


async def digests() -> dict[str, Any]:
    """Every table, to see that nothing changed."""
    tables = [each["tablename"] for each in await rows("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")]
    return {
        table: (await rows(f"SELECT md5(string_agg(md5(t::text), '' ORDER BY md5(t::text))) AS sum FROM {table} t"))[0]["sum"]
        for table in tables
    }
