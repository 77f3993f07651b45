"""What every test stands on: a real PostgreSQL with a fresh database a module, a real Valkey when asked for, and the registry's clock."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from itertools import count
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest
from argon2 import PasswordHasher

import embedded
import settings as settings_module
from domain.actions import clock, passwords, reference
from models.database import close_database, database_now, open_database, opened_database
from models.migrate import migrate
from settings import Settings, variable

ROOT = Path(__file__).resolve().parent.parent
_TEMPLATE = f"registry_test_{os.getpid()}"
_databases = count(1)

BASE = Settings(
    development=True, staff_second_factor=False, secret_key="the secret of the tests, 32 characters and more", log_level="WARNING"
)
"""The settings of tests: as `run.py` starts the development mode."""

settings_module._current = BASE
# Cheap hashes: people are made in nearly every test. The real figures have a test of their own.
passwords._HASHER = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@pytest.fixture(scope="session")
def server_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A PostgreSQL server on which databases may be made: the one of DATABASE_URL, else an embedded one for this process."""
    if given := os.environ.get("DATABASE_URL"):
        yield given
        return
    server = embedded.Postgres(tmp_path_factory.mktemp("servers") / "postgres", durable=False)
    yield server.start()
    server.stop()


@pytest.fixture(scope="session")
def redis_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A Redis or Valkey server: the one of REDIS_URL, else an embedded one for this process."""
    if given := os.environ.get("REDIS_URL"):
        yield given
        return
    server = embedded.Valkey(tmp_path_factory.mktemp("servers") / "valkey")
    yield server.start()
    server.stop()


def _named(server_url: str, database: str) -> str:
    return urlunsplit(urlsplit(server_url)._replace(path="/" + database))


async def _on_server(server_url: str, command: str) -> None:
    connection = await asyncpg.connect(server_url)
    try:
        await connection.execute(command)
    finally:
        await connection.close()


@pytest.fixture(scope="session")
async def template(server_url: str) -> AsyncIterator[str]:
    """The name of a migrated database with the reference data loaded; others are cloned from it."""
    await _on_server(server_url, f"CREATE DATABASE {_TEMPLATE}")
    prepared = replace(BASE, database_url=_named(server_url, _TEMPLATE))
    await migrate(prepared)
    async with opened_database(prepared):
        await reference.load(ROOT / "reference")
    yield _TEMPLATE
    await _on_server(server_url, f"DROP DATABASE {_TEMPLATE} WITH (FORCE)")


@pytest.fixture(scope="module")
async def database(server_url: str, template: str) -> AsyncIterator[Settings]:
    """A database of this module alone, open in this process; the settings that name it are in force."""
    name = f"{template}_{next(_databases)}"
    await _on_server(server_url, f"CREATE DATABASE {name} TEMPLATE {template} STRATEGY FILE_COPY")
    configuration = replace(BASE, database_url=_named(server_url, name))
    settings_module._current = configuration
    await open_database(configuration)
    yield configuration
    await close_database()
    settings_module._current = BASE
    await _on_server(server_url, f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture
def environment(database: Settings) -> dict[str, str]:
    """The environment for a process of the product that shall work on this module's database."""
    chosen = {"database_url": database.database_url, "development": "1", "staff_second_factor": "0", "secret_key": database.secret_key}
    return {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT)} | {variable(name): value for name, value in chosen.items()}


@pytest.fixture
def change_settings() -> Iterator[Callable[..., Settings]]:
    """`change_settings(publicity_working_days=7)` holds in this process until the test ends."""
    before = settings_module.settings()

    def change(**changes: Any) -> Settings:
        settings_module._current = replace(settings_module.settings(), **changes)
        return settings_module._current

    yield change
    settings_module._current = before


@pytest.fixture
async def now(database: Settings) -> datetime:
    """The registry's time at the beginning of the test."""
    return await database_now()


class Clock:
    """The registry's clock in the hands of a test; it only runs forward, for all tests of the module."""

    async def now(self) -> datetime:
        """What the registry takes for the time."""
        return await database_now()

    async def move(self, **by: float) -> datetime:
        """Let time pass: `await clock.move(minutes=5)`; returns the new time."""
        return await clock.move(timedelta(**by).total_seconds(), settings=settings_module.settings())


@pytest.fixture(name="clock")
def _clock(database: Settings) -> Clock:
    """Moves the registry's clock, by the verb of development mode."""
    return Clock()
