from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest

from domain.actions.applications import submit, withdraw
from domain.actions.profiles import remove_work_entry, save_basic_info, save_evaluation_info
from domain.actions.standing import suspend
from domain.rules.errors import (
    BaseMoved,
    IllegalMove,
    Incomplete,
    InvalidInput,
    NotAllowed,
    NothingChanged,
    Unavailable,
)
from domain.rules.profile_input import BasicInfo, EvaluationInfo
from models.accounts import Account
from models.applications import Application, ApplicationRecord
from models.database import database_now, rows
from models.enums import CaseKind, RevisionState, SmsTemplate, Stage
from models.experts import Expert
from models.profiles import Revision, WorkEntry
from models.sms import SmsMessage
from settings import Settings
from tests.cases import approve, case_at, everything_about
from tests.changes.formal import change_at, formal_expert, send, with_changes
from tests.graphql import execute
from tests.people import SignedIn, administrator, officer, provincial_officer, registered_expert, some_id_number
from tests.profiles.kept import draft_of, everything_of

SUBMIT = """mutation { changeSubmit(input: {commitmentAccepted: true, avoidanceAccepted: true}) { __typename
    ... on Application { kind stage round pool { code } } ... on Problem { code } ... on IllegalMove { stage }
    ... on WrongStanding { standing } ... on Incomplete { missing { path code } } } }"""


async def expert_of(person: SignedIn) -> Expert:
    return await Expert.get(id=person.viewer.expert_id)


async def in_force(person: SignedIn) -> Revision:
    return await Revision.get(expert_id=person.viewer.expert_id, state=RevisionState.EFFECTIVE)


async def test_a_change_goes_to_the_first_review_while_the_revision_in_force_stays_so(database: Settings) -> None:
    person = await with_changes()
    before = await in_force(person)
    draft = await draft_of(person.viewer)

    case = await send(person)

    kept = await Application.get(id=case.id)
    assert (kept.kind, kept.stage, kept.round, kept.pool_code) == (CaseKind.CHANGE, Stage.FIRST_REVIEW, 1, "220199")
    assert (kept.employer, kept.revision_id) == ("长春理工大学", draft.pk)
    assert (await Revision.get(id=draft.pk)).state is RevisionState.FROZEN
    assert (await in_force(person)).pk == before.pk
    assert (await in_force(person)).employer == "吉林大学"
    expert = await expert_of(person)
    assert (expert.effective_id, expert.draft_id) == (before.pk, None)


async def test_after_three_reviews_the_change_is_in_force_and_its_expert_is_told(database: Settings) -> None:
    person, case = await change_at(Stage.APPLIED)
    number = (await expert_of(person)).number

    kept = await Application.get(id=case.id)
    assert (kept.stage, kept.closed_at is None) == (Stage.APPLIED, False)
    expert = await expert_of(person)
    assert (expert.effective_id, expert.number, expert.pool_code) == (case.revision_id, number, "220199")
    assert (await in_force(person)).employer == "长春理工大学"
    states = [each["state"] for each in await rows("SELECT state FROM revisions WHERE expert_id = $1 ORDER BY number", expert.id)]
    assert states == ["SUPERSEDED", "EFFECTIVE"]
    assert [each.template for each in await SmsMessage.filter(application_id=case.id)] == [SmsTemplate.APPLIED]
    assert not await rows("SELECT FROM public_notices WHERE application_id = $1", case.id)


async def test_name_and_id_number_of_the_account_change_when_the_case_is_applied_and_not_before(database: Settings) -> None:
    person = await formal_expert()
    former, later = person.account.id_number, some_id_number()
    await save_basic_info(BasicInfo(name="张三丰", id_number=later), viewer=person.viewer, now=await database_now())
    case = await send(person)
    for each in (await officer(), await provincial_officer()):
        await approve(case.id, each.viewer)
    account = await Account.get(id=person.account.id)
    assert (account.name, account.id_number, (await expert_of(person)).name) == ("张三", former, "张三")

    await approve(case.id, (await provincial_officer()).viewer)

    account = await Account.get(id=person.account.id)
    assert (account.name, account.id_number, (await expert_of(person)).name) == ("张三丰", later, "张三丰")
    assert account.id_number_hash == (await in_force(person)).id_number_hash
    assert account.id_number_masked == (await in_force(person)).id_number_masked


async def test_an_id_number_that_another_registered_meanwhile_does_not_take_effect(database: Settings) -> None:
    person = await formal_expert()
    later = some_id_number()
    await save_basic_info(BasicInfo(id_number=later), viewer=person.viewer, now=await database_now())
    case = await send(person)
    for each in (await officer(), await provincial_officer()):
        await approve(case.id, each.viewer)
    await registered_expert(id_number=later)
    before = await everything_about(case.id)

    with pytest.raises(NotAllowed) as refusal:
        await approve(case.id, (await provincial_officer()).viewer)

    assert refusal.value.code == "ID_NUMBER_IN_USE"
    assert await everything_about(case.id) == before


async def test_a_second_change_starts_from_what_the_first_brought(database: Settings) -> None:
    person, first = await change_at(Stage.APPLIED)
    await save_basic_info(BasicInfo(post="院长"), viewer=person.viewer, now=await database_now())

    second = await send(person)

    assert second.id != first.id
    assert (await Revision.get(id=second.revision_id)).base_id == first.revision_id
    assert second.employer == "长春理工大学"


@pytest.mark.parametrize("saved", [False, True])
async def test_nothing_that_differs_is_nothing_to_review(database: Settings, saved: bool) -> None:
    person = await formal_expert()
    if saved:
        await save_basic_info(BasicInfo(employer="吉林大学"), viewer=person.viewer, now=await database_now())
    before = await everything_of(person.viewer)

    with pytest.raises(NothingChanged):
        await send(person)

    assert await everything_of(person.viewer) == before
    assert await Application.filter(expert_id=person.viewer.expert_id).count() == 1


async def test_a_draft_whose_base_is_not_in_force_any_more_is_a_conflict(database: Settings) -> None:
    person = await with_changes()
    former = await in_force(person)
    await rows("UPDATE revisions SET state = 'SUPERSEDED' WHERE id = $1", former.pk)
    copied = (await Revision.filter(id=former.pk).values())[0]
    newer = await Revision.create(
        expert_id=former.expert_id,
        number=90,
        state=RevisionState.EFFECTIVE,
        created_at=copied["created_at"],
        updated_at=copied["updated_at"],
        frozen_at=copied["frozen_at"],
    )
    await Expert.filter(id=former.expert_id).update(effective_id=newer.pk)
    before = await everything_of(person.viewer)

    with pytest.raises(BaseMoved):
        await send(person)

    assert await everything_of(person.viewer) == before
    assert await Application.filter(expert_id=person.viewer.expert_id, kind=CaseKind.CHANGE).count() == 0


async def test_a_change_must_leave_the_profile_complete_and_its_declarations_accepted(database: Settings) -> None:
    person = await formal_expert()
    entry = await WorkEntry.get(revision_id=(await in_force(person)).pk)
    await remove_work_entry(entry.id, viewer=person.viewer, now=await database_now())
    before = await everything_of(person.viewer)

    with pytest.raises(Incomplete) as incomplete:
        await send(person)
    with pytest.raises(InvalidInput) as undeclared:
        await send(person, commitment=False, avoidance=False)

    assert [(each.path, each.code) for each in incomplete.value.problems] == [("workHistory", "WORK_ENTRY_REQUIRED")]
    assert [each.path for each in undeclared.value.problems] == ["commitmentAccepted", "avoidanceAccepted"]
    assert await everything_of(person.viewer) == before


async def test_while_a_change_is_under_review_nothing_is_edited_and_no_other_is_sent(database: Settings) -> None:
    person, case = await change_at(Stage.SECOND_REVIEW)
    before = await everything_about(case.id)

    with pytest.raises(NotAllowed):
        await save_basic_info(BasicInfo(employer="别处"), viewer=person.viewer, now=await database_now())
    with pytest.raises(IllegalMove) as refusal:
        await send(person)

    assert refusal.value.stage is Stage.SECOND_REVIEW
    assert await everything_about(case.id) == before


async def test_a_change_sent_twice_at_once_is_one_case(database: Settings) -> None:
    person = await with_changes()

    answers = await asyncio.gather(*(send(person) for _ in range(4)), return_exceptions=True)

    assert sum(isinstance(each, Application) for each in answers) == 1
    assert all(isinstance(each, Application | IllegalMove | Unavailable) for each in answers)
    assert await Application.filter(expert_id=person.viewer.expert_id, kind=CaseKind.CHANGE).count() == 1


async def test_a_returned_change_opens_its_draft_and_is_sent_again_as_the_same_case(database: Settings) -> None:
    person, case = await change_at(Stage.RETURNED)
    assert (await draft_of(person.viewer)).employer == "长春理工大学"
    await save_basic_info(BasicInfo(post="院长"), viewer=person.viewer, now=await database_now())

    again = await send(person)

    assert (again.id, again.stage, again.round) == (case.id, Stage.FIRST_REVIEW, 2)
    assert again.revision_id != case.revision_id


async def test_a_returned_change_may_be_sent_as_any_returned_case_and_under_the_same_rules(database: Settings) -> None:
    person, case = await change_at(Stage.RETURNED)
    now = await database_now()
    await save_basic_info(BasicInfo(employer="吉林大学"), viewer=person.viewer, now=now)

    with pytest.raises(NothingChanged):
        await submit(case.id, commitment=True, avoidance=True, viewer=person.viewer, now=now)
    await save_basic_info(BasicInfo(employer="东北师范大学"), viewer=person.viewer, now=now)
    again = await submit(case.id, commitment=True, avoidance=True, viewer=person.viewer, now=now)

    assert (again.stage, again.round, again.employer) == (Stage.FIRST_REVIEW, 2, "东北师范大学")


async def test_a_change_taken_back_keeps_its_draft_and_opens_no_case(database: Settings) -> None:
    person, case = await change_at(Stage.FIRST_REVIEW)

    await withdraw(case.id, viewer=person.viewer, now=await database_now())

    assert (await draft_of(person.viewer)).employer == "长春理工大学"
    assert not await Application.filter(expert_id=person.viewer.expert_id, closed_at__isnull=True).exists()
    assert (await send(person)).id != case.id


async def test_a_rejected_change_leaves_no_draft_and_the_former_revision_in_force(database: Settings) -> None:
    person, case = await change_at(Stage.REJECTED)

    expert = await expert_of(person)
    assert (expert.draft_id, (await in_force(person)).employer) == (None, "吉林大学")
    assert (await Revision.get(id=case.revision_id)).state is RevisionState.NOT_ADOPTED
    await save_basic_info(BasicInfo(post="院长"), viewer=person.viewer, now=await database_now())
    assert (await draft_of(person.viewer)).employer == "吉林大学"


async def test_the_home_pool_of_a_formal_expert_does_not_change_with_the_profile(database: Settings) -> None:
    person = await formal_expert()
    before = await everything_of(person.viewer)

    with pytest.raises(InvalidInput) as refusal:
        await save_evaluation_info(EvaluationInfo(home_pool_code="220299"), viewer=person.viewer, now=await database_now())

    assert [(each.path, each.code) for each in refusal.value.problems] == [("homePoolCode", "POOL_BY_DIVISION_CHANGE")]
    assert await everything_of(person.viewer) == before


async def test_who_is_suspended_keeps_the_profile_up_to_date(database: Settings) -> None:
    person = await with_changes()
    now = await database_now()
    expert = await expert_of(person)
    await suspend(expert.id, until=now.date() + timedelta(days=9), reasons="核实中", viewer=(await provincial_officer()).viewer, now=now)

    assert (await send(person)).stage is Stage.FIRST_REVIEW


async def test_the_door_of_changes(database: Settings) -> None:
    formal, (temporary, _) = await with_changes(), await case_at(Stage.FIRST_REVIEW)
    strangers = [(await officer()).viewer, (await provincial_officer()).viewer, (await administrator()).viewer]

    nobody = await execute(SUBMIT, None)
    staff = [await execute(SUBMIT, each) for each in strangers]
    waiting = await execute(SUBMIT, temporary.viewer)
    done, repeated = await execute(SUBMIT, formal.viewer), await execute(SUBMIT, formal.viewer)

    assert nobody.data == {"changeSubmit": {"__typename": "NotSignedIn", "code": "NOT_SIGNED_IN"}}
    assert [each.data for each in staff] == [{"changeSubmit": {"__typename": "NotAllowed", "code": "NOT_ALLOWED"}}] * 3
    assert waiting.data == {"changeSubmit": {"__typename": "WrongStanding", "code": "WRONG_STANDING", "standing": "TEMPORARY"}}
    assert done.data == {
        "changeSubmit": {"__typename": "Application", "kind": "CHANGE", "stage": "FIRST_REVIEW", "round": 1, "pool": {"code": "220199"}}
    }
    assert repeated.data == {"changeSubmit": {"__typename": "IllegalMove", "code": "ILLEGAL_MOVE", "stage": "FIRST_REVIEW"}}


async def test_the_door_tells_what_stands_against_a_change(database: Settings) -> None:
    person = await formal_expert()

    answer = await execute(SUBMIT, person.viewer)

    assert answer.data == {"changeSubmit": {"__typename": "NothingChanged", "code": "NOTHING_CHANGED"}}
    assert await ApplicationRecord.filter(application__expert_id=person.viewer.expert_id, application__kind=CaseKind.CHANGE).count() == 0
