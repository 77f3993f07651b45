"""Erasure: nothing that names a person is left after the retention time."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from tortoise import Tortoise

from domain.actions import accounts, erasure, housekeeping
from domain.actions.record_chain import broken_links
from models.accounts import Account
from models.applications import ApplicationRecord
from models.database import database_now, execute, rows
from models.enums import AccountStatus, CodePurpose, Move
from models.experts import Expert
from models.exports import Export
from models.files import StoredFile
from models.sealing import id_number_hash
from settings import Settings
from tests.conftest import ROOT, Clock
from tests.files.uploads import on_disk
from tests.people import PASSWORD, code_sent, some_address
from tests.privacy.leaving import NAME, Someone, admitted, digests, dump, edit_something, leave, pass_days

DAYS = 30


@pytest.fixture(name="where", autouse=True)
def _where(database: Settings, change_settings: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short retention time, and a data directory of this module."""
    where = tmp_path_factory.getbasetemp() / "erasure"
    change_settings(data_dir=where, retention_days=DAYS)
    return where


async def test_nothing_that_names_the_person_is_left_and_what_must_stay_does(clock: Clock, where: Path) -> None:
    someone = await admitted(NAME, clock, full=True)
    await edit_something(someone)
    assert [each for each in someone.canaries if each not in await dump()] == []
    assert len(on_disk(where)) == 1
    assert await Export.all().count() == 2
    number = (await Expert.get(id=someone.person.viewer.expert_id)).number
    await leave(someone)

    await pass_days(clock, DAYS - 1)
    early = await erasure.erase_due()
    await clock.move(days=1, minutes=1)
    done = await erasure.erase_due()
    await pass_days(clock, 100)
    await housekeeping.tidy()

    assert (early, done) == (0, 1)
    left = await dump()
    assert [each for each in someone.canaries if each in left] == []
    assert on_disk(where) == []
    assert await StoredFile.filter(owner_id=someone.person.account.id).count() == 0
    assert await Export.all().count() == 0
    account, expert = await Account.get(id=someone.person.account.id), await Expert.get(id=someone.person.viewer.expert_id)
    assert (account.status, account.id_number_hash) == (AccountStatus.DEREGISTERED, id_number_hash(someone.id_number))
    assert account.id_number_masked is None  # what it shows, others' masks show too
    assert await rows("SELECT FROM revisions WHERE expert_id = $1 AND id_number_masked IS NOT NULL", expert.id) == []
    assert (expert.number, expert.erased_at is not None) == (number, True)
    await _records_stay(someone)
    await _a_repeat_changes_nothing()


async def _records_stay(someone: Someone) -> None:
    """Who decided what, and why, without the person; the chain holds, and a change of what is left shows."""
    records = await ApplicationRecord.filter(application_id=someone.case.id).order_by("number")
    returned = records[1]

    assert [each.actor_name for each in records] == [None, "李初审", None, "李初审", "王复审", "王复审", None]
    assert returned.opinion == "［已删除］（［已删除］）请补充"
    assert returned.field_reasons == [{"path": "titles.0.certificate", "text": "［已删除］的证书不清晰"}]
    assert [each.number for each in records if each.erased_hash is not None] == [1, 2, 3]
    assert await broken_links(someone.case.id) == []
    for change in ("opinion = '同意'", "erased_hash = NULL", "erased_hash = '\\x00'"):
        await execute("ALTER TABLE application_records DISABLE TRIGGER records_never_change")
        await execute(f"UPDATE application_records SET {change} WHERE id = $1", returned.id)
        assert [each.number for each in await broken_links(someone.case.id)] == [2]
        await execute(
            "UPDATE application_records SET opinion = $2, erased_hash = $3 WHERE id = $1",
            returned.id,
            returned.opinion,
            returned.erased_hash,
        )
        await execute("ALTER TABLE application_records ENABLE TRIGGER records_never_change")
    assert await broken_links(someone.case.id) == []


async def _a_repeat_changes_nothing() -> None:
    before = await digests()

    assert await erasure.erase_due() == 0
    assert await rows("SELECT id FROM experts WHERE erased_at IS NULL AND standing = 'DEREGISTERED'") == []
    assert await digests() == before


async def test_numbers_by_which_the_person_is_found_elsewhere_go_however_they_are_written(clock: Clock) -> None:
    someone = await admitted(
        "赵编号",
        clock,
        phone="+8613920000004",
        returned_for=(
            "致电139 2000 0004核实，2010年以来的材料请补充",
            "证书编号ZC2010001与图片不符",
            "101831199805000001在学信网查不到，联系电话 0431 88888888",
        ),
    )
    await leave(await with_phone("+8613920000005", someone, clock))
    await pass_days(clock, DAYS + 1)

    assert await erasure.erase_due() == 1

    returned = await ApplicationRecord.get(application_id=someone.case.id, move=Move.RETURN)
    assert returned.opinion == "致电［已删除］核实，2010年以来的材料请补充"
    assert [each["text"] for each in returned.field_reasons] == [
        "证书编号［已删除］与图片不符",
        "［已删除］在学信网查不到，联系电话 ［已删除］",
    ]
    assert await broken_links(someone.case.id) == []


async def with_phone(new: str, someone: Someone, clock: Clock) -> Someone:
    await clock.move(minutes=2)
    code, now = await code_sent(new, CodePurpose.CHANGE_PHONE), await database_now()
    await accounts.change_phone(new, code=code, password=PASSWORD, viewer=someone.person.viewer, address=some_address(), now=now)
    await clock.move(minutes=2)
    return replace(someone, person=replace(someone.person, phone=new))


async def test_the_guide_says_of_every_table_what_erasure_leaves_in_it(database: Settings) -> None:
    guide = (ROOT / "docs" / "privacy.md").read_text().partition("## What erasure leaves")[2]
    assert Tortoise.apps is not None

    tables = {model._meta.db_table for name, model in Tortoise.apps["models"].items() if model.__module__ != "models.reference"}

    assert [each for each in sorted(tables) if f"`{each}`" not in guide] == [], "decide in domain/actions/erasure.py, and write it down"
