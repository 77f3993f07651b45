from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import AsyncMock

import pytest

from domain.actions import calendar, moving, pools, reference
from domain.actions.notices import open_notice
from domain.actions.publicity import close_due_notices
from domain.rules.calendar import SHANGHAI, PublishedDay, checked_year, last_day_before
from domain.rules.errors import InvalidInput, NotAllowed
from models.applications import Application
from models.database import transaction
from models.enums import DayKind, DayStatus, Move, SmsTemplate, Stage
from models.publicity import PublicNotice
from models.reference import CalendarDay
from models.sms import SmsMessage
from settings import Settings
from tests.cases import approve, case_at
from tests.conftest import ROOT, Clock
from tests.graphql import execute
from tests.people import administrator, officer, provincial_officer, registered_expert

OFF, WORK = DayKind.OFF, DayKind.WORK
NEW_YEAR = PublishedDay(date(2031, 1, 1), OFF, "元旦")


@pytest.mark.parametrize(
    ("year", "days", "path", "code"),
    [
        (1999, [NEW_YEAR], "year", "YEAR_RANGE"),
        (2031, [], "days", "CALENDAR_EMPTY"),
        (2031, [NEW_YEAR] * 41, "days", "TOO_MANY"),
        (2030, [NEW_YEAR], "days.0.date", "CALENDAR_OTHER_YEAR"),
        (2031, [NEW_YEAR, NEW_YEAR], "days.1.date", "REPEATED"),
        (2031, [PublishedDay(date(2031, 1, 1), WORK, "元旦")], "days.0.kind", "CALENDAR_NO_EXCEPTION"),
        (2031, [PublishedDay(date(2031, 1, 4), OFF, "元旦")], "days.0.kind", "CALENDAR_NO_EXCEPTION"),
        (2031, [PublishedDay(date(2031, 1, 1), OFF, " ")], "days.0.name", "TEXT_EMPTY"),
    ],
)
def test_a_year_that_cannot_be_is_told_by_its_field(year: int, days: list[PublishedDay], path: str, code: str) -> None:
    with pytest.raises(InvalidInput) as refusal:
        checked_year(year, days)

    assert [(each.path, each.code) for each in refusal.value.problems] == [(path, code)]


async def days_of(year: int) -> list[tuple[date, DayKind, str, DayStatus]]:
    return [(each.date, each.kind, each.name, each.status) for each in await calendar.days_of_year(year)]


@pytest.fixture
async def shipped(database: Settings) -> None:
    """The calendar as it is shipped, whatever tests before have published."""
    await CalendarDay.all().delete()
    await reference.load(ROOT / "reference")


async def running_notice() -> tuple[Application, PublicNotice, date]:
    """A case before the public, its notice, and a weekday that the notice counts."""
    _, case = await case_at(Stage.PUBLICITY)
    notice = await PublicNotice.get(application_id=case.id)
    return case, notice, next(day for day in map(date.fromisoformat, notice.days_counted) if day.weekday() < 5)


def shipped_and(line: str, directory: Path) -> Path:
    """The shipped file of the calendar with one more line."""
    file = Path(shutil.copy(ROOT / "reference" / "cn_calendar_exceptions.csv", directory))
    file.write_text(file.read_text() + line)
    return file


async def of_year(day: date, *more: PublishedDay) -> list[PublishedDay]:
    """The year of a day as it is known, with further days."""
    known = [PublishedDay(each.date, each.kind, each.name) for each in await calendar.days_of_year(day.year)]
    return [*(each for each in known if each.day not in {other.day for other in more}), *more]


async def test_a_published_year_takes_the_place_of_the_expected_one(shipped: None, now: datetime) -> None:
    admin = await administrator()
    assert {each[3] for each in await days_of(2027)} == {DayStatus.TENTATIVE}
    days = [PublishedDay(date(2027, 1, 1), OFF, "元旦"), PublishedDay(date(2027, 1, 9), WORK, "元旦调休")]

    await calendar.publish_year(2027, days, viewer=admin.viewer, now=now)

    assert await days_of(2027) == [
        (date(2027, 1, 1), OFF, "元旦", DayStatus.OFFICIAL),
        (date(2027, 1, 9), WORK, "元旦调休", DayStatus.OFFICIAL),
    ]
    assert (await calendar.working_calendar()).is_official(2027)


async def test_a_running_notice_becomes_longer_and_its_expert_is_told(shipped: None, now: datetime) -> None:
    case, notice, day = await running_notice()
    holiday = await of_year(day, PublishedDay(day, OFF, "临时放假"))

    extended = await calendar.publish_year(day.year, holiday, viewer=(await administrator()).viewer, now=now)
    again = await calendar.publish_year(day.year, holiday, viewer=(await administrator()).viewer, now=now)

    kept = await PublicNotice.get(id=notice.id)
    assert extended >= 1
    assert again == 0
    assert kept.last_day > notice.last_day
    assert kept.closes_at == datetime.combine(kept.last_day + timedelta(days=1), datetime.min.time(), SHANGHAI)
    assert kept.days_counted == [*(each for each in notice.days_counted if each != day.isoformat()), kept.last_day.isoformat()]
    [message] = await SmsMessage.filter(application_id=case.id, template=SmsTemplate.NOTICE_EXTENDED)
    assert message.parameters == {"last_day": kept.last_day.isoformat()}


async def test_a_running_notice_never_becomes_shorter(shipped: None, now: datetime) -> None:
    case, notice, day = await running_notice()
    without = await of_year(day)
    admin = await administrator()
    await calendar.publish_year(day.year, await of_year(day, PublishedDay(day, OFF, "临时放假")), viewer=admin.viewer, now=now)
    longer = await PublicNotice.get(id=notice.id)

    extended = await calendar.publish_year(day.year, without, viewer=admin.viewer, now=now)

    kept = await PublicNotice.get(id=notice.id)
    assert extended == 0
    assert (kept.first_day, kept.last_day, kept.closes_at) == (longer.first_day, longer.last_day, longer.closes_at)
    assert kept.days_counted == longer.days_counted
    assert await SmsMessage.filter(application_id=case.id, template=SmsTemplate.NOTICE_EXTENDED).count() == 1


async def test_the_time_of_an_office_becomes_longer_with_a_holiday_and_never_shorter(shipped: None, now: datetime) -> None:
    _, case = await case_at(Stage.FIRST_REVIEW)
    _, returned = await case_at(Stage.RETURNED)
    admin = await administrator()
    assert case.due_at is not None
    last = last_day_before(case.due_at)
    without = await of_year(last)
    holiday = await of_year(last, PublishedDay(last, OFF, "临时放假"))

    await calendar.publish_year(last.year, holiday, viewer=admin.viewer, now=now)
    longer = await Application.get(id=case.id)
    await calendar.publish_year(last.year, without, viewer=admin.viewer, now=now)
    kept = await Application.get(id=case.id)

    assert longer.due_at is not None
    assert last_day_before(longer.due_at) == (await calendar.working_calendar()).add_working_days(last, 1)
    assert kept.due_at == longer.due_at
    assert (await Application.get(id=returned.id)).due_at is None


async def test_a_notice_that_is_over_is_left_alone(shipped: None) -> None:
    _, notice, day = await running_notice()
    holiday = await of_year(day, PublishedDay(day, OFF, "临时放假"))

    await calendar.publish_year(day.year, holiday, viewer=(await administrator()).viewer, now=notice.closes_at)

    assert (await PublicNotice.get(id=notice.id)).closes_at == notice.closes_at


@asynccontextmanager
async def opened_while_a_holiday_is_published(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[PublicNotice]:
    """A notice whose approval commits after a holiday within it was published, which it had not known when it counted."""
    _, case = await case_at(Stage.FINAL_REVIEW)
    await clock.move(days=10)  # there is a working day among them, whatever day it is
    await calendar.count_again()  # what tests before have changed
    counted, published = asyncio.Event(), asyncio.Event()
    opened: list[PublicNotice] = []

    async def paused(case: Application, *, now: datetime) -> PublicNotice:
        opened.append(await open_notice(case, now=now))
        counted.set()
        await published.wait()
        return opened[0]

    with monkeypatch.context() as patched:
        patched.setattr(moving, "open_notice", paused)
        approving = asyncio.create_task(approve(case.id, (await provincial_officer()).viewer))
        await counted.wait()
        day = opened[0].last_day  # beyond the time that the office had, so that the publication waits for nothing
        await calendar.publish_year(
            day.year, await of_year(day, PublishedDay(day, OFF, "临时放假")), viewer=(await administrator()).viewer, now=await clock.now()
        )
        published.set()
        await approving
    yield opened[0]


async def extended(notice: PublicNotice) -> tuple[date, list[SmsMessage]]:
    """The last day of a notice, and the messages that told it."""
    told = await SmsMessage.filter(application_id=notice.application_id, template=SmsTemplate.NOTICE_EXTENDED)
    return (await PublicNotice.get(id=notice.id)).last_day, told


async def test_a_notice_that_a_publication_does_not_see_is_counted_again_a_minute_later(
    shipped: None, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened_while_a_holiday_is_published(clock, monkeypatch) as notice:
        at_once = await calendar.count_again(), await extended(notice)
        await clock.move(seconds=61)

        again = await calendar.count_again(), await calendar.count_again()

        last_day, [told] = await extended(notice)
        assert at_once == (0, (notice.last_day, []))
        assert again == (1, 0)
        assert last_day == (await calendar.working_calendar()).add_working_days(notice.last_day, 1)
        assert told.parameters == {"last_day": last_day.isoformat()}
        kept = await PublicNotice.get(id=notice.id)
        assert kept.days_counted == [*notice.days_counted[:-1], last_day.isoformat()]


async def test_a_notice_that_nobody_counted_again_is_not_closed_before_the_calendar_lets_it_end(
    shipped: None, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened_while_a_holiday_is_published(clock, monkeypatch) as notice:
        await clock.move(seconds=(notice.closes_at - await clock.now()).total_seconds() + 1)
        await close_due_notices()

        last_day, [told] = await extended(notice)
        stage = (await Application.get(id=notice.application_id)).stage
        assert last_day == (await calendar.working_calendar()).add_working_days(notice.last_day, 1)
        assert told.parameters == {"last_day": last_day.isoformat()}
        assert stage is Stage.PUBLICITY
        await clock.move(seconds=((await PublicNotice.get(id=notice.id)).closes_at - await clock.now()).total_seconds() + 1)
        await close_due_notices()
        assert (await Application.get(id=notice.application_id)).stage is Stage.ADMITTED


async def test_a_notice_that_was_over_before_a_publication_closes_however_late(shipped: None, clock: Clock) -> None:
    await clock.move(minutes=2)  # away from what tests before have changed
    case, notice, _ = await running_notice()
    now = await clock.move(seconds=(notice.closes_at - await clock.now()).total_seconds() + 1)
    await calendar.publish_year(
        notice.last_day.year,
        await of_year(notice.last_day, PublishedDay(notice.last_day, OFF, "临时放假")),
        viewer=(await administrator()).viewer,
        now=now,
    )

    await close_due_notices()

    assert await extended(notice) == (notice.last_day, [])
    assert (await Application.get(id=case.id)).stage is Stage.ADMITTED


async def test_an_office_that_gets_a_case_while_a_year_is_published_has_the_longer_time_a_minute_later(shipped: None, clock: Clock) -> None:
    _, case = await case_at(Stage.FIRST_REVIEW)
    former = await calendar.working_calendar()
    last = former.add_working_days((await clock.now()).astimezone(SHANGHAI).date(), 5)
    await calendar.publish_year(
        last.year, await of_year(last, PublishedDay(last, OFF, "临时放假")), viewer=(await administrator()).viewer, now=await clock.now()
    )
    async with transaction():  # as a decision that has read the calendar before
        await moving.move(await Application.get(id=case.id), Move.APPROVE, viewer=None, now=await clock.now(), calendar=former)
    moved = await Application.get(id=case.id)
    await clock.move(seconds=61)

    await calendar.count_again()

    kept = await Application.get(id=case.id)
    assert moved.due_at is not None
    assert kept.due_at is not None
    assert last_day_before(moved.due_at) == last
    assert last_day_before(kept.due_at) == (await calendar.working_calendar()).add_working_days(last, 1)


async def test_a_notice_that_could_not_be_counted_again_is_tried_again(
    shipped: None, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened_while_a_holiday_is_published(clock, monkeypatch) as notice:
        await clock.move(seconds=61)
        with monkeypatch.context() as broken:
            broken.setattr(calendar, "send_sms", AsyncMock(side_effect=OSError))
            first = await calendar.count_again()

        second = await calendar.count_again()

        assert (first, second, await calendar.count_again()) == (0, 1, 0)
        assert (await extended(notice))[0] > notice.last_day


async def test_the_time_of_an_office_that_took_a_pool_over_becomes_longer_as_well(shipped: None, clock: Clock) -> None:
    _, case = await case_at(Stage.FIRST_REVIEW, pool="220283")
    await clock.move(days=30)
    await pools.merge("220283", "220284", reason="县级专家库撤并", viewer=(await provincial_officer()).viewer, now=await clock.now())
    await pools.carry_on()
    moved = await Application.get(id=case.id)
    assert moved.due_at is not None
    last = last_day_before(moved.due_at)

    await calendar.publish_year(
        last.year, await of_year(last, PublishedDay(last, OFF, "临时放假")), viewer=(await administrator()).viewer, now=await clock.now()
    )

    kept = await Application.get(id=case.id)
    assert kept.due_at is not None
    assert last_day_before(kept.due_at) == (await calendar.working_calendar()).add_working_days(last, 1)
    assert kept.stage_since == case.stage_since


async def test_a_newer_file_counts_running_notices_anew_too(shipped: None, tmp_path: Path) -> None:
    case, notice, day = await running_notice()
    status = (await calendar.days_of_year(day.year))[0].status.value.lower()
    newer = shipped_and(f"{day},off,临时放假,{status}\n", tmp_path)

    report = await reference.load(newer)

    assert report.calendar_changed
    assert (await PublicNotice.get(id=notice.id)).last_day > notice.last_day
    assert await SmsMessage.filter(application_id=case.id, template=SmsTemplate.NOTICE_EXTENDED).count() == 1


async def test_administrators_alone_publish(database: Settings, now: datetime) -> None:
    before = await CalendarDay.all().order_by("date").values()

    for person in (await registered_expert(), await officer(), await provincial_officer()):
        with pytest.raises(NotAllowed):
            await calendar.publish_year(2031, [NEW_YEAR], viewer=person.viewer, now=now)

    assert await CalendarDay.all().order_by("date").values() == before


async def test_the_door_of_publishing(database: Settings) -> None:
    document = """mutation Publish($input: CalendarYearPublishInput!) { calendarYearPublish(input: $input) { __typename
        ... on CalendarYearPublished { noticesExtended calendar { year status exceptions { date kind name status } } }
        ... on Problem { code } ... on InvalidInput { fields { path code } } } }"""
    given: dict[str, Any] = {"year": 2031, "days": [{"date": "2031-01-01", "kind": "OFF", "name": "元旦"}]}
    admin = await administrator()

    done = await execute(document, admin.viewer, input=given)
    wrong = await execute(document, admin.viewer, input=given | {"year": 2030})
    stranger = await execute(document, (await officer()).viewer, input=given)
    nobody = await execute(document, None, input=given)

    assert done.data == {
        "calendarYearPublish": {
            "__typename": "CalendarYearPublished",
            "noticesExtended": 0,
            "calendar": {
                "year": 2031,
                "status": "OFFICIAL",
                "exceptions": [{"date": "2031-01-01", "kind": "OFF", "name": "元旦", "status": "OFFICIAL"}],
            },
        }
    }
    assert (wrong.data or {})["calendarYearPublish"]["fields"] == [{"path": "days.0.date", "code": "CALENDAR_OTHER_YEAR"}]
    assert stranger.data == {"calendarYearPublish": {"__typename": "NotAllowed", "code": "NOT_ALLOWED"}}
    assert nobody.data == {"calendarYearPublish": {"__typename": "NotSignedIn", "code": "NOT_SIGNED_IN"}}
