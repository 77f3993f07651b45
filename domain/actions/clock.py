"""The registry's clock in development mode: it can be moved forward, so that days need not be waited for."""

from __future__ import annotations

from datetime import datetime

from domain.actions.promises import announce
from domain.rules.errors import FieldProblem, InvalidInput, NotAllowed
from models.database import database_now, execute, transaction
from settings import Settings

_LONGEST_SECONDS = 10 * 366 * 86_400

_MOVED = """CREATE OR REPLACE FUNCTION registry_now() RETURNS timestamptz LANGUAGE sql STABLE AS $$
    SELECT statement_timestamp() + make_interval(secs => coalesce((SELECT offset_seconds FROM development_clock LIMIT 1), 0)) $$"""
"""Until a clock is moved for the first time the function reads the machine's alone, which is what every production does."""


async def move(seconds: float, *, settings: Settings) -> datetime:
    """Move the clock forward by whole seconds, on top of earlier moves; the new time.

    Raises NotAllowed DEVELOPMENT_ONLY outside development mode, InvalidInput for going back or further than ten years at once: what has
    been recorded would lie in the future, or dates would leave the calendar.
    """
    if not settings.development:
        raise NotAllowed("DEVELOPMENT_ONLY")
    if not 0 <= seconds <= _LONGEST_SECONDS:
        raise InvalidInput([FieldProblem("seconds", "CLOCK_RANGE", {"longest": _LONGEST_SECONDS})])
    async with transaction():
        await execute(
            """INSERT INTO development_clock (id, offset_seconds) VALUES (1, $1)
               ON CONFLICT (id) DO UPDATE SET offset_seconds = development_clock.offset_seconds + excluded.offset_seconds""",
            int(seconds),
        )
        await execute(_MOVED)
        await announce("clockMoved")
    return await database_now()
