from __future__ import annotations

import asyncio
import re
from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest

from domain.actions.calendar import count_again, working_calendar
from domain.actions.moving import move
from domain.actions.objections import settle
from domain.actions.publicity import close_due_notices
from domain.actions.record_chain import broken_links
from domain.rules.calendar import last_day_before
from domain.rules.errors import IllegalMove
from models.applications import Application, ApplicationRecord
from models.database import execute, rows, transaction
from models.enums import Move, NoticeState, RevisionState, SmsTemplate, Stage, Standing
from models.experts import Expert
from models.profiles import Revision
from models.publicity import Objection, PublicNotice
from models.sms import SmsMessage
from tests.cases import case_at, everything_about, messages_about
from tests.conftest import Clock
from tests.graphql import both
from tests.objections.raising import objection_to
from tests.people import SignedIn, provincial_officer


async def before_the_public() -> tuple[SignedIn, Application, PublicNotice]:
    person, case = await case_at(Stage.PUBLICITY)
    return person, case, await PublicNotice.get(application_id=case.id)


async def at_the_end_of(notice: PublicNotice, clock: Clock, *, after: float = 1.0) -> datetime:
    """Let time pass until so many seconds after the notice's end."""
    return await clock.move(seconds=(notice.closes_at - await clock.now()).total_seconds() + after)


async def stage_of(case: Application) -> Stage:
    return (await Application.get(id=case.id)).stage


# Becoming formal


async def test_a_person_becomes_a_formal_expert_when_the_notice_is_over(clock: Clock) -> None:
    person, case, notice = await before_the_public()
    await at_the_end_of(notice, clock)

    closed = await close_due_notices()

    kept, expert = await Application.get(id=case.id), await Expert.get(id=person.viewer.expert_id)
    shut = await PublicNotice.get(id=notice.id)
    assert closed == 1
    assert shut.state is NoticeState.CLOSED
    assert shut.closed_at is not None
    assert shut.closed_at >= notice.closes_at
    assert (kept.stage, kept.closed_at, kept.stage_since, kept.due_at) == (Stage.ADMITTED, shut.closed_at, shut.closed_at, None)
    assert (expert.standing, expert.pool_code, expert.name, expert.formal_since) == (Standing.FORMAL, "220199", "张三", shut.closed_at)
    assert (expert.effective_id, expert.draft_id) == (case.revision_id, None)
    assert (await Revision.get(id=case.revision_id)).state is RevisionState.EFFECTIVE


async def test_the_closing_is_recorded_as_the_system_s(clock: Clock) -> None:
    _, case, notice = await before_the_public()
    await at_the_end_of(notice, clock)

    await close_due_notices()

    record = await ApplicationRecord.filter(application_id=case.id).order_by("-number").first()
    assert record is not None
    assert (record.number, record.move, record.from_stage, record.to_stage) == (5, Move.CLOSE_NOTICE, Stage.PUBLICITY, Stage.ADMITTED)
    assert [record.actor_id, record.actor_name, record.actor_role, record.opinion] == [None, None, None, None]
    assert await broken_links(case.id) == []


async def test_the_expert_number_is_province_year_and_serial_and_told_once_by_message(clock: Clock) -> None:
    person, case, notice = await before_the_public()
    now = await at_the_end_of(notice, clock)

    await close_due_notices()

    number = (await Expert.get(id=person.viewer.expert_id)).number
    assert number is not None
    assert re.fullmatch(rf"22{(now + timedelta(hours=8)).year}\d{{6}}", number)
    opened, admitted = await messages_about(case.id)
    assert (opened.template, admitted.template) == (SmsTemplate.NOTICE_OPENED, SmsTemplate.ADMITTED)
    assert (admitted.account_id, admitted.parameters) == (person.account.id, {"number": number})


async def test_a_notice_that_ends_with_the_year_gives_a_number_of_the_next_year() -> None:
    person, case, notice = await before_the_public()
    last_second_of_the_year = datetime(2032, 12, 31, 16, 0, 0, tzinfo=UTC)  # 1 January 2033, 0:00, in Shanghai

    async with transaction():
        held = await Application.select_for_update().get(id=case.id)
        await move(held, Move.CLOSE_NOTICE, viewer=None, now=last_second_of_the_year)

    number = (await Expert.get(id=person.viewer.expert_id)).number
    assert number is not None
    assert number[:6] == "222033"
    await PublicNotice.filter(id=notice.id).update(state=NoticeState.CLOSED)


async def test_an_admission_takes_the_place_of_the_revision_that_was_in_force(clock: Clock) -> None:
    person, case, notice = await before_the_public()
    older = uuid4()
    await execute(
        """INSERT INTO revisions (id, expert_id, number, state, version, created_at, updated_at, frozen_at, id_valid_long_term)
           VALUES ($2, $1, 9, 'EFFECTIVE', 0, now(), now(), now(), FALSE)""",
        person.viewer.expert_id,
        older,
    )
    await at_the_end_of(notice, clock)

    await close_due_notices()

    states = await Revision.filter(expert_id=person.viewer.expert_id).order_by("number")
    assert [(each.id, each.state) for each in states] == [(case.revision_id, RevisionState.EFFECTIVE), (older, RevisionState.SUPERSEDED)]


# When


async def test_before_its_last_second_is_over_a_notice_stays_open(clock: Clock) -> None:
    _, case, notice = await before_the_public()
    await at_the_end_of(notice, clock, after=-20)
    before = await everything_about(case.id)

    assert await close_due_notices() == 0
    assert await everything_about(case.id) == before
    await clock.move(seconds=21)
    assert await close_due_notices() == 1
    assert await stage_of(case) is Stage.ADMITTED


async def test_closing_again_changes_nothing(clock: Clock) -> None:
    _, case, notice = await before_the_public()
    await at_the_end_of(notice, clock)
    await close_due_notices()
    before = await everything_about(case.id)

    assert await close_due_notices() == 0
    assert await everything_about(case.id) == before


async def test_after_an_outage_of_months_all_that_is_due_is_closed_with_the_same_result(clock: Clock) -> None:
    cases = [await before_the_public() for _ in range(3)]
    await clock.move(days=90)

    assert await close_due_notices() == 3

    for person, case, _ in cases:
        assert await stage_of(case) is Stage.ADMITTED
        assert (await Expert.get(id=person.viewer.expert_id)).standing is Standing.FORMAL
        assert [each.template for each in await messages_about(case.id)] == [SmsTemplate.NOTICE_OPENED, SmsTemplate.ADMITTED]


async def test_four_workers_at_once_close_each_notice_once(clock: Clock) -> None:
    cases = [await before_the_public() for _ in range(6)]
    await clock.move(days=30)

    closed = await asyncio.gather(*(close_due_notices() for _ in range(4)))

    assert sum(closed) == 6
    people = [await Expert.get(id=person.viewer.expert_id) for person, _, _ in cases]
    assert len({each.number for each in people}) == 6
    assert [each.standing for each in people] == [Standing.FORMAL] * 6
    for _, case, _ in cases:
        assert await ApplicationRecord.filter(application_id=case.id, move=Move.CLOSE_NOTICE).count() == 1
        assert await SmsMessage.filter(application_id=case.id, template=SmsTemplate.ADMITTED).count() == 1
        assert len(await messages_about(case.id)) == 2


async def test_a_case_that_somebody_holds_is_left_for_the_next_time(clock: Clock) -> None:
    _, case, notice = await before_the_public()
    await at_the_end_of(notice, clock)
    held, free = asyncio.Event(), asyncio.Event()

    async def hold() -> None:
        async with transaction():
            await Application.select_for_update().get(id=case.id)
            held.set()
            await free.wait()

    holding = asyncio.create_task(hold())
    await held.wait()
    passed_over = await close_due_notices()
    free.set()
    await holding

    assert passed_over == 0
    assert await close_due_notices() == 1


async def test_a_limit_closes_the_longest_over_first(clock: Clock) -> None:
    cases = [await before_the_public()]
    await clock.move(days=2)
    cases.append(await before_the_public())
    await clock.move(days=30)

    assert await close_due_notices(limit=1) == 1

    assert [await stage_of(case) for _, case, _ in cases] == [Stage.ADMITTED, Stage.PUBLICITY]
    assert await close_due_notices(limit=1) == 1


async def test_a_notice_that_cannot_be_closed_does_not_hold_up_the_others(clock: Clock) -> None:
    broken_person, broken, _ = await before_the_public()
    sealed = (await rows("SELECT phone FROM accounts WHERE id = $1", broken_person.account.id))[0]["phone"]
    await execute("UPDATE accounts SET phone = 'nonsense' WHERE id = $1", broken_person.account.id)
    await clock.move(days=1)
    _, other, _ = await before_the_public()
    await clock.move(days=30)
    before = await everything_about(broken.id)

    assert await close_due_notices() == 1

    assert await stage_of(other) is Stage.ADMITTED
    assert await everything_about(broken.id) == before
    await execute("UPDATE accounts SET phone = $2 WHERE id = $1", broken_person.account.id, sealed)
    assert await close_due_notices() == 1
    assert await stage_of(broken) is Stage.ADMITTED


# Objections


async def dismiss(objection: Objection, clock: Clock) -> None:
    province = await provincial_officer()
    await settle(objection.id, upheld=False, reasons="经核查，所述情况不属实。", viewer=province.viewer, now=await clock.now())


async def test_with_an_objection_unsettled_the_case_waits_for_its_settlement(clock: Clock) -> None:
    person, case, notice = await before_the_public()
    await objection_to(case.id)
    await at_the_end_of(notice, clock)

    assert await close_due_notices() == 1

    kept = await Application.get(id=case.id)
    assert [kept.stage, kept.closed_at] == [Stage.OBJECTION, None]
    assert (await PublicNotice.get(id=notice.id)).state is NoticeState.CLOSED
    expert = await Expert.get(id=person.viewer.expert_id)
    assert [expert.standing, expert.number] == [Standing.TEMPORARY, None]
    assert [each.template for each in await messages_about(case.id)] == [SmsTemplate.NOTICE_OPENED]
    assert await close_due_notices() == 0


WAITING = """{ applications(filter: { awaitingMe: true, overdue: true, stages: [OBJECTION] }) { nodes { id overdue dueOn } }
    queueCounts { stage total overdue } }"""


async def test_the_province_has_five_working_days_to_settle_and_is_overdue_afterwards(clock: Clock) -> None:
    _, case, notice = await before_the_public()
    await objection_to(case.id)
    await at_the_end_of(notice, clock)
    await close_due_notices()
    kept = await Application.get(id=case.id)
    due_at = (await working_calendar()).deadline(kept.stage_since, 5)
    province = await provincial_officer()

    async def overdue() -> tuple[list[str], int]:
        found = await both(WAITING, province.viewer)
        assert all(each["overdue"] for each in found["applications"]["nodes"])
        [counted] = [each["overdue"] for each in found["queueCounts"] if each["stage"] == "OBJECTION"]
        return [each["id"] for each in found["applications"]["nodes"] if each["dueOn"] == last_day_before(due_at).isoformat()], counted

    assert kept.due_at == due_at
    _, before = await overdue()
    await clock.move(seconds=(due_at - await clock.now()).total_seconds() + 1)
    assert await overdue() == ([f"Application_{case.id}"], before + 1)


async def test_a_case_that_waited_for_its_settlement_before_that_was_counted_gets_its_time(clock: Clock) -> None:
    _, case, notice = await before_the_public()
    await objection_to(case.id)
    await at_the_end_of(notice, clock)
    await close_due_notices()
    kept = await Application.get(id=case.id)
    await execute("UPDATE applications SET due_at = NULL WHERE id = $1", case.id)
    await execute("INSERT INTO calendar_changes (id, at, settled) SELECT $1, registry_now() - interval '1 hour', FALSE", uuid4())

    await count_again()

    assert (await Application.get(id=case.id)).due_at == kept.due_at


async def test_an_objection_that_was_dismissed_in_time_hinders_nothing(clock: Clock) -> None:
    _, case, notice = await before_the_public()
    await dismiss(await objection_to(case.id), clock)
    await at_the_end_of(notice, clock)

    await close_due_notices()

    assert await stage_of(case) is Stage.ADMITTED


async def test_one_unsettled_objection_among_dismissed_ones_is_enough(clock: Clock) -> None:
    _, case, notice = await before_the_public()
    await dismiss(await objection_to(case.id), clock)
    await objection_to(case.id)
    await at_the_end_of(notice, clock)

    await close_due_notices()

    assert await stage_of(case) is Stage.OBJECTION


async def test_after_all_objections_are_dismissed_the_person_is_admitted(clock: Clock) -> None:
    person, case, notice = await before_the_public()
    objections = [await objection_to(case.id) for _ in range(2)]
    await at_the_end_of(notice, clock)
    await close_due_notices()

    await dismiss(objections[0], clock)
    assert await stage_of(case) is Stage.OBJECTION
    await dismiss(objections[1], clock)

    assert await stage_of(case) is Stage.ADMITTED
    assert (await Expert.get(id=person.viewer.expert_id)).standing is Standing.FORMAL
    assert [each.template for each in await messages_about(case.id)] == [SmsTemplate.NOTICE_OPENED, SmsTemplate.ADMITTED]


@pytest.mark.parametrize(("how", "stage"), [(Move.UPHOLD_OBJECTION, Stage.REJECTED), (Move.CANCEL, Stage.CANCELLED)])
async def test_a_case_that_ends_early_strikes_its_notice(clock: Clock, how: Move, stage: Stage) -> None:
    person, case, notice = await before_the_public()
    now = await clock.now()

    async with transaction():
        held = await Application.select_for_update().get(id=case.id)
        await move(held, how, viewer=None, now=now)

    struck = await PublicNotice.get(id=notice.id)
    assert (struck.state, struck.closed_at) == (NoticeState.STRUCK, now)
    assert (await Revision.get(id=case.revision_id)).state is RevisionState.NOT_ADOPTED
    await at_the_end_of(notice, clock)
    assert await close_due_notices() == 0
    assert await stage_of(case) is stage
    assert (await Expert.get(id=person.viewer.expert_id)).standing is Standing.TEMPORARY


async def test_nobody_closes_a_notice_by_hand(clock: Clock) -> None:
    _, case, _ = await before_the_public()
    before = await everything_about(case.id)

    for how in (Move.SUBMIT, Move.APPROVE, Move.WITHDRAW, Move.RETURN, Move.REJECT, Move.DISMISS_OBJECTIONS):
        with pytest.raises(IllegalMove):
            async with transaction():
                await move(await Application.select_for_update().get(id=case.id), how, viewer=None, now=await clock.now())

    assert await everything_about(case.id) == before
