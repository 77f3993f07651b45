from __future__ import annotations

import errno
import json

import httpx
import pytest
from starlette.datastructures import UploadFile

from api.app import application
from models.files import StoredFile
from schema.root import schema
from settings import Settings
from tests.people import registered_expert

UPLOAD = "mutation ($file: Upload!) { fileUpload(input: {file: $file, purpose: OTHER}) { __typename } }"


async def test_a_form_that_finds_the_disk_full_is_told_so_and_leaves_nothing(database: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    person = await registered_expert()
    headers = {"authorization": f"Bearer {person.token}", "x-registry-client": "test"}

    async def full(_: UploadFile, data: bytes) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(UploadFile, "write", full)
    async with httpx.AsyncClient(transport=httpx.ASGITransport(application(schema, database)), base_url="http://test") as client:
        answer = await client.post(
            "/graphql",
            data={"operations": json.dumps({"query": UPLOAD, "variables": {"file": None}}), "map": '{"0": ["variables.file"]}'},
            files={"0": ("a.jpg", b"x" * 5000)},
            headers=headers,
        )
        other = await client.post("/graphql", json={"query": "{ viewer { account { name } } }"}, headers=headers)

    assert (answer.status_code, answer.json()["errors"][0]["extensions"]) == (507, {"code": "INSUFFICIENT_STORAGE"})
    assert other.json() == {"data": {"viewer": {"account": {"name": "张三"}}}}
    assert await StoredFile.filter(owner_id=person.account.id).count() == 0
