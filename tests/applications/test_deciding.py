"""What holds for approving, returning and rejecting alike."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID, uuid4

import pytest
from tortoise.exceptions import IntegrityError

from domain.actions import applications, reviews
from domain.actions.record_chain import broken_links
from domain.actions.reviews import Seen
from domain.rules.errors import AlreadyReviewed, ClaimedByAnother, IllegalMove, NotAllowed, NotFound, Refusal
from domain.rules.viewer import Viewer
from models.applications import Application, ApplicationRecord
from models.database import execute
from models.enums import RejectReason, Stage
from tests.cases import approve, case_at, everything_about, return_case, submit, submitted_case
from tests.conftest import Clock
from tests.graphql import answer_at
from tests.people import SignedIn, administrator, officer, provincial_officer, registered_expert, under_a_new_account

Decide: TypeAlias = Callable[[UUID, Seen, Viewer, datetime], Awaitable[Application]]

DECISIONS: dict[str, Decide] = {
    "approve": lambda case, seen, viewer, now: reviews.approve(case, opinion=None, seen=seen, viewer=viewer, now=now),
    "return": lambda case, seen, viewer, now: reviews.return_to_expert(
        case, opinion="请补充", reasons=[("titles", "缺少职称证书")], seen=seen, viewer=viewer, now=now
    ),
    "reject": lambda case, seen, viewer, now: reviews.reject(
        case, reason=RejectReason.OTHER, opinion="不符合", seen=seen, viewer=viewer, now=now
    ),
}
each_decision = pytest.mark.parametrize("decide", DECISIONS.values(), ids=DECISIONS.keys())


async def refused(case: Application, attempt: Awaitable[Any]) -> Any:
    """The refusal of an attempt, which must change nothing."""
    before = await everything_about(case.id)
    with pytest.raises(Refusal) as refusal:
        await attempt
    assert await everything_about(case.id) == before
    return refusal.value


# Who decides


@each_decision
async def test_a_case_of_another_pool_is_as_if_it_were_not_there(now: datetime, decide: Decide) -> None:
    _, case = await submitted_case()
    stranger = await officer("220299")

    there = await refused(case, decide(case.id, Seen(Stage.FIRST_REVIEW), stranger.viewer, now))
    missing = await refused(case, decide(uuid4(), Seen(Stage.FIRST_REVIEW), stranger.viewer, now))

    assert (type(there), there.code, there.facts) == (type(missing), missing.code, missing.facts) == (NotFound, "NOT_FOUND", {})


@each_decision
async def test_experts_and_administrators_decide_nothing_and_learn_nothing(now: datetime, decide: Decide) -> None:
    person, case = await submitted_case()
    others = [person, await registered_expert(), await administrator()]

    for other in others:
        assert type(await refused(case, decide(case.id, Seen(Stage.FIRST_REVIEW), other.viewer, now))) is NotFound


@each_decision
async def test_a_draft_is_not_there_for_officers(now: datetime, decide: Decide) -> None:
    _, withdrawn = await case_at(Stage.WITHDRAWN)
    draft = await Application.get(expert_id=withdrawn.expert_id, stage=Stage.DRAFT)

    for who in (await officer(), await provincial_officer()):
        assert type(await refused(draft, decide(draft.id, Seen(Stage.DRAFT), who.viewer, now))) is NotFound


@each_decision
async def test_the_province_leaves_the_first_review_to_the_local_office(now: datetime, decide: Decide) -> None:
    _, case = await submitted_case()

    refusal = await refused(case, decide(case.id, Seen(Stage.FIRST_REVIEW), (await provincial_officer()).viewer, now))

    assert (type(refusal), refusal.code) == (NotAllowed, "OTHER_OFFICE_DECIDES")


@each_decision
@pytest.mark.parametrize("stage", [Stage.SECOND_REVIEW, Stage.FINAL_REVIEW])
async def test_the_local_office_leaves_second_and_final_review_to_the_province(now: datetime, decide: Decide, stage: Stage) -> None:
    _, case = await case_at(stage)

    refusal = await refused(case, decide(case.id, Seen(stage), (await officer()).viewer, now))

    assert (type(refusal), refusal.code) == (NotAllowed, "OTHER_OFFICE_DECIDES")


@each_decision
async def test_nobody_reviews_their_own_case_found_out_by_the_id_number(now: datetime, decide: Decide) -> None:
    person, case = await submitted_case()
    local = await officer()
    # The verbs keep staff and experts apart; these are the rows of somebody who slipped past them.
    await execute("UPDATE accounts SET id_number_hash = NULL WHERE id = $1", person.account.id)
    await execute(
        "UPDATE accounts SET id_number_hash = (SELECT id_number_hash FROM revisions WHERE id = $2) WHERE id = $1",
        local.account.id,
        case.revision_id,
    )

    refusal = await refused(case, decide(case.id, Seen(Stage.FIRST_REVIEW), local.viewer, now))

    assert (type(refusal), refusal.code) == (NotAllowed, "OWN_CASE")


@each_decision
async def test_nobody_reviews_their_own_case_found_out_by_the_phone(now: datetime, decide: Decide) -> None:
    person, case = await case_at(Stage.SECOND_REVIEW)
    province = await provincial_officer()
    await execute("UPDATE accounts SET status = 'DEREGISTERED' WHERE id = $1", person.account.id)
    await execute(
        "UPDATE accounts SET phone_hash = (SELECT phone_hash FROM accounts WHERE id = $2) WHERE id = $1",
        province.account.id,
        person.account.id,
    )

    refusal = await refused(case, decide(case.id, Seen(Stage.SECOND_REVIEW), province.viewer, now))

    assert (type(refusal), refusal.code) == (NotAllowed, "OWN_CASE")


# Four eyes


@each_decision
async def test_who_decided_the_second_review_leaves_the_final_one_to_another(now: datetime, decide: Decide) -> None:
    _, case = await case_at(Stage.SECOND_REVIEW)
    province = await provincial_officer()
    await approve(case.id, province.viewer)

    refusal = await refused(case, decide(case.id, Seen(Stage.FINAL_REVIEW), province.viewer, now))

    assert (type(refusal), refusal.code) == (NotAllowed, "OTHER_OFFICER_REQUIRED")
    assert (await decide(case.id, Seen(Stage.FINAL_REVIEW), (await provincial_officer()).viewer, now)).stage is not Stage.FINAL_REVIEW


@each_decision
async def test_four_eyes_are_those_of_a_person_whatever_the_account(now: datetime, decide: Decide) -> None:
    _, case = await case_at(Stage.SECOND_REVIEW)
    province = await provincial_officer()
    await approve(case.id, province.viewer)
    again = await under_a_new_account(province, await administrator())

    refusal = await refused(case, decide(case.id, Seen(Stage.FINAL_REVIEW), again.viewer, now))

    assert (type(refusal), refusal.code) == (NotAllowed, "OTHER_OFFICER_REQUIRED")
    assert again.account.id != province.account.id
    assert (await decide(case.id, Seen(Stage.FINAL_REVIEW), (await provincial_officer()).viewer, now)).stage is not Stage.FINAL_REVIEW


async def test_a_new_account_of_who_decided_the_second_review_draws_no_buttons_at_the_final_one(now: datetime) -> None:
    _, case = await case_at(Stage.SECOND_REVIEW)
    province = await provincial_officer()
    await approve(case.id, province.viewer)
    again = await under_a_new_account(province, await administrator())
    query = f'{{ application(id: "Application_{case.id}") {{ availableMoves }} }}'

    moves = [(await answer_at(now, query, each.viewer))["application"]["availableMoves"] for each in (again, await provincial_officer())]

    assert moves == [[], ["APPROVE", "RETURN", "REJECT"]]


async def test_four_eyes_hold_over_the_rounds_of_a_case(now: datetime) -> None:
    person, case = await case_at(Stage.SECOND_REVIEW)
    first, second = await provincial_officer(), await provincial_officer()
    await approve(case.id, first.viewer)
    await return_case(case.id, second.viewer)
    await submit(person.viewer)
    await approve(case.id, (await officer()).viewer)

    refusal = await refused(case, DECISIONS["approve"](case.id, Seen(Stage.SECOND_REVIEW), second.viewer, now))

    assert refusal.code == "OTHER_OFFICER_REQUIRED"
    assert (await approve(case.id, first.viewer)).stage is Stage.FINAL_REVIEW


async def test_the_database_refuses_the_same_officer_at_both_provincial_reviews(now: datetime) -> None:
    _, case = await case_at(Stage.SECOND_REVIEW)
    province = await provincial_officer()
    await approve(case.id, province.viewer)

    with pytest.raises(IntegrityError, match="second_and_final_review_by_two_officers"):
        await execute(
            """INSERT INTO application_records (id, application_id, number, round, at, actor_id, move, from_stage, to_stage,
                   field_reasons, hash)
               VALUES (gen_random_uuid(), $1, 99, 1, now(), $2, 'APPROVE', 'FINAL_REVIEW', 'PUBLICITY', '[]', '')""",
            case.id,
            province.account.id,
        )

    assert await ApplicationRecord.filter(application_id=case.id).count() == 3


# What the officer saw


@each_decision
async def test_who_decides_on_a_stage_that_is_past_is_told_the_present_one(now: datetime, decide: Decide) -> None:
    _, case = await case_at(Stage.SECOND_REVIEW)

    refusal = await refused(case, decide(case.id, Seen(Stage.FIRST_REVIEW), (await officer()).viewer, now))

    assert (type(refusal), refusal.stage) == (AlreadyReviewed, Stage.SECOND_REVIEW)


@each_decision
async def test_who_looked_at_an_earlier_round_does_not_decide_on_this_one(now: datetime, decide: Decide) -> None:
    person, case = await case_at(Stage.RETURNED)
    await submit(person.viewer)
    local = await officer()

    refusal = await refused(case, decide(case.id, Seen(Stage.FIRST_REVIEW, 1), local.viewer, now))

    assert (type(refusal), refusal.stage) == (AlreadyReviewed, Stage.FIRST_REVIEW)
    assert (await decide(case.id, Seen(Stage.FIRST_REVIEW, 2), local.viewer, now)).round == 2


@each_decision
@pytest.mark.parametrize("stage", [Stage.PUBLICITY, Stage.RETURNED, Stage.REJECTED, Stage.WITHDRAWN])
async def test_outside_the_reviews_there_is_nothing_to_decide(now: datetime, decide: Decide, stage: Stage) -> None:
    _, case = await case_at(stage)

    local = await refused(case, decide(case.id, Seen(stage), (await officer()).viewer, now))
    province = await refused(case, decide(case.id, Seen(stage), (await provincial_officer()).viewer, now))

    assert (type(local), local.stage, local.available_moves) == (IllegalMove, stage, ())
    assert (type(province), province.stage) == (IllegalMove, stage)
    assert province.available_moves == ()


@pytest.mark.parametrize("stage", [Stage.REJECTED, Stage.WITHDRAWN, Stage.ADMITTED])
async def test_a_closed_case_stays_as_it_is_whatever_is_tried(clock: Clock, stage: Stage) -> None:
    person, case = await case_at(stage)
    now = await clock.now()
    local, province = await officer(), await provincial_officer()

    attempts: list[Awaitable[Any]] = [
        *(decide(case.id, Seen(stage), who.viewer, now) for decide in DECISIONS.values() for who in (local, province)),
        *(reviews.claim(case.id, viewer=who.viewer, now=now) for who in (local, province)),
        applications.submit(case.id, commitment=True, avoidance=True, viewer=person.viewer, now=now),
        applications.withdraw(case.id, viewer=person.viewer, now=now),
    ]

    assert [type(await refused(case, each)) for each in attempts] == [IllegalMove] * 10


# At once


async def deciders(stage: Stage) -> list[SignedIn]:
    """Eight officers of the stage, each with a connection of its own when they decide at once."""
    return [await (officer() if stage is Stage.FIRST_REVIEW else provincial_officer()) for _ in range(8)]


@pytest.mark.parametrize(
    ("stage", "then"),
    [
        (Stage.FIRST_REVIEW, Stage.SECOND_REVIEW),
        (Stage.SECOND_REVIEW, Stage.FINAL_REVIEW),
        (Stage.FINAL_REVIEW, Stage.PUBLICITY),
    ],
)
async def test_of_eight_officers_who_approve_at_once_one_does_and_the_others_are_told_the_stage(
    now: datetime, stage: Stage, then: Stage
) -> None:
    _, case = await case_at(stage)
    who = await deciders(stage)

    outcomes = await asyncio.gather(
        *(DECISIONS["approve"](case.id, Seen(stage, 1), each.viewer, now) for each in who), return_exceptions=True
    )

    told = [each.stage for each in outcomes if isinstance(each, AlreadyReviewed)]
    assert sorted(type(each).__name__ for each in outcomes) == [*["AlreadyReviewed"] * 7, "Application"]
    assert told == [then] * 7
    assert await ApplicationRecord.filter(application_id=case.id, from_stage=stage).count() == 1
    assert (await Application.get(id=case.id)).stage is then
    assert await broken_links(case.id) == []


async def test_of_different_decisions_at_once_one_happens_whole(now: datetime) -> None:
    for stage in (Stage.FIRST_REVIEW, Stage.SECOND_REVIEW, Stage.FINAL_REVIEW):
        _, case = await case_at(stage)
        who = await deciders(stage)

        outcomes = await asyncio.gather(
            *(decide(case.id, Seen(stage, 1), each.viewer, now) for decide, each in zip([*DECISIONS.values()] * 2, who, strict=False)),
            return_exceptions=True,
        )

        [done] = [each for each in outcomes if isinstance(each, Application)]
        assert [each.stage for each in outcomes if isinstance(each, AlreadyReviewed)] == [done.stage] * 5
        [record] = await ApplicationRecord.filter(application_id=case.id, from_stage=stage)
        assert record.to_stage is done.stage
        assert await broken_links(case.id) == []


async def test_an_approval_pressed_twice_by_one_officer_does_not_pass_two_reviews(now: datetime) -> None:
    _, case = await case_at(Stage.SECOND_REVIEW)
    province = await provincial_officer()

    outcomes = await asyncio.gather(
        *(DECISIONS["approve"](case.id, Seen(Stage.SECOND_REVIEW), province.viewer, now) for _ in range(2)), return_exceptions=True
    )

    assert sorted(type(each).__name__ for each in outcomes) == ["AlreadyReviewed", "Application"]
    assert (await Application.get(id=case.id)).stage is Stage.FINAL_REVIEW


# Claims


@each_decision
async def test_while_another_holds_the_case_nothing_is_decided(now: datetime, decide: Decide) -> None:
    _, case = await submitted_case()
    holder, other = await officer(name="李初审"), await officer()
    held = await reviews.claim(case.id, viewer=holder.viewer, now=now)

    refusal = await refused(case, decide(case.id, Seen(Stage.FIRST_REVIEW), other.viewer, now))

    assert (type(refusal), refusal.holder, refusal.until) == (ClaimedByAnother, "李初审", held.claimed_until)
    assert (await decide(case.id, Seen(Stage.FIRST_REVIEW), holder.viewer, now)).claimed_by_id is None


@each_decision
async def test_when_a_claim_has_run_out_anybody_of_the_office_decides(clock: Clock, decide: Decide) -> None:
    _, case = await submitted_case()
    await reviews.claim(case.id, viewer=(await officer()).viewer, now=await clock.now())
    later = await clock.move(minutes=30)

    decided = await decide(case.id, Seen(Stage.FIRST_REVIEW), (await officer()).viewer, later)

    assert decided.stage is not Stage.FIRST_REVIEW


# The last line of defence


async def test_a_second_record_of_one_review_is_refused_by_the_database_and_told_as_already_reviewed(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, case = await case_at(Stage.SECOND_REVIEW)
    stale = await Application.get(id=case.id)
    await approve(case.id, (await provincial_officer()).viewer)
    province = await provincial_officer()

    async def without_lock(*_: object) -> Application:
        """Reading a case before the lock, as careless code would."""
        return stale

    monkeypatch.setattr(reviews, "_locked", without_lock)
    stale.records_count = 50  # past the number that the other record took

    refusal = await refused(case, DECISIONS["approve"](case.id, Seen(Stage.SECOND_REVIEW), province.viewer, now))

    assert (type(refusal), refusal.stage) == (AlreadyReviewed, Stage.FINAL_REVIEW)
