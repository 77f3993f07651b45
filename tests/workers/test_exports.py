"""An export from the order to the download, by the product's own processes."""

from __future__ import annotations

import io
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from pypdf import PdfReader

from models.outbox import OutboxRow
from settings import Settings
from tests.people import SignedIn, officer, registered_expert
from tests.profiles.kept import draft_of
from tests.serving import Start, processes, talk
from tests.workers.conftest import WorkerProcess

ASK = """mutation ($profile: ID!) {
    applicationFormExport(input: { profileId: $profile }) { __typename ... on Export { id } ... on Problem { code message } }
}"""
HOW_FAR = "query ($id: ID!) { node(id: $id) { ... on Export { state fileName mediaType size url } } }"


@pytest.fixture(scope="module")
def start(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    with processes(database, tmp_path_factory.mktemp("served")) as started:
        yield started


def bearer(person: SignedIn) -> dict[str, Any]:
    return {"Authorization": f"Bearer {person.token}"}


async def asked(client: httpx.AsyncClient, person: SignedIn, query: str, **variables: str) -> dict[str, Any]:
    answer = (await client.post("/graphql", json={"query": query, "variables": variables}, headers=bearer(person))).json()
    assert "errors" not in answer, answer
    [found] = answer["data"].values()
    return found  # type: ignore[no-any-return]  # one object


async def test_a_form_is_made_by_the_worker_and_loaded_from_the_api_which_loads_no_typesetter(
    start: Start, start_worker: Callable[..., WorkerProcess], redis_url: str, tmp_path: Path
) -> None:
    await OutboxRow.all().delete()
    person, other = await registered_expert(name="张三丰"), await officer()
    async with talk() as client:
        product = start(data_dir=tmp_path)
        client.base_url = httpx.URL(product.url)
        await client.post(
            "/graphql",
            json={"query": 'mutation { basicInfoSave(input: { postcode: "130000" }) { __typename } }'},
            headers=bearer(person),
        )
        before = product.memory_mib()
        export = await asked(client, person, ASK, profile=f"Profile_{(await draft_of(person.viewer)).id}")
        assert export["__typename"] == "Export"
        worker = start_worker(redis_url)

        while (found := await asked(client, person, HOW_FAR, id=export["id"]))["state"] in ("QUEUED", "RUNNING"):
            assert worker.process.poll() is None, worker.log.read_text()
        loaded = await client.get(found["url"], headers=bearer(person))
        refused = [
            await client.get(found["url"], headers=bearer(other)),
            await client.get(found["url"]),
            await client.get(found["url"] + "x", headers=bearer(person)),
            await client.get(found["url"].replace("exports", "files"), headers=bearer(person)),
        ]

        assert (found["state"], found["mediaType"], found["size"]) == ("READY", "application/pdf", len(loaded.content))
        assert "张三丰" in PdfReader(io.BytesIO(loaded.content)).pages[0].extract_text()
        assert loaded.headers["content-type"] == "application/pdf"
        assert loaded.headers["content-disposition"].startswith("attachment; filename*=UTF-8''%E7%94%B3%E8%AF%B7%E8%A1%A8-")
        assert loaded.headers["cache-control"] == "private, no-store"
        assert loaded.headers["x-content-type-options"] == "nosniff"
        assert loaded.headers["content-security-policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
        assert [each.status_code for each in refused] == [404, 401, 404, 404]
        assert product.memory_mib() - before < 24
        for process in (product.process, worker.process):
            assert "typst" not in Path(f"/proc/{process.pid}/maps").read_text()
        assert "张三丰" not in worker.log.read_text() + product.said()
        assert worker.terminate()[0] == 0
