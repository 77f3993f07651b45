"""Closing a pool that has no successor: what becomes of its cases, officers and people, and what stays."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from domain.actions import pools, profiles, reference, reminders, sessions
from domain.actions.changes import submit_change
from domain.actions.divisions import request_division_change
from domain.actions.record_chain import broken_links
from domain.rules import profile_input as given
from domain.rules.errors import Incomplete, InvalidInput, NotAllowed
from models.accounts import Account
from models.applications import Application, ApplicationRecord
from models.database import database_now
from models.enums import AccountStatus, Move, NoticeState, SmsTemplate, Stage, Standing
from models.experts import Expert
from models.publicity import PublicNotice
from models.reference import Division
from models.sms import SmsMessage
from tests.cases import case_at, complete_profile, submit, submitted_case
from tests.conftest import ROOT
from tests.graphql import both
from tests.graphql import execute as run
from tests.people import SignedIn, administrator, officer, provincial_officer, registered_expert

CLOSE = """mutation ($code: String!) { poolClose(input: {poolCode: $code, reason: "机构改革"}) { __typename
    ... on Division { code poolSelectable poolCode closedAt }
    ... on InvalidInput { fields { path code } } ... on Problem { code } } }"""
SEEN = "query ($id: ID!) { application(id: $id) { stage records { move opinion } } }"


async def closed(code: str) -> Division:
    return await pools.close(code, reason="机构改革", viewer=(await administrator()).viewer, now=await database_now())


async def told(person: SignedIn) -> list[tuple[dict[str, Any], Any]]:
    found = await SmsMessage.filter(account_id=person.account.id, template=SmsTemplate.POOL_CLOSED)
    return [(each.parameters, each.application_id) for each in found]


@pytest.mark.parametrize(
    ("stage", "pool"),
    [
        (Stage.FIRST_REVIEW, "220281"),
        (Stage.FINAL_REVIEW, "220282"),
        (Stage.PUBLICITY, "220283"),
        (Stage.RETURNED, "220284"),
    ],
)
async def test_an_open_case_of_a_closed_pool_is_cancelled_and_its_expert_told(database: object, stage: Stage, pool: str) -> None:
    person, case = await case_at(stage, pool=pool)
    other = (await submitted_case(pool="220299"))[1]
    await closed(pool)

    cancelled = await asyncio.gather(*(pools.cancel_without_office() for _ in range(3)))

    assert sum(cancelled) == 1
    kept = await Application.get(id=case.id)
    assert (kept.stage, kept.closed_at is not None) == (Stage.CANCELLED, True)
    assert (await Application.get(id=other.id)).stage is Stage.FIRST_REVIEW
    [last] = await ApplicationRecord.filter(application_id=case.id).order_by("-number").limit(1)
    name = (await Division.get(code=pool)).name
    assert (last.move, last.from_stage, last.actor_id, last.opinion) == (Move.CANCEL, stage, None, f"{name} ({pool}) 已撤销")
    assert await broken_links(case.id) == []
    assert await told(person) == [({"pool": name}, case.id)]
    assert await PublicNotice.filter(application_id=case.id, state=NoticeState.OPEN).count() == 0
    seen = await both(SEEN, person.viewer, id=f"Application_{case.id}")
    assert seen["application"]["stage"] == "CANCELLED"


async def test_nobody_submits_to_a_closed_pool_and_its_officers_are_out_at_once(database: object) -> None:
    late, local = await registered_expert(), await officer("220322")
    await complete_profile(late.viewer, pool="220322")

    await closed("220322")

    with pytest.raises(Incomplete) as refusal:
        await submit(late.viewer)
    assert [(each.path, each.code) for each in refusal.value.problems] == [("evaluationInfo.homePoolCode", "POOL_NOT_SELECTABLE")]
    assert (await sessions.authenticate(local.token))[0] is None
    assert (await Account.get(id=local.account.id)).status is AccountStatus.DISABLED


async def test_a_formal_expert_stays_one_and_asks_for_another_pool_or_comes_along_with_a_later_merge(database: object) -> None:
    moving, staying = [(await case_at(Stage.ADMITTED, pool="220323"))[0] for _ in range(2)]
    await closed("220323")
    await pools.cancel_without_office()
    informed = await asyncio.gather(*(reminders.tell_of_closed_pools() for _ in range(3)))

    case = await request_division_change(
        "220382", reason="专家库撤销", commitment=True, avoidance=True, viewer=moving.viewer, now=await database_now()
    )
    await pools.cancel_without_office()
    assert (await Application.get(id=case.id)).stage is Stage.FIRST_REVIEW
    await pools.merge("220323", "220382", reason="接收", viewer=(await administrator()).viewer, now=await database_now())
    await pools.carry_on()

    assert (sum(informed), await reminders.tell_of_closed_pools()) == (2, 0)
    for person in (moving, staying):
        [message] = await SmsMessage.filter(account_id=person.account.id, template=SmsTemplate.OWN_POOL_CLOSED)
        assert message.parameters == {"pool": "伊通满族自治县"}
    kept = await Expert.get(id=staying.viewer.expert_id)
    assert (kept.standing, kept.pool_code) == (Standing.FORMAL, "220382")
    assert (await Application.get(id=case.id)).stage is Stage.CANCELLED
    division = await Division.get(code="220323")
    assert (division.pool_code, division.closed_at, division.closing_reason) == ("220382", None, None)


async def test_files_of_reference_data_open_no_closed_pool_again(database: object) -> None:
    await closed("220421")

    again = await reference.load(ROOT / "reference" / "jilin_divisions.csv")

    kept = await Division.get(code="220421")
    assert (kept.pool_selectable, kept.pool_code, kept.closed_at is not None) == (False, None, True)
    assert again.files["jilin_divisions.csv"].updated == 0


async def test_a_pool_to_which_people_are_on_their_way_stays_open(database: object) -> None:
    await submitted_case(pool="220521")
    await pools.merge("220521", "220523", reason="撤并", viewer=(await administrator()).viewer, now=await database_now())

    with pytest.raises(InvalidInput) as refusal:
        await closed("220523")
    await pools.carry_on()
    await closed("220523")

    assert [(each.path, each.code) for each in refusal.value.problems] == [("poolCode", "POOL_MERGE_RUNNING")]
    assert await Division.filter(code__in=["220521", "220523"], pool_code__isnull=True).count() == 2


async def test_a_repeat_changes_nothing_and_what_is_no_open_pool_is_refused(database: object) -> None:
    first = await closed("220524")
    again = await closed("220524")

    assert (again.closed_at, again.closing_reason) == (first.closed_at, "机构改革")
    for code in ("220100", "999999"):
        with pytest.raises(InvalidInput) as refusal:
            await closed(code)
        assert [(each.path, each.code) for each in refusal.value.problems] == [("poolCode", "POOL_NOT_SELECTABLE")]


async def test_the_door_of_closing(database: object) -> None:
    province, local, expert = await provincial_officer(), await officer("220581"), await registered_expert()
    for viewer in (local.viewer, expert.viewer):
        with pytest.raises(NotAllowed):
            await pools.close("220581", reason="机构改革", viewer=viewer, now=await database_now())

    refused = [(await run(CLOSE, each, code="220581")).data for each in (None, local.viewer, expert.viewer)]
    before = await Division.get(code="220581")
    answer = await run(CLOSE, province.viewer, code="220581")

    assert [each and each["poolClose"]["code"] for each in refused] == ["NOT_SIGNED_IN", "NOT_ALLOWED", "NOT_ALLOWED"]
    assert before.pool_selectable
    assert answer.data is not None
    assert answer.data["poolClose"].pop("closedAt") is not None
    assert answer.data["poolClose"] == {"__typename": "Division", "code": "220581", "poolSelectable": False, "poolCode": None}


async def test_closed_pools_are_listed_with_why_they_were_closed_for_staff(database: object) -> None:
    alone, former, successor = "222402", "222403", "222404"
    province, local, elsewhere = await provincial_officer(), await officer(successor), await officer("220299")
    await closed(alone)
    await pools.merge(former, successor, reason="县级专家库撤并", viewer=province.viewer, now=await database_now())
    document = "{ divisions(closed: true) { code closedAt closingReason merge { intoPoolCode reason } } }"

    async def seen(by: SignedIn | None) -> dict[str, dict[str, Any]]:
        found = (await both(document, by.viewer if by else None))["divisions"]
        return {each["code"]: each for each in found if each["code"] in (alone, former, successor)}

    merge = {"intoPoolCode": successor, "reason": "县级专家库撤并"}
    for staff in (province, local, await administrator()):
        known = await seen(staff)
        assert list(known) == [alone, former]
        assert known[alone]["closedAt"] is not None
        assert (known[alone]["closingReason"], known[alone]["merge"]) == ("机构改革", None)
        assert known[former] == {"code": former, "closedAt": None, "closingReason": None, "merge": merge}
    assert (await seen(elsewhere))[former]["merge"] is None
    for other in (await registered_expert(), None):
        told = await seen(other)
        assert [(each["closingReason"], each["merge"]) for each in told.values()] == [(None, None), (None, None)]
        assert told[alone]["closedAt"] is not None


async def test_closed_pools_can_be_left_out_or_looked_for_below_a_division(database: object) -> None:
    await closed("220881")

    async def codes(arguments: str) -> list[str]:
        return [each["code"] for each in (await both(f"{{ divisions({arguments}) {{ code }} }}", None))["divisions"]]

    assert "220881" in await codes('parent: "220800"')
    assert await codes('parent: "220800", closed: false') == [each for each in await codes('parent: "220800"') if each != "220881"]
    assert await codes('parent: "220800", closed: true') == ["220881"]
    assert await codes('search: "220881", closed: true') == ["220881"]
    assert await codes('search: "220882", closed: true') == []


async def test_who_came_by_a_pool_that_closed_and_was_merged_later_submits_to_the_last_successor(database: Any) -> None:
    by = (await provincial_officer()).viewer
    person, _ = await case_at(Stage.ADMITTED, pool="220821")
    await pools.merge("220821", "220822", reason="撤并", viewer=by, now=await database_now())
    await pools.carry_on()
    await pools.close("220822", reason="机构改革", viewer=by, now=await database_now())
    await pools.merge("220822", "220899", reason="撤并", viewer=by, now=await database_now())
    await pools.carry_on()
    moment = await database_now()
    await profiles.save_basic_info(given.BasicInfo(post="主任"), viewer=person.viewer, now=moment)

    change = await submit_change(commitment=True, avoidance=True, viewer=person.viewer, now=moment)

    assert change.pool_code == "220899"
    assert [(await Division.get(code=each)).pool_code for each in ("220821", "220822")] == ["220899"] * 2
