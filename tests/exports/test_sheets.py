from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any
from zipfile import ZipFile

import pytest

from domain import lists
from domain.actions import exports, sheets
from domain.rules.errors import NotAllowed
from domain.rules.viewer import Viewer
from models.accounts import Account
from models.applications import Application
from models.database import database_now
from models.enums import CaseKind, ExportState, RevisionState, Stage, Standing
from models.experts import Expert
from models.exports import Export
from models.profiles import Revision
from settings import Settings
from tests.cases import approve, case_at, submitted_case
from tests.exports.making import contents, made, sheet_of
from tests.graphql import answer_at
from tests.objections.raising import objection_to
from tests.people import SignedIn, administrator, officer, provincial_officer, registered_expert

OBJECTOR = "+8613788889998"
FORMULA = '=HYPERLINK("http://x","吉大")'


@pytest.fixture(scope="module")
async def people(database: Settings) -> dict[str, SignedIn]:
    """Cases of two pools at several stages, and who reads them."""
    local, elsewhere, province = await officer(name="李初审"), await officer("220299", name="赵外地"), await provincial_officer()
    await registered_expert(name="只有草稿")
    await submitted_case(name="公式", employer=FORMULA)
    await submitted_case(name="外地人", pool="220299")
    _, second = await submitted_case(name="复审中")
    await approve(second.id, local.viewer)
    _, noticed = await case_at(Stage.PUBLICITY, name="公示中")
    await objection_to(noticed.id, phone=OBJECTOR, text="有利害关系")
    await case_at(Stage.WITHDRAWN, name="已撤回")
    return {"local": local, "elsewhere": elsewhere, "province": province}


async def cases_for(viewer: Viewer, **chosen: Any) -> list[dict[str, Any]]:
    export = await made(await exports.ask_cases(lists.CaseFilter(**chosen), viewer=viewer, now=await database_now()))
    assert export.state is ExportState.READY, export.failure
    return await sheet_of(export)


async def experts_for(viewer: Viewer, **chosen: Any) -> list[dict[str, Any]]:
    export = await made(await exports.ask_experts(lists.ExpertFilter(**chosen), viewer=viewer, now=await database_now()))
    assert export.state is ExportState.READY, export.failure
    return await sheet_of(export)


@pytest.mark.parametrize("who", ["local", "elsewhere", "province"])
@pytest.mark.parametrize(
    ("chosen", "written"),
    [
        ({}, "{}"),
        ({"awaiting_me": True}, "{ awaitingMe: true }"),
        ({"stages": [Stage.PUBLICITY, Stage.WITHDRAWN]}, "{ stages: [PUBLICITY, WITHDRAWN] }"),
        ({"stages": []}, "{ stages: [] }"),
        ({"kinds": [CaseKind.CHANGE]}, "{ kinds: [CHANGE] }"),
        ({"pool_codes": ["220299"]}, '{ poolCodes: ["220299"] }'),
        ({"search": "公示"}, '{ search: "公示" }'),
        ({"overdue": False, "claimed": False}, "{ overdue: false, claimed: false }"),
    ],
)
async def test_a_sheet_of_cases_holds_exactly_what_the_queue_shows(
    people: dict[str, SignedIn], who: str, chosen: dict[str, Any], written: str
) -> None:
    viewer = people[who].viewer

    found = await cases_for(viewer, **chosen)

    document = f"{{ applications(first: 100, filter: {written}) {{ nodes {{ id applicant }} }} }}"
    shown = (await answer_at(await database_now(), document, viewer))["applications"]["nodes"]
    assert {each["申请编号"]: each["申请人"] for each in found} == {each["id"]: each["applicant"] for each in shown}


async def test_filters_by_time_come_through_as_they_were_given(people: dict[str, SignedIn]) -> None:
    chosen = lists.CaseFilter(submitted_from=await database_now(), stages=[Stage.FIRST_REVIEW], claimed_by_me=False)

    assert lists.case_filter(lists.as_kept(chosen)) == chosen


async def test_the_columns_tell_of_a_case_what_its_office_may_read(people: dict[str, SignedIn]) -> None:
    [found] = await cases_for(people["local"].viewer, search="复审中")

    account = await Account.get(name="复审中")
    assert found["事项"] == "入库申请"
    assert found["当前环节"] == "复审"
    assert found["证件号码"] == account.id_number_masked
    assert found["工作单位"] == "吉林大学"
    assert found["隶属专家库"] == "长春市本级"
    assert found["提交次数"] == "1"
    assert found["是否超期"] == "否"
    assert found["评标专业"].count("、") == 1


async def test_nothing_in_a_sheet_is_a_formula_or_a_link(people: dict[str, SignedIn]) -> None:
    export = await made(await exports.ask_cases(lists.CaseFilter(), viewer=people["local"].viewer, now=await database_now()))

    rows = await sheet_of(export)
    with ZipFile(io.BytesIO(await contents(export))) as book:
        sheet = book.read("xl/worksheets/sheet1.xml").decode()

    assert FORMULA in [each["工作单位"] for each in rows]
    assert "<f>" not in sheet
    assert "hyperlink" not in sheet.replace("HYPERLINK", "")
    assert sheet.count("<c ") == sheet.count('t="inlineStr"') > 0


@pytest.mark.parametrize("who", ["local", "province"])
async def test_no_sheet_holds_personal_data_in_clear_or_tells_of_an_objector(people: dict[str, SignedIn], who: str) -> None:
    viewer, now = people[who].viewer, await database_now()
    files = [
        await made(await exports.ask_cases(lists.CaseFilter(), viewer=viewer, now=now)),
        await made(await exports.ask_experts(lists.ExpertFilter(), viewer=viewer, now=now)),
    ]

    told = str([await sheet_of(each) for each in files])

    accounts = await Account.filter(role="EXPERT")
    hidden = [str(each.id_number) for each in accounts] + [each.phone[3:] for each in accounts]
    hidden += [OBJECTOR[3:], "利害关系", "人民大街", "expert@example.cn", "只有草稿"]
    assert [each for each in hidden if each in told] == []


async def test_a_sheet_of_experts_holds_those_whom_the_officer_may_see(people: dict[str, SignedIn]) -> None:
    async def names(who: str, **chosen: Any) -> list[str]:
        return sorted(each["姓名"] for each in await experts_for(people[who].viewer, **chosen))

    assert await names("elsewhere") == ["外地人"]
    assert await names("local") == sorted(["公式", "复审中", "公示中", "已撤回"])
    assert await names("province") == sorted(["公式", "外地人", "复审中", "公示中", "已撤回"])
    assert await names("province", search="外地") == ["外地人"]
    assert await names("province", standings=[Standing.FORMAL]) == []
    assert await names("province", pool_codes=["220299"]) == []  # nobody is a formal expert of it


async def test_of_a_profile_submitted_to_another_pool_an_office_reads_what_its_own_case_tells(people: dict[str, SignedIn]) -> None:
    person = await Expert.get(name="外地人")
    await Application.filter(expert_id=person.id).update(pool_code="220199")

    [found] = await experts_for(people["local"].viewer, search="外地人")
    await Application.filter(expert_id=person.id).update(pool_code="220299")

    assert (found["姓名"], found["状态"]) == ("外地人", "临时专家")
    told = await Revision.get(expert_id=person.id, state=RevisionState.FROZEN)
    assert (found["工作单位"], found["证件号码"], found["评标专业"]) == ("吉林大学", told.id_number_masked, "房屋、构筑物")


async def test_a_list_of_several_pages_is_whole_and_tells_how_far_it_is(
    people: dict[str, SignedIn], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sheets, "_PAGE", 2)
    told: list[tuple[int, int]] = []

    async def note(_: object, done: int, total: int) -> None:
        told.append((done, total))

    monkeypatch.setattr(exports, "_note_progress", note)
    export = await made(await exports.ask_cases(lists.CaseFilter(), viewer=people["province"].viewer, now=await database_now()))

    submitted = await Application.filter(round__gt=0).count()
    assert len(await sheet_of(export)) == submitted == 5
    assert told == [(0, 5), (2, 5), (4, 5), (5, 5)]


async def test_progress_stands_in_the_row_while_it_is_made(people: dict[str, SignedIn], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[str, int, int | None]] = []
    page = sheets._page

    async def look(*given: Any) -> Any:
        row = await Export.get(kind="CASES")
        seen.append((row.state, row.done, row.total))
        return await page(*given)

    monkeypatch.setattr(sheets, "_page", look)
    export = await made(await exports.ask_cases(lists.CaseFilter(), viewer=people["province"].viewer, now=await database_now()))

    assert seen == [("RUNNING", 0, 5), ("RUNNING", 5, 5)]
    assert (export.done, export.total) == (5, 5)


async def test_a_list_beyond_the_limit_is_refused(people: dict[str, SignedIn], change_settings: Callable[..., Settings]) -> None:
    change_settings(export_rows=4)

    export = await made(await exports.ask_cases(lists.CaseFilter(), viewer=people["province"].viewer, now=await database_now()))

    assert (export.state, export.failure) == (ExportState.FAILED, "EXPORT_TOO_LARGE")


async def test_experts_and_administrators_have_no_lists_to_take_along(people: dict[str, SignedIn]) -> None:
    now = await database_now()

    for other in (await registered_expert(), await administrator()):
        with pytest.raises(NotAllowed):
            await exports.ask_cases(lists.CaseFilter(), viewer=other.viewer, now=now)
        with pytest.raises(NotAllowed):
            await exports.ask_experts(lists.ExpertFilter(), viewer=other.viewer, now=now)

    assert await Export.all().count() == 0


async def test_an_office_finds_nobody_of_another_pool_by_where_they_work_or_in_what(people: dict[str, SignedIn]) -> None:
    _, case = await case_at(Stage.ADMITTED, name="已转出", pool="220299", employer="北华大学")
    await Application.filter(id=case.id).update(pool_code="220199")

    async def found(who: str, text: str) -> list[str]:
        return [each["姓名"] for each in await experts_for(people[who].viewer, search=text)]

    assert await found("local", "北华大学") == []
    assert await found("local", "转出") == ["已转出"]
    assert await found("elsewhere", "北华大学") == await found("province", "北华大学") == ["已转出"]
    by_specialty = [await experts_for(people[who].viewer, specialty="A01010000") for who in ("local", "elsewhere")]
    assert ["已转出" in [each["姓名"] for each in sheet] for sheet in by_specialty] == [False, True]
    await Application.filter(id=case.id).update(pool_code="220299")
