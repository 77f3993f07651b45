from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

import embedded
from embedded import EmbeddedError, Postgres

ROOT = Path(__file__).resolve().parents[2]


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection[Any]]:
    connection = await asyncpg.connect(url)
    try:
        yield connection
    finally:
        await connection.close()


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Postgres]:
    server = Postgres(tmp_path / "postgres", durable=False)
    yield server
    server.stop()


async def put(url: str) -> None:
    async with connected(url) as connection:
        await connection.execute("CREATE TABLE kept AS SELECT '投诉' AS word")


async def kept(url: str) -> str:
    async with connected(url) as connection:
        return str(await connection.fetchval("SELECT word FROM kept"))


async def test_data_password_and_port_outlive_a_stop_and_a_crash(tmp_path: Path) -> None:
    server = Postgres(tmp_path / "postgres")
    url = server.start()
    await put(url)

    server.stop()
    after_stop = Postgres(tmp_path / "postgres")
    same_url = after_stop.start()
    word_after_stop = await kept(same_url)
    after_stop.kill()
    word_after_kill = await kept(after_stop.start())
    word_after_power_loss = await kept(after_stop.restart("immediate"))
    after_stop.stop()

    assert same_url == url
    assert (word_after_stop, word_after_kill, word_after_power_loss) == ("投诉", "投诉", "投诉")
    assert not after_stop.running
    assert embedded._processes_in(after_stop.data) == []


async def test_it_knows_chinese_letters_and_keeps_utc(server: Postgres) -> None:
    async with connected(server.start()) as connection:
        await connection.execute("CREATE EXTENSION pg_trgm")
        trigrams, zone, encoding = await connection.fetchrow(
            "SELECT cardinality(show_trgm('投诉')), current_setting('TimeZone'), current_setting('server_encoding')"
        )

    assert (trigrams, zone, encoding) == (3, "UTC", "UTF8")


async def test_a_wrong_password_is_refused_and_the_right_one_is_unreadable_to_others(server: Postgres) -> None:
    url = server.start()
    password = server.directory / "password"

    with pytest.raises(asyncpg.InvalidPasswordError):
        await asyncpg.connect(url.replace(password.read_text(), "wrong"))

    assert password.stat().st_mode & 0o077 == 0
    assert server.directory.stat().st_mode & 0o077 == 0


async def test_a_lock_file_of_a_living_stranger_is_put_aside(server: Postgres) -> None:
    server.start()
    server.kill()
    lock = server.data / "postmaster.pid"
    lines = lock.read_text().splitlines()
    lock.write_text("\n".join([str(os.getppid()), *lines[1:]]) + "\n")

    url = server.start()

    async with connected(url) as connection:
        assert await connection.fetchval("SELECT 1") == 1


def test_a_second_server_on_the_same_data_is_refused_and_the_first_lives(server: Postgres, monkeypatch: pytest.MonkeyPatch) -> None:
    server.start()
    monkeypatch.setattr(embedded, "STOP_SECONDS", 0.2)

    with pytest.raises(EmbeddedError, match="another PostgreSQL"):
        Postgres(server.directory, durable=False).start()

    assert server.running


def test_a_port_that_was_taken_meanwhile_is_given_up(server: Postgres) -> None:
    server.start()
    before = server.port
    server.stop()
    with socket.socket() as stranger:
        stranger.bind(("127.0.0.1", before))
        stranger.listen()

        server.start()

    assert server.port != before
    assert (server.directory / "port").read_text() == str(server.port)


def test_data_of_another_major_version_are_left_alone(server: Postgres) -> None:
    server.start()
    server.stop()
    (server.data / "PG_VERSION").write_text("14\n")

    with pytest.raises(EmbeddedError, match="are PostgreSQL 14's"):
        server.start()


def test_an_interrupted_creation_is_begun_anew(server: Postgres) -> None:
    (server.directory / "data.new").mkdir(parents=True)
    (server.directory / "data.new" / "PG_VERSION").write_text("18\n")

    server.start()

    assert server.running
    assert not (server.directory / "data.new").exists()


def test_a_failing_creation_says_why_in_one_line(tmp_path: Path) -> None:
    broken = tmp_path / "bin"
    broken.mkdir()
    for name, text in {
        "postgres": "echo postgres version 18.0",
        "initdb": 'echo "initdb: error: No space left on device" >&2; exit 1',
    }.items():
        (broken / name).write_text(f"#!/bin/sh\n{text}\n")
        (broken / name).chmod(0o755)
    server = Postgres(tmp_path / "postgres", binaries=broken)

    with pytest.raises(EmbeddedError, match=r"No space left on device$") as refused:
        server.start()

    assert "\n" not in str(refused.value)
    assert not server.data.exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux ends children with their parent")
def test_killing_the_parent_leaves_nothing_behind(tmp_path: Path) -> None:
    code = (
        "import embedded, pathlib, sys, time; embedded.Postgres(pathlib.Path(sys.argv[1]), durable=False).start(); "
        "print('up', flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", code, str(tmp_path / "pg")], cwd=ROOT, stdout=subprocess.PIPE)
    assert parent.stdout is not None
    with parent.stdout:
        assert parent.stdout.readline() == b"up\n"
    data = tmp_path / "pg" / "data"
    assert embedded._processes_in(data) != []

    parent.send_signal(signal.SIGKILL)
    parent.wait()

    deadline = time.monotonic() + 10
    while embedded._processes_in(data) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert embedded._processes_in(data) == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root has to become somebody else")
async def test_as_root_without_user_namespaces_it_runs_as_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "namespaces_allowed", lambda: False)
    server = Postgres(tmp_path / "postgres", durable=False)
    try:
        async with connected(server.start()) as connection:
            owner = server.data.stat().st_uid
            directory = await connection.fetchval("SELECT current_setting('data_directory')")
    finally:
        server.stop()
        if server.directory.parent != tmp_path:  # under /var/lib where others cannot enter the given place
            shutil.rmtree(server.directory.parent)

    assert owner == embedded.NOBODY
    assert directory == str(server.data)


def test_without_any_postgresql_the_reader_is_told_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(embedded, "_package", lambda _: None)
    monkeypatch.setattr(shutil, "which", lambda _: None)
    monkeypatch.setattr(embedded, "SYSTEM_POSTGRES", tmp_path)

    with pytest.raises(EmbeddedError, match="set DATABASE_URL"):
        Postgres(tmp_path / "postgres").start()

    with pytest.raises(EmbeddedError, match="set REDIS_URL"):
        embedded.Valkey(tmp_path / "valkey").start()


async def test_what_a_refused_row_holds_does_not_get_into_the_log(server: Postgres) -> None:
    async with connected(server.start()) as connection:
        await connection.execute("CREATE TABLE people (name text, year int CONSTRAINT years_are_positive CHECK (year > 0))")

        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute("INSERT INTO people VALUES ($1, $2)", "王金丝雀", -1)

    said = server.log.read_text()
    assert "years_are_positive" in said
    assert "王金丝雀" not in said
