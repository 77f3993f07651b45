from __future__ import annotations

from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from domain.actions import staff
from domain.actions.reviews import claim, hand_over
from domain.rules.errors import ClaimedByAnother, InvalidInput, NotAllowed, NotFound
from models.applications import Application
from models.enums import Stage
from settings import Settings
from tests.cases import approve, case_at, everything_about
from tests.graphql import execute
from tests.people import administrator, officer, provincial_officer, registered_expert, under_a_new_account


async def test_a_colleague_takes_the_case_over_for_half_an_hour(now: datetime) -> None:
    _, case = await case_at(Stage.FIRST_REVIEW)
    first, second = await officer(name="李初审"), await officer(name="周初审")
    await claim(case.id, viewer=first.viewer, now=now)

    later = now + timedelta(minutes=10)
    await hand_over(case.id, second.account.id, viewer=first.viewer, now=later)

    kept = await Application.get(id=case.id)
    assert (kept.claimed_by_id, kept.claimed_by_name, kept.claimed_until) == (
        second.account.id,
        "周初审",
        later + timedelta(minutes=30),
    )


async def test_only_who_holds_a_case_hands_it_over(now: datetime) -> None:
    person, case = await case_at(Stage.FIRST_REVIEW)
    first, second, elsewhere = await officer(), await officer(), await officer("220299")
    before = await everything_about(case.id)

    with pytest.raises(NotAllowed) as free:
        await hand_over(case.id, second.account.id, viewer=first.viewer, now=now)
    for stranger in (elsewhere, person, await administrator()):
        with pytest.raises(NotFound):
            await hand_over(case.id, second.account.id, viewer=stranger.viewer, now=now)
    unchanged = await everything_about(case.id) == before
    await claim(case.id, viewer=second.viewer, now=now)
    held = await everything_about(case.id)
    with pytest.raises(ClaimedByAnother):
        await hand_over(case.id, first.account.id, viewer=first.viewer, now=now)
    with pytest.raises(NotAllowed) as over:
        await hand_over(case.id, first.account.id, viewer=second.viewer, now=now + timedelta(minutes=30))

    assert unchanged
    assert (free.value.code, over.value.code) == ("CLAIM_NOT_HELD", "CLAIM_NOT_HELD")
    assert await everything_about(case.id) == held


async def test_a_case_goes_only_to_who_can_decide_it(now: datetime) -> None:
    _, case = await case_at(Stage.FIRST_REVIEW)
    first, gone = await officer(), await officer()
    await staff.disable(gone.account.id, viewer=(await administrator()).viewer, now=now)
    await claim(case.id, viewer=first.viewer, now=now)
    before = await everything_about(case.id)

    people = (first, gone, await officer("220299"), await provincial_officer(), await administrator(), await registered_expert())
    for colleague in (*(each.account.id for each in people), uuid4(), None):
        with pytest.raises(InvalidInput) as refusal:
            await hand_over(case.id, colleague, viewer=first.viewer, now=now)
        assert [(each.path, each.code) for each in refusal.value.problems] == [("toStaffId", "HAND_OVER_UNFIT")]

    assert await everything_about(case.id) == before


async def test_the_final_review_is_not_handed_to_the_officer_of_the_second(now: datetime) -> None:
    _, case = await case_at(Stage.SECOND_REVIEW)
    second, third, fourth = await provincial_officer(), await provincial_officer(), await provincial_officer()
    await approve(case.id, second.viewer)
    await claim(case.id, viewer=third.viewer, now=now)

    with pytest.raises(InvalidInput):
        await hand_over(case.id, second.account.id, viewer=third.viewer, now=now)

    kept = await hand_over(case.id, fourth.account.id, viewer=third.viewer, now=now)
    assert kept.claimed_by_id == fourth.account.id


async def test_nor_is_it_under_a_new_account(now: datetime) -> None:
    _, case = await case_at(Stage.SECOND_REVIEW)
    second, third = await provincial_officer(), await provincial_officer()
    await approve(case.id, second.viewer)
    again = await under_a_new_account(second, await administrator())
    await claim(case.id, viewer=third.viewer, now=now)
    before = await everything_about(case.id)

    with pytest.raises(InvalidInput) as refusal:
        await hand_over(case.id, again.account.id, viewer=third.viewer, now=now)

    assert [(each.path, each.code) for each in refusal.value.problems] == [("toStaffId", "HAND_OVER_UNFIT")]
    assert await everything_about(case.id) == before


async def test_the_door_of_handing_over(database: Settings, now: datetime) -> None:
    _, case = await case_at(Stage.FIRST_REVIEW)
    first, second = await officer(), await officer(name="周初审")
    await claim(case.id, viewer=first.viewer, now=now)
    document = """mutation Give($case: ID!, $to: ID!) { applicationHandOver(input: {applicationId: $case, toStaffId: $to}) { __typename
        ... on Application { claim { holder mine } } ... on Problem { code } } }"""
    given = {"case": f"Application_{case.id}", "to": f"Account_{second.account.id}"}

    done = await execute(document, first.viewer, **given)
    unfit = await execute(document, second.viewer, **(given | {"to": "Account_x"}))
    stranger = await execute(document, (await officer("220299")).viewer, **given)
    nobody = await execute(document, None, **given)

    assert done.data == {"applicationHandOver": {"__typename": "Application", "claim": {"holder": "周初审", "mine": False}}}
    assert unfit.data == {"applicationHandOver": {"__typename": "InvalidInput", "code": "INVALID_INPUT"}}
    assert stranger.data == {"applicationHandOver": {"__typename": "NotFound", "code": "NOT_FOUND"}}
    assert nobody.data == {"applicationHandOver": {"__typename": "NotSignedIn", "code": "NOT_SIGNED_IN"}}
