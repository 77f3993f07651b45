from __future__ import annotations

import asyncio
from datetime import datetime
from typing import Any

import pytest
from tortoise.exceptions import IntegrityError

from domain.actions import objections, publicity
from domain.rules.errors import AlreadySettled, InvalidInput, NotAllowed, NotFound
from domain.rules.viewer import Viewer
from models.applications import Application, ApplicationRecord
from models.database import database_now
from models.database import execute as execute_sql
from models.enums import Move, NoticeState, ObjectionState, RevisionState, Role, SmsTemplate, Stage, Standing
from models.experts import Expert
from models.profiles import Revision
from models.publicity import Objection, PublicNotice
from models.sms import SmsMessage
from settings import Settings
from tests.cases import case_at, everything_about
from tests.conftest import Clock
from tests.graphql import both, execute
from tests.objections.raising import TEXT, objection_to
from tests.people import SignedIn, administrator, officer, provincial_officer, registered_expert, sign_in

REASONS = "经核查，履历证明材料系伪造。"
SETTLE = """mutation Settle($input: ObjectionSettleInput!) { objectionSettle(input: $input) { __typename
    ... on Objection { state settlement settledBy application { stage } } ... on AlreadySettled { state } ... on Problem { code }
    ... on InvalidInput { fields { path code } } } }"""
CASE = """query Case($id: ID!) { application(id: $id) { stage objections { receipt state text receivedAt phoneMasked settledBy settlement }
    records { move opinion } } }"""


@pytest.fixture
async def province(database: Settings) -> SignedIn:
    """An officer of the province."""
    return await provincial_officer(name="孙异议")


async def settle(objection: Objection, viewer: Viewer, *, upheld: bool, reasons: str = REASONS) -> Objection:
    return await objections.settle(objection.id, upheld=upheld, reasons=reasons, viewer=viewer, now=await database_now())


async def past_the_window(case: Application, clock: Clock) -> None:
    notice = await PublicNotice.get(application_id=case.id)
    await clock.move(seconds=(notice.closes_at - await clock.now()).total_seconds() + 1)
    await publicity.close_due_notices()


async def templates_of(case: Application) -> list[str]:
    found: list[Any] = await SmsMessage.filter(application_id=case.id).order_by("id").values_list("template", flat=True)
    return found


async def test_one_upheld_while_the_notice_runs_refuses_the_admission_at_once(province: SignedIn) -> None:
    person, case = await case_at(Stage.PUBLICITY)
    objection = await objection_to(case.id)

    settled = await settle(objection, province.viewer, upheld=True)

    kept, notice = await Application.get(id=case.id), await PublicNotice.get(application_id=case.id)
    assert (settled.state, settled.settlement, settled.settled_by_name) == (ObjectionState.UPHELD, REASONS, "孙异议")
    assert (kept.stage, notice.state) == (Stage.REJECTED, NoticeState.STRUCK)
    assert (await Revision.get(id=case.revision_id)).state is RevisionState.NOT_ADOPTED
    record = await ApplicationRecord.filter(application_id=case.id).order_by("-number").first()
    assert record is not None
    assert (record.move, record.from_stage, record.opinion, record.actor_role) == (
        Move.UPHOLD_OBJECTION,
        Stage.PUBLICITY,
        REASONS,
        Role.PROVINCIAL_OFFICER,
    )
    assert (await Expert.get(id=person.viewer.expert_id)).standing is Standing.TEMPORARY
    assert await templates_of(case) == [SmsTemplate.NOTICE_OPENED, SmsTemplate.OBJECTION_UPHELD]


async def test_what_waits_to_be_settled_is_in_the_province_s_inbox_and_can_be_settled_while_one_is_open(
    province: SignedIn, clock: Clock
) -> None:
    _, case = await case_at(Stage.PUBLICITY)
    local = (await officer()).viewer
    document = """query ($id: ID!) { application(id: $id) { stage availableMoves }
        applications(first: 100, filter: {awaitingMe: true}) { nodes { id } } }"""

    async def seen(viewer: Viewer) -> tuple[list[str], bool]:
        found = await both(document, viewer, id=f"Application_{case.id}")
        return found["application"]["availableMoves"], f"Application_{case.id}" in [each["id"] for each in found["applications"]["nodes"]]

    free = await seen(province.viewer)
    objection = await objection_to(case.id)
    objected = await seen(province.viewer)
    await past_the_window(case, clock)
    province = await sign_in(province.phone)
    held, of_local = await seen(province.viewer), await seen(local)
    await settle(objection, province.viewer, upheld=False)

    assert (free, objected) == (([], False), (["UPHOLD_OBJECTION"], False))
    assert (held, of_local) == ((["DISMISS_OBJECTIONS", "UPHOLD_OBJECTION"], True), ([], False))
    assert await seen(province.viewer) == ([], False)


async def test_the_message_says_nothing_of_the_objector(province: SignedIn) -> None:
    _, case = await case_at(Stage.PUBLICITY)

    await settle(await objection_to(case.id), province.viewer, upheld=True)

    message = await SmsMessage.get(application_id=case.id, template=SmsTemplate.OBJECTION_UPHELD)
    assert message.parameters == {}


async def test_one_dismissed_while_the_notice_runs_moves_nothing_and_the_end_admits(province: SignedIn, clock: Clock) -> None:
    person, case = await case_at(Stage.PUBLICITY)
    objection = await objection_to(case.id)
    before = await everything_about(case.id)

    await settle(objection, province.viewer, upheld=False, reasons="经核查不属实。")

    assert await everything_about(case.id) == before
    await past_the_window(case, clock)
    assert (await Application.get(id=case.id)).stage is Stage.ADMITTED
    assert (await Expert.get(id=person.viewer.expert_id)).standing is Standing.FORMAL


async def test_when_the_window_is_over_the_last_dismissal_admits(province: SignedIn, clock: Clock) -> None:
    person, case = await case_at(Stage.PUBLICITY)
    first, second = await objection_to(case.id), await objection_to(case.id)
    await past_the_window(case, clock)
    held = await Application.get(id=case.id)

    await settle(first, province.viewer, upheld=False, reasons="不属实。")
    between = await Application.get(id=case.id)
    await settle(second, province.viewer, upheld=False, reasons="亦不属实。")

    after = await Application.get(id=case.id)
    assert (held.stage, between.stage, after.stage) == (Stage.OBJECTION, Stage.OBJECTION, Stage.ADMITTED)
    record = await ApplicationRecord.filter(application_id=case.id).order_by("-number").first()
    assert record is not None
    assert (record.move, record.opinion) == (Move.DISMISS_OBJECTIONS, None)
    expert = await Expert.get(id=person.viewer.expert_id)
    assert (expert.standing, expert.number is not None) == (Standing.FORMAL, True)
    assert await templates_of(case) == [SmsTemplate.NOTICE_OPENED, SmsTemplate.ADMITTED]


async def test_when_the_window_is_over_one_upheld_refuses_and_the_others_can_still_be_settled(province: SignedIn, clock: Clock) -> None:
    _, case = await case_at(Stage.PUBLICITY)
    first, second = await objection_to(case.id), await objection_to(case.id)
    await past_the_window(case, clock)

    await settle(first, province.viewer, upheld=True)
    refused = await everything_about(case.id)
    await settle(second, province.viewer, upheld=True, reasons="同上。")

    assert refused["case"]["stage"] == "REJECTED"
    assert await everything_about(case.id) == refused
    assert (await Objection.get(id=second.id)).state is ObjectionState.UPHELD


async def test_of_two_officers_at_once_one_settles_and_the_other_is_told(province: SignedIn) -> None:
    _, case = await case_at(Stage.PUBLICITY)
    objection, other = await objection_to(case.id), await provincial_officer()

    done = await asyncio.gather(
        settle(objection, province.viewer, upheld=True), settle(objection, other.viewer, upheld=True), return_exceptions=True
    )

    [refusal] = [each for each in done if isinstance(each, AlreadySettled)]
    assert refusal.state is ObjectionState.UPHELD
    assert await ApplicationRecord.filter(application_id=case.id, move=Move.UPHOLD_OBJECTION).count() == 1


async def test_nobody_settles_their_own_objection_or_names_the_objector(province: SignedIn) -> None:
    _, case = await case_at(Stage.PUBLICITY)
    own, other = await objection_to(case.id, phone=province.phone), await objection_to(case.id)
    before = await everything_about(case.id)

    with pytest.raises(NotAllowed) as refusal:
        await settle(own, province.viewer, upheld=True)
    with pytest.raises(InvalidInput) as naming:
        await settle(other, province.viewer, upheld=True, reasons=f"{other.phone[3:]} 反映属实")

    assert refusal.value.code == "OWN_OBJECTION"
    assert [(each.path, each.code) for each in naming.value.problems] == [("reasons", "NAMES_OBJECTOR")]
    assert await everything_about(case.id) == before
    assert await Objection.filter(application_id=case.id, state=ObjectionState.OPEN).count() == 2


async def test_only_the_province_settles_and_objections_exist_for_nobody_else(province: SignedIn) -> None:
    person, case = await case_at(Stage.PUBLICITY)
    objection = await objection_to(case.id)
    given = {"objectionId": f"Objection_{objection.id}", "upheld": False, "reasons": "不属实。"}
    own = await officer()
    before = await everything_about(case.id)

    for viewer in (person.viewer, (await registered_expert()).viewer, own.viewer, (await administrator()).viewer):
        with pytest.raises(NotFound):
            await settle(objection, viewer, upheld=True)
        read = await execute(CASE, viewer, id=f"Application_{case.id}")
        assert read.data is not None
        assert read.data["application"] is None or read.data["application"]["objections"] == []
        node = await execute("query Node($id: ID!) { node(id: $id) { id } }", viewer, id=f"Objection_{objection.id}")
        assert node.data == {"node": None}
    signed_out = await execute(SETTLE, input=given)
    assert signed_out.data is not None
    assert signed_out.data["objectionSettle"] == {"__typename": "NotSignedIn", "code": "NOT_SIGNED_IN"}
    assert await everything_about(case.id) == before

    answer = await execute(SETTLE, province.viewer, input=given)
    again = await execute(SETTLE, province.viewer, input=given)

    assert answer.data is not None
    assert answer.data["objectionSettle"] == {
        "__typename": "Objection",
        "state": "DISMISSED",
        "settlement": "不属实。",
        "settledBy": "孙异议",
        "application": {"stage": "PUBLICITY"},
    }
    assert again.data is not None
    assert again.data["objectionSettle"] == {"__typename": "AlreadySettled", "state": "DISMISSED", "code": "ALREADY_SETTLED"}


async def test_the_province_reads_text_time_and_masked_phone(province: SignedIn, now: datetime) -> None:
    _, case = await case_at(Stage.PUBLICITY)
    objection = await objection_to(case.id)

    read = await execute(CASE, province.viewer, id=f"Application_{case.id}")
    waiting = await execute("{ objections(unsettled: true, first: 100) { nodes { receipt } } }", province.viewer)
    refused = await execute("{ objections { nodes { receipt } } }", (await officer()).viewer)

    assert read.data is not None
    [told] = read.data["application"]["objections"]
    assert (told["receipt"], told["text"], told["state"]) == (objection.receipt, TEXT, "OPEN")
    assert told["phoneMasked"] == f"{objection.phone[3:6]}****{objection.phone[-4:]}"
    assert waiting.data is not None
    assert objection.receipt in [each["receipt"] for each in waiting.data["objections"]["nodes"]]
    assert refused.errors is not None
    assert refused.errors[0].extensions == {"code": "NOT_ALLOWED"}


@pytest.mark.parametrize(
    ("constraint", "change"),
    [
        ("a_settled_objection_has_its_reasons", "state = 'DISMISSED'"),
        ("a_settled_objection_has_its_reasons", "settlement = '不属实。'"),
        ("a_receipt_is_given_once", "receipt = '20260101-00000000'"),
    ],
)
async def test_what_is_always_true_of_objections(now: datetime, constraint: str, change: str) -> None:
    _, case = await case_at(Stage.PUBLICITY)
    await objection_to(case.id)
    await objection_to(case.id)

    with pytest.raises(IntegrityError, match=constraint):
        await execute_sql(f"UPDATE objections SET {change} WHERE application_id = $1", case.id)


LISTED = """query ($receipt: String, $pool: String, $unsettled: Boolean! = false) {
    objections(receipt: $receipt, poolCode: $pool, unsettled: $unsettled) { nodes { receipt } totalCount } }"""


async def test_an_objection_is_found_by_the_receipt_that_the_objector_tells(province: SignedIn) -> None:
    _, case = await case_at(Stage.PUBLICITY)
    wanted, _ = await objection_to(case.id), await objection_to(case.id)

    for told in (wanted.receipt, f" {wanted.receipt.lower()} "):
        found = await both(LISTED, province.viewer, receipt=told)
        assert found["objections"] == {"nodes": [{"receipt": wanted.receipt}], "totalCount": 1}
    for other in (wanted.receipt[:-1], ""):
        assert (await both(LISTED, province.viewer, receipt=other))["objections"]["nodes"] == []


async def test_objections_are_listed_by_the_pool_of_their_case(province: SignedIn) -> None:
    (_, here), (_, there) = await case_at(Stage.PUBLICITY, pool="220281"), await case_at(Stage.PUBLICITY, pool="220282")
    mine, settled, _ = await objection_to(here.id), await objection_to(here.id), await objection_to(there.id)
    await settle(settled, province.viewer, upheld=False)

    async def found(**chosen: Any) -> list[str]:
        return [each["receipt"] for each in (await both(LISTED, province.viewer, **chosen))["objections"]["nodes"]]

    assert await found(pool="220281") == [mine.receipt, settled.receipt]
    assert await found(pool="220281", unsettled=True) == [mine.receipt]
    assert await found(pool="220283") == []
