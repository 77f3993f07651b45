from __future__ import annotations

import asyncio
import json
import time
from typing import Any

import httpx
import pytest
from starlette.requests import HTTPConnection
from websockets.exceptions import InvalidStatus

from api.security import credentials
from settings import Settings
from tests.people import registered_expert
from tests.serving import STANDIN, Served, Start, begin, talk

ALLOWED = "https://app.example.org"
JSON = {"content-type": "application/json"}
OPERATIONS = json.dumps({"query": "mutation ($f: Upload!) { size(file: $f) }", "variables": {"f": None}})


@pytest.fixture(scope="module")
async def signed_in(database: Settings) -> dict[str, str]:
    """The header of somebody with a session; who has none sends no forms."""
    return {"authorization": f"Bearer {(await registered_expert()).token}", "x-registry-client": "test"}


@pytest.fixture(scope="module")
def guarded(start: Start) -> Served:
    """A process behind a proxy at 127.0.0.1, reached by browsers over HTTPS."""
    return start(
        STANDIN,
        public_origin="https://registry.example.org",
        allowed_origins=ALLOWED,
        trusted_proxies="127.0.0.1,10.0.0.0/8",
        image_max_bytes=2**20,
        development="0",
        metrics_addresses="198.51.100.7",
    )


async def post(served: Served, query: str = "{ who }", **headers: str) -> httpx.Response:
    async with talk() as client:
        return await client.post(
            served.endpoint, json={"query": query}, headers={key.replace("_", "-"): value for key, value in headers.items()}
        )


def code(answer: httpx.Response) -> str:
    return str(answer.json()["errors"][0]["extensions"]["code"])


async def upload(
    served: Served, headers: dict[str, str], *, files: dict[str, Any] | None = None, fields: dict[str, str] | None = None
) -> httpx.Response:
    async with talk() as client:
        return await client.post(
            served.endpoint,
            data={"operations": OPERATIONS, "map": '{"0": ["variables.f"]}'} if fields is None else fields,
            files={"0": ("a.jpg", b"12345")} if files is None else files,
            headers={key.replace("_", "-"): value for key, value in headers.items()},
        )


async def test_a_cookie_counts_only_beside_our_header(guarded: Served) -> None:
    person = await registered_expert()
    cookie = f"registry_session={person.token}"

    alone = await post(guarded, cookie=cookie)
    beside = await post(guarded, cookie=cookie, x_registry_client="page")
    bearer = await post(guarded, authorization=f"Bearer {person.token}")
    async with talk() as client:
        by_get = await client.get(guarded.endpoint, params={"query": "{ who }"}, headers={"cookie": cookie})

    assert (alone.status_code, code(alone)) == (403, "CLIENT_HEADER_MISSING")
    assert (by_get.status_code, code(by_get)) == (403, "CLIENT_HEADER_MISSING")
    assert beside.json() == bearer.json() == {"data": {"who": person.account.name}}


async def test_a_token_that_opens_nothing_is_nobody(guarded: Served) -> None:
    async with talk() as client:
        for token in (b"nonsense", b"\xff\xfe", b"x" * 5000):
            answer = await client.post(guarded.endpoint, json={"query": "{ who }"}, headers={b"authorization": b"Bearer " + token})

            assert answer.json() == {"data": {"who": None}}


@pytest.mark.parametrize("origin", ["https://evil.example.org", "null", "http://registry.example.org", "https://app.example.org.evil.org"])
async def test_pages_of_other_origins_may_not_call(guarded: Served, origin: str) -> None:
    answer = await post(guarded, origin=origin)

    assert (answer.status_code, code(answer)) == (403, "ORIGIN_NOT_ALLOWED")
    assert "access-control-allow-origin" not in answer.headers


@pytest.mark.parametrize("origin", ["https://registry.example.org", ALLOWED])
async def test_our_own_and_allowed_origins_may_call(guarded: Served, origin: str) -> None:
    answer = await post(guarded, origin=origin)

    assert answer.status_code == 200
    assert answer.headers.get("access-control-allow-origin") == (ALLOWED if origin == ALLOWED else None)


async def test_browsers_are_told_before_what_an_allowed_page_may_send(guarded: Served) -> None:
    asked = {"access-control-request-method": "POST", "access-control-request-headers": "content-type,x-registry-client"}
    async with talk() as client:
        allowed = await client.options(guarded.endpoint, headers=asked | {"origin": ALLOWED})
        refused = await client.options(guarded.endpoint, headers=asked | {"origin": "https://evil.example.org"})

    assert allowed.status_code == 200
    assert (allowed.headers["access-control-allow-origin"], allowed.headers["access-control-allow-credentials"]) == (ALLOWED, "true")
    assert refused.status_code == 400
    assert "access-control-allow-origin" not in refused.headers


async def test_a_cookie_of_nothing_but_escapes_is_no_work(guarded: Served) -> None:
    cookie = 'registry_session="' + '\\"' * 25_000 + '"'
    connection = HTTPConnection({"type": "http", "headers": [(b"cookie", cookie.encode())]})
    began = time.process_time()

    found = credentials(connection)

    assert time.process_time() - began < 0.5
    assert found.token is None
    assert (await post(guarded, cookie=cookie, x_registry_client="page")).json() == {"data": {"who": None}}


def test_the_session_is_found_in_whichever_cookie_header_it_stands() -> None:
    headers = [(b"cookie", b"a=1; registry_sessions=no"), (b"cookie", b"b=2; registry_session=tok-en_1; c=3")]

    assert credentials(HTTPConnection({"type": "http", "headers": headers})).token == "tok-en_1"


async def test_the_session_cookie_is_out_of_reach_of_scripts_and_foreign_pages(guarded: Served) -> None:
    given = await post(guarded, 'mutation { cookie(token: "abc") }')
    taken = await post(guarded, "mutation { noCookie }")

    assert given.headers["set-cookie"] == "registry_session=abc; HttpOnly; Max-Age=60; Path=/; SameSite=lax; Secure"
    assert taken.headers["set-cookie"] == 'registry_session=""; HttpOnly; Max-Age=0; Path=/; SameSite=lax; Secure'


async def test_every_answer_carries_the_headers_of_safety(guarded: Served) -> None:
    async with talk() as client:
        for path in ("/graphql", "/nowhere", "/livez", "/graphql?query=%7B__typename%7D"):
            answer = await client.get(guarded.url + path)

            assert answer.headers["x-content-type-options"] == "nosniff"
            assert answer.headers["content-security-policy"].startswith("default-src 'none'; frame-ancestors 'none'")
            assert answer.headers["strict-transport-security"] == "max-age=31536000; includeSubDomains"
            assert answer.headers["cache-control"] == "no-store"
            assert answer.headers["referrer-policy"] == "no-referrer"
            assert "server" not in answer.headers


@pytest.mark.parametrize(
    ("forwarded", "believed"),
    [
        (None, "127.0.0.1"),
        ("203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9", "203.0.113.9"),
        ("6.6.6.6, 203.0.113.9, 10.1.2.3", "203.0.113.9"),
        ("203.0.113.9, nonsense", "127.0.0.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("10.1.1.1, 10.2.2.2", "10.1.1.1"),
    ],
)
async def test_only_what_trusted_proxies_saw_is_taken_for_the_client(guarded: Served, forwarded: str | None, believed: str) -> None:
    answer = await post(guarded, "{ client }", **({"x_forwarded_for": forwarded} if forwarded else {}))

    assert answer.json()["data"]["client"][0] == believed


async def test_without_trusted_proxies_nothing_forwarded_is_believed(served: Served) -> None:
    answer = await post(served, "{ client }", x_forwarded_for="203.0.113.9", forwarded="for=203.0.113.9", x_real_ip="203.0.113.9")

    assert answer.json()["data"]["client"][0] == "127.0.0.1"


async def test_metrics_are_for_the_addresses_of_the_settings(guarded: Served, served: Served) -> None:
    async with talk() as client:
        foreign = await client.get(f"{guarded.url}/metrics")
        known = await client.get(f"{guarded.url}/metrics", headers={"x-forwarded-for": "198.51.100.7"})
        local = await client.get(f"{served.url}/metrics")

    assert (foreign.status_code, known.status_code, local.status_code) == (404, 200, 200)
    assert 'registry_outbox{state="waiting"}' in local.text
    assert "registry_late_notices 0.0" in local.text


async def test_production_gives_no_hint_at_fields_that_might_have_been_meant(guarded: Served, served: Served) -> None:
    production = await post(guarded, "{ ech }")
    development = await post(served, "{ ech }")

    assert production.json()["errors"][0]["message"] == "Cannot query field 'ech' on type 'Query'."
    assert "Did you mean 'echo'?" in development.json()["errors"][0]["message"]


async def test_a_socket_from_a_page_of_another_origin_is_refused_before_the_handshake(guarded: Served) -> None:
    with pytest.raises(InvalidStatus) as refused:
        async with guarded.socket(origin="https://evil.example.org"):
            pass
    async with guarded.socket(origin=ALLOWED) as ws:
        await begin(ws)

    assert refused.value.response.status_code == 403


async def test_an_upload_arrives(guarded: Served, signed_in: dict[str, str]) -> None:
    answer = await upload(guarded, signed_in)

    assert answer.json() == {"data": {"size": 5}}


async def test_a_form_needs_our_header_even_without_a_cookie(guarded: Served) -> None:
    answer = await upload(guarded, {})

    assert (answer.status_code, code(answer)) == (403, "CLIENT_HEADER_MISSING")


@pytest.mark.parametrize(
    ("fields", "files"),
    [
        ({}, None),
        ({"operations": OPERATIONS}, None),
        ({"operations": "{", "map": "{}"}, None),
        ({"operations": OPERATIONS, "map": "[]"}, None),
        ({"operations": OPERATIONS, "map": '{"1": ["variables.f"]}'}, None),
        ({"operations": OPERATIONS, "map": '{"0": ["variables.g"]}'}, None),
        ({"operations": OPERATIONS, "map": '{"0": ["query"]}'}, None),
        ({"operations": OPERATIONS, "map": '{"0": [""]}'}, None),
        ({"operations": OPERATIONS.replace("null", "[null]"), "map": '{"0": ["variables.f.' + "1" * 5000 + '"]}'}, None),
        ({"operations": OPERATIONS.replace("null", "[null]"), "map": '{"0": ["variables.f.' + "1" * 5000 + '.0"]}'}, None),
        ({"operations": OPERATIONS, "map": '{"0": [1]}'}, None),
        ({"operations": OPERATIONS, "map": '{"0": ["variables.f.x"]}'}, None),
        ({"operations": "[" + OPERATIONS + "]", "map": '{"0": ["0.variables.f"]}'}, None),
        ({"operations": OPERATIONS, "map": '{"0": ["variables.f"]}'}, {str(n): ("a", b"x") for n in range(11)}),
        ({"operations": OPERATIONS, "map": '{"0": ["variables.f"]}', "more": "x"}, None),
        ({"operations": OPERATIONS + " " * 300_000, "map": '{"0": ["variables.f"]}'}, None),
    ],
    ids=range(16),
)
async def test_a_form_that_breaks_the_convention_is_refused(
    guarded: Served, signed_in: dict[str, str], fields: dict[str, str], files: dict[str, Any] | None
) -> None:
    answer = await upload(guarded, signed_in, files=files, fields=fields)

    assert answer.status_code == 400
    assert code(answer) in ("FORM_INVALID", "JSON_INVALID", "BATCH_UNSUPPORTED")


@pytest.mark.parametrize(
    "body", [b"", b"--b", b"--b\r\n\r\n", b"\x00" * 100, b'--b\r\nContent-Disposition: form-data; name="\xff\xfe"\r\n\r\nx\r\n--b--\r\n']
)
@pytest.mark.parametrize(
    "kind",
    [
        "multipart/form-data",
        "multipart/form-data; boundary=b",
        *(f"multipart/form-data; boundary=b; charset={each}" for each in ("none", "undefined", "punycode", '"utf-16"', "idna")),
    ],
)
async def test_a_form_that_is_none_is_refused(guarded: Served, signed_in: dict[str, str], kind: str, body: bytes) -> None:
    async with talk() as client:
        answer = await client.post(guarded.endpoint, content=body, headers=signed_in | {"content-type": kind})

    assert (answer.status_code, code(answer)) == (400, "FORM_INVALID")


async def test_a_form_that_is_too_large_is_cut_off_and_leaves_memory_flat(guarded: Served, signed_in: dict[str, str]) -> None:
    await upload(guarded, signed_in, files={"0": ("a", b"x" * 2**20)})
    before = guarded.memory_mib()

    async def endless() -> Any:
        yield b'--b\r\nContent-Disposition: form-data; name="0"; filename="a"\r\n\r\n'
        for _ in range(100):
            yield b"x" * 2**20

    async with talk() as client:
        headers = signed_in | {"content-type": "multipart/form-data; boundary=b"}
        unannounced = await client.post(guarded.endpoint, content=endless(), headers=headers)
        announced = await client.post(guarded.endpoint, content=b"x" * (3 * 2**20), headers=headers)

    assert (unannounced.status_code, code(unannounced)) == (413, "BODY_TOO_LARGE")
    assert (announced.status_code, code(announced)) == (413, "BODY_TOO_LARGE")
    assert guarded.memory_mib() - before < 8


@pytest.mark.parametrize("token", [b"", b"Authorization: Bearer nonsense\r\n"])
async def test_a_form_of_nobody_is_refused_before_it_has_arrived(guarded: Served, token: bytes) -> None:
    head = b"POST /graphql HTTP/1.1\r\nHost: x\r\nContent-Type: multipart/form-data; boundary=b\r\nX-Registry-Client: test\r\n"
    body = b'--b\r\nContent-Disposition: form-data; name="0"; filename="a"\r\n\r\nno more of it comes'

    answer = await raw(guarded, head + token + b"Content-Length: 900000\r\n\r\n" + body)

    assert answer.startswith(b"HTTP/1.1 401 ")


async def test_one_form_too_many_of_one_account_is_told_to_come_back(start: Start) -> None:
    served = start(STANDIN, uploads_per_account=1)
    person = await registered_expert()
    headers = {"authorization": f"Bearer {person.token}", "x-registry-client": "test"}
    go_on = asyncio.Event()

    async def slowly() -> Any:
        yield b'--b\r\nContent-Disposition: form-data; name="0"; filename="a"\r\n\r\n'
        await go_on.wait()

    async with talk() as client:
        first = asyncio.create_task(
            client.post(served.endpoint, content=slowly(), headers=headers | {"content-type": "multipart/form-data; boundary=b"})
        )
        await asyncio.sleep(0.5)
        second = await upload(served, headers)
        go_on.set()
        await first
    third = await upload(served, headers)

    assert (second.status_code, code(second), second.headers["retry-after"]) == (429, "TOO_SOON", "1")
    assert third.json() == {"data": {"size": 5}}


async def raw(served: Served, request: bytes) -> bytes:
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port)
    writer.write(request)
    await writer.drain()
    async with asyncio.timeout(10):
        answer = await reader.read(65536)
    writer.close()
    return answer


@pytest.mark.parametrize(
    "headers",
    [
        b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n",
        b"Content-Length: 5\r\nContent-Length: 6\r\n",
        b"Transfer-Encoding: chunked, identity\r\n",
        b"Content-Length: +5\r\n",
        b"Content-Length : 5\r\n",
    ],
)
async def test_a_request_that_two_servers_could_read_differently_is_not_read(served: Served, headers: bytes) -> None:
    answer = await raw(
        served,
        b"POST /graphql HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n"
        + headers
        + b"\r\n0\r\n\r\nGET /livez HTTP/1.1\r\nHost: a\r\n\r\n",
    )

    assert answer.startswith(b"HTTP/1.1 400")
    assert b"live" not in answer


async def measured(served: Served, query: str) -> tuple[dict[str, Any], float]:
    began = time.perf_counter()
    answer = await post(served, query, accept="application/graphql-response+json")
    assert answer.status_code == 400, answer.text
    error: dict[str, Any] = answer.json()["errors"][0]
    return error, time.perf_counter() - began


def spread(levels: int, body: str) -> str:
    fragments = " ".join(f"fragment F{n} on Tree {{ {body.format(n=n + 1)} }}" for n in range(levels))
    return f"{{ tree {{ ...F0 }} }} {fragments} fragment F{levels} on Tree {{ leaf }}"


BOMBS = {
    "depth": "{ tree " + "{ inner " * 40 + "{ leaf }" + " }" * 40 + " }",
    "deeper than can be parsed": "{ tree " + "{ inner " * 900 + "{ leaf }" + " }" * 900 + " }",
    "fields": "{ tree { " + "leaf " * 700 + "} }",
    "aliases": "{ tree { " + " ".join(f"a{n}: leaf" for n in range(40)) + " } }",
    "repeated fields": "{ tree { " + "inner { leaf } " * 290 + "} }",
    "directives": "{ tree { leaf " + "@skip(if: false) " * 40 + "} }",
    "tokens": "{ tree { " + "leaf " * 3000 + "} }",
    "comments": "{ tree { leaf } }" + "#\n" * 3000,
    "nested lists": "{ tree { inner(n: " + "[" * 500 + "1" + "]" * 500 + ") { leaf } } }",
    "fragments that double": spread(60, "inner {{ ...F{n} }} again: inner {{ ...F{n} }}"),
    "fragments in a circle": "{ tree { ...A } } fragment A on Tree { inner { ...B } } fragment B on Tree { inner { ...A } }",
    "root mutations": "mutation { " + " ".join(f'a{n}: cookie(token: "x")' for n in range(5)) + " }",
    "fragments that ask for the same": "{ tree { "
    + " ".join(f"...F{n}" for n in range(100))
    + " } } "
    + " ".join(f"fragment F{n} on Tree {{ inner {{ leaf }} }}" for n in range(100)),
    "introspection": "{ __schema { types { fields { type { fields { type { fields { type { fields { name } } } } } } } } } }",
}


@pytest.mark.parametrize("name", BOMBS)
async def test_a_bomb_is_refused_at_once(served: Served, name: str) -> None:
    before = served.memory_mib()

    error, seconds = await measured(served, BOMBS[name])

    if name == "introspection":
        assert error["message"] == "Maximum introspection depth exceeded"
    else:
        assert error["extensions"]["code"] in ("DOCUMENT_TOO_COMPLEX", "FRAGMENT_CYCLE")
    assert seconds < 0.5
    assert served.memory_mib() - before < 8


async def test_many_different_documents_leave_memory_flat(served: Served) -> None:
    async def ask(numbers: range) -> None:
        async with talk() as client:
            for n in numbers:
                wide = " ".join(f"... on Tree {{ x{n}_{each}: leaf }}" for each in range(25))
                answer = await client.post(served.endpoint, json={"query": f"{{ tree {{ {wide} }} }}"})
                assert answer.status_code == 200

    await ask(range(260))  # fills what is kept
    before = served.memory_mib()

    await ask(range(260, 440))

    assert served.memory_mib() - before < 8


async def test_long_documents_leave_memory_flat(served: Served) -> None:
    async def ask(numbers: range) -> None:
        async with talk() as client:
            for n in numbers:
                answer = await client.post(served.endpoint, json={"query": f'{{ echo(text: "{n}{"x" * 60_000}") }}'})
                assert answer.status_code == 200

    await ask(range(300))
    before = served.memory_mib()

    await ask(range(300, 600))

    assert served.memory_mib() - before < 8


async def test_pings_of_a_client_that_reads_no_answers_leave_memory_flat(served: Served) -> None:
    opening = (
        b"GET /graphql HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
        b"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: graphql-transport-ws\r\n\r\n"
    )
    ping = bytes([0x89, 0x80 | 125, 0, 0, 0, 0]) + b"x" * 125
    reader, writer = await asyncio.open_connection("127.0.0.1", served.port, limit=1024)
    writer.write(opening)
    assert (await reader.readuntil(b"\r\n\r\n")).startswith(b"HTTP/1.1 101")
    before = served.memory_mib()

    for _ in range(300):
        writer.write(ping * 1_000)
        await writer.drain()
    taken = served.memory_mib() - before
    writer.transport.abort()

    assert taken < 8
