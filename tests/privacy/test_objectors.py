"""Whoever objected is forgotten some time after the settlement; the objection stays with its case."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest

from domain.actions import erasure, objections
from domain.rules.viewer import Viewer
from models.database import database_now, execute, rows
from models.enums import ObjectionState, Stage
from models.publicity import Objection
from models.sealing import phone_hash
from settings import Settings
from tests.cases import case_at
from tests.conftest import Clock
from tests.graphql import both
from tests.objections.raising import objection_to
from tests.people import provincial_officer, some_phone

DAYS = 20
SEEN = """query ($id: ID!) { application(id: $id) { objections { receipt state text phoneMasked settledBy settlement } } }"""


@pytest.fixture(autouse=True)
def _short(database: Settings, change_settings: Callable[..., Settings]) -> None:
    change_settings(objector_retention_days=DAYS)


async def settle(objection: Objection, *, upheld: bool) -> None:
    viewer = (await provincial_officer(name="孙异议")).viewer
    await objections.settle(objection.id, upheld=upheld, reasons="经核查。", viewer=viewer, now=await database_now())


async def who(objection: Objection) -> tuple[str, bytes, str, bytes]:
    kept = await Objection.get(id=objection.id)
    return kept.phone, bytes(kept.phone_hash), kept.phone_masked, bytes(kept.address_hash)


async def province() -> Viewer:
    return (await provincial_officer()).viewer


async def test_the_phone_is_erased_after_the_time_and_not_before_and_the_rest_stays(clock: Clock) -> None:
    _, case = await case_at(Stage.PUBLICITY)
    phone = some_phone()
    objection = await objection_to(case.id, phone=phone, text=f"履历不实，可致电 {phone.removeprefix('+86')} 核实。")
    before = await who(objection)
    await settle(objection, upheld=False)

    await clock.move(days=DAYS, minutes=-5)
    early, still = await erasure.forget_objectors(), await who(objection)
    await clock.move(minutes=10)
    done, again = await erasure.forget_objectors(), await erasure.forget_objectors()

    assert (early, done, again) == (0, 1, 0)
    assert still == before
    assert before[:2] == (phone, phone_hash(phone))
    assert await who(objection) == ("", b"", "", b"")
    seen = await both(SEEN, await province(), id=f"Application_{case.id}")
    assert seen["application"]["objections"] == [
        {
            "receipt": objection.receipt,
            "state": "DISMISSED",
            "text": "履历不实，可致电 ［已删除］ 核实。",
            "phoneMasked": "",
            "settledBy": "孙异议",
            "settlement": "经核查。",
        }
    ]


async def test_the_phone_goes_from_the_text_however_it_is_divided(clock: Clock) -> None:
    _, case = await case_at(Stage.PUBLICITY)
    objection = await objection_to(case.id, phone="+8613920000030", text="可致电 139-2000-0030 或 139 2000 0030 核实")
    await settle(objection, upheld=False)
    await clock.move(days=DAYS, minutes=5)

    assert await erasure.forget_objectors() == 1

    assert (await Objection.get(id=objection.id)).text == "可致电 ［已删除］ 或 ［已删除］ 核实"


async def test_one_that_waits_keeps_its_phone_and_one_left_open_loses_it_after_the_end_of_the_case(clock: Clock) -> None:
    _, waiting_case = await case_at(Stage.PUBLICITY)
    _, rejected_case = await case_at(Stage.PUBLICITY)
    waiting, left_open = await objection_to(waiting_case.id), await objection_to(rejected_case.id)
    upheld = await objection_to(rejected_case.id)
    before = await who(waiting)
    await settle(upheld, upheld=True)

    await clock.move(days=DAYS, minutes=5)
    done = await erasure.forget_objectors()

    assert done == 2
    assert (await who(waiting), await who(left_open), await who(upheld)) == (before, ("", b"", "", b""), ("", b"", "", b""))
    await settle(left_open, upheld=False)
    assert (await Objection.get(id=left_open.id)).state is ObjectionState.DISMISSED


async def test_several_machines_forget_each_once(clock: Clock) -> None:
    for _ in range(3):
        await settle(await objection_to((await case_at(Stage.PUBLICITY))[1].id), upheld=False)
    await clock.move(seconds=timedelta(days=DAYS + 1).total_seconds())

    done = await asyncio.gather(*(erasure.forget_objectors(limit=2) for _ in range(3)), return_exceptions=True)
    rest = await erasure.forget_objectors()

    assert sum(each for each in done if isinstance(each, int)) + rest == 3
    assert await rows("SELECT FROM objections WHERE phone_masked <> '' AND settled_at IS NOT NULL") == []


async def test_one_whose_phone_cannot_be_read_keeps_no_other_from_being_forgotten(clock: Clock) -> None:
    damaged, other = [await objection_to((await case_at(Stage.PUBLICITY))[1].id) for _ in range(2)]
    for each in (damaged, other):
        await settle(each, upheld=False)
    await execute("UPDATE objections SET phone = set_byte(phone, 3, get_byte(phone, 3) # 1) WHERE id = $1", damaged.id)
    await clock.move(days=DAYS, minutes=5)

    done = await erasure.forget_objectors()

    assert done == 1
    assert await who(other) == ("", b"", "", b"")
    assert await rows("SELECT id FROM objections WHERE phone_masked <> '' AND settled_at IS NOT NULL") == [(damaged.id,)]
