"""The queue in Redis between relay and worker: it carries ids, may lose them, and is never the truth."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import UUID, uuid4

import orjson
from arq.connections import ArqRedis
from arq.worker import Worker, func
from redis.asyncio.retry import Retry
from redis.backoff import ExponentialBackoff
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as RedisTimeoutError

from domain.actions.outbox import Due

NAME = "registry:v1"
"""Carries the version of what is queued: a worker never takes jobs that it was not written for."""
JOB = "deliver"
AT_ONCE = 20
JOB_SECONDS = 30
HINT_SECONDS = 0.5
_AT_A_TIME = 50


class QueueAway(Exception):
    """Redis did not take the hints in time."""


def _write(value: Any) -> bytes:
    return orjson.dumps(value, default=repr)


def _client(redis_url: str, **options: Any) -> ArqRedis:
    client: ArqRedis = ArqRedis.from_url(redis_url, **options)
    client.job_serializer, client.job_deserializer, client.default_queue_name = _write, orjson.loads, NAME
    return client


class Hints:
    """Puts due promises into the queue. It does not wait for a Redis that is away: the sweep goes on without it."""

    def __init__(self, redis_url: str) -> None:
        self._redis = _client(redis_url, socket_timeout=HINT_SECONDS, socket_connect_timeout=HINT_SECONDS)

    async def give(self, promises: Sequence[Due]) -> None:
        """Hint at each try of each promise once; raises QueueAway."""
        for start in range(0, len(promises), _AT_A_TIME):
            try:
                async with asyncio.timeout(HINT_SECONDS):
                    await asyncio.gather(*(self._give(each) for each in promises[start : start + _AT_A_TIME]))
            except (RedisError, OSError, TimeoutError) as cause:
                raise QueueAway(type(cause).__qualname__) from cause

    async def _give(self, promise: Due) -> None:
        await self._redis.enqueue_job(JOB, str(promise.id), _job_id=f"outbox:{promise.id}:{promise.attempts}")

    async def close(self) -> None:
        """Give the connections back."""
        await self._redis.aclose()


def consumer(redis_url: str, deliver: Callable[[UUID], Awaitable[None]]) -> Worker:
    """An arq worker that delivers what is hinted at.

    The row in the outbox counts attempts and keeps results, so arq retries next to nothing and keeps none. It outlives a restart of Redis.
    """

    async def run(ctx: dict[Any, Any], *ids: Any, **_: Any) -> None:  # noqa: ARG001  arq's shape
        for each in ids:
            await deliver(UUID(each))

    patient = Retry(ExponentialBackoff(cap=1, base=0.05), 20)
    lost = [RedisConnectionError, RedisTimeoutError, OSError]
    return Worker(
        functions=[func(run, name=JOB)],
        queue_name=NAME,
        redis_pool=_client(redis_url, retry=patient, retry_on_error=lost, socket_timeout=5, socket_connect_timeout=1),
        handle_signals=False,
        max_jobs=AT_ONCE,
        job_timeout=JOB_SECONDS,
        keep_result=0,
        max_tries=3,
        poll_delay=0.05,
        health_check_interval=10,
        health_check_key=f"{NAME}:health:{uuid4()}",  # its own: the first worker that stops deletes a shared one
        job_serializer=_write,
        job_deserializer=orjson.loads,
        log_results=False,
    )


async def drain(worker: Worker, seconds: float) -> None:
    """Take no more jobs, let those under way finish for that long, cancel the rest, close the connections."""
    worker.allow_pick_jobs = False
    if running := list(worker.tasks.values()):
        await asyncio.wait(running, timeout=seconds)
    try:
        async with asyncio.timeout(2):  # a Redis that is away must not hold up the end
            await worker.close()
    except (RedisError, OSError, TimeoutError, asyncio.CancelledError):
        await worker.pool.aclose()
