from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from redis.asyncio import Redis
from redis.exceptions import AuthenticationError, ResponseError

from embedded import Valkey


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Valkey]:
    server = Valkey(tmp_path / "valkey with a space")
    yield server
    server.stop()


async def test_what_was_written_outlives_a_stop_and_a_restart_on_the_same_port(server: Valkey) -> None:
    url = server.start()
    async with Redis.from_url(url) as client:
        await client.set("queue", "投诉")

    server.stop()
    assert not server.running
    again = server.start()

    assert again == url
    async with Redis.from_url(again) as client:
        assert (await client.get("queue")).decode() == "投诉"


async def test_what_was_synced_outlives_a_kill(server: Valkey) -> None:
    async with Redis.from_url(server.start()) as client:
        await client.set("queue", "1")
        await client.execute_command("WAITAOF", 1, 0, 5000)

    server.kill()

    async with Redis.from_url(server.start()) as client:
        assert await client.get("queue") == b"1"


async def test_it_asks_for_a_password_and_never_evicts(server: Valkey) -> None:
    url = server.start()

    with pytest.raises((AuthenticationError, ResponseError)):
        async with Redis.from_url(f"redis://127.0.0.1:{server.port}/0") as stranger:
            await stranger.ping()

    async with Redis.from_url(url) as client:
        assert (await client.config_get("maxmemory-policy"))["maxmemory-policy"] == "noeviction"
        assert (await client.config_get("appendonly"))["appendonly"] == "yes"
