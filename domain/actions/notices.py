"""Public notices of a case: opened and struck as the case moves."""

from __future__ import annotations

from datetime import datetime

from domain.actions.calendar import working_calendar
from models.applications import Application
from models.enums import NoticeState
from models.profiles import Revision, RevisionSpecialty
from models.publicity import NoticeSpecialty, PublicNotice
from settings import settings


async def open_notice(case: Application, *, now: datetime) -> PublicNotice:
    """Put a case before the public, with what the public may see of the frozen revision. Once a case."""
    revision = await Revision.get(id=case.revision_id)
    window = (await working_calendar()).publicity_window(now, settings().publicity_working_days)
    notice = await PublicNotice.create(
        application_id=case.id,
        name=revision.name,
        employer=revision.employer,
        pool_code=case.pool_code,
        opened_at=now,
        first_day=window.first_day,
        last_day=window.last_day,
        closes_at=window.closes_at,
        days_counted=[day.isoformat() for day in window.days_counted],
        tentative=window.tentative,
    )
    named = await RevisionSpecialty.filter(revision_id=revision.id).order_by("position")
    await NoticeSpecialty.bulk_create(
        [NoticeSpecialty(notice_id=notice.id, position=each.position, specialty_code=each.specialty_code) for each in named]
    )
    return notice


async def strike_notice(case: Application, *, now: datetime) -> None:
    """End a case's running notice early; nothing happens where none runs."""
    await PublicNotice.filter(application_id=case.id, state=NoticeState.OPEN).update(state=NoticeState.STRUCK, closed_at=now)
