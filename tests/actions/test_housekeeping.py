from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from domain.actions import housekeeping
from models.accounts import Account, FailedSignIn, IdempotencyKey, IdNumberTry, PhoneCode, Session, SignInTicket
from models.database import database_now
from models.enums import AccountStatus, CodePurpose, OutboxState, SmsTemplate, Transport
from models.outbox import OutboxRow
from models.sms import SmsMessage
from settings import Settings
from tests.people import SignedIn, officer, registered_expert

HOUR, DAY = timedelta(hours=1), timedelta(days=1)


async def _rows_of_age(person: SignedIn, staff: SignedIn, age: timedelta) -> None:
    at = await database_now() - age
    digest = uuid4().bytes
    for each in (person, staff):
        await IdNumberTry.create(account_id=each.account.id, id_number_hash=digest, at=at)
    await FailedSignIn.create(phone_hash=digest, address_hash=digest, at=at)
    await PhoneCode.create(phone_hash=digest, address_hash=digest, purpose=CodePurpose.SIGN_IN, created_at=at, expires_at=at)
    await IdempotencyKey.create(
        account_id=person.account.id, key=str(uuid4()), verb="verb", input_hash=digest, result_id=uuid4(), created_at=at
    )
    for ended in (at, None):
        await Session.create(
            account_id=person.account.id,
            token_hash=uuid4().bytes,
            transport=Transport.BEARER,
            device="pytest",
            created_at=at,
            used_at=at,
            expires_at=at + 14 * DAY,
            ended_at=ended,
        )
    await SignInTicket.create(
        account=person.account,
        token_hash=uuid4().bytes,
        transport=Transport.BEARER,
        device="pytest",
        created_at=at,
        expires_at=at + HOUR,
    )
    for code in (uuid4(), None):
        await SmsMessage.create(
            template=SmsTemplate.PHONE_CODE, language="zh", phone=person.phone, phone_masked="", phone_code_id=code, created_at=at
        )
    for state in OutboxState:
        await OutboxRow.create(kind="TEST", subject_id=uuid4(), state=state, due_at=at, created_at=at, done_at=at)


async def test_a_promise_that_was_given_up_alarms_while_somebody_can_send_its_message_again(database: Settings) -> None:
    person, at = await registered_expert(), await database_now()
    await OutboxRow.all().delete()
    messages = [
        await SmsMessage.create(
            template=SmsTemplate.ADMITTED, language="zh", phone=person.phone, phone_masked="139", account_id=account, created_at=at
        )
        for account in (person.account.id, None)
    ]
    gone = uuid4()
    for subject in (*(each.id for each in messages), gone):
        await OutboxRow.create(kind="SMS", subject_id=subject, state=OutboxState.DEAD, due_at=at, created_at=at, done_at=at)

    removed = [(await housekeeping.tidy())["outbox"]]
    left = [each.subject_id for each in await OutboxRow.filter(state=OutboxState.DEAD)]
    await Account.filter(id=person.account.id).update(status=AccountStatus.DEREGISTERED)
    removed.append((await housekeeping.tidy())["outbox"])

    assert left == [messages[0].id]
    assert await OutboxRow.filter(state=OutboxState.DEAD).count() == 0
    assert (removed, await OutboxRow.all().count()) == ([0, 0], 3)  # a receipt may still come


async def test_what_is_over_is_removed_and_the_rest_stays(database: Settings) -> None:
    person, staff = await registered_expert(), await officer()
    await PhoneCode.all().delete()
    await OutboxRow.all().delete()
    for age in (23 * HOUR, 25 * HOUR, 3 * DAY, 31 * DAY, 91 * DAY):
        await _rows_of_age(person, staff, age)

    removed = await housekeeping.tidy()
    again = await housekeeping.tidy()

    assert {table: count for table, count in removed.items() if count} == {
        "idempotency_keys": 4,
        "failed_sign_ins": 4,
        "id_number_tries": 4,
        "sign_in_tickets": 4,
        "phone_codes": 3,
        "sms_messages": 1,
        "sessions": 1,
        "outbox": 2,
    }
    assert set(again.values()) == {0}
    assert (await FailedSignIn.all().count(), await IdempotencyKey.all().count(), await PhoneCode.all().count()) == (1, 1, 2)
    assert await IdNumberTry.filter(account_id=staff.account.id).count() == 5
    assert await SmsMessage.filter(phone_masked="").count() == 9
    assert await Session.filter(account_id=person.account.id, device="pytest").count() == 1 + 9
    assert await OutboxRow.all().count() == 18
    assert await OutboxRow.filter(state=OutboxState.DEAD).count() == 5
