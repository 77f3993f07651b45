"""What the offices of a change of division see and do: the receiving one reviews, the one that is left follows and comments."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import pytest

from domain.actions import clear_reads, notes, reviews, schedule
from domain.actions.promises import EVENTS
from domain.rules.calendar import SHANGHAI
from domain.rules.errors import NotAllowed, NotFound, Refusal
from domain.rules.schedule import PeriodInput, Slot, Span
from domain.rules.viewer import Viewer
from models.applications import Application, ApplicationNote
from models.database import database_now
from models.enums import Availability, HalfDay, PersonalField, RejectReason, Stage
from settings import Settings
from tests.applications.test_announcements import Ear
from tests.cases import approve, everything_about, reject, return_case
from tests.changes.formal import formal_expert
from tests.divisions.moving import LEFT, OTHER, TARGET, ask, change_of_division_at
from tests.graphql import both, execute
from tests.people import SignedIn, administrator, officer, provincial_officer

READ = """query ($id: ID!) { application(id: $id) { stage reason pool { code } leavingPool { code } availableMoves
    profile { evaluationInfo { homePoolCode } } records { move opinion } notes { text authorRole authorPool { code } }
    messages { template } expert { name } } }"""
QUEUE = """query ($filter: ApplicationFilter) { applications(first: 100, filter: $filter) { nodes { id } totalCount }
    messages { nodes { id } } }"""
COUNTS = "{ queueCounts { stage total } }"
CALENDAR = """query ($expert: ID!, $day: Date!) { expert(id: $expert) { schedule(from: $day, to: $day) { availability } }
    availableExperts(date: $day, first: 100) { nodes { id } } }"""


@dataclass(frozen=True, slots=True)
class Offices:
    """A case with the officers who meet it."""

    person: SignedIn
    case: Application
    left: Viewer
    receiving: Viewer
    elsewhere: Viewer
    province: Viewer

    async def read(self, viewer: Viewer | None) -> Any:
        """The case as somebody sees it."""
        return (await both(READ, viewer, id=f"Application_{self.case.id}"))["application"]

    async def queue(self, viewer: Viewer, **filter: Any) -> bool:
        """Whether the case is in somebody's queue, and that the total says the same as the list."""
        found = (await both(QUEUE, viewer, filter=filter or None))["applications"]
        assert found["totalCount"] == len(found["nodes"])
        return f"Application_{self.case.id}" in [each["id"] for each in found["nodes"]]


async def offices(stage: Stage) -> Offices:
    person, case = await change_of_division_at(stage)
    left, receiving, elsewhere = [(await officer(pool)).viewer for pool in (LEFT, TARGET, OTHER)]
    return Offices(person, case, left, receiving, elsewhere, (await provincial_officer()).viewer)


async def test_the_office_that_is_left_sees_the_case_as_the_receiving_one_does_and_has_no_moves(database: Settings) -> None:
    at = await offices(Stage.FIRST_REVIEW)

    receiving, left, province = [await at.read(each) for each in (at.receiving, at.left, at.province)]

    assert receiving["availableMoves"] == ["APPROVE", "RETURN", "REJECT"]
    assert (left["availableMoves"], province["availableMoves"]) == ([], [])
    assert {**receiving, "availableMoves": []} == left == province
    assert (left["leavingPool"], left["pool"]) == ({"code": LEFT}, {"code": TARGET})
    assert left["profile"] == {"evaluationInfo": {"homePoolCode": TARGET}}


async def test_to_everybody_else_the_case_is_not_there(database: Settings) -> None:
    at = await offices(Stage.FIRST_REVIEW)
    another = await formal_expert(name="李四")

    for stranger in (another.viewer, at.elsewhere, (await administrator()).viewer):
        assert await at.read(stranger) is None
    assert (await at.read(at.person.viewer))["notes"] == []


@pytest.mark.parametrize("stage", [Stage.FIRST_REVIEW, Stage.RETURNED, Stage.APPLIED, Stage.REJECTED])
async def test_the_case_is_work_of_the_receiving_office_and_in_a_list_of_its_own_for_the_one_that_is_left(
    database: Settings, stage: Stage
) -> None:
    at = await offices(stage)
    waiting = stage is Stage.FIRST_REVIEW

    assert [await at.queue(each) for each in (at.receiving, at.left, at.elsewhere, at.province)] == [True, False, False, True]
    assert [await at.queue(each, leaving=True) for each in (at.receiving, at.left, at.elsewhere, at.province)] == [False, True, False, True]
    assert [await at.queue(each, awaitingMe=True) for each in (at.receiving, at.left, at.province)] == [waiting, False, False]
    assert not await at.queue(at.left, awaitingMe=True, leaving=True)
    assert await at.queue(at.left, leaving=True, stages=[stage.value], kinds=["DIVISION_CHANGE"], poolCodes=[TARGET])
    assert not await at.queue(at.left, leaving=False)


async def test_the_inbox_counts_it_for_the_receiving_office_alone(database: Settings) -> None:
    before = await offices(Stage.APPLIED)

    async def counted(viewer: Viewer) -> int:
        return sum(each["total"] for each in (await both(COUNTS, viewer))["queueCounts"])

    earlier = [await counted(each) for each in (before.receiving, before.left, before.province)]
    await offices(Stage.FIRST_REVIEW)

    later = [await counted(each) for each in (before.receiving, before.left, before.province)]
    assert [after - first for first, after in zip(earlier, later, strict=True)] == [1, 0, 1]


def verbs(at: Offices, now: datetime) -> dict[str, Callable[[Viewer], Awaitable[object]]]:
    """Everything that decides a case, or prepares to."""
    seen = reviews.Seen(at.case.stage)
    return {
        "claim": lambda viewer: reviews.claim(at.case.id, viewer=viewer, now=now),
        "approve": lambda viewer: reviews.approve(at.case.id, opinion=None, seen=seen, viewer=viewer, now=now),
        "return": lambda viewer: reviews.return_to_expert(
            at.case.id, opinion="请补充", reasons=[("evaluationInfo.homePoolCode", "理由不足")], seen=seen, viewer=viewer, now=now
        ),
        "reject": lambda viewer: reviews.reject(at.case.id, reason=RejectReason.OTHER, opinion="不同意", seen=seen, viewer=viewer, now=now),
        "hand over": lambda viewer: reviews.hand_over(at.case.id, at.left.account_id, viewer=viewer, now=now),
        "reveal": lambda viewer: clear_reads.reveal(at.case.id, [PersonalField.ADDRESS], reason="核对住址", viewer=viewer, now=now),
    }


@pytest.mark.parametrize("name", ["claim", "approve", "return", "reject", "hand over", "reveal"])
async def test_the_office_that_is_left_decides_nothing(database: Settings, name: str) -> None:
    at = await offices(Stage.FIRST_REVIEW)
    before, verb = await everything_about(at.case.id), verbs(at, await database_now())[name]

    with pytest.raises(NotAllowed) as refusal:
        await verb(at.left)
    for stranger in (at.elsewhere, at.person.viewer):
        with pytest.raises(NotFound):
            await verb(stranger)
    with pytest.raises(Refusal):
        await verb(at.province)

    assert refusal.value.code == {"hand over": "CLAIM_NOT_HELD", "reveal": "CASE_NOT_YOURS"}.get(name, "OTHER_OFFICE_DECIDES")
    assert await everything_about(at.case.id) == before


async def test_the_office_that_is_left_comments_and_reviewers_read_who_speaks(database: Settings) -> None:
    at = await offices(Stage.SECOND_REVIEW)
    now = await database_now()

    await notes.add(at.case.id, "该专家尚有未结评审项目。", viewer=at.left, now=now)
    await notes.add(at.case.id, "已知悉。", viewer=at.receiving, now=now)
    await notes.add(at.case.id, "请两地协商。", viewer=at.province, now=now)
    with pytest.raises(NotFound):
        await notes.add(at.case.id, "旁观", viewer=at.elsewhere, now=now)

    written = [
        {"text": "该专家尚有未结评审项目。", "authorRole": "LOCAL_OFFICER", "authorPool": {"code": LEFT}},
        {"text": "已知悉。", "authorRole": "LOCAL_OFFICER", "authorPool": {"code": TARGET}},
        {"text": "请两地协商。", "authorRole": "PROVINCIAL_OFFICER", "authorPool": None},
    ]
    for viewer in (at.left, at.receiving, at.province):
        assert sorted((await at.read(viewer))["notes"], key=str) == sorted(written, key=str)
    assert (await at.read(at.person.viewer))["notes"] == []
    assert await ApplicationNote.filter(application_id=at.case.id).count() == 3


async def test_messages_to_the_expert_are_in_the_ledger_of_the_receiving_office_alone(database: Settings) -> None:
    at = await offices(Stage.RETURNED)

    assert [(await at.read(each))["messages"] for each in (at.receiving, at.province)] == [[{"template": "RETURNED"}]] * 2
    assert (await at.read(at.left))["messages"] == []


async def test_another_target_is_another_receiving_office_and_the_first_sees_no_more_of_it(database: Settings) -> None:
    at = await offices(Stage.RETURNED)

    await ask(at.person, OTHER)

    assert await at.read(at.receiving) is None
    assert (await at.read(at.elsewhere))["availableMoves"] == ["APPROVE", "RETURN", "REJECT"]
    assert (await at.read(at.left))["pool"] == {"code": OTHER}


async def test_schedule_and_search_follow_the_expert_to_the_new_pool(database: Settings) -> None:
    person = await formal_expert()
    now = await database_now()
    day = (now.astimezone(SHANGHAI) + timedelta(days=5)).date()
    morning = Span(Slot(day, HalfDay.AM), Slot(day, HalfDay.AM))
    await schedule.save(PeriodInput(availability=Availability.AVAILABLE, span=morning), viewer=person.viewer, now=now)
    left, receiving = (await officer(LEFT)).viewer, (await officer(TARGET)).viewer
    given = {"expert": f"Expert_{person.viewer.expert_id}", "day": str(day)}

    async def seen(viewer: Viewer) -> tuple[Any, bool]:
        found = await both(CALENDAR, viewer, **given)
        calendar = found["expert"] and [each["availability"] for each in found["expert"]["schedule"]]
        return calendar, given["expert"] in [each["id"] for each in found["availableExperts"]["nodes"]]

    case = await ask(person)
    assert [await seen(each) for each in (left, receiving)] == [(["AVAILABLE"], True), ([], False)]
    for each in (receiving, (await provincial_officer()).viewer, (await provincial_officer()).viewer):
        await approve(case.id, each)

    assert [await seen(each) for each in (left, receiving)] == [([], False), (["AVAILABLE"], True)]


async def test_what_was_approved_stays_to_be_seen_by_the_office_that_was_left_and_later_changes_do_not(database: Settings) -> None:
    at = await offices(Stage.APPLIED)
    document = "query ($id: ID!) { expert(id: $id) { pool { code } effectiveProfile { evaluationInfo { homePoolCode } } } }"

    back = await ask(at.person, OTHER)
    for each in (at.elsewhere, at.province, (await provincial_officer()).viewer):
        await approve(back.id, each)

    assert (await at.read(at.left))["profile"] == {"evaluationInfo": {"homePoolCode": TARGET}}
    seen = await both(document, at.left, id=f"Expert_{at.person.viewer.expert_id}")
    assert seen == {"expert": {"pool": {"code": OTHER}, "effectiveProfile": None}}


async def test_the_office_that_is_left_is_told_at_once_and_of_the_end(database: Settings) -> None:
    person = await formal_expert()
    connection, ear = await asyncpg.connect(database.database_url), Ear()
    await connection.add_listener(EVENTS, ear.hear)

    case = await ask(person)
    heard = [await ear.next()]
    await return_case(case.id, (await officer(TARGET)).viewer)
    heard.append(await ear.next())
    await ask(person)
    heard.append(await ear.next())
    await reject(case.id, (await officer(TARGET)).viewer)
    heard.append(await ear.next())
    await connection.close()

    assert [(each["event"], each["stage"], each["pool"], each["leaving"]) for each in heard] == [
        ("applicationMoved", stage, TARGET, LEFT) for stage in ("FIRST_REVIEW", "RETURNED", "FIRST_REVIEW", "REJECTED")
    ]


async def test_the_door_tells_the_office_that_is_left_that_another_decides(database: Settings) -> None:
    at = await offices(Stage.FIRST_REVIEW)
    document = """mutation ($id: ID!) { applicationApprove(input: {applicationId: $id, stage: FIRST_REVIEW}) { __typename
        ... on Application { stage } ... on Problem { code } } }"""
    given = {"id": f"Application_{at.case.id}"}

    answers = [
        await execute(document, each, **given) for each in (None, at.person.viewer, at.elsewhere, at.left, at.province, at.receiving)
    ]

    assert [each.data and list(each.data["applicationApprove"].values()) for each in answers] == [
        ["NotSignedIn", "NOT_SIGNED_IN"],
        ["NotFound", "NOT_FOUND"],
        ["NotFound", "NOT_FOUND"],
        ["NotAllowed", "OTHER_OFFICE_DECIDES"],
        ["NotAllowed", "OTHER_OFFICE_DECIDES"],
        ["Application", "SECOND_REVIEW"],
    ]
