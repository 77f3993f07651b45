from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from domain import lists
from domain.actions import exports
from domain.rules.errors import NotAllowed, TooSoon
from models.database import database_now
from models.enums import ExportState, Stage
from models.exports import Export
from models.outbox import OutboxRow
from settings import Settings
from tests.conftest import Clock
from tests.exports.making import made
from tests.people import officer

ALL, FIRST = lists.CaseFilter(), lists.CaseFilter(stages=[Stage.FIRST_REVIEW])


async def test_asking_writes_the_order_and_its_promise_down(database: Settings) -> None:
    local, now = await officer(), await database_now()

    export = await exports.ask_cases(FIRST, viewer=local.viewer, now=now)

    assert (export.state, export.done, export.total, export.pool_code) == (ExportState.QUEUED, 0, None, "220199")
    assert export.conditions == {"stages": ["FIRST_REVIEW"]}
    [promise] = await OutboxRow.filter(kind="EXPORT")
    assert (promise.subject_id, promise.due_at) == (export.id, now)


async def test_asking_for_what_is_under_way_answers_with_it(database: Settings) -> None:
    local, now = await officer(), await database_now()

    asked = await asyncio.gather(*(exports.ask_cases(FIRST, viewer=local.viewer, now=now) for _ in range(5)))

    assert len({each.id for each in asked}) == 1
    assert await OutboxRow.filter(kind="EXPORT").count() == 1


async def test_another_of_the_kind_has_to_wait_and_one_of_another_kind_has_not(database: Settings) -> None:
    local, now = await officer(), await database_now()
    first = await exports.ask_cases(FIRST, viewer=local.viewer, now=now)

    with pytest.raises(NotAllowed) as refused:
        await exports.ask_cases(ALL, viewer=local.viewer, now=now)
    await exports.ask_experts(lists.ExpertFilter(), viewer=local.viewer, now=now)
    await exports.ask_cases(ALL, viewer=(await officer()).viewer, now=now)
    await made(first)
    second = await exports.ask_cases(ALL, viewer=local.viewer, now=now)

    assert refused.value.code == "EXPORT_UNDER_WAY"
    assert second.id != first.id
    assert await Export.all().count() == 4


async def test_a_person_gets_so_many_of_a_kind_in_a_day(database: Settings, change_settings: Callable[..., Settings], clock: Clock) -> None:
    change_settings(exports_per_day=2)
    local = await officer()
    begun = await database_now()
    for _ in range(2):
        await made(await exports.ask_cases(ALL, viewer=local.viewer, now=begun))

    with pytest.raises(TooSoon) as refused:
        await exports.ask_cases(ALL, viewer=local.viewer, now=begun + timedelta(hours=1))
    await exports.ask_experts(lists.ExpertFilter(), viewer=local.viewer, now=begun)
    again = await exports.ask_cases(ALL, viewer=local.viewer, now=begun + timedelta(days=1, seconds=1))

    assert (refused.value.retry_after_seconds, refused.value.wording) == (23 * 3600 + 1, "EXPORTS_USED_UP")
    assert again.state is ExportState.QUEUED
