"""Changes of division and merged pools: what becomes of a request when one of its two pools closes, and of people who had moved on."""

from __future__ import annotations

from typing import Any

import pytest

from domain.actions import pools
from domain.actions.divisions import request_division_change
from domain.actions.profiles import save_basic_info
from domain.actions.record_chain import broken_links
from domain.rules.errors import InvalidInput, NotFound
from domain.rules.profile_input import BasicInfo
from models.applications import Application, ApplicationRecord
from models.database import database_now, execute
from models.enums import MergeState, Move, SmsTemplate, Stage
from models.experts import Expert
from models.pools import PoolMerge, PoolTransfer
from models.reference import Division
from models.sms import SmsMessage
from settings import Settings
from tests.cases import approve, case_at, everything_about, return_case
from tests.graphql import both
from tests.people import SignedIn, officer, provincial_officer
from tests.profiles.kept import told

ABOUT_POOLS = (SmsTemplate.POOL_MERGED, SmsTemplate.TARGET_MERGED, SmsTemplate.DIVISION_CHANGE_MOOT)
SEEN = """query ($id: ID!) { application(id: $id) { stage pool { code } leavingPool { code }
    expert { pool { code } poolTransfers { intoPoolCode } } records { move opinion actorRole } } }"""


async def expert_in(pool: str) -> SignedIn:
    return (await case_at(Stage.ADMITTED, pool=pool))[0]


async def ask(person: SignedIn, pool: str) -> Application:
    return await request_division_change(
        pool, reason="全家迁居", commitment=True, avoidance=True, viewer=person.viewer, now=await database_now()
    )


async def passed_to(stage: Stage, case: Application, receiving: str) -> Application:
    """The case brought to a stage by the receiving office and the province."""
    if stage is Stage.RETURNED:
        return await return_case(case.id, (await officer(receiving)).viewer)
    for each in ((await officer(receiving)).viewer, (await provincial_officer()).viewer, (await provincial_officer()).viewer):
        if case.stage is stage:
            break
        case = await approve(case.id, each)
    return case


async def close(from_code: str, into_code: str) -> PoolMerge:
    province = (await provincial_officer()).viewer
    return await pools.merge(from_code, into_code, reason="撤并", viewer=province, now=await database_now())


async def merge(from_code: str, into_code: str) -> None:
    await close(from_code, into_code)
    await pools.carry_on()
    assert (await PoolMerge.get(from_code=from_code)).state is MergeState.DONE


async def told_of_pools(person: SignedIn) -> list[tuple[SmsTemplate, Any]]:
    found = await SmsMessage.filter(account_id=person.account.id, template__in=ABOUT_POOLS).order_by("id")
    return [(each.template, each.application_id) for each in found]


async def pool_of(person: SignedIn) -> str | None:
    return (await Expert.get(id=person.viewer.expert_id)).pool_code


@pytest.mark.parametrize(
    ("stage", "home", "target"),
    [
        (Stage.FIRST_REVIEW, "220281", "220282"),
        (Stage.FINAL_REVIEW, "220283", "220284"),
        (Stage.RETURNED, "220322", "220382"),
    ],
)
async def test_a_request_into_a_pool_that_comes_to_the_expert_is_cancelled_and_the_expert_told(
    database: Settings, stage: Stage, home: str, target: str
) -> None:
    person = await expert_in(home)
    case = await passed_to(stage, await ask(person, target), target)

    await merge(target, home)

    kept = await Application.get(id=case.id)
    assert (kept.stage, kept.closed_at is not None, kept.claimed_by_id) == (Stage.CANCELLED, True, None)
    last = await ApplicationRecord.filter(application_id=case.id).order_by("-number").limit(2)
    assert [(each.move, each.from_stage, each.to_stage, each.actor_id) for each in last] == [
        (Move.CANCEL, stage, Stage.CANCELLED, None),
        (Move.TRANSFER, stage, stage, None),
    ]
    assert await broken_links(case.id) == []
    assert await told_of_pools(person) == [(SmsTemplate.DIVISION_CHANGE_MOOT, case.id)]
    assert (await pool_of(person), await PoolTransfer.filter(expert_id=person.viewer.expert_id).count()) == (home, 0)
    await save_basic_info(BasicInfo(employer="长春理工大学"), viewer=person.viewer, now=await database_now())


async def test_a_request_into_the_successor_of_one_s_own_pool_is_cancelled_and_the_expert_is_there(database: Settings) -> None:
    person = await expert_in("220521")
    case = await ask(person, "220523")

    await merge("220521", "220523")

    assert (await Application.get(id=case.id)).stage is Stage.CANCELLED
    assert await pool_of(person) == "220523"
    assert await told_of_pools(person) == [(SmsTemplate.DIVISION_CHANGE_MOOT, case.id), (SmsTemplate.POOL_MERGED, None)]


async def test_a_request_goes_on_in_the_successor_of_its_target_and_takes_effect_there(database: Settings) -> None:
    person = await expert_in("220524")
    case = await passed_to(Stage.FINAL_REVIEW, await ask(person, "220581"), "220581")

    await merge("220581", "220582")
    applied = await approve(case.id, (await provincial_officer()).viewer)

    assert await told_of_pools(person) == [(SmsTemplate.TARGET_MERGED, case.id)]
    assert (applied.stage, applied.pool_code, applied.leaving_pool_code) == (Stage.APPLIED, "220582", "220524")
    assert await pool_of(person) == "220582"
    assert await PoolTransfer.filter(expert_id=person.viewer.expert_id).count() == 0
    assert await broken_links(case.id) == []


async def test_a_request_out_of_a_pool_that_closes_goes_on_and_the_successor_follows_it(database: Settings) -> None:
    person = await expert_in("220621")
    case = await ask(person, "220622")

    await merge("220621", "220623")

    seen = (await both(SEEN, (await officer("220623")).viewer, id=f"Application_{case.id}"))["application"]
    assert (seen["stage"], seen["pool"], seen["leavingPool"]) == ("FIRST_REVIEW", {"code": "220622"}, {"code": "220623"})
    assert seen["expert"] == {"pool": {"code": "220623"}, "poolTransfers": [{"intoPoolCode": "220623"}]}
    assert await told_of_pools(person) == [(SmsTemplate.POOL_MERGED, case.id)]


async def test_who_moved_on_earlier_stays_and_hears_nothing_while_the_cases_left_behind_follow(database: Settings) -> None:
    person = await expert_in("220681")
    admission = await Application.get(expert_id=person.viewer.expert_id)
    moved = await passed_to(Stage.APPLIED, await ask(person, "220721"), "220721")

    await merge("220681", "220722")

    assert (await pool_of(person), await told_of_pools(person)) == ("220721", [])
    assert await PoolTransfer.filter(expert_id=person.viewer.expert_id).count() == 0
    assert (await Application.get(id=admission.id)).pool_code == "220722"
    seen = (await both(SEEN, (await officer("220722")).viewer, id=f"Application_{moved.id}"))["application"]
    assert (seen["stage"], seen["pool"], seen["leavingPool"]) == ("APPLIED", {"code": "220721"}, {"code": "220722"})
    for each in (admission, moved):
        assert await broken_links(each.id) == []


async def test_the_case_of_who_left_alone_follows_too(database: Settings) -> None:
    person = await expert_in("220781")
    moved = await passed_to(Stage.APPLIED, await ask(person, "220821"), "220821")
    await execute("UPDATE applications SET pool_code = '220821' WHERE expert_id = $1", person.viewer.expert_id)

    await merge("220781", "220822")

    assert (await Application.get(id=moved.id)).leaving_pool_code == "220822"


async def test_while_a_merge_runs_the_successor_is_no_other_pool(database: Settings) -> None:
    person = await expert_in("220881")
    await close("220881", "220882")

    with pytest.raises(InvalidInput) as refusal:
        await ask(person, "220882")

    assert told(refusal.value) == [("divisionCode", "DIVISION_UNCHANGED")]
    assert await Application.filter(expert_id=person.viewer.expert_id).count() == 1


async def test_a_pool_that_a_file_took_away_can_still_be_closed_into_another(database: Settings) -> None:
    person = await expert_in("222401")
    await execute("UPDATE divisions SET retired = TRUE, pool_selectable = FALSE, pool_code = '222402' WHERE code = '222401'")
    before = await everything_about((await Application.get(expert_id=person.viewer.expert_id)).id)

    await merge("222401", "222403")

    assert before["expert"]["pool_code"] == "222401"
    assert await pool_of(person) == "222403"
    assert (await Division.get(code="222401")).pool_code == "222403"


async def test_nobody_decides_a_case_that_the_merge_has_cancelled(database: Settings) -> None:
    person, receiving = await expert_in("222404"), await officer("222405")
    case = await ask(person, "222405")
    await merge("222405", "222404")

    with pytest.raises(NotFound):
        await approve(case.id, receiving.viewer)

    seen = (await both(SEEN, person.viewer, id=f"Application_{case.id}"))["application"]
    assert [each["move"] for each in seen["records"]] == ["SUBMIT", "TRANSFER", "CANCEL"]
    assert seen["records"][-1]["opinion"] == "龙井市 (222405) → 珲春市 (222404)"
