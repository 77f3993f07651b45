from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from gql import Client, FileVar, gql
from gql.transport.httpx import HTTPXAsyncTransport
from gql.transport.websockets import WebsocketsTransport

from demonstration.images import jpeg, portrait
from settings import Settings
from tests.cases import complete_profile, draft_case
from tests.outside.conftest import Run
from tests.people import SignedIn, registered_expert
from tests.serving import Served, Start

EXPECTED = {"who": "张三", "up": "证件.jpg", "submitted": "FIRST_REVIEW", "heard": "FIRST_REVIEW"}


@pytest.fixture
async def expert(database: Settings) -> SignedIn:
    """Somebody who can submit."""
    person = await registered_expert()
    await complete_profile(person.viewer)
    return person


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("image") / "证件.jpg"
    path.write_bytes(jpeg(portrait()))
    return path


@pytest.fixture(scope="module")
def served(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Served:
    return start(data_dir=tmp_path_factory.mktemp("data"))


@pytest.mark.parametrize("client", ["apollo", "urql"])
async def test_a_client_asks_uploads_changes_and_listens(client: str, run: Run, served: Served, expert: SignedIn, image: Path) -> None:
    said = await asyncio.to_thread(run, "node", "apps.mjs", served.endpoint, client, expert.token, image)

    assert json.loads(said) == EXPECTED


async def test_gql_in_python_asks_uploads_changes_and_listens(served: Served, expert: SignedIn, image: Path) -> None:
    case = f"Application_{(await draft_case(expert.viewer)).id}"
    headers = {"Authorization": f"Bearer {expert.token}", "X-Registry-Client": "gql"}
    over_http = HTTPXAsyncTransport(served.endpoint, headers=headers, trust_env=False)
    over_socket = WebsocketsTransport(
        served.endpoint.replace("http", "ws"), init_payload={"authorization": f"Bearer {expert.token}"}, connect_args={"proxy": None}
    )

    async with Client(transport=over_http, fetch_schema_from_transport=True) as asking, Client(transport=over_socket) as listening:
        who = await asking.execute(gql("{ viewer { account { name } } }"))
        upload = gql("mutation Up($input: FileUploadInput!) { fileUpload(input: $input) { ... on File { name } ... on Problem { code } } }")
        upload.variable_values = {
            "input": {"purpose": "PORTRAIT", "file": FileVar(str(image), filename=image.name, content_type="image/jpeg")}
        }
        up = await asking.execute(upload, upload_files=True)
        news = asyncio.create_task(first(listening, gql(f'subscription {{ applicationMoved(applicationId: "{case}") {{ stage }} }}')))
        await asyncio.sleep(0.5)  # that a subscription has begun is not told
        submit = gql("mutation S($i: ApplicationSubmitInput!) { applicationSubmit(input: $i) { ... on Application { stage } } }")
        submit.variable_values = {"i": {"applicationId": case, "commitmentAccepted": True, "avoidanceAccepted": True}}
        submitted = await asking.execute(submit)
        heard = await news

    found = {
        "who": who["viewer"]["account"]["name"],
        "up": up["fileUpload"]["name"],
        "submitted": submitted["applicationSubmit"]["stage"],
        "heard": heard["applicationMoved"]["stage"],
    }
    assert found == EXPECTED


async def first(listening: Any, subscription: Any) -> Any:
    async with asyncio.timeout(10):
        return await anext(listening.subscribe(subscription))
