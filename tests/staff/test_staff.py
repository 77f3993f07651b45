from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import datetime
from typing import Any

import pytest

from domain.actions import reviews, sessions, staff
from domain.rules.errors import InvalidInput, NotAllowed, NotFound, NotSignedIn, Refusal, SignInRefused, Taken
from domain.rules.viewer import Viewer
from models.accounts import Account
from models.applications import Application
from models.database import database_now, rows
from models.enums import AccountStatus, Role, Stage
from models.sealing import id_number_hash
from tests.cases import case_at, complete_profile
from tests.conftest import ROOT
from tests.graphql import both, execute
from tests.people import PASSWORD, administrator, officer, provincial_officer, registered_expert, sign_in, some_id_number, some_phone


def filled(**changes: Any) -> dict[str, Any]:
    given = {"role": Role.LOCAL_OFFICER, "pool_code": "220199", "phone": some_phone(), "password": PASSWORD, "name": "李初审"}
    return given | {"id_number": some_id_number()} | changes


async def signed_in(token: str) -> Viewer | None:
    return (await sessions.authenticate(token))[0]


async def test_an_administrator_gives_an_officer_an_account_who_then_signs_in(now: datetime) -> None:
    phone = some_phone()

    account = await staff.create(**filled(phone=phone), viewer=(await administrator()).viewer, now=now)

    officer_in = await sign_in(phone)
    assert (officer_in.viewer.account_id, officer_in.viewer.role, officer_in.viewer.pool_code) == (account.id, Role.LOCAL_OFFICER, "220199")


async def test_nobody_else_keeps_accounts_of_staff(now: datetime) -> None:
    target = await officer()
    before = await Account.all().order_by("id").values()

    for person in (await registered_expert(), await officer(), await provincial_officer()):
        before = await Account.all().order_by("id").values()
        with pytest.raises(NotAllowed):
            await staff.create(**filled(), viewer=person.viewer, now=now)
        with pytest.raises(NotAllowed):
            await staff.disable(target.account.id, viewer=person.viewer, now=now)
        with pytest.raises(NotAllowed):
            await staff.move_to_pool(target.account.id, "220299", viewer=person.viewer, now=now)
        with pytest.raises(NotAllowed):
            await staff.enable(target.account.id, viewer=person.viewer, now=now)

    assert await Account.all().order_by("id").values() == before


async def test_an_expert_by_the_id_number_of_the_profile_cannot_become_staff(now: datetime) -> None:
    expert, other = await registered_expert(), some_id_number()
    await complete_profile(expert.viewer)
    # The profile bears the number of another paper than the account.
    await rows("UPDATE revisions SET id_number_hash = $2 WHERE expert_id = $1", expert.viewer.expert_id, id_number_hash(other))
    admin = await administrator()
    before = await Account.all().count()

    with pytest.raises(Taken) as refusal:
        await staff.create(**filled(id_number=other), viewer=admin.viewer, now=now)

    assert (refusal.value.path, refusal.value.wording) == ("idNumber", "TAKEN_BY_SOMEBODY")
    assert await Account.all().count() == before


async def test_a_disabled_officer_is_out_at_once_and_the_claims_are_free(now: datetime) -> None:
    admin, local = await administrator(), await officer()
    _, case = await case_at(Stage.FIRST_REVIEW)
    await reviews.claim(case.id, viewer=local.viewer, now=now)

    account = await staff.disable(local.account.id, viewer=admin.viewer, now=now)

    assert account.status is AccountStatus.DISABLED
    assert await signed_in(local.token) is None
    with pytest.raises(SignInRefused):
        await sign_in(local.phone)
    freed = await Application.get(id=case.id)
    assert (freed.claimed_by_id, freed.claimed_by_name, freed.claimed_until, freed.stage) == (None, None, None, Stage.FIRST_REVIEW)
    assert (await staff.disable(local.account.id, viewer=admin.viewer, now=now)).status is AccountStatus.DISABLED


async def test_an_enabled_officer_signs_in_again_and_finds_no_old_session(now: datetime) -> None:
    admin, local = await administrator(), await officer()
    await staff.disable(local.account.id, viewer=admin.viewer, now=now)

    account = await staff.enable(local.account.id, viewer=admin.viewer, now=now)
    again = await staff.enable(local.account.id, viewer=admin.viewer, now=now)

    assert (account.status, again.status) == (AccountStatus.ACTIVE, AccountStatus.ACTIVE)
    assert await signed_in(local.token) is None
    back = await sign_in(local.phone)
    assert (back.account.id, back.viewer.role, back.viewer.pool_code) == (local.account.id, Role.LOCAL_OFFICER, "220199")
    await staff.enable(local.account.id, viewer=admin.viewer, now=now)
    assert await signed_in(back.token) == back.viewer, "a repeat ends nothing"


@pytest.mark.parametrize("where", ["draft", "case under way", "profile in force"])
async def test_who_has_become_an_expert_meanwhile_is_not_enabled(where: str, now: datetime) -> None:
    admin, local = await administrator(), await officer()
    await staff.disable(local.account.id, viewer=admin.viewer, now=now)
    if where == "draft":
        expert = await registered_expert()
        await complete_profile(expert.viewer)
    else:
        expert, _ = await case_at(Stage.FIRST_REVIEW if where == "case under way" else Stage.PUBLICITY)
    await rows("ALTER TABLE revisions DISABLE TRIGGER a_frozen_revision_keeps_its_data")
    await rows("UPDATE revisions SET id_number_hash = $2 WHERE expert_id = $1", expert.viewer.expert_id, local.account.id_number_hash)
    if where == "profile in force":
        await rows("UPDATE applications SET stage = 'ADMITTED', closed_at = now() WHERE expert_id = $1", expert.viewer.expert_id)
        await rows(
            "UPDATE experts x SET effective_id = r.id FROM revisions r WHERE r.expert_id = x.id AND x.id = $1", expert.viewer.expert_id
        )
    await rows("ALTER TABLE revisions ENABLE TRIGGER a_frozen_revision_keeps_its_data")

    with pytest.raises(Taken) as refusal:
        await staff.enable(local.account.id, viewer=admin.viewer, now=now)

    assert (refusal.value.path, refusal.value.wording) == ("staffId", "TAKEN_BY_SOMEBODY")
    assert (await Account.get(id=local.account.id)).status is AccountStatus.DISABLED


@pytest.mark.parametrize("taken", ["id number", "phone"])
async def test_who_was_an_officer_registers_as_an_expert_and_is_no_officer_again(taken: str, now: datetime) -> None:
    admin, local = await administrator(), await officer()
    number = (await Account.get(id=local.account.id)).id_number
    with pytest.raises(Taken):
        await registered_expert(id_number=number)
    await staff.disable(local.account.id, viewer=admin.viewer, now=now)

    expert = await registered_expert(**({"id_number": number} if taken == "id number" else {"phone": local.phone}))

    assert expert.viewer.expert_id is not None
    with pytest.raises(Taken):
        await staff.enable(local.account.id, viewer=admin.viewer, now=now)
    assert (await Account.get(id=local.account.id)).status is AccountStatus.DISABLED
    assert (await Account.get(id=expert.account.id)).status is AccountStatus.ACTIVE


async def test_an_officer_of_a_closed_pool_is_moved_before_being_enabled(now: datetime) -> None:
    admin, local = await administrator(), await officer("220322")
    await staff.disable(local.account.id, viewer=admin.viewer, now=now)
    await rows("UPDATE divisions SET pool_selectable = FALSE WHERE code = '220322'")

    with pytest.raises(InvalidInput) as closed:
        await staff.enable(local.account.id, viewer=admin.viewer, now=now)
    await staff.move_to_pool(local.account.id, "220199", viewer=admin.viewer, now=now)
    account = await staff.enable(local.account.id, viewer=admin.viewer, now=now)
    await rows("UPDATE divisions SET pool_selectable = TRUE WHERE code = '220322'")

    assert [(each.path, each.code) for each in closed.value.problems] == [("staffId", "STAFF_POOL_CLOSED")]
    assert (account.status, account.pool_code) == (AccountStatus.ACTIVE, "220199")


async def test_an_administrator_always_remains(now: datetime) -> None:
    first, second = await administrator(), await administrator()

    with pytest.raises(NotAllowed) as own:
        await staff.disable(first.account.id, viewer=first.viewer, now=now)
    answers = await asyncio.gather(
        staff.disable(second.account.id, viewer=first.viewer, now=now),
        staff.disable(first.account.id, viewer=second.viewer, now=now),
        return_exceptions=True,
    )

    assert own.value.code == "OWN_ACCOUNT"
    assert [type(each) for each in answers if isinstance(each, Refusal)] == [NotSignedIn]
    active = await Account.filter(id__in=[first.account.id, second.account.id], status=AccountStatus.ACTIVE).count()
    assert active == 1


async def test_an_expert_is_no_staff_to_disable_or_move(now: datetime) -> None:
    admin, expert = await administrator(), await registered_expert()

    with pytest.raises(NotFound):
        await staff.disable(expert.account.id, viewer=admin.viewer, now=now)
    with pytest.raises(NotFound):
        await staff.move_to_pool(expert.account.id, "220299", viewer=admin.viewer, now=now)

    assert await signed_in(expert.token) == expert.viewer


async def test_a_moved_officer_signs_in_to_the_new_pool(now: datetime) -> None:
    admin, local = await administrator(), await officer("220199")
    _, case = await case_at(Stage.FIRST_REVIEW)
    await reviews.claim(case.id, viewer=local.viewer, now=now)

    await staff.move_to_pool(local.account.id, "220299", viewer=admin.viewer, now=now)

    assert await signed_in(local.token) is None
    assert (await sign_in(local.phone)).viewer.pool_code == "220299"
    assert (await Application.get(id=case.id)).claimed_by_id is None


async def test_a_pool_to_move_to_is_one_that_can_be_chosen_and_only_for_local_officers(now: datetime) -> None:
    admin, local, province = await administrator(), await officer("220199"), await provincial_officer()

    with pytest.raises(InvalidInput) as closed:
        await staff.move_to_pool(local.account.id, "220100", viewer=admin.viewer, now=now)
    with pytest.raises(InvalidInput) as provincial:
        await staff.move_to_pool(province.account.id, "220299", viewer=admin.viewer, now=now)

    assert [each.code for each in closed.value.problems] == ["POOL_NOT_SELECTABLE"]
    assert [each.code for each in provincial.value.problems] == ["POOL_OF_LOCAL_OFFICER"]
    assert (await Account.get(id=local.account.id)).pool_code == "220199"
    assert await signed_in(local.token) == local.viewer


CREATE = """mutation Create($input: StaffCreateInput!) { staffCreate(input: $input) { __typename
    ... on Account { role status name poolCode pool { name } idNumber } ... on Problem { code } ... on Taken { path } } }"""
DISABLE = (
    "mutation Disable($id: ID!) { staffDisable(input: {staffId: $id}) { __typename ... on Account { status } ... on Problem { code } } }"
)
ENABLE = DISABLE.replace("Disable", "Enable").replace("staffDisable", "staffEnable")
MOVE = """mutation Move($id: ID!) { staffMove(input: {staffId: $id, poolCode: "220299"}) { __typename
    ... on Account { poolCode } ... on Problem { code } } }"""
STAFF = "query Staff($search: String) { staff(search: $search, first: 100) { totalCount nodes { id name role } } }"


async def test_the_doors_of_staff(database: Any) -> None:
    admin, expert = await administrator(), await registered_expert()
    given = filled(role="LOCAL_OFFICER")
    names = {"pool_code": "poolCode", "id_number": "idNumber"}
    sent = {names.get(name, name): value for name, value in given.items()}

    made = await execute(CREATE, admin.viewer, input=sent)
    again = await execute(CREATE, admin.viewer, input=sent)
    stranger = await execute(CREATE, expert.viewer, input=sent)
    nobody = await execute(CREATE, None, input=sent)

    assert made.data == {
        "staffCreate": {
            "__typename": "Account",
            "role": "LOCAL_OFFICER",
            "status": "ACTIVE",
            "name": "李初审",
            "poolCode": "220199",
            "pool": {"name": "长春市本级"},
            "idNumber": None,
        }
    }
    assert again.data == {"staffCreate": {"__typename": "Taken", "code": "TAKEN", "path": "phone"}}
    assert stranger.data == {"staffCreate": {"__typename": "NotAllowed", "code": "NOT_ALLOWED"}}
    assert nobody.data == {"staffCreate": {"__typename": "NotSignedIn", "code": "NOT_SIGNED_IN"}}
    account = f"Account_{(await sign_in(given['phone'])).account.id}"
    moved = await execute(MOVE, admin.viewer, id=account)
    disabled = await execute(DISABLE, admin.viewer, id=account)
    enabled = await execute(ENABLE, admin.viewer, id=account)
    by_a_stranger = await execute(ENABLE, expert.viewer, id=account)
    malformed = await execute(DISABLE, admin.viewer, id="Account_x")
    assert moved.data == {"staffMove": {"__typename": "Account", "poolCode": "220299"}}
    assert disabled.data == {"staffDisable": {"__typename": "Account", "status": "DISABLED"}}
    assert enabled.data == {"staffEnable": {"__typename": "Account", "status": "ACTIVE"}}
    assert by_a_stranger.data == {"staffEnable": {"__typename": "NotAllowed", "code": "NOT_ALLOWED"}}
    assert malformed.data == {"staffDisable": {"__typename": "NotFound", "code": "NOT_FOUND"}}


async def test_staff_is_listed_to_administrators_and_colleagues_to_officers(database: Any) -> None:
    here, colleague, elsewhere = (
        await officer("220322", name="甲一"),
        await officer("220322", name="甲二"),
        await officer("220323", name="甲三"),
    )
    admin, province = await administrator(name="甲四"), await provincial_officer(name="甲五")
    gone = await officer("220322", name="甲六")
    await staff.disable(gone.account.id, viewer=admin.viewer, now=await database_now())

    async def names(viewer: Viewer) -> list[str]:
        return sorted(each["name"] for each in (await both(STAFF, viewer, search="甲"))["staff"]["nodes"])

    assert await names(here.viewer) == sorted(["甲一", "甲二"])
    assert await names(elsewhere.viewer) == ["甲三"]
    assert await names(province.viewer) == ["甲五"]
    assert await names(admin.viewer) == sorted(["甲一", "甲二", "甲三", "甲四", "甲五", "甲六"])
    assert colleague.account.name == "甲二"
    for viewer, code in ((None, "NOT_SIGNED_IN"), ((await registered_expert()).viewer, "NOT_ALLOWED")):
        refused = await execute(STAFF, viewer)
        assert refused.errors is not None
        assert (refused.errors[0].extensions or {})["code"] == code


async def create_staff(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """The operator's command, with the password on standard input."""
    return await asyncio.to_thread(
        subprocess.run,
        [sys.executable, "-c", "import sys, run; sys.exit(run.main(['create-staff', *sys.argv[1:]]))", *arguments],
        input=PASSWORD + "\n",
        env=environment | {"REDIS_URL": "redis://127.0.0.1:1/0", "HOME": os.environ.get("HOME", "/")},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )


async def test_the_command_makes_the_first_administrator(environment: dict[str, str]) -> None:
    phone, number = some_phone(), some_id_number()

    done = await create_staff(environment, "赵管理", phone, number)

    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == f"ADMINISTRATOR 赵管理 signs in with {phone[3:6]}****{phone[-4:]}.\n"
    assert (await sign_in(phone)).viewer.role is Role.ADMINISTRATOR


async def test_what_the_command_refuses_is_told_in_words_field_by_field_and_nobody_is_made(environment: dict[str, str]) -> None:
    expert = await registered_expert()
    before = await Account.all().count()

    wrong = await create_staff(environment, "李初审", "123", "220102197503120010", "--role", "LOCAL_OFFICER")
    taken = await create_staff(environment, "李初审", some_phone(), expert.account.id_number or "")

    assert [(each.returncode, each.stderr) for each in (wrong, taken)] == [(1, ""), (1, "")]
    assert [line.partition(": ")[0] for line in wrong.stdout.splitlines()] == ["phone", "idNumber", "poolCode"]
    assert taken.stdout.startswith("This phone or id number has a live account, or the number is that of an expert:")
    assert await Account.all().count() == before
