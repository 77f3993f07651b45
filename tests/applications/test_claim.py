from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from uuid import uuid4

import pytest

from domain.actions.reviews import claim, release
from domain.rules.errors import ClaimedByAnother, IllegalMove, NotAllowed, NotFound
from models.applications import Application, ApplicationRecord
from models.database import execute
from models.enums import Stage
from settings import Settings
from tests.cases import approve, case_at, everything_about, submitted_case
from tests.conftest import Clock
from tests.people import administrator, officer, provincial_officer

HALF_AN_HOUR = timedelta(minutes=30)


async def test_a_claim_holds_a_case_for_half_an_hour_and_is_no_move(now: datetime) -> None:
    _, case = await submitted_case()
    local = await officer(name="李初审")

    await claim(case.id, viewer=local.viewer, now=now)

    kept = await Application.get(id=case.id)
    assert (kept.claimed_by_id, kept.claimed_by_name, kept.claimed_until) == (local.account.id, "李初审", now + HALF_AN_HOUR)
    assert (kept.stage, kept.stage_since, kept.due_at) == (Stage.FIRST_REVIEW, case.stage_since, case.due_at)
    assert await ApplicationRecord.filter(application_id=case.id).count() == 1


async def test_claiming_again_renews_the_lease(clock: Clock) -> None:
    _, case = await submitted_case()
    local = await officer()
    await claim(case.id, viewer=local.viewer, now=await clock.now())

    later = await clock.move(minutes=20)
    renewed = await claim(case.id, viewer=local.viewer, now=later)

    assert renewed.claimed_until == later + HALF_AN_HOUR


async def test_another_officer_waits_until_the_lease_is_over(clock: Clock) -> None:
    _, case = await submitted_case()
    first, second = await officer(name="李初审"), await officer(name="周初审")
    start = await clock.now()
    await claim(case.id, viewer=first.viewer, now=start)
    before = await everything_about(case.id)

    with pytest.raises(ClaimedByAnother) as refusal:
        await claim(case.id, viewer=second.viewer, now=start + HALF_AN_HOUR - timedelta(microseconds=1))

    assert (refusal.value.holder, refusal.value.until) == ("李初审", start + HALF_AN_HOUR)
    assert await everything_about(case.id) == before
    taken = await claim(case.id, viewer=second.viewer, now=start + HALF_AN_HOUR)
    assert (taken.claimed_by_id, taken.claimed_by_name) == (second.account.id, "周初审")


async def test_of_eight_officers_who_claim_at_once_one_holds(now: datetime) -> None:
    _, case = await submitted_case()
    who = [await officer(name=f"李{'一二三四五六七八'[number]}") for number in range(8)]

    outcomes = await asyncio.gather(*(claim(case.id, viewer=each.viewer, now=now) for each in who), return_exceptions=True)

    [held] = [each for each in outcomes if isinstance(each, Application)]
    assert [each.holder for each in outcomes if isinstance(each, ClaimedByAnother)] == [held.claimed_by_name] * 7


async def test_only_who_would_decide_can_claim(now: datetime) -> None:
    _, case = await case_at(Stage.SECOND_REVIEW)
    decided = await provincial_officer()
    before = await everything_about(case.id)

    with pytest.raises(NotAllowed) as local:
        await claim(case.id, viewer=(await officer()).viewer, now=now)
    assert await everything_about(case.id) == before
    await approve(case.id, decided.viewer)
    before = await everything_about(case.id)
    with pytest.raises(NotAllowed) as same:
        await claim(case.id, viewer=decided.viewer, now=now)

    assert (local.value.code, same.value.code) == ("OTHER_OFFICE_DECIDES", "OTHER_OFFICER_REQUIRED")
    assert await everything_about(case.id) == before


async def test_nobody_claims_their_own_case(now: datetime) -> None:
    person, case = await submitted_case()
    local = await officer()
    # The verbs keep staff and experts apart; these are the rows of somebody who slipped past them.
    await execute("UPDATE accounts SET status = 'DEREGISTERED' WHERE id = $1", person.account.id)
    await execute(
        "UPDATE accounts SET phone_hash = (SELECT phone_hash FROM accounts WHERE id = $2) WHERE id = $1",
        local.account.id,
        person.account.id,
    )
    before = await everything_about(case.id)

    with pytest.raises(NotAllowed) as refusal:
        await claim(case.id, viewer=local.viewer, now=now)

    assert refusal.value.code == "OWN_CASE"
    assert await everything_about(case.id) == before


@pytest.mark.parametrize("stage", [Stage.PUBLICITY, Stage.RETURNED, Stage.REJECTED, Stage.WITHDRAWN])
async def test_outside_the_reviews_there_is_nothing_to_claim(now: datetime, stage: Stage) -> None:
    _, case = await case_at(stage)
    before = await everything_about(case.id)

    with pytest.raises(IllegalMove) as refusal:
        await claim(case.id, viewer=(await officer()).viewer, now=now)

    assert refusal.value.stage is stage
    assert await everything_about(case.id) == before


async def test_to_those_who_may_not_see_it_the_case_is_not_there(now: datetime) -> None:
    person, case = await submitted_case()
    before = await everything_about(case.id)
    others = [person, await officer("220299"), await administrator()]

    for verb in (claim, release):
        for other in others:
            with pytest.raises(NotFound):
                await verb(case.id, viewer=other.viewer, now=now)
        with pytest.raises(NotFound):
            await verb(uuid4(), viewer=(await officer()).viewer, now=now)

    assert await everything_about(case.id) == before


async def test_a_released_case_is_free_at_once(now: datetime) -> None:
    _, case = await submitted_case()
    first, second = await officer(), await officer()
    await claim(case.id, viewer=first.viewer, now=now)

    freed = await release(case.id, viewer=first.viewer, now=now)

    assert [freed.claimed_by_id, freed.claimed_by_name, freed.claimed_until] == [None, None, None]
    assert (await claim(case.id, viewer=second.viewer, now=now)).claimed_by_id == second.account.id


async def test_releasing_what_one_does_not_hold_changes_nothing(now: datetime) -> None:
    _, case = await submitted_case()
    holder, other = await officer(), await officer()
    before_claim = await everything_about(case.id)

    await release(case.id, viewer=other.viewer, now=now)
    assert await everything_about(case.id) == before_claim
    await claim(case.id, viewer=holder.viewer, now=now)
    claimed = await everything_about(case.id)
    await release(case.id, viewer=other.viewer, now=now)

    assert await everything_about(case.id) == claimed


async def test_the_lease_is_as_long_as_the_setting_says(now: datetime, change_settings: Callable[..., Settings]) -> None:
    _, case = await submitted_case()
    change_settings(claim_minutes=5)

    held = await claim(case.id, viewer=(await officer()).viewer, now=now)

    assert held.claimed_until == now + timedelta(minutes=5)
