"""Every operation that the project shows is one that the schema takes, and every query is answered alike by plan and by executor."""

from __future__ import annotations

import json
import re
from itertools import chain
from typing import Any

import orjson
import pytest

from demonstration.operations import DOCUMENTS
from models.database import database_now, rows
from schema.documents import DocumentError
from schema.root import schema
from settings import Settings
from tests.conftest import BASE, ROOT
from tests.graphql import context_for, executor
from tests.plan.province import Province, small_province

TABS = json.loads((ROOT / "api/static/graphiql/tabs.json").read_text())
README = re.findall(r"```graphql\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
SHOWN = dict(
    chain(
        ((f"demonstration {name}", text) for name, text in DOCUMENTS.items()),
        ((f"tab {each['title']}", each["query"]) for each in TABS),
        ((f"README {number}", text) for number, text in enumerate(README)),
    )
)
QUERIES = [name for name, text in SHOWN.items() if schema.documents.read(text, schema._schema, BASE).operation(None).kind == "query"]
LEFT_TO_THE_EXECUTOR = {"developmentMessages", "queueCounts", "recordChains", "workingCalendar"}
"""Root fields that are computed: asked alone, no plan has a part in them."""


@pytest.mark.parametrize("name", SHOWN)
def test_a_shown_operation_is_valid_and_within_the_limits(name: str) -> None:
    try:
        schema.documents.read(SHOWN[name], schema._schema, BASE)
    except DocumentError as refused:
        pytest.fail(str([each.message for each in refused.errors]))


def test_there_is_something_to_look_at() -> None:
    assert len(DOCUMENTS) >= 20
    assert len(TABS) >= 20
    assert len(README) >= 2


@pytest.mark.parametrize("tab", TABS, ids=lambda each: each["title"])
def test_a_ready_operation_comes_with_what_its_variables_want_and_says_what_it_is_for(tab: dict[str, Any]) -> None:
    operation = schema.documents.read(tab["query"], schema._schema, BASE).operation(None).node

    wanted = {each.variable.name.value for each in operation.variable_definitions or ()}
    required = {each.variable.name.value for each in operation.variable_definitions or () if str(each.type.kind) == "non_null_type"}
    assert required <= tab["variables"].keys() <= wanted
    chinese, english = tab["query"].splitlines()[:2]
    assert re.match(r"# .*[\u4e00-\u9fff]", chinese)
    assert re.match(r"# [A-Z]", english)


@pytest.fixture(scope="module")
async def province(database: Settings) -> Province:
    """Something behind every field."""
    return await small_province()


def variables_of(name: str, case: str) -> dict[str, Any]:
    """What the page shows beside the operation; where it only hints at an id, that of a case."""
    shown: dict[str, Any] = next((each["variables"] for each in TABS if name == f"tab {each['title']}"), {})
    return {"id": case, "phone": "13800000001", "date": "2027-03-01"} | {
        key: case if value == "Application_…" else value for key, value in shown.items()
    }


@pytest.mark.parametrize("name", QUERIES)
async def test_a_shown_query_is_answered_alike_by_plan_and_executor(name: str, province: Province, database: Settings) -> None:
    read = schema.documents.read(SHOWN[name], schema._schema, database)
    operation = read.operation(None).node
    [case] = await rows("SELECT id FROM applications WHERE stage = 'FIRST_REVIEW' ORDER BY created_at LIMIT 1")
    given = variables_of(name, f"Application_{case['id']}")
    compiled = 0
    now = await database_now()

    for who, viewer in province.viewers.items():
        execute = executor(viewer, now)
        plan = await schema.plans.read(read.node, operation, given, viewer=viewer, now=now, settings=database, execute=execute)
        ordinary = await schema.execute(SHOWN[name], variable_values=given, context_value=context_for(viewer, now=now))
        if plan is not None:
            compiled += 1
            assert ordinary.errors is None, (who, ordinary.errors)
            assert orjson.dumps(plan) == orjson.dumps(ordinary.data), who

    assert compiled > 0 or LEFT_TO_THE_EXECUTOR & set(re.findall(r"\w+", SHOWN[name]))
