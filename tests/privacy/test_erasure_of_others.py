"""Erasure: whose time has come, and what it leaves alone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from domain.actions import erasure, standing
from domain.actions.files import sweep_orphans
from domain.rules.errors import SignInRefused, Taken, Unavailable
from models.accounts import Account
from models.database import database_now, execute
from models.enums import AccountStatus, DismissalCause, FilePurpose
from models.experts import Expert
from models.files import StoredFile
from settings import Settings
from tests.conftest import Clock
from tests.files import attacks
from tests.files.uploads import hand_in, on_disk
from tests.graphql import both
from tests.people import provincial_officer, registered_expert, sign_in
from tests.privacy.leaving import Someone, admitted, leave, pass_days
from tests.profiles.kept import everything_of

DAYS = 30
SEEN = """query Seen($id: ID!) { expert(id: $id) { name erasedAt standingRecords { change reasons }
    effectiveProfile { basicInfo { name idNumberMasked portrait { id } } education { id } }
    applications { nodes { applicant stage records { move actorName } } } } }"""


@pytest.fixture(autouse=True)
def data_dir(database: Settings, change_settings: Any, tmp_path: Path) -> Path:
    """A short retention time, and a data directory of the test."""
    change_settings(data_dir=tmp_path, retention_days=DAYS)
    return tmp_path


async def dismiss(someone: Someone) -> None:
    officer = await provincial_officer()
    await standing.dismiss(
        (await Expert.get(account_id=someone.person.account.id)).id,
        cause=DismissalCause.BREACH_OF_DUTY,
        reasons="孙解聘多次无故缺席",
        viewer=officer.viewer,
        now=await database_now(),
    )


async def test_others_lose_nothing_and_who_is_in_the_registry_is_never_due(clock: Clock) -> None:
    neighbour, leaver = await admitted("王邻居", clock), await admitted("钱离开", clock)
    temporary = await registered_expert()
    before = [await everything_of(each) for each in (neighbour.person.viewer, temporary.viewer)]
    await leave(leaver)
    await pass_days(clock, DAYS + 1)

    done = await erasure.erase_due()

    assert done == 1
    assert [await everything_of(each) for each in (neighbour.person.viewer, temporary.viewer)] == before


async def test_a_bar_outlives_the_person_and_the_province_sees_what_is_left(clock: Clock) -> None:
    someone = await admitted("孙解聘", clock)
    await dismiss(someone)
    await pass_days(clock, DAYS + 1)

    assert await erasure.erase_due() == 1

    with pytest.raises(Taken):
        await registered_expert(id_number=someone.id_number)
    seen = (await both(SEEN, (await provincial_officer()).viewer, id=f"Expert_{someone.person.viewer.expert_id}"))["expert"]
    assert seen["erasedAt"] is not None
    assert (seen["name"], seen["standingRecords"]) == ("［已删除］", [{"change": "DISMISS", "reasons": "［已删除］多次无故缺席"}])
    assert seen["effectiveProfile"] == {"basicInfo": {"name": None, "idNumberMasked": None, "portrait": None}, "education": []}
    assert [(each["applicant"], each["stage"]) for each in seen["applications"]["nodes"]] == [("［已删除］", "ADMITTED")]


async def test_who_lapsed_by_age_keeps_the_account_until_then(clock: Clock) -> None:
    someone = await admitted("周到龄", clock)
    await execute("UPDATE experts SET lapses_on = '2020-01-01' WHERE id = $1", someone.person.viewer.expert_id)
    await execute("UPDATE experts SET standing = 'LAPSED' WHERE id = $1", someone.person.viewer.expert_id)
    await execute(
        """INSERT INTO standing_records (id, expert_id, at, change, from_standing, to_standing)
           VALUES (gen_random_uuid(), $1, registry_now(), 'LAPSE', 'FORMAL', 'LAPSED')""",
        someone.person.viewer.expert_id,
    )
    await pass_days(clock, DAYS - 1)
    await erasure.erase_due()
    await sign_in(someone.person.phone)

    await clock.move(days=2)
    assert await erasure.erase_due() == 1

    account = await Account.get(id=someone.person.account.id)
    assert (account.status, account.name, (await Expert.get(account_id=account.id)).lapses_on) == (
        AccountStatus.DEREGISTERED,
        "［已删除］",
        None,
    )
    with pytest.raises(SignInRefused):
        await sign_in(someone.person.phone)


async def test_several_machines_erase_once_and_all_of_it(clock: Clock) -> None:
    for name in ("甲离开", "乙离开"):
        await leave(await admitted(name, clock))
    await pass_days(clock, DAYS + 1)

    done = await asyncio.gather(*(erasure.erase_due() for _ in range(4)))

    assert sum(done) == 2
    assert await Expert.filter(standing="DEREGISTERED", erased_at=None).count() == 0


async def test_an_interrupted_erasure_changes_nothing_and_a_lost_object_is_swept(
    clock: Clock, monkeypatch: pytest.MonkeyPatch, data_dir: Path
) -> None:
    someone = await admitted("丙离开", clock)
    await hand_in(attacks.scan(), someone.person, await database_now(), purpose=FilePurpose.TITLE)
    await leave(someone)
    await pass_days(clock, DAYS + 1)
    before = await everything_of(someone.person.viewer)

    async def broken(*_: object) -> None:
        raise Unavailable

    with monkeypatch.context() as patched:
        patched.setattr(erasure, "_close", broken)
        assert await erasure.erase_due() == 0
    assert await everything_of(someone.person.viewer) == before
    with monkeypatch.context() as patched:
        patched.setattr(erasure, "drop_unused", broken)
        assert await erasure.erase_due() == 1
    assert await StoredFile.filter(owner_id=someone.person.account.id).count() == 0
    assert len(on_disk(data_dir)) == 1
    await sweep_orphans(now=await database_now())
    assert on_disk(data_dir) == []


async def test_registering_again_is_an_account_of_its_own_that_is_left_alone(clock: Clock) -> None:
    someone = await admitted("丁离开", clock)
    await leave(someone)
    await clock.move(minutes=2)
    again = await registered_expert(name="丁归来", id_number=someone.id_number, phone=someone.person.phone)
    before = await everything_of(again.viewer)
    await pass_days(clock, DAYS + 1)

    await erasure.erase_due()

    assert await everything_of(again.viewer) == before
    await sign_in(again.phone)
