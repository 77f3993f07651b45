from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from itertools import pairwise

import pytest

from domain.actions.record_chain import broken_links, chain_hash
from models.applications import Application, ApplicationRecord
from models.database import execute, rows
from models.enums import Stage
from tests.cases import approve, case_at, return_case, submit, undone
from tests.people import officer, provincial_officer


@asynccontextmanager
async def tampering() -> AsyncIterator[None]:
    """What somebody with all rights on the database could do; undone at the end, so that each test tampers with a whole chain."""
    async with undone():
        await rows("ALTER TABLE application_records DISABLE TRIGGER records_never_change")
        yield
        await rows("ALTER TABLE application_records ENABLE TRIGGER records_never_change")


@pytest.fixture(scope="module")
async def case(database: object) -> Application:
    """A case with seven records: submitted, approved, returned; then once more up to the public notice."""
    person, case = await case_at(Stage.SECOND_REVIEW)
    await return_case(case.id, (await provincial_officer()).viewer)
    await submit(person.viewer)
    await approve(case.id, (await officer()).viewer, opinion="同意，材料齐全")
    await approve(case.id, (await provincial_officer()).viewer)
    await approve(case.id, (await provincial_officer()).viewer, opinion="同意")
    return await Application.get(id=case.id)


async def test_each_record_holds_the_hash_of_the_one_before_and_the_case_that_of_the_last(case: Application) -> None:
    records = await ApplicationRecord.filter(application_id=case.id).order_by("number")

    assert [each.number for each in records] == [1, 2, 3, 4, 5, 6, 7]
    assert [each.hash for each in records] == [chain_hash(each) for each in records]
    assert records[0].previous_hash is None
    assert [(later.previous_hash == earlier.hash) for earlier, later in pairwise(records)] == [True] * 6
    assert (case.records_count, case.last_hash) == (7, records[-1].hash)
    assert len({each.hash for each in records}) == 7


async def test_a_whole_chain_has_no_broken_links(case: Application) -> None:
    assert await broken_links(case.id) == []


async def test_a_draft_has_no_chain_yet(now: datetime) -> None:
    _, withdrawn = await case_at(Stage.WITHDRAWN)
    draft = await Application.get(expert_id=withdrawn.expert_id, stage=Stage.DRAFT)

    assert await broken_links(draft.id) == []
    assert await broken_links(withdrawn.id) == []


@pytest.mark.parametrize(
    "change",
    [
        "actor_name = '别人'",
        "actor_id = NULL",
        "actor_role = 'ADMINISTRATOR'",
        "at = at + interval '1 microsecond'",
        "round = round + 5",
        "move = 'APPROVE'",
        "from_stage = 'FINAL_REVIEW'",
        "to_stage = 'FINAL_REVIEW'",
        "revision_id = NULL",
        "opinion = opinion || '。'",
        "reject_reason = 'OTHER'",
        """field_reasons = '[{"path": "titles.0.certificate", "text": "图片清晰"}]'""",
        "previous_hash = hash",
        "hash = previous_hash",
        "id = gen_random_uuid()",
    ],
)
async def test_a_changed_record_is_found_and_named(case: Application, change: str) -> None:
    async with tampering():
        assert await execute(f"UPDATE application_records SET {change} WHERE application_id = $1 AND number = 3", case.id) == 1

        found = await broken_links(case.id)

        assert found[0] == 3
        assert set(found) <= {3, 4}
    assert await broken_links(case.id) == []


async def test_a_removed_record_is_named_by_its_number(case: Application) -> None:
    async with tampering():
        await execute("DELETE FROM application_records WHERE application_id = $1 AND number = 4", case.id)

        assert await broken_links(case.id) == [4]


async def test_removed_first_and_last_records_are_named(case: Application) -> None:
    async with tampering():
        await execute("DELETE FROM application_records WHERE application_id = $1 AND number IN (1, 7)", case.id)

        assert await broken_links(case.id) == [1, 7]


async def test_a_chain_cut_short_does_not_end_as_the_case_says(case: Application) -> None:
    async with tampering():
        await execute("DELETE FROM application_records WHERE application_id = $1 AND number = 7", case.id)
        await execute("UPDATE applications SET records_count = 6 WHERE id = $1", case.id)

        assert await broken_links(case.id) == [6]


async def test_records_that_changed_places_are_both_named(case: Application) -> None:
    async with tampering():
        for wanted, number in ((100, 2), (2, 5), (5, 100)):
            await execute("UPDATE application_records SET number = $2 WHERE application_id = $1 AND number = $3", case.id, wanted, number)

        assert {2, 5} <= set(await broken_links(case.id))


async def test_a_record_written_past_the_registry_is_named(case: Application) -> None:
    async with tampering():
        await execute(
            """INSERT INTO application_records (id, application_id, number, round, at, move, from_stage, to_stage, field_reasons,
                   previous_hash, hash)
               SELECT gen_random_uuid(), id, 8, 2, now(), 'CLOSE_NOTICE', 'PUBLICITY', 'ADMITTED', '[]', last_hash, sha256(last_hash)
               FROM applications WHERE id = $1""",
            case.id,
        )

        assert await broken_links(case.id) == [8]


async def test_a_record_of_another_case_does_not_fit(case: Application, now: datetime) -> None:
    _, other = await case_at(Stage.SECOND_REVIEW)

    async with tampering():
        await execute("DELETE FROM application_records WHERE application_id = $1 AND number IN (1, 2)", other.id)
        await execute("UPDATE application_records SET application_id = $1 WHERE application_id = $2 AND number <= 2", other.id, case.id)

        assert await broken_links(other.id) == [1, 2]
        assert await broken_links(case.id) == [1, 2]
