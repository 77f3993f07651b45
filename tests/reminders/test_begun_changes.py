from __future__ import annotations

import asyncio

from domain.actions import reminders
from domain.actions.profiles import save_basic_info
from domain.rules.profile_input import BasicInfo
from models.database import database_now
from models.enums import SmsTemplate
from models.experts import Expert
from models.sms import SmsMessage
from tests.changes.formal import formal_expert, send, with_changes
from tests.conftest import Clock
from tests.people import SignedIn
from tests.reminders.conftest import Meanwhile


async def told(person: SignedIn) -> int:
    return await SmsMessage.filter(account_id=person.account.id, template=SmsTemplate.DRAFT_WAITING).count()


async def test_a_change_that_was_begun_is_reminded_of_after_30_and_60_days_and_stays(clock: Clock) -> None:
    person = await with_changes()
    story = []

    for days in (29.9, 0.2, 29.8, 0.2, 30, 30):
        await clock.move(days=days)
        story.append(await reminders.remind_of_begun_changes())

    assert story == [0, 1, 0, 1, 0, 0]
    assert await told(person) == 2
    assert (await Expert.get(id=person.viewer.expert_id)).draft_id is not None


async def test_who_goes_on_editing_is_counted_anew(clock: Clock) -> None:
    person = await with_changes()
    await clock.move(days=29)
    await save_basic_info(BasicInfo(employer="吉林建筑大学"), viewer=person.viewer, now=await database_now())

    await clock.move(days=29)
    early = await reminders.remind_of_begun_changes()
    await clock.move(days=1, minutes=1)

    assert (early, sum(await asyncio.gather(*(reminders.remind_of_begun_changes() for _ in range(3))))) == (0, 1)
    assert await told(person) == 1


async def test_nobody_is_reminded_of_what_was_submitted_or_of_nothing(clock: Clock) -> None:
    submitted, idle = await with_changes(), await formal_expert()
    await send(submitted)

    for _ in range(3):
        await clock.move(days=30)
        await reminders.remind_of_begun_changes()

    assert (await told(submitted), await told(idle)) == (0, 0)


async def test_who_saves_while_others_are_reminded_is_counted_anew(clock: Clock, meanwhile: Meanwhile) -> None:
    person = await with_changes()
    await clock.move(days=30, minutes=1)

    async def saves() -> None:
        await save_basic_info(BasicInfo(employer="吉林建筑大学"), viewer=person.viewer, now=await database_now())

    meanwhile(saves)

    done = await reminders.remind_of_begun_changes()

    assert (done, await told(person)) == (0, 0)
