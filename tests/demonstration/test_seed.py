"""The invented province is one that the verbs could have made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import settings as settings_module
from demonstration.seed import OtherSeed, seed_experts
from domain.actions.profiles import facts_of
from domain.actions.record_chain import broken_links
from domain.rules.completeness import missing
from domain.rules.credit_code import credit_code
from domain.rules.identity import id_number
from domain.rules.lifecycle import step
from domain.rules.phone import mobile
from models.accounts import Account
from models.applications import Application, ApplicationRecord
from models.database import rows
from models.enums import Role, Stage
from models.profiles import Revision
from settings import Settings

EXPERTS = 1_000


@pytest.fixture(scope="module", autouse=True)
async def province(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """A thousand experts: of so many the shares hold."""
    directory: Path = tmp_path_factory.mktemp("data")
    settings_module._current = configuration = replace(database, data_dir=directory)
    assert await seed_experts(EXPERTS, seed=7, configuration=configuration) == EXPERTS
    return configuration


async def test_every_row_that_is_named_is_there() -> None:
    keys = await rows(
        """SELECT c.conrelid::regclass::text AS here, a.attname AS key, c.confrelid::regclass::text AS there, b.attname AS target
           FROM pg_constraint c JOIN pg_attribute a ON a.attrelid = c.conrelid AND a.attnum = c.conkey[1]
           JOIN pg_attribute b ON b.attrelid = c.confrelid AND b.attnum = c.confkey[1] WHERE c.contype = 'f'"""
    )

    dangling = [
        (each["here"], each["key"])
        for each in keys
        if await rows(
            f"SELECT FROM {each['here']} h WHERE {each['key']} IS NOT NULL "
            f"AND NOT EXISTS (SELECT FROM {each['there']} t WHERE t.{each['target']} = h.{each['key']}) LIMIT 1"
        )
    ]

    assert len(keys) > 20
    assert dangling == []


async def test_numbers_and_codes_are_valid() -> None:
    for account in await Account.filter(role=Role.EXPERT).limit(300):
        number = id_number(account.id_number, today=account.created_at.date())
        assert number.warnings == ()
        assert mobile(account.phone) == account.phone
    for revision in await Revision.all().limit(300):
        assert credit_code(revision.employer_credit_code or "") == revision.employer_credit_code
        assert (revision.id_number_masked or "")[3:-4].strip("*") == ""


async def test_people_stand_at_every_stage_that_the_province_knows() -> None:
    found = {row["stage"]: row["n"] for row in await rows("SELECT stage, count(*) AS n FROM applications GROUP BY 1")}

    assert found[Stage.ADMITTED] == 980
    assert found[Stage.PUBLICITY] == 5
    assert len(found) == 9, found


async def test_whatever_was_submitted_is_complete() -> None:
    for revision in await Revision.filter(frozen_at__isnull=False).limit(40):
        assert missing(await facts_of(revision), application_form_required=True) == []


async def test_cases_moved_by_the_table_and_their_chains_hold() -> None:
    for case in [*await Application.exclude(stage=Stage.ADMITTED), *await Application.filter(stage=Stage.ADMITTED).limit(100)]:
        stage = Stage.DRAFT
        for record in await ApplicationRecord.filter(application_id=case.id).order_by("number"):
            found = step(case.kind, stage, record.move)
            assert found is not None
            assert (record.from_stage, record.to_stage) == (stage, found.target)
            stage = record.to_stage
        assert case.stage is stage
        assert await broken_links(case.id) == []


async def test_a_repeat_adds_nothing_and_a_larger_number_what_is_missing(province: Settings) -> None:
    assert await seed_experts(EXPERTS, seed=7, configuration=province) == 0
    assert await seed_experts(EXPERTS + 10, seed=7, configuration=province) == 10

    counted = await rows("SELECT count(*) AS n FROM experts")
    assert counted[0]["n"] == EXPERTS + 10


async def test_two_seeds_do_not_mix(province: Settings) -> None:
    with pytest.raises(OtherSeed):
        await seed_experts(2 * EXPERTS, seed=8, configuration=province)

    counted = await rows("SELECT count(*) AS n FROM experts")
    assert counted[0]["n"] < 2 * EXPERTS
