"""Compiled plans and the ordinary executor give the same answer, byte for byte."""

from __future__ import annotations

import os
import re
from collections import Counter
from dataclasses import replace
from typing import Any

import orjson
import pytest
from hypothesis import HealthCheck, Phase, given, reject, settings
from hypothesis.strategies import DataObject, data, sampled_from

import settings as settings_module
from domain.rules.viewer import Viewer
from models.database import database_now, execute, rows
from schema.documents import DocumentError
from schema.root import schema
from settings import Settings
from tests.graphql import context_for, executor
from tests.plan.generated import operations
from tests.plan.province import Province, small_province

EXAMPLES = int(os.environ.get("PLAN_EXAMPLES", "300"))
"""Operations to compare; set PLAN_EXAMPLES=100000 to run for hours."""

met: Counter[str] = Counter()


@pytest.fixture(scope="module")
async def province(database: Settings) -> Province:
    """Something behind every field, and an executor that is not stopped: what a plan answers at once may take it many seconds."""
    settings_module._current = replace(database, operation_seconds=600)
    return await small_province()


async def compare(document: str, variables: dict[str, Any], viewer: Viewer | None, configuration: Settings) -> str:
    """`same`, `left`, `empty`, `declined` or `refused`; fails where two paths differ. What the registry would not execute is passed over.

    `left` is what a plan and the executor answered together, `empty` what found nothing.
    """
    try:
        read = schema.documents.read(document, schema._schema, configuration)
    except DocumentError:
        reject()
    proof = await token_hash(viewer)
    now = await database_now()
    ran: list[str] = []
    execute = executor(viewer, now, ran)
    compiled = await schema.plans.read(
        read.node, read.operation(None).node, variables, viewer=viewer, now=now, settings=configuration, execute=execute
    )
    ordinary = await schema.execute(document, variable_values=variables, context_value=context_for(viewer, now=now))
    if compiled is None:
        return "refused" if ordinary.errors else "declined"
    assert ordinary.errors is None, (document, variables, ordinary.errors)
    assert orjson.dumps(compiled) == orjson.dumps(ordinary.data), (document, variables)
    proven = await schema.plans.read_proving(
        read.node, read.operation(None).node, variables, viewer=viewer, token_hash=proof, settings=configuration
    )
    if proven is None:
        return "left" if ran else "empty"
    assert undated(proven) == undated(compiled), (document, variables)
    return "same"


def undated(answer: Any) -> bytes:
    """Without the time and signature of download addresses: a statement that proves the session tells the time itself."""
    return re.sub(rb"\?e=\d+&s=[\w-]+", b"", orjson.dumps(answer))


async def token_hash(viewer: Viewer | None) -> bytes:
    """Of the viewer's session, which was used just now."""
    if viewer is None:
        return b""
    await execute("UPDATE sessions SET used_at = registry_now() WHERE id = $1", viewer.session_id)
    (session,) = await rows("SELECT token_hash FROM sessions WHERE id = $1", viewer.session_id)
    return bytes(session["token_hash"])


@given(data())
@settings(
    max_examples=EXAMPLES,
    deadline=None,
    database=None,
    phases=[Phase.generate] if EXAMPLES <= 300 else list(Phase),
    suppress_health_check=list(HealthCheck),
    derandomize=EXAMPLES <= 300,
)
async def test_any_operation_is_answered_alike_by_both_paths(province: Province, database: Settings, data: DataObject) -> None:
    viewer = province.viewers[data.draw(sampled_from(sorted(province.viewers)))]
    document, variables = data.draw(operations(schema._schema, province.ids))

    met[await compare(document, variables, viewer, database)] += 1


def test_most_generated_operations_were_compiled() -> None:
    """Of those that have an answer; a field that is not for the viewer, a cursor of nothing are refused by the executor."""
    assert met["same"] + met["left"] + met["empty"] > 2 * met["declined"], met
    if EXAMPLES <= 300:  # the same ones in each run; of others about half find nothing
        assert met["same"] > met["empty"], met
