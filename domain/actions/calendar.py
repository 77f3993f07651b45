"""The working calendar: read for the rules, made official by administrators, and what that means for running notices (rules §6)."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from functools import lru_cache

from domain.actions.promises import send_sms
from domain.rules.calendar import SHANGHAI, ExceptionalDay, PublishedDay, Window, WorkingCalendar, checked_year, recomputed
from domain.rules.errors import NotAllowed
from domain.rules.viewer import Viewer
from models.accounts import Account
from models.applications import Application
from models.database import rows, transaction
from models.enums import DayKind, DayStatus, NoticeState, Role, SmsTemplate
from models.publicity import PublicNotice
from models.reference import CalendarDay
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

    The time that offices have for the cases before them is counted with it.

    Call inside the transaction that changes the calendar. A repeat changes nothing. Returns how many notices became longer.
    """
    calendar, extended = await working_calendar(), 0
    running = await PublicNotice.filter(state=NoticeState.OPEN, closes_at__gt=now).order_by("application_id")
    cases = [each.application_id for each in running]
    # The cases first, as in every verb; a notice that has ended meanwhile is left alone.
    held = {each.id: each for each in await Application.filter(id__in=cases).order_by("id").select_for_update().prefetch_related("expert")}
    for notice in await PublicNotice.filter(application_id__in=cases, state=NoticeState.OPEN).order_by("id").select_for_update():
        promised = Window(
            notice.first_day, notice.last_day, notice.closes_at, tuple(map(date.fromisoformat, notice.days_counted)), notice.tentative
        )
        window = recomputed(promised, calendar, notice.opened_at)
        if window == promised:
            continue
        notice.first_day, notice.last_day, notice.closes_at = window.first_day, window.last_day, window.closes_at
        notice.days_counted, notice.tentative = [day.isoformat() for day in window.days_counted], window.tentative
        await notice.save(update_fields=["first_day", "last_day", "closes_at", "days_counted", "tentative"])
        if window.closes_at > promised.closes_at:
            extended += 1
            case = held[notice.application_id]
            account = await Account.get(id=case.expert.account_id)
            parameters = {"last_day": notice.last_day.isoformat()}
            await send_sms(SmsTemplate.NOTICE_EXTENDED, account, application_id=case.id, parameters=parameters, now=now)
    await _recount_budgets(calendar)
    return extended


async def _recount_budgets(calendar: WorkingCalendar) -> None:
    """Count the time of offices for the cases before them by the present calendar; only ever longer, as for notices."""
    days = settings().stage_budget_working_days
    waiting = Application.filter(closed_at__isnull=True, due_at__isnull=False).order_by("id").select_for_update()
    moved = [each for each in await waiting if each.due_at is not None and each.due_at < calendar.deadline(each.stage_since, days)]
    for due_at in {calendar.deadline(each.stage_since, days) for each in moved}:
        cases = [each.id for each in moved if calendar.deadline(each.stage_since, days) == due_at]
        await Application.filter(id__in=cases).update(due_at=due_at)
