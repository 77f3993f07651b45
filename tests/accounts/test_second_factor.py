from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest

from domain.actions import accounts, housekeeping, phone_codes, second_factor, sessions, staff
from domain.rules import second_factor as rules
from domain.rules.errors import (
    CodeRejected,
    InvalidInput,
    NotAllowed,
    NotFound,
    SecondFactorNeeded,
    SecondFactorRejected,
    SignInRefused,
    TooSoon,
)
from models.accounts import Account, Session, SignInTicket
from models.database import rows, transaction
from models.enums import CodePurpose, Transport
from schema.root import schema
from settings import Settings
from tests.conftest import ROOT, Clock
from tests.graphql import context_for
from tests.people import PASSWORD, SignedIn, administrator, code_sent, officer, registered_expert, some_address, some_phone


@pytest.fixture
async def zhao(database: Settings) -> SignedIn:
    """An officer as yet without a second factor."""
    return await officer()


@pytest.fixture(autouse=True)
def _asked_for(zhao: SignedIn, change_settings: Callable[..., Settings]) -> None:
    change_settings(staff_second_factor=True)


async def begin(who: SignedIn, clock: Clock, *, transport: Transport = Transport.BEARER, **proof: str) -> SecondFactorNeeded:
    """The first step."""
    with pytest.raises(SecondFactorNeeded) as needed:
        await sessions.open_session(
            who.phone,
            **(proof or {"password": PASSWORD}),  # type: ignore[arg-type]
            transport=transport,
            device="pytest",
            address=some_address(),
            now=await clock.now(),
        )
    return needed.value


async def enrolled(who: SignedIn, clock: Clock) -> bytes:
    """The secret of somebody who has set the app up; its present code is used."""
    needed = await begin(who, clock)
    secret = rules.read(needed.enrolment.secret)  # type: ignore[union-attr]
    now = await clock.now()
    sent = await code_sent(who.phone, CodePurpose.SECOND_FACTOR, now=now)
    await sessions.confirm_session(needed.ticket, rules.code_at(secret, rules.step_of(now)), phone_code=sent, now=now)
    await clock.move(seconds=60)
    return secret


def code(secret: bytes, now: datetime, *, later: int = 0) -> str:
    return rules.code_at(secret, rules.step_of(now) + later)


def wrong(secret: bytes, now: datetime) -> str:
    present = {code(secret, now, later=each) for each in (-1, 0, 1)}
    return next(each for each in ("000000", "111111", "222222", "333333") if each not in present)


async def test_the_first_sign_in_sets_the_app_up_and_the_first_right_code_makes_it_hold(zhao: SignedIn, clock: Clock) -> None:
    needed = await begin(zhao, clock)
    before = await Account.get(id=zhao.account.id)
    secret = rules.read(needed.enrolment.secret)  # type: ignore[union-attr]
    now = await clock.now()

    sent = await code_sent(zhao.phone, CodePurpose.SECOND_FACTOR, now=now)

    opened = await sessions.confirm_session(needed.ticket, code(secret, now), phone_code=sent, now=now)

    after = await Account.get(id=zhao.account.id)
    viewer, _ = await sessions.authenticate(opened.token)
    assert before.second_factor is None
    assert (after.second_factor, after.second_factor_since) == (rules.written(secret), now)
    assert viewer is not None
    assert viewer.account_id == zhao.account.id
    assert needed.expires_at <= now + timedelta(minutes=5)


async def test_a_set_up_that_is_broken_off_leaves_nothing(zhao: SignedIn, clock: Clock) -> None:
    first, second = await begin(zhao, clock), await begin(zhao, clock)

    assert first.enrolment.secret != second.enrolment.secret  # type: ignore[union-attr]
    assert (await Account.get(id=zhao.account.id)).second_factor is None


async def test_later_sign_ins_need_a_new_code_each_and_tell_no_secret(zhao: SignedIn, clock: Clock) -> None:
    secret = await enrolled(zhao, clock)
    needed, other = await begin(zhao, clock), await begin(zhao, clock)
    now = await clock.now()
    right = code(secret, now)

    await sessions.confirm_session(needed.ticket, right, now=now)

    assert needed.enrolment is None
    for ticket, given in ((needed.ticket, code(secret, now, later=1)), (other.ticket, right), (other.ticket, code(secret, now, later=-1))):
        with pytest.raises(SecondFactorRejected):
            await sessions.confirm_session(ticket, given, now=now)


async def test_a_phone_code_is_a_first_factor_too_and_then_proves_the_phone(zhao: SignedIn, clock: Clock) -> None:
    now = await clock.now()
    sent = await code_sent(zhao.phone, CodePurpose.SIGN_IN, now=now)

    needed = await begin(zhao, clock, code=sent)
    opened = await sessions.confirm_session(needed.ticket, code(rules.read(needed.enrolment.secret), now), now=now)  # type: ignore[union-attr]

    assert not needed.enrolment.phone_code_needed  # type: ignore[union-attr]
    assert opened.token
    assert (await Account.get(id=zhao.account.id)).second_factor is not None


async def test_who_knows_the_first_password_alone_sets_nothing_up(zhao: SignedIn, clock: Clock) -> None:
    needed = await begin(zhao, clock)
    secret, now = rules.read(needed.enrolment.secret), await clock.now()  # type: ignore[union-attr]
    of_another = await code_sent(some_phone(), CodePurpose.SECOND_FACTOR, now=now)
    of_another_purpose = await code_sent(zhao.phone, CodePurpose.RESET_PASSWORD, now=now)

    for missing in (None, ""):
        with pytest.raises(InvalidInput) as refused:
            await sessions.confirm_session(needed.ticket, code(secret, now), phone_code=missing, now=now)
        assert [(each.path, each.code) for each in refused.value.problems] == [("phoneCode", "REQUIRED")]
    for foreign in (of_another, of_another_purpose, "\ud800"):
        with pytest.raises(CodeRejected):
            await sessions.confirm_session(needed.ticket, code(secret, now), phone_code=foreign, now=now)

    kept = await SignInTicket.get(token_hash=second_factor.ticket_hash(needed.ticket))
    assert needed.enrolment.phone_code_needed  # type: ignore[union-attr]
    assert (kept.phone_proven, kept.used_at) == (False, None)
    assert (await Account.get(id=zhao.account.id)).second_factor is None
    assert await Session.filter(account_id=zhao.account.id, ended_at=None).count() == 1  # from before two factors were asked for


async def test_a_phone_that_was_proven_stays_so_for_the_next_try_at_the_app(zhao: SignedIn, clock: Clock) -> None:
    needed, other = await begin(zhao, clock), await begin(zhao, clock)
    secret, now = rules.read(needed.enrolment.secret), await clock.now()  # type: ignore[union-attr]
    sent = await code_sent(zhao.phone, CodePurpose.SECOND_FACTOR, now=now)

    with pytest.raises(SecondFactorRejected):
        await sessions.confirm_session(needed.ticket, wrong(secret, now), phone_code=sent, now=now)
    with pytest.raises(CodeRejected):  # used up, and proven for the first ticket alone
        await sessions.confirm_session(other.ticket, code(secret, now), phone_code=sent, now=now)

    assert await sessions.confirm_session(needed.ticket, code(secret, now), phone_code=sent, now=now)


async def test_a_dead_ticket_costs_no_phone_code(zhao: SignedIn, clock: Clock) -> None:
    needed = await begin(zhao, clock)
    secret = rules.read(needed.enrolment.secret)  # type: ignore[union-attr]
    now = await clock.move(minutes=5)
    sent = await code_sent(zhao.phone, CodePurpose.SECOND_FACTOR, now=now)

    with pytest.raises(SecondFactorRejected):
        await sessions.confirm_session(needed.ticket, code(secret, now), phone_code=sent, now=now)

    await phone_codes.check(zhao.phone, CodePurpose.SECOND_FACTOR, sent, now=now)


async def test_a_factor_that_was_taken_away_between_the_steps_is_not_set_up_by_the_old_ticket(zhao: SignedIn, clock: Clock) -> None:
    needed = await begin(zhao, clock)
    secret, now = rules.read(needed.enrolment.secret), await clock.now()  # type: ignore[union-attr]
    ticket = await SignInTicket.get(token_hash=second_factor.ticket_hash(needed.ticket))

    async with transaction():
        redeemed = await second_factor.redeem(ticket, await Account.get(id=zhao.account.id), code(secret, now), now=now)

    assert not redeemed
    assert (await Account.get(id=zhao.account.id)).second_factor is None


async def test_experts_sign_in_with_one_factor(now: datetime) -> None:
    person = await registered_expert()

    assert person.viewer.expert_id is not None


async def test_a_ticket_is_over_after_five_minutes_and_none_other_opens_anything(zhao: SignedIn, clock: Clock) -> None:
    secret = await enrolled(zhao, clock)
    needed = await begin(zhao, clock)
    now = await clock.move(minutes=5)
    before = await Session.filter(account_id=zhao.account.id).count()

    for ticket in (needed.ticket, "", "\ud800", "x" * 43):
        with pytest.raises(SecondFactorRejected):
            await sessions.confirm_session(ticket, code(secret, now), now=now)

    assert await Session.filter(account_id=zhao.account.id).count() == before


async def test_five_wrong_codes_stop_every_ticket_of_the_account_for_a_while(zhao: SignedIn, clock: Clock) -> None:
    secret = await enrolled(zhao, clock)
    first, second = await begin(zhao, clock), await begin(zhao, clock)
    now = await clock.now()

    ends = await asyncio.gather(
        *(sessions.confirm_session(each.ticket, wrong(secret, now), now=now) for each in (first, second) * 10), return_exceptions=True
    )

    assert sorted(type(each).__name__ for each in ends) == ["SecondFactorRejected"] * 5 + ["TooSoon"] * 15
    with pytest.raises(TooSoon):
        await sessions.confirm_session(first.ticket, code(secret, now), now=now)
    with pytest.raises(TooSoon):
        await sessions.open_session(
            zhao.phone, password=PASSWORD, transport=Transport.BEARER, device="", address=some_address(), now=await clock.now()
        )
    later = await clock.move(minutes=15)
    again = await begin(zhao, clock)
    assert await sessions.confirm_session(again.ticket, code(secret, later), now=later)


async def test_a_new_password_ends_sign_ins_that_wait(zhao: SignedIn, clock: Clock) -> None:
    secret = await enrolled(zhao, clock)
    needed = await begin(zhao, clock)
    sent = await code_sent(zhao.phone, CodePurpose.RESET_PASSWORD, now=await clock.now())
    now = await clock.now()
    await accounts.reset_password(zhao.phone, code=sent, password="another horse battery", now=now)

    with pytest.raises(SecondFactorRejected):
        await sessions.confirm_session(needed.ticket, code(secret, now), now=now)

    assert await Session.filter(account_id=zhao.account.id, ended_at=None).count() == 0


async def test_a_new_password_gives_no_new_tries(zhao: SignedIn, clock: Clock) -> None:
    secret = await enrolled(zhao, clock)
    needed = await begin(zhao, clock)
    now = await clock.now()
    for _ in range(5):
        with pytest.raises(SecondFactorRejected):
            await sessions.confirm_session(needed.ticket, wrong(secret, now), now=now)
    sent = await code_sent(zhao.phone, CodePurpose.RESET_PASSWORD, now=await clock.now())

    await accounts.reset_password(zhao.phone, code=sent, password="another horse battery", now=await clock.now())

    with pytest.raises(TooSoon):
        await sessions.open_session(
            zhao.phone,
            password="another horse battery",
            transport=Transport.BEARER,
            device="",
            address=some_address(),
            now=await clock.now(),
        )


async def test_who_was_disabled_meanwhile_does_not_come_in(zhao: SignedIn, clock: Clock, change_settings: Callable[..., Settings]) -> None:
    secret = await enrolled(zhao, clock)
    needed = await begin(zhao, clock)
    change_settings(staff_second_factor=False)
    admin = await administrator()
    await staff.disable(zhao.account.id, viewer=admin.viewer, now=await clock.now())
    now = await clock.now()

    with pytest.raises(SecondFactorRejected):
        await sessions.confirm_session(needed.ticket, code(secret, now), now=now)

    assert await Session.filter(account_id=zhao.account.id, ended_at=None).count() == 0


async def test_a_try_cannot_be_rolled_back(zhao: SignedIn, now: datetime) -> None:
    async with transaction():
        with pytest.raises(RuntimeError):
            await sessions.confirm_session("x", "000000", now=now)


async def test_an_administrator_lets_a_colleague_set_up_another_app(
    zhao: SignedIn, clock: Clock, change_settings: Callable[..., Settings]
) -> None:
    await enrolled(zhao, clock)
    change_settings(staff_second_factor=False)
    admin, expert = await administrator(), await registered_expert()
    change_settings(staff_second_factor=True)

    reset = await staff.reset_second_factor(zhao.account.id, viewer=admin.viewer, now=await clock.now())

    assert (reset.second_factor, reset.second_factor_since) == (None, None)
    assert await Session.filter(account_id=zhao.account.id, ended_at=None).count() == 0
    assert (await begin(zhao, clock)).enrolment is not None
    for whose, viewer, refusal in (
        (admin.account.id, admin.viewer, NotAllowed),
        (expert.account.id, admin.viewer, NotFound),
        (admin.account.id, zhao.viewer, NotAllowed),
    ):
        with pytest.raises(refusal):
            await staff.reset_second_factor(whose, viewer=viewer, now=await clock.now())


async def test_the_operator_starts_the_factor_of_the_last_administrator_anew(zhao: SignedIn, clock: Clock) -> None:
    await enrolled(zhao, clock)
    expert = await registered_expert()

    await staff.start_second_factor_anew(zhao.phone)

    assert (await Account.get(id=zhao.account.id)).second_factor is None
    assert await Session.filter(account_id=zhao.account.id, ended_at=None).count() == 0
    with pytest.raises(NotFound):
        await staff.start_second_factor_anew(expert.phone)


async def test_the_command_tells_what_happens_next(zhao: SignedIn, clock: Clock, environment: dict[str, str]) -> None:
    await enrolled(zhao, clock)

    def run(phone: str) -> subprocess.CompletedProcess[str]:
        given = environment | {"REDIS_URL": "redis://127.0.0.1:1/0", "HOME": os.environ.get("HOME", "/")}
        code = "import sys, run; sys.exit(run.main(['reset-second-factor', sys.argv[1]]))"
        return subprocess.run([sys.executable, "-c", code, phone], env=given, cwd=ROOT, capture_output=True, text=True, check=False)

    done, unknown = await asyncio.gather(asyncio.to_thread(run, zhao.phone), asyncio.to_thread(run, "13000000000"))

    assert (done.returncode, done.stdout) == (0, f"LOCAL_OFFICER {zhao.account.name} sets up an authenticator app at the next sign-in.\n")
    assert (unknown.returncode, unknown.stdout) == (1, "No account of staff signs in with this phone.\n")
    assert (await Account.get(id=zhao.account.id)).second_factor is None


async def test_secrets_are_sealed_and_tickets_hashed(zhao: SignedIn, clock: Clock) -> None:
    needed = await begin(zhao, clock)
    await enrolled(zhao, clock)

    [kept] = await rows("SELECT second_factor FROM accounts WHERE id = $1", zhao.account.id)
    ticket = await SignInTicket.get(token_hash=second_factor.ticket_hash(needed.ticket))
    [row] = await rows("SELECT to_jsonb(t)::text AS all FROM sign_in_tickets t WHERE id = $1", ticket.id)
    secret = needed.enrolment.secret  # type: ignore[union-attr]
    assert isinstance(kept["second_factor"], bytes)
    assert ticket.offered_secret == secret
    assert secret not in row["all"]
    assert needed.ticket not in row["all"]


async def test_tickets_are_removed_after_a_day(zhao: SignedIn, clock: Clock) -> None:
    await begin(zhao, clock)
    kept = (await housekeeping.tidy())["sign_in_tickets"]
    await clock.move(hours=25)

    assert kept == 0
    assert (await housekeeping.tidy())["sign_in_tickets"] > 0
    assert await SignInTicket.all().count() == 0


OPEN = """mutation ($input: SessionOpenInput!) { sessionOpen(input: $input) {
    __typename ... on SecondFactorNeeded { code message ticket expiresAt enrolment { secret uri phoneCodeNeeded } } } }"""
CONFIRM = """mutation ($input: SessionConfirmInput!) { sessionConfirm(input: $input) {
    __typename ... on SessionOpened { token viewer { account { name secondFactorSince } } } ... on Problem { code message } } }"""


async def test_the_doors_lead_through_both_steps(zhao: SignedIn, clock: Clock) -> None:
    now = await clock.now()

    async def ask(document: str, name: str, **given: Any) -> dict[str, Any]:
        answer = await schema.execute(document, variable_values={"input": given}, context_value=context_for(None, now=now))
        assert answer.data is not None, answer.errors
        found: dict[str, Any] = answer.data[name]
        return found

    needed = await ask(OPEN, "sessionOpen", phone=zhao.phone, password=PASSWORD, transport="BEARER")
    alone = await ask(CONFIRM, "sessionConfirm", ticket=needed["ticket"], code="12345")
    wrong_phone = await ask(CONFIRM, "sessionConfirm", ticket=needed["ticket"], code="12345", phoneCode="12345")
    sent = await code_sent(zhao.phone, CodePurpose.SECOND_FACTOR, now=now)
    refused = await ask(CONFIRM, "sessionConfirm", ticket=needed["ticket"], code="12345", phoneCode=sent)
    given = code(rules.read(needed["enrolment"]["secret"]), now)
    opened = await ask(CONFIRM, "sessionConfirm", ticket=needed["ticket"], code=given)

    assert (needed["__typename"], needed["code"]) == ("SecondFactorNeeded", "SECOND_FACTOR_NEEDED")
    assert needed["enrolment"]["uri"].startswith("otpauth://totp/")
    assert needed["enrolment"]["phoneCodeNeeded"] is True
    assert (alone["__typename"], wrong_phone["__typename"]) == ("InvalidInput", "CodeRejected")
    assert (refused["__typename"], refused["code"]) == ("SecondFactorRejected", "SECOND_FACTOR_REJECTED")
    assert opened["__typename"] == "SessionOpened"
    assert opened["viewer"]["account"]["name"] == zhao.account.name
    assert opened["viewer"]["account"]["secondFactorSince"] is not None


async def test_a_wrong_password_tells_nothing_of_a_second_factor(zhao: SignedIn, now: datetime) -> None:
    with pytest.raises(SignInRefused):
        await sessions.open_session(
            zhao.phone, password="not this one", transport=Transport.BEARER, device="", address=some_address(), now=now
        )

    assert await SignInTicket.filter(account_id=zhao.account.id).count() == 0
