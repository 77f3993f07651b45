from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from tortoise.exceptions import IntegrityError

from domain.actions import schedule
from domain.rules.calendar import SHANGHAI
from domain.rules.errors import NotAllowed, NotFound, ScheduleOverlap
from domain.rules.schedule import PeriodInput, Slot, Span
from domain.rules.viewer import Viewer
from models.database import database_now, rows
from models.enums import Availability, HalfDay, Stage
from models.schedule import ScheduleOccurrence, SchedulePeriod
from settings import Settings
from tests.cases import case_at
from tests.graphql import both, execute
from tests.people import SignedIn, administrator, officer, provincial_officer, registered_expert

AM, PM = HalfDay.AM, HalfDay.PM
_formal: list[SignedIn] = []


@pytest.fixture
async def expert(database: Settings) -> SignedIn:
    """A formal expert of 长春市本级 with an empty schedule."""
    if not _formal:
        person, _ = await case_at(Stage.ADMITTED)
        _formal.append(person)
    await SchedulePeriod.all().delete()
    return _formal[0]


async def day(number: int) -> date:
    """So many days after the next Monday by the registry's clock."""
    today = (await database_now()).astimezone(SHANGHAI).date()
    return today + timedelta(days=7 - today.weekday() + number)


async def save(viewer: Viewer, first: date, last: date | None = None, **options: Any) -> SchedulePeriod:
    halves = options.pop("halves", (AM, PM))
    given = PeriodInput(
        availability=options.pop("availability", Availability.UNAVAILABLE),
        span=Span(Slot(first, halves[0]), Slot(last or first, halves[1])),
        weekly_until=options.pop("until", None),
        reason=options.pop("reason", None),
    )
    return await schedule.save(given, viewer=viewer, now=await database_now(), **options)


async def kept() -> list[tuple[date, str, date, str]]:
    found = await ScheduleOccurrence.all().order_by("first_date", "first_half")
    return [(each.first_date, each.first_half.value, each.last_date, each.last_half.value) for each in found]


async def test_a_weekly_period_is_kept_with_every_time_it_comes(expert: SignedIn) -> None:
    first = await day(0)

    period = await save(expert.viewer, first, halves=(PM, PM), until=await day(14), reason="授课")

    assert (period.reason, period.weekly_until) == ("授课", await day(14))
    assert await kept() == [(each, "PM", each, "PM") for each in (first, await day(7), await day(14))]


async def test_a_changed_period_takes_the_place_of_what_it_was(expert: SignedIn) -> None:
    first = await day(0)
    period = await save(expert.viewer, first, until=await day(14))

    changed = await save(expert.viewer, first, await day(1), halves=(PM, AM), period_id=period.id)

    assert changed.id == period.id
    assert await kept() == [(first, "PM", await day(1), "AM")]


async def test_what_overlaps_is_refused_with_the_first_half_day_in_common(expert: SignedIn) -> None:
    await save(expert.viewer, await day(9), halves=(PM, PM))
    before = await kept()

    with pytest.raises(ScheduleOverlap) as refusal:
        await save(expert.viewer, await day(2), until=await day(23), availability=Availability.AVAILABLE)

    assert (refusal.value.day, refusal.value.half) == (await day(9), PM)
    assert await kept() == before
    assert await SchedulePeriod.all().count() == 1


async def test_the_other_half_of_a_day_is_free(expert: SignedIn) -> None:
    first = await day(0)
    await save(expert.viewer, first, halves=(AM, AM))

    await save(expert.viewer, first, halves=(PM, PM), availability=Availability.AVAILABLE)

    assert await kept() == [(first, "AM", first, "AM"), (first, "PM", first, "PM")]


async def test_the_database_refuses_what_overlaps_whoever_writes_it(expert: SignedIn) -> None:
    period = await save(expert.viewer, await day(0), await day(3))
    found = await ScheduleOccurrence.get(period_id=period.id)

    with pytest.raises(IntegrityError, match="occurrences_of_one_expert_do_not_overlap"):
        await ScheduleOccurrence.create(
            period_id=period.id,
            expert_id=found.expert_id,
            availability=Availability.AVAILABLE,
            first_date=await day(3),
            first_half=PM,
            last_date=await day(4),
            last_half=AM,
        )

    assert len(await kept()) == 1


async def test_a_removed_period_is_gone_with_its_repetitions(expert: SignedIn) -> None:
    period = await save(expert.viewer, await day(0), until=await day(14))

    await schedule.remove(period.id, viewer=expert.viewer)

    assert (await kept(), await SchedulePeriod.all().count()) == ([], 0)
    with pytest.raises(NotFound):
        await schedule.remove(period.id, viewer=expert.viewer)


async def test_only_formal_experts_keep_a_schedule_and_only_their_own(expert: SignedIn) -> None:
    period = await save(expert.viewer, await day(0))
    before = await kept()

    with pytest.raises(NotAllowed) as temporary:
        await save((await registered_expert()).viewer, await day(1))
    with pytest.raises(NotAllowed) as staff:
        await save((await officer()).viewer, await day(1))
    other, _ = await case_at(Stage.ADMITTED)
    with pytest.raises(NotFound):
        await save(other.viewer, await day(1), period_id=period.id)
    with pytest.raises(NotFound):
        await schedule.remove(period.id, viewer=other.viewer)

    assert (temporary.value.code, staff.value.code) == ("SCHEDULE_FORMAL_ONLY", "NOT_ALLOWED")
    assert await kept() == before


SAVE = """mutation Save($input: ScheduleSaveInput!) { scheduleSave(input: $input) { __typename
    ... on SchedulePeriod { id availability firstDate firstHalf lastDate lastHalf weeklyUntil reason
        expert { id schedulePeriods { id } } }
    ... on ScheduleOverlap { code message day half } ... on Problem { code }
    ... on InvalidInput { fields { path code } } } }"""
REMOVE = """mutation Remove($input: ScheduleRemoveInput!) { scheduleRemove(input: $input) { __typename
    ... on Expert { schedulePeriods { id } } ... on Problem { code } } }"""
RANGE = """query Range($from: Date!, $to: Date!) { viewer { expert {
    schedule(from: $from, to: $to) { availability firstDate firstHalf lastDate lastHalf period { reason } } } } }"""


async def test_a_schedule_is_kept_through_the_doors(expert: SignedIn) -> None:
    first = (await day(0)).isoformat()

    saved = await execute(
        SAVE, expert.viewer, input={"availability": "UNAVAILABLE", "firstDate": first, "lastDate": first, "reason": "出差"}
    )
    again = await execute(SAVE, expert.viewer, input={"availability": "AVAILABLE", "firstDate": first, "lastDate": first})
    wrong = await execute(SAVE, expert.viewer, input={"availability": "AVAILABLE", "firstDate": first, "lastDate": "2020-01-01"})
    nobody = await execute(SAVE, None, input={"availability": "AVAILABLE", "firstDate": first, "lastDate": first})
    malformed = await execute(REMOVE, expert.viewer, input={"id": "SchedulePeriod_x"})

    period = (saved.data or {})["scheduleSave"]
    assert {key: value for key, value in period.items() if key != "id"} == {
        "__typename": "SchedulePeriod",
        "expert": {"id": f"Expert_{expert.viewer.expert_id}", "schedulePeriods": [{"id": period["id"]}]},
        "availability": "UNAVAILABLE",
        "firstDate": first,
        "firstHalf": "AM",
        "lastDate": first,
        "lastHalf": "PM",
        "weeklyUntil": None,
        "reason": "出差",
    }
    assert again.data == {
        "scheduleSave": {
            "__typename": "ScheduleOverlap",
            "code": "SCHEDULE_OVERLAP",
            "message": f"与日程中 {first} 上午已有的时段重叠；请调整时间，或先修改原有时段。",
            "day": first,
            "half": "AM",
        }
    }
    assert (wrong.data or {})["scheduleSave"]["fields"] == [{"path": "lastDate", "code": "DATES_REVERSED"}]
    assert nobody.data == {"scheduleSave": {"__typename": "NotSignedIn", "code": "NOT_SIGNED_IN"}}
    assert malformed.data == {"scheduleRemove": {"__typename": "NotFound", "code": "NOT_FOUND"}}
    removed = await execute(REMOVE, expert.viewer, input={"id": period["id"]})
    assert removed.data == {"scheduleRemove": {"__typename": "Expert", "schedulePeriods": []}}


async def test_the_calendar_shows_what_touches_the_range_in_order(expert: SignedIn) -> None:
    await save(expert.viewer, await day(-1), await day(0), halves=(AM, AM))
    await save(expert.viewer, await day(2), until=await day(16), halves=(PM, PM), reason="授课")

    answer = await both(RANGE, expert.viewer, **{"from": (await day(0)).isoformat(), "to": (await day(9)).isoformat()})

    found = answer["viewer"]["expert"]["schedule"]
    assert [(each["firstDate"], each["firstHalf"], each["lastDate"], each["lastHalf"]) for each in found] == [
        ((await day(-1)).isoformat(), "AM", (await day(0)).isoformat(), "AM"),
        ((await day(2)).isoformat(), "PM", (await day(2)).isoformat(), "PM"),
        ((await day(9)).isoformat(), "PM", (await day(9)).isoformat(), "PM"),
    ]
    assert [each["period"] for each in found] == [{"reason": None}, {"reason": "授课"}, {"reason": "授课"}]


async def test_a_calendar_range_is_half_a_year_at_most(expert: SignedIn) -> None:
    answer = await execute(RANGE, expert.viewer, **{"from": "2026-01-01", "to": "2026-07-04"})

    assert answer.errors is not None
    assert answer.errors[0].extensions == {
        "code": "INVALID_INPUT",
        "fields": [{"path": "to", "code": "RANGE_TOO_LONG", "message": "一次最多查询 184 天；请缩短范围。"}],
    }


AVAILABLE = """query Available($date: Date!, $halfDay: HalfDay, $pool: String, $specialty: String, $declared: Boolean!) {
    availableExperts(date: $date, halfDay: $halfDay, poolCode: $pool, specialty: $specialty, declared: $declared, first: 5) {
        totalCount nodes { id name schedulePeriods { availability reason } } } }"""


async def available(viewer: Viewer, on: date, **options: Any) -> set[str]:
    variables = {"date": on.isoformat(), "declared": False} | options
    found = (await both(AVAILABLE, viewer, **variables))["availableExperts"]
    assert found["totalCount"] == len(found["nodes"])
    return {each["id"] for each in found["nodes"]}


async def test_officers_find_who_is_available(expert: SignedIn) -> None:
    here, elsewhere, province = await officer("220199"), await officer("220299"), await provincial_officer()
    me, busy = f"Expert_{expert.viewer.expert_id}", await day(0)
    await save(expert.viewer, busy, halves=(PM, PM), reason="就医")
    await save(expert.viewer, await day(1), availability=Availability.AVAILABLE)

    assert me in await available(here.viewer, await day(2))
    assert me not in await available(here.viewer, busy)
    assert me not in await available(here.viewer, busy, halfDay="PM")
    assert me in await available(here.viewer, busy, halfDay="AM")
    assert await available(here.viewer, await day(1), declared=True) == {me}
    assert await available(here.viewer, await day(2), declared=True) == set()
    assert await available(elsewhere.viewer, await day(2)) == set()
    assert await available(elsewhere.viewer, await day(2), pool="220199") == set()
    assert me in await available(province.viewer, await day(2), pool="220199")
    assert await available(province.viewer, await day(2), pool="220299") == set()
    for specialty, has in (("A01010000", True), ("A01000000", True), ("A", True), ("A02010000", False), ("B", False)):
        assert (me in await available(province.viewer, await day(2), specialty=specialty)) is has


async def test_the_reason_is_for_the_expert_alone(expert: SignedIn) -> None:
    await save(expert.viewer, await day(0), reason="就医")
    document = """query Seen($id: ID!) { expert(id: $id) { schedulePeriods { availability reason } } }"""
    me = f"Expert_{expert.viewer.expert_id}"

    own = await both(document, expert.viewer, id=me)
    officers = await both(document, (await officer()).viewer, id=me)
    stranger = await both(document, (await registered_expert()).viewer, id=me)

    assert own == {"expert": {"schedulePeriods": [{"availability": "UNAVAILABLE", "reason": "就医"}]}}
    assert officers == {"expert": {"schedulePeriods": [{"availability": "UNAVAILABLE", "reason": None}]}}
    assert stranger == {"expert": None}


async def test_who_is_no_officer_does_not_search_for_experts(expert: SignedIn) -> None:
    variables = {"date": (await day(0)).isoformat(), "declared": False}

    codes = []
    for viewer in (None, expert.viewer, (await administrator()).viewer):
        answer = await execute(AVAILABLE, viewer, **variables)
        assert answer.errors is not None
        codes.append((answer.errors[0].extensions or {})["code"])

    assert codes == ["NOT_SIGNED_IN", "NOT_ALLOWED", "NOT_ALLOWED"]


async def test_a_suspended_expert_is_not_found(expert: SignedIn) -> None:
    here = (await officer()).viewer
    me = f"Expert_{expert.viewer.expert_id}"
    await rows(
        "UPDATE experts SET standing = 'SUSPENDED', suspended_until = now() + interval '1 year' WHERE id = $1", expert.viewer.expert_id
    )

    found = await available(here, await day(0))

    await rows("UPDATE experts SET standing = 'FORMAL', suspended_until = NULL WHERE id = $1", expert.viewer.expert_id)
    assert me not in found
    assert me in await available(here, await day(0))


async def test_who_leaves_by_age_is_found_until_the_day_before(expert: SignedIn) -> None:
    here = (await officer()).viewer
    me = f"Expert_{expert.viewer.expert_id}"
    await rows("UPDATE experts SET lapses_on = $2 WHERE id = $1", expert.viewer.expert_id, await day(3))

    found = [me in await available(here, await day(number)) for number in (2, 3, 4)]

    await rows("UPDATE experts SET lapses_on = NULL WHERE id = $1", expert.viewer.expert_id)
    assert found == [True, False, False]
