"""Files over real sockets: what only a process of its own can show."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from settings import Settings
from tests import people
from tests.files import attacks
from tests.people import SignedIn
from tests.serving import Served, Start

MIB = 2**20


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("data")


@pytest.fixture(scope="module")
def product(start: Start, data_dir: Path) -> Served:
    """The product's own application."""
    return start("api.app:create_app", data_dir=data_dir)


@pytest.fixture(scope="module")
async def zhang(database: Settings) -> SignedIn:
    return await people.registered_expert()


async def post(client: httpx.AsyncClient, who: SignedIn, data: bytes | AsyncIterator[bytes], name: str = "scan.jpg") -> httpx.Response:
    headers = {"Authorization": f"Bearer {who.token}", "X-File-Name": name}
    return await client.post("/files?purpose=EDUCATION", content=data, headers=headers)


def mapped(product: Served) -> str:
    """The libraries that a process has loaded."""
    return Path(f"/proc/{product.process.pid}/maps").read_text()


async def test_the_memory_of_the_process_stays_flat_under_bombs(product: Served, zhang: SignedIn, data_dir: Path) -> None:
    bombs = [
        (attacks.png_bomb(6300, 6300), "scan.png"),
        (attacks.png_bomb(12_000, 12_000), "scan.png"),
        (attacks.text_bomb(), "scan.png"),
        (attacks.forged_size(attacks.scan(), 65500, 65500), "scan.jpg"),
        (b"\xff\xd8\xff" + bytes(20 * MIB - 3), "scan.jpg"),
        (b"\xff\xd8\xff" + bytes(21 * MIB), "scan.jpg"),
    ]
    async with httpx.AsyncClient(base_url=product.url, timeout=60) as client:
        assert (await post(client, zhang, attacks.scan())).status_code == 201
        before = product.memory_mib()

        answers = await asyncio.gather(*(post(client, zhang, data, name) for data, name in bombs))

        assert sorted(each.status_code for each in answers) == [201, 413, 413, 413, 422, 422]
        assert product.memory_mib() - before < 24
        assert (await client.get("/livez")).status_code == 200
    assert "_imaging" not in mapped(product)
    assert list((data_dir / "incoming").iterdir()) == []


async def test_a_file_travels_whole_in_both_directions(product: Served, zhang: SignedIn) -> None:
    async with httpx.AsyncClient(base_url=product.url, timeout=30) as client:
        file = (await post(client, zhang, attacks.scan())).json()["file"]

        loaded = await client.get(file["url"], headers={"Authorization": f"Bearer {zhang.token}"})

    assert (loaded.status_code, len(loaded.content)) == (200, file["size"])
    assert loaded.content.startswith(b"\xff\xd8\xff")
    assert loaded.content.endswith(b"\xff\xd9")


async def test_an_upload_that_breaks_off_leaves_nothing_behind(product: Served, zhang: SignedIn, data_dir: Path) -> None:
    before = sorted((data_dir / "files").rglob("*"))

    _reader, writer = await asyncio.open_connection("127.0.0.1", product.port)
    writer.write(
        b"POST /files?purpose=TITLE HTTP/1.1\r\nHost: localhost\r\nContent-Length: 1000000\r\n"
        b"Authorization: Bearer " + zhang.token.encode() + b"\r\n\r\n" + attacks.scan()[:1000]
    )
    await writer.drain()
    await asyncio.sleep(0.3)
    writer.close()
    await asyncio.sleep(0.3)

    assert sorted((data_dir / "files").rglob("*")) == before
    assert list((data_dir / "incoming").iterdir()) == []
    assert '"event":"fault"' not in product.said().replace(" ", "")


async def test_personal_words_of_an_upload_do_not_reach_the_log(product: Served, zhang: SignedIn) -> None:
    async with httpx.AsyncClient(base_url=product.url, timeout=30) as client:
        await post(client, zhang, b"canary-content", "canary-name.jpg")
        file = (await post(client, zhang, attacks.scan(), "canary-name.jpg")).json()["file"]
        await client.get(file["url"], headers={"Authorization": f"Bearer {zhang.token}"})

    said = product.said()
    assert "canary" not in said
    assert file["url"].rpartition("s=")[2] not in said
    assert zhang.token not in said
