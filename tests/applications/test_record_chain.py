from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial
from itertools import pairwise
from typing import Any
from uuid import UUID

import pytest

from domain.actions.record_chain import Head, broken_links, chain_hash, told_by, verify, verify_next
from models.applications import Application, ApplicationRecord
from models.database import execute, rows
from models.enums import ChainBreak, Stage
from tests.cases import approve, case_at, return_case, submit, undone
from tests.graphql import execute as execute_as
from tests.people import officer, provincial_officer


@asynccontextmanager
async def tampering() -> AsyncIterator[None]:
    """What somebody with all rights on the database could do; undone at the end, so that each test tampers with a whole chain."""
    async with undone():
        await rows("ALTER TABLE application_records DISABLE TRIGGER records_never_change")
        yield
        await rows("ALTER TABLE application_records ENABLE TRIGGER records_never_change")


async def told(case: Application) -> list[tuple[int, str]]:
    return [(each.number, each.what) for each in await broken_links(case.id)]


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
    assert [each.hash for each in records] == [chain_hash(each.previous_hash, told_by(each)) for each in records]
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

        assert (found[0].number, found[0].what) == (3, ChainBreak.CHANGED)
        assert {each.number for each in found} <= {3, 4}
    assert await broken_links(case.id) == []


async def test_a_removed_record_is_named_by_its_number(case: Application) -> None:
    async with tampering():
        await execute("DELETE FROM application_records WHERE application_id = $1 AND number = 4", case.id)

        assert await told(case) == [(4, "MISSING")]


async def test_removed_first_and_last_records_are_named(case: Application) -> None:
    async with tampering():
        await execute("DELETE FROM application_records WHERE application_id = $1 AND number IN (1, 7)", case.id)

        assert await told(case) == [(1, "MISSING"), (7, "MISSING")]


async def test_a_chain_cut_short_does_not_end_as_the_case_says(case: Application) -> None:
    async with tampering():
        await execute("DELETE FROM application_records WHERE application_id = $1 AND number = 7", case.id)
        await execute("UPDATE applications SET records_count = 6 WHERE id = $1", case.id)

        assert await told(case) == [(6, "CASE_DIFFERS")]


async def test_records_that_changed_places_are_both_named(case: Application) -> None:
    async with tampering():
        for wanted, number in ((100, 2), (2, 5), (5, 100)):
            await execute("UPDATE application_records SET number = $2 WHERE application_id = $1 AND number = $3", case.id, wanted, number)

        assert {(2, "CHANGED"), (5, "CHANGED")} <= set(await told(case))


async def test_a_record_written_past_the_registry_is_named(case: Application) -> None:
    async with tampering():
        await execute(
            """INSERT INTO application_records (id, application_id, number, round, at, move, from_stage, to_stage, field_reasons,
                   previous_hash, hash)
               SELECT gen_random_uuid(), id, 8, 2, now(), 'CLOSE_NOTICE', 'PUBLICITY', 'ADMITTED', '[]', last_hash, sha256(last_hash)
               FROM applications WHERE id = $1""",
            case.id,
        )

        assert await told(case) == [(8, "FOREIGN")]


async def test_a_record_of_another_case_does_not_fit(case: Application, now: datetime) -> None:
    _, other = await case_at(Stage.SECOND_REVIEW)

    async with tampering():
        await execute("DELETE FROM application_records WHERE application_id = $1 AND number IN (1, 2)", other.id)
        await execute("UPDATE application_records SET application_id = $1 WHERE application_id = $2 AND number <= 2", other.id, case.id)

        assert await told(other) == [(1, "CHANGED"), (2, "CHANGED")]
        assert await told(case) == [(1, "MISSING"), (2, "MISSING")]


async def test_a_case_that_was_set_to_another_stage_differs_from_its_records(case: Application) -> None:
    async with tampering():
        await execute("UPDATE applications SET stage = 'ADMITTED', closed_at = stage_since WHERE id = $1", case.id)

        assert await told(case) == [(7, "CASE_DIFFERS")]


async def everywhere(witnessed: dict[UUID, Head]) -> tuple[dict[UUID, Head], list[tuple[UUID, int, str]]]:
    heads: dict[UUID, Head] = {}
    broken = []
    async for batch, links in verify(witnessed, batch=2):
        heads |= {each.case_id: each for each in batch}
        broken += [(each.case_id, each.number, str(each.what)) for each in links]
    return heads, broken


async def test_all_chains_are_read_and_a_changed_row_is_named_by_its_case(case: Application) -> None:
    heads, broken = await everywhere({})
    cases = await Application.filter(records_count__gt=0).count()

    async with tampering():
        await execute("UPDATE application_records SET opinion = '不同意' WHERE application_id = $1 AND number = 3", case.id)
        _, tampered = await everywhere({})

    assert (len(heads), broken) == (cases, [])
    assert heads[case.id] == Head(case.id, 7, case.last_hash or b"")
    assert tampered == [(case.id, 3, "CHANGED")]


async def test_a_chain_that_was_cut_and_its_case_set_back_is_found_by_who_has_seen_its_end(case: Application) -> None:
    heads, _ = await everywhere({})

    async with tampering():
        await execute("DELETE FROM application_records WHERE application_id = $1 AND number = 7", case.id)
        await execute(
            """UPDATE applications c SET records_count = 6, last_hash = r.hash, stage = r.to_stage FROM application_records r
               WHERE c.id = $1 AND r.application_id = c.id AND r.number = 6""",
            case.id,
        )
        unseen, seen = (await everywhere({}))[1], (await everywhere(heads))[1]

    assert unseen == []
    assert seen == [(case.id, 7, "MISSING")]


async def test_a_case_that_is_gone_is_found_by_who_has_seen_it(case: Application) -> None:
    heads, _ = await everywhere({})
    gone = UUID(int=7)

    _, broken = await everywhere(heads | {gone: Head(gone, 3, b"x")})

    assert broken == [(gone, 3, "MISSING")]


CHAIN = "query ($id: ID!) { application(id: $id) { recordChain { intact broken { number what } } } }"


async def test_officers_ask_whether_the_records_of_a_case_hold(case: Application) -> None:
    who = {"office": await officer(), "province": await provincial_officer(), "other": await officer("220299")}
    given = f"Application_{case.id}"

    whole = {name: (await execute_as(CHAIN, each.viewer, id=given)).data for name, each in who.items()}
    async with tampering():
        await execute("UPDATE application_records SET opinion = '改' WHERE application_id = $1 AND number = 3", case.id)
        changed = (await execute_as(CHAIN, who["office"].viewer, id=given)).data

    held = {"application": {"recordChain": {"intact": True, "broken": []}}}
    assert whole == {"office": held, "province": held, "other": {"application": None}}
    assert changed == {"application": {"recordChain": {"intact": False, "broken": [{"number": 3, "what": "CHANGED"}]}}}


async def test_the_expert_reads_the_records_and_not_their_chain(now: datetime) -> None:
    person, case = await case_at(Stage.FIRST_REVIEW)

    found = await execute_as(CHAIN, person.viewer, id=f"Application_{case.id}")

    assert found.data == {"application": {"recordChain": None}}


CHAINS = "query ($after: ID) { recordChains(after: $after) { checked next broken { applicationId number what } } }"


async def test_the_province_checks_all_cases_step_by_step(case: Application, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await provincial_officer()
    monkeypatch.setattr("schema.queries.applications.verify_next", partial(verify_next, batch=2))
    cases = [each.id for each in await Application.filter(records_count__gt=0).order_by("id")]
    seen: list[int] = []
    broken: list[dict[str, Any]] = []
    after = None

    async with tampering():
        await execute("UPDATE application_records SET opinion = '改' WHERE application_id = $1 AND number = 3", case.id)
        while True:
            found = await execute_as(CHAINS, person.viewer, after=after)
            assert found.data is not None
            step = found.data["recordChains"]
            seen.append(step["checked"])
            broken += step["broken"]
            after = step["next"]
            if after is None:
                break

    assert (sum(seen), max(seen)) == (len(cases), 2)
    assert broken == [{"applicationId": f"Application_{case.id}", "number": 3, "what": "CHANGED"}]


async def test_a_step_goes_on_from_a_case_and_from_nothing_else() -> None:
    person = await provincial_officer()

    refused = await execute_as(CHAINS, person.viewer, after="Expert_x")
    wrong_office = await execute_as(CHAINS, (await officer()).viewer)
    signed_out = await execute_as(CHAINS, None, after="Expert_x")

    assert [(error.extensions or {})["code"] for error in refused.errors or []] == ["INVALID_INPUT"]
    assert [(error.extensions or {})["code"] for error in wrong_office.errors or []] == ["NOT_ALLOWED"]
    assert [(error.extensions or {})["code"] for error in signed_out.errors or []] == ["NOT_SIGNED_IN"]
