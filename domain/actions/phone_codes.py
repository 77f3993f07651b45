"""Phone codes (验证码): sending one and presenting one (rules §2)."""

from __future__ import annotations

import hmac
from datetime import datetime, timedelta
from uuid import UUID

from domain.actions.promises import promise
from domain.rules import mask
from domain.rules.errors import CodeRejected
from domain.rules.fields import Fields
from domain.rules.messages import Language
from domain.rules.network import network
from domain.rules.phone import mobile
from domain.rules.phone_codes import FOR_ANY_PHONE, CodeLimits, CodeOutcome, IssuedCode, SendHistory, Sent, check_sending, present
from domain.rules.text import normal_form
from models.accounts import PhoneCode
from models.database import in_transaction, rows, take_turns, transaction
from models.enums import CodePurpose, SmsTemplate
from models.sealing import derived_key, keyed_hash, phone_hash
from models.sms import SmsMessage
from settings import settings


def limits() -> CodeLimits:
    """The figures of this installation."""
    chosen = settings()
    return CodeLimits(
        life=timedelta(minutes=chosen.phone_code_minutes),
        resend_after=timedelta(seconds=chosen.phone_code_resend_seconds),
        wrong_tries=chosen.phone_code_tries,
        per_phone_and_day=chosen.phone_codes_per_day,
        per_address_and_hour=chosen.phone_codes_per_address_hour,
        in_all_and_hour=chosen.phone_codes_per_hour,
    )


def code_of(challenge_id: UUID) -> str:
    """The six digits of a challenge. They are computed from its id and the installation's key whenever needed and kept nowhere."""
    digest = hmac.digest(derived_key("phone-code"), challenge_id.bytes, "sha256")
    return f"{int.from_bytes(digest[:8]) % 1_000_000:06}"


async def send(phone: str, purpose: CodePurpose, *, address: str, language: Language = "zh", now: datetime) -> PhoneCode:
    """Send a new code, which takes the place of an earlier one of the same purpose.

    A code goes to every mobile number, known or not: the answer tells nothing about accounts. Raises InvalidInput for what is no mobile
    number, TooSoon at a limit of phone, client address or installation; the installation's may be overrun by the requests in flight.
    """
    fields = Fields()
    number = fields.check("phone", lambda: mobile(phone), otherwise="")
    fields.refuse()
    to_phone, for_address = phone_hash(number), _kept(address)
    async with transaction():
        await take_turns(to_phone, for_address)
        check_sending(await _history(to_phone, for_address, purpose, now), now=now, limits=limits())
        await PhoneCode.filter(phone_hash=to_phone, purpose=purpose, used_at=None, superseded_at=None).update(superseded_at=now)
        issued = await PhoneCode.create(
            phone_hash=to_phone, address_hash=for_address, purpose=purpose, created_at=now, expires_at=now + limits().life
        )
        message = await SmsMessage.create(
            template=SmsTemplate.PHONE_CODE,
            language=language,
            phone=number,
            phone_masked=mask.phone(number),
            phone_code_id=issued.id,
            created_at=now,
        )
        await promise("SMS", message.id, due_at=now, now=now)
    return issued


async def check(phone: str, purpose: CodePurpose, code: str, *, address: str | None = None, now: datetime) -> None:
    """Make sure of a code without using it up; a wrong one counts like any try. Raises CodeRejected. Call outside any transaction."""
    await _try(phone, purpose, code, address, use=False, now=now)


async def spend(phone: str, purpose: CodePurpose, code: str, *, address: str | None = None, now: datetime) -> None:
    """Use a code up: of several callers with the same right code exactly one succeeds, the others get CodeRejected.

    `phone` is E.164; `address` is the client's wherever somebody unknown can try: from elsewhere than where the code was asked for, wrong
    tries are fewer. Call outside any transaction and after everything of the input has been checked: the code stays used, and a wrong try
    stays counted, whatever becomes of the verb that asked.
    """
    await _try(phone, purpose, code, address, use=True, now=now)


async def _try(phone: str, purpose: CodePurpose, code: str, address: str | None, *, use: bool, now: datetime) -> None:
    if in_transaction():
        raise RuntimeError("a try at a code must not be rolled back: call outside the transaction")
    digits = normal_form(code, "NFKC").strip()
    async with transaction():
        issued = (
            await PhoneCode.filter(phone_hash=phone_hash(phone), purpose=purpose, superseded_at=None)
            .order_by("-id")
            .select_for_update()
            .first()
        )
        elsewhere = issued is not None and address is not None and _kept(address) != issued.address_hash
        outcome = CodeOutcome.WRONG if issued is None else _outcome(issued, purpose, digits, elsewhere, now)
        if issued is not None and outcome is CodeOutcome.WRONG:
            issued.wrong_tries += 1
            issued.wrong_elsewhere += elsewhere
            await issued.save(update_fields=["wrong_tries", "wrong_elsewhere"])
        if issued is not None and outcome is CodeOutcome.ACCEPTED and use:
            issued.used_at = now
            await issued.save(update_fields=["used_at"])
    if outcome is not CodeOutcome.ACCEPTED:
        raise CodeRejected


def _outcome(issued: PhoneCode, purpose: CodePurpose, digits: str, elsewhere: bool, now: datetime) -> CodeOutcome:
    kept = IssuedCode(
        purpose=issued.purpose,
        expires_at=issued.expires_at,
        wrong_tries=issued.wrong_tries,
        wrong_elsewhere=issued.wrong_elsewhere,
        used_at=issued.used_at,
        superseded_at=issued.superseded_at,
    )
    matches = hmac.compare_digest(digits.encode(errors="replace"), code_of(issued.id).encode())
    return present(kept, purpose=purpose, matches=matches, now=now, limits=limits(), elsewhere=elsewhere)


def _kept(address: str) -> bytes:
    return keyed_hash("address", network(address))


async def _history(to_phone: bytes, for_address: bytes, purpose: CodePurpose, now: datetime) -> SendHistory:
    found = await rows(
        """SELECT 'to_phone' AS whose, count(*), min(created_at), max(created_at) FROM phone_codes WHERE phone_hash = $1 AND created_at > $3
           UNION ALL
           SELECT 'for_anybody', count(*), min(created_at), max(created_at) FROM phone_codes
           WHERE phone_hash = $1 AND created_at > $3 AND purpose = ANY($5)
           UNION ALL
           SELECT 'unused_from_here', count(*), min(created_at), max(created_at) FROM phone_codes
           WHERE phone_hash = $1 AND created_at > $3 AND address_hash = $2 AND used_at IS NULL
           UNION ALL
           SELECT 'for_address', count(*), min(created_at), max(created_at) FROM phone_codes WHERE address_hash = $2 AND created_at > $4
           UNION ALL
           SELECT 'in_all', count(*), min(created_at), max(created_at) FROM phone_codes WHERE created_at > $4""",
        to_phone,
        for_address,
        now - timedelta(days=1),
        now - timedelta(hours=1),
        [each.value for each in FOR_ANY_PHONE if purpose in FOR_ANY_PHONE],
    )
    return SendHistory(**{each["whose"]: Sent(each["count"], each["min"], each["max"]) for each in found})
