"""Lists of experts: who is on them for whom, page by page, filtered and counted."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

import pytest

from domain import lists
from domain.actions import exports, standing
from domain.rules.calendar import SHANGHAI
from models.database import database_now
from models.enums import Stage, Standing
from models.experts import Expert
from settings import Settings
from tests.cases import case_at
from tests.exports.making import made, sheet_of
from tests.graphql import both, execute
from tests.people import SignedIn, administrator, officer, provincial_officer, registered_expert


@dataclass(frozen=True, slots=True)
class People:
    """Experts of two pools, and who looks for them."""

    local: SignedIn
    province: SignedIn
    numbers: dict[str, str | None]


@pytest.fixture(scope="module")
async def people(database: Settings) -> People:
    """In the order in which they registered."""
    province = await provincial_officer()
    for name, stage, pool, employer in (
        ("赵正式", Stage.ADMITTED, "220199", "吉林大学"),
        ("钱外地", Stage.ADMITTED, "220299", "北华大学"),
        ("孙待审", Stage.FIRST_REVIEW, "220199", "吉林大学"),
        ("李暂停", Stage.ADMITTED, "220199", "100%环保公司"),
    ):
        await case_at(stage, name=name, pool=pool, employer=employer)
    await registered_expert(name="周草稿")
    suspended, now = await Expert.get(name="李暂停"), await database_now()
    until = now.astimezone(SHANGHAI).date() + timedelta(days=30)
    await standing.suspend(suspended.id, until=until, reasons="多次无故缺席评审。", viewer=province.viewer, now=now)
    numbers = {each.name: each.number for each in await Expert.all()}
    return People(await officer("220199"), province, numbers)


async def listed(who: SignedIn, arguments: str = "") -> list[str]:
    """Their names, and that the total says as many."""
    given = f"({arguments})" if arguments else ""
    found = (await both(f"{{ experts{given} {{ nodes {{ name }} totalCount }} }}", who.viewer))["experts"]
    assert found["totalCount"] == len(found["nodes"])
    return [each["name"] for each in found["nodes"]]


async def test_an_office_has_the_experts_of_its_pool(people: People) -> None:
    assert await listed(people.local) == ["赵正式", "李暂停"]


async def test_the_province_has_all_who_ever_submitted_in_the_order_of_registration(people: People) -> None:
    assert await listed(people.province) == ["赵正式", "钱外地", "孙待审", "李暂停"]


@pytest.mark.parametrize(
    ("chosen", "found"),
    [
        ("standings: [SUSPENDED]", ["李暂停"]),
        ("standings: [FORMAL]", ["赵正式", "钱外地"]),
        ("standings: [FORMAL, SUSPENDED]", ["赵正式", "钱外地", "李暂停"]),
        ("standings: [TEMPORARY]", ["孙待审"]),
        ("standings: []", []),
        ('poolCodes: ["220299"]', ["钱外地"]),
        ('poolCodes: ["220299", "220199"]', ["赵正式", "钱外地", "李暂停"]),
        ("poolCodes: []", []),
        ('specialty: "A01010000"', ["赵正式", "钱外地", "李暂停"]),
        ('specialty: "A"', ["赵正式", "钱外地", "李暂停"]),
        ('specialty: "X"', []),
        ('search: "正式"', ["赵正式"]),
        ('search: " 外 "', ["钱外地"]),
        ('search: "吉林大学"', ["赵正式"]),  # of who is not admitted yet, `applications` tells the employer
        ('search: "00%环保"', ["李暂停"]),
        ('search: "0_环"', []),
        ('search: "待审"', ["孙待审"]),
        ('search: "草稿"', []),
        ('search: " "', ["赵正式", "钱外地", "孙待审", "李暂停"]),
        ('search: "大学", standings: [FORMAL], poolCodes: ["220299"]', ["钱外地"]),
    ],
)
async def test_a_list_is_filtered(people: People, chosen: str, found: list[str]) -> None:
    assert await listed(people.province, f"filter: {{{chosen}}}") == found


async def test_somebody_is_found_by_the_whole_number_and_by_no_part_of_it(people: People) -> None:
    number = people.numbers["钱外地"]
    assert number is not None

    assert await listed(people.province, f'filter: {{search: " {number} "}}') == ["钱外地"]
    assert await listed(people.province, f'filter: {{search: "{number[:-1]}"}}') == []
    assert await listed(people.local, f'filter: {{search: "{number}"}}') == []


async def test_somebody_is_found_by_the_employer_of_the_profile_in_force_alone(people: People) -> None:
    expert = await Expert.get(name="赵正式")

    assert (expert.employer, (await Expert.get(name="孙待审")).employer) == ("吉林大学", None)


async def test_pages_lead_through_the_list_both_ways(people: People) -> None:
    async def page(arguments: str) -> tuple[list[str], dict[str, object]]:
        asked = f"{{ experts({arguments}) {{ nodes {{ name }} pageInfo {{ hasNextPage hasPreviousPage startCursor endCursor }} }} }}"
        found = (await both(asked, people.province.viewer))["experts"]
        return [each["name"] for each in found["nodes"]], found["pageInfo"]

    first, at_first = await page("first: 3")
    second, at_second = await page(f'first: 3, after: "{at_first["endCursor"]}"')
    back, at_back = await page(f'last: 2, before: "{at_second["startCursor"]}"')

    assert (first, at_first["hasNextPage"], at_first["hasPreviousPage"]) == (["赵正式", "钱外地", "孙待审"], True, False)
    assert (second, at_second["hasNextPage"], at_second["hasPreviousPage"]) == (["李暂停"], False, True)
    assert (back, at_back["hasNextPage"], at_back["hasPreviousPage"]) == (["钱外地", "孙待审"], True, True)


async def test_a_list_is_for_officers_alone(people: People) -> None:
    for somebody, code in ((await registered_expert(), "NOT_ALLOWED"), (await administrator(), "NOT_ALLOWED"), (None, "NOT_SIGNED_IN")):
        answer = await execute("{ experts { nodes { name } totalCount } }", somebody.viewer if somebody else None)

        assert answer.data is None
        assert [(error.extensions or {}).get("code") for error in answer.errors or []] == [code]


@pytest.mark.parametrize(
    ("chosen", "written"),
    [
        ({}, ""),
        ({"standings": [Standing.SUSPENDED]}, "standings: [SUSPENDED]"),
        ({"pool_codes": ["220199"]}, 'poolCodes: ["220199"]'),
        ({"search": "大学"}, 'search: "大学"'),
        ({"specialty": "A01010000"}, 'specialty: "A01010000"'),
    ],
)
async def test_a_list_can_be_taken_along_by_the_same_filter(people: People, chosen: dict[str, object], written: str) -> None:
    asked = await exports.ask_experts(
        lists.ExpertFilter(**chosen),  # type: ignore[arg-type]  # as in the sheet's own tests
        viewer=people.province.viewer,
        now=await database_now(),
    )

    assert [each["姓名"] for each in await sheet_of(await made(asked))] == await listed(people.province, f"filter: {{{written}}}")
