from __future__ import annotations

import asyncio

import pytest

from domain.actions import phone_codes, sessions, standing
from domain.actions.clock import move as move_clock
from domain.rules.errors import CodeRejected, InvalidInput, NotAllowed, SignInRefused, WrongStanding
from models.accounts import Account, Session
from models.applications import Application, ApplicationRecord
from models.database import database_now
from models.enums import AccountStatus, CaseKind, CodePurpose, Move, SmsTemplate, Stage, Standing, StandingChange, Transport
from models.experts import Expert
from models.sms import SmsMessage
from models.standing import StandingRecord
from settings import Settings, settings
from tests.cases import case_at
from tests.graphql import execute
from tests.people import SignedIn, code_sent, officer, provincial_officer, registered_expert, sign_in, some_address

LEAVE = """mutation Leave($input: ExpertDeregisterInput!) { expertDeregister(input: $input) { __typename
    ... on ExpertDeregistered { at } ... on WrongStanding { standing } ... on Problem { code } } }"""
FORMER = "query Former($id: ID!) { expert(id: $id) { formerRegistrations { expertId number standing leftOn } } }"


async def formal(name: str = "钱正式") -> SignedIn:
    person, _ = await case_at(Stage.ADMITTED, name=name)
    return await sign_in(person.phone)


async def another_code(phone: str, purpose: CodePurpose) -> str:
    """A code after the pause that must lie between two of them."""
    await move_clock(61, settings=settings())
    return await code_sent(phone, purpose)


async def leave(person: SignedIn, *, confirm: bool = True) -> StandingRecord:
    code = await code_sent(person.phone, CodePurpose.DEREGISTER)
    return await standing.deregister(code=code, confirm=confirm, viewer=person.viewer, now=await database_now())


async def test_leaving_ends_everything_at_once_and_is_on_record(database: Settings) -> None:
    person = await formal()
    await sign_in(person.phone)
    opened = await Application.create(
        kind=CaseKind.CHANGE,
        expert_id=person.viewer.expert_id,
        applicant="钱正式",
        created_at=await database_now(),
        stage_since=await database_now(),
    )

    record = await leave(person)

    expert, account = await Expert.get(id=person.viewer.expert_id), await Account.get(id=person.account.id)
    assert (expert.standing, account.status) == (Standing.DEREGISTERED, AccountStatus.DEREGISTERED)
    assert await Session.filter(account_id=account.id, ended_at__isnull=True).count() == 0
    assert (await sessions.authenticate(person.token))[0] is None
    assert (await Application.get(id=opened.id)).stage is Stage.CANCELLED
    cancelled = await ApplicationRecord.get(application_id=opened.id)
    assert (cancelled.move, cancelled.actor_id) == (Move.CANCEL, None)
    assert (record.change, record.from_standing, record.to_standing) == (
        StandingChange.DEREGISTER,
        Standing.FORMAL,
        Standing.DEREGISTERED,
    )
    assert await SmsMessage.filter(account_id=account.id, template=SmsTemplate.DEREGISTERED).count() == 1


async def test_signing_in_is_refused_as_for_a_phone_that_nobody_has(database: Settings) -> None:
    person = await formal()
    await leave(person)

    with pytest.raises(SignInRefused):
        await sign_in(person.phone)
    code = await another_code(person.phone, CodePurpose.SIGN_IN)
    with pytest.raises(SignInRefused):
        await sessions.open_session(
            person.phone, code=code, transport=Transport.BEARER, device="pytest", address=some_address(), now=await database_now()
        )

    assert await Session.filter(account_id=person.account.id, ended_at=None).count() == 0


async def test_registering_again_makes_a_new_account_that_the_province_sees_linked(database: Settings) -> None:
    person = await formal()
    number = (await Expert.get(id=person.viewer.expert_id)).number
    id_number = (await Account.get(id=person.account.id)).id_number
    left = await leave(person)

    await move_clock(61, settings=settings())
    again = await registered_expert(id_number=id_number, phone=person.phone)

    assert again.account.id != person.account.id
    assert (await Expert.get(id=again.viewer.expert_id)).standing is Standing.TEMPORARY
    await Expert.filter(id=again.viewer.expert_id).update(number="229999000001")  # as if admitted: officers see it
    seen = await execute(FORMER, (await provincial_officer()).viewer, id=f"Expert_{again.viewer.expert_id}")
    own = await execute(FORMER, again.viewer, id=f"Expert_{again.viewer.expert_id}")
    assert seen.data is not None
    [former] = seen.data["expert"]["formerRegistrations"]
    assert (former["expertId"], former["number"], former["standing"]) == (f"Expert_{person.viewer.expert_id}", number, "DEREGISTERED")
    assert former["leftOn"] is not None
    assert left.expert_id == person.viewer.expert_id
    assert own.data == {"expert": {"formerRegistrations": []}}


async def test_only_formal_experts_leave_and_only_when_asked_twice(database: Settings) -> None:
    person, temporary = await formal(), await registered_expert()
    code = await another_code(temporary.phone, CodePurpose.DEREGISTER)

    with pytest.raises(WrongStanding) as standing_now:
        await standing.deregister(code=code, confirm=True, viewer=temporary.viewer, now=await database_now())
    with pytest.raises(NotAllowed):
        await standing.deregister(code=code, confirm=True, viewer=(await officer()).viewer, now=await database_now())
    with pytest.raises(InvalidInput) as unconfirmed:
        await leave(person, confirm=False)
    with pytest.raises(CodeRejected):
        await standing.deregister(code="000000", confirm=True, viewer=person.viewer, now=await database_now())

    assert standing_now.value.standing is Standing.TEMPORARY
    assert [(each.path, each.code) for each in unconfirmed.value.problems] == [("confirm", "CONFIRMATION_REQUIRED")]
    assert (await Expert.get(id=person.viewer.expert_id)).standing is Standing.FORMAL
    assert (await Account.get(id=person.account.id)).status is AccountStatus.ACTIVE
    assert await StandingRecord.filter(expert_id=person.viewer.expert_id).count() == 0
    await phone_codes.check(temporary.phone, CodePurpose.DEREGISTER, code, now=await database_now())


async def test_leaving_twice_at_once_happens_once(database: Settings) -> None:
    person = await formal()
    code = await code_sent(person.phone, CodePurpose.DEREGISTER)
    now = await database_now()

    done = await asyncio.gather(
        *(standing.deregister(code=code, confirm=True, viewer=person.viewer, now=now) for _ in range(2)), return_exceptions=True
    )

    [refused] = [each for each in done if not isinstance(each, StandingRecord)]
    assert isinstance(refused, CodeRejected | WrongStanding)  # as far as the first had come
    assert await StandingRecord.filter(expert_id=person.viewer.expert_id).count() == 1


async def test_leaving_by_graphql_is_for_formal_experts_alone(database: Settings) -> None:
    person = await formal()
    signed_out = await execute(LEAVE, input={"code": "000000", "confirm": True})
    temporary = await execute(LEAVE, (await registered_expert()).viewer, input={"code": "000000", "confirm": True})

    left = await execute(LEAVE, person.viewer, input={"code": await code_sent(person.phone, CodePurpose.DEREGISTER), "confirm": True})

    assert signed_out.data == {"expertDeregister": {"__typename": "NotSignedIn", "code": "NOT_SIGNED_IN"}}
    assert temporary.data == {"expertDeregister": {"__typename": "WrongStanding", "standing": "TEMPORARY", "code": "WRONG_STANDING"}}
    assert left.data is not None
    assert left.data["expertDeregister"]["__typename"] == "ExpertDeregistered"
