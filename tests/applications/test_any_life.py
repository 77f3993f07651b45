"""Whatever happens to several people at once in whatever order, over years, what must always hold of the registry holds after each step."""

from __future__ import annotations

import os
import random
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import timedelta
from itertools import pairwise
from typing import Any, TypeAlias
from uuid import UUID

import pytest
from structlog.testing import capture_logs

from domain.actions import applications, changes, divisions, objections, pools, publicity, reminders, reviews, standing
from domain.actions.clock import move as move_clock
from domain.actions.profiles import save_basic_info
from domain.actions.record_chain import broken_links
from domain.rules.errors import Refusal
from domain.rules.lifecycle import EDITABLE, step
from domain.rules.profile_input import BasicInfo
from domain.rules.viewer import Viewer
from models.accounts import Account
from models.applications import Application, ApplicationRecord
from models.database import database_now, rows
from models.enums import AccountStatus, CodePurpose, DismissalCause, Move, Stage, Standing
from models.experts import Expert
from models.publicity import Objection
from settings import Settings, settings
from tests.cases import approve, complete_profile, reject, return_case
from tests.changes.formal import send
from tests.divisions.moving import ask
from tests.graphql import both
from tests.objections.raising import objection_to
from tests.people import SignedIn, administrator, code_sent, officer, provincial_officer, registered_expert

SEEDS = range(*map(int, os.environ.get("LIVES", "0:2").split(":")))
"""Which provinces are played through; set LIVES=100:150 to look in others, at most thirty a run: pools stay closed, papers expire."""
STEPS = 120


@dataclass
class Province:
    """Who takes part, and what is tried."""

    chance: random.Random
    pools: list[str]
    administrator: Viewer
    experts: list[SignedIn] = field(default_factory=list)
    gone: list[SignedIn] = field(default_factory=list)
    officers: list[SignedIn] = field(default_factory=list)

    async def officer(self, *, of: Application | None = None) -> Viewer:
        """Any officer as he or she is now; of a case mostly one of the office that decides, or the case would go nowhere."""
        viewers = [await as_now(each) for each in self.officers]
        known = [each for each in viewers if each is not None]
        if of is None or self.chance.random() < 0.2:
            return self.chance.choice(known)
        pool = of.pool_code if of.stage is Stage.FIRST_REVIEW else None
        return self.chance.choice([each for each in known if each.pool_code == pool] or known)

    async def newcomer(self) -> SignedIn:
        """A temporary expert with a complete profile, in one of the pools that are open."""
        person = await registered_expert(name=f"张{self.chance.choice('一二三四五六七八九')}")
        await complete_profile(person.viewer, pool=self.chance.choice(await open_pools(self.pools)))
        return person


async def open_pools(among: list[str] | None = None) -> list[str]:
    found = await rows("SELECT code FROM divisions WHERE pool_selectable AND NOT retired ORDER BY code")
    return [each["code"] for each in found if among is None or each["code"] in among] or [found[0]["code"]]


async def as_now(person: SignedIn) -> Viewer | None:
    """Who somebody is who signs in now; None where nobody can."""
    account = await Account.get(id=person.account.id)
    return replace(person.viewer, pool_code=account.pool_code) if account.status is AccountStatus.ACTIVE else None


Act: TypeAlias = Callable[[Province, SignedIn], Awaitable[Any]]


def expert_id(person: SignedIn) -> UUID:
    assert person.viewer.expert_id is not None
    return person.viewer.expert_id


async def case_of(person: SignedIn) -> Application | None:
    """The person's open case, else the latest."""
    return await Application.filter(expert_id=person.viewer.expert_id).order_by("-closed_at", "-id").first()


async def submits(_: Province, person: SignedIn) -> object:
    case, expert = await case_of(person), await Expert.get(id=person.viewer.expert_id)
    if case is None or expert.standing is not Standing.TEMPORARY:
        return await send(person)
    return await applications.submit(case.id, commitment=True, avoidance=True, viewer=person.viewer, now=await database_now())


async def withdraws(_: Province, person: SignedIn) -> object:
    case = await case_of(person)
    return case and await applications.withdraw(case.id, viewer=person.viewer, now=await database_now())


async def gives_up(_: Province, person: SignedIn) -> object:
    case = await case_of(person)
    return case and await divisions.give_up(case.id, viewer=person.viewer, now=await database_now())


async def edits(play: Province, person: SignedIn) -> object:
    employer = play.chance.choice(["吉林大学", "长春理工大学", "东北师范大学"])
    return await save_basic_info(BasicInfo(employer=employer), viewer=person.viewer, now=await database_now())


async def discards(_: Province, person: SignedIn) -> object:
    return await changes.discard_draft(viewer=person.viewer, now=await database_now())


async def asks_for_another_division(play: Province, person: SignedIn) -> object:
    return await ask(person, play.chance.choice(play.pools))


async def leaves(_: Province, person: SignedIn) -> object:
    code = await code_sent(person.phone, CodePurpose.DEREGISTER)
    return await standing.deregister(code=code, confirm=True, viewer=person.viewer, now=await database_now())


async def is_claimed(play: Province, person: SignedIn) -> object:
    case = await case_of(person)
    return case and await reviews.claim(case.id, viewer=await play.officer(of=case), now=await database_now())


async def is_handed_over(play: Province, person: SignedIn) -> object:
    case = await case_of(person)
    if case is None:
        return None
    colleague = play.chance.choice([None, (await play.officer()).account_id])
    return await reviews.hand_over(case.id, colleague, viewer=await play.officer(of=case), now=await database_now())


def decided(verb: Callable[[UUID, Viewer], Awaitable[Application]], how: Move) -> Act:
    async def decide(play: Province, person: SignedIn) -> None:
        case = await case_of(person)
        if case is None:
            return
        viewer = await play.officer(of=case)
        listed = await both("query ($id: ID!) { application(id: $id) { availableMoves } }", viewer, id=f"Application_{case.id}")
        await verb(case.id, viewer)
        assert how.value in listed["application"]["availableMoves"]  # what is done was offered

    return decide


is_approved, is_returned, is_rejected = decided(approve, Move.APPROVE), decided(return_case, Move.RETURN), decided(reject, Move.REJECT)


async def gets_on(play: Province, person: SignedIn) -> object:
    """What comes next where nobody makes difficulties."""
    case = await case_of(person)
    if case is None or case.closed_at is not None:
        return await play.chance.choice([edits, asks_for_another_division])(play, person)
    if case.stage is Stage.PUBLICITY:
        if play.chance.random() < 0.5:
            return await is_objected_to(play, person)
        await move_clock(10 * 86_400, settings=settings())
    following = {Stage.PUBLICITY: sees_workers_work, Stage.OBJECTION: has_an_objection_settled, **dict.fromkeys(EDITABLE, submits)}
    return await following.get(case.stage, is_approved)(play, person)


async def is_objected_to(_: Province, person: SignedIn) -> object:
    case = await case_of(person)
    return case and case.stage is Stage.PUBLICITY and await objection_to(case.id)


async def has_an_objection_settled(play: Province, person: SignedIn) -> object:
    case = await case_of(person)
    raised = case and await Objection.filter(application_id=case.id).order_by("-state", "id").first()
    viewer, upheld = await play.officer(), play.chance.random() < 0.5
    return raised and await objections.settle(raised.id, upheld=upheld, reasons="核实", viewer=viewer, now=await database_now())


async def is_suspended(play: Province, person: SignedIn) -> object:
    now = await database_now()
    until = (now + timedelta(days=play.chance.randint(2, 40))).date()
    return await standing.suspend(expert_id(person), until=until, reasons="核查", viewer=await play.officer(), now=now)


async def is_reinstated(play: Province, person: SignedIn) -> object:
    return await standing.reinstate(expert_id(person), reasons="查清", viewer=await play.officer(), now=await database_now())


async def is_dismissed(play: Province, person: SignedIn) -> object:
    cause = play.chance.choice([*DismissalCause])
    now = await database_now()
    return await standing.dismiss(expert_id(person), cause=cause, reasons="查实", viewer=await play.officer(), now=now)


async def sees_time_pass(play: Province, _: SignedIn) -> object:
    return await move_clock(play.chance.choice([3600, 86_400, 86_400, 4 * 86_400, 35 * 86_400]), settings=settings())


async def sees_pools_merged(play: Province, _: SignedIn) -> object:
    from_code, into_code = play.chance.sample(play.pools, 2)
    return await pools.merge(from_code, into_code, reason="机构调整", viewer=play.administrator, now=await database_now())


async def sees_a_pool_closed(play: Province, _: SignedIn) -> object:
    return await pools.close(play.chance.choice(play.pools), reason="机构撤销", viewer=play.administrator, now=await database_now())


async def sees_workers_work(_: Province, __: SignedIn) -> None:
    """One round of every sweep; nothing may fail in any."""
    with capture_logs() as told:
        for sweep in (
            publicity.close_due_notices,
            standing.keep_standing,
            reminders.keep_cases_moving,
            reminders.remind_of_begun_changes,
            reminders.tell_of_closed_pools,
            pools.carry_on,
            pools.cancel_without_office,
        ):
            await sweep()
    assert [each for each in told if each["log_level"] in ("critical", "error")] == []


ACTS: dict[Act, float] = {
    submits: 3,
    withdraws: 0.5,
    gives_up: 0.5,
    edits: 3,
    discards: 1,
    asks_for_another_division: 3,
    leaves: 0.3,
    is_claimed: 3,
    is_handed_over: 2,
    gets_on: 40,
    is_approved: 3,
    is_returned: 2,
    is_rejected: 0.3,
    is_objected_to: 3,
    has_an_objection_settled: 4,
    is_suspended: 1,
    is_reinstated: 1,
    is_dismissed: 0.2,
    sees_time_pass: 3,
    sees_pools_merged: 0.4,
    sees_a_pool_closed: 0.1,
    sees_workers_work: 4,
}

_NEVER = {
    "a person with two open cases": "SELECT expert_id FROM applications WHERE closed_at IS NULL GROUP BY 1 HAVING count(*) > 1",
    "a running notice of a case that is not before the public": """
        SELECT n.id FROM public_notices n JOIN applications c ON c.id = n.application_id
        WHERE (n.state = 'OPEN') <> (c.stage = 'PUBLICITY')""",
    "an open objection to a case that is decided": """
        SELECT o.id FROM objections o JOIN applications c ON c.id = o.application_id
        WHERE o.state = 'OPEN' AND c.stage NOT IN ('PUBLICITY', 'OBJECTION', 'REJECTED', 'CANCELLED')""",
    "a formal expert without number, pool or profile in force": """
        SELECT id FROM experts WHERE standing IN ('FORMAL', 'SUSPENDED')
        AND (number IS NULL OR pool_code IS NULL OR effective_id IS NULL OR formal_since IS NULL)""",
    "a temporary expert with a number or a profile in force": """
        SELECT id FROM experts WHERE standing = 'TEMPORARY' AND (number IS NOT NULL OR effective_id IS NOT NULL)""",
    "an open case or session of somebody who left": """
        SELECT e.id FROM experts e WHERE e.standing IN ('DEREGISTERED', 'DISMISSED')
        AND (EXISTS (SELECT FROM applications c WHERE c.expert_id = e.id AND c.closed_at IS NULL)
             OR EXISTS (SELECT FROM sessions s WHERE s.account_id = e.account_id AND s.ended_at IS NULL))""",
    "a suspension without an end, or an end without a suspension": """
        SELECT id FROM experts WHERE (standing = 'SUSPENDED') <> (suspended_until IS NOT NULL)""",
    "a draft that cannot be edited, a profile in force that is not": """
        SELECT e.id FROM experts e LEFT JOIN revisions d ON d.id = e.draft_id LEFT JOIN revisions f ON f.id = e.effective_id
        WHERE (e.draft_id IS NOT NULL AND (d.state IS DISTINCT FROM 'DRAFT' OR d.expert_id <> e.id))
           OR (e.effective_id IS NOT NULL AND (f.state IS DISTINCT FROM 'EFFECTIVE' OR f.expert_id <> e.id))""",
    "a second draft or profile in force": """
        SELECT expert_id FROM revisions WHERE state IN ('DRAFT', 'EFFECTIVE') GROUP BY expert_id, state HAVING count(*) > 1""",
    "a frozen revision that nobody reviews": """
        SELECT r.id FROM revisions r WHERE r.state = 'FROZEN' AND NOT EXISTS
        (SELECT FROM applications c WHERE c.revision_id = r.id AND c.closed_at IS NULL AND c.stage NOT IN ('DRAFT', 'RETURNED'))""",
    "a case under review without a frozen revision": """
        SELECT c.id FROM applications c LEFT JOIN revisions r ON r.id = c.revision_id
        WHERE c.closed_at IS NULL AND c.stage NOT IN ('DRAFT', 'RETURNED') AND r.state IS DISTINCT FROM 'FROZEN'""",
    "a claim on a case that nobody reviews": """
        SELECT id FROM applications WHERE claimed_by_id IS NOT NULL AND stage NOT IN ('FIRST_REVIEW', 'SECOND_REVIEW', 'FINAL_REVIEW')""",
    "an office's time for a case that no office decides": """
        SELECT id FROM applications
        WHERE (due_at IS NOT NULL) <> (stage IN ('FIRST_REVIEW', 'SECOND_REVIEW', 'FINAL_REVIEW', 'OBJECTION'))""",
    "second and final review by one officer": """
        SELECT a.application_id FROM application_records a JOIN application_records b USING (application_id, actor_id)
        WHERE a.from_stage = 'SECOND_REVIEW' AND b.from_stage = 'FINAL_REVIEW'
          AND a.move IN ('APPROVE', 'RETURN', 'REJECT') AND b.move IN ('APPROVE', 'RETURN', 'REJECT')""",
    "a message without its promise": """
        SELECT m.id FROM sms_messages m WHERE NOT EXISTS (SELECT FROM outbox o WHERE o.subject_id = m.id)""",
}
"""What must never be, each as the rows that would be it."""


async def check(experts: list[SignedIn]) -> None:
    for name, sql in _NEVER.items():
        assert [dict(each) for each in await rows(sql)] == [], name
    for case in await Application.filter(expert_id__in=[each.viewer.expert_id for each in experts]):
        records = await ApplicationRecord.filter(application_id=case.id).order_by("number")
        assert [each.number for each in records] == list(range(1, case.records_count + 1))
        assert [earlier.to_stage is later.from_stage for earlier, later in pairwise(records)] == [True] * (len(records) - 1)
        assert all(each.move is Move.TRANSFER or step(case.kind, each.from_stage, each.move, decided=each.round > 1) for each in records)
        assert (records[-1].to_stage if records else Stage.DRAFT) is case.stage
        assert await broken_links(case.id) == []


@pytest.mark.parametrize("seed", SEEDS)
async def test_what_must_always_hold_holds_after_each_step(database: Settings, seed: int) -> None:
    chance = random.Random(seed)
    play = Province(chance, chance.sample(await open_pools(), 3), (await administrator()).viewer)
    play.experts = [await play.newcomer() for _ in range(3)]
    play.officers = [await officer(code) for code in play.pools for _ in range(2)] + [await provincial_officer() for _ in range(4)]

    for _ in range(STEPS):
        [act] = chance.choices([*ACTS], [*ACTS.values()])
        person = chance.choice(play.experts)
        with suppress(Refusal):
            await act(play, person)
        if await as_now(person) is None:
            play.gone.append(person)
            play.experts[play.experts.index(person)] = await play.newcomer()
        await check(play.experts + play.gone)


async def test_the_lives_led_far(database: Settings) -> None:
    led = await rows("SELECT DISTINCT kind, stage FROM applications UNION SELECT DISTINCT 'STANDING', standing FROM experts")

    assert {("ADMISSION", "ADMITTED"), ("CHANGE", "APPLIED"), ("STANDING", "FORMAL")} <= {(each["kind"], each["stage"]) for each in led}
