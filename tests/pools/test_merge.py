"""Closing a pool into its successor: who and what moves, what is told, what happens meanwhile."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest
from tortoise.exceptions import IntegrityError

from domain.actions import pools, profiles, reference, reviews, sessions, staff
from domain.actions.changes import submit_change
from domain.actions.forms import check_code_of
from domain.actions.moving import transfer
from domain.actions.publicity import close_due_notices
from domain.actions.record_chain import broken_links
from domain.rules import profile_input as given
from domain.rules.errors import InvalidInput, NotAllowed, NotFound, NothingChanged
from domain.rules.viewer import Viewer
from models.accounts import Account
from models.applications import Application, ApplicationRecord
from models.database import database_now, execute, transaction
from models.enums import MergeState, Move, SmsTemplate, Stage, Standing
from models.experts import Expert
from models.pools import PoolMerge, PoolTransfer
from models.profiles import Revision
from models.publicity import PublicNotice
from models.reference import Division
from models.sms import SmsMessage
from tests.cases import approve, case_at, complete_profile, submit, submitted_case
from tests.conftest import ROOT, Clock
from tests.graphql import both
from tests.graphql import execute as run
from tests.people import administrator, officer, provincial_officer, registered_expert, sign_in
from tests.profiles.kept import everything_of

WHY = "县级专家库撤并"


async def closed(from_code: str, into_code: str, viewer: Viewer | None = None) -> PoolMerge:
    """The pool closed, nobody moved yet."""
    by = viewer or (await provincial_officer()).viewer
    return await pools.merge(from_code, into_code, reason=WHY, viewer=by, now=await database_now())


async def merged(from_code: str, into_code: str) -> PoolMerge:
    """The pool closed and everybody moved."""
    merge = await closed(from_code, into_code)
    await pools.carry_on()
    return await PoolMerge.get(id=merge.id)


async def pool_of(case: Application) -> str | None:
    return (await Application.get(id=case.id)).pool_code


async def told(account: Account) -> list[SmsMessage]:
    return await SmsMessage.filter(account_id=account.id, template=SmsTemplate.POOL_MERGED)


async def test_people_and_cases_at_every_stage_follow_the_pool(database: Any) -> None:
    formal, admitted = await case_at(Stage.ADMITTED, pool="220281")
    people = {
        stage: await case_at(stage, pool="220281")
        for stage in (Stage.FIRST_REVIEW, Stage.SECOND_REVIEW, Stage.FINAL_REVIEW, Stage.PUBLICITY, Stage.RETURNED, Stage.REJECTED)
    }
    bystander, other = await submitted_case(pool="220282")
    before = {stage: await Application.get(id=case.id) for stage, (_, case) in people.items()}

    merge = await merged("220281", "220282")

    assert (merge.state, merge.experts_total, merge.experts_moved, merge.cases_moved) == (MergeState.DONE, 7, 7, 7)
    assert merge.finished_at is not None
    assert (await Expert.get(id=admitted.expert_id)).pool_code == "220282"
    for stage, (person, case) in people.items():
        now = await Application.get(id=case.id)
        [moved] = await ApplicationRecord.filter(application_id=case.id, move=Move.TRANSFER)
        assert (now.pool_code, now.stage, now.round, now.stage_since) == ("220282", stage, 1, before[stage].stage_since)
        assert (moved.number, moved.from_stage, moved.to_stage, moved.actor_id) == (before[stage].records_count + 1, stage, stage, None)
        assert moved.opinion == "蛟河市 (220281) → 桦甸市 (220282)"
        assert await broken_links(case.id) == []
        [transfer_of] = await PoolTransfer.filter(expert_id=case.expert_id)
        assert (transfer_of.from_code, transfer_of.into_code) == ("220281", "220282")
        [message] = await told(person.account)
        assert (message.parameters, message.application_id) == ({"pool": "桦甸市"}, None if stage is Stage.REJECTED else case.id)
    assert (await PublicNotice.get(application_id=people[Stage.PUBLICITY][1].id)).pool_code == "220282"
    [message] = await told(formal.account)
    assert await told(bystander.account) == []
    assert await ApplicationRecord.filter(application_id=other.id, move=Move.TRANSFER).count() == 0
    assert await pools.carry_on() == 0


async def test_an_office_has_its_whole_time_for_what_comes_to_it_and_the_province_goes_on(clock: Clock) -> None:
    _, first = await case_at(Stage.FIRST_REVIEW, pool="220283")
    _, second = await case_at(Stage.SECOND_REVIEW, pool="220283")
    await clock.move(days=30)

    await merged("220283", "220284")

    now = await database_now()
    ours, theirs = await Application.get(id=first.id), await Application.get(id=second.id)
    assert ours.due_at is not None
    assert first.due_at is not None
    assert ours.due_at > now > first.due_at
    assert theirs.due_at == second.due_at


async def test_officers_go_with_their_pool_and_their_claims_and_sessions_end(now: datetime) -> None:
    local, admin = await officer("220184"), await administrator()
    gone = await officer("220184")
    await staff.disable(gone.account.id, viewer=admin.viewer, now=now)
    _, case = await case_at(Stage.FIRST_REVIEW, pool="220184")
    await reviews.claim(case.id, viewer=local.viewer, now=now)

    await closed("220184", "220382", admin.viewer)

    at_once = await Application.get(id=case.id)
    assert (at_once.claimed_by_id, at_once.pool_code) == (None, "220184")
    assert (await sessions.authenticate(local.token))[0] is None
    assert (await sign_in(local.phone)).viewer.pool_code == "220382"
    assert (await Account.get(id=gone.account.id)).pool_code == "220382"
    await pools.carry_on()
    back = await sign_in(local.phone)
    assert (await approve(case.id, back.viewer)).stage is Stage.SECOND_REVIEW
    with pytest.raises(NotFound):
        await reviews.claim(case.id, viewer=local.viewer, now=now)


async def test_a_claim_of_the_province_ends_too(now: datetime) -> None:
    province = await provincial_officer()
    _, case = await case_at(Stage.SECOND_REVIEW, pool="220421")
    await reviews.claim(case.id, viewer=province.viewer, now=now)

    await merged("220421", "220422")

    moved = await Application.get(id=case.id)
    assert (moved.claimed_by_id, moved.claimed_by_name, moved.claimed_until) == (None, None, None)


async def test_nobody_else_closes_a_pool(now: datetime) -> None:
    for person in (await registered_expert(), await officer("220499")):
        with pytest.raises(NotAllowed):
            await closed("220499", "220422", person.viewer)

    assert not await PoolMerge.exists(from_code="220499")
    assert (await Division.get(code="220499")).pool_selectable


@pytest.mark.parametrize(
    ("from_code", "into_code", "problems"),
    [
        ("220122", "220122", [("intoPoolCode", "POOL_INTO_ITSELF")]),
        ("220100", "220122", [("fromPoolCode", "POOL_NOT_SELECTABLE")]),
        ("220122", "220100", [("intoPoolCode", "POOL_NOT_SELECTABLE")]),
        ("999999", "110000", [("fromPoolCode", "POOL_NOT_SELECTABLE"), ("intoPoolCode", "POOL_NOT_SELECTABLE")]),
    ],
)
async def test_what_is_no_open_pool_is_neither_closed_nor_a_successor(
    from_code: str, into_code: str, problems: list[tuple[str, str]], now: datetime
) -> None:
    before = await Division.all().order_by("code").values()

    with pytest.raises(InvalidInput) as refusal:
        await closed(from_code, into_code)

    assert [(each.path, each.code) for each in refusal.value.problems] == problems
    assert await Division.all().order_by("code").values() == before


async def test_a_repeat_gives_the_merge_as_it_stands_and_another_successor_is_refused(now: datetime) -> None:
    first = await closed("220182", "220521")

    again = await closed("220182", "220521")
    with pytest.raises(InvalidInput) as other:
        await closed("220182", "220523")
    with pytest.raises(InvalidInput) as into_closed:
        await closed("220523", "220182")

    assert again.id == first.id
    assert [(each.path, each.code) for each in other.value.problems] == [("fromPoolCode", "POOL_CLOSED")]
    assert other.value.problems[0].facts["pool"].endswith("(220521)")
    assert [(each.path, each.code) for each in into_closed.value.problems] == [("intoPoolCode", "POOL_NOT_SELECTABLE")]
    assert await PoolMerge.filter(from_code="220182").count() == 1


async def test_who_submits_to_a_closed_pool_comes_to_its_successor_and_who_chooses_it_is_told(now: datetime) -> None:
    late, choosing = await registered_expert(), await registered_expert()
    await complete_profile(late.viewer, pool="220524")
    await closed("220524", "220581")

    case = await submit(late.viewer)
    with pytest.raises(InvalidInput) as refusal:
        await complete_profile(choosing.viewer, pool="220524")
    await profiles.save_evaluation_info(given.EvaluationInfo(home_pool_code="220581"), viewer=choosing.viewer, now=now)

    assert (case.stage, case.pool_code) == (Stage.FIRST_REVIEW, "220581")
    assert (await Revision.get(id=case.revision_id)).home_pool_code == "220524"
    [problem] = refusal.value.problems
    assert (problem.path, problem.code) == ("homePoolCode", "DIVISION_SERVED_BY")
    assert problem.facts["pool"].endswith("(220581)")
    await pools.carry_on()
    assert await ApplicationRecord.filter(application_id=case.id, move=Move.TRANSFER).count() == 0


async def test_submissions_decisions_and_a_merge_at_once_leave_nobody_behind(now: datetime) -> None:
    drafting = [await registered_expert() for _ in range(4)]
    for each in drafting:
        await complete_profile(each.viewer, pool="220582")
    waiting = [(await submitted_case(pool="220582"))[1] for _ in range(4)]
    local = await officer("220582")

    answers = await asyncio.gather(
        *(submit(each.viewer) for each in drafting[:2]),
        closed("220582", "220699"),
        *(submit(each.viewer) for each in drafting[2:]),
        *(approve(case.id, local.viewer) for case in waiting),
        pools.carry_on(),
        return_exceptions=True,
    )
    await pools.carry_on()

    people = [*(each.viewer.expert_id for each in drafting), *(case.expert_id for case in waiting)]
    cases = await Application.filter(expert_id__in=people)
    assert {type(each) for each in answers if isinstance(each, BaseException)} <= {NotFound}, answers
    assert [case.pool_code for case in cases] == ["220699"] * 8
    assert {case.stage for case in cases} <= {Stage.FIRST_REVIEW, Stage.SECOND_REVIEW}
    for case in cases:
        assert await broken_links(case.id) == []
    assert (await PoolMerge.get(from_code="220582")).state is MergeState.DONE


async def test_who_has_waited_for_a_merge_to_commit_comes_to_the_successor(database: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    written, goes_on = asyncio.Event(), asyncio.Event()

    async def paused(*_: Any) -> None:
        written.set()
        await goes_on.wait()

    async def submitting() -> str:
        async with transaction():
            return await pools.receiving("220323")

    monkeypatch.setattr(pools, "announce", paused)
    merging = asyncio.create_task(closed("220323", "220322"))
    await asyncio.wait([merging, asyncio.create_task(written.wait())], return_when=asyncio.FIRST_COMPLETED)
    waiting = asyncio.create_task(submitting())
    await asyncio.sleep(0.3)
    before = waiting.done()
    goes_on.set()

    assert (before, await waiting, (await merging).into_code) == (False, "220322", "220322")


async def test_several_workers_move_everybody_once(now: datetime) -> None:
    cases = [(await submitted_case(pool="220183"))[1] for _ in range(4)]
    merge = await closed("220183", "220621")

    moved = await asyncio.gather(*(pools.carry_on() for _ in range(3)))

    done = await PoolMerge.get(id=merge.id)
    assert sum(moved) == 4
    assert (done.state, done.experts_moved, done.cases_moved) == (MergeState.DONE, 4, 4)
    for each in cases:
        assert await ApplicationRecord.filter(application_id=each.id, move=Move.TRANSFER).count() == 1
        assert await SmsMessage.filter(application_id=each.id, template=SmsTemplate.POOL_MERGED).count() == 1


async def test_a_merge_goes_on_where_it_was_stopped_and_one_person_does_not_hold_up_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    stuck, free = (await submitted_case(pool="220622"))[1], (await submitted_case(pool="220622"))[1]
    merge = await closed("220622", "220623")

    async def failing(case: Application, *codes: str, **rest: Any) -> Any:
        if case.id == stuck.id:
            raise RuntimeError
        return await transfer(case, *codes, **rest)

    monkeypatch.setattr(pools, "transfer", failing)
    first = await pools.carry_on()
    halfway = await PoolMerge.get(id=merge.id)
    monkeypatch.undo()
    second = await pools.carry_on()

    assert (first, second) == (1, 1)
    assert (halfway.state, halfway.experts_moved, halfway.finished_at) == (MergeState.RUNNING, 1, None)
    assert (await PoolMerge.get(id=merge.id)).state is MergeState.DONE
    assert (await pool_of(stuck), await pool_of(free)) == ("220623", "220623")


async def test_a_successor_that_closes_in_turn_hands_everybody_on(now: datetime) -> None:
    _, early = await submitted_case(pool="220681")
    await merged("220681", "220799")
    _, late = await submitted_case(pool="220799")

    await closed("220799", "220721")
    before = await Division.filter(code__in=["220681", "220799"]).order_by("code").values_list("pool_selectable", "pool_code")
    await pools.carry_on()

    assert before == [(False, "220721"), (False, "220721")]
    assert (await pool_of(early), await pool_of(late)) == ("220721", "220721")
    assert await ApplicationRecord.filter(application_id=early.id, move=Move.TRANSFER).count() == 2
    local = await officer("220721")
    found = await both(
        "query ($id: ID!) { application(id: $id) { profile { evaluationInfo { homePoolCode } } } }",
        local.viewer,
        id=f"Application_{early.id}",
    )
    assert found == {"application": {"profile": {"evaluationInfo": {"homePoolCode": "220681"}}}}


async def test_a_successor_that_closes_before_everybody_came_gets_nobody(now: datetime) -> None:
    _, case = await submitted_case(pool="220722")
    await closed("220722", "220723")
    await closed("220723", "220781")

    await pools.carry_on()

    assert await pool_of(case) == "220781"
    assert await ApplicationRecord.filter(application_id=case.id, move=Move.TRANSFER).count() == 1


async def test_files_of_reference_data_open_no_pool_again(now: datetime) -> None:
    await merged("220899", "220821")

    again = await reference.load(ROOT / "reference" / "jilin_divisions.csv")

    kept = await Division.get(code="220899")
    assert (kept.pool_selectable, kept.pool_code, kept.retired) == (False, "220821", False)
    assert again.files["jilin_divisions.csv"].updated == 0


async def test_an_admission_before_the_public_ends_in_the_successor(clock: Clock) -> None:
    _, case = await case_at(Stage.PUBLICITY, pool="220822")
    await merged("220822", "220881")

    await clock.move(days=40)
    await close_due_notices()

    expert = await Expert.get(id=case.expert_id)
    assert (expert.standing, expert.pool_code) == (Standing.FORMAL, "220881")
    assert await broken_links(case.id) == []


async def test_a_formal_expert_goes_on_changing_the_profile_in_the_successor(now: datetime) -> None:
    person, case = await case_at(Stage.ADMITTED, pool="220882")
    await merged("220882", "222401")
    moment = await database_now()

    await profiles.save_evaluation_info(
        given.EvaluationInfo(home_pool_code="220882", specialties=("A01030000",)), viewer=person.viewer, now=moment
    )
    change = await submit_change(commitment=True, avoidance=True, viewer=person.viewer, now=moment)

    assert (change.stage, change.pool_code) == (Stage.FIRST_REVIEW, "222401")
    change = await approve(change.id, (await officer("222401")).viewer)
    for _ in range(2):
        change = await approve(change.id, (await provincial_officer()).viewer)
    expert = await Expert.get(id=case.expert_id)
    assert (change.stage, expert.pool_code) == (Stage.APPLIED, "222401")


async def test_a_form_that_was_signed_before_the_merge_is_that_of_what_is_submitted_after_it(now: datetime) -> None:
    person = await registered_expert()
    await complete_profile(person.viewer, pool="220221")
    [draft] = await Revision.filter(expert_id=person.viewer.expert_id)
    printed = await check_code_of(draft.id)
    await merged("220221", "220299")

    case = await submit(person.viewer)

    document = """query ($id: ID!, $code: String!) { application(id: $id) { poolCode
        profile { formMatches(code: $code) evaluationInfo { homePoolCode homePool { poolCode } } } } }"""
    for reader in (await officer("220299"), await provincial_officer(), person):
        assert await both(document, reader.viewer, id=f"Application_{case.id}", code=printed) == {
            "application": {
                "poolCode": "220299",
                "profile": {
                    "formMatches": True,
                    "evaluationInfo": {"homePoolCode": "220221", "homePool": {"poolCode": "220299"}},
                },
            }
        }


async def test_a_change_after_a_merge_differs_in_what_the_person_has_changed_alone(now: datetime) -> None:
    person, _ = await case_at(Stage.ADMITTED, pool="222426")
    await merged("222426", "220299")
    moment = await database_now()
    await profiles.save_basic_info(given.BasicInfo(employer="长春大学"), viewer=person.viewer, now=moment)

    change = await submit_change(commitment=True, avoidance=True, viewer=person.viewer, now=moment)

    document = "query ($id: ID!) { application(id: $id) { poolCode difference { fields { path } entries { section } } } }"
    for reader in (await officer("220299"), person):
        assert await both(document, reader.viewer, id=f"Application_{change.id}") == {
            "application": {"poolCode": "220299", "difference": {"fields": [{"path": "basicInfo.employer"}], "entries": []}}
        }


@pytest.mark.parametrize(("pool", "into", "arrived"), [("220399", "220299", True), ("220599", "220299", False)])
async def test_the_pool_that_one_has_come_to_by_a_merge_is_no_change(now: datetime, pool: str, into: str, arrived: bool) -> None:
    person, _ = await case_at(Stage.ADMITTED, pool=pool)
    await (merged if arrived else closed)(pool, into)
    moment = await database_now()
    await profiles.save_evaluation_info(given.EvaluationInfo(home_pool_code=into), viewer=person.viewer, now=moment)
    before = await everything_of(person.viewer)

    with pytest.raises(NothingChanged):
        await submit_change(commitment=True, avoidance=True, viewer=person.viewer, now=moment)

    assert await everything_of(person.viewer) == before
    await pools.carry_on()


async def test_who_has_left_is_moved_and_not_written_to(now: datetime) -> None:
    person, case = await case_at(Stage.ADMITTED, pool="222402")
    await execute("UPDATE experts SET standing = 'LAPSED' WHERE id = $1", case.expert_id)

    await merged("222402", "222403")

    assert (await Expert.get(id=case.expert_id)).pool_code == "222403"
    assert await PoolTransfer.filter(expert_id=case.expert_id).count() == 1
    assert await told(person.account) == []


async def test_a_transfer_never_changes(now: datetime) -> None:
    _, case = await submitted_case(pool="222404")
    await merged("222404", "222405")

    for statement in ("UPDATE pool_transfers SET into_code = '220199'", "DELETE FROM pool_transfers"):
        with pytest.raises(IntegrityError, match="never change"):
            await execute(f"{statement} WHERE expert_id = $1", case.expert_id)

    assert [each.into_code for each in await PoolTransfer.filter(expert_id=case.expert_id)] == ["222405"]


# The doors

MERGE = """mutation ($from: String!, $into: String!) {
    poolMerge(input: {fromPoolCode: $from, intoPoolCode: $into, reason: "撤并"}) { __typename
    ... on PoolMerge {
        fromPool { name poolSelectable } intoPoolCode state reason orderedByName orderedByRole expertsTotal expertsMoved finishedAt }
    ... on InvalidInput { fields { path code message } } ... on Problem { code } } }"""
MERGES = "query ($state: MergeState) { poolMerges(state: $state, first: 100) { nodes { fromPoolCode state casesMoved } } }"
TRANSFERS = """query ($id: ID!) { expert(id: $id) {
    pool { code } poolTransfers { fromPool { code } intoPoolCode } applications { nodes { stage } } } }"""


async def test_a_merge_is_ordered_and_followed_by_graphql(now: datetime) -> None:
    person, case = await submitted_case(pool="222406")
    province, here, elsewhere = await provincial_officer(name="王复审"), await officer("222424"), await officer("220199")

    ordered = await run(MERGE, province.viewer, **{"from": "222406", "into": "222424"})
    refused = await run(MERGE, province.viewer, **{"from": "222406", "into": "220199"})
    stranger = await run(MERGE, person.viewer, **{"from": "222424", "into": "220199"})
    nobody = await run(MERGE, None, **{"from": "222424", "into": "220199"})
    running = (await both(MERGES, here.viewer, state="RUNNING"))["poolMerges"]["nodes"]
    await pools.carry_on()

    assert ordered.data == {
        "poolMerge": {
            "__typename": "PoolMerge",
            "fromPool": {"name": "和龙市", "poolSelectable": False},
            "intoPoolCode": "222424",
            "state": "RUNNING",
            "reason": "撤并",
            "orderedByName": "王复审",
            "orderedByRole": "PROVINCIAL_OFFICER",
            "expertsTotal": 1,
            "expertsMoved": 0,
            "finishedAt": None,
        }
    }
    assert refused.data is not None
    assert refused.data["poolMerge"]["fields"] == [
        {"path": "fromPoolCode", "code": "POOL_CLOSED", "message": "该专家库已并入汪清县 (222424)；请核对。"}
    ]
    assert stranger.data == {"poolMerge": {"__typename": "NotAllowed", "code": "NOT_ALLOWED"}}
    assert nobody.data == {"poolMerge": {"__typename": "NotSignedIn", "code": "NOT_SIGNED_IN"}}
    assert running == [{"fromPoolCode": "222406", "state": "RUNNING", "casesMoved": 0}]
    assert {"fromPoolCode": "222406", "state": "DONE", "casesMoved": 1} in (await both(MERGES, province.viewer))["poolMerges"]["nodes"]
    assert (await both(MERGES, elsewhere.viewer))["poolMerges"]["nodes"] == []
    expected = {"pool": None, "poolTransfers": [{"fromPool": {"code": "222406"}, "intoPoolCode": "222424"}]}
    for viewer in (person.viewer, here.viewer, province.viewer):
        found = await both(TRANSFERS, viewer, id=f"Expert_{case.expert_id}")
        assert found == {"expert": expected | {"applications": {"nodes": [{"stage": "FIRST_REVIEW"}]}}}
    assert await both(TRANSFERS, elsewhere.viewer, id=f"Expert_{case.expert_id}") == {"expert": None}
