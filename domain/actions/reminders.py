"""Reminding people of what they left lying or what ends soon, and cancelling what was left too long (rules §5)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, time
from typing import Any
from uuid import UUID

from domain.actions.moving import move
from domain.actions.promises import send_sms
from domain.actions.sweeping import each_alone
from domain.rules.calendar import SHANGHAI
from domain.rules.lifecycle import EDITABLE
from domain.rules.reminders import lying
from models.accounts import Account
from models.applications import Application
from models.database import database_now, rows, transaction
from models.enums import Move, ReminderKind, SmsTemplate
from models.experts import Expert
from models.ids import new_id
from models.profiles import Revision
from settings import settings

# A case is touched by what moves it and by every save of the draft that would be submitted with it.
_LYING = """
WITH lying AS (
    SELECT c.id, greatest(c.stage_since, d.updated_at) AS since
    FROM applications c JOIN experts x ON x.id = c.expert_id LEFT JOIN revisions d ON d.id = x.draft_id
    WHERE c.stage IN ('DRAFT', 'RETURNED') AND c.stage_since <= $1::timestamptz - make_interval(days => $2)
)
SELECT id FROM lying
WHERE since <= $1::timestamptz - make_interval(days => $4)
    OR EXISTS (
        SELECT FROM (SELECT max(n) AS days FROM unnest($3::int[]) n WHERE since <= $1::timestamptz - make_interval(days => n)) due
        WHERE due.days IS NOT NULL AND NOT EXISTS (
            SELECT FROM reminders r
            WHERE r.kind = 'CASE_LYING' AND r.subject_id = lying.id AND r.counted_from = lying.since AND r.days = due.days))
ORDER BY since, id LIMIT $5
"""
# A change that was begun has no case before it is submitted.
_BEGUN = """
SELECT x.id, x.account_id, d.id AS draft_id, d.updated_at AS since, due.days
FROM experts x JOIN revisions d ON d.id = x.draft_id AND d.state = 'DRAFT',
    LATERAL (SELECT max(n) AS days FROM unnest($2::int[]) n WHERE d.updated_at <= $1::timestamptz - make_interval(days => n)) due
WHERE x.standing IN ('FORMAL', 'SUSPENDED') AND due.days IS NOT NULL {chosen}
    AND NOT EXISTS (SELECT FROM applications c WHERE c.expert_id = x.id AND c.closed_at IS NULL)
    AND NOT EXISTS (
        SELECT FROM reminders r
        WHERE r.kind = 'DRAFT_LYING' AND r.subject_id = d.id AND r.counted_from = d.updated_at AND r.days = due.days)
"""
_LEFT_ALONE = """
SELECT x.id, x.account_id, d.name, d.closed_at FROM divisions d JOIN experts x ON x.pool_code = d.code
WHERE d.closed_at IS NOT NULL AND x.standing IN ('FORMAL', 'SUSPENDED') {chosen}
    AND NOT EXISTS (SELECT FROM reminders r WHERE r.kind = 'POOL_CLOSED' AND r.subject_id = x.id AND r.counted_from = d.closed_at)
"""
_ENDING = """
SELECT x.id, x.account_id, q.entry_id, q.valid_until
FROM qualification_entries q JOIN experts x ON x.effective_id = q.revision_id
WHERE x.standing IN ('FORMAL', 'SUSPENDED') AND q.valid_until BETWEEN $1::date AND $1::date + $2::int {chosen}
    AND NOT EXISTS (
        SELECT FROM reminders r
        WHERE r.kind = 'QUALIFICATION_ENDING' AND r.subject_id = q.entry_id
            AND r.counted_from = q.valid_until::timestamp AT TIME ZONE 'Asia/Shanghai')
"""
_NOTE = """
WITH noted AS (
    INSERT INTO reminders (id, kind, subject_id, counted_from, days, at) VALUES ($1, $2, $3, $4, $5, $6)
    ON CONFLICT (kind, subject_id, counted_from, days) DO NOTHING RETURNING id)
SELECT id FROM noted
"""


async def keep_cases_moving(*, limit: int = 100) -> int:
    """Remind people of drafts and returned cases that nobody touched for 30 and 60 days, and cancel those of 90 (settings); how many.

    Safe to run late, twice and on several machines: a case is held and looked at again in a transaction of its own, one that another
    process holds is passed over, and a reminder is given once. What was entered stays in the draft and can be submitted anew. Who left has
    no open case.
    """
    now, chosen = await database_now(), settings()
    first = min((*chosen.draft_reminder_days, chosen.draft_cancel_days))
    due = await rows(_LYING, now, first, list(chosen.draft_reminder_days), chosen.draft_cancel_days, limit)
    return await each_alone((row["id"] for row in due), _see_to, noun="application", failed="case left lying")


async def remind_of_begun_changes(*, limit: int = 100) -> int:
    """Remind formal experts of drafts that nobody touched for 30 and 60 days (settings): nothing of it is in effect; how many.

    The draft stays for as long as its owner wants. Safe as above, the expert being held.
    """

    async def tell(row: Mapping[str, Any], account: Account, now: datetime) -> bool:
        if not await _noted(ReminderKind.DRAFT_LYING, row["draft_id"], row["since"], row["days"], now):
            return False
        await send_sms(SmsTemplate.DRAFT_WAITING, account, now=now)
        return True

    return await _tell_each(tell, _BEGUN, [await database_now(), list(settings().draft_reminder_days)], limit)


async def tell_of_closed_pools(*, limit: int = 100) -> int:
    """Tell formal experts once that their pool was closed and none has taken its place; how many were told. Safe as above."""

    async def tell(row: Mapping[str, Any], account: Account, now: datetime) -> bool:
        if not await _noted(ReminderKind.POOL_CLOSED, row["id"], row["closed_at"], 0, now):
            return False
        await send_sms(SmsTemplate.OWN_POOL_CLOSED, account, parameters={"pool": row["name"]}, now=now)
        return True

    return await _tell_each(tell, _LEFT_ALONE, [], limit)


async def tell_of_ending_qualifications(*, limit: int = 100) -> int:
    """Tell formal experts once that a qualification in force ends within 60 days (setting); how many were told. Safe as above."""
    days = settings().qualification_notice_days

    async def tell(row: Mapping[str, Any], account: Account, now: datetime) -> bool:
        ends = datetime.combine(row["valid_until"], time(), SHANGHAI)
        if not await _noted(ReminderKind.QUALIFICATION_ENDING, row["entry_id"], ends, days, now):
            return False
        await send_sms(SmsTemplate.QUALIFICATION_EXPIRING, account, parameters={"day": row["valid_until"].isoformat()}, now=now)
        return True

    return await _tell_each(tell, _ENDING, [(await database_now()).astimezone(SHANGHAI).date(), days], limit)


async def _tell_each(
    tell: Callable[[Mapping[str, Any], Account, datetime], Awaitable[bool]], due: str, values: Sequence[Any], limit: int
) -> int:
    """Tell experts of what is `due`; how many were told. `{chosen}` in its SQL takes a condition on the experts, `x`."""

    async def see_to(expert_id: UUID) -> bool:
        async with transaction():
            if not await rows("SELECT FROM experts WHERE id = $1 FOR UPDATE SKIP LOCKED", expert_id):
                return False
            # Again: since it was found due, the expert may have left, or done what they would be reminded of.
            still = await rows(due.format(chosen=f"AND x.id = ${len(values) + 1}"), *values, expert_id)
            if not still:
                return False
            account, now = await Account.get(id=still[0]["account_id"]), await database_now()
            return any([await tell(row, account, now) for row in still])  # all of them: a list, which any() does not cut short

    found = await rows(f"SELECT DISTINCT id FROM ({due.format(chosen='')}) due LIMIT ${len(values) + 1}", *values, limit)  # noqa: S608  constants above
    return await each_alone((row["id"] for row in found), see_to, noun="expert", failed="not told")


async def _see_to(case_id: UUID) -> bool:
    async with transaction():
        if not await rows("SELECT FROM applications WHERE id = $1 FOR UPDATE SKIP LOCKED", case_id):
            return False
        return await _remind_or_cancel(await Application.get(id=case_id), now=await database_now())


async def _remind_or_cancel(case: Application, *, now: datetime) -> bool:
    """What is due for a held case; whether anything was."""
    if case.stage not in EDITABLE:
        return False
    expert = await Expert.filter(id=case.expert_id).select_for_update(skip_locked=True).first()
    if expert is None:
        return False  # held by who saves the draft at this moment, and so has not left it lying
    draft = await Revision.get_or_none(id=expert.draft_id) if expert.draft_id else None
    since, chosen = max(case.stage_since, draft.updated_at) if draft else case.stage_since, settings()
    due = lying(since, now, remind=chosen.draft_reminder_days, cancel=chosen.draft_cancel_days)
    account = await Account.get(id=expert.account_id)
    if due.cancel:
        await move(case, Move.CANCEL, viewer=None, now=now)
        await send_sms(SmsTemplate.CASE_CANCELLED, account, application_id=case.id, now=now)
        return True
    if due.remind_days is None or not await _noted(ReminderKind.CASE_LYING, case.id, since, due.remind_days, now):
        return False
    await send_sms(SmsTemplate.REMINDER, account, application_id=case.id, now=now)
    return True


async def _noted(kind: ReminderKind, subject_id: UUID, counted_from: datetime, days: int, now: datetime) -> bool:
    """Whether the reminder is given here and now: it is noted, and was not before."""
    return bool(await rows(_NOTE, new_id(), kind, subject_id, counted_from, days, now))
