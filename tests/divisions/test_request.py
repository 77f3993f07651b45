from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from domain.actions.applications import submit, withdraw
from domain.actions.changes import discard_draft
from domain.actions.profiles import save_basic_info
from domain.actions.record_chain import broken_links
from domain.actions.standing import deregister, dismiss, suspend
from domain.rules.errors import BaseMoved, IllegalMove, Incomplete, InvalidInput, NotAllowed, Unavailable, WrongStanding
from domain.rules.messages import in_words
from domain.rules.profile_input import BasicInfo
from models.applications import Application, ApplicationRecord
from models.database import database_now, rows
from models.enums import CaseKind, CodePurpose, DismissalCause, Move, RevisionState, SmsTemplate, Stage, Standing
from models.experts import Expert
from models.profiles import Revision
from models.sms import SmsMessage
from models.standing import StandingRecord
from settings import Settings
from tests.cases import approve, case_at, contents_of, everything_about, return_case
from tests.changes.formal import change_at, formal_expert, send, with_changes
from tests.divisions.moving import LEFT, OTHER, REASON, TARGET, ask, change_of_division_at
from tests.graphql import both, execute
from tests.people import SignedIn, administrator, code_sent, officer, provincial_officer
from tests.profiles.kept import everything_of, told

REQUEST = """mutation ($division: String!, $reason: String!) { divisionChangeRequest(input: {divisionCode: $division, reason: $reason,
    commitmentAccepted: true, avoidanceAccepted: true}) { __typename
    ... on Application { kind stage round pool { code } leavingPool { code } reason availableMoves }
    ... on Problem { code } ... on IllegalMove { stage } ... on WrongStanding { standing }
    ... on InvalidInput { fields { path code } } } }"""
SEEN = """query ($id: ID!) { application(id: $id) { kind reason pool { code } leavingPool { code }
    profile { evaluationInfo { homePoolCode } } difference { fields { path before after } entries { section } } } }"""


async def expert_of(person: SignedIn) -> Expert:
    return await Expert.get(id=person.viewer.expert_id)


async def no_case_of(person: SignedIn) -> bool:
    return not await Application.exists(expert_id=person.viewer.expert_id, kind=CaseKind.DIVISION_CHANGE)


async def test_a_request_goes_to_the_first_review_of_the_receiving_office_and_nothing_moves_yet(database: Settings) -> None:
    person = await formal_expert()
    before = await expert_of(person)

    case = await ask(person)

    kept = await Application.get(id=case.id)
    assert (kept.kind, kept.stage, kept.round) == (CaseKind.DIVISION_CHANGE, Stage.FIRST_REVIEW, 1)
    assert (kept.pool_code, kept.leaving_pool_code) == (TARGET, LEFT)
    assert (kept.declared_commitment, kept.declared_avoidance) == (True, True)
    [record] = await ApplicationRecord.filter(application_id=case.id)
    assert (record.move, record.opinion, record.actor_id) == (Move.SUBMIT, REASON, person.account.id)
    after = await expert_of(person)
    assert (after.pool_code, after.effective_id, after.draft_id) == (LEFT, before.effective_id, None)


async def test_what_is_reviewed_is_a_frozen_copy_in_which_the_home_division_alone_differs(database: Settings) -> None:
    person = await formal_expert()
    effective = (await expert_of(person)).effective_id

    case = await ask(person)

    reviewed = await Revision.get(id=case.revision_id)
    assert (reviewed.state, reviewed.base_id, reviewed.home_pool_code) == (RevisionState.FROZEN, effective, TARGET)
    expected, found = await contents_of(effective), await contents_of(case.revision_id)
    expected["Revision"][0]["home_pool_code"] = TARGET
    expected["Revision"][0]["version"] += 1
    assert found == expected
    seen = (await execute(SEEN, (await officer(TARGET)).viewer, id=f"Application_{case.id}")).data
    assert seen == {
        "application": {
            "kind": "DIVISION_CHANGE",
            "reason": REASON,
            "pool": {"code": TARGET},
            "leavingPool": {"code": LEFT},
            "profile": {"evaluationInfo": {"homePoolCode": TARGET}},
            "difference": {
                "fields": [{"path": "evaluationInfo.homePoolCode", "before": "长春市本级", "after": "吉林市本级"}],
                "entries": [],
            },
        }
    }


async def test_after_three_reviews_pool_and_evaluation_division_have_moved_and_the_expert_is_told(database: Settings) -> None:
    person, case = await change_of_division_at(Stage.APPLIED)

    expert = await expert_of(person)
    assert (expert.pool_code, expert.effective_id, expert.standing) == (TARGET, case.revision_id, Standing.FORMAL)
    states = [each.state for each in await Revision.filter(expert_id=expert.id).order_by("number")]
    assert states == [RevisionState.SUPERSEDED, RevisionState.EFFECTIVE]
    assert [each.template for each in await SmsMessage.filter(application_id=case.id)] == [SmsTemplate.APPLIED]
    own = await both(
        "{ viewer { expert { pool { code } effectiveProfile { evaluationInfo { evaluationPools { code } } } } } }", person.viewer
    )
    assert own["viewer"]["expert"] == {
        "pool": {"code": TARGET},
        "effectiveProfile": {"evaluationInfo": {"evaluationPools": [{"code": TARGET}]}},
    }
    assert await broken_links(case.id) == []


async def test_who_moved_may_move_back(database: Settings) -> None:
    person, first = await change_of_division_at(Stage.APPLIED)

    second = await ask(person, LEFT)

    assert (second.id != first.id, second.pool_code, second.leaving_pool_code) == (True, LEFT, TARGET)


@pytest.mark.parametrize(
    ("division", "code"),
    [
        (LEFT, "DIVISION_UNCHANGED"),
        ("220102", "DIVISION_SERVED_BY"),
        ("220000", "POOL_NOT_SELECTABLE"),
        ("110101", "DIVISION_OUTSIDE_PROVINCE"),
        ("229998", "CODE_UNKNOWN"),
        ("", "DIVISION_OUTSIDE_PROVINCE"),
    ],
)
async def test_the_target_is_another_pool_of_the_province_that_takes_experts(database: Settings, division: str, code: str) -> None:
    person = await formal_expert()
    before = await everything_of(person.viewer)

    with pytest.raises(InvalidInput) as refusal:
        await ask(person, division)

    assert told(refusal.value) == [("divisionCode", code)]
    assert await everything_of(person.viewer) == before


async def test_all_that_is_wrong_with_a_request_is_told_at_once(database: Settings) -> None:
    person = await formal_expert()
    before = await everything_of(person.viewer)

    with pytest.raises(InvalidInput) as refusal:
        await ask(person, "110101", reason=" ", commitment=False, avoidance=False)
    with pytest.raises(InvalidInput) as long:
        await ask(person, reason="迁" * 501)

    assert told(refusal.value) == [
        ("reason", "TEXT_EMPTY"),
        ("divisionCode", "DIVISION_OUTSIDE_PROVINCE"),
        ("commitmentAccepted", "DECLARATION_REQUIRED"),
        ("avoidanceAccepted", "DECLARATION_REQUIRED"),
    ]
    assert told(long.value) == [("reason", "TEXT_LENGTH")]
    assert await everything_of(person.viewer) == before


async def test_it_is_not_mixed_with_other_changes(database: Settings) -> None:
    person = await with_changes()
    before = await everything_of(person.viewer)

    with pytest.raises(NotAllowed) as refusal:
        await ask(person)

    assert refusal.value.code == "DRAFT_OPEN"
    assert await everything_of(person.viewer) == before
    await discard_draft(viewer=person.viewer, now=await database_now())
    assert (await ask(person)).stage is Stage.FIRST_REVIEW


async def test_one_case_is_open_at_a_time(database: Settings) -> None:
    changing, case = await change_at(Stage.SECOND_REVIEW)
    moving, _ = await change_of_division_at(Stage.SECOND_REVIEW)
    before = [await everything_of(each.viewer) for each in (changing, moving)]

    for each in (changing, moving):
        with pytest.raises(IllegalMove) as refusal:
            await ask(each, OTHER)
        assert refusal.value.stage is Stage.SECOND_REVIEW
    with pytest.raises(IllegalMove):
        await send(moving)
    with pytest.raises(NotAllowed) as editing:
        await save_basic_info(BasicInfo(post="院长"), viewer=moving.viewer, now=await database_now())

    assert editing.value.code == "CASE_UNDER_REVIEW"
    assert [await everything_of(each.viewer) for each in (changing, moving)] == before
    assert case.stage is Stage.SECOND_REVIEW


async def test_who_is_not_formal_any_more_or_not_yet_does_not_move(database: Settings) -> None:
    temporary, _ = await case_at(Stage.WITHDRAWN)
    dismissed = await formal_expert()
    province = (await provincial_officer()).viewer
    expert_id = (await expert_of(dismissed)).id
    await dismiss(expert_id, cause=DismissalCause.OTHER, reasons="查实", viewer=province, now=await database_now())

    for person, standing in ((temporary, Standing.TEMPORARY), (dismissed, Standing.DISMISSED)):
        with pytest.raises(WrongStanding) as refusal:
            await ask(person)
        assert refusal.value.standing is standing
        assert await no_case_of(person)


async def test_who_is_suspended_may_move_and_stays_suspended(database: Settings) -> None:
    person = await formal_expert()
    province, now = (await provincial_officer()).viewer, await database_now()
    await suspend((await expert_of(person)).id, until=now.date() + timedelta(days=9), reasons="核实中", viewer=province, now=now)

    case = await ask(person)
    for each in (await officer(TARGET), await provincial_officer(), await provincial_officer()):
        await approve(case.id, each.viewer)

    assert ((await expert_of(person)).standing, (await expert_of(person)).pool_code) == (Standing.SUSPENDED, TARGET)


async def test_a_profile_that_lacks_what_is_required_by_now_is_completed_first(database: Settings) -> None:
    person = await formal_expert()
    effective = (await expert_of(person)).effective_id
    await rows("ALTER TABLE revisions DISABLE TRIGGER a_frozen_revision_keeps_its_data")
    await rows("UPDATE revisions SET post = NULL, employer = NULL WHERE id = $1", effective)
    await rows("ALTER TABLE revisions ENABLE TRIGGER a_frozen_revision_keeps_its_data")
    before = await everything_of(person.viewer)

    with pytest.raises(Incomplete) as refusal:
        await ask(person)

    assert [each.path for each in refusal.value.problems] == ["basicInfo.employer"]
    assert await everything_of(person.viewer) == before


async def test_a_returned_request_opens_no_draft_and_is_sent_again_elsewhere_with_another_reason(database: Settings) -> None:
    person, case = await change_of_division_at(Stage.RETURNED)
    assert (await expert_of(person)).draft_id is None
    first = await Revision.get(id=case.revision_id)
    assert first.state is RevisionState.NOT_ADOPTED
    assert [each.template for each in await SmsMessage.filter(application_id=case.id)] == [SmsTemplate.RETURNED]

    again = await ask(person, OTHER, reason="改为迁居四平市")

    assert (again.id, again.stage, again.round) == (case.id, Stage.FIRST_REVIEW, 2)
    assert (again.pool_code, again.leaving_pool_code, again.revision_id != first.pk) == (OTHER, LEFT, True)
    assert (await Revision.get(id=first.pk)).home_pool_code == TARGET
    reasons = await ApplicationRecord.filter(application_id=case.id, move=Move.SUBMIT).order_by("number")
    assert [each.opinion for each in reasons] == [REASON, "改为迁居四平市"]
    seen = await both("query ($id: ID!) { application(id: $id) { reason } }", person.viewer, id=f"Application_{case.id}")
    assert seen == {"application": {"reason": "改为迁居四平市"}}


async def test_while_it_is_returned_nothing_else_goes_with_it(database: Settings) -> None:
    person, case = await change_of_division_at(Stage.RETURNED)
    before = await everything_about(case.id)
    now = await database_now()

    for other in (
        lambda: save_basic_info(BasicInfo(post="院长"), viewer=person.viewer, now=now),
        lambda: send(person),
        lambda: submit(case.id, commitment=True, avoidance=True, viewer=person.viewer, now=now),
    ):
        with pytest.raises(NotAllowed) as refusal:
            await other()
        assert refusal.value.code == "DIVISION_CHANGE_APART"
        assert in_words(refusal.value, "zh") == (
            "变更区划申请已退回，不能与其他修改同时办理；请先重新提交（divisionChangeRequest）或放弃（divisionChangeGiveUp）该申请。"
        )
        assert in_words(refusal.value, "en") == (
            "Your change of division was returned; first send it again (divisionChangeRequest) or give it up (divisionChangeGiveUp)."
        )

    assert await everything_about(case.id) == before


@pytest.mark.parametrize("stage", [Stage.WITHDRAWN, Stage.REJECTED])
async def test_taken_back_or_rejected_it_leaves_everything_as_it_was(database: Settings, stage: Stage) -> None:
    person, case = await change_of_division_at(stage)

    expert = await expert_of(person)
    assert (expert.pool_code, expert.draft_id, (await Revision.get(id=expert.effective_id)).home_pool_code) == (LEFT, None, LEFT)
    assert (await Revision.get(id=case.revision_id)).state is RevisionState.NOT_ADOPTED
    assert not await Application.exists(expert_id=expert.id, closed_at__isnull=True)
    await save_basic_info(BasicInfo(post="院长"), viewer=person.viewer, now=await database_now())
    assert (await Revision.get(id=(await expert_of(person)).draft_id)).home_pool_code == LEFT


async def test_it_does_not_take_effect_where_another_revision_is_in_force_by_then(database: Settings) -> None:
    person, case = await change_of_division_at(Stage.FINAL_REVIEW)
    former = await Revision.get(id=(await expert_of(person)).effective_id)
    await rows("UPDATE revisions SET state = 'SUPERSEDED' WHERE id = $1", former.pk)
    newer = await Revision.create(
        expert_id=former.expert_id,
        number=90,
        state=RevisionState.EFFECTIVE,
        created_at=former.created_at,
        updated_at=former.updated_at,
        frozen_at=former.frozen_at,
    )
    await Expert.filter(id=former.expert_id).update(effective_id=newer.pk)
    before = await everything_about(case.id)
    second = await provincial_officer()

    with pytest.raises(BaseMoved):
        await approve(case.id, second.viewer)

    assert await everything_about(case.id) == before
    assert (await return_case(case.id, second.viewer)).stage is Stage.RETURNED


async def test_a_request_sent_several_times_at_once_is_one_case(database: Settings) -> None:
    person = await formal_expert()

    answers = await asyncio.gather(*(ask(person, each) for each in (TARGET, OTHER, TARGET, OTHER)), return_exceptions=True)

    assert sum(isinstance(each, Application) for each in answers) == 1
    assert all(isinstance(each, Application | IllegalMove | Unavailable) for each in answers)
    assert await Application.filter(expert_id=person.viewer.expert_id, kind=CaseKind.DIVISION_CHANGE).count() == 1


async def test_a_request_and_an_edit_at_once_leave_either_a_draft_or_a_case(database: Settings) -> None:
    for _ in range(3):
        person = await formal_expert()
        now = await database_now()

        answers = await asyncio.gather(
            ask(person), save_basic_info(BasicInfo(post="院长"), viewer=person.viewer, now=now), return_exceptions=True
        )

        refused = [each for each in answers if isinstance(each, BaseException)]
        assert all(isinstance(each, NotAllowed | Unavailable) for each in refused)
        drafted = (await expert_of(person)).draft_id is not None
        assert (len(refused), drafted) == (1, await no_case_of(person))


@pytest.mark.parametrize("at_once", ["dismissal", "leaving"])
async def test_a_request_and_the_end_of_the_standing_at_once_leave_no_open_case(database: Settings, at_once: str) -> None:
    for _ in range(3):
        person = await formal_expert()
        expert_id = (await expert_of(person)).id
        province, code = (await provincial_officer()).viewer, await code_sent(person.phone, CodePurpose.DEREGISTER)
        now = await database_now()
        ending = (
            dismiss(expert_id, cause=DismissalCause.OTHER, reasons="查实", viewer=province, now=now)
            if at_once == "dismissal"
            else deregister(code=code, confirm=True, viewer=person.viewer, now=now)
        )

        answers = await asyncio.gather(ask(person), ending, return_exceptions=True)

        assert all(isinstance(each, Application | Expert | StandingRecord | WrongStanding | Unavailable) for each in answers), answers
        ended = (await expert_of(person)).standing is not Standing.FORMAL
        assert ended is not isinstance(answers[1], Unavailable)
        assert await Application.exists(expert_id=expert_id, closed_at__isnull=True) is not ended


async def test_who_leaves_meanwhile_takes_the_case_along(database: Settings) -> None:
    person, case = await change_of_division_at(Stage.SECOND_REVIEW)
    code = await code_sent(person.phone, CodePurpose.DEREGISTER)

    await deregister(code=code, confirm=True, viewer=person.viewer, now=await database_now())

    assert (await Application.get(id=case.id)).stage is Stage.CANCELLED
    assert ((await expert_of(person)).pool_code, (await expert_of(person)).standing) == (LEFT, Standing.DEREGISTERED)
    assert (await Revision.get(id=case.revision_id)).state is RevisionState.NOT_ADOPTED


async def test_the_expert_takes_it_back_while_the_office_approves_it_and_one_of_them_is_late(database: Settings) -> None:
    person = await formal_expert()
    case = await ask(person)
    receiving = (await officer(TARGET)).viewer

    answers = await asyncio.gather(
        withdraw(case.id, viewer=person.viewer, now=await database_now()), approve(case.id, receiving), return_exceptions=True
    )

    assert sum(isinstance(each, Application) for each in answers) == 1
    assert (await Application.get(id=case.id)).stage in (Stage.WITHDRAWN, Stage.SECOND_REVIEW)
    assert (await expert_of(person)).draft_id is None


async def test_the_door_of_changes_of_division(database: Settings) -> None:
    person, (temporary, _) = await formal_expert(), await case_at(Stage.WITHDRAWN)
    given = {"division": TARGET, "reason": REASON}
    strangers = [
        (await officer()).viewer,
        (await officer(TARGET)).viewer,
        (await provincial_officer()).viewer,
        (await administrator()).viewer,
    ]

    nobody = await execute(REQUEST, None, **given)
    staff = [await execute(REQUEST, each, **given) for each in strangers]
    waiting = await execute(REQUEST, temporary.viewer, **given)
    present = await execute(REQUEST, person.viewer, division=LEFT, reason=REASON)
    done, repeated = await execute(REQUEST, person.viewer, **given), await execute(REQUEST, person.viewer, **given)

    assert nobody.data == {"divisionChangeRequest": {"__typename": "NotSignedIn", "code": "NOT_SIGNED_IN"}}
    assert [each.data for each in staff] == [{"divisionChangeRequest": {"__typename": "NotAllowed", "code": "NOT_ALLOWED"}}] * 4
    assert waiting.data == {"divisionChangeRequest": {"__typename": "WrongStanding", "code": "WRONG_STANDING", "standing": "TEMPORARY"}}
    assert present.data == {
        "divisionChangeRequest": {
            "__typename": "InvalidInput",
            "code": "INVALID_INPUT",
            "fields": [{"path": "divisionCode", "code": "DIVISION_UNCHANGED"}],
        }
    }
    assert done.data == {
        "divisionChangeRequest": {
            "__typename": "Application",
            "kind": "DIVISION_CHANGE",
            "stage": "FIRST_REVIEW",
            "round": 1,
            "pool": {"code": TARGET},
            "leavingPool": {"code": LEFT},
            "reason": REASON,
            "availableMoves": ["WITHDRAW"],
        }
    }
    assert repeated.data == {"divisionChangeRequest": {"__typename": "IllegalMove", "code": "ILLEGAL_MOVE", "stage": "FIRST_REVIEW"}}
