from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote
from uuid import uuid4

import httpx
import pytest

from api.app import application
from demonstration.images import blurred, certificate, jpeg, png
from models.files import StoredFile
from schema.root import schema
from settings import Settings, settings
from tests import people
from tests.files import attacks
from tests.files.uploads import on_disk
from tests.people import SignedIn

UPLOAD = """mutation Upload($input: FileUploadInput!) {
  fileUpload(input: $input) {
    __typename
    ... on File { id purpose name mediaType size width height blurred warning url }
    ... on Problem { code message }
    ... on InvalidInput { fields { path code message } }
  }
}"""


@pytest.fixture
async def client(database: Settings) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks to the product's application in this process."""
    transport = httpx.ASGITransport(application(schema, settings()))
    async with httpx.AsyncClient(transport=transport, base_url=settings().origin) as opened:
        yield opened


def bearer(who: SignedIn) -> dict[str, str]:
    return {"Authorization": f"Bearer {who.token}"}


async def post(
    client: httpx.AsyncClient, who: SignedIn | None, data: bytes, *, purpose: str = "EDUCATION", **headers: str
) -> httpx.Response:
    """Hand in an image as a plain stream."""
    sent = ({} if who is None else bearer(who)) | {name.replace("_", "-"): value for name, value in headers.items()}
    return await client.post("/files", params={"purpose": purpose}, content=data, headers=sent)


async def send_form(client: httpx.AsyncClient, who: SignedIn | None, data: bytes, name: str = "scan.jpg") -> httpx.Response:
    """Hand in an image by the GraphQL multipart request convention."""
    operations = {"query": UPLOAD, "variables": {"input": {"purpose": "EDUCATION", "file": None}}}
    return await client.post(
        "/graphql",
        data={"operations": json.dumps(operations), "map": json.dumps({"0": ["variables.input.file"]})},
        files={"0": (name, data, "application/octet-stream")},
        headers=({} if who is None else bearer(who)) | {"X-Registry-Client": "test", "Accept-Language": "en"},
    )


async def upload(client: httpx.AsyncClient, who: SignedIn, data: bytes, name: str = "scan.jpg") -> dict[str, Any]:
    """What comes of handing it in."""
    result: dict[str, Any] = (await send_form(client, who, data, name)).json()["data"]["fileUpload"]
    return result


async def test_an_image_sent_as_a_stream_is_answered_as_the_file(client: httpx.AsyncClient, zhang: SignedIn) -> None:
    answer = await post(client, zhang, attacks.scan(), x_file_name=quote("学历证书.jpg"))

    row = await StoredFile.get()
    file = answer.json()["file"]
    assert answer.status_code == 201
    assert file.pop("url").startswith(f"/files/{row.id}?e=")
    assert file == {
        "id": f"File_{row.id}",
        "purpose": "EDUCATION",
        "name": "学历证书.jpg",
        "mediaType": "image/jpeg",
        "size": row.size,
        "width": 1240,
        "height": 1754,
        "blurred": False,
        "warning": None,
    }


async def test_both_doors_answer_alike(client: httpx.AsyncClient, zhang: SignedIn) -> None:
    soft = jpeg(blurred(certificate("CERTIFICATE", ["Number 123"])))

    streamed = (await post(client, zhang, soft, x_file_name="scan.jpg", accept_language="en")).json()["file"]
    uploaded = await upload(client, zhang, soft)

    assert uploaded == {"__typename": "File"} | streamed | {"url": uploaded["url"]}
    assert uploaded["blurred"]
    assert uploaded["warning"] == "The image may be blurred; scan it again if the text is hard to read."
    assert await StoredFile.all().count() == 1


async def test_an_upload_can_be_found_again_by_its_id(client: httpx.AsyncClient, zhang: SignedIn, wang: SignedIn) -> None:
    file = await upload(client, zhang, attacks.scan())
    query = {"query": "query($id: ID!) { node(id: $id) { id ... on File { name width url } } }", "variables": {"id": file["id"]}}

    mine = (await client.post("/graphql", json=query, headers=bearer(zhang))).json()
    of_others = (await client.post("/graphql", json=query, headers=bearer(wang))).json()

    assert mine["data"]["node"] | {"url": ""} == {"id": file["id"], "name": "scan.jpg", "width": 1240, "url": ""}
    assert of_others == {"data": {"node": None}}


@pytest.mark.parametrize(
    ("make", "status", "code"),
    [
        (lambda: b"", 422, "FILE_EMPTY"),
        (lambda: b"GIF89a" + bytes(100), 415, "IMAGE_TYPE"),
        (lambda: png(certificate("C", [])), 422, "IMAGE_NAME"),
        (lambda: attacks.truncated(attacks.scan()), 422, "IMAGE_BROKEN"),
        (lambda: jpeg(certificate("C", [], size=(500, 500))), 422, "IMAGE_TOO_SMALL"),
        (lambda: attacks.forged_size(attacks.scan(), 8000, 8000), 413, "IMAGE_TOO_MANY_PIXELS"),
        (lambda: bytes(21 * 2**20), 413, "FILE_TOO_LARGE"),
    ],
)
async def test_a_refusal_is_a_typed_problem_at_both_doors(
    client: httpx.AsyncClient, zhang: SignedIn, data_dir: Path, *, make: Callable[[], bytes], status: int, code: str
) -> None:
    data = make()

    streamed = await post(client, zhang, data, x_file_name="scan.jpg", accept_language="en")

    answer = streamed.json()
    assert (streamed.status_code, answer["code"]) == (status, "INVALID_INPUT")
    assert [(each["path"], each["code"]) for each in answer["fields"]] == [("file", code)]
    assert answer["fields"][0]["message"].isascii()
    if code != "FILE_TOO_LARGE":  # the form as a whole is too large, before the file is seen
        assert await upload(client, zhang, data) == {"__typename": "InvalidInput"} | answer
    assert await StoredFile.all().count() == 0
    assert on_disk(data_dir) == []


async def test_what_is_announced_as_too_large_is_not_read(client: httpx.AsyncClient, zhang: SignedIn) -> None:
    async def never() -> AsyncIterator[bytes]:
        yield b""
        raise AssertionError("the body was read")

    answer = await client.post("/files?purpose=TITLE", content=never(), headers=bearer(zhang) | {"Content-Length": str(20 * 2**20 + 1)})

    assert (answer.status_code, answer.json()["fields"][0]["code"]) == (413, "FILE_TOO_LARGE")


async def test_messages_are_chinese_unless_english_is_asked_for(client: httpx.AsyncClient, zhang: SignedIn) -> None:
    answer = (await post(client, zhang, b"text", x_file_name="scan.jpg")).json()

    assert answer["fields"][0]["message"] == "只接受 JPEG、PNG 图片；请将文件另存或转换为该格式后上传。"


async def test_nobody_hands_in_without_signing_in(client: httpx.AsyncClient, data_dir: Path) -> None:
    streamed = await post(client, None, attacks.scan())
    uploaded = await send_form(client, None, attacks.scan())

    assert (streamed.status_code, streamed.json()["code"]) == (401, "NOT_SIGNED_IN")
    assert (uploaded.status_code, uploaded.json()["errors"][0]["extensions"]["code"]) == (401, "NOT_SIGNED_IN")
    assert on_disk(data_dir) == []


async def test_a_cookie_needs_the_header_that_foreign_pages_cannot_send(client: httpx.AsyncClient, zhang: SignedIn) -> None:
    client.cookies.set("registry_session", zhang.token)

    forged = await post(client, None, attacks.scan())
    foreign = await post(client, None, attacks.scan(), x_registry_client="page", origin="https://evil.example")
    own = await post(client, None, attacks.scan(), x_registry_client="page", origin=settings().origin)

    assert (forged.status_code, forged.json()["code"]) == (403, "CLIENT_HEADER_MISSING")
    assert (foreign.status_code, foreign.json()["code"]) == (403, "ORIGIN_NOT_ALLOWED")
    assert own.status_code == 201
    assert await StoredFile.all().count() == 1


@pytest.mark.parametrize("purpose", ["", "id_front", "NONSENSE"])
async def test_an_unknown_purpose_is_told(client: httpx.AsyncClient, zhang: SignedIn, purpose: str) -> None:
    answer = await post(client, zhang, attacks.scan(), purpose=purpose)

    assert (answer.status_code, answer.json()["code"]) == (422, "INVALID_INPUT")
    assert [(each["path"], each["code"]) for each in answer.json()["fields"]] == [("purpose", "PURPOSE_UNKNOWN")]


async def test_compressed_bodies_are_not_unpacked(client: httpx.AsyncClient, zhang: SignedIn) -> None:
    answer = await post(client, zhang, attacks.scan(), content_encoding="gzip")

    assert (answer.status_code, answer.json()["code"]) == (415, "ENCODING_UNSUPPORTED")


@pytest.mark.parametrize("file", ["scan.jpg", 7, {"a": 1}, ["x"]])
async def test_something_else_in_the_place_of_the_file_is_told(client: httpx.AsyncClient, zhang: SignedIn, file: Any) -> None:
    body = {"query": UPLOAD, "variables": {"input": {"purpose": "TITLE", "file": file}}}

    answer = (await client.post("/graphql", json=body, headers=bearer(zhang))).json()

    assert [each["code"] for each in answer["data"]["fileUpload"]["fields"]] == ["FILE_MISSING"]


async def test_a_file_is_loaded_with_its_type_and_can_do_nothing(client: httpx.AsyncClient, zhang: SignedIn, data_dir: Path) -> None:
    handed_in = await post(client, zhang, attacks.jpeg_and_page(), x_file_name=quote('证书"\r\nX-Evil: 1.jpg'))
    file = handed_in.json()["file"]

    answer = await client.get(file["url"], headers=bearer(zhang))

    assert answer.status_code == 200
    assert len(answer.content) == file["size"]
    assert b"script" not in answer.content
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["content-length"] == str(file["size"])
    assert answer.headers["content-disposition"] == f"inline; filename*=UTF-8''{quote(file['name'])}"
    assert answer.headers["cache-control"] == "private, no-store"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox; frame-ancestors 'none'"
    assert answer.headers["cross-origin-resource-policy"] == "same-site"
    assert answer.headers["referrer-policy"] == "no-referrer"
    assert "x-evil" not in answer.headers


async def test_pages_load_with_their_cookie(client: httpx.AsyncClient, zhang: SignedIn) -> None:
    url = (await post(client, zhang, attacks.scan())).json()["file"]["url"]
    client.cookies.set("registry_session", zhang.token)

    assert (await client.get(url)).status_code == 200


async def test_an_address_is_of_no_use_to_anybody_else(client: httpx.AsyncClient, zhang: SignedIn, wang: SignedIn) -> None:
    url = (await post(client, zhang, attacks.scan())).json()["file"]["url"]
    another_device = await people.sign_in(zhang.phone)
    path, _, query = url.partition("?")

    answers = {
        "signed out": await client.get(url),
        "a stranger": await client.get(url, headers=bearer(wang)),
        "an officer": await client.get(url, headers=bearer(await people.provincial_officer())),
        "another device": await client.get(url, headers=bearer(another_device)),
        "unsigned": await client.get(path, headers=bearer(zhang)),
        "another file": await client.get(f"/files/{uuid4()}?{query}", headers=bearer(zhang)),
        "no number": await client.get(f"{path}?e=x&s=y", headers=bearer(zhang)),
        "a path": await client.get("/files/..%2f..%2fetc%2fpasswd", headers=bearer(zhang)),
    }

    assert {who: (answer.status_code, answer.json().get("code")) for who, answer in answers.items()} == {
        "signed out": (401, "NOT_SIGNED_IN"),
        "a stranger": (404, "NOT_FOUND"),
        "an officer": (404, "NOT_FOUND"),
        "another device": (404, "NOT_FOUND"),
        "unsigned": (404, "NOT_FOUND"),
        "another file": (404, "NOT_FOUND"),
        "no number": (404, "NOT_FOUND"),
        "a path": (404, None),
    }


async def test_an_old_address_says_so(client: httpx.AsyncClient, zhang: SignedIn, clock: Any) -> None:
    url = (await post(client, zhang, attacks.scan())).json()["file"]["url"]
    await clock.move(minutes=6)

    answer = await client.get(url, headers=bearer(zhang))

    assert (answer.status_code, answer.json()["code"]) == (403, "DOWNLOAD_EXPIRED")


async def test_the_loss_of_an_object_is_told_as_such(client: httpx.AsyncClient, zhang: SignedIn, data_dir: Path) -> None:
    url = (await post(client, zhang, attacks.scan())).json()["file"]["url"]
    for each in on_disk(data_dir):
        each.unlink()

    answer = await client.get(url, headers=bearer(zhang))

    assert (answer.status_code, answer.json()["code"]) == (503, "SERVICE_UNAVAILABLE")
