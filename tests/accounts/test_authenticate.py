from __future__ import annotations

from collections.abc import Callable

import pytest

from domain.actions import sessions
from models.accounts import Session
from models.database import execute
from settings import Settings
from tests.conftest import Clock
from tests.people import administrator, officer, registered_expert


async def test_a_token_tells_who_asks_and_what_time_it_is(clock: Clock) -> None:
    expert, local = await registered_expert(), await officer("220299")
    before = await clock.now()

    viewer, now = await sessions.authenticate(expert.token)
    colleague, _ = await sessions.authenticate(local.token)

    assert viewer == expert.viewer
    assert viewer.expert_id is not None
    assert colleague is not None
    assert (colleague.pool_code, colleague.expert_id) == ("220299", None)
    assert before <= now <= await clock.now()


@pytest.mark.parametrize("token", ["", "x", "\x00", "\ud800", "a" * 100_000, "' OR true --"])
async def test_a_token_that_was_never_given_opens_nothing_and_still_tells_the_time(clock: Clock, token: str) -> None:
    before = await clock.now()

    viewer, now = await sessions.authenticate(token)

    assert viewer is None
    assert now >= before


async def test_one_statement_recognises_a_viewer_and_the_use_is_noted_once_a_minute(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await registered_expert()
    first = (await Session.get(id=person.viewer.session_id)).used_at
    statements: list[str] = []

    async def counted(sql: str, *values: object) -> int:
        statements.append(sql)
        return await execute(sql, *values)

    monkeypatch.setattr("domain.actions.sessions.execute", counted)

    for _ in range(3):
        await sessions.authenticate(person.token)
    assert (statements, (await Session.get(id=person.viewer.session_id)).used_at) == ([], first)
    moved = await clock.move(seconds=61)
    for _ in range(3):
        await sessions.authenticate(person.token)

    assert len(statements) == 1
    assert (await Session.get(id=person.viewer.session_id)).used_at >= moved


async def test_a_session_of_an_expert_ends_after_fourteen_days_used_or_not(clock: Clock) -> None:
    person = await registered_expert()

    await clock.move(days=13, hours=23)
    assert (await sessions.authenticate(person.token))[0] == person.viewer
    await clock.move(hours=1)

    assert (await sessions.authenticate(person.token))[0] is None


async def test_a_staff_session_ends_when_it_was_not_used_for_thirty_minutes(clock: Clock) -> None:
    used, idle, expert = await officer(), await administrator(), await registered_expert()

    await clock.move(minutes=20)
    await sessions.authenticate(used.token)
    await clock.move(minutes=11)

    assert (await sessions.authenticate(used.token))[0] == used.viewer
    assert (await sessions.authenticate(idle.token))[0] is None
    assert (await sessions.authenticate(expert.token))[0] == expert.viewer


async def test_the_idle_time_is_a_setting(clock: Clock, change_settings: Callable[..., Settings]) -> None:
    person = await officer()
    change_settings(staff_session_idle_minutes=2)

    await clock.move(minutes=2, seconds=5)

    assert (await sessions.authenticate(person.token))[0] is None
