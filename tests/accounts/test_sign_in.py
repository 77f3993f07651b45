from __future__ import annotations

import asyncio
from datetime import datetime, timedelta
from typing import Any

import argon2
import pytest
from argon2 import PasswordHasher

from domain.actions import accounts, passwords, sessions
from domain.actions.sessions import OpenedSession
from domain.rules.errors import CodeRejected, InvalidInput, SignInRefused, TooSoon
from models.accounts import Account, FailedSignIn, Session
from models.enums import AccountStatus, CodePurpose, Transport
from models.sealing import phone_hash, sha256
from tests.people import PASSWORD, SignedIn, code_sent, registered_expert, some_address, some_phone


async def by_password(phone: str, password: str, *, now: datetime, address: str | None = None) -> OpenedSession:
    return await sessions.open_session(
        phone, password=password, transport=Transport.BEARER, device="pytest", address=address or some_address(), now=now
    )


async def by_code(phone: str, code: str, *, now: datetime) -> OpenedSession:
    return await sessions.open_session(phone, code=code, transport=Transport.COOKIE, device="pytest", address=some_address(), now=now)


async def failures(phone: str) -> int:
    return await FailedSignIn.filter(phone_hash=phone_hash(phone)).count()


@pytest.fixture
async def person(now: datetime) -> SignedIn:
    return await registered_expert()


@pytest.fixture
def compared(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes with which passwords have been compared."""
    hashes: list[str] = []

    def matches(kept: str, password: str) -> bool:
        hashes.append(kept)
        return real(kept, password)

    real = passwords._matches
    monkeypatch.setattr(passwords, "_matches", matches)
    return hashes


async def test_a_password_opens_a_session_whose_token_is_kept_as_a_hash(person: SignedIn, now: datetime) -> None:
    opened = await by_password(person.phone[3:], PASSWORD, now=now)

    kept = await Session.get(id=opened.session.id)
    assert (kept.transport, kept.device, kept.created_at, kept.used_at) == (Transport.BEARER, "pytest", now, now)
    assert (kept.expires_at, kept.ended_at) == (now + timedelta(days=14), None)
    assert len(opened.token) == 43
    assert kept.token_hash == sha256(opened.token.encode())


async def test_every_sign_in_has_a_token_of_its_own(person: SignedIn, now: datetime) -> None:
    tokens = {(await by_password(person.phone, PASSWORD, now=now)).token for _ in range(5)}

    assert len(tokens) == 5


async def test_a_phone_code_opens_a_session_once(person: SignedIn, now: datetime) -> None:
    later = now + timedelta(minutes=2)
    code = await code_sent(person.phone, CodePurpose.SIGN_IN, now=later)

    opened = await by_code(person.phone, code, now=later)

    assert (await Session.get(id=opened.session.id)).transport is Transport.COOKIE
    with pytest.raises(CodeRejected):
        await by_code(person.phone, code, now=later)


async def test_a_browser_that_signs_in_again_gives_its_earlier_session_up(person: SignedIn, now: datetime) -> None:
    other = await registered_expert(name="李四")

    await sessions.open_session(
        other.phone, password=PASSWORD, transport=Transport.COOKIE, device="", address=some_address(), replaces=person.viewer, now=now
    )

    assert (await Session.get(id=person.viewer.session_id)).ended_at == now
    assert (await Session.get(id=other.viewer.session_id)).ended_at is None


async def test_what_a_client_calls_itself_is_cut_and_cleaned_never_refused(person: SignedIn, now: datetime) -> None:
    opened = await sessions.open_session(
        person.phone, password=PASSWORD, transport=Transport.BEARER, device="a\x00b\ud800\n<c>" + "d" * 300, address="", now=now
    )

    assert opened.session.device == "ab<c>" + "d" * 195


@pytest.mark.parametrize(("password", "code"), [(None, None), ("correct horse battery", "123456")])
async def test_exactly_one_proof_is_asked_for(person: SignedIn, now: datetime, password: str | None, code: str | None) -> None:
    with pytest.raises(InvalidInput) as refusal:
        await sessions.open_session(person.phone, password=password, code=code, transport=Transport.BEARER, device="", address="", now=now)

    assert [(each.path, each.code) for each in refusal.value.problems] == [("password", "ONE_PROOF")]


async def test_unknown_phone_and_wrong_password_get_the_same_answer_for_the_same_work(
    person: SignedIn, now: datetime, compared: list[str]
) -> None:
    for phone in (person.phone, some_phone()):
        before = len(compared)

        with pytest.raises(SignInRefused) as refusal:
            await by_password(phone, "wrong horse battery", now=now)

        assert (refusal.value.code, refusal.value.facts) == ("SIGN_IN_REFUSED", {})
        assert len(compared) == before + 1
        assert await failures(phone) == 1


async def test_the_hash_of_nobody_costs_what_the_hash_of_somebody_costs() -> None:
    assert argon2.extract_parameters(passwords._NOBODYS) == passwords.FIGURES
    assert (passwords.FIGURES.time_cost, passwords.FIGURES.memory_cost, passwords.FIGURES.parallelism) == (2, 19456, 1)
    assert not PasswordHasher.from_parameters(passwords.FIGURES).check_needs_rehash(passwords._NOBODYS)


async def test_a_code_that_was_never_sent_is_rejected_alike_for_known_and_unknown_phones(person: SignedIn, now: datetime) -> None:
    for phone in (person.phone, some_phone()):
        with pytest.raises(CodeRejected):
            await by_code(phone, "123456", now=now)


async def test_the_holder_of_a_phone_without_account_is_refused_neutrally(now: datetime) -> None:
    phone = some_phone()

    with pytest.raises(SignInRefused):
        await by_code(phone, await code_sent(phone, CodePurpose.SIGN_IN, now=now), now=now)


@pytest.mark.parametrize("status", [AccountStatus.DISABLED, AccountStatus.DEREGISTERED])
async def test_an_account_that_is_no_longer_in_use_is_refused_like_a_wrong_password(now: datetime, status: AccountStatus) -> None:
    person = await registered_expert()
    await Account.filter(id=person.account.id).update(status=status)  # the verbs that do this come with leaving and staff administration
    later = now + timedelta(minutes=2)

    with pytest.raises(SignInRefused):
        await by_password(person.phone, PASSWORD, now=now)
    with pytest.raises(SignInRefused):
        await by_code(person.phone, await code_sent(person.phone, CodePurpose.SIGN_IN, now=later), now=later)

    assert (await sessions.authenticate(person.token))[0] is None


async def test_after_five_failures_from_one_address_even_the_right_password_waits_there(person: SignedIn, now: datetime) -> None:
    here, elsewhere = some_address(), some_address()
    for minute in range(5):
        with pytest.raises(SignInRefused):
            await by_password(person.phone, f"wrong horse {minute}", address=here, now=now + timedelta(minutes=minute))

    with pytest.raises(TooSoon) as refusal:
        await by_password(person.phone, PASSWORD, address=here, now=now + timedelta(minutes=5))

    assert refusal.value.retry_after_seconds == 600
    await by_password(person.phone, PASSWORD, address=elsewhere, now=now + timedelta(minutes=5))
    await by_password(person.phone, PASSWORD, address=here, now=now + timedelta(minutes=15))


async def test_an_unknown_phone_waits_after_five_failures_too(now: datetime) -> None:
    phone, here = some_phone(), some_address()
    for _ in range(5):
        with pytest.raises(SignInRefused):
            await by_password(phone, "wrong horse battery", address=here, now=now)

    with pytest.raises(TooSoon) as refusal:
        await by_password(phone, "wrong horse battery", address=here, now=now)

    assert refusal.value.retry_after_seconds == 900


async def test_a_success_wipes_out_the_failures_of_its_address_alone(person: SignedIn, now: datetime) -> None:
    here, elsewhere = some_address(), some_address()
    for address in (here, here, here, here, elsewhere):
        with pytest.raises(SignInRefused):
            await by_password(person.phone, "wrong horse battery", address=address, now=now)

    await by_password(person.phone, PASSWORD, address=here, now=now)

    assert await failures(person.phone) == 1


async def test_guessing_from_many_addresses_stops_at_fifty_but_a_phone_code_still_opens(person: SignedIn, now: datetime) -> None:
    for _ in range(50):
        with pytest.raises(SignInRefused):
            await by_password(person.phone, "wrong horse battery", now=now)

    with pytest.raises(TooSoon):
        await by_password(person.phone, PASSWORD, now=now)

    later = now + timedelta(minutes=2)
    await by_code(person.phone, await code_sent(person.phone, CodePurpose.SIGN_IN, now=later), now=later)


async def test_one_address_may_fail_fifty_times_over_all_phones(person: SignedIn, now: datetime) -> None:
    here = some_address()
    for _ in range(50):
        with pytest.raises(SignInRefused):
            await by_password(some_phone(), "wrong horse battery", address=here, now=now)

    with pytest.raises(TooSoon):
        await by_password(person.phone, PASSWORD, address=here, now=now)


async def test_of_fifty_passwords_tried_at_once_five_are_compared(person: SignedIn, now: datetime, compared: list[str]) -> None:
    here = some_address()
    tries = [by_password(person.phone, f"wrong horse {each}", address=here, now=now) for each in range(50)]

    answers = await asyncio.gather(*tries, return_exceptions=True)

    assert sorted({type(each).__name__ for each in answers}) == ["SignInRefused", "TooSoon"]
    assert len(compared) == 5


async def test_a_password_reset_while_the_old_password_is_being_checked_leaves_no_session_open(
    now: datetime, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = await registered_expert()
    later = now + timedelta(minutes=2)
    code = await code_sent(person.phone, CodePurpose.RESET_PASSWORD, now=later)

    async def opens_while_reset(*arguments: Any, **named: Any) -> bool:
        opens = await real(*arguments, **named)
        await accounts.reset_password(person.phone, code=code, password="another horse battery", now=later)
        return opens

    real = passwords.password_opens
    monkeypatch.setattr("domain.actions.sessions.password_opens", opens_while_reset)

    with pytest.raises(SignInRefused):
        await by_password(person.phone, PASSWORD, now=later)

    assert await Session.filter(account_id=person.account.id, ended_at=None).count() == 0
