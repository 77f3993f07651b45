from __future__ import annotations

import asyncio
from datetime import date, datetime, timedelta
from typing import Any

import pytest

from domain.actions import accounts
from domain.rules.errors import CodeRejected, InvalidInput, Taken
from domain.rules.fields import Fields
from models.accounts import Account, Consent, PhoneCode, Session
from models.database import rows
from models.enums import AccountStatus, CodePurpose, Role, Standing
from models.experts import Expert
from models.sealing import phone_hash
from settings import settings
from tests.people import PASSWORD, code_sent, officer, registered_expert, sign_in, some_id_number, some_phone


def filled(**changes: Any) -> dict[str, Any]:
    """A complete input but for the code."""
    given = {
        "phone": some_phone(),
        "password": PASSWORD,
        "name": "欧阳娜娜",
        "id_number": some_id_number(),
        "terms_version": settings().privacy_terms_version,
        "sensitive_data_accepted": True,
        "language": "zh",
    }
    return given | changes


async def counted() -> tuple[int, int, int]:
    return await Account.all().count(), await Expert.all().count(), await Consent.all().count()


async def test_a_person_becomes_a_temporary_expert_with_their_consent(now: datetime) -> None:
    given = filled()
    code = await code_sent(given["phone"], CodePurpose.REGISTER, now=now)

    account = await accounts.register(**given, code=code, now=now)

    kept = await Account.get(id=account.id)
    assert (kept.role, kept.status, kept.name, kept.language) == (Role.EXPERT, AccountStatus.ACTIVE, "欧阳娜娜", "zh")
    assert (kept.phone, kept.id_number) == (given["phone"], given["id_number"])
    assert kept.phone_masked == f"{given['phone'][3:6]}****{given['phone'][-4:]}"
    assert kept.id_number_masked == f"22***************{given['id_number'][-1:]}"
    expert = await Expert.get(account_id=account.id)
    assert (expert.standing, expert.name, expert.number, expert.pool_code) == (Standing.TEMPORARY, "欧阳娜娜", None, None)
    consent = await Consent.get(account_id=account.id)
    assert (consent.terms_version, consent.accepted_at, consent.sensitive_accepted_at) == ("2026-01", now, now)
    assert await Session.filter(account_id=account.id).count() == 0


async def test_what_is_at_rest_shows_neither_phone_nor_id_number_nor_password(now: datetime) -> None:
    given = filled()
    await accounts.register(**given, code=await code_sent(given["phone"], CodePurpose.REGISTER), now=now)

    found = await rows("SELECT to_jsonb(a)::text AS line FROM accounts a WHERE phone_hash = $1", phone_hash(given["phone"]))

    line = found[0]["line"]
    for secret in (given["phone"][3:], given["id_number"], PASSWORD):
        assert secret not in line
        assert secret.encode().hex() not in line
    assert "$argon2id$" in line


async def test_what_people_type_is_put_right(now: datetime) -> None:
    number = some_id_number(born=date(1966, 6, 6))
    full_width = "".join(chr(ord(each) + 0xFEE0) for each in number[:17]) + number[17].lower()
    phone = some_phone()
    given = filled(phone=f"{phone[3:6]}-{phone[6:10]} {phone[10:]}", name=" 买买提• 吐尔逊 ", id_number=full_width)

    account = await accounts.register(**given, code=await code_sent(phone, CodePurpose.REGISTER), now=now)

    assert (account.phone, account.name, account.id_number) == (phone, "买买提·吐尔逊", number)


@pytest.mark.parametrize("number", ["810000199408230021", "911124198108030024"])
async def test_residents_of_hong_kong_and_foreigners_register_with_their_own_cards(now: datetime, number: str) -> None:
    given = filled(id_number=number)

    account = await accounts.register(**given, code=await code_sent(given["phone"], CodePurpose.REGISTER), now=now)

    assert account.id_number == number


async def test_everything_that_is_wrong_is_told_at_once_and_the_code_stays_good(now: datetime) -> None:
    given = filled(password="short", name="张😀", id_number="220102197503120010", terms_version="2025-01", sensitive_data_accepted=False)
    code = await code_sent(given["phone"], CodePurpose.REGISTER, now=now)
    before = await counted()

    with pytest.raises(InvalidInput) as refusal:
        await accounts.register(**given, code=code, now=now)

    assert sorted((each.path, each.code) for each in refusal.value.problems) == [
        ("idNumber", "ID_NUMBER_CHECK_DIGIT"),
        ("name", "NAME_CHARACTERS"),
        ("password", "PASSWORD_LENGTH"),
        ("sensitiveDataAccepted", "SENSITIVE_DATA_NOT_ACCEPTED"),
        ("termsVersion", "TERMS_VERSION"),
    ]
    assert await counted() == before
    await accounts.register(**filled(phone=given["phone"]), code=code, now=now)


@pytest.mark.parametrize(
    ("changes", "path", "code"),
    [
        ({"phone": "0431-88904114"}, "phone", "PHONE_NOT_MOBILE"),
        ({"id_number": "220102750312001"}, "idNumber", "ID_NUMBER_15_DIGITS"),
        ({"id_number": "220102197502300010"}, "idNumber", "ID_NUMBER_BIRTH_DATE"),
        ({"id_number": "220102209001010011"}, "idNumber", "ID_NUMBER_BIRTH_DATE"),
        ({"name": "张\x00三"}, "name", "NAME_CHARACTERS"),
        ({"name": ""}, "name", "NAME_LENGTH"),
        ({"password": "woaini1314520"}, "password", "PASSWORD_COMMON"),
        ({"sensitive_data_accepted": False}, "sensitiveDataAccepted", "SENSITIVE_DATA_NOT_ACCEPTED"),
    ],
)
async def test_one_wrong_field_is_told_by_its_path(now: datetime, changes: dict[str, str], path: str, code: str) -> None:
    before = await counted()

    with pytest.raises(InvalidInput) as refusal:
        await accounts.register(**filled(**changes), code="000000", now=now)

    assert [(each.path, each.code) for each in refusal.value.problems] == [(path, code)]
    assert await counted() == before


async def test_a_password_made_of_phone_or_id_number_is_refused(now: datetime) -> None:
    for part in ("phone", "id_number"):
        given = filled()
        given["password"] = "my-" + given[part][-8:] + "-word"

        with pytest.raises(InvalidInput) as refusal:
            await accounts.register(**given, code="000000", now=now)

        assert [(each.path, each.code) for each in refusal.value.problems] == [("password", "PASSWORD_PERSONAL")]


async def test_without_the_right_code_nobody_registers(now: datetime) -> None:
    given = filled()
    code = await code_sent(given["phone"], CodePurpose.REGISTER, now=now)
    before = await counted()

    with pytest.raises(CodeRejected):
        await accounts.register(**given, code=f"{(int(code) + 1) % 1_000_000:06}", now=now)

    assert await counted() == before
    assert (await PhoneCode.get(phone_hash=phone_hash(given["phone"]))).wrong_tries == 1


async def test_a_taken_phone_is_told_to_nobody_but_its_holder(now: datetime) -> None:
    phone = (await registered_expert()).phone
    before = await counted()

    with pytest.raises(CodeRejected):
        await accounts.register(**filled(phone=phone), code="000000", now=now)
    code = await code_sent(phone, CodePurpose.REGISTER, now=now + timedelta(minutes=2))
    with pytest.raises(Taken) as refusal:
        await accounts.register(**filled(phone=phone), code=code, now=now + timedelta(minutes=2))

    assert refusal.value.path == "phone"
    assert await counted() == before


async def test_each_look_at_whether_an_id_number_is_taken_costs_a_code(now: datetime) -> None:
    taken = (await registered_expert()).account.id_number
    given = filled(id_number=taken)
    code = await code_sent(given["phone"], CodePurpose.REGISTER, now=now)
    before = await counted()

    with pytest.raises(Taken) as refusal:
        await accounts.register(**given, code=code, now=now)
    with pytest.raises(CodeRejected):
        await accounts.register(**given, code=code, now=now)

    assert refusal.value.path == "idNumber"
    assert await counted() == before


async def test_the_id_number_of_an_officer_cannot_register_and_the_answer_is_the_same(now: datetime) -> None:
    given = filled(id_number=(await officer()).account.id_number)

    with pytest.raises(Taken) as refusal:
        await accounts.register(**given, code=await code_sent(given["phone"], CodePurpose.REGISTER), now=now)

    assert (refusal.value.code, refusal.value.path) == ("TAKEN", "idNumber")


async def test_two_registrations_with_one_id_number_at_once_make_one_account(now: datetime) -> None:
    number = some_id_number()
    people = [filled(id_number=number) for _ in range(6)]
    codes = [await code_sent(each["phone"], CodePurpose.REGISTER, now=now) for each in people]
    before = await counted()

    answers = await asyncio.gather(
        *(accounts.register(**each, code=code, now=now) for each, code in zip(people, codes, strict=True)), return_exceptions=True
    )

    assert sum(isinstance(each, Account) for each in answers) == 1
    assert [each.path for each in answers if isinstance(each, Taken)] == ["idNumber"] * 5
    assert await counted() == tuple(each + 1 for each in before)


async def test_the_same_registration_twice_at_once_makes_one_account(now: datetime) -> None:
    given = filled()
    code = await code_sent(given["phone"], CodePurpose.REGISTER, now=now)

    answers = await asyncio.gather(*(accounts.register(**given, code=code, now=now) for _ in range(6)), return_exceptions=True)

    assert sorted(type(each).__name__ for each in answers) == ["Account"] + ["CodeRejected"] * 5
    assert await Account.filter(phone_hash=phone_hash(given["phone"])).count() == 1
    await sign_in(given["phone"])


async def test_two_people_who_race_for_one_phone_are_decided_by_the_constraint(now: datetime) -> None:
    phone = some_phone()
    people = [
        accounts.checked_person(Fields(), name="张三", phone=phone, id_number=some_id_number(), password=PASSWORD, language="zh", now=now)
        for _ in range(2)
    ]

    answers = await asyncio.gather(
        *(accounts.create_expert(each, terms_version="2026-01", now=now) for each in people), return_exceptions=True
    )

    assert sum(isinstance(each, Account) for each in answers) == 1
    assert [each.path for each in answers if isinstance(each, Taken)] == ["phone"]
