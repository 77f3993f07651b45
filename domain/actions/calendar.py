"""The working calendar: read for the rules, made official by administrators, and what that means for running notices (rules §6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache
from uuid import UUID

from domain.actions.promises import send_sms
from domain.actions.sweeping import each_alone
from domain.rules.calendar import SHANGHAI, ExceptionalDay, PublishedDay, Window, WorkingCalendar, checked_year, recomputed
from domain.rules.errors import NotAllowed
from domain.rules.lifecycle import AWAITED
from domain.rules.viewer import Viewer
from models.accounts import Account
from models.applications import Application
from models.database import database_now, execute, rows, transaction
from models.enums import DayKind, DayStatus, NoticeState, Role, SmsTemplate
from models.publicity import PublicNotice
from models.reference import CalendarChange, CalendarDay
from settings import settings

LOCK = 0x72656665  # any constant: one change of the reference data at a time


def _days(condition: str) -> str:
    """The days of the table under a condition, in SQL, as one text; see `calendar_of`."""
    return f"coalesce((SELECT string_agg(concat_ws(' ', date, kind, status), ';') FROM calendar_days WHERE {condition}), '')"  # noqa: S608  our own conditions


_SINCE_LAST_YEAR = _days("date >= (registry_now() - interval '1 year')::date")
_TODAY = f"(:now::timestamptz AT TIME ZONE '{SHANGHAI.key}')::date"
DAYS_AHEAD = _days(f"date BETWEEN {_TODAY} AND {_TODAY} + 2 * :working_days + 120")
"""A column for statements that read something else too: the days of the table among which so many working days from now end.

As a year has DAYS_OF_A_YEAR exceptions at most, they end before twice as many days and four months. A case's row costs less to read than
the whole table.
"""


async def working_calendar() -> WorkingCalendar:
    """The calendar table from last year on, read anew: administrators extend it while the product runs."""
    [found] = await rows(f"SELECT {_SINCE_LAST_YEAR} AS days")
    return calendar_of(found["days"])


@lru_cache(maxsize=4)
def calendar_of(exceptional_days: str) -> WorkingCalendar:
    """The calendar in such a text, which changes once a day at most."""
    days = (each.split(" ") for each in exceptional_days.split(";") if each)
    return WorkingCalendar(ExceptionalDay(date.fromisoformat(day), DayKind(kind), DayStatus(status)) for day, kind, status in days)


async def days_of_year(year: int) -> list[CalendarDay]:
    """The days of a year that differ from Monday to Friday, in order."""
    return await CalendarDay.filter(date__gte=date(year, 1, 1), date__lte=date(year, 12, 31)).order_by("date")


async def publish_year(year: int, days: Sequence[PublishedDay], *, viewer: Viewer, now: datetime) -> int:
    """Make a year official, in place of its days until now, and count running notices anew; how many of these became longer.

    A published year can be published again with corrections. Raises NotAllowed for all but administrators, and InvalidInput.
    """
    if viewer.role is not Role.ADMINISTRATOR:
        raise NotAllowed
    published = checked_year(year, days)
    async with transaction():
        await rows("SELECT pg_advisory_xact_lock($1)", LOCK)
        await CalendarDay.filter(date__gte=date(year, 1, 1), date__lte=date(year, 12, 31)).delete()
        await CalendarDay.bulk_create(
            [CalendarDay(date=each.day, kind=each.kind, name=each.name, status=DayStatus.OFFICIAL) for each in published]
        )
        return await recompute_windows(now=now)


async def recompute_windows(*, now: datetime) -> int:
    """Count the windows of running notices by the present calendar, only ever longer; experts whose notice ends later are told.

    The time that offices have for the cases before them is counted with it. `count_again` does so once more for what is counted meanwhile.

    Call inside the transaction that changes the calendar. A repeat changes nothing. Returns how many notices became longer.
    """
    await CalendarChange.create(at=now)
    calendar, extended = await working_calendar(), 0
    running = await PublicNotice.filter(state=NoticeState.OPEN, closes_at__gt=now).order_by("application_id")
    cases = [each.application_id for each in running]
    # The cases first, as in every verb; a notice that has ended meanwhile is left alone.
    await Application.filter(id__in=cases).order_by("id").select_for_update()
    for notice in await PublicNotice.filter(application_id__in=cases, state=NoticeState.OPEN).order_by("id").select_for_update():
        extended += await _count_anew(notice, calendar, now=now)
    await _recount_budgets(calendar)
    return extended


async def count_again() -> int:
    """Count once more, a minute after the calendar changed, what was counted by the former one meanwhile; how many notices became longer.

    A decision reads the calendar without a lock: one that commits while the calendar changes brings what no statement of the change sees.
    May run late, twice, and on several machines at once.
    """
    changes = [row["id"] for row in await rows(_UNSETTLED)]
    if not changes:
        return 0
    calendar = await working_calendar()
    extended = await each_alone(await _behind(calendar), _count_one_again, noun="application", failed="notice not counted again")
    await _recount_budgets(calendar)
    if not await _behind(calendar):  # else the next sweep tries again
        await CalendarChange.filter(id__in=changes).update(settled=True)
    return extended


async def _behind(calendar: WorkingCalendar) -> list[UUID]:
    """The cases whose running notice was counted otherwise."""
    running = await PublicNotice.filter(state=NoticeState.OPEN, closes_at__gt=await database_now()).order_by("closes_at")
    return [each.application_id for each in running if _recounted(each, calendar) != _window(each)]


async def runs_on(notice: PublicNotice, *, now: datetime) -> bool:
    """Count a locked notice that is due anew if the calendar changed while it ran; whether it now ends later, and its expert was told.

    What had ended before the change stays so, however late it is closed: what was promised to the public has been kept.
    """
    if not await rows(_CHANGES_BETWEEN, notice.opened_at, notice.closes_at):
        return False
    calendar = await working_calendar()
    return _recounted(notice, calendar).closes_at > now and await _count_anew(notice, calendar, now=now)


async def _count_one_again(case_id: UUID) -> bool:
    async with transaction():
        await Application.select_for_update().get(id=case_id)
        notice = await PublicNotice.select_for_update().get(application_id=case_id)
        now = await database_now()
        if notice.state is not NoticeState.OPEN or notice.closes_at <= now:
            return False
        return await _count_anew(notice, await working_calendar(), now=now)


async def _count_anew(notice: PublicNotice, calendar: WorkingCalendar, *, now: datetime) -> bool:
    """Count a locked notice by the calendar; whether it became longer, of which its expert is told."""
    promised, window = _window(notice), _recounted(notice, calendar)
    if window == promised:
        return False
    notice.first_day, notice.last_day, notice.closes_at = window.first_day, window.last_day, window.closes_at
    notice.days_counted, notice.tentative = [day.isoformat() for day in window.days_counted], window.tentative
    await notice.save(update_fields=["first_day", "last_day", "closes_at", "days_counted", "tentative"])
    if window.closes_at == promised.closes_at:
        return False
    case = await Application.get(id=notice.application_id).prefetch_related("expert")
    account = await Account.get(id=case.expert.account_id)
    parameters = {"last_day": notice.last_day.isoformat()}
    await send_sms(SmsTemplate.NOTICE_EXTENDED, account, application_id=case.id, parameters=parameters, now=now)
    return True


def _window(notice: PublicNotice) -> Window:
    days_counted = tuple(map(date.fromisoformat, notice.days_counted))
    return Window(notice.first_day, notice.last_day, notice.closes_at, days_counted, notice.tentative)


def _recounted(notice: PublicNotice, calendar: WorkingCalendar) -> Window:
    return recomputed(_window(notice), calendar, notice.opened_at)


_UNDER_WAY = "interval '1 minute'"
"""Longer than anything that reads the calendar takes to commit."""
_UNSETTLED = f"SELECT id FROM calendar_changes WHERE NOT settled AND at < registry_now() - {_UNDER_WAY}"  # noqa: S608  our own constant
_CHANGES_BETWEEN = f"SELECT FROM calendar_changes WHERE at > $1::timestamptz - {_UNDER_WAY} AND at < $2"

_STAGES = ", ".join(f"'{each.value}'" for each in AWAITED)
_WAITING = f"closed_at IS NULL AND stage IN ({_STAGES})"
_SINCE = "greatest(stage_since, given_at)"
_DAY = f"({_SINCE} AT TIME ZONE '{SHANGHAI.key}')::date"
_WAITING_BY_DAY = f"""SELECT {_DAY} AS day, min({_SINCE}) AS since, min(coalesce(due_at, stage_since)) AS due_at
    FROM applications WHERE {_WAITING} GROUP BY 1"""  # noqa: S608  our own constants
_DUE_LATER = f"UPDATE applications SET due_at = $1 WHERE {_WAITING} AND {_DAY} = $2 AND coalesce(due_at < $1, TRUE)"  # noqa: S608  our own constants


async def _recount_budgets(calendar: WorkingCalendar) -> None:
    """Count the time of offices for the cases before them by the present calendar; only ever longer, as for notices.

    A case that moves meanwhile is left as it then is: PostgreSQL asks the conditions again of what it had to wait for.
    """
    for each in await rows(_WAITING_BY_DAY):
        due_at = calendar.deadline(each["since"], settings().stage_budget_working_days)
        if each["due_at"] < due_at:
            await execute(_DUE_LATER, due_at, each["day"])
