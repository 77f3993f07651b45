"""Keeping one's schedule 日程: periods saved and removed by formal experts, in force at once (rules §8)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from tortoise.exceptions import IntegrityError

from domain.rules.calendar import SHANGHAI
from domain.rules.errors import FieldProblem, InvalidInput, NotAllowed, NotFound, ScheduleOverlap
from domain.rules.schedule import PERIODS, PeriodInput, Slot, Span, checked, first_overlap, keeps_schedule, occurrences
from domain.rules.viewer import Viewer
from models.database import transaction
from models.experts import Expert
from models.schedule import ScheduleOccurrence, SchedulePeriod


async def save(given: PeriodInput, *, period_id: UUID | None = None, viewer: Viewer, now: datetime) -> SchedulePeriod:
    """Put a period into the schedule, or change the one of `period_id`, with everything its repetition comes to.

    Raises InvalidInput, NotAllowed (SCHEDULE_FORMAL_ONLY), NotFound for a period of somebody else, ScheduleOverlap.
    """
    period = checked(given, today=now.astimezone(SHANGHAI).date())
    span = period.span
    try:
        async with transaction():
            expert = await _expert(viewer)
            row = await _period(expert, period_id)
            new = occurrences(span, period.weekly_until)
            found = first_overlap(new, await _kept(expert, Span(span.first, new[-1].last), row))
            if found is not None:
                raise ScheduleOverlap(found.day, found.half)
            row.availability, row.weekly_until, row.reason = period.availability, period.weekly_until, period.reason
            row.first_date, row.first_half = span.first.day, span.first.half
            row.last_date, row.last_half = span.last.day, span.last.half
            row.saved_at = now
            await row.save()
            await ScheduleOccurrence.filter(period_id=row.id).delete()
            await ScheduleOccurrence.bulk_create(
                ScheduleOccurrence(
                    period_id=row.id,
                    expert_id=expert.id,
                    availability=row.availability,
                    first_date=each.first.day,
                    first_half=each.first.half,
                    last_date=each.last.day,
                    last_half=each.last.half,
                )
                for each in new
            )
    except IntegrityError as broken:
        # The expert's lock makes this unreachable from here; the constraint stands for whoever writes past it.
        if getattr(broken.__cause__, "constraint_name", "") == "occurrences_of_one_expert_do_not_overlap":
            raise ScheduleOverlap(span.first.day, span.first.half) from None
        raise
    return row


async def remove(period_id: UUID, *, viewer: Viewer) -> Expert:
    """Take a period out of the schedule, with all its repetitions; the expert whose schedule it was. Raises as `save`."""
    async with transaction():
        expert = await _expert(viewer)
        await (await _period(expert, period_id)).delete()
    return expert


async def _expert(viewer: Viewer) -> Expert:
    """The viewer as an expert, locked: one change of a schedule at a time."""
    expert = await Expert.filter(id=viewer.expert_id).select_for_update().first() if viewer.expert_id else None
    if expert is None:
        raise NotAllowed
    if not keeps_schedule(expert.standing):
        raise NotAllowed("SCHEDULE_FORMAL_ONLY")
    return expert


async def _period(expert: Expert, period_id: UUID | None) -> SchedulePeriod:
    if period_id is not None:
        row = await SchedulePeriod.get_or_none(id=period_id, expert_id=expert.id)
        if row is None:
            raise NotFound
        return row
    if await SchedulePeriod.filter(expert_id=expert.id).count() >= PERIODS:
        raise InvalidInput([FieldProblem("firstDate", "SCHEDULE_FULL", {"maximum": PERIODS})])
    return SchedulePeriod(expert_id=expert.id)


async def _kept(expert: Expert, within: Span, but: SchedulePeriod) -> list[Span]:
    """What the schedule holds from the first to the last day of a span, but for one period."""
    found = await ScheduleOccurrence.filter(expert_id=expert.id, first_date__lte=within.last.day, last_date__gte=within.first.day).exclude(
        period_id=but.id
    )
    return [Span(Slot(each.first_date, each.first_half), Slot(each.last_date, each.last_half)) for each in found]
