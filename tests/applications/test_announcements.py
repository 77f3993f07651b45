"""What open subscriptions are told: ids alone, when the change is certain, and nothing where nothing changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import asyncpg
import orjson
import pytest

from domain.actions import reviews
from domain.actions.promises import EVENTS
from domain.rules.errors import Refusal
from models.enums import Stage
from settings import Settings
from tests.cases import approve, case_at, submitted_case, undone
from tests.people import officer, provincial_officer


class Ear:
    """Hears announcements on a connection of its own."""

    def __init__(self) -> None:
        self._heard: asyncio.Queue[dict[str, str]] = asyncio.Queue()

    def hear(self, _: object, __: int, ___: str, payload: str) -> None:
        self._heard.put_nowait(orjson.loads(payload))

    async def next(self) -> dict[str, str]:
        """The next announcement, which must come."""
        return await asyncio.wait_for(self._heard.get(), 5)

    def forget(self) -> None:
        """What was said before does not matter."""
        while not self._heard.empty():
            self._heard.get_nowait()

    async def silence(self) -> bool:
        """Whether nothing comes."""
        await asyncio.sleep(0.2)
        return self._heard.empty()


@pytest.fixture
async def ear(database: Settings) -> AsyncIterator[Ear]:
    connection = await asyncpg.connect(database.database_url)
    ear = Ear()
    await connection.add_listener(EVENTS, ear.hear)
    yield ear
    await connection.close()


async def test_a_move_is_announced_with_where_it_came_from(ear: Ear, now: datetime) -> None:
    person, case = await submitted_case()

    assert await ear.next() == {
        "event": "applicationMoved",
        "application": str(case.id),
        "expert": str(person.viewer.expert_id),
        "pool": "220199",
        "stage": "FIRST_REVIEW",
        "left": "DRAFT",
    }
    await approve(case.id, (await officer()).viewer)
    assert (await ear.next())["stage"] == "SECOND_REVIEW"
    assert await ear.silence()


async def test_a_claim_and_its_release_are_announced(ear: Ear, now: datetime) -> None:
    _, case = await submitted_case()
    local = await officer()
    ear.forget()
    await ear.silence()
    ear.forget()

    await reviews.claim(case.id, viewer=local.viewer, now=now)
    claimed = await ear.next()
    await reviews.release(case.id, viewer=local.viewer, now=now)
    released = await ear.next()

    assert claimed == released == {"event": "applicationClaimed", "application": str(case.id), "pool": "220199", "stage": "FIRST_REVIEW"}


async def test_nothing_is_announced_of_what_was_refused_or_taken_back(ear: Ear, now: datetime) -> None:
    _, case = await case_at(Stage.SECOND_REVIEW)
    province, local = await provincial_officer(), await officer()
    await ear.silence()
    ear.forget()

    async def refused(attempt: Any) -> None:
        with pytest.raises(Refusal):
            await attempt

    await refused(reviews.claim(case.id, viewer=local.viewer, now=now))
    await refused(reviews.approve(case.id, opinion=None, seen=reviews.Seen(Stage.FIRST_REVIEW), viewer=province.viewer, now=now))
    await reviews.release(case.id, viewer=province.viewer, now=now)
    async with undone():
        await reviews.approve(case.id, opinion=None, seen=reviews.Seen(Stage.SECOND_REVIEW), viewer=province.viewer, now=now)

    assert await ear.silence()
