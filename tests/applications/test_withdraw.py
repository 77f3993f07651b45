from __future__ import annotations

import asyncio
from datetime import datetime
from uuid import uuid4

import pytest

from domain.actions import pools
from domain.actions.applications import withdraw
from domain.actions.divisions import give_up
from domain.actions.reviews import claim
from domain.rules.errors import AlreadyReviewed, IllegalMove, NotFound
from models.applications import Application, ApplicationRecord
from models.enums import Move, RevisionState, Role, Stage
from models.experts import Expert
from models.profiles import Revision
from tests.cases import approve, case_at, contents_of, everything_about, messages_about, return_case, submit, submitted_case
from tests.changes.formal import change_at, send
from tests.divisions.moving import TARGET, ask, change_of_division_at
from tests.graphql import answer_at
from tests.people import SignedIn, administrator, officer, provincial_officer, registered_expert


async def test_a_case_that_nobody_has_decided_is_taken_back(now: datetime) -> None:
    person, case = await submitted_case()

    taken = await withdraw(case.id, viewer=person.viewer, now=now)

    kept = await Application.get(id=case.id)
    assert (taken.stage, kept.stage, kept.closed_at, kept.stage_since) == (Stage.WITHDRAWN, Stage.WITHDRAWN, now, now)
    assert (kept.due_at, kept.round) == (None, 1)
    assert (await Revision.get(id=case.revision_id)).state is RevisionState.NOT_ADOPTED
    assert await messages_about(case.id) == []


async def test_the_withdrawal_is_on_record(now: datetime) -> None:
    person, case = await submitted_case()

    await withdraw(case.id, viewer=person.viewer, now=now)

    record = await ApplicationRecord.get(application_id=case.id, number=2)
    assert (record.round, record.at, record.move) == (1, now, Move.WITHDRAW)
    assert (record.from_stage, record.to_stage) == (Stage.FIRST_REVIEW, Stage.WITHDRAWN)
    assert (record.actor_id, record.actor_role, record.revision_id) == (person.account.id, Role.EXPERT, case.revision_id)


async def test_the_draft_opens_again_with_what_was_submitted_and_a_case_to_send_it(now: datetime) -> None:
    person, case = await submitted_case()
    submitted = await contents_of(case.revision_id)

    await withdraw(case.id, viewer=person.viewer, now=now)

    expert = await Expert.get(id=person.viewer.expert_id)
    draft = await Revision.get(id=expert.draft_id)
    assert (draft.state, draft.number, draft.base_id) == (RevisionState.DRAFT, 2, case.revision_id)
    assert await contents_of(draft.id) == submitted
    opened = await Application.get(expert_id=expert.id, closed_at=None)
    assert (opened.stage, opened.round, opened.revision_id) == (Stage.DRAFT, 0, None)
    assert (await submit(person.viewer)).id == opened.id


async def test_a_claim_does_not_hold_the_expert_back_and_ends(now: datetime) -> None:
    person, case = await submitted_case()
    await claim(case.id, viewer=(await officer()).viewer, now=now)

    taken = await withdraw(case.id, viewer=person.viewer, now=now)

    assert taken.stage is Stage.WITHDRAWN
    assert [taken.claimed_by_id, taken.claimed_by_name, taken.claimed_until] == [None, None, None]


async def test_what_an_office_has_decided_once_is_not_taken_back_in_a_later_round(now: datetime) -> None:
    person, case = await case_at(Stage.RETURNED)
    await submit(person.viewer)

    await refused_as_decided(case, person, now)


async def test_nor_is_a_change(now: datetime) -> None:
    person, case = await change_at(Stage.RETURNED)
    await send(person)

    await refused_as_decided(case, person, now)
    assert (await return_case(case.id, (await officer()).viewer)).stage is Stage.RETURNED


async def test_nor_is_a_change_of_division_which_can_be_given_up_when_it_is_returned(now: datetime) -> None:
    person, case = await change_of_division_at(Stage.RETURNED)
    await ask(person)

    await refused_as_decided(case, person, now)
    await return_case(case.id, (await officer(TARGET)).viewer)
    assert (await give_up(case.id, viewer=person.viewer, now=now)).stage is Stage.CANCELLED


async def test_a_merger_of_the_pool_is_no_decision(now: datetime) -> None:
    person, case = await submitted_case(pool="220281")
    await pools.merge("220281", "220282", reason="并入桦甸市", viewer=(await administrator()).viewer, now=now)
    await pools.carry_on()
    moved = await Application.get(id=case.id)

    taken = await withdraw(case.id, viewer=person.viewer, now=now)

    assert (moved.pool_code, moved.round, moved.records_count) == ("220282", 1, 2)
    assert taken.stage is Stage.WITHDRAWN


async def refused_as_decided(case: Application, person: SignedIn, now: datetime) -> None:
    """Nothing changes, and no button for it is drawn, by the plan or by the executor."""
    before = await everything_about(case.id)

    with pytest.raises(IllegalMove) as refusal:
        await withdraw(case.id, viewer=person.viewer, now=now)

    found = await answer_at(now, f'{{ application(id: "Application_{case.id}") {{ stage availableMoves }} }}', person.viewer)
    assert (refusal.value.code, refusal.value.stage, refusal.value.available_moves) == ("DECIDED_BEFORE", Stage.FIRST_REVIEW, ())
    assert found["application"] == {"stage": "FIRST_REVIEW", "availableMoves": []}
    assert await everything_about(case.id) == before


@pytest.mark.parametrize(
    ("stage", "moves"),
    [
        (Stage.SECOND_REVIEW, ()),
        (Stage.FINAL_REVIEW, ()),
        (Stage.PUBLICITY, ()),
        (Stage.RETURNED, (Move.SUBMIT,)),
        (Stage.REJECTED, ()),
        (Stage.WITHDRAWN, ()),
    ],
)
async def test_beyond_the_first_review_there_is_no_way_back(now: datetime, stage: Stage, moves: tuple[Move, ...]) -> None:
    person, case = await case_at(stage)
    before = await everything_about(case.id)

    with pytest.raises(IllegalMove) as refusal:
        await withdraw(case.id, viewer=person.viewer, now=now)

    assert (refusal.value.stage, refusal.value.move) == (stage, Move.WITHDRAW)
    assert refusal.value.available_moves == moves
    assert await everything_about(case.id) == before


async def test_withdrawn_eight_times_at_once_it_is_withdrawn_once(now: datetime) -> None:
    person, case = await submitted_case()

    outcomes = await asyncio.gather(*(withdraw(case.id, viewer=person.viewer, now=now) for _ in range(8)), return_exceptions=True)

    assert sorted(type(each).__name__ for each in outcomes) == ["Application", *["IllegalMove"] * 7]
    kept = await everything_about(case.id)
    assert (len(kept["records"]), len(kept["revisions"]), kept["cases of the expert"]) == (2, 2, 2)


async def test_of_a_withdrawal_and_an_approval_at_once_one_happens(now: datetime) -> None:
    for _ in range(5):
        person, case = await submitted_case()
        local = await officer()

        taken, approved = await asyncio.gather(
            withdraw(case.id, viewer=person.viewer, now=now), approve(case.id, local.viewer), return_exceptions=True
        )

        kept = await Application.get(id=case.id)
        if isinstance(taken, Application):
            assert isinstance(approved, AlreadyReviewed | IllegalMove)
            assert (kept.stage, approved.stage) == (Stage.WITHDRAWN, Stage.WITHDRAWN)
        else:
            assert isinstance(taken, IllegalMove)
            assert isinstance(approved, Application)
            assert (kept.stage, taken.stage) == (Stage.SECOND_REVIEW, Stage.SECOND_REVIEW)
        assert kept.records_count == 2


async def test_to_everybody_else_the_case_is_not_there(now: datetime) -> None:
    person, case = await submitted_case()
    before = await everything_about(case.id)
    others = [await registered_expert(), await officer(), await provincial_officer(), await administrator()]

    for other in others:
        with pytest.raises(NotFound):
            await withdraw(case.id, viewer=other.viewer, now=now)
    with pytest.raises(NotFound):
        await withdraw(uuid4(), viewer=person.viewer, now=now)

    assert await everything_about(case.id) == before
