"""Standing of experts: leaving 注销, dismissal, suspension and its end, lapse by age, revoked registrations (rules §8)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import date, datetime, timedelta
from functools import partial
from uuid import UUID

from domain import reads
from domain.actions import id_numbers, phone_codes
from domain.actions.case_facts import is_person
from domain.actions.moving import move
from domain.actions.promises import send_sms
from domain.actions.sessions import end_sessions
from domain.actions.sweeping import each_alone
from domain.rules import identity
from domain.rules.calendar import SHANGHAI
from domain.rules.eligibility import is_age_relaxed
from domain.rules.errors import FieldProblem, InvalidInput, NotAllowed, NotFound, NotSignedIn, Unavailable, WrongStanding
from domain.rules.fields import Fields
from domain.rules.standing import CHANGES, CLOSES_ACCOUNT, ENDED, REASONS_LENGTH, lapse_day, suspension_end, years_after
from domain.rules.text import prose
from domain.rules.viewer import Viewer
from models.accounts import Account
from models.applications import Application
from models.database import database_now, rows, transaction
from models.enums import AccountStatus, CodePurpose, DismissalCause, Move, Role, SmsTemplate, Standing, StandingChange
from models.experts import Expert
from models.profiles import Revision
from models.sealing import id_number_hash
from models.standing import Bar, StandingRecord
from settings import settings


async def deregister(*, code: str, confirm: bool, viewer: Viewer, now: datetime) -> StandingRecord:
    """注销: leave the registry for good, at once and without review; `code` went to the account's own phone.

    One transaction cancels the open case, ends every session and frees phone and id number. Raises NotAllowed for who is no expert,
    InvalidInput without the confirmation, WrongStanding for who is not a formal expert, CodeRejected.
    """
    if viewer.expert_id is None:
        raise NotAllowed
    if not confirm:
        raise InvalidInput([FieldProblem("confirm", "CONFIRMATION_REQUIRED")])
    _target(await Expert.get(id=viewer.expert_id), StandingChange.DEREGISTER)
    proven = await Account.get(id=viewer.account_id)
    await phone_codes.spend(proven.phone, CodePurpose.DEREGISTER, code, now=now)
    async with transaction():
        expert, case = await held(viewer.expert_id)
        account = await Account.select_for_update().get(id=viewer.account_id)
        if account.phone_hash != proven.phone_hash or account.status is not AccountStatus.ACTIVE:
            raise NotSignedIn  # the phone that was proven is not the account's any more
        return await _change(expert, case, StandingChange.DEREGISTER, viewer=viewer, now=now)


async def dismiss(expert_id: UUID, *, cause: DismissalCause, reasons: str, viewer: Viewer, now: datetime) -> Expert:
    """解聘: remove somebody with cause, for provincial officers; the id number is barred from registering for 3 years (setting).

    Raises NotFound, NotAllowed (PROVINCE_DECIDES, OWN_CASE), InvalidInput, WrongStanding.
    """
    said = _reasons(reasons)
    async with transaction():
        expert, case = await _decided_by(viewer, expert_id, now)
        account = await Account.get(id=expert.account_id)
        await _change(expert, case, StandingChange.DISMISS, viewer=viewer, now=now, cause=cause, reasons=said)
        if account.id_number_hash is not None:
            until = years_after(_today(now), settings().dismissal_bar_years)
            await Bar.create(id_number_hash=account.id_number_hash, since=now, until=until)
    return expert


async def suspend(expert_id: UUID, *, until: date, reasons: str, viewer: Viewer, now: datetime) -> Expert:
    """暂停: keep somebody from being drawn up to and including a day, for provincial officers. Raises as `dismiss`."""
    fields = Fields()
    last = fields.check("until", lambda: suspension_end(until, today=_today(now)), otherwise=until)
    said = _reasons(reasons, fields)
    async with transaction():
        expert, case = await _decided_by(viewer, expert_id, now)
        await _change(expert, case, StandingChange.SUSPEND, viewer=viewer, now=now, reasons=said, until=last)
    return expert


async def reinstate(expert_id: UUID, *, reasons: str, viewer: Viewer, now: datetime) -> Expert:
    """恢复: end a suspension before its last day, for provincial officers. Raises as `dismiss`."""
    said = _reasons(reasons)
    async with transaction():
        expert, case = await _decided_by(viewer, expert_id, now)
        await _change(expert, case, StandingChange.REINSTATE, viewer=viewer, now=now, reasons=said)
    return expert


async def revoke_registration(id_number: str, *, reasons: str, viewer: Viewer, now: datetime) -> Expert:
    """撤销登记: close the account of a temporary expert that holds an id number, for provincial officers to whom the card was shown.

    Everything else is as in `deregister`; nobody is barred. Raises NotAllowed (PROVINCE_DECIDES, OWN_CASE), InvalidInput, WrongStanding for
    who was admitted, NotFound for a number that no live account of an expert has, and TooSoon after too many different numbers in a day.
    """
    _province_decides(viewer)
    fields = Fields()
    number = fields.check("idNumber", lambda: identity.of_card(id_number, today=_today(now)).number, otherwise="")
    said = _reasons(reasons, fields)
    digest = id_number_hash(number)
    await id_numbers.count_try(digest, account_id=viewer.account_id, most=settings().id_number_looks_per_day, now=now)
    async with transaction():
        holder = await Account.get_or_none(id_number_hash=digest, status=AccountStatus.ACTIVE)
        if holder is not None and holder.id == viewer.account_id:
            raise NotAllowed("OWN_CASE")
        if holder is None or holder.role is not Role.EXPERT:
            raise NotFound
        expert, case = await held((await Expert.get(account_id=holder.id)).id)
        await _refuse_own(viewer, expert.id, case)
        account = await Account.select_for_update().get(id=holder.id)
        if (account.id_number_hash, account.status) != (digest, AccountStatus.ACTIVE):
            raise NotFound  # the holder has entered another number meanwhile, or left
        await _change(expert, case, StandingChange.REVOKE, viewer=viewer, now=now, reasons=said)
    return expert


async def keep_standing(*, limit: int = 100) -> int:
    """Do what is due by date: suspensions that are over end, people are told of their lapse by age, and lapse; how many changed.

    Whose profile in force was approved beyond the age limit, because the rule is relaxed for scarce specialties, does not lapse by it.

    Safe to run late, twice and on several machines: each person is held and looked at again in a transaction of its own.
    """
    today, chosen = _today(await database_now()), settings()
    soon = years_after(today + timedelta(days=chosen.lapse_notice_days), -chosen.expert_age_limit)
    return sum(
        [
            await _each_due(_end_suspension, "standing = 'SUSPENDED' AND suspended_until < $1", today, limit),
            await _each_due(
                _tell_of_lapse,
                "standing IN ('FORMAL', 'SUSPENDED') AND lapses_on IS NULL AND effective_id IN "  # noqa: S608  a constant below
                f"(SELECT id FROM revisions WHERE state = 'EFFECTIVE' AND birth_date <= $1 AND NOT {_AGE_RELAXED})",
                soon,
                limit,
            ),
            await _each_due(_lapse, "standing IN ('FORMAL', 'SUSPENDED') AND lapses_on <= $1", today, limit),
        ]
    )


_AGE_RELAXED = """coalesce(eligibility -> 'lines' @> '[{"rule": "AGE", "result": "RELAXED"}]', FALSE)"""


async def _each_due(verb: Callable[[Expert, Application | None, datetime], Awaitable[bool]], condition: str, day: date, limit: int) -> int:
    async def see_to(expert_id: UUID) -> bool:
        async with transaction():
            return await verb(*await held(expert_id), await database_now())

    due = await rows(f"SELECT id FROM experts WHERE {condition} ORDER BY id LIMIT $2", day, limit)  # noqa: S608  constants above
    return await each_alone((row["id"] for row in due), see_to, noun="expert", failed="standing not kept")


async def _end_suspension(expert: Expert, case: Application | None, now: datetime) -> bool:
    if expert.standing is not Standing.SUSPENDED or expert.suspended_until is None or expert.suspended_until >= _today(now):
        return False
    await _change(expert, case, StandingChange.REINSTATE, viewer=None, now=now)
    return True


async def _tell_of_lapse(expert: Expert, _: Application | None, now: datetime) -> bool:
    in_force = await Revision.get(id=expert.effective_id)
    birth_date = in_force.birth_date
    if expert.lapses_on is not None or birth_date is None or (expert.standing, StandingChange.LAPSE) not in CHANGES:
        return False
    if is_age_relaxed(in_force.eligibility):
        return False
    chosen = settings()
    expert.lapses_on = lapse_day(birth_date, told_on=_today(now), age=chosen.expert_age_limit, notice_days=chosen.lapse_notice_days)
    await expert.save(update_fields=["lapses_on"])
    account = await Account.get(id=expert.account_id)
    await send_sms(SmsTemplate.LAPSE_NOTICE, account, parameters={"day": expert.lapses_on.isoformat()}, now=now)
    return True


async def _lapse(expert: Expert, case: Application | None, now: datetime) -> bool:
    if expert.lapses_on is None or expert.lapses_on > _today(now) or (expert.standing, StandingChange.LAPSE) not in CHANGES:
        return False
    in_force = await Revision.get(id=expert.effective_id)
    birth_date, limit = in_force.birth_date, settings().expert_age_limit
    if birth_date is None or years_after(birth_date, limit) > _today(now) or is_age_relaxed(in_force.eligibility):
        expert.lapses_on = None  # corrected, or approved beyond the age, meanwhile: told anew when the time has come
        await expert.save(update_fields=["lapses_on"])
        return False
    await _change(expert, case, StandingChange.LAPSE, viewer=None, now=now)
    return True


_MESSAGES = {
    StandingChange.DEREGISTER: SmsTemplate.DEREGISTERED,
    StandingChange.DISMISS: SmsTemplate.DISMISSED,
    StandingChange.SUSPEND: SmsTemplate.SUSPENDED,
    StandingChange.REINSTATE: SmsTemplate.REINSTATED,
    StandingChange.LAPSE: SmsTemplate.LAPSED,
    StandingChange.REVOKE: SmsTemplate.REGISTRATION_REVOKED,
}


async def _change(
    expert: Expert,
    case: Application | None,
    how: StandingChange,
    *,
    viewer: Viewer | None,
    now: datetime,
    cause: DismissalCause | None = None,
    reasons: str | None = None,
    until: date | None = None,
) -> StandingRecord:
    """Change the standing of a held person, with all that it brings, on record. `viewer` None is the system."""
    left, target = expert.standing, _target(expert, how)
    if case is not None and target in ENDED:
        await move(case, Move.CANCEL, viewer=None, now=now)
        await expert.refresh_from_db()
    expert.standing, expert.suspended_until = target, until if target is Standing.SUSPENDED else None
    await expert.save(update_fields=["standing", "suspended_until"])
    account = await Account.select_for_update().get(id=expert.account_id)
    parameters = {} if until is None else {"last_day": until.isoformat()}
    await send_sms(_MESSAGES[how], account, parameters=parameters, now=now)
    if target in CLOSES_ACCOUNT:
        account.status = AccountStatus.DEREGISTERED
        await account.save(update_fields=["status"])
        await end_sessions(account.id, now=now)
    return await StandingRecord.create(
        expert=expert,
        at=now,
        change=how,
        from_standing=left,
        to_standing=target,
        actor_id=viewer and viewer.account_id,
        actor_name=viewer and viewer.name,
        actor_role=viewer and viewer.role,
        cause=cause,
        reasons=reasons,
        until=until,
    )


def _target(expert: Expert, how: StandingChange) -> Standing:
    target = CHANGES.get((expert.standing, how))
    if target is None:
        raise WrongStanding(expert.standing)
    return target


async def held(expert_id: UUID) -> tuple[Expert, Application | None]:
    """A person and their open case, both locked, the case first as in every verb; Unavailable where a case was opened between."""
    open_case = partial(Application.filter, expert_id=expert_id, closed_at__isnull=True)
    case = await open_case().select_for_update().first()
    expert = await Expert.select_for_update().get(id=expert_id)
    if case is None and await open_case().exists():
        raise Unavailable
    return expert, case


async def _decided_by(viewer: Viewer, expert_id: UUID, now: datetime) -> tuple[Expert, Application | None]:
    """As `held`, for the officer who may decide on the person's standing."""
    await reads.one(Expert, expert_id, viewer=viewer, now=now)
    _province_decides(viewer)
    expert, case = await held(expert_id)
    await _refuse_own(viewer, expert.id, case)
    return expert, case


def _province_decides(viewer: Viewer) -> None:
    if viewer.role is not Role.PROVINCIAL_OFFICER:
        raise NotAllowed("PROVINCE_DECIDES")


async def _refuse_own(viewer: Viewer, expert_id: UUID, case: Application | None) -> None:
    """Nobody decides on themselves, known by phone or id number."""
    if await is_person(viewer.account_id, expert_id, case.revision_id if case else None):
        raise NotAllowed("OWN_CASE")


def _reasons(text: str, fields: Fields | None = None) -> str:
    fields = fields or Fields()
    said = fields.check("reasons", lambda: prose(text, longest=REASONS_LENGTH), otherwise="")
    fields.refuse()
    return said


def _today(now: datetime) -> date:
    return now.astimezone(SHANGHAI).date()
