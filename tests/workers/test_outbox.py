from __future__ import annotations

import asyncio
from datetime import timedelta
from uuid import UUID, uuid4

import pytest

from domain.actions import outbox
from domain.actions.outbox import Due
from domain.actions.promises import promise
from models.database import database_now, transaction
from models.enums import OutboxState
from models.outbox import OutboxRow
from settings import Settings
from tests.conftest import Clock

KIND = ("TEST",)


@pytest.fixture(autouse=True)
async def _empty(database: Settings) -> None:
    await OutboxRow.all().delete()


async def promised(*, kind: str = "TEST", later: timedelta = timedelta(0), attempts: int = 0) -> UUID:
    subject = uuid4()
    now = await database_now()
    async with transaction():
        await promise(kind, subject, due_at=now + later, now=now)
    row = await OutboxRow.get(subject_id=subject)
    await OutboxRow.filter(id=row.id).update(attempts=attempts)
    return row.id


async def test_a_due_promise_is_claimed_once_for_the_time_of_a_lease(clock: Clock) -> None:
    row_id = await promised()

    first = await outbox.claim(row_id, KIND)
    again = await outbox.claim(row_id, KIND)
    await clock.move(seconds=30)
    later = await outbox.claim(row_id, KIND)

    assert first is not None
    assert (first.state, first.attempts, first.kind) == (OutboxState.SENDING, 1, "TEST")
    assert again is None
    assert later is not None
    assert later.attempts == 2
    assert later.lease_token != first.lease_token


async def test_of_twenty_claims_at_once_one_succeeds() -> None:
    row_id = await promised()

    claims = await asyncio.gather(*(outbox.claim(row_id, KIND) for _ in range(20)))

    assert len([each for each in claims if each is not None]) == 1
    assert (await OutboxRow.get(id=row_id)).attempts == 1


async def test_what_is_not_due_is_neither_found_nor_claimed(clock: Clock) -> None:
    row_id = await promised(later=timedelta(minutes=10))

    assert await outbox.due(KIND) == []
    assert await outbox.claim(row_id, KIND) is None

    await clock.move(minutes=10)

    assert await outbox.due(KIND) == [Due(row_id, 0)]


async def test_a_kind_that_this_version_does_not_know_waits_for_one_that_does() -> None:
    row_id = await promised(kind="OF_LATER")

    assert await outbox.due(KIND) == []
    assert await outbox.claim(row_id, KIND) is None
    assert await outbox.due(("OF_LATER",)) == [Due(row_id, 0)]


async def test_a_kept_promise_is_never_due_again(clock: Clock) -> None:
    row = await outbox.claim(await promised(), KIND)
    assert row is not None

    assert await outbox.done(row)
    await clock.move(days=1)

    assert await outbox.due(KIND) == []
    kept = await OutboxRow.get(id=row.id)
    assert (kept.state, kept.lease_token, kept.last_error) == (OutboxState.SENT, None, None)
    assert kept.done_at is not None


async def test_a_failed_promise_is_due_again_after_its_pause(clock: Clock) -> None:
    row = await outbox.claim(await promised(), KIND)
    assert row is not None

    assert await outbox.failed(row, "HTTP_503", again_in=timedelta(minutes=1))

    assert await outbox.due(KIND) == []
    await clock.move(minutes=1)
    assert await outbox.due(KIND) == [Due(row.id, 1)]
    assert (await OutboxRow.get(id=row.id)).last_error == "HTTP_503"


async def test_a_promise_without_a_further_try_is_dead(clock: Clock) -> None:
    row = await outbox.claim(await promised(), KIND)
    assert row is not None

    assert await outbox.failed(row, "EMPTY_NUMBER", again_in=None)
    await clock.move(days=1)

    assert await outbox.due(KIND) == []
    assert (await OutboxRow.get(id=row.id)).state is OutboxState.DEAD


async def test_a_postponed_promise_has_not_used_an_attempt(clock: Clock) -> None:
    row = await outbox.claim(await promised(), KIND)
    assert row is not None

    assert await outbox.postpone(row, timedelta(seconds=10))

    assert await outbox.due(KIND) == []
    await clock.move(seconds=10)
    assert await outbox.due(KIND) == [Due(row.id, 0)]


async def test_who_lost_the_claim_writes_nothing(clock: Clock) -> None:
    stalled = await outbox.claim(await promised(), KIND)
    assert stalled is not None
    await clock.move(seconds=30)
    present = await outbox.claim(stalled.id, KIND)
    assert present is not None
    before = await OutboxRow.filter(id=stalled.id).values()

    async with transaction():
        held = await outbox.hold(stalled)
    outcomes = [
        held,
        await outbox.done(stalled),
        await outbox.failed(stalled, "LATE", again_in=None),
        await outbox.postpone(stalled, timedelta(hours=1)),
    ]

    assert outcomes == [False, False, False, False]
    assert await OutboxRow.filter(id=stalled.id).values() == before
    async with transaction():
        assert await outbox.hold(present)


async def test_what_outlived_every_worker_is_buried_while_others_stay() -> None:
    worn = await promised(attempts=10)
    fresh = await promised(attempts=9)

    assert await outbox.claim(worn, KIND) is None
    buried = await outbox.bury_exhausted(KIND)

    assert [(each.id, each.state, each.last_error) for each in buried] == [(worn, OutboxState.DEAD, "WORKER_LOST")]
    assert await outbox.due(KIND) == [Due(fresh, 9)]
    assert await outbox.bury_exhausted(KIND) == []


async def test_the_oldest_is_passed_on_first_and_only_so_many() -> None:
    ids = [await promised(later=timedelta(seconds=-age)) for age in (5, 60, 30)]

    found = await outbox.due(KIND, limit=2)

    assert [each.id for each in found] == [ids[1], ids[2]]


async def test_the_depth_counts_what_waits_is_late_and_is_dead() -> None:
    empty = await outbox.depth()
    await promised(later=timedelta(hours=1))
    late = await promised(later=timedelta(minutes=-5))
    dead = await outbox.claim(await promised(), KIND)
    assert dead is not None
    await outbox.failed(dead, "X", again_in=None)

    depth = await outbox.depth()

    assert (empty.waiting, empty.due, empty.late_seconds, empty.dead, empty.workers) == (0, 0, 0, 0, 0)
    assert (depth.waiting, depth.due, depth.dead, depth.workers) == (2, 1, 1, 0)
    assert 300 <= depth.late_seconds < 330
    assert await outbox.due(KIND) == [Due(late, 0)]
