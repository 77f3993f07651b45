from __future__ import annotations

from domain.actions import publicity
from models.database import execute
from models.enums import Stage
from tests.cases import case_at
from tests.conftest import Clock


async def test_notices_that_are_over_and_open_are_told_until_they_are_closed(clock: Clock) -> None:
    _, case = await case_at(Stage.PUBLICITY)
    running = await publicity.late()

    await execute("UPDATE public_notices SET closes_at = registry_now() - interval '90 seconds' WHERE application_id = $1", case.id)
    number, seconds = await publicity.late()
    await publicity.close_due_notices()

    assert running == (0, 0.0)
    assert (number, round(seconds)) == (1, 90)
    assert await publicity.late() == (0, 0.0)
