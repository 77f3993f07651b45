"""What one request sets going has one id everywhere, and one trace where a collector takes traces."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from settings import Settings
from tests.people import some_phone
from tests.serving import Served, processes, talk
from tests.workers.conftest import WorkerProcess, wait_for

NOWHERE = "redis://127.0.0.1:1/0"
ASK = "mutation($phone: String!) { phoneCodeSend(input: {phone: $phone, purpose: REGISTER}) { __typename } }"


class Collector:
    """Somebody else's collector of traces: takes OTLP over HTTP."""

    def __init__(self) -> None:
        self.spans: list[dict[str, Any]] = []
        self.bodies = b""
        collector = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                collector.take(body)
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_: Any) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}"

    def take(self, body: bytes) -> None:
        """Keep what a process tells."""
        self.bodies += body
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans:
            [process] = [each.value.string_value for each in resource.resource.attributes if each.key == "service.name"]
            for scope in resource.scope_spans:
                self.spans += [{"process": process, "name": each.name, "trace": each.trace_id.hex(), "span": each} for each in scope.spans]

    def of(self, trace: str) -> list[tuple[str, str]]:
        """Process and name of each step of a trace."""
        return [(each["process"], each["name"]) for each in self.spans if each["trace"] == trace]


@pytest.fixture
def collector() -> Iterator[Collector]:
    found = Collector()
    yield found
    found.server.shutdown()
    found.server.server_close()


@pytest.fixture
def start_api(database: Settings, tmp_path: Path) -> Iterator[Callable[..., Served]]:
    directory = tmp_path / "api"
    directory.mkdir()
    with processes(database, directory) as start:
        yield start


async def ask_for_code(served: Served, phone: str, **headers: str) -> str:
    async with talk() as client:
        answer = await client.post(served.endpoint, json={"query": ASK, "variables": {"phone": phone}}, headers=headers)
    assert "errors" not in answer.json()
    return answer.headers["x-request-id"]


async def test_a_trace_reaches_from_the_request_to_the_provider_and_tells_nothing_personal(
    collector: Collector, start_api: Callable[..., Served], start_worker: Callable[..., WorkerProcess]
) -> None:
    served, phone = start_api(otlp_endpoint=collector.url), some_phone()
    worker = start_worker(NOWHERE, otlp_endpoint=collector.url)
    worker.wait_until_started()

    identity = await ask_for_code(served, phone)

    wait_for(lambda: ("worker", "send SMS") in collector.of(identity), what="a span of the provider")
    wait_for(lambda: ("api", "POST /graphql") in collector.of(identity), what="a span of the request")
    steps = collector.of(identity)
    assert ("api", "INSERT") in steps
    assert ("worker", "promise SMS") in steps
    assert ("worker", "UPDATE") in steps
    assert phone[-11:].encode() not in collector.bodies
    lines = [json.loads(each) for each in worker.log.read_text().splitlines() if each.startswith("{")]
    assert [each["event"] for each in lines if each.get("correlation_id") == identity] == ["promise tried"]
    assert not any("livez" in each["name"] for each in collector.spans)
    assert not any(each["span"].events for each in collector.spans)


async def test_only_a_trusted_proxy_names_the_trace(start_api: Callable[..., Served]) -> None:
    begun = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
    trusting, wary = start_api(trusted_proxies="127.0.0.1"), start_api()

    assert await ask_for_code(trusting, some_phone(), traceparent=begun) == "4bf92f3577b34da6a3ce929d0e0e4736"
    assert await ask_for_code(wary, some_phone(), traceparent=begun) != "4bf92f3577b34da6a3ce929d0e0e4736"
    assert len(await ask_for_code(trusting, some_phone(), traceparent=f"00-{'0' * 32}-00f067aa0ba902b7-01")) == 32


async def test_a_collector_that_is_away_holds_nothing_up(start_api: Callable[..., Served]) -> None:
    served = start_api(otlp_endpoint="http://127.0.0.1:1")

    await ask_for_code(served, some_phone())

    assert served.stop() < 8
    assert "Traceback" not in served.said()
