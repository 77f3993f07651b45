from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from datetime import datetime
from uuid import UUID

import asyncpg
import orjson
import pytest

from domain.actions import sessions
from domain.actions.promises import EVENTS
from domain.rules.errors import NotFound
from models.accounts import Session
from models.ids import new_id
from settings import Settings
from tests.people import SignedIn, registered_expert, sign_in


@pytest.fixture
async def heard(database: Settings) -> AsyncIterator[list[UUID]]:
    """The sessions whose end was announced, as an API process hears it."""
    ended: list[UUID] = []

    def hear(_connection: object, _pid: int, _channel: str, payload: object) -> None:
        event = orjson.loads(str(payload))
        if event["event"] == "sessionEnded":
            ended.append(UUID(event["session_id"]))

    connection = await asyncpg.connect(database.database_url)
    await connection.add_listener(EVENTS, hear)
    yield ended
    await connection.close()


async def on_three_devices() -> tuple[SignedIn, SignedIn, SignedIn]:
    first = await registered_expert()
    return first, await sign_in(first.phone), await sign_in(first.phone)


async def opens(*people: SignedIn) -> list[bool]:
    return [(await sessions.authenticate(each.token))[0] is not None for each in people]


async def until_announced(heard: list[UUID], count: int) -> set[UUID]:
    for _ in range(100):
        if len(heard) >= count:
            break
        await asyncio.sleep(0.01)
    return set(heard)


async def test_leaving_this_device_ends_its_session_at_once_and_no_other(now: datetime, heard: list[UUID]) -> None:
    this, second, third = await on_three_devices()

    await sessions.close_session(viewer=this.viewer, now=now)

    assert await opens(this, second, third) == [False, True, True]
    assert (await Session.get(id=this.viewer.session_id)).ended_at == now
    assert await until_announced(heard, 1) == {this.viewer.session_id}


async def test_leaving_a_second_time_finds_it_left_already(now: datetime, heard: list[UUID]) -> None:
    this, _, _ = await on_three_devices()
    await sessions.close_session(viewer=this.viewer, now=now)
    await until_announced(heard, 1)

    await sessions.close_session(viewer=this.viewer, now=now.replace(year=now.year + 1))

    assert (await Session.get(id=this.viewer.session_id)).ended_at == now
    assert len(heard) == 1


async def test_leaving_all_devices_ends_every_session_of_the_account_alone(now: datetime, heard: list[UUID]) -> None:
    mine = await on_three_devices()
    stranger = await registered_expert(name="李四")

    count = await sessions.close_all(viewer=mine[0].viewer, now=now)

    assert count == 3
    assert await opens(*mine, stranger) == [False, False, False, True]
    assert await until_announced(heard, 3) == {each.viewer.session_id for each in mine}


async def test_all_other_devices_can_be_left_while_this_one_stays(now: datetime, heard: list[UUID]) -> None:
    this, second, third = await on_three_devices()

    count = await sessions.close_all(viewer=this.viewer, keep_this=True, now=now)

    assert count == 2
    assert await opens(this, second, third) == [True, False, False]
    assert await until_announced(heard, 2) == {second.viewer.session_id, third.viewer.session_id}


async def test_one_of_my_sessions_can_be_revoked_from_another(now: datetime, heard: list[UUID]) -> None:
    this, second, third = await on_three_devices()

    revoked = await sessions.revoke(second.viewer.session_id, viewer=this.viewer, now=now)
    again = await sessions.revoke(second.viewer.session_id, viewer=this.viewer, now=now.replace(year=now.year + 1))

    assert await opens(this, second, third) == [True, False, True]
    assert (revoked.id, revoked.ended_at, again.ended_at) == (second.viewer.session_id, now, now)
    assert await until_announced(heard, 1) == {second.viewer.session_id}


async def test_a_session_of_somebody_else_is_not_there(now: datetime, heard: list[UUID]) -> None:
    mine, stranger = await registered_expert(), await registered_expert(name="李四")

    for session_id in (stranger.viewer.session_id, new_id()):
        with pytest.raises(NotFound):
            await sessions.revoke(session_id, viewer=mine.viewer, now=now)

    assert await opens(mine, stranger) == [True, True]
    assert heard == []


async def test_which_of_many_sessions_are_still_open_is_told_without_using_them(now: datetime) -> None:
    this, second, third = await on_three_devices()
    await sessions.close_session(viewer=second.viewer, now=now)
    asked = [this.viewer.session_id, second.viewer.session_id, third.viewer.session_id, new_id()]

    still = await sessions.still_open(asked)

    assert still == {this.viewer.session_id, third.viewer.session_id}
    assert await sessions.still_open([]) == set()
