"""Closing public notices whose window is over (rules §6)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.actions.calendar import runs_on
from domain.actions.moving import move
from domain.actions.sweeping import each_alone
from models.applications import Application
from models.database import database_now, rows, transaction
from models.enums import Move, NoticeState, ObjectionState, Stage
from models.publicity import Objection, PublicNotice


async def close_due_notices(*, limit: int = 100) -> int:
    """Close up to `limit` notices that are over, each in its own transaction; how many were closed.

    May run late, twice, and on several machines at once: a notice that another process holds is passed over. One that the calendar, changed
    while it ran, lets end later goes on instead.
    """
    due = await rows(
        "SELECT application_id FROM public_notices WHERE state = 'OPEN' AND closes_at <= registry_now() ORDER BY closes_at LIMIT $1", limit
    )
    return await each_alone((row["application_id"] for row in due), _close_if_free, noun="application", failed="notice not closed")


async def late() -> tuple[int, float]:
    """How many notices are over and not closed yet, and for how many seconds the first of them has been, for metrics."""
    (found,) = await rows(
        """SELECT count(*) AS n, coalesce(extract(epoch FROM registry_now() - min(closes_at)), 0)::float8 AS seconds
           FROM public_notices WHERE state = 'OPEN' AND closes_at <= registry_now()"""
    )
    return found["n"], found["seconds"]


async def _close_if_free(case_id: UUID) -> bool:
    async with transaction():
        if not await rows("SELECT FROM applications WHERE id = $1 FOR UPDATE SKIP LOCKED", case_id):
            return False
        return await _close(await Application.get(id=case_id), now=await database_now())


async def _close(case: Application, *, now: datetime) -> bool:
    notice = await PublicNotice.select_for_update().get(application_id=case.id)
    if notice.state is not NoticeState.OPEN or notice.closes_at > now or case.stage is not Stage.PUBLICITY:
        return False
    if await runs_on(notice, now=now):
        return False
    notice.state, notice.closed_at = NoticeState.CLOSED, now
    await notice.save(update_fields=["state", "closed_at"])
    unsettled = await Objection.filter(notice_id=notice.id, state=ObjectionState.OPEN).exists()
    await move(case, Move.HOLD_FOR_OBJECTION if unsettled else Move.CLOSE_NOTICE, viewer=None, now=now)
    return True
