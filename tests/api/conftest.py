from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

import httpx
import pytest

from settings import Settings
from tests.serving import STANDIN, Served, Start, processes, talk


@pytest.fixture(scope="module")
def start(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts processes on this module's database."""
    with processes(database, tmp_path_factory.mktemp("served")) as started:
        yield started


@pytest.fixture(scope="module")
def served(start: Start) -> Served:
    """The stand-in application, shared by a module."""
    return start(STANDIN, operation_seconds=2, body_max_bytes=64 * 2**10, image_max_bytes=2**20, socket_subscriptions=3)


@pytest.fixture
async def client(served: Served) -> AsyncIterator[httpx.AsyncClient]:
    """Talks to it."""
    async with talk(base_url=served.url) as opened:
        yield opened
