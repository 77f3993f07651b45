from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, timedelta

import pytest

from domain.actions import reminders
from domain.rules.calendar import SHANGHAI
from models.database import execute
from models.enums import SmsTemplate, Stage
from models.sms import SmsMessage
from settings import Settings
from tests.cases import case_at
from tests.conftest import Clock
from tests.people import SignedIn, sign_in
from tests.reminders.conftest import Meanwhile
from tests.standing.test_deregister import leave


async def today(clock: Clock) -> date:
    return (await clock.now()).astimezone(SHANGHAI).date()


async def with_qualification(clock: Clock, *, days: int, stage: Stage = Stage.ADMITTED) -> tuple[SignedIn, date]:
    """A person whose profile holds a qualification that ends in so many days; frozen rows are set past their trigger."""
    person, case = await case_at(stage)
    ends = await today(clock) + timedelta(days=days)
    async with thawed():
        await execute("DELETE FROM qualification_entries WHERE revision_id = $1", case.revision_id)
        await execute(
            """INSERT INTO qualification_entries
                   (id, entry_id, revision_id, position, qualification_code, certificate_number, obtained_on, valid_until, issuer)
               SELECT gen_random_uuid(), gen_random_uuid(), $1, 0, min(code), 'Z1', '2015-01-01', $2, '住建部' FROM qualifications""",
            case.revision_id,
            ends,
        )
    return person, ends


@asynccontextmanager
async def thawed() -> AsyncIterator[None]:
    """For what no verb does to frozen rows."""
    await execute("ALTER TABLE qualification_entries DISABLE TRIGGER USER")
    try:
        yield
    finally:
        await execute("ALTER TABLE qualification_entries ENABLE TRIGGER USER")


async def told(person: SignedIn) -> list[dict[str, object]]:
    found = await SmsMessage.filter(account_id=person.account.id, template=SmsTemplate.QUALIFICATION_EXPIRING).order_by("created_at")
    return [each.parameters for each in found]


async def test_a_formal_expert_is_told_once_sixty_days_before(database: Settings, clock: Clock) -> None:
    person, ends = await with_qualification(clock, days=61)
    early = await reminders.tell_of_ending_qualifications()
    await clock.move(days=1)

    given = [await reminders.tell_of_ending_qualifications(), await reminders.tell_of_ending_qualifications()]

    assert (early, given) == (0, [1, 0])
    assert await told(person) == [{"day": ends.isoformat()}]


async def test_a_qualification_that_was_renewed_is_told_of_when_it_ends_again(database: Settings, clock: Clock) -> None:
    person, first = await with_qualification(clock, days=10)
    await reminders.tell_of_ending_qualifications()
    second = first + timedelta(days=20)
    async with thawed():
        await execute(
            "UPDATE qualification_entries SET valid_until = $2 WHERE revision_id IN (SELECT effective_id FROM experts WHERE id = $1)",
            person.viewer.expert_id,
            second,
        )

    await reminders.tell_of_ending_qualifications()

    assert await told(person) == [{"day": first.isoformat()}, {"day": second.isoformat()}]


@pytest.mark.parametrize(("days", "stage"), [(-1, Stage.ADMITTED), (90, Stage.ADMITTED), (10, Stage.PUBLICITY)])
async def test_nobody_is_told_of_what_is_over_far_off_or_not_in_force(database: Settings, clock: Clock, days: int, stage: Stage) -> None:
    person, _ = await with_qualification(clock, days=days, stage=stage)

    await reminders.tell_of_ending_qualifications()

    assert await told(person) == []


async def test_who_leaves_while_others_are_told_is_told_nothing_any_more(database: Settings, clock: Clock, meanwhile: Meanwhile) -> None:
    person, _ = await with_qualification(clock, days=10)
    person = await sign_in(person.phone)
    meanwhile(lambda: leave(person))

    await reminders.tell_of_ending_qualifications()

    assert await told(person) == []


async def test_whose_phone_cannot_be_read_keeps_nobody_else_from_being_told(database: Settings, clock: Clock) -> None:
    damaged, _ = await with_qualification(clock, days=50)  # becoming a formal expert takes some of them
    other, ends = await with_qualification(clock, days=50)
    await execute("UPDATE accounts SET phone = set_byte(phone, 3, get_byte(phone, 3) # 1) WHERE id = $1", damaged.account.id)

    done = await reminders.tell_of_ending_qualifications()

    assert done == 1
    assert await told(damaged) == []
    assert await told(other) == [{"day": ends.isoformat()}]
