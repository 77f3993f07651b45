from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from uuid import uuid4

import pytest

from domain.actions import profiles
from domain.actions.applications import submit
from domain.actions.moving import move
from domain.rules import profile_input as given
from domain.rules.errors import IllegalMove, Incomplete, InvalidInput, NotAllowed, NotFound, NothingChanged, Unavailable, WrongStanding
from domain.rules.messages import in_words
from models.applications import Application, ApplicationRecord
from models.database import database_now, execute, rows, transaction
from models.enums import CaseKind, Move, RevisionState, Role, Stage, Standing
from models.experts import Expert
from models.profiles import Revision
from models.sms import SmsMessage
from settings import Settings
from tests.cases import case_at, complete_profile, draft_case, everything_about, submitted_case
from tests.people import SignedIn, administrator, officer, provincial_officer, registered_expert


@pytest.fixture
async def person(now: datetime) -> SignedIn:
    """An expert whose profile is complete."""
    found = await registered_expert()
    await complete_profile(found.viewer)
    return found


async def send(case: Application, person: SignedIn, now: datetime, *, commitment: bool = True, avoidance: bool = True) -> Application:
    return await submit(case.id, commitment=commitment, avoidance=avoidance, viewer=person.viewer, now=now)


async def test_a_complete_profile_goes_to_the_first_review_of_its_pool(person: SignedIn, now: datetime) -> None:
    case = await send(await draft_case(person.viewer), person, now)

    kept = await Application.get(id=case.id)
    assert (kept.kind, kept.stage, kept.round) == (CaseKind.ADMISSION, Stage.FIRST_REVIEW, 1)
    assert (kept.pool_code, kept.applicant, kept.employer) == ("220199", "张三", "吉林大学")
    assert (kept.submitted_at, kept.stage_since, kept.closed_at) == (now, now, None)
    assert (kept.declared_commitment, kept.declared_avoidance) == (True, True)


async def test_the_queue_has_and_finds_who_submitted_by_what_was_submitted(person: SignedIn, now: datetime) -> None:
    case = await draft_case(person.viewer)
    await execute("UPDATE revisions SET name = '李四', employer = '长春理工大学' WHERE expert_id = $1", person.viewer.expert_id)

    await send(case, person, now)

    kept = await Application.get(id=case.id)
    assert (kept.applicant, kept.employer) == ("李四", "长春理工大学")
    [found] = await rows("SELECT words @> bigrams('李四') AND words @> bigrams('理工') AS both FROM applications WHERE id = $1", case.id)
    assert found["both"] is True


async def test_the_office_has_five_working_days_from_the_submission(person: SignedIn) -> None:
    thursday = datetime(2026, 4, 30, 15, 59, tzinfo=UTC)  # 23:59 in Shanghai, before the labour days

    case = await send(await draft_case(person.viewer), person, thursday)

    # 6, 7, 8, 9 (worked Saturday) and 11 May
    assert (await Application.get(id=case.id)).due_at == datetime(2026, 5, 11, 16, 0, tzinfo=UTC)


async def test_what_is_submitted_is_frozen_and_no_draft_is_left(person: SignedIn, now: datetime) -> None:
    draft = await Revision.get(expert_id=person.viewer.expert_id)

    case = await send(await draft_case(person.viewer), person, now)

    frozen = await Revision.get(id=draft.id)
    assert (case.revision_id, frozen.state, frozen.frozen_at) == (draft.id, RevisionState.FROZEN, now)
    assert (await Expert.get(id=person.viewer.expert_id)).draft_id is None


async def test_the_submission_is_on_record(person: SignedIn, now: datetime) -> None:
    case = await send(await draft_case(person.viewer), person, now)

    [record] = await ApplicationRecord.filter(application_id=case.id)
    assert (record.number, record.round, record.at) == (1, 1, now)
    assert (record.move, record.from_stage, record.to_stage) == (Move.SUBMIT, Stage.DRAFT, Stage.FIRST_REVIEW)
    assert (record.actor_id, record.actor_name, record.actor_role) == (person.account.id, "张三", Role.EXPERT)
    assert record.revision_id == case.revision_id
    assert [record.opinion, record.reject_reason, record.field_reasons] == [None, None, []]
    assert [record.previous_hash, record.hash] == [None, case.last_hash]


async def test_while_offices_have_the_case_the_profile_cannot_be_edited(person: SignedIn, now: datetime) -> None:
    await send(await draft_case(person.viewer), person, now)

    with pytest.raises(NotAllowed) as refusal:
        await profiles.save_basic_info(given.BasicInfo(post="院长"), viewer=person.viewer, now=now)

    assert refusal.value.code == "CASE_UNDER_REVIEW"


async def test_everything_that_is_missing_is_listed_at_once_and_nothing_changes(now: datetime) -> None:
    person = await registered_expert()
    await profiles.save_basic_info(given.BasicInfo(employer="吉林大学"), viewer=person.viewer, now=now)
    case = await draft_case(person.viewer)
    before = await everything_about(case.id)

    with pytest.raises(Incomplete) as refusal:
        await send(case, person, now)

    assert [(each.path, each.code) for each in refusal.value.problems] == [
        ("basicInfo.idValidFrom", "REQUIRED"),
        ("basicInfo.ethnicGroup", "REQUIRED"),
        ("basicInfo.politicalAffiliation", "REQUIRED"),
        ("basicInfo.health", "REQUIRED"),
        ("basicInfo.residenceCode", "REQUIRED"),
        ("basicInfo.address", "REQUIRED"),
        ("basicInfo.employerKind", "REQUIRED"),
        ("basicInfo.workStatus", "REQUIRED"),
        ("basicInfo.workingSince", "REQUIRED"),
        ("basicInfo.yearsInField", "REQUIRED"),
        ("basicInfo.idValidUntil", "REQUIRED"),
        ("basicInfo.portrait", "IMAGE_REQUIRED"),
        ("basicInfo.idFront", "IMAGE_REQUIRED"),
        ("basicInfo.idBack", "IMAGE_REQUIRED"),
        ("evaluationInfo.homePoolCode", "REQUIRED"),
        ("evaluationInfo.specialties", "SPECIALTY_REQUIRED"),
        ("education", "EDUCATION_REQUIRED"),
        ("titles", "TITLE_OR_QUALIFICATION_REQUIRED"),
        ("workHistory", "WORK_ENTRY_REQUIRED"),
        ("otherMaterials", "APPLICATION_FORM_REQUIRED"),
    ]
    assert await everything_about(case.id) == before


async def test_without_the_requirement_of_a_signed_form_none_is_asked_for(
    person: SignedIn, now: datetime, change_settings: Callable[..., Settings]
) -> None:
    await execute("DELETE FROM other_materials WHERE revision_id = (SELECT draft_id FROM experts WHERE id = $1)", person.viewer.expert_id)
    case = await draft_case(person.viewer)

    with pytest.raises(Incomplete) as refusal:
        await send(case, person, now)
    change_settings(application_form_required=False)
    sent = await send(case, person, now)

    assert [(each.path, each.code) for each in refusal.value.problems] == [("otherMaterials", "APPLICATION_FORM_REQUIRED")]
    assert sent.stage is Stage.FIRST_REVIEW


async def test_a_pool_that_was_closed_meanwhile_must_be_chosen_anew(person: SignedIn, now: datetime) -> None:
    await profiles.save_evaluation_info(given.EvaluationInfo(home_pool_code="220299"), viewer=person.viewer, now=now)
    case = await draft_case(person.viewer)
    await execute("UPDATE divisions SET pool_selectable = FALSE WHERE code = '220299'")
    try:
        before = await everything_about(case.id)

        with pytest.raises(Incomplete) as refusal:
            await send(case, person, now)

        assert [(each.path, each.code) for each in refusal.value.problems] == [("evaluationInfo.homePoolCode", "POOL_NOT_SELECTABLE")]
        assert await everything_about(case.id) == before
    finally:
        await execute("UPDATE divisions SET pool_selectable = TRUE WHERE code = '220299'")


@pytest.mark.parametrize(
    ("commitment", "avoidance", "paths"),
    [
        (False, True, ["commitmentAccepted"]),
        (True, False, ["avoidanceAccepted"]),
        (False, False, ["commitmentAccepted", "avoidanceAccepted"]),
    ],
)
async def test_both_declarations_must_be_accepted(
    person: SignedIn, now: datetime, commitment: bool, avoidance: bool, paths: list[str]
) -> None:
    case = await draft_case(person.viewer)
    before = await everything_about(case.id)

    with pytest.raises(InvalidInput) as refusal:
        await send(case, person, now, commitment=commitment, avoidance=avoidance)

    assert [(each.path, each.code) for each in refusal.value.problems] == [(path, "DECLARATION_REQUIRED") for path in paths]
    assert await everything_about(case.id) == before


async def test_finance_staff_may_not_be_experts(person: SignedIn, now: datetime) -> None:
    staff = await officer()
    case = await draft_case(person.viewer)
    # The verbs let neither register the other's id number; this is who slipped past them.
    await execute(
        """UPDATE revisions SET id_number_hash = (SELECT id_number_hash FROM accounts WHERE id = $1)
           WHERE expert_id = $2 AND state = 'DRAFT'""",
        staff.account.id,
        person.viewer.expert_id,
    )
    before = await everything_about(case.id)

    with pytest.raises(Incomplete) as refusal:
        await send(case, person, now)

    assert [(each.path, each.code) for each in refusal.value.problems] == [("basicInfo.idNumber", "STAFF_MAY_NOT_APPLY")]
    assert await everything_about(case.id) == before


async def test_submitting_again_is_no_move_and_tells_what_is(now: datetime) -> None:
    person, case = await submitted_case()
    before = await everything_about(case.id)

    with pytest.raises(IllegalMove) as refusal:
        await send(case, person, now)

    assert (refusal.value.stage, refusal.value.move) == (Stage.FIRST_REVIEW, Move.SUBMIT)
    assert refusal.value.available_moves == (Move.WITHDRAW,)
    assert await everything_about(case.id) == before


@pytest.mark.parametrize("stage", [Stage.SECOND_REVIEW, Stage.FINAL_REVIEW, Stage.PUBLICITY, Stage.REJECTED, Stage.WITHDRAWN])
async def test_a_case_beyond_the_expert_s_hands_is_not_submitted(now: datetime, stage: Stage) -> None:
    person, case = await case_at(stage)
    before = await everything_about(case.id)

    with pytest.raises(IllegalMove) as refusal:
        await send(case, person, now)

    assert (refusal.value.stage, refusal.value.available_moves) == (stage, ())
    assert await everything_about(case.id) == before


async def test_submit_pressed_eight_times_at_once_is_one_submission(person: SignedIn, now: datetime) -> None:
    case = await draft_case(person.viewer)

    outcomes = await asyncio.gather(*(send(case, person, now) for _ in range(8)), return_exceptions=True)

    assert sorted(type(each).__name__ for each in outcomes) == ["Application", *["IllegalMove"] * 7]
    kept = await everything_about(case.id)
    assert (kept["case"]["round"], len(kept["records"]), len(kept["revisions"])) == (1, 1, 1)


async def test_saving_and_submitting_at_once_leaves_nothing_behind_that_was_saved_and_not_submitted(
    person: SignedIn, now: datetime
) -> None:
    case = await draft_case(person.viewer)

    saves = [profiles.save_basic_info(given.BasicInfo(post=f"第{number}任"), viewer=person.viewer, now=now) for number in range(4)]
    *saved, sent = await asyncio.gather(*saves, send(case, person, now), return_exceptions=True)

    assert isinstance(sent, Application)
    [revision] = await Revision.filter(expert_id=person.viewer.expert_id)
    assert (revision.state, revision.id) == (RevisionState.FROZEN, sent.revision_id)
    refused = [each for each in saved if isinstance(each, BaseException)]
    assert [str(each) for each in refused] == ["CASE_UNDER_REVIEW"] * len(refused)


async def send_draft(person: SignedIn, now: datetime, *, commitment: bool = True) -> Application:
    """Submit without naming a case."""
    return await submit(None, commitment=commitment, avoidance=True, viewer=person.viewer, now=now)


async def test_without_a_case_named_the_open_one_is_submitted(person: SignedIn, now: datetime) -> None:
    case = await draft_case(person.viewer)

    sent = await send_draft(person, now)

    assert (sent.id, sent.stage, sent.round) == (case.id, Stage.FIRST_REVIEW, 1)
    assert await Application.filter(expert_id=person.viewer.expert_id).count() == 1


async def test_without_a_case_named_a_returned_one_goes_into_its_second_round(now: datetime) -> None:
    person, case = await case_at(Stage.RETURNED)

    again = await send_draft(person, now)

    assert (again.id, again.stage, again.round) == (case.id, Stage.FIRST_REVIEW, 2)


async def test_without_a_case_named_what_was_withdrawn_is_submitted_anew(now: datetime) -> None:
    person, case = await case_at(Stage.WITHDRAWN)

    again = await send_draft(person, now)

    assert (again.id == case.id, again.stage, again.round) == (False, Stage.FIRST_REVIEW, 1)
    assert await Application.filter(expert_id=person.viewer.expert_id).count() == 2


async def without_case() -> tuple[SignedIn, Application]:
    """Somebody whose case was cancelled, with a complete draft."""
    person = await registered_expert()
    await complete_profile(person.viewer)
    case = await draft_case(person.viewer)
    async with transaction():
        await move(case, Move.CANCEL, viewer=None, now=await database_now())
    return person, case


async def test_submitted_eight_times_at_once_without_a_case_one_is_opened_and_submitted(now: datetime) -> None:
    person, _ = await without_case()

    outcomes = await asyncio.gather(*(send_draft(person, now) for _ in range(8)), return_exceptions=True)

    assert sum(isinstance(each, Application) for each in outcomes) == 1
    assert all(isinstance(each, Application | IllegalMove | Unavailable) for each in outcomes), outcomes
    assert await Application.filter(expert_id=person.viewer.expert_id).count() == 2
    anew = await Application.get(expert_id=person.viewer.expert_id, closed_at=None)
    assert (anew.stage, anew.round, anew.records_count) == (Stage.FIRST_REVIEW, 1, 1)


async def test_saving_and_submitting_at_once_without_a_case_opens_one(now: datetime) -> None:
    person, _ = await without_case()

    saves = [profiles.save_basic_info(given.BasicInfo(post=f"第{number}任"), viewer=person.viewer, now=now) for number in range(3)]
    outcomes = await asyncio.gather(*saves, send_draft(person, now), return_exceptions=True)

    assert all(not isinstance(each, BaseException) or isinstance(each, NotAllowed | Unavailable) for each in outcomes), outcomes
    assert await Application.filter(expert_id=person.viewer.expert_id, closed_at=None).count() == 1


async def test_what_is_not_submitted_opens_no_case(now: datetime) -> None:
    person, case = await without_case()
    await execute("DELETE FROM education WHERE revision_id = (SELECT draft_id FROM experts WHERE id = $1)", person.viewer.expert_id)
    before = await everything_about(case.id)

    with pytest.raises(InvalidInput):
        await send_draft(person, now, commitment=False)
    with pytest.raises(Incomplete) as refusal:
        await send_draft(person, now)

    assert [each.path for each in refusal.value.problems] == ["education"]
    assert await everything_about(case.id) == before


async def test_without_a_draft_there_is_nothing_to_submit(now: datetime) -> None:
    fresh = await registered_expert()
    refused, case = await case_at(Stage.REJECTED)
    before = await everything_about(case.id)

    for person in (fresh, refused):
        with pytest.raises(NothingChanged):
            await send_draft(person, now)

    assert await Application.filter(expert_id=fresh.viewer.expert_id).count() == 0
    assert await everything_about(case.id) == before


async def test_a_case_under_review_is_told_where_none_is_named(now: datetime) -> None:
    person, case = await submitted_case()
    before = await everything_about(case.id)

    with pytest.raises(IllegalMove) as refusal:
        await send_draft(person, now)

    assert (refusal.value.stage, refusal.value.available_moves) == (Stage.FIRST_REVIEW, (Move.WITHDRAW,))
    assert await everything_about(case.id) == before


async def test_officers_and_formal_experts_have_no_admission_to_submit(now: datetime) -> None:
    formal, case = await case_at(Stage.ADMITTED)
    before = await everything_about(case.id)

    for other in (await officer(), await provincial_officer(), await administrator()):
        with pytest.raises(NotAllowed):
            await send_draft(other, now)
    with pytest.raises(WrongStanding) as refusal:
        await send_draft(formal, now)

    assert refusal.value.standing is Standing.FORMAL
    assert await everything_about(case.id) == before


@pytest.mark.parametrize("stage", [Stage.WITHDRAWN, Stage.REJECTED])
async def test_of_a_closed_admission_its_owner_is_told_how_to_begin_anew(now: datetime, stage: Stage) -> None:
    person, case = await case_at(stage)

    with pytest.raises(IllegalMove) as refusal:
        await send(case, person, now)

    assert refusal.value.code == "ILLEGAL_MOVE"
    assert in_words(refusal.value, "zh") == (
        f"该申请已结束（{stage.zh}）。请不指定申请（不填 applicationId）再次提交草稿；没有草稿的，请先保存修改，再提交。"
    )
    assert in_words(refusal.value, "en") == (
        f"This case is closed ({stage.value.lower()}). Submit the draft without naming a case (no applicationId); if none is open, "
        "save a change first."
    )


async def test_who_was_admitted_is_told_nothing_of_the_kind(now: datetime) -> None:
    person, case = await case_at(Stage.ADMITTED)

    with pytest.raises(IllegalMove) as refusal:
        await send(case, person, now)

    assert in_words(refusal.value, "zh") == "申请目前处于“已入库”，不能执行“提交”；可执行：无。"


async def test_after_a_return_the_same_case_is_submitted_for_a_second_round(now: datetime) -> None:
    person, case = await case_at(Stage.RETURNED)
    await profiles.save_basic_info(given.BasicInfo(employer="长春理工大学"), viewer=person.viewer, now=now)

    again = await send(case, person, now)

    assert (again.id, again.stage, again.round, again.employer) == (case.id, Stage.FIRST_REVIEW, 2, "长春理工大学")
    first, second = await Revision.filter(expert_id=person.viewer.expert_id).order_by("number")
    assert [first.state, second.state] == [RevisionState.NOT_ADOPTED, RevisionState.FROZEN]
    assert again.revision_id == second.id
    record = await ApplicationRecord.get(application_id=case.id, number=3)
    assert (record.round, record.move, record.from_stage, record.revision_id) == (2, Move.SUBMIT, Stage.RETURNED, again.revision_id)


async def test_a_submission_sends_no_message(now: datetime) -> None:
    _, case = await submitted_case()

    assert await SmsMessage.filter(application_id=case.id).count() == 0


async def test_to_everybody_else_the_case_is_not_there(person: SignedIn, now: datetime) -> None:
    case = await draft_case(person.viewer)
    before = await everything_about(case.id)
    others = [await registered_expert(), await officer(), await provincial_officer(), await administrator()]

    for other in others:
        with pytest.raises(NotFound):
            await send(case, other, now)
    with pytest.raises(NotFound):
        await submit(uuid4(), commitment=True, avoidance=True, viewer=person.viewer, now=now)

    assert await everything_about(case.id) == before
