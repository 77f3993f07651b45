from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from tests.serving import Served

GRAPHQL_JSON = "application/graphql-response+json"


async def ask(client: httpx.AsyncClient, body: Any, **headers: str) -> httpx.Response:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    return await client.post("/graphql", content=content, headers={"content-type": "application/json"} | headers)


def codes(answer: httpx.Response) -> list[str]:
    return [each.get("extensions", {}).get("code", "") for each in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("accept", "answered"),
    [
        ("application/json", "application/json; charset=utf-8"),
        (GRAPHQL_JSON, f"{GRAPHQL_JSON}; charset=utf-8"),
        ("*/*", "application/json; charset=utf-8"),
        (f"application/json;q=0.5, {GRAPHQL_JSON}", f"{GRAPHQL_JSON}; charset=utf-8"),
        (
            f"{GRAPHQL_JSON}, application/graphql+json, application/json, text/event-stream, multipart/mixed",
            f"{GRAPHQL_JSON}; charset=utf-8",
        ),
        ("text/event-stream, application/json", "application/json; charset=utf-8"),
    ],
)
async def test_a_query_is_answered_in_the_json_that_is_liked_best(client: httpx.AsyncClient, accept: str, answered: str) -> None:
    answer = await ask(client, {"query": "{ __typename }"}, accept=accept)

    assert (answer.status_code, answer.headers["content-type"], answer.json()) == (200, answered, {"data": {"__typename": "Query"}})


@pytest.mark.parametrize("accept", ["text/html", "application/json;q=0", "application/json;q=nothing", "text/html," * 100 + "*/*"])
async def test_a_client_that_accepts_nothing_of_ours_is_told(client: httpx.AsyncClient, accept: str) -> None:
    """Nor what comes after a thousand characters, which would be kept for everybody who sends other ones."""
    answer = await ask(client, {"query": "{ __typename }"}, accept=accept)

    assert (answer.status_code, codes(answer)) == (406, ["NOT_ACCEPTABLE"])


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (b"", 400, "JSON_INVALID"),
        (b"null", 400, "PARAMETERS_INVALID"),
        (b'"text"', 400, "PARAMETERS_INVALID"),
        (b"[]", 400, "BATCH_UNSUPPORTED"),
        (b'[{"query": "{ __typename }"}]', 400, "BATCH_UNSUPPORTED"),
        (b"{}", 400, "PARAMETERS_INVALID"),
        (b'{"query": null}', 400, "PARAMETERS_INVALID"),
        (b'{"query": "{ __typename }", "variables": []}', 400, "PARAMETERS_INVALID"),
        (b'{"query": "{ __typename }", "operationName": 1}', 400, "PARAMETERS_INVALID"),
        (b'{"query": "\xff"}', 400, "JSON_INVALID"),
        (b'{"query": "\\ud800"}', 400, "JSON_INVALID"),
        (b'{"query": "{ __typename }", "variables": {"a": NaN}}', 400, "JSON_INVALID"),
        (b'{"query": "{ __typename }", "variables": {"a": Infinity}}', 400, "JSON_INVALID"),
        (b'{"query": "{ __typename }", "variables": {"a": "\\u0000"}}', 400, "NUL_CHARACTER"),
        (b'{"query": "{ __typename }", "variables": {"\\u0000": 1}}', 400, "NUL_CHARACTER"),
        (b'{"query": "{ __typename }", "variables": {"a": ' + b"[" * 40 + b"]" * 40 + b"}}", 400, "JSON_TOO_DEEP"),
        (b'{"query": "{ __typename }", "variables": {"a": ' + b"[" * 31 + b"1" + b"]" * 31 + b"}}", 400, "JSON_TOO_DEEP"),
        (b'{"query": "{ __typename }", "variables": {"a": [' + b"[]," * 10_000 + b"1]}}", 400, "JSON_TOO_DEEP"),
        (b'{"query": "{ __typename }", "variables": ' + b"[" * 30_000, 400, "JSON_INVALID"),
        (b'{"query": "' + b"x" * 65_536 + b'"}', 413, "BODY_TOO_LARGE"),
    ],
    ids=range(20),
)
async def test_a_body_that_is_no_request_is_refused_with_a_reason(client: httpx.AsyncClient, body: bytes, status: int, code: str) -> None:
    answer = await ask(client, body)

    assert (answer.status_code, codes(answer)) == (status, [code])


@pytest.mark.parametrize(
    "value", [b"[" * 30 + b"1" + b"]" * 30, b'"' + b"{[" * 40 + b'"', b'"\\\\u0000"'], ids=["nested", "quoted", "escaped"]
)
async def test_what_only_looks_refusable_is_taken(client: httpx.AsyncClient, value: bytes) -> None:
    answer = await ask(client, b'{"query": "{ __typename }", "variables": {"a": ' + value + b"}}")

    assert (answer.status_code, answer.json()) == (200, {"data": {"__typename": "Query"}})


async def test_a_long_body_without_announced_length_is_cut_off(client: httpx.AsyncClient) -> None:
    async def chunks() -> Any:
        for _ in range(200):
            yield b" " * 1024

    answer = await client.post("/graphql", content=chunks(), headers={"content-type": "application/json"})

    assert (answer.status_code, codes(answer)) == (413, ["BODY_TOO_LARGE"])


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"content-type": "text/plain"}, "MEDIA_TYPE_UNSUPPORTED"),
        ({"content-type": "application/x-www-form-urlencoded"}, "MEDIA_TYPE_UNSUPPORTED"),
        ({"content-type": "application/json; charset=gbk"}, "CHARSET_UNSUPPORTED"),
        ({"content-type": "application/json", "content-encoding": "gzip"}, "ENCODING_UNSUPPORTED"),
        ({}, "MEDIA_TYPE_UNSUPPORTED"),
    ],
)
async def test_other_kinds_of_bodies_are_not_read(client: httpx.AsyncClient, headers: dict[str, str], code: str) -> None:
    answer = await client.post("/graphql", content=b'{"query": "{ __typename }"}', headers=headers)

    assert (answer.status_code, codes(answer)) == (415, [code])


async def test_text_of_any_language_comes_back_as_it_went(client: httpx.AsyncClient) -> None:
    text = "评审专家 🏃 \u2028 \U0010ffff"

    answer = await ask(client, {"query": "query ($t: String!) { stored(text: $t) }", "variables": {"t": text}})

    assert answer.json() == {"data": {"stored": text}}


async def test_nul_never_reaches_the_database(client: httpx.AsyncClient) -> None:
    in_a_literal = await ask(client, {"query": r'{ stored(text: "a\u0000") }'})
    in_the_address = await client.get("/graphql?query=%7Bstored(text:%22%00%22)%7D")

    assert codes(in_a_literal) == ["NUL_CHARACTER"]
    assert (in_the_address.status_code, codes(in_the_address)) == (400, ["NUL_CHARACTER"])


async def test_a_query_may_come_by_get(client: httpx.AsyncClient) -> None:
    parameters = {"query": "query Q($t: String!) { echo(text: $t) }", "variables": '{"t": "题"}', "operationName": "Q"}

    answer = await client.get("/graphql", params=parameters)

    assert (answer.status_code, answer.json()) == (200, {"data": {"echo": "题"}})


async def test_a_mutation_by_get_is_refused_and_does_nothing(client: httpx.AsyncClient) -> None:
    answer = await client.get("/graphql", params={"query": 'mutation { cookie(token: "x") }'})

    assert (answer.status_code, answer.headers["allow"], codes(answer)) == (405, "POST", ["METHOD_NOT_ALLOWED"])
    assert "set-cookie" not in answer.headers


@pytest.mark.parametrize("address", ["query=%ff", "query=%7B__typename%7D&variables=%7Bnot", "query=" + "&a=1" * 40])
async def test_a_bad_address_is_refused(client: httpx.AsyncClient, address: str) -> None:
    answer = await client.get(f"/graphql?{address}")

    assert answer.status_code == 400
    assert codes(answer)[0] in ("QUERY_INVALID", "JSON_INVALID")


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
async def test_other_methods_are_refused_in_json(client: httpx.AsyncClient, method: str) -> None:
    answer = await client.request(method, "/graphql")

    assert (answer.status_code, codes(answer)) == (405, ["HTTP_405"])


async def test_of_several_operations_the_one_to_execute_must_be_named(client: httpx.AsyncClient) -> None:
    document = 'query A { echo(text: "a") } query B { echo(text: "b") }'

    unnamed = await ask(client, {"query": document}, accept=GRAPHQL_JSON)
    unknown = await ask(client, {"query": document, "operationName": "C"}, accept=GRAPHQL_JSON)
    named = await ask(client, {"query": document, "operationName": "B"}, accept=GRAPHQL_JSON)

    assert (unnamed.status_code, unknown.status_code, named.json()) == (400, 400, {"data": {"echo": "b"}})
    assert unnamed.json()["errors"][0]["message"] == "Name in `operationName` which operation to execute, one of: A, B."


async def test_a_subscription_needs_a_transport_that_stays_open(client: httpx.AsyncClient) -> None:
    answer = await ask(client, {"query": "subscription { count(to: 1) }"}, accept="application/json")

    assert (answer.status_code, codes(answer)) == (406, ["EVENTS_NOT_ACCEPTED"])


@pytest.mark.parametrize(
    ("query", "code", "told"),
    [
        ("{", "GRAPHQL_PARSE_FAILED", "Syntax Error: Expected Name, found <EOF>."),
        ("{ nothing }", "GRAPHQL_VALIDATION_FAILED", "Cannot query field 'nothing' on type 'Query'."),
        (
            "{ echo }",
            "GRAPHQL_VALIDATION_FAILED",
            "Argument 'Query.echo(text:)' of type 'String!' is required, but it was not provided.",
        ),
        (
            "query A { __typename } query B { __typename }",
            "OPERATION_RESOLUTION_FAILURE",
            "Name in `operationName` which operation to execute, one of: A, B.",
        ),
    ],
)
async def test_what_is_wrong_with_a_document_is_told_with_400_or_in_plain_json_with_200(
    client: httpx.AsyncClient, query: str, code: str, told: str
) -> None:
    plain = await ask(client, {"query": query})
    modern = await ask(client, {"query": query}, accept=GRAPHQL_JSON)

    assert (plain.status_code, modern.status_code) == (200, 400)
    assert "data" not in plain.json()
    assert modern.json()["errors"][0]["message"] == told
    assert codes(modern) == codes(plain) == [code]


async def test_variables_that_do_not_fit_are_told_as_they_are(client: httpx.AsyncClient) -> None:
    answer = await ask(client, {"query": "query ($t: String!) { echo(text: $t) }", "variables": {"t": 5}}, accept=GRAPHQL_JSON)

    assert (answer.status_code, codes(answer)) == (400, ["BAD_USER_INPUT"])
    assert answer.json()["errors"][0]["message"] == "Variable '$t' has invalid value: String cannot represent a non string value: 5"


async def test_null_where_a_default_made_room_for_a_nullable_variable_is_told_at_its_field(client: httpx.AsyncClient) -> None:
    answer = await ask(client, {"query": 'query ($t: String = "") { echo(text: $t) }', "variables": {"t": None}})

    assert (codes(answer), answer.json()["errors"][0]["path"]) == (["BAD_USER_INPUT"], ["echo"])


async def test_a_value_of_ours_that_does_not_fit_its_type_is_a_fault(served: Served, client: httpx.AsyncClient) -> None:
    answer = await ask(client, {"query": "{ tooLarge }"})

    assert codes(answer) == ["INTERNAL_ERROR"]
    assert str(2**40) not in answer.text
    assert answer.json()["errors"][0]["extensions"]["number"] in served.said()


async def test_a_fault_is_masked_behind_a_number_that_stands_in_the_log(served: Served, client: httpx.AsyncClient) -> None:
    answer = await ask(client, {"query": '{ fault badSql echo(text: "still here") }'})

    number = answer.json()["errors"][0]["extensions"]["number"]
    assert answer.json()["data"] is None
    assert codes(answer)[0] == "INTERNAL_ERROR"
    for secret in ("139", "secret", "no_such_table", "RuntimeError", "Traceback", "SELECT"):
        assert secret not in answer.text
    assert number in served.said()
    assert "13912345678" not in served.said()


async def test_a_refusal_in_a_query_is_an_error_with_its_code_in_the_language_of_the_client(client: httpx.AsyncClient) -> None:
    chinese = await ask(client, {"query": "{ refusal }"})
    english = await ask(client, {"query": "{ refusal }"}, **{"accept-language": "en-GB,en;q=0.9,zh;q=0.1"})

    assert codes(chinese) == codes(english) == ["INVALID_INPUT"]
    assert chinese.json()["errors"][0]["path"] == ["refusal"]
    assert chinese.json()["errors"][0]["extensions"]["fields"][0]["message"] == "最多 3 个字，现有 5 个；请缩短。"
    assert english.json()["errors"][0]["extensions"]["fields"][0]["message"] == "At most 3 characters, there are 5; shorten it."


async def test_a_query_is_asked_again_when_a_connection_of_the_database_was_lost(client: httpx.AsyncClient) -> None:
    once = await ask(client, {"query": "{ lostOnce }"})
    ever = await ask(client, {"query": "{ alwaysLost }"}, accept=GRAPHQL_JSON)

    assert once.json() == {"data": {"lostOnce": "found"}}
    assert codes(ever) == ["SERVICE_UNAVAILABLE"]


async def test_an_operation_that_takes_too_long_is_stopped(client: httpx.AsyncClient) -> None:
    answer = await ask(client, {"query": "{ wait(seconds: 30) }"}, accept=GRAPHQL_JSON)

    assert (answer.status_code, codes(answer)) == (503, ["OPERATION_TIMEOUT"])
    assert 1.9 < answer.elapsed.total_seconds() < 4


async def test_the_log_tells_of_an_operation_without_its_values(served: Served, client: httpx.AsyncClient) -> None:
    await ask(client, {"query": "query Told($t: String!) { echo(text: $t) }", "variables": {"t": "a canary of the variables"}})

    line = next(json.loads(each) for each in served.said().splitlines() if '"Told"' in each)
    assert {key: line[key] for key in ("event", "transport", "kind", "field", "operation", "code")} == {
        "event": "operation",
        "transport": "http",
        "kind": "query",
        "field": "echo",
        "operation": "Told",
        "code": None,
    }
    assert "canary" not in served.said()


async def test_the_number_of_an_answer_stands_on_its_lines_of_the_log(served: Served, client: httpx.AsyncClient) -> None:
    answer = await ask(client, {"query": "query Numbered { __typename }"})

    line = next(each for each in served.said().splitlines() if '"Numbered"' in each)
    assert json.loads(line)["correlation_id"] == answer.headers["x-request-id"]
