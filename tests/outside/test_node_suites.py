from __future__ import annotations

import json

import pytest

from tests.outside.conftest import Run
from tests.serving import PRODUCT, STANDIN, Start


@pytest.mark.parametrize("app", [PRODUCT, STANDIN])
def test_every_audit_of_graphql_over_http_holds(run: Run, start: Start, app: str) -> None:
    assert run("node", "graphql_http.mjs", start(app).endpoint) == "61 of 61\n"


def test_the_clients_graphql_ws_and_graphql_sse_hear_announcements(run: Run, start: Start) -> None:
    heard = json.loads(run("node", "clients.mjs", start(STANDIN).endpoint))

    assert heard == {"events": {"data": {"heard": "rings"}}, "socket": {"data": {"heard": "rings"}}}
