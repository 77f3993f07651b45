"""Profiles and cases for tests, brought to where they are by the verbs alone."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from datetime import date
from typing import Any
from uuid import UUID

import orjson

from domain.actions import applications, attachments, profiles, publicity, reviews
from domain.actions.clock import move as move_clock
from domain.actions.revisions import SECTIONS
from domain.rules import profile_input as given
from domain.rules.viewer import Viewer
from models.applications import Application
from models.database import database_now, rows, transaction
from models.enums import (
    EmployerKind,
    ExpertSource,
    FilePurpose,
    HealthDeclaration,
    IdType,
    OutboxState,
    RejectReason,
    Stage,
    StudyMode,
    WorkStatus,
)
from models.outbox import OutboxRow
from models.profiles import Revision
from models.sms import SmsMessage
from settings import settings
from tests.people import SignedIn, officer, provincial_officer, registered_expert
from tests.profiles.kept import some_image

POOL = "220199"

_EVERYTHING = """
SELECT jsonb_build_object(
    'case', to_jsonb(c),
    'records', (SELECT jsonb_agg(r ORDER BY r.number) FROM application_records r WHERE r.application_id = c.id),
    'notice', (SELECT to_jsonb(n) FROM public_notices n WHERE n.application_id = c.id),
    'expert', (SELECT to_jsonb(x) FROM experts x WHERE x.id = c.expert_id),
    'cases of the expert', (SELECT count(*) FROM applications o WHERE o.expert_id = c.expert_id),
    'revisions', (SELECT jsonb_agg(v ORDER BY v.number) FROM revisions v WHERE v.expert_id = c.expert_id),
    'messages', (SELECT jsonb_agg(s ORDER BY s.id) FROM sms_messages s WHERE s.application_id = c.id),
    'promises',
        (SELECT jsonb_agg(p ORDER BY p.id) FROM outbox p JOIN sms_messages s ON s.id = p.subject_id WHERE s.application_id = c.id)
)::text AS everything FROM applications c WHERE c.id = $1
"""


_OF_ONE_COPY = {
    "id",
    "revision_id",
    "number",
    "base_id",
    "state",
    "created_at",
    "updated_at",
    "frozen_at",
    "eligibility",
    "changed_at_once",
}


class _Undone(Exception):
    """Ends a transaction whose changes were for looking at only."""


@asynccontextmanager
async def undone() -> AsyncIterator[None]:
    """A transaction that is taken back at its end."""
    with suppress(_Undone):
        async with transaction():
            yield
            raise _Undone


async def complete_profile(viewer: Viewer, *, pool: str = POOL, employer: str = "吉林大学") -> None:
    """Fill every required field of the draft."""
    now = await database_now()
    await profiles.save_basic_info(
        given.BasicInfo(
            id_type=IdType.RESIDENT_ID,
            id_valid_from=date(2016, 5, 1),
            id_valid_until=date(2036, 5, 1),
            ethnic_group="01",
            political_affiliation="13",
            health=HealthDeclaration.GOOD,
            residence_code="220102",
            address="吉林省长春市南关区人民大街 1 号",
            postcode="130000",
            second_phone="0431-88888888",
            email="expert@example.cn",
            employer=employer,
            employer_kind=EmployerKind.INSTITUTION,
            work_status=WorkStatus.EMPLOYED,
            working_since=date(1998, 7, 1),
            years_in_field=20,
            source=ExpertSource.SELF,
        ),
        viewer=viewer,
        now=now,
    )
    await profiles.save_evaluation_info(
        given.EvaluationInfo(
            home_pool_code=pool,
            specialties=("A01010000", "A01020000"),
            avoidance_units=(given.AvoidanceUnitInput(name="长春某公司", relation="配偶任职"),),
        ),
        viewer=viewer,
        now=now,
    )
    education = await profiles.save_education(
        given.EducationInput(
            school="吉林大学",
            started_on=date(1994, 9, 1),
            ended_on=date(1998, 7, 1),
            major="土木工程",
            level="21",
            mode=StudyMode.FULL_TIME,
            certificate_number="101831199805000001",
            is_highest=True,
        ),
        viewer=viewer,
        now=now,
    )
    title = await profiles.save_title(
        given.TitleInput(title_code="T01012", certificate_number="ZC2010001", obtained_on=date(2010, 12, 1), issuer="吉林省人社厅"),
        viewer=viewer,
        now=now,
    )
    await profiles.save_work_entry(
        given.WorkEntryInput(started_on=date(1998, 7, 1), employer=employer, post="副教授", duties="教学与科研"), viewer=viewer, now=now
    )
    for purpose, entry in (
        (FilePurpose.PORTRAIT, None),
        (FilePurpose.ID_FRONT, None),
        (FilePurpose.ID_BACK, None),
        (FilePurpose.EDUCATION, education.id),
        (FilePurpose.TITLE, title.id),
        (FilePurpose.OTHER, None),
    ):
        image = await some_image(viewer, purpose)
        await attachments.attach_file(image.id, entry=entry, viewer=viewer, now=now)


async def messages_about(case_id: UUID) -> list[SmsMessage]:
    """The messages of a case in the order of their writing, each with exactly one promise to send it."""
    found = await SmsMessage.filter(application_id=case_id).order_by("id")
    for message in found:
        [promise] = await OutboxRow.filter(subject_id=message.id)
        assert (promise.kind, promise.state) == ("SMS", OutboxState.PENDING)
    return found


async def everything_about(case_id: UUID) -> dict[str, Any]:
    """All rows that a move of the case could change: equal before and after where nothing happened."""
    found: dict[str, Any] = orjson.loads((await rows(_EVERYTHING, case_id))[0]["everything"])
    return found


async def contents_of(revision_id: UUID | None) -> dict[str, Any]:
    """What a revision says, section by section, without what tells one copy from another."""
    told = {"Revision": await Revision.filter(id=revision_id).values()}
    for section in SECTIONS:
        told[section.__name__] = await section.filter(revision_id=revision_id).order_by("position", "entry_id").values()
    return {name: [{key: value for key, value in row.items() if key not in _OF_ONE_COPY} for row in found] for name, found in told.items()}


async def draft_case(viewer: Viewer) -> Application:
    """The viewer's open case."""
    return await Application.get(expert_id=viewer.expert_id, closed_at__isnull=True)


async def submit(viewer: Viewer) -> Application:
    """Submit the viewer's open case."""
    case = await draft_case(viewer)
    return await applications.submit(case.id, commitment=True, avoidance=True, viewer=viewer, now=await database_now())


async def submitted_case(*, pool: str = POOL, name: str = "张三", employer: str = "吉林大学") -> tuple[SignedIn, Application]:
    """Somebody's case in its first review."""
    person = await registered_expert(name=name)
    await complete_profile(person.viewer, pool=pool, employer=employer)
    return person, await submit(person.viewer)


async def approve(case_id: UUID, viewer: Viewer, *, opinion: str | None = None) -> Application:
    """Approve a case at the stage where it stands."""
    case = await Application.get(id=case_id)
    return await reviews.approve(
        case_id, opinion=opinion, seen=reviews.Seen(case.stage, case.round), viewer=viewer, now=await database_now()
    )


async def return_case(case_id: UUID, viewer: Viewer) -> Application:
    """Send a case back with one reason."""
    case = await Application.get(id=case_id)
    return await reviews.return_to_expert(
        case_id,
        opinion="请补充材料",
        reasons=[("titles.0.certificate", "图片不清晰")],
        seen=reviews.Seen(case.stage, case.round),
        viewer=viewer,
        now=await database_now(),
    )


async def reject(case_id: UUID, viewer: Viewer) -> Application:
    """Refuse a case."""
    case = await Application.get(id=case_id)
    return await reviews.reject(
        case_id,
        reason=RejectReason.NOT_ELIGIBLE,
        opinion="不符合入库条件",
        seen=reviews.Seen(case.stage, case.round),
        viewer=viewer,
        now=await database_now(),
    )


async def case_at(stage: Stage, *, pool: str = POOL, name: str = "张三", employer: str = "吉林大学") -> tuple[SignedIn, Application]:
    """Somebody's case brought to a stage by officers of its own. ADMITTED moves the clock of the module."""
    person, case = await submitted_case(pool=pool, name=name, employer=employer)
    local = await officer(pool)
    if stage is Stage.WITHDRAWN:
        return person, await applications.withdraw(case.id, viewer=person.viewer, now=await database_now())
    if stage is Stage.RETURNED:
        return person, await return_case(case.id, local.viewer)
    if stage is Stage.REJECTED:
        return person, await reject(case.id, local.viewer)
    if stage is Stage.FIRST_REVIEW:
        return person, case
    case = await approve(case.id, local.viewer, opinion="同意")
    for needed in (Stage.SECOND_REVIEW, Stage.FINAL_REVIEW):
        if stage is needed:
            return person, case
        case = await approve(case.id, (await provincial_officer()).viewer)
    if stage is Stage.ADMITTED:
        await move_clock(30 * 24 * 3600, settings=settings())
        await publicity.close_due_notices()
        case = await Application.get(id=case.id)
    return person, case
