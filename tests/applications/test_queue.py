"""The officers' queue: what is in it, in which order, page by page, filtered and counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.actions import reviews
from domain.actions.applications import withdraw
from domain.actions.calendar import working_calendar
from domain.rules.calendar import SHANGHAI
from models.applications import Application
from models.database import database_now
from models.enums import Stage
from schema.root import schema
from settings import Settings
from tests.cases import approve, case_at, submitted_case
from tests.graphql import answer_at, context_for
from tests.people import SignedIn, officer, provincial_officer


@dataclass(frozen=True, slots=True)
class Queue:
    """An office with its cases, by the names of the applicants, in the order of waiting."""

    local: SignedIn
    province: SignedIn
    cases: dict[str, Application]
    now: datetime


@pytest.fixture(scope="module")
async def queue(database: Settings) -> Queue:
    local, province = await officer("220199", name="李初审"), await provincial_officer()
    cases = {}
    for name, stage, pool, employer in (
        ("赵一", Stage.FIRST_REVIEW, "220199", "吉林大学"),
        ("钱二", Stage.SECOND_REVIEW, "220199", "长春理工大学"),
        ("孙三", Stage.FIRST_REVIEW, "220199", "中国一汽"),
        ("李四", Stage.FIRST_REVIEW, "220299", "北华大学"),
        ("周五", Stage.RETURNED, "220199", "吉林大学"),
        ("吴六", Stage.FINAL_REVIEW, "220199", "吉林大学"),
        ("郑七", Stage.REJECTED, "220199", "100%环保公司"),
        ("王八一", Stage.FIRST_REVIEW, "220199", "东北师范大学"),
        ("冯九", Stage.PUBLICITY, "220299", "吉林化工学院"),
    ):
        _, cases[name] = await case_at(stage, name=name, pool=pool, employer=employer)
    await reviews.claim(cases["孙三"].id, viewer=local.viewer, now=await database_now())
    return Queue(local, province, {name: await Application.get(id=case.id) for name, case in cases.items()}, await database_now())


async def listed(queue: Queue, who: SignedIn, arguments: str = "", *, later: timedelta = timedelta(0)) -> list[str]:
    """Applicants of the queue, and that the total says as many."""
    given = f"({arguments})" if arguments else ""
    found = (await answer_at(queue.now + later, f"{{ applications{given} {{ nodes {{ applicant }} totalCount }} }}", who.viewer))[
        "applications"
    ]
    assert found["totalCount"] == len(found["nodes"])
    return [each["applicant"] for each in found["nodes"]]


async def test_an_office_sees_its_own_cases_the_longest_waiting_first(queue: Queue) -> None:
    assert await listed(queue, queue.local) == ["赵一", "钱二", "孙三", "周五", "吴六", "郑七", "王八一"]


async def test_the_province_sees_all_cases_that_were_ever_submitted(queue: Queue) -> None:
    assert await listed(queue, queue.province) == list(queue.cases)


@pytest.mark.parametrize(
    ("filter", "found"),
    [
        ("awaitingMe: true", ["赵一", "孙三", "王八一"]),
        ("awaitingMe: false", ["赵一", "钱二", "孙三", "周五", "吴六", "郑七", "王八一"]),
        ("stages: [SECOND_REVIEW, FINAL_REVIEW]", ["钱二", "吴六"]),
        ("stages: []", []),
        ("stages: [DRAFT]", []),
        ("kinds: [ADMISSION], stages: [RETURNED]", ["周五"]),
        ("kinds: [CHANGE]", []),
        ('poolCodes: ["220299"]', []),
        ('poolCodes: ["220199"], stages: [REJECTED]', ["郑七"]),
        ("claimed: true", ["孙三"]),
        ("claimed: false, awaitingMe: true", ["赵一", "王八一"]),
        ("claimedByMe: true", ["孙三"]),
        ('search: "大学"', ["赵一", "钱二", "周五", "吴六", "王八一"]),
        ('search: "理工"', ["钱二"]),
        ('search: "王八"', ["王八一"]),
        ('search: "一汽"', ["孙三"]),
        ('search: "一"', ["赵一", "孙三", "王八一"]),
        ('search: "%"', ["郑七"]),
        ('search: "_"', []),
        ('search: "  "', ["赵一", "钱二", "孙三", "周五", "吴六", "郑七", "王八一"]),
        ('search: "大学", stages: [FIRST_REVIEW]', ["赵一", "王八一"]),
        ("overdue: true", []),
        ('submittedFrom: "2000-01-01T00:00:00Z", submittedBefore: "2000-01-02T00:00:00Z"', []),
    ],
)
async def test_a_filter_leaves_what_it_says(queue: Queue, filter: str, found: list[str]) -> None:
    assert await listed(queue, queue.local, f"filter: {{ {filter} }}") == found


async def test_what_awaits_the_province_are_second_and_final_reviews(queue: Queue) -> None:
    assert await listed(queue, queue.province, "filter: { awaitingMe: true }") == ["钱二", "吴六"]
    assert await listed(queue, queue.province, "filter: { claimedByMe: true }") == []


async def test_cases_are_found_by_the_time_of_their_submission_from_inclusive_to_exclusive(queue: Queue) -> None:
    first, last = (queue.cases[name].submitted_at for name in ("孙三", "周五"))
    assert first is not None
    assert last is not None

    found = await listed(queue, queue.local, f'filter: {{ submittedFrom: "{first.isoformat()}", submittedBefore: "{last.isoformat()}" }}')

    assert found == ["孙三"]


async def test_a_claim_counts_until_it_runs_out(queue: Queue) -> None:
    assert await listed(queue, queue.local, "filter: { claimed: true }", later=timedelta(minutes=31)) == []
    assert await listed(queue, queue.local, "filter: { claimedByMe: true }", later=timedelta(minutes=31)) == []


async def test_a_case_is_overdue_when_the_office_s_days_are_over_and_others_never_are(queue: Queue) -> None:
    due = queue.cases["赵一"].due_at
    assert due is not None
    marks = "{ applications(first: 100) { nodes { applicant overdue } } }"

    at_due = (await answer_at(due, marks, queue.local.viewer))["applications"]["nodes"]
    after = (await answer_at(due + timedelta(microseconds=1), marks, queue.local.viewer))["applications"]["nodes"]

    assert [each["applicant"] for each in at_due if each["overdue"]] == []
    assert [each["applicant"] for each in after if each["overdue"]] == ["赵一", "钱二", "孙三", "吴六", "王八一"]
    later = due - queue.now + timedelta(seconds=1)
    assert await listed(queue, queue.local, "filter: { overdue: true }", later=later) == ["赵一", "钱二", "孙三", "吴六", "王八一"]
    assert await listed(queue, queue.local, "filter: { overdue: false }", later=later) == ["周五", "郑七"]


async def test_the_inbox_counts_open_cases_by_stage(queue: Queue) -> None:
    document = "{ queueCounts { stage total overdue claimed } }"

    local = (await answer_at(queue.now, document, queue.local.viewer))["queueCounts"]
    late = (await answer_at(queue.now + timedelta(days=30), document, queue.province.viewer))["queueCounts"]

    assert local == [
        {"stage": "FIRST_REVIEW", "total": 3, "overdue": 0, "claimed": 1},
        {"stage": "SECOND_REVIEW", "total": 1, "overdue": 0, "claimed": 0},
        {"stage": "FINAL_REVIEW", "total": 1, "overdue": 0, "claimed": 0},
        {"stage": "RETURNED", "total": 1, "overdue": 0, "claimed": 0},
    ]
    assert late == [
        {"stage": "FIRST_REVIEW", "total": 4, "overdue": 4, "claimed": 0},
        {"stage": "SECOND_REVIEW", "total": 1, "overdue": 1, "claimed": 0},
        {"stage": "FINAL_REVIEW", "total": 1, "overdue": 1, "claimed": 0},
        {"stage": "PUBLICITY", "total": 1, "overdue": 0, "claimed": 0},
        {"stage": "RETURNED", "total": 1, "overdue": 0, "claimed": 0},
    ]


async def test_the_inbox_tells_pools_and_ages(queue: Queue) -> None:
    document = """{ queueCounts(awaitingMe: true) {
        stage total ages { atLeast below total } pools { poolCode pool { name } total overdue claimed } } }"""
    since = queue.cases["赵一"].stage_since
    calendar = await working_calendar()

    async def counted(who: SignedIn, days: int) -> Any:
        """When so many working days are over since the cases came."""
        now = calendar.deadline(since, days) if days else queue.now
        return (await answer_at(now, document, who.viewer))["queueCounts"]

    local, [second, final] = await counted(queue.local, 0), await counted(queue.province, 5)
    by_days = {
        days: {each["atLeast"]: each["total"] for each in (await counted(queue.local, days))[0]["ages"]} for days in (1, 2, 4, 5, 9, 10)
    }

    assert local == [
        {
            "stage": "FIRST_REVIEW",
            "total": 3,
            "ages": [
                {"atLeast": 0, "below": 2, "total": 3},
                {"atLeast": 2, "below": 5, "total": 0},
                {"atLeast": 5, "below": 10, "total": 0},
                {"atLeast": 10, "below": None, "total": 0},
            ],
            "pools": [{"poolCode": "220199", "pool": {"name": "长春市本级"}, "total": 3, "overdue": 0, "claimed": 1}],
        }
    ]
    assert (second["stage"], final["stage"]) == ("SECOND_REVIEW", "FINAL_REVIEW")
    for each in (second, final):
        assert each["pools"] == [{"poolCode": "220199", "pool": {"name": "长春市本级"}, "total": 1, "overdue": 0, "claimed": 0}]
    assert by_days == {
        1: {0: 3, 2: 0, 5: 0, 10: 0},
        2: {0: 0, 2: 3, 5: 0, 10: 0},
        4: {0: 0, 2: 3, 5: 0, 10: 0},
        5: {0: 0, 2: 0, 5: 3, 10: 0},
        9: {0: 0, 2: 0, 5: 3, 10: 0},
        10: {0: 0, 2: 0, 5: 0, 10: 3},
    }


async def test_the_province_reads_its_inbox_pool_by_pool(queue: Queue) -> None:
    document = "{ queueCounts { stage total overdue pools { poolCode total overdue } } }"

    first, *_ = (await answer_at(queue.now + timedelta(days=30), document, queue.province.viewer))["queueCounts"]

    assert first == {
        "stage": "FIRST_REVIEW",
        "total": 4,
        "overdue": 4,
        "pools": [{"poolCode": "220199", "total": 3, "overdue": 3}, {"poolCode": "220299", "total": 1, "overdue": 1}],
    }


async def test_the_last_day_of_an_office_is_told_where_one_decides(queue: Queue) -> None:
    found = (await answer_at(queue.now, "{ applications(first: 100) { nodes { applicant dueOn dueAt } } }", queue.local.viewer))[
        "applications"
    ]
    told = {each["applicant"]: (each["dueOn"], each["dueAt"]) for each in found["nodes"]}

    day = (await working_calendar()).add_working_days(queue.now.astimezone(SHANGHAI).date(), 5)
    assert told["赵一"][0] == told["吴六"][0] == day.isoformat()
    assert told["周五"] == told["郑七"] == (None, None)


# Pages

PAGE = """query ($first: Int, $after: String, $last: Int, $before: String) {
    applications(first: $first, after: $after, last: $last, before: $before) {
        edges { cursor node { applicant } }
        pageInfo { hasNextPage hasPreviousPage startCursor endCursor }
        totalCount
    }
}"""


async def page(queue: Queue, **arguments: Any) -> Any:
    return (await answer_at(queue.now, PAGE, queue.local.viewer, **arguments))["applications"]


def names(found: Any) -> list[str]:
    return [edge["node"]["applicant"] for edge in found["edges"]]


async def test_a_queue_is_read_page_by_page_forwards(queue: Queue) -> None:
    first = await page(queue, first=3)
    second = await page(queue, first=3, after=first["pageInfo"]["endCursor"])
    third = await page(queue, first=3, after=second["pageInfo"]["endCursor"])

    assert [names(each) for each in (first, second, third)] == [["赵一", "钱二", "孙三"], ["周五", "吴六", "郑七"], ["王八一"]]
    assert [each["pageInfo"]["hasNextPage"] for each in (first, second, third)] == [True, True, False]
    assert [each["pageInfo"]["hasPreviousPage"] for each in (first, second, third)] == [False, True, True]
    assert [each["totalCount"] for each in (first, second, third)] == [7, 7, 7]
    assert first["pageInfo"]["startCursor"] == first["edges"][0]["cursor"]
    assert first["pageInfo"]["endCursor"] == first["edges"][2]["cursor"]


async def test_a_queue_is_read_page_by_page_backwards_in_the_same_order(queue: Queue) -> None:
    last = await page(queue, last=3)
    before = await page(queue, last=3, before=last["pageInfo"]["startCursor"])
    top = await page(queue, last=3, before=before["pageInfo"]["startCursor"])

    assert [names(each) for each in (top, before, last)] == [["赵一"], ["钱二", "孙三", "周五"], ["吴六", "郑七", "王八一"]]
    assert [each["pageInfo"]["hasPreviousPage"] for each in (top, before, last)] == [False, True, True]
    assert [each["pageInfo"]["hasNextPage"] for each in (top, before, last)] == [True, True, False]


async def test_a_page_between_two_cursors_holds_what_lies_between(queue: Queue) -> None:
    cursors = {edge["node"]["applicant"]: edge["cursor"] for edge in (await page(queue))["edges"]}

    found = await page(queue, first=10, after=cursors["钱二"], before=cursors["郑七"])

    assert names(found) == ["孙三", "周五", "吴六"]


async def test_a_page_of_nothing_has_no_cursors(queue: Queue) -> None:
    found = await page(queue, first=0)

    assert found == {
        "edges": [],
        "pageInfo": {"hasNextPage": True, "hasPreviousPage": False, "startCursor": None, "endCursor": None},
        "totalCount": 7,
    }


async def test_a_case_that_comes_and_moves_while_pages_are_read_is_met_at_the_end_and_none_is_skipped(queue: Queue) -> None:
    first = await page(queue, first=2)
    _, moving = await submitted_case(name="陈十")
    after_it = await page(queue, first=10, after=first["pageInfo"]["endCursor"])
    await approve(moving.id, (await officer()).viewer)

    again = await page(queue, first=10, after=first["pageInfo"]["endCursor"])

    assert names(after_it)[:5] == names(again)[:5] == ["孙三", "周五", "吴六", "郑七", "王八一"]
    assert names(again)[5:] == ["陈十"]
    await _out_of_sight(moving)


async def _out_of_sight(case: Application) -> None:
    """Another pool's, so that the other tests count what they made."""
    await Application.filter(id=case.id).update(pool_code="220399")


@pytest.mark.parametrize(
    ("arguments", "path", "code"),
    [
        ("first: -1", "first", "PAGE_SIZE"),
        ("first: 101", "first", "PAGE_SIZE"),
        ("last: 101", "last", "PAGE_SIZE"),
        ("first: 1, last: 1", "last", "PAGE_FIRST_AND_LAST"),
        ('after: "nonsense"', "after", "CURSOR_INVALID"),
        ('before: ""', "before", "CURSOR_INVALID"),
        ('after: "99999999999999999999~01a20548-d384-77b3-a3e3-30dac232e242"', "after", "CURSOR_INVALID"),
        ('after: "1~\' OR TRUE --"', "after", "CURSOR_INVALID"),
        ('after: "-1~01a20548-d384-77b3-a3e3-30dac232e242"', "after", "CURSOR_INVALID"),
        ('after: "1_0~01a20548-d384-77b3-a3e3-30dac232e242"', "after", "CURSOR_INVALID"),
        ('after: "1~{01a20548-d384-77b3-a3e3-30dac232e242}"', "after", "CURSOR_INVALID"),
        ('after: "1~urn:uuid:01a20548-d384-77b3-a3e3-30dac232e242"', "after", "CURSOR_INVALID"),
    ],
)
async def test_bad_sizes_and_cursors_are_told_by_their_place(queue: Queue, arguments: str, path: str, code: str) -> None:
    result = await schema.execute(
        f"{{ applications({arguments}) {{ nodes {{ id }} }} }}", context_value=context_for(queue.local.viewer, now=queue.now)
    )

    assert result.data is None
    [error] = result.errors or []
    assert error.extensions is not None
    assert error.extensions["code"] == "INVALID_INPUT"
    assert [(each["path"], each["code"]) for each in error.extensions["fields"]] == [(path, code)]


# History


async def test_a_case_tells_its_history_to_its_officers(queue: Queue) -> None:
    case = queue.cases["周五"]
    document = """query ($id: ID!) { application(id: $id) {
        stage round applicant employer poolCode pool { name } closedAt dueAt claim { holder }
        records {
            number round move fromStage toStage actorRole actorName opinion rejectReason fieldReasons { path text } profile { number }
        }
        profile { number state }
    } }"""

    found = (await answer_at(queue.now, document, queue.province.viewer, id=f"Application_{case.id}"))["application"]

    [submitted, returned] = found.pop("records")
    assert submitted.pop("actorName") == "周五"
    assert submitted == {
        "number": 1,
        "round": 1,
        "move": "SUBMIT",
        "fromStage": "DRAFT",
        "toStage": "FIRST_REVIEW",
        "actorRole": "EXPERT",
        "opinion": None,
        "rejectReason": None,
        "fieldReasons": [],
        "profile": {"number": 1},
    }
    assert returned == {
        "number": 2,
        "round": 1,
        "move": "RETURN",
        "fromStage": "FIRST_REVIEW",
        "toStage": "RETURNED",
        "actorRole": "LOCAL_OFFICER",
        "actorName": "李初审",
        "opinion": "请补充材料",
        "rejectReason": None,
        "fieldReasons": [{"path": "titles.0.certificate", "text": "图片不清晰"}],
        "profile": {"number": 1},
    }
    assert found == {
        "stage": "RETURNED",
        "round": 1,
        "applicant": "周五",
        "employer": "吉林大学",
        "poolCode": "220199",
        "pool": {"name": "长春市本级"},
        "closedAt": None,
        "dueAt": None,
        "claim": None,
        "profile": {"number": 1, "state": "NOT_ADOPTED"},
    }


async def test_a_claim_is_shown_to_officers_with_its_holder_while_it_runs(queue: Queue) -> None:
    document = "query ($id: ID!) { application(id: $id) { claim { holder until mine } } }"
    case = queue.cases["孙三"]
    assert case.claimed_until is not None
    until = case.claimed_until.isoformat(timespec="microseconds")

    async def claim(who: SignedIn, now: datetime) -> Any:
        return (await answer_at(now, document, who.viewer, id=f"Application_{case.id}"))["application"]["claim"]

    assert await claim(queue.local, queue.now) == {"holder": "李初审", "until": until, "mine": True}
    assert await claim(await officer(), queue.now) == {"holder": "李初审", "until": until, "mine": False}
    assert await claim(queue.local, case.claimed_until) is None


async def test_the_cases_of_an_expert_are_listed_the_newest_first(queue: Queue) -> None:
    person, first = await submitted_case(name="卫十一", pool="220399")
    await withdraw(first.id, viewer=person.viewer, now=await database_now())
    document = "{ viewer { expert { applications { nodes { id stage } totalCount } } } }"

    found = (await answer_at(await database_now(), document, person.viewer))["viewer"]["expert"]["applications"]

    assert [each["stage"] for each in found["nodes"]] == ["DRAFT", "WITHDRAWN"]
    assert found["totalCount"] == 2
