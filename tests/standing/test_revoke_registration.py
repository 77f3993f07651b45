from __future__ import annotations

from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
from tortoise.exceptions import IntegrityError

from domain.actions import sessions, standing
from domain.actions.erasure import erase_due
from domain.rules.errors import InvalidInput, NotAllowed, NotFound, SignInRefused, TooSoon, WrongStanding
from models.accounts import Account, IdNumberTry, Session
from models.applications import Application, ApplicationRecord
from models.database import database_now, execute
from models.enums import AccountStatus, Move, NoticeState, SmsTemplate, Stage, Standing, StandingChange
from models.experts import Expert
from models.publicity import PublicNotice
from models.sms import SmsMessage
from models.standing import Bar, StandingRecord
from settings import Settings, settings
from tests.cases import case_at, complete_profile
from tests.conftest import Clock
from tests.graphql import execute as ask
from tests.people import SignedIn, administrator, officer, provincial_officer, registered_expert, sign_in, some_id_number

REASONS = "本人持居民身份证到场，称未曾注册。"
REVOKE = """mutation Revoke($input: RegistrationRevokeInput!) { registrationRevoke(input: $input) { __typename
    ... on Expert { name standing standingRecords { change fromStanding toStanding reasons actorName } }
    ... on WrongStanding { standing } ... on TooSoon { retryAfterSeconds } ... on InvalidInput { fields { path code } }
    ... on Problem { code } } }"""
FORMER = "query Former($id: ID!) { expert(id: $id) { formerRegistrations { expertId number standing change } } }"


@pytest.fixture
async def province(database: Settings) -> SignedIn:
    """An officer of the province."""
    return await provincial_officer(name="郑省级")


async def number_of(person: SignedIn) -> str:
    return str((await Account.get(id=person.account.id)).id_number)


async def revoke(id_number: str, by: SignedIn, reasons: str = REASONS) -> Expert:
    return await standing.revoke_registration(id_number, reasons=reasons, viewer=by.viewer, now=await database_now())


async def is_untouched(person: SignedIn) -> bool:
    records = await StandingRecord.filter(expert_id=person.viewer.expert_id, change=StandingChange.REVOKE).count()
    account = await Account.get(id=person.account.id)
    return records == 0 and account.status is AccountStatus.ACTIVE and (await sessions.authenticate(person.token))[0] is not None


async def test_the_account_that_holds_the_number_is_closed_and_its_owner_registers(province: SignedIn) -> None:
    holder = await registered_expert(name="冒名者")
    await complete_profile(holder.viewer)
    number = await number_of(holder)
    [case] = await Application.filter(expert_id=holder.viewer.expert_id)

    expert = await revoke(f" {number[:17]}{number[17].lower()} ", province)

    account = await Account.get(id=holder.account.id)
    assert (expert.standing, account.status) == (Standing.DEREGISTERED, AccountStatus.DEREGISTERED)
    [record] = await StandingRecord.filter(expert_id=expert.id)
    assert (record.change, record.from_standing, record.to_standing, record.reasons, record.actor_id) == (
        StandingChange.REVOKE,
        Standing.TEMPORARY,
        Standing.DEREGISTERED,
        REASONS,
        province.account.id,
    )
    assert (await Application.get(id=case.id)).stage is Stage.CANCELLED
    [cancelled] = await ApplicationRecord.filter(application_id=case.id, move=Move.CANCEL)
    assert cancelled.actor_id is None
    assert (await sessions.authenticate(holder.token))[0] is None
    assert await Session.filter(account_id=account.id, ended_at=None).count() == 0
    [message] = await SmsMessage.filter(account_id=account.id)
    assert (message.template, message.phone) == (SmsTemplate.REGISTRATION_REVOKED, holder.phone)
    assert await Bar.filter(id_number_hash=account.id_number_hash).count() == 0
    with pytest.raises(SignInRefused):
        await sign_in(holder.phone)
    owner = await registered_expert(name="本人", id_number=number)
    assert (await Expert.get(id=owner.viewer.expert_id)).standing is Standing.TEMPORARY
    await Expert.filter(id=owner.viewer.expert_id).update(number="229999000007")  # as if admitted: officers see it
    seen = await ask(FORMER, province.viewer, id=f"Expert_{owner.viewer.expert_id}")
    former = {"expertId": f"Expert_{expert.id}", "number": None, "standing": "DEREGISTERED", "change": "REVOKE"}
    assert seen.data == {"expert": {"formerRegistrations": [former]}}
    listed = await ask("{ experts(filter: {standings: [DEREGISTERED]}) { nodes { id } } }", province.viewer)
    assert listed.data is not None
    assert {"id": former["expertId"]} in listed.data["experts"]["nodes"]
    linked = await ask("query Linked($id: ID!) { expert(id: $id) { name } }", province.viewer, id=former["expertId"])
    assert linked.data == {"expert": {"name": "冒名者"}}


async def test_a_case_before_the_public_ends_with_its_notice(province: SignedIn) -> None:
    holder, case = await case_at(Stage.PUBLICITY, name="冒名者")

    await revoke(await number_of(holder), province)

    assert (await Application.get(id=case.id)).stage is Stage.CANCELLED
    assert (await PublicNotice.get(application_id=case.id)).state is not NoticeState.OPEN
    assert (await Expert.get(id=holder.viewer.expert_id)).standing is Standing.DEREGISTERED


async def test_a_number_of_nobody_and_one_of_staff_get_the_same_answer(province: SignedIn) -> None:
    staff, left = await officer(), await registered_expert()
    of_staff, of_left = await number_of(staff), await number_of(left)
    await revoke(of_left, province)

    for number in (some_id_number(), of_staff, of_left):
        with pytest.raises(NotFound):
            await revoke(number, province)

    assert (await Account.get(id=staff.account.id)).status is AccountStatus.ACTIVE
    assert await StandingRecord.filter(expert_id=left.viewer.expert_id).count() == 1


async def test_a_holder_who_has_entered_another_number_meanwhile_is_not_closed(province: SignedIn, monkeypatch: pytest.MonkeyPatch) -> None:
    holder, held = await registered_expert(), standing.held
    number = await number_of(holder)

    async def held_later(expert_id: UUID) -> tuple[Expert, Application | None]:
        await Account.filter(id=holder.account.id).update(id_number_hash=b"another")
        return await held(expert_id)

    monkeypatch.setattr(standing, "held", held_later)
    with pytest.raises(NotFound):
        await revoke(number, province)

    assert await is_untouched(holder)


async def test_who_was_admitted_is_not_touched(province: SignedIn) -> None:
    formal, _ = await case_at(Stage.ADMITTED, name="钱正式")
    formal = await sign_in(formal.phone)

    with pytest.raises(WrongStanding) as refusal:
        await revoke(await number_of(formal), province)

    assert refusal.value.standing is Standing.FORMAL
    assert await is_untouched(formal)
    assert (await Expert.get(id=formal.viewer.expert_id)).standing is Standing.FORMAL


async def test_the_province_alone_revokes_and_not_for_its_own_officer(province: SignedIn) -> None:
    holder = await registered_expert()
    number = await number_of(holder)

    for by in (await officer(), await administrator(), await registered_expert(), holder):
        with pytest.raises(NotAllowed) as refusal:
            await revoke(number, by)
        assert refusal.value.code == "PROVINCE_DECIDES"
        assert await IdNumberTry.filter(account_id=by.account.id).count() == 0
    with pytest.raises(NotAllowed) as own:
        await revoke(await number_of(province), province)

    assert own.value.code == "OWN_CASE"
    assert await is_untouched(holder)


async def test_number_and_reasons_are_checked_before_anything_is_looked_for(province: SignedIn) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await revoke("220102197503121234", province, reasons=" ")

    assert [(each.path, each.code) for each in refusal.value.problems] == [
        ("idNumber", "ID_NUMBER_CHECK_DIGIT"),
        ("reasons", "TEXT_EMPTY"),
    ]
    assert await IdNumberTry.filter(account_id=province.account.id).count() == 0


async def test_numbers_that_an_officer_looks_for_are_on_record_and_so_many_a_day(
    province: SignedIn, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("domain.actions.standing.settings", lambda: replace(settings(), id_number_looks_per_day=2))
    holder = await registered_expert()
    number, nobodys = await number_of(holder), some_id_number()
    for each in (nobodys, some_id_number(), nobodys):  # the same again costs nothing
        with pytest.raises(NotFound):
            await revoke(each, province)

    with pytest.raises(TooSoon) as refusal:
        await revoke(number, province)

    assert 0 < refusal.value.retry_after_seconds <= 24 * 3600
    assert await is_untouched(holder)
    assert await IdNumberTry.filter(account_id=province.account.id).count() == 2
    await clock.move(hours=25)
    assert (await revoke(number, province)).standing is Standing.DEREGISTERED


async def test_what_is_left_is_erased_after_the_retention_time(province: SignedIn, clock: Clock) -> None:
    holder = await registered_expert(name="冒名者")
    await complete_profile(holder.viewer)
    expert = await revoke(await number_of(holder), province, reasons="冒名者本人到场。")
    for _ in range(settings().retention_days // 28 + 1):
        await clock.move(days=28)

    await erase_due(limit=1000)

    after, account = await Expert.get(id=expert.id), await Account.get(id=holder.account.id)
    assert after.erased_at is not None
    assert [account.id_number, account.phone] == [None, ""]
    assert account.id_number_hash == holder.account.id_number_hash
    [record] = await StandingRecord.filter(expert_id=expert.id)
    assert "冒名者" not in str(record.reasons)


async def test_a_revocation_ends_a_temporary_standing_with_reasons(province: SignedIn) -> None:
    person = await registered_expert()

    for left, reasons in (("FORMAL", "'理由'"), ("TEMPORARY", "NULL")):
        with pytest.raises(IntegrityError, match="a_revocation_ends_a_temporary_standing_with_reasons"):
            await execute(
                f"""INSERT INTO standing_records (id, expert_id, at, change, from_standing, to_standing, reasons)
                    VALUES (gen_random_uuid(), $1, now(), 'REVOKE', '{left}', 'DEREGISTERED', {reasons})""",
                person.viewer.expert_id,
            )


async def test_the_door_answers_with_who_was_closed_or_why_not(province: SignedIn) -> None:
    holder = await registered_expert(name="冒名者")
    formal, _ = await case_at(Stage.ADMITTED, name="钱正式")

    async def told(number: str, by: SignedIn | None = province) -> Any:
        answer = await ask(REVOKE, by.viewer if by else None, input={"idNumber": number, "reasons": REASONS})
        assert answer.data is not None
        return answer.data["registrationRevoke"]

    number = await number_of(holder)
    assert await told(number, None) == {"__typename": "NotSignedIn", "code": "NOT_SIGNED_IN"}
    assert await told(number, await officer()) == {"__typename": "NotAllowed", "code": "PROVINCE_DECIDES"}
    assert await told(await number_of(formal)) == {"__typename": "WrongStanding", "standing": "FORMAL", "code": "WRONG_STANDING"}
    record = {"change": "REVOKE", "fromStanding": "TEMPORARY", "toStanding": "DEREGISTERED", "reasons": REASONS, "actorName": "郑省级"}
    assert await told(number) == {"__typename": "Expert", "name": "冒名者", "standing": "DEREGISTERED", "standingRecords": [record]}
    assert await told(number) == {"__typename": "NotFound", "code": "NOT_FOUND"}
