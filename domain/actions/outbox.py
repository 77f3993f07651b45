"""Promises on their way: claimed under a lease, done or tried again, dead in the end (architecture: the outbox).

Every comparison of times is PostgreSQL's, by the registry's clock. A worker that stalls beyond its lease loses the row: what it writes
afterwards finds another token and changes nothing.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID, uuid4

from models.database import execute, rows
from models.outbox import OutboxRow
from settings import settings

LISTENER = "expert-registry relay"
"""The application name under which a worker listens for promises; their number is the number of live workers."""


@dataclass(frozen=True, slots=True)
class Due:
    """A promise that is due. `attempts` tells one try of it from the next."""

    id: UUID
    attempts: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Depth:
    """How much is waiting: `late_seconds` since the oldest due row was due, `dead` rows need an operator, `workers` listen."""

    waiting: int
    due: int
    late_seconds: float
    dead: int
    workers: int


async def due(kinds: Collection[str], *, limit: int = 200) -> list[Due]:
    """What is due of these kinds, oldest first; rows under way whose lease ran out are among it. Nothing is claimed."""
    found = await rows(
        """SELECT id, attempts FROM outbox
           WHERE state IN ('PENDING', 'SENDING') AND due_at <= registry_now() AND kind = ANY($1) AND attempts < $2
           ORDER BY due_at LIMIT $3""",
        list(kinds),
        settings().outbox_attempts,
        limit,
    )
    return [Due(each["id"], each["attempts"]) for each in found]


async def claim(promise_id: UUID, kinds: Collection[str]) -> OutboxRow | None:
    """Take a due promise for the time of a lease; None where another has it, it is not due, or this process does not know its kind."""
    found = await rows(
        """WITH claimed AS (
               UPDATE outbox
               SET state = 'SENDING', attempts = attempts + 1, lease_token = $2, due_at = registry_now() + make_interval(secs => $3)
               WHERE id = $1 AND state IN ('PENDING', 'SENDING') AND due_at <= registry_now() AND kind = ANY($4) AND attempts < $5
               RETURNING *)
           SELECT * FROM claimed""",
        promise_id,
        uuid4(),
        settings().outbox_lease_seconds,
        list(kinds),
        settings().outbox_attempts,
    )
    return OutboxRow.of(found[0]) if found else None


async def hold(row: OutboxRow) -> bool:
    """Lock a claimed row for the running transaction; False where the claim was lost to another."""
    return bool(await rows("SELECT FROM outbox WHERE id = $1 AND lease_token = $2 FOR UPDATE", row.id, row.lease_token))


async def extend(row: OutboxRow) -> bool:
    """Keep a claim for another lease, counted from now. False where it was lost to another."""
    return bool(
        await execute(
            "UPDATE outbox SET due_at = registry_now() + make_interval(secs => $3) WHERE id = $1 AND lease_token = $2",
            row.id,
            row.lease_token,
            settings().outbox_lease_seconds,
        )
    )


async def done(row: OutboxRow) -> bool:
    """The promise is kept. False, and nothing written, where the claim was lost."""
    return bool(
        await execute(
            """UPDATE outbox SET state = 'SENT', done_at = registry_now(), lease_token = NULL, last_error = NULL
               WHERE id = $1 AND lease_token = $2""",
            row.id,
            row.lease_token,
        )
    )


async def failed(row: OutboxRow, error: str, *, again_in: timedelta | None) -> bool:
    """The attempt failed; the next one comes after `again_in`, or the row is dead (None). False where the claim was lost."""
    return bool(
        await execute(
            """UPDATE outbox
               SET state = CASE WHEN $3::interval IS NULL THEN 'DEAD' ELSE 'PENDING' END, due_at = registry_now() + coalesce($3, '0'),
                   done_at = CASE WHEN $3 IS NULL THEN registry_now() END, lease_token = NULL, last_error = $4
               WHERE id = $1 AND lease_token = $2""",
            row.id,
            row.lease_token,
            again_in,
            error[:200],
        )
    )


async def kept_after_all(row: OutboxRow) -> None:
    """A promise that was given up turned out to be kept: no operator need look at it."""
    await execute("UPDATE outbox SET state = 'SENT', last_error = NULL WHERE id = $1 AND state = 'DEAD'", row.id)


async def hold_given_up(kind: str, subject_id: UUID) -> None:
    """Lock what was given up about this row. Call before locking the row itself, as do all who hold both."""
    await rows("SELECT FROM outbox WHERE kind = $1 AND subject_id = $2 AND state = 'DEAD' FOR UPDATE", kind, subject_id)


async def settle(kind: str, subject_id: UUID) -> None:
    """What was given up about this row has been seen to in another way: no operator need look at it, its last error stays to be read."""
    await execute(
        "UPDATE outbox SET state = 'SENT', done_at = registry_now() WHERE kind = $1 AND subject_id = $2 AND state = 'DEAD'",
        kind,
        subject_id,
    )


async def postpone(row: OutboxRow, pause: timedelta) -> bool:
    """Nothing was attempted: the row is due again after `pause` and the claim does not count. False where the claim was lost."""
    return bool(
        await execute(
            """UPDATE outbox SET state = 'PENDING', attempts = attempts - 1, due_at = registry_now() + $3::interval, lease_token = NULL
               WHERE id = $1 AND lease_token = $2""",
            row.id,
            row.lease_token,
            pause,
        )
    )


async def bury_exhausted(kinds: Collection[str], *, limit: int = 100) -> list[OutboxRow]:
    """Declare dead what was claimed as often as allowed without ever ending: the workers that tried did not survive it."""
    found = await rows(
        """WITH buried AS (
               UPDATE outbox
               SET state = 'DEAD', lease_token = NULL, done_at = registry_now(), last_error = coalesce(last_error, 'WORKER_LOST')
               WHERE id IN (
                   SELECT id FROM outbox
                   WHERE state IN ('PENDING', 'SENDING') AND due_at <= registry_now() AND kind = ANY($1) AND attempts >= $2
                   ORDER BY due_at LIMIT $3 FOR UPDATE SKIP LOCKED)
               RETURNING *)
           SELECT * FROM buried""",
        list(kinds),
        settings().outbox_attempts,
        limit,
    )
    return [OutboxRow.of(each) for each in found]


async def depth() -> Depth:
    """The outbox in figures, for metrics and readiness."""
    found = await rows(
        """SELECT count(*) FILTER (WHERE state <> 'DEAD') AS waiting,
                  count(*) FILTER (WHERE state <> 'DEAD' AND due_at <= registry_now()) AS due,
                  greatest(extract(epoch FROM registry_now() - min(due_at) FILTER (WHERE state <> 'DEAD')), 0)::float8 AS late_seconds,
                  count(*) FILTER (WHERE state = 'DEAD') AS dead,
                  (SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()) AS workers
           FROM outbox WHERE state IN ('PENDING', 'SENDING', 'DEAD')""",
        LISTENER,
    )
    return Depth(**dict(found[0]))
