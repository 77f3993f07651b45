"""已办: what an officer has decided, the newest first."""

from __future__ import annotations

from typing import Any

from domain.actions import objections
from models.applications import Application
from models.database import database_now
from models.enums import Stage
from settings import Settings
from tests.cases import approve, case_at, reject, return_case, submitted_case
from tests.graphql import both
from tests.objections.raising import objection_to
from tests.people import SignedIn, administrator, officer, provincial_officer

DECISIONS = """query ($first: Int, $after: String) { viewer { decisions(first: $first, after: $after) {
    nodes { move fromStage application { applicant } } totalCount pageInfo { endCursor hasNextPage } } } }"""


async def decisions(person: SignedIn, **page: Any) -> list[tuple[str, str, str]]:
    """Move, stage and applicant, and that the total says as many."""
    found = (await both(DECISIONS, person.viewer, **page))["viewer"]["decisions"]
    assert page or found["totalCount"] == len(found["nodes"])
    return [(each["move"], each["fromStage"], each["application"]["applicant"]) for each in found["nodes"]]


async def test_an_officer_reads_what_was_decided_by_whom_asks_alone_the_newest_first(database: Settings) -> None:
    mine, colleague, province = await officer(name="李初审"), await officer(name="周初审"), await provincial_officer()
    cases = {name: (await submitted_case(name=name))[1] for name in ("赵一", "钱二", "孙三", "李四")}
    await approve(cases["赵一"].id, mine.viewer)
    await return_case(cases["钱二"].id, mine.viewer)
    await approve(cases["孙三"].id, colleague.viewer)
    await approve(cases["赵一"].id, province.viewer)
    await reject(cases["李四"].id, mine.viewer)

    assert await decisions(mine) == [
        ("REJECT", "FIRST_REVIEW", "李四"),
        ("RETURN", "FIRST_REVIEW", "钱二"),
        ("APPROVE", "FIRST_REVIEW", "赵一"),
    ]
    assert await decisions(colleague) == [("APPROVE", "FIRST_REVIEW", "孙三")]
    assert await decisions(province) == [("APPROVE", "SECOND_REVIEW", "赵一")]
    page = (await both(DECISIONS, mine.viewer, first=2))["viewer"]["decisions"]["pageInfo"]
    assert page["hasNextPage"]
    assert await decisions(mine, first=2, after=page["endCursor"]) == [("APPROVE", "FIRST_REVIEW", "赵一")]


async def test_settled_objections_that_moved_a_case_are_decisions_too(database: Settings) -> None:
    province = await provincial_officer()
    _, case = await case_at(Stage.PUBLICITY, name="吴异议")
    objection = await objection_to(case.id)
    await objections.settle(objection.id, upheld=True, reasons="经核查属实。", viewer=province.viewer, now=await database_now())

    assert await decisions(province) == [("UPHOLD_OBJECTION", "PUBLICITY", "吴异议")]


async def test_cases_that_an_officer_may_not_see_any_more_are_not_among_them(database: Settings) -> None:
    local = await officer(name="李初审")
    _, case = await submitted_case(name="郑迁出")
    await approve(case.id, local.viewer)
    await Application.filter(id=case.id).update(pool_code="220299")

    assert await decisions(local) == []


async def test_nobody_else_has_decisions(database: Settings) -> None:
    person, case = await submitted_case()
    await approve(case.id, (await officer()).viewer)

    assert await decisions(person) == await decisions(await administrator()) == []
    assert (await both(DECISIONS, None))["viewer"] is None
