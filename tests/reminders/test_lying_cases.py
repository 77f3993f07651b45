from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

import settings as settings_module
from domain.actions import applications, reminders
from domain.actions.record_chain import broken_links
from domain.actions.revisions import open_draft
from models.applications import Application, ApplicationRecord
from models.database import execute, pool, rows
from models.enums import Move, SmsTemplate, Stage
from models.experts import Expert
from models.sms import SmsMessage
from settings import Settings
from tests.cases import case_at, complete_profile, everything_about
from tests.conftest import Clock
from tests.graphql import execute as execute_document
from tests.people import SignedIn, registered_expert, sign_in


@pytest.fixture(autouse=True)
async def alone(database: Settings) -> None:
    """What earlier tests left lying is none of the next one's."""
    await execute("UPDATE applications SET stage = 'CANCELLED', closed_at = stage_since WHERE stage IN ('DRAFT', 'RETURNED')")


async def drafting() -> tuple[SignedIn, Application]:
    """Somebody who has filled in everything and gone away."""
    person = await registered_expert()
    await complete_profile(person.viewer)
    return person, await Application.get(expert_id=person.viewer.expert_id)


async def told(person: SignedIn) -> list[SmsTemplate]:
    return [each.template for each in await SmsMessage.filter(account_id=person.account.id, phone_code_id=None).order_by("created_at")]


async def pass_days(clock: Clock, days: float) -> None:
    """The clock moves by a month at most at a time."""
    while days > 0:
        await clock.move(days=min(days, 30))
        days -= 30


async def test_a_draft_is_reminded_of_after_30_and_60_days_and_cancelled_after_90(clock: Clock) -> None:
    person, case = await drafting()
    story = []

    for days in (29.9, 0.2, 29.8, 0.2, 29.8, 0.2):
        await clock.move(days=days)
        story.append((await reminders.keep_cases_moving(), (await Application.get(id=case.id)).stage))

    kept = await Application.get(id=case.id)
    assert story == [(0, "DRAFT"), (1, "DRAFT"), (0, "DRAFT"), (1, "DRAFT"), (0, "DRAFT"), (1, "CANCELLED")]
    assert await told(person) == [SmsTemplate.REMINDER, SmsTemplate.REMINDER, SmsTemplate.CASE_CANCELLED]
    assert kept.closed_at is not None
    record = await ApplicationRecord.get(application_id=case.id, number=kept.records_count)
    assert (record.move, record.from_stage, record.to_stage, record.actor_id) == (Move.CANCEL, Stage.DRAFT, Stage.CANCELLED, None)
    assert await broken_links(case.id) == []


async def test_a_case_whose_draft_is_being_saved_is_not_left_lying(clock: Clock) -> None:
    person, case = await drafting()
    await pass_days(clock, 91)

    async with pool().acquire() as saving, saving.transaction():
        await saving.execute("SELECT FROM experts WHERE id = $1 FOR UPDATE", person.viewer.expert_id)
        await saving.execute("UPDATE revisions SET updated_at = registry_now() WHERE expert_id = $1", person.viewer.expert_id)
        sweep = asyncio.create_task(reminders.keep_cases_moving())
        await asyncio.sleep(0.5)
    meanwhile, afterwards = await sweep, await reminders.keep_cases_moving()

    assert (meanwhile, afterwards, (await Application.get(id=case.id)).stage, await told(person)) == (0, 0, Stage.DRAFT, [])


async def test_what_was_entered_is_kept_and_can_be_submitted_anew(clock: Clock) -> None:
    person, case = await drafting()
    draft = (await Expert.get(id=person.viewer.expert_id)).draft_id
    await pass_days(clock, 91)
    await reminders.keep_cases_moving()

    await open_draft(await Expert.get(id=person.viewer.expert_id), now=await clock.now())
    anew = await Application.get(expert_id=person.viewer.expert_id, closed_at=None)

    assert anew.id != case.id
    assert (await Expert.get(id=person.viewer.expert_id)).draft_id == draft
    now = await clock.now()
    submitted = await applications.submit(anew.id, commitment=True, avoidance=True, viewer=person.viewer, now=now)
    assert (submitted.stage, submitted.round) == (Stage.FIRST_REVIEW, 1)


SUBMIT = """mutation { applicationSubmit(input: {commitmentAccepted: true, avoidanceAccepted: true}) { __typename
    ... on Application { id stage round } ... on Problem { code } ... on IllegalMove { stage availableMoves } } }"""
MINE = """{ viewer { expert { draftProfile { missing { path } } applications(first: 5) { nodes { id stage availableMoves } } } } }"""


async def test_who_signs_in_after_the_cancellation_submits_at_once_what_is_complete(clock: Clock) -> None:
    person, case = await drafting()
    await pass_days(clock, 91)
    await reminders.keep_cases_moving()
    person = await sign_in(person.phone)
    seen = (await execute_document(MINE, person.viewer)).data

    submitted, again = [(await execute_document(SUBMIT, person.viewer)).data for _ in range(2)]

    cancelled = {"id": f"Application_{case.id}", "stage": "CANCELLED", "availableMoves": []}
    assert seen == {"viewer": {"expert": {"draftProfile": {"missing": []}, "applications": {"nodes": [cancelled]}}}}
    anew = await Application.get(expert_id=person.viewer.expert_id, closed_at=None)
    assert submitted == {
        "applicationSubmit": {"__typename": "Application", "id": f"Application_{anew.id}", "stage": "FIRST_REVIEW", "round": 1}
    }
    assert again == {
        "applicationSubmit": {
            "__typename": "IllegalMove",
            "code": "ILLEGAL_MOVE",
            "stage": "FIRST_REVIEW",
            "availableMoves": ["WITHDRAW"],
        }
    }
    assert await Application.filter(expert_id=person.viewer.expert_id).count() == 2
    assert await broken_links(anew.id) == []


async def test_a_returned_case_that_was_cancelled_is_submitted_anew_as_another(clock: Clock) -> None:
    person, case = await case_at(Stage.RETURNED)
    await pass_days(clock, 91)
    await reminders.keep_cases_moving()

    anew = await applications.submit(None, commitment=True, avoidance=True, viewer=person.viewer, now=await clock.now())

    assert (anew.id == case.id, anew.stage, anew.round, (await Application.get(id=case.id)).stage) == (
        False,
        Stage.FIRST_REVIEW,
        1,
        Stage.CANCELLED,
    )


async def test_a_returned_case_is_counted_from_its_return(clock: Clock) -> None:
    person, case = await case_at(Stage.RETURNED)
    await clock.move(days=30.1)

    first, repeated = await reminders.keep_cases_moving(), await reminders.keep_cases_moving()
    await pass_days(clock, 60)
    last = await reminders.keep_cases_moving()

    assert (first, repeated, last) == (1, 0, 1)
    assert (await told(person))[-2:] == [SmsTemplate.REMINDER, SmsTemplate.CASE_CANCELLED]
    assert (await Application.get(id=case.id)).stage is Stage.CANCELLED


async def test_who_goes_on_editing_is_left_in_peace_and_counted_anew(clock: Clock) -> None:
    person, case = await drafting()
    await clock.move(days=25)
    await execute("UPDATE revisions SET updated_at = registry_now() WHERE expert_id = $1 AND state = 'DRAFT'", person.viewer.expert_id)
    await clock.move(days=25)
    untouched = await reminders.keep_cases_moving()
    await clock.move(days=6)

    reminded = await reminders.keep_cases_moving()

    assert (untouched, reminded) == (0, 1)
    assert (await Application.get(id=case.id)).stage is Stage.DRAFT


async def test_after_an_outage_only_the_last_reminder_that_is_due_is_given(clock: Clock) -> None:
    person, _ = await drafting()
    await pass_days(clock, 65)

    given = [await reminders.keep_cases_moving(), await reminders.keep_cases_moving()]

    assert given == [1, 0]
    assert await told(person) == [SmsTemplate.REMINDER]
    assert [each["days"] for each in await rows("SELECT days FROM reminders ORDER BY at DESC LIMIT 1")] == [60]


async def test_several_workers_at_once_remind_once_and_cancel_once(clock: Clock) -> None:
    people = [await drafting() for _ in range(3)]
    await clock.move(days=31)
    await asyncio.gather(*(reminders.keep_cases_moving() for _ in range(4)))
    await pass_days(clock, 60)

    cancelled = await asyncio.gather(*(reminders.keep_cases_moving() for _ in range(4)))

    assert sum(cancelled) == 3
    for person, case in people:
        assert await told(person) == [SmsTemplate.REMINDER, SmsTemplate.CASE_CANCELLED]
        assert (await Application.get(id=case.id)).records_count == 1


async def test_a_case_under_review_is_not_touched(clock: Clock) -> None:
    _, case = await case_at(Stage.FIRST_REVIEW)
    before = await everything_about(case.id)
    await pass_days(clock, 100)

    assert await reminders.keep_cases_moving() == 0
    assert await everything_about(case.id) == before


async def test_the_ages_are_settings(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    chosen = replace(settings_module.settings(), draft_reminder_days=(2,), draft_cancel_days=4)
    monkeypatch.setattr("domain.actions.reminders.settings", lambda: chosen)
    person, case = await drafting()
    await clock.move(days=2.1)
    await reminders.keep_cases_moving()
    await clock.move(days=2)

    await reminders.keep_cases_moving()

    assert await told(person) == [SmsTemplate.REMINDER, SmsTemplate.CASE_CANCELLED]
    assert (await Application.get(id=case.id)).stage is Stage.CANCELLED
