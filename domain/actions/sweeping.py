"""Sweeps: what is due is done one by one, so that what cannot be done keeps nothing else waiting."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from uuid import UUID

import structlog

log = structlog.get_logger("domain.actions.sweeping")


async def each_alone(due: Iterable[UUID], verb: Callable[[UUID], Awaitable[bool]], *, noun: str, failed: str) -> int:
    """Run the verb, one transaction of its own, on each that was found due; how many it changed.

    The verb looks again whether it is still due, once it holds it. One that fails is told of in the log, as `failed` with its id under
    `noun`; it is tried again by the next sweep.
    """
    changed = 0
    for each in due:
        try:
            changed += await verb(each)
        except Exception as fault:  # noqa: BLE001  whatever it is, the others are done
            log.critical(failed, **{noun: str(each)}, kind=type(fault).__qualname__)
    return changed
