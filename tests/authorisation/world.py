"""A world with something of every type in it, and who may see what: everybody else must find nothing there."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from domain.actions import attachments, clear_reads, exports, notes, pools, profiles, schedule, sessions, standing
from domain.actions.clock import move as move_clock
from domain.actions.publicity import close_due_notices
from domain.lists import CaseFilter
from domain.rules import profile_input as given
from domain.rules.calendar import SHANGHAI
from domain.rules.schedule import PeriodInput, Slot, Span
from domain.rules.viewer import Viewer
from models.applications import Application
from models.database import database_now, rows
from models.enums import Availability, FilePurpose, HalfDay, PersonalField, Stage
from models.experts import Expert
from models.profiles import Revision
from settings import settings
from tests.cases import approve, case_at, complete_profile, return_case, submit
from tests.divisions.moving import ask
from tests.objections.raising import objection_to
from tests.people import SignedIn, administrator, officer, provincial_officer, registered_expert, sign_in
from tests.profiles.kept import draft_of, some_image

ROLES = ("nobody", "former", "owner", "another", "office", "elsewhere", "province", "administrator")
"""Signed out; with the token of a session that was ended; whose thing it is; another expert; officer of the pool; officer of another
pool; provincial officer; administrator."""

OBJECTOR = "+8613788889999"
EVERYBODY = " ".join(ROLES)
REVIEWERS = "owner office province"
MOVING = "owner office elsewhere province"
"""Those of a change of division from the pool of `office` to that of `elsewhere`."""

ALLOWED = f"""
Account of the expert                   | owner
Account of the officer                  | office administrator
Account of the officer elsewhere        | elsewhere administrator
Account of a colleague of the officer   | office administrator
Account of a provincial officer         | province administrator
Account of the administrator            | administrator
Session of the expert                   | owner
Session of the expert, ended            |
Session of the officer                  | office
Expert with a draft alone               | owner
Expert under review                     | {REVIEWERS}
Expert who is formal                    | {REVIEWERS}
Expert who changes the division         | {MOVING}
Application in draft                    | owner
Application returned                    | {REVIEWERS}
Application under review                | {REVIEWERS}
Application before the public           | {REVIEWERS}
Application withdrawn                   | {REVIEWERS}
Application admitted                    | {REVIEWERS}
Application to change the division      | {MOVING}
ApplicationRecord of a return           | {REVIEWERS}
ApplicationRecord of an admission       | {REVIEWERS}
ApplicationRecord of a change of division | {MOVING}
ClearRead of a case                     | owner
Consent of the expert                   | owner
ApplicationNote of a case               | office province
ApplicationNote of the office left      | office elsewhere province
Message of a case                       | office province administrator
Message of a change of division         | elsewhere province administrator
Message with a phone code               | administrator
Objection to a notice that runs         | province
StaffAct with the account of the officer | administrator
PoolMerge into the pool                 | office province administrator
PoolTransfer into the pool              | {REVIEWERS}
Profile in first draft                  | owner
Profile in draft after a return         | owner
Profile returned                        | {REVIEWERS}
Profile under review                    | {REVIEWERS}
Profile in force                        | {REVIEWERS}
Profile with another division           | {MOVING}
Profile in force, of who moves          | {REVIEWERS}
Education in a draft                    | owner
Education in a frozen profile           | {REVIEWERS}
TitleEntry in a draft                   | owner
TitleEntry in a frozen profile          | {REVIEWERS}
WorkEntry in a draft                    | owner
WorkEntry in a frozen profile           | {REVIEWERS}
QualificationEntry in a draft           | owner
QualificationEntry in a frozen profile  | {REVIEWERS}
ChosenSpecialty in a draft              | owner
ChosenSpecialty in a frozen profile     | {REVIEWERS}
OtherMaterial in a draft                | owner
OtherMaterial in a frozen profile       | {REVIEWERS}
Export of the expert                    | owner
Export of the officer                   | office
File of nothing                         | owner
File in a draft alone                   | owner
File in a frozen profile                | {REVIEWERS}
File of a portrait under review         | {REVIEWERS}
PublicNotice that runs                  | {EVERYBODY}
PublicNotice that is over               | {REVIEWERS}
NoticeSpecialty that runs               | {EVERYBODY}
NoticeSpecialty that is over            | {REVIEWERS}
SchedulePeriod of a formal expert       | {REVIEWERS}
SchedulePeriod of who moves             | {REVIEWERS}
ScheduleOccurrence of a formal expert   | {REVIEWERS}
StandingRecord of a formal expert       | {REVIEWERS}
Division                                | {EVERYBODY}
Specialty                               | {EVERYBODY}
Title                                   | {EVERYBODY}
Qualification                           | {EVERYBODY}
Code                                    | {EVERYBODY}
HelpArticle                             | {EVERYBODY}
HelpContact                             | {EVERYBODY}
"""


def allowed() -> dict[str, frozenset[str]]:
    """The list above: who may see each thing."""
    lines = (line.split("|") for line in ALLOWED.strip().splitlines())
    return {thing.strip(): frozenset(roles.split()) for thing, roles in lines}


@dataclass(frozen=True, slots=True)
class Thing:
    """Something with a global id, and its owner where it has one."""

    id: str
    owner: Viewer | None = None


@dataclass(frozen=True, slots=True)
class World:
    """Everything there is: viewers by role (`owner` differs from thing to thing), things by the names of the list, secrets by theirs."""

    viewers: dict[str, Viewer | None]
    things: dict[str, Thing]
    people: dict[str, SignedIn]
    now: datetime

    def viewer(self, role: str, thing: Thing) -> Viewer | None:
        """Who asks for a thing in a role."""
        return thing.owner if role == "owner" else self.viewers[role]


async def _sections(name: str, revision: UUID | None, owner: Viewer) -> dict[str, Thing]:
    found = {}
    for kind, table in (
        ("Education", "education"),
        ("TitleEntry", "title_entries"),
        ("WorkEntry", "work_entries"),
        ("QualificationEntry", "qualification_entries"),
        ("ChosenSpecialty", "revision_specialties"),
        ("OtherMaterial", "other_materials"),
    ):
        row = (await rows(f"SELECT id FROM {table} WHERE revision_id = $1 LIMIT 1", revision))[0]
        found[f"{kind} in {name}"] = Thing(f"{kind}_{row['id']}", owner)
    return found


async def _with_qualification(viewer: Viewer) -> None:
    await complete_profile(viewer)
    now = await database_now()
    entry = await profiles.save_qualification(
        given.QualificationInput(
            qualification_code="Q101", certificate_number="1", obtained_on=datetime(2001, 6, 1, tzinfo=SHANGHAI).date(), issuer="教育部"
        ),
        viewer=viewer,
        now=now,
    )
    image = await some_image(viewer, FilePurpose.QUALIFICATION)
    await attachments.attach_file(image.id, entry=entry.id, viewer=viewer, now=now)


async def build() -> World:
    """Made by the verbs; one database for all that look at it."""
    admitted, formal_case = await case_at(Stage.PUBLICITY, name="陈入库")
    moving, _ = await case_at(Stage.PUBLICITY, name="陈迁居")
    await move_clock(30 * 24 * 3600, settings=settings())
    await close_due_notices()
    moving = await sign_in(moving.phone)  # the session ended meanwhile

    drafting = await registered_expert(name="陈草稿")
    await _with_qualification(drafting.viewer)
    returned = await registered_expert(name="陈退回")
    await _with_qualification(returned.viewer)
    returned_case = await submit(returned.viewer)
    local, elsewhere = await officer(name="李初审"), await officer("220299", name="赵外地")
    province, admin = await provincial_officer(name="王复审"), await administrator(name="孙管理")
    await return_case(returned_case.id, local.viewer)
    waiting, waiting_case = await case_at(Stage.SECOND_REVIEW, name="陈等待")
    publicity, public_case = await case_at(Stage.PUBLICITY, name="陈公示")
    withdrawn, withdrawn_case = await case_at(Stage.WITHDRAWN, name="陈撤回")
    another, _ = await case_at(Stage.FINAL_REVIEW, name="陈旁人", pool="220299")
    await approve((await Application.get(expert_id=another.viewer.expert_id)).id, (await provincial_officer()).viewer)

    merged, _ = await case_at(Stage.FIRST_REVIEW, name="陈转库", pool="222406")
    merge = await pools.merge("222406", "220199", reason="撤并", viewer=province.viewer, now=await database_now())
    await pools.carry_on()

    now = await database_now()
    colleague, other_province = await officer(name="钱同事"), await provincial_officer(name="吴终审")
    await clear_reads.reveal(waiting_case.id, [PersonalField.ADDRESS], reason="核对住址", viewer=other_province.viewer, now=now)
    note = await notes.add(returned_case.id, "请核对职称证书原件", viewer=local.viewer, now=now)
    objection = await objection_to(public_case.id, phone=OBJECTOR, text="与某公司有利害关系")
    own_form = await exports.ask_form((await draft_of(drafting.viewer)).id, viewer=drafting.viewer, now=now)
    list_of_cases = await exports.ask_cases(CaseFilter(), viewer=local.viewer, now=now)
    day = now.astimezone(SHANGHAI).date() + timedelta(days=3)
    period = await schedule.save(
        PeriodInput(availability=Availability.UNAVAILABLE, span=Span(Slot(day, HalfDay.AM), Slot(day, HalfDay.PM)), reason="住院手术"),
        viewer=admitted.viewer,
        now=now,
    )
    admitted_expert = (await Expert.get(account_id=admitted.account.id)).id
    await standing.suspend(admitted_expert, until=day, reasons="正在核实情况", viewer=province.viewer, now=now)
    await standing.reinstate(admitted_expert, reasons="已核实", viewer=province.viewer, now=now)
    moving_period = await schedule.save(
        PeriodInput(availability=Availability.UNAVAILABLE, span=Span(Slot(day, HalfDay.AM), Slot(day, HalfDay.PM)), reason="出差"),
        viewer=moving.viewer,
        now=now,
    )
    moving_case = await ask(moving)
    await return_case(moving_case.id, elsewhere.viewer)
    moving_case = await ask(moving, reason="全家迁居吉林市，附户口变更说明")
    moving_note = await notes.add(moving_case.id, "同意转出", viewer=colleague.viewer, now=now)
    ended = await sign_in(drafting.phone)
    await sessions.close_session(viewer=ended.viewer, now=now)
    former, _ = await sessions.authenticate(ended.token)

    draft = await Revision.get(expert_id=drafting.viewer.expert_id)
    second_draft = await Revision.get(expert_id=returned.viewer.expert_id, state="DRAFT")
    formal = await Expert.get(id=admitted.viewer.expert_id)
    mover = await Expert.get(id=moving.viewer.expert_id)
    loose = await some_image(drafting.viewer, FilePurpose.TITLE)
    new_portrait = await some_image(returned.viewer, FilePurpose.PORTRAIT)
    await attachments.attach_file(new_portrait.id, entry=None, viewer=returned.viewer, now=now)
    reviewed = await Revision.get(id=returned_case.revision_id)
    under_review = await Revision.get(id=waiting_case.revision_id)

    async def one(sql: str, *values: object) -> str:
        return str((await rows(sql, *values))[0]["id"])

    record = "SELECT id FROM application_records WHERE application_id = $1 ORDER BY number DESC LIMIT 1"
    notice = "SELECT id FROM public_notices WHERE application_id = $1"
    line = "SELECT s.id FROM notice_specialties s JOIN public_notices n ON n.id = s.notice_id WHERE n.application_id = $1 LIMIT 1"
    certificate = "SELECT certificate_id AS id FROM education WHERE revision_id = $1"
    message = "SELECT id FROM sms_messages WHERE application_id = $1 LIMIT 1"
    suspension = "SELECT id FROM standing_records WHERE expert_id = $1 AND change = 'SUSPEND'"
    code = "SELECT id FROM sms_messages WHERE phone_code_id IS NOT NULL LIMIT 1"
    open_case = "SELECT id FROM applications WHERE expert_id = $1 AND closed_at IS NULL"
    things = {
        "Account of the expert": Thing(f"Account_{drafting.account.id}", drafting.viewer),
        "Account of the officer": Thing(f"Account_{local.account.id}", None),
        "Account of the officer elsewhere": Thing(f"Account_{elsewhere.account.id}", None),
        "Account of a colleague of the officer": Thing(f"Account_{colleague.account.id}", None),
        "Account of a provincial officer": Thing(f"Account_{other_province.account.id}", None),
        "Account of the administrator": Thing(f"Account_{admin.account.id}", None),
        "Session of the expert": Thing(f"Session_{drafting.viewer.session_id}", drafting.viewer),
        "Session of the expert, ended": Thing(f"Session_{ended.viewer.session_id}", drafting.viewer),
        "Session of the officer": Thing(f"Session_{local.viewer.session_id}", None),
        "Expert with a draft alone": Thing(f"Expert_{drafting.viewer.expert_id}", drafting.viewer),
        "Expert under review": Thing(f"Expert_{waiting.viewer.expert_id}", waiting.viewer),
        "Expert who is formal": Thing(f"Expert_{formal.id}", admitted.viewer),
        "Application in draft": Thing("Application_" + await one(open_case, drafting.viewer.expert_id), drafting.viewer),
        "Application returned": Thing(f"Application_{returned_case.id}", returned.viewer),
        "Application under review": Thing(f"Application_{waiting_case.id}", waiting.viewer),
        "Application before the public": Thing(f"Application_{public_case.id}", publicity.viewer),
        "Application withdrawn": Thing(f"Application_{withdrawn_case.id}", withdrawn.viewer),
        "Application admitted": Thing(f"Application_{formal_case.id}", admitted.viewer),
        "Application to change the division": Thing(f"Application_{moving_case.id}", moving.viewer),
        "ApplicationRecord of a change of division": Thing("ApplicationRecord_" + await one(record, moving_case.id), moving.viewer),
        "ApplicationNote of the office left": Thing(f"ApplicationNote_{moving_note.id}", moving.viewer),
        "Message of a change of division": Thing("Message_" + await one(message, moving_case.id), moving.viewer),
        "Expert who changes the division": Thing(f"Expert_{mover.id}", moving.viewer),
        "Profile with another division": Thing(f"Profile_{moving_case.revision_id}", moving.viewer),
        "Profile in force, of who moves": Thing(f"Profile_{mover.effective_id}", moving.viewer),
        "SchedulePeriod of who moves": Thing(f"SchedulePeriod_{moving_period.id}", moving.viewer),
        "ApplicationRecord of a return": Thing("ApplicationRecord_" + await one(record, returned_case.id), returned.viewer),
        "ApplicationRecord of an admission": Thing("ApplicationRecord_" + await one(record, formal_case.id), admitted.viewer),
        "Consent of the expert": Thing(
            "Consent_" + await one("SELECT id FROM consents WHERE account_id = $1", drafting.account.id), drafting.viewer
        ),
        "ClearRead of a case": Thing(
            "ClearRead_" + await one("SELECT id FROM clear_reads WHERE application_id = $1", waiting_case.id), waiting.viewer
        ),
        "ApplicationNote of a case": Thing(f"ApplicationNote_{note.id}", returned.viewer),
        "Message of a case": Thing("Message_" + await one(message, returned_case.id), returned.viewer),
        "Message with a phone code": Thing("Message_" + await one(code), None),
        "Objection to a notice that runs": Thing(f"Objection_{objection.id}", publicity.viewer),
        "StaffAct with the account of the officer": Thing(
            "StaffAct_" + await one("SELECT id FROM staff_acts WHERE account_id = $1 LIMIT 1", local.account.id), None
        ),
        "PoolMerge into the pool": Thing(f"PoolMerge_{merge.id}", None),
        "PoolTransfer into the pool": Thing(
            "PoolTransfer_" + await one("SELECT id FROM pool_transfers WHERE expert_id = $1", merged.viewer.expert_id), merged.viewer
        ),
        "Profile in first draft": Thing(f"Profile_{draft.id}", drafting.viewer),
        "Profile in draft after a return": Thing(f"Profile_{second_draft.id}", returned.viewer),
        "Profile returned": Thing(f"Profile_{returned_case.revision_id}", returned.viewer),
        "Profile under review": Thing(f"Profile_{waiting_case.revision_id}", waiting.viewer),
        "Profile in force": Thing(f"Profile_{formal.effective_id}", admitted.viewer),
        **await _sections("a draft", second_draft.id, returned.viewer),
        **await _sections("a frozen profile", returned_case.revision_id, returned.viewer),
        "Export of the expert": Thing(f"Export_{own_form.id}", drafting.viewer),
        "Export of the officer": Thing(f"Export_{list_of_cases.id}", None),
        "File of nothing": Thing(f"File_{loose.id}", drafting.viewer),
        "File in a draft alone": Thing(f"File_{new_portrait.id}", returned.viewer),
        "File in a frozen profile": Thing("File_" + await one(certificate, reviewed.id), returned.viewer),
        "File of a portrait under review": Thing(f"File_{under_review.portrait_id}", waiting.viewer),
        "PublicNotice that runs": Thing("PublicNotice_" + await one(notice, public_case.id), publicity.viewer),
        "PublicNotice that is over": Thing("PublicNotice_" + await one(notice, formal_case.id), admitted.viewer),
        "NoticeSpecialty that runs": Thing("NoticeSpecialty_" + await one(line, public_case.id), publicity.viewer),
        "NoticeSpecialty that is over": Thing("NoticeSpecialty_" + await one(line, formal_case.id), admitted.viewer),
        "SchedulePeriod of a formal expert": Thing(f"SchedulePeriod_{period.id}", admitted.viewer),
        "ScheduleOccurrence of a formal expert": Thing(
            "ScheduleOccurrence_" + await one("SELECT id FROM schedule_occurrences WHERE period_id = $1", period.id), admitted.viewer
        ),
        "StandingRecord of a formal expert": Thing("StandingRecord_" + await one(suspension, formal.id), admitted.viewer),
        "Division": Thing("Division_220199", drafting.viewer),
        "Specialty": Thing("Specialty_A01010000", drafting.viewer),
        "Title": Thing("Title_T01012", drafting.viewer),
        "Qualification": Thing("Qualification_Q101", drafting.viewer),
        "Code": Thing("Code_SEX:1", drafting.viewer),
        "HelpArticle": Thing("HelpArticle_" + await one("SELECT slug AS id FROM help_articles LIMIT 1"), drafting.viewer),
        "HelpContact": Thing("HelpContact_" + await one("SELECT code AS id FROM help_contacts LIMIT 1"), drafting.viewer),
    }
    viewers = {
        "nobody": None,
        "former": former,
        "another": another.viewer,
        "office": local.viewer,
        "elsewhere": elsewhere.viewer,
        "province": province.viewer,
        "administrator": admin.viewer,
    }
    people = {
        "drafting": drafting,
        "returned": returned,
        "waiting": waiting,
        "publicity": publicity,
        "admitted": admitted,
        "moving": moving,
        "another": another,
        "office": local,
        "elsewhere": elsewhere,
        "province": province,
        "administrator": admin,
    }
    return World(viewers, things, people, await database_now())
