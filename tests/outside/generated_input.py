"""How schemathesis writes our scalars; named to it as SCHEMATHESIS_HOOKS."""

from __future__ import annotations

from datetime import UTC
from typing import Any

import schemathesis
from hypothesis import strategies as st
from schemathesis.graphql import nodes

schemathesis.graphql.scalar("Date", st.dates().map(lambda day: nodes.String(day.isoformat())) | st.text().map(nodes.String))
schemathesis.graphql.scalar(
    "DateTime", st.datetimes(timezones=st.just(UTC)).map(lambda moment: nodes.String(moment.isoformat())) | st.text().map(nodes.String)
)
schemathesis.graphql.scalar("Upload", st.text().map(nodes.String))

FAULTS = {"INTERNAL_ERROR", "OPERATION_TIMEOUT", "SERVICE_UNAVAILABLE"}


@schemathesis.check
def answered(ctx: schemathesis.CheckContext, response: schemathesis.Response, case: schemathesis.Case[Any]) -> None:
    """Every answer is data or a refusal with its code; only an invalid document has none.

    schemathesis' own check would not do: it takes each refusal of a query for a fault of the server.
    """
    answer = response.json()
    errors = answer.get("errors", [])
    results = [each for each in (answer.get("data") or {}).values() if isinstance(each, dict)]
    codes = {each["extensions"]["code"] for each in errors if "path" in each} | {each.get("code") for each in results}
    assert response.status_code < 500, answer
    assert not codes & FAULTS, answer
    assert errors or "data" in answer, answer
