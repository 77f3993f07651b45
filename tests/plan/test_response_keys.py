"""Clients call fields as they like, also as a statement calls its own tables and columns."""

from __future__ import annotations

from datetime import timedelta

import orjson
import pytest

from models.database import database_now
from models.enums import Stage
from schema.root import schema
from settings import Settings, settings
from tests.cases import case_at
from tests.graphql import answer_at

KEYS = [
    "x",
    "n",
    "q",
    "row",
    "page",
    "node",
    "edge_node",
    "cursor",
    "total",
    "counted",
    "answer",
    "proof",
    "t",
    "t1",
    "t2",
    "c0",
    "SELECT",
    "X",
]


@pytest.fixture(scope="module")
async def notices(database: Settings) -> None:
    """Two that run."""
    for _ in range(2):
        await case_at(Stage.PUBLICITY)


@pytest.mark.parametrize("alone", [True, False], ids=["alone", "beside another field"])
@pytest.mark.parametrize("key", KEYS)
async def test_a_response_key_is_never_taken_for_a_name_of_the_statement(notices: None, key: str, alone: bool) -> None:
    beside = "" if alone else "kind: __typename"
    documents = [
        f"{{ {beside} titles {{ {key}: name code children {{ {key}: code name }} }} }}",
        f"{{ {beside} {key}: titles {{ name }} }}",
        f"{{ {beside} publicNotices(first: 2) {{ edges {{ {key}: cursor at: node {{ {key}: id name }} }} }} }}",
        f"{{ {beside} publicNotices(first: 1) {{ pageInfo {{ {key}: endCursor hasNextPage }} }} }}",
        f"{{ {beside} publicNotices(last: 2) {{ {key}: nodes {{ name pool {{ {key}: code }} }} }} }}",
        f"{{ {beside} publicNotices(first: 1) {{ edges {{ {key}: node {{ name }} }} {key}: totalCount }} }}",
    ]
    now = await database_now() + timedelta(seconds=1)

    for each in documents:
        read = schema.documents.read(each, schema._schema, settings())
        compiled = await schema.plans.read(read.node, read.operation(None).node, {}, viewer=None, now=now, settings=settings())

        assert orjson.loads(orjson.dumps(compiled)) == await answer_at(now, each)
