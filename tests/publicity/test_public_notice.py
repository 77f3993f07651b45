"""What a public notice says, and who sees it until when."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta

import pytest

from domain.actions import publicity
from domain.actions.reviews import Seen, approve
from domain.rules.viewer import Viewer
from models.applications import Application
from models.enums import NoticeState, Stage
from models.publicity import NoticeSpecialty, PublicNotice
from settings import Settings
from tests.cases import case_at
from tests.conftest import Clock
from tests.graphql import answer_at
from tests.people import SignedIn, officer, provincial_officer, registered_expert

BEFORE_THE_SPRING_FESTIVAL = datetime(2027, 2, 3, 6, 0, tzinfo=UTC)  # Wednesday, 14:00 in Shanghai
LIST = "{ publicNotices(first: 100) { nodes { id name } totalCount } }"
NODE = "query ($id: ID!) { node(id: $id) { id } }"


async def put_before_the_public(now: datetime, *, name: str = "张三") -> tuple[SignedIn, PublicNotice]:
    """A notice opened at a chosen time."""
    person, case = await case_at(Stage.FINAL_REVIEW, name=name)
    await approve(case.id, opinion=None, seen=Seen(Stage.FINAL_REVIEW), viewer=(await provincial_officer()).viewer, now=now)
    return person, await PublicNotice.get(application_id=case.id)


async def names_on_the_list(now: datetime, viewer: Viewer | None = None) -> list[str]:
    found = await answer_at(now, LIST, viewer)
    nodes = found["publicNotices"]["nodes"]
    assert found["publicNotices"]["totalCount"] == len(nodes)
    return [each["name"] for each in nodes]


async def test_a_notice_keeps_the_days_it_counts(database: object) -> None:
    _, notice = await put_before_the_public(BEFORE_THE_SPRING_FESTIVAL)

    assert (notice.state, notice.opened_at, notice.closed_at) == (NoticeState.OPEN, BEFORE_THE_SPRING_FESTIVAL, None)
    assert (notice.first_day, notice.last_day) == (date(2027, 2, 4), date(2027, 2, 16))
    # The 5th and the 8th to 10th are expected holidays of a calendar that is not yet published.
    assert notice.days_counted == ["2027-02-04", "2027-02-11", "2027-02-12", "2027-02-15", "2027-02-16"]
    assert notice.closes_at == datetime(2027, 2, 16, 16, 0, tzinfo=UTC)
    assert notice.tentative is True


async def test_a_notice_within_a_published_year_is_certain(database: object) -> None:
    _, notice = await put_before_the_public(datetime(2026, 9, 30, 6, 0, tzinfo=UTC))

    assert notice.days_counted == ["2026-10-08", "2026-10-09", "2026-10-10", "2026-10-12", "2026-10-13"]
    assert (notice.closes_at, notice.tentative) == (datetime(2026, 10, 13, 16, 0, tzinfo=UTC), False)


async def test_a_notice_is_as_long_as_the_setting_says(database: object, change_settings: Callable[..., Settings]) -> None:
    change_settings(publicity_working_days=7)

    _, notice = await put_before_the_public(datetime(2026, 3, 2, 9, 0, tzinfo=UTC))

    assert (len(notice.days_counted), notice.last_day) == (7, date(2026, 3, 11))


async def test_the_public_sees_name_employer_specialties_pool_and_dates_and_the_type_has_nothing_else(database: object) -> None:
    _, notice = await put_before_the_public(datetime(2028, 5, 8, 9, 0, tzinfo=UTC), name="李四光")

    document = """{ publicNotices(search: "四光") { nodes {
        state name employer poolCode pool { name } specialties { code specialty { name } }
        openedAt firstDay lastDay closesAt daysCounted tentative closedAt
    } } }"""
    found = await answer_at(datetime(2028, 5, 9, tzinfo=UTC), document)

    assert found["publicNotices"]["nodes"] == [
        {
            "state": "OPEN",
            "name": "李四光",
            "employer": "吉林大学",
            "poolCode": "220199",
            "pool": {"name": "长春市本级"},
            "specialties": [
                {"code": "A01010000", "specialty": {"name": "房屋"}},
                {"code": "A01020000", "specialty": {"name": "构筑物"}},
            ],
            "openedAt": "2028-05-08T09:00:00.000000+00:00",
            "firstDay": "2028-05-09",
            "lastDay": "2028-05-15",
            "closesAt": "2028-05-15T16:00:00.000000+00:00",
            "daysCounted": ["2028-05-09", "2028-05-10", "2028-05-11", "2028-05-12", "2028-05-15"],
            "tentative": True,
            "closedAt": None,
        }
    ]
    shown = await answer_at(datetime(2028, 5, 9, tzinfo=UTC), '{ __type(name: "PublicNotice") { fields { name } } }')
    assert {each["name"] for each in shown["__type"]["fields"]} == {
        "id", "state", "name", "employer", "poolCode", "pool", "specialties",
        "openedAt", "firstDay", "lastDay", "closesAt", "daysCounted", "tentative", "closedAt",
    }  # fmt: skip
    kept = await NoticeSpecialty.filter(notice_id=notice.id).order_by("position")
    assert [each.specialty_code for each in kept] == ["A01010000", "A01020000"]


async def test_a_notice_leaves_the_list_at_the_very_second_though_no_worker_runs(database: object) -> None:
    _, notice = await put_before_the_public(datetime(2029, 5, 7, 9, 0, tzinfo=UTC), name="王最后")
    last = notice.closes_at - timedelta(microseconds=1)

    assert "王最后" in await names_on_the_list(last)
    assert "王最后" not in await names_on_the_list(notice.closes_at)
    assert await answer_at(last, NODE, id=f"PublicNotice_{notice.id}") == {"node": {"id": f"PublicNotice_{notice.id}"}}
    assert await answer_at(notice.closes_at, NODE, id=f"PublicNotice_{notice.id}") == {"node": None}
    assert (await PublicNotice.get(id=notice.id)).state is NoticeState.OPEN


async def test_after_its_end_a_notice_is_seen_by_those_who_see_its_case(clock: Clock) -> None:
    person, case = await case_at(Stage.PUBLICITY)
    notice = await PublicNotice.get(application_id=case.id)
    await clock.move(seconds=(notice.closes_at - await clock.now()).total_seconds() + 1)
    await publicity.close_due_notices()
    now = await clock.now()
    everybody: dict[str, Viewer | None] = {
        "the expert": person.viewer,
        "officer of the pool": (await officer()).viewer,
        "province": (await provincial_officer()).viewer,
        "another expert": (await registered_expert()).viewer,
        "officer of another pool": (await officer("220299")).viewer,
        "nobody": None,
    }

    seen = {
        name
        for name, viewer in everybody.items()
        if (await answer_at(now, NODE, viewer, id=f"PublicNotice_{notice.id}"))["node"] is not None
    }

    assert seen == {"the expert", "officer of the pool", "province"}
    assert (await Application.get(id=case.id)).stage is Stage.ADMITTED
    for viewer in everybody.values():
        assert str(notice.id) not in str(await answer_at(now, LIST, viewer))


@pytest.mark.parametrize(
    ("arguments", "found"),
    [
        ('poolCode: "220299"', ["陈二"]),
        ('search: "陈"', ["陈一", "陈二"]),
        ('search: "师范"', ["陈二"]),
        ('search: "陈", poolCode: "220199"', ["陈一"]),
        ('search: "%"', []),
        ('search: "一"', ["陈一"]),
    ],
)
async def test_the_list_is_searched_by_name_or_employer_and_by_pool(two_notices: datetime, arguments: str, found: list[str]) -> None:
    shown = await answer_at(two_notices, f"{{ publicNotices({arguments}) {{ nodes {{ name }} }} }}")

    assert [each["name"] for each in shown["publicNotices"]["nodes"]] == found


@pytest.fixture(scope="module")
async def two_notices(database: object) -> datetime:
    """陈一 and 陈二 alone are before the public at this time."""
    for number, (name, pool, employer) in enumerate((("陈一", "220199", "吉林大学"), ("陈二", "220299", "北华师范学院"))):
        _, case = await case_at(Stage.FINAL_REVIEW, name=name, pool=pool, employer=employer)
        now = datetime(2031, 5, 5 + number, 9, 0, tzinfo=UTC)
        await approve(case.id, opinion=None, seen=Seen(Stage.FINAL_REVIEW), viewer=(await provincial_officer()).viewer, now=now)
    return datetime(2031, 5, 7, tzinfo=UTC)
