"""The invented province is one that the verbs could have made."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

import settings as settings_module
from demonstration.province.life import people
from demonstration.province.world import read_world
from demonstration.seed import OtherSeed, seed_experts
from domain.actions.comparing import base_of, difference_of
from domain.actions.completeness import facts_of
from domain.actions.erasure import erase_due
from domain.actions.publicity import close_due_notices
from domain.actions.record_chain import broken_links
from domain.actions.reminders import keep_cases_moving
from domain.actions.sms import wording
from domain.rules.completeness import missing
from domain.rules.credit_code import credit_code
from domain.rules.identity import id_number
from domain.rules.lifecycle import step
from domain.rules.phone import mobile
from models.accounts import Account
from models.applications import Application, ApplicationRecord
from models.database import database_now, rows
from models.enums import CaseKind, Role, Stage
from models.profiles import Revision
from models.sms import SmsMessage
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
        assert (revision.id_number_masked or "")[2:-1].strip("*") == ""


async def test_people_stand_at_every_stage_that_the_province_knows() -> None:
    found = {row["stage"]: row["n"] for row in await rows("SELECT stage, count(*) AS n FROM applications GROUP BY 1")}

    assert found[Stage.ADMITTED] == 979
    assert found[Stage.PUBLICITY] == 5
    assert found[Stage.OBJECTION] == 1
    assert len(found) == 11, found


async def test_whatever_was_submitted_is_complete() -> None:
    for revision in await Revision.filter(frozen_at__isnull=False).limit(40):
        assert missing(await facts_of(revision, now=await database_now()), application_form_required=True) == []


async def test_cases_moved_by_the_table_and_their_chains_hold() -> None:
    for case in [
        *await Application.exclude(stage=Stage.ADMITTED),
        *await Application.exclude(kind=CaseKind.ADMISSION),
        *await Application.filter(stage=Stage.ADMITTED).limit(100),
    ]:
        stage = Stage.DRAFT
        for record in await ApplicationRecord.filter(application_id=case.id).order_by("number"):
            found = step(case.kind, stage, record.move, decided=record.round > 1)
            assert found is not None
            assert (record.from_stage, record.to_stage) == (stage, found.target)
            stage = record.to_stage
        assert case.stage is stage
        assert await broken_links(case.id) == []


async def test_changes_and_moves_begin_from_the_profile_in_force_and_take_its_place_when_applied() -> None:
    found = await rows(
        """SELECT kind, a.stage, count(*) AS n, bool_and(r.id = x.effective_id) AS in_force,
               bool_and(b.state IN ('EFFECTIVE', 'SUPERSEDED')) AS begun_from_one,
               bool_and(x.pool_code = a.leaving_pool_code) AS still_there
           FROM applications a JOIN experts x ON x.id = a.expert_id JOIN revisions r ON r.id = a.revision_id
           JOIN revisions b ON b.id = r.base_id WHERE kind <> 'ADMISSION' GROUP BY 1, 2"""
    )

    assert {row["kind"] for row in found} == {"CHANGE", "DIVISION_CHANGE"}
    assert sum(row["n"] for row in found) > 10
    assert all(row["begun_from_one"] for row in found)
    for row in found:
        assert row["in_force"] is (row["stage"] == Stage.APPLIED)
        if row["kind"] == "DIVISION_CHANGE":
            assert row["still_there"] is (row["stage"] != Stage.APPLIED)
    assert await rows("SELECT FROM applications WHERE due_at < registry_now()") != []


async def test_each_expert_has_one_profile_in_force_and_none_is_left_of_an_old_draft() -> None:
    wrong = await rows(
        """SELECT x.id FROM experts x WHERE
           (SELECT array_agg(id) FROM revisions r WHERE r.expert_id = x.id AND state = 'EFFECTIVE') IS DISTINCT FROM
               CASE WHEN effective_id IS NOT NULL THEN ARRAY[effective_id] END OR
           (SELECT array_agg(id) FROM revisions r WHERE r.expert_id = x.id AND state = 'DRAFT') IS DISTINCT FROM
               CASE WHEN draft_id IS NOT NULL THEN ARRAY[draft_id] END"""
    )

    assert wrong == []


async def test_standing_schedule_objections_messages_and_looks_are_those_of_the_people_they_name() -> None:
    standing = {row["standing"] for row in await rows("SELECT DISTINCT standing FROM experts")}
    last = await rows(
        """SELECT FROM experts x JOIN LATERAL (SELECT * FROM standing_records s WHERE s.expert_id = x.id ORDER BY at DESC LIMIT 1) s ON true
           WHERE s.to_standing <> x.standing OR s.at > registry_now()"""
    )
    counted = await rows(
        """SELECT (SELECT count(*) FROM schedule_periods) AS periods, (SELECT count(*) FROM schedule_occurrences) AS occurrences,
                  (SELECT count(*) FROM clear_reads) AS looks, (SELECT count(*) FROM bars) AS bars,
                  (SELECT count(*) FROM objections WHERE state = 'OPEN') AS open,
                  (SELECT count(*) FROM objections WHERE state = 'DISMISSED') AS dismissed,
                  (SELECT count(*) FROM sms_messages) > (SELECT count(*) FROM public_notices) * 19 / 10 AS told,
                  (SELECT count(*) FROM sms_messages WHERE state IN ('FAILED', 'UNDELIVERABLE')) AS lost"""
    )

    assert standing == {"TEMPORARY", "FORMAL", "SUSPENDED", "DISMISSED", "DEREGISTERED"}
    assert last == []
    [found] = counted
    assert 110 <= found["periods"] <= 130 < found["occurrences"]
    assert found["looks"] >= 25
    assert found["bars"] == 2
    assert found["open"] >= 2
    assert found["dismissed"] >= 3
    assert found["told"]
    assert 5 <= found["lost"] <= 40
    late = "SELECT FROM objections o JOIN public_notices n ON n.id = o.notice_id WHERE received_at NOT BETWEEN opened_at AND closes_at"
    assert await rows(late) == []


async def test_a_change_changes_the_post_and_a_change_of_division_the_home_pool_alone() -> None:
    differing = set()
    for case in await Application.exclude(kind=CaseKind.ADMISSION):
        assert case.revision_id is not None
        base = await base_of(case.revision_id)
        assert base is not None
        found = await difference_of(case.revision_id, base)
        differing.add((case.kind, *(each.path for each in found.fields), *(each.label for each in found.entries)))

    assert differing == {(CaseKind.CHANGE, "basicInfo.post"), (CaseKind.DIVISION_CHANGE, "evaluationInfo.homePoolCode")}


async def test_messages_have_words_and_workers_find_nothing_left_undone() -> None:
    unlike = await rows("SELECT DISTINCT ON (template) id FROM sms_messages")
    words = {await wording(await SmsMessage.get(id=row["id"])) for row in unlike}

    assert len(words) == len(unlike) == 9
    assert await close_due_notices() == 0
    assert await keep_cases_moving() == 0
    assert await erase_due() == 0


async def test_a_repeat_adds_nothing_and_a_larger_number_what_is_missing(province: Settings) -> None:
    assert await seed_experts(EXPERTS, seed=7, configuration=province) == 0
    assert await seed_experts(EXPERTS + 10, seed=7, configuration=province) == 10

    counted = await rows("SELECT count(*) AS n FROM experts")
    assert counted[0]["n"] == EXPERTS + 10


async def test_the_same_numbers_are_the_same_people_and_another_seed_gives_others(province: Settings) -> None:
    world = await read_world(7, province)
    first, again, others = (people(each, range(100, 140), range(40)).rows for each in (world, world, replace(world, seed=8)))

    for table in ("experts", "education", "application_records", "public_notices", "schedule_occurrences"):  # nothing is sealed in them
        assert first[table] == again[table] != others[table], table


async def test_two_seeds_do_not_mix(province: Settings) -> None:
    with pytest.raises(OtherSeed):
        await seed_experts(2 * EXPERTS, seed=8, configuration=province)

    counted = await rows("SELECT count(*) AS n FROM experts")
    assert counted[0]["n"] < 2 * EXPERTS
