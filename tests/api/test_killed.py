"""An API process killed with a mutation under way: all of it is done or nothing, and who asks a fresh process again gets the one result."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import httpx
import pytest

from models.applications import Application, ApplicationNote, ApplicationRecord
from models.database import execute
from models.enums import Stage
from models.publicity import PublicNotice
from settings import Settings
from tests.cases import case_at, everything_about
from tests.people import SignedIn, officer, provincial_officer
from tests.serving import PRODUCT, Served, Start

LATCH = 4_711
AT_WRITING = "NOT DEFERRABLE"
AT_COMMIT = "DEFERRABLE INITIALLY DEFERRED"
NOTE = """mutation Note($input: ApplicationNoteAddInput!) { applicationNoteAdd(input: $input) {
    __typename ... on ApplicationNote { id text } ... on Problem { code } } }"""
APPROVE = """mutation Approve($input: ApplicationApproveInput!) { applicationApprove(input: $input) {
    __typename ... on Application { stage } ... on AlreadyReviewed { stage } ... on Problem { code } } }"""


@asynccontextmanager
async def latched(database: Settings, table: str, moment: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    """Whoever writes into the table waits until the block ends: with the row just written, or in the middle of COMMIT."""
    latch = await asyncpg.connect(database.database_url)
    try:
        await latch.execute(f"""
            CREATE OR REPLACE FUNCTION pass_latch() RETURNS trigger LANGUAGE plpgsql AS
                $$ BEGIN PERFORM pg_advisory_xact_lock({LATCH}); RETURN NULL; END $$;
            CREATE CONSTRAINT TRIGGER latch AFTER INSERT ON {table} {moment} FOR EACH ROW EXECUTE FUNCTION pass_latch();
            SELECT pg_advisory_lock({LATCH})""")
        yield latch
    finally:
        await latch.close()
        await execute(f"DROP TRIGGER latch ON {table}")


async def found(connection: asyncpg.Connection[Any], sql: str, *values: object) -> Any:
    """The value of a query as soon as it has one."""
    async with asyncio.timeout(15):
        while (value := await connection.fetchval(sql, *values)) is None:  # noqa: ASYNC110  it comes from another process
            await asyncio.sleep(0.02)
    return value


async def killed(database: Settings, served: Served, question: Coroutine[Any, Any, Any], *, table: str, moment: str) -> None:
    """Ask, kill the process at this moment of its answer, and let PostgreSQL end what it has in hand."""
    async with latched(database, table, moment) as latch:
        asking = asyncio.create_task(question)
        backend = await found(latch, "SELECT pid FROM pg_locks WHERE locktype = 'advisory' AND objid = $1 AND NOT granted", LATCH)
        served.process.kill()
        await asyncio.to_thread(served.process.wait)
        with pytest.raises(httpx.TransportError):
            await asking
        await latch.execute("SELECT pg_advisory_unlock($1)", LATCH)
        await found(latch, "SELECT true WHERE NOT EXISTS (SELECT FROM pg_stat_activity WHERE pid = $1)", backend)


async def ask(served: Served, document: str, given: Any, person: SignedIn) -> Any:
    answer = await served.post(document, {"input": given}, headers={"Authorization": f"Bearer {person.token}"})
    [result] = answer["data"].values()
    return result


Living = Callable[[], Awaitable[Served]]


@pytest.fixture(scope="module")
def living(start: Start) -> Living:
    """A process of the product: the one of last time, a fresh one where that was killed."""
    started: list[Served] = []

    async def living() -> Served:
        if not started or started[-1].process.poll() is not None:
            started.append(await asyncio.to_thread(start, PRODUCT))
        return started[-1]

    return living


@pytest.mark.parametrize(("moment", "written"), [(AT_WRITING, 0), (AT_COMMIT, 1)])
async def test_a_creation_asked_for_again_under_its_key_is_there_once(
    database: Settings, living: Living, moment: str, written: int
) -> None:
    local = await officer()
    _, case = await case_at(Stage.FIRST_REVIEW)
    given = {"applicationId": f"Application_{case.id}", "text": "已电话核实。", "idempotencyKey": "7d0c"}

    victim = await living()
    await killed(database, victim, ask(victim, NOTE, given, local), table="application_notes", moment=moment)
    left = await ApplicationNote.filter(application_id=case.id)
    answers = [await ask(await living(), NOTE, given, local) for _ in range(2)]

    [note] = await ApplicationNote.filter(application_id=case.id)
    assert left == [note][:written]
    assert answers == [{"__typename": "ApplicationNote", "id": f"ApplicationNote_{note.id}", "text": "已电话核实。"}] * 2


@pytest.mark.parametrize(
    ("moment", "left", "told"),
    [
        (AT_WRITING, Stage.FINAL_REVIEW, {"__typename": "Application", "stage": "PUBLICITY"}),
        (AT_COMMIT, Stage.PUBLICITY, {"__typename": "AlreadyReviewed", "stage": "PUBLICITY", "code": "ALREADY_REVIEWED"}),
    ],
)
async def test_a_decision_sent_again_with_the_stage_that_was_seen_is_made_once(
    database: Settings, living: Living, moment: str, left: Stage, told: dict[str, str]
) -> None:
    province = await provincial_officer()
    _, case = await case_at(Stage.FINAL_REVIEW)
    given = {"applicationId": f"Application_{case.id}", "stage": "FINAL_REVIEW", "opinion": "同意入库。"}
    before = await everything_about(case.id)

    victim = await living()
    await killed(database, victim, ask(victim, APPROVE, given, province), table="application_records", moment=moment)
    after_kill = await everything_about(case.id)
    answer = await ask(await living(), APPROVE, given, province)

    after_all = await everything_about(case.id)
    assert after_kill["case"]["stage"] == left
    assert after_kill == (before if left is Stage.FINAL_REVIEW else after_all)
    assert answer == told
    assert (await Application.get(id=case.id)).stage is Stage.PUBLICITY
    assert await ApplicationRecord.filter(application_id=case.id, from_stage=Stage.FINAL_REVIEW).count() == 1
    assert await PublicNotice.filter(application_id=case.id).count() == 1
