"""The bar after a dismissal stands against every id number that is to be somebody's, and looks like a number in use."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from domain.actions.profiles import save_basic_info
from domain.actions.standing import dismiss
from domain.rules.calendar import SHANGHAI
from domain.rules.errors import NotAllowed, Taken
from domain.rules.profile_input import BasicInfo
from models.accounts import Account
from models.database import database_now
from models.enums import DismissalCause
from models.experts import Expert
from models.sealing import id_number_hash
from models.standing import Bar
from settings import Settings
from tests.cases import approve, complete_profile, draft_case, everything_about
from tests.changes.formal import formal_expert, send
from tests.graphql import execute
from tests.people import SignedIn, officer, provincial_officer, registered_expert, some_id_number
from tests.profiles.kept import everything_of

SAVE = """mutation ($number: String!) { basicInfoSave(input: {idNumber: $number}) {
    __typename ... on Problem { code message } ... on Taken { path } } }"""
TOLD = "{ __typename ... on Incomplete { missing { path code message } } }"
ACCEPTED = "commitmentAccepted: true, avoidanceAccepted: true"


async def answer(document: str, person: SignedIn, **variables: Any) -> Any:
    result = await execute(document, person.viewer, **variables)
    assert result.errors is None, result.errors
    return result.data


async def dismissed(person: SignedIn, province: SignedIn) -> str:
    """The id number of somebody, who is dismissed."""
    number = (await Account.get(id=person.account.id)).id_number
    assert person.viewer.expert_id is not None
    assert number is not None
    await dismiss(
        person.viewer.expert_id, cause=DismissalCause.OTHER, reasons="多次缺席。", viewer=province.viewer, now=await database_now()
    )
    return number


async def barred(number: str) -> None:
    """What the dismissal of somebody who had registered meanwhile leaves."""
    now = await database_now()
    await Bar.create(id_number_hash=id_number_hash(number), since=now, until=now.astimezone(SHANGHAI).date() + timedelta(days=1_000))


@pytest.mark.parametrize("standing", ["TEMPORARY", "FORMAL"])
async def test_a_draft_takes_no_barred_number_and_its_owner_is_told_what_is_told_of_one_in_use(database: Settings, standing: str) -> None:
    leaving = await formal_expert()
    person = await registered_expert() if standing == "TEMPORARY" else await formal_expert()
    in_use = (await Account.get(id=(await registered_expert()).account.id)).id_number
    gone = await dismissed(leaving, await provincial_officer())
    before = await everything_of(person.viewer)

    of_the_dismissed, of_another = await answer(SAVE, person, number=gone), await answer(SAVE, person, number=in_use)

    assert of_the_dismissed == of_another
    assert of_the_dismissed["basicInfoSave"]["__typename"] == "Taken"
    assert of_the_dismissed["basicInfoSave"]["path"] == "idNumber"
    assert await everything_of(person.viewer) == before


async def test_a_change_with_a_number_that_was_barred_since_is_not_submitted_and_looks_like_one_in_use(database: Settings) -> None:
    people = [await formal_expert(), await formal_expert()]
    numbers = [some_id_number(), some_id_number()]
    for person, number in zip(people, numbers, strict=True):
        await save_basic_info(BasicInfo(id_number=number), viewer=person.viewer, now=await database_now())
    await barred(numbers[0])
    await registered_expert(id_number=numbers[1])
    before = [await everything_of(person.viewer) for person in people]

    answers = [await answer(f"mutation {{ changeSubmit(input: {{{ACCEPTED}}}) {TOLD} }}", person) for person in people]

    assert answers[0] == answers[1]
    assert answers[0]["changeSubmit"]["__typename"] == "Incomplete"
    assert [(each["path"], each["code"]) for each in answers[0]["changeSubmit"]["missing"]] == [("basicInfo.idNumber", "ID_NUMBER_TAKEN")]
    assert [await everything_of(person.viewer) for person in people] == before


async def test_a_correction_does_not_hide_that_the_account_s_own_number_is_barred(database: Settings) -> None:
    person = await formal_expert()
    former = (await Account.get(id=person.account.id)).id_number
    await save_basic_info(BasicInfo(id_number=some_id_number()), viewer=person.viewer, now=await database_now())
    await barred(former or "")
    before = await everything_of(person.viewer)

    told = await answer(f"mutation {{ changeSubmit(input: {{{ACCEPTED}}}) {TOLD} }}", person)

    assert [each["code"] for each in told["changeSubmit"]["missing"]] == ["ID_NUMBER_TAKEN"]
    assert await everything_of(person.viewer) == before


async def test_an_admission_is_not_submitted_under_a_number_that_was_barred_since(database: Settings) -> None:
    person = await registered_expert()
    await complete_profile(person.viewer)
    case = await draft_case(person.viewer)
    await barred((await Account.get(id=person.account.id)).id_number or "")
    before = await everything_about(case.id)

    told = await answer(f'mutation {{ applicationSubmit(input: {{applicationId: "Application_{case.id}", {ACCEPTED}}}) {TOLD} }}', person)

    assert [each["code"] for each in told["applicationSubmit"]["missing"]] == ["ID_NUMBER_TAKEN"]
    assert await everything_about(case.id) == before


async def test_a_change_whose_number_was_barred_during_the_reviews_does_not_take_effect(database: Settings) -> None:
    person = await formal_expert()
    number = some_id_number()
    await save_basic_info(BasicInfo(id_number=number), viewer=person.viewer, now=await database_now())
    case = await send(person)
    for each in (await officer(), await provincial_officer()):
        await approve(case.id, each.viewer)
    await barred(number)
    before = await everything_about(case.id)

    with pytest.raises(NotAllowed) as refusal:
        await approve(case.id, (await provincial_officer()).viewer)

    assert refusal.value.code == "ID_NUMBER_IN_USE"
    assert await everything_about(case.id) == before


async def test_nobody_slips_into_the_number_of_somebody_who_is_being_dismissed(database: Settings) -> None:
    province, formal = await provincial_officer(), await formal_expert()
    for _ in range(5):
        leaving, temporary = await formal_expert(), await registered_expert()
        number = (await Account.get(id=leaving.account.id)).id_number
        assert number is not None
        now = await database_now()

        async def enter(person: SignedIn, number: str = number, now: Any = now) -> None:
            await save_basic_info(BasicInfo(id_number=number), viewer=person.viewer, now=now)

        ends = await asyncio.gather(
            dismissed(leaving, province),
            enter(temporary),
            enter(formal),
            registered_expert(id_number=number),
            return_exceptions=True,
        )

        assert ends[0] == number
        assert [type(each) for each in ends[1:]] == [Taken] * 3
        assert [each.id for each in await Account.filter(id_number_hash=id_number_hash(number))] == [leaving.account.id]
        assert (await Expert.get(id=formal.viewer.expert_id)).draft_id is None
