"""The connection to PostgreSQL: configuration, pool, the one transaction wrapper, and rows by hand-written SQL."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import datetime
from functools import cache
from types import TracebackType
from typing import Any
from urllib.parse import unquote, urlsplit

import asyncpg
import orjson
from tortoise import Tortoise
from tortoise.backends.asyncpg.client import AsyncpgDBClient, TransactionWrapper
from tortoise.backends.base.client import PoolConnectionWrapper
from tortoise.connection import get_connections
from tortoise.exceptions import IntegrityError, OperationalError
from tortoise.models import Model

import tracing
from settings import Settings

_MODELS = (
    "accounts",
    "applications",
    "experts",
    "exports",
    "files",
    "keys",
    "outbox",
    "profiles",
    "pools",
    "publicity",
    "reference",
    "schedule",
    "sms",
    "standing",
)


def tortoise_config(settings: Settings) -> dict[str, Any]:
    """Tortoise's configuration dictionary for one process."""
    parts = urlsplit(settings.database_url)
    return {
        "connections": {
            "default": {
                "engine": __name__,
                "credentials": {
                    "host": parts.hostname or "127.0.0.1",
                    "port": parts.port or 5432,
                    "user": unquote(parts.username or ""),
                    "password": unquote(parts.password or ""),
                    "database": parts.path.lstrip("/"),
                    "minsize": 1,
                    "maxsize": settings.database_pool_size,
                    "init": _prepare_connection,
                    "reset": _leave_as_it_is,
                    "max_cacheable_statement_size": _LONGEST_KEPT,
                    "max_cached_statement_lifetime": 0,  # what is kept is planned anew when its tables change, by PostgreSQL itself
                    "server_settings": {
                        "application_name": "expert-registry",
                        "plan_cache_mode": "force_generic_plan",  # statements are made for their parameters; planning costs more
                        "datestyle": "ISO",  # whatever the role's or the server's is: dates are read from texts that PostgreSQL makes
                        # What is read is in memory. With the default, made for turning disks, small tables are read whole for each row.
                        "random_page_cost": "1.1",
                        # Starting helpers or compiling takes longer than any statement here may run.
                        "max_parallel_workers_per_gather": "0",
                        "jit": "off",
                        "statement_timeout": str(settings.statement_timeout_ms),
                        "lock_timeout": str(settings.lock_timeout_ms),
                        "idle_in_transaction_session_timeout": str(settings.idle_in_transaction_timeout_ms),
                    },
                },
            }
        },
        "apps": {
            "models": {"models": [f"models.{name}" for name in _MODELS], "default_connection": "default", "migrations": "models.migrations"}
        },
        "use_tz": True,
        "timezone": "UTC",
    }


_LONGEST_KEPT = 32 * 1024
"""Characters of a statement that PostgreSQL keeps planned: planning what fills a screen takes six times as long as its answer. A kept plan
takes about 100 bytes a character, asyncpg keeps the last hundred statements of a connection."""


async def _prepare_connection(connection: asyncpg.Connection[Any]) -> None:
    """JSON that PostgreSQL built passes through as it is: as bytes, which `json` is in its binary form too."""
    await connection.set_type_codec("json", schema="pg_catalog", encoder=str.encode, decoder=orjson.Fragment, format="binary")
    if tracing.is_on():
        connection.add_query_logger(tracing.told_statement)


async def _leave_as_it_is(_: asyncpg.Connection[Any]) -> None:
    """asyncpg's own reset is a second round trip for each statement; nothing on pooled connections sets, listens or locks for a session."""


_opened: asyncpg.Pool[Any] | None = None
_waiting = 0  # for a connection of the pool, all having been given out


async def open_database(settings: Settings) -> None:
    """Connect this process; the pool is opened at once, so that a wrong address is told at start."""
    global _opened  # noqa: PLW0603  one pool a process
    await Tortoise.init(config=tortoise_config(settings), _enable_global_fallback=True)
    client = _client()
    await client.create_connection(with_db=True)
    _opened = client._pool  # noqa: SLF001  tortoise has no accessor


async def close_database() -> None:
    """Give all connections back. May be called twice."""
    global _opened  # noqa: PLW0603  one pool a process
    await end_rest()
    _opened = None
    await Tortoise.close_connections()


@asynccontextmanager
async def opened_database(settings: Settings) -> AsyncIterator[None]:
    """The database, open for this process inside the block: for commands."""
    await open_database(settings)
    try:
        yield
    finally:
        await close_database()


def _client() -> AsyncpgDBClient:
    client = get_connections().get("default")
    if not isinstance(client, AsyncpgDBClient):
        raise TypeError("the registry needs PostgreSQL")
    return client


def pool() -> asyncpg.Pool[Any]:
    """The process's pool, for cursors and COPY; everything else goes through Tortoise, `rows`, `fetch` or `transaction`."""
    if _opened is None:
        raise RuntimeError("the database is not open")
    return _opened


@asynccontextmanager
async def transaction() -> AsyncIterator[None]:
    """Run the body in one transaction, committed at the end and rolled back on any exception; nested, it joins the outer one.

    Tortoise's own wrapper loses its connection when the task is cancelled between taking it and `BEGIN`, and when it is
    cancelled in `ROLLBACK`; here the connection goes back whole or is thrown away, whatever is interrupted.
    """
    client = _client()
    if isinstance(client, TransactionWrapper):
        yield
        return
    source = pool()
    connection = await _taken(source)
    wrapper = TransactionWrapper(client)
    wrapper._connection = connection  # noqa: SLF001  what TransactionContextPooled does
    clean = False
    try:
        await wrapper.begin()
        token = get_connections().set("default", wrapper)
        try:
            yield
        except BaseException:
            await wrapper.rollback()
            clean = True
            raise
        else:
            await wrapper.commit()
            clean = True
        finally:
            get_connections().reset(token)
    finally:
        if not clean:
            connection.terminate()
        await asyncio.shield(source.release(connection))


def in_transaction() -> bool:
    """Whether a transaction of this task is open: what is written now may still be rolled back."""
    return isinstance(_client(), TransactionWrapper)


async def take_turns(*digests: bytes) -> None:
    """Until the transaction ends, let nobody else pass here who names one of these digests (a hash of who or what is counted).

    Locks are taken in one order, so that two callers with several digests never wait for each other.
    """
    for key in sorted({int.from_bytes(each[:8], signed=True) for each in digests}):
        await rows("SELECT pg_advisory_xact_lock($1)", key)


async def rows(sql: str, *values: Any) -> Sequence[asyncpg.Record]:
    """The rows of one statement, in the running transaction if there is one; never asked twice, as it may write.

    Raises what Tortoise raises: IntegrityError for what a constraint forbids, OperationalError for what is no SQL.
    """
    client = _client()
    if isinstance(client, TransactionWrapper):
        found: Sequence[asyncpg.Record] = (await client.execute_query(sql, list(values)))[1]
        return found
    try:
        return await _fetch(sql, values)
    except asyncpg.IntegrityConstraintViolationError as broken:
        raise IntegrityError(broken) from broken
    except (asyncpg.SyntaxOrAccessError, asyncpg.DataError) as wrong:
        raise OperationalError(wrong) from wrong


async def fetch(sql: str, values: Sequence[Any], seconds: float | None = None) -> Sequence[asyncpg.Record]:
    """The rows of one reading statement outside any transaction, straight from the pool; asked once more where the connection was dead.

    Raises TimeoutError where no connection was free, or no answer there, in so many seconds.
    """
    try:
        return await _fetch(sql, values, seconds)
    except _LOST:
        return await _fetch(sql, values, seconds)


async def _fetch(sql: str, values: Sequence[Any], seconds: float | None = None) -> Sequence[asyncpg.Record]:
    source = pool()
    connection = await _taken(source, seconds)
    try:
        answer: Sequence[asyncpg.Record] = await connection.fetch(sql, *values, timeout=seconds)
    except BaseException as failed:
        await asyncio.shield(_end_and_release(source, connection))
        if isinstance(failed, _LOST):
            await end_rest(lost=True)
        raise
    if not _waiting and len(_resting) < source.get_max_size() // 2:
        _resting.append((source, connection))
    else:
        await asyncio.shield(source.release(connection))
    return answer


async def _end_and_release(source: asyncpg.Pool[Any], connection: Any) -> None:
    """Give back a connection whose statement failed, its exchange with PostgreSQL ended.

    asyncpg sends a statement to be parsed and ends the exchange only when it sends the values. Interrupted or refused in between, it leaves
    the backend inside a transaction, with its locks and its clock running: the next to use the connection, who may be anybody, would be
    told `canceling statement due to statement timeout`.
    """
    if _alive(connection):
        try:
            await connection.execute("SELECT 1", timeout=_END_SECONDS)
        except Exception:  # noqa: BLE001  whatever it is, nobody gets this connection again
            connection.terminate()
    await source.release(connection)


class _Borrowed(PoolConnectionWrapper[asyncpg.Connection]):
    """What Tortoise borrows for a statement outside transactions."""

    async def __aenter__(self) -> asyncpg.Connection:
        await self.ensure_connection()
        self.connection = await _taken(self.client._pool)  # noqa: SLF001  as the wrapper itself
        return self.connection

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        if error is None:
            await super().__aexit__(kind, error, where)
        else:
            await asyncio.shield(_end_and_release(self.client._pool, self.connection))  # noqa: SLF001  as the wrapper itself


class _Client(AsyncpgDBClient):
    def acquire_connection(self) -> PoolConnectionWrapper[asyncpg.Connection]:
        return _Borrowed(self, self._pool_init_lock)


client_class = _Client
"""Where Tortoise looks for its client, this module being its engine."""

_END_SECONDS = 5.0
"""Longest wait for the end of an exchange that was broken off; then the connection is thrown away."""


def _alive(connection: Any) -> bool:
    try:
        return not connection.is_closed()
    except asyncpg.InterfaceError:  # asyncpg has taken back one that was lost
        return False


async def end_rest(*, lost: bool = False) -> None:
    """Give the pool what rests beside it; `lost`, where one connection was: those beside it are too, though they may not know yet."""
    while _resting:
        source, connection = _resting.pop()
        if lost and _alive(connection):
            connection.terminate()
        await source.release(connection)


_LOST = (
    asyncpg.ConnectionDoesNotExistError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    asyncpg.InterfaceError,
    asyncpg.InternalClientError,
    ConnectionError,
)

# Giving a connection back to asyncpg starts a task, which costs more than a small statement. After one, half of the pool may rest here
# instead, while nobody waits; whoever needs a connection looks here first.
_resting: list[tuple[asyncpg.Pool[Any], Any]] = []


async def _taken(source: asyncpg.Pool[Any], seconds: float | None = None) -> Any:
    while _resting:
        origin, connection = _resting.pop()
        if origin is source and _alive(connection):
            return connection
        await origin.release(connection)
    global _waiting  # noqa: PLW0603  one pool a process
    _waiting += 1
    try:
        return await source.acquire(timeout=seconds)
    finally:
        _waiting -= 1


async def execute(sql: str, *values: Any) -> int:
    """Run one UPDATE, INSERT or DELETE; the number of rows it touched."""
    touched: int = (await _client().execute_query(sql, list(values)))[0]
    return touched


@cache
def columns(model: type[Model], table: str) -> str:
    """The columns of a model's rows for SELECT, under the alias `table`: without those that PostgreSQL keeps for its indexes."""
    return ", ".join(f"{table}.{column}" for column in model._meta.fields_db_projection.values())


async def database_now() -> datetime:
    """The registry's time: the database's clock, moved by the development clock where that is allowed."""
    found = await rows("SELECT registry_now() AS now")
    moment: datetime = found[0]["now"]
    return moment
