from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.actions import accounts, pools, sessions, staff, staff_acts
from domain.actions.record_chain import BrokenLink, Head
from domain.rules import second_factor as rules
from domain.rules.errors import NotAllowed, SecondFactorNeeded, SecondFactorRejected
from models.accounts import StaffAct
from models.database import database_now, execute
from models.enums import ChainBreak, CodePurpose, Role, StaffActKind, Transport
from settings import Settings
from tests.graphql import both
from tests.graphql import execute as ask
from tests.people import (
    PASSWORD,
    SignedIn,
    administrator,
    code_sent,
    officer,
    provincial_officer,
    registered_expert,
    some_address,
    some_id_number,
    some_phone,
)

ACTS = """query ($of: ID, $acts: [StaffActKind!]) { staffActs(staffId: $of, acts: $acts, first: 50) {
    nodes { number act account { id } accountName accountRole accountPoolCode actorName actorRole } } }"""


async def acts(of: SignedIn, admin: SignedIn, *kinds: StaffActKind) -> list[tuple[Any, ...]]:
    """What an administrator reads of an account, the oldest first."""
    found = await both(ACTS, admin.viewer, of=f"Account_{of.account.id}", acts=[each.value for each in kinds] or None)
    return [(each["act"], each["accountPoolCode"], each["actorName"], each["actorRole"]) for each in reversed(found["staffActs"]["nodes"])]


async def test_what_an_administrator_does_with_an_account_is_on_record(database: Settings, now: datetime) -> None:
    admin = await administrator(name="赵记录")
    phone = some_phone()
    made = await staff.create(
        role=Role.LOCAL_OFFICER,
        pool_code="220199",
        phone=phone,
        password=PASSWORD,
        name="钱经办",
        id_number=some_id_number(),
        viewer=admin.viewer,
        now=now,
    )

    await staff.move_to_pool(made.id, "220299", viewer=admin.viewer, now=now)
    for _ in range(2):  # a repeat changes nothing
        await staff.disable(made.id, viewer=admin.viewer, now=now)
    await staff.enable(made.id, viewer=admin.viewer, now=now)
    qian = SignedIn(account=made, viewer=admin.viewer, token="", phone=phone, password=PASSWORD)

    by = ("赵记录", "ADMINISTRATOR")
    assert await acts(qian, admin) == [
        ("CREATED", "220199", *by),
        ("MOVED", "220299", *by),
        ("DISABLED", "220299", *by),
        ("ENABLED", "220299", *by),
    ]


async def test_what_staff_do_with_their_own_accounts_is_on_record(database: Settings, change_settings: Callable[..., Settings]) -> None:
    admin, zhao = await administrator(), await officer(name="孙本人")
    change_settings(staff_second_factor=True)

    async def begun(password: str) -> SecondFactorNeeded:
        with pytest.raises(SecondFactorNeeded) as needed:
            await sessions.open_session(
                zhao.phone,
                password=password,
                transport=Transport.BEARER,
                device="",
                address=some_address(),
                now=await database_now(),
            )
        return needed.value

    needed = await begun(PASSWORD)
    secret, now = rules.read(needed.enrolment.secret), await database_now()  # type: ignore[union-attr]
    present = {rules.code_at(secret, rules.step_of(now) + each) for each in (-1, 0, 1)}
    proof = await code_sent(zhao.phone, CodePurpose.SECOND_FACTOR, now=now - timedelta(seconds=90))
    wrong = next(each for each in ("000000", "1", "2", "3") if each not in present)
    with pytest.raises(SecondFactorRejected):
        await sessions.confirm_session(needed.ticket, wrong, phone_code=proof, now=now)
    await sessions.confirm_session(needed.ticket, rules.code_at(secret, rules.step_of(now)), now=now)
    sent = await code_sent(zhao.phone, CodePurpose.RESET_PASSWORD)
    await accounts.reset_password(zhao.phone, code=sent, password="another horse battery", now=await database_now())
    await staff.start_second_factor_anew(zhao.phone)

    own, operator = ("220199", "孙本人", "LOCAL_OFFICER"), ("220199", None, None)
    assert await acts(zhao, admin) == [
        ("CREATED", *operator),
        ("SIGNED_IN", *own),
        ("FACTOR_REFUSED", *own),
        ("FACTOR_SET", *own),
        ("SIGNED_IN", *own),
        ("PASSWORD_RESET", *own),
        ("FACTOR_RESET", *operator),
    ]
    assert await acts(zhao, admin, StaffActKind.FACTOR_SET) == [("FACTOR_SET", *own)]


async def test_officers_of_a_pool_that_closes_are_moved_on_record(database: Settings, now: datetime) -> None:
    admin, moved = await administrator(name="赵合并"), await officer("220581")

    await pools.merge("220581", "220599", reason="机构改革", viewer=admin.viewer, now=now)

    assert (await acts(moved, admin))[-1] == ("MOVED", "220599", "赵合并", "ADMINISTRATOR")


async def test_of_experts_and_of_what_was_refused_nothing_is_kept(database: Settings, now: datetime) -> None:
    admin, other = await administrator(), await officer()
    before = await StaffAct.all().count()

    await registered_expert()
    with pytest.raises(NotAllowed):
        await staff.disable(other.account.id, viewer=other.viewer, now=now)
    with pytest.raises(NotAllowed):
        await staff.disable(admin.account.id, viewer=admin.viewer, now=now)

    assert await StaffAct.all().count() == before


async def test_nobody_but_administrators_reads_the_record(database: Settings) -> None:
    for person in (await officer(), await provincial_officer(), await registered_expert()):
        answer = await ask(ACTS, person.viewer)
        assert [(each.extensions or {})["code"] for each in answer.errors or []] == ["NOT_ALLOWED"]


@pytest.mark.parametrize("cursor", ["2147483648", "9999999999", "9" * 30, "-1", "+1", " 1", "1_0", "٣", "", "x"])
async def test_a_cursor_that_is_no_number_of_an_act_is_refused(database: Settings, cursor: str) -> None:
    admin = await administrator()

    answer = await ask("query ($after: String) { staffActs(after: $after) { nodes { id } } }", admin.viewer, after=cursor)

    [error] = answer.errors or []
    assert answer.data is None
    assert error.extensions is not None
    assert [(each["path"], each["code"]) for each in error.extensions["fields"]] == [("after", "CURSOR_INVALID")]


async def test_acts_go_on_after_the_cursor_of_one_whatever_its_number(database: Settings) -> None:
    admin = await administrator()
    document = "query ($after: String) { staffActs(after: $after, first: 1) { nodes { number } pageInfo { endCursor } } }"

    newest = (await both(document, admin.viewer))["staffActs"]
    next_one = (await both(document, admin.viewer, after=newest["pageInfo"]["endCursor"]))["staffActs"]
    nothing_before = (await both(document, admin.viewer, after="2147483647"))["staffActs"]

    assert next_one["nodes"] == [{"number": newest["nodes"][0]["number"] - 1}]
    assert nothing_before["nodes"] == newest["nodes"]


async def test_acts_at_once_are_numbered_without_gaps_in_one_chain(database: Settings) -> None:
    before = await StaffAct.all().count()

    await asyncio.gather(*(officer() for _ in range(6)))

    numbers = [each.number for each in await StaffAct.all().order_by("number")]
    last = await StaffAct.all().order_by("-number").first()
    assert last is not None
    assert len(numbers) == before + 12  # made and signed in
    assert numbers == list(range(1, len(numbers) + 1))
    assert await staff_acts.verify() == ([Head(staff_acts.CHAIN, last.number, last.hash)], [])


async def test_what_was_changed_taken_out_or_cut_off_shows(database: Settings) -> None:
    await asyncio.gather(*(officer() for _ in range(3)))
    (head,), whole = await staff_acts.verify()
    third = await StaffAct.get(number=3)

    await execute("ALTER TABLE staff_acts DISABLE TRIGGER staff_acts_never_change")
    await execute("UPDATE staff_acts SET actor_name = '别人' WHERE number = 3")
    _, changed = await staff_acts.verify(head)
    await execute("UPDATE staff_acts SET actor_name = $1 WHERE number = 3", third.actor_name)
    await execute("DELETE FROM staff_acts WHERE number = $1", head.number)
    _, unseen = await staff_acts.verify()
    _, cut_off = await staff_acts.verify(head)
    await execute("DELETE FROM staff_acts WHERE number = 3")
    _, taken_out = await staff_acts.verify()
    await execute("TRUNCATE staff_acts")
    await execute("ALTER TABLE staff_acts ENABLE TRIGGER staff_acts_never_change")

    assert whole == []
    assert changed == [BrokenLink(staff_acts.CHAIN, 3, ChainBreak.CHANGED, third.id)]
    assert unseen == []
    assert cut_off == [BrokenLink(staff_acts.CHAIN, head.number, ChainBreak.MISSING)]
    assert taken_out == [BrokenLink(staff_acts.CHAIN, 3, ChainBreak.MISSING)]
