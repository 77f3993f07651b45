"""Plans are kept while there is room: what clients may invent must not fill the memory."""

from __future__ import annotations

import pytest

from models.database import database_now
from schema.documents import weight
from schema.plan import operations
from schema.plan.operations import Plans
from schema.root import schema
from settings import Settings


async def test_each_shape_of_an_operation_takes_room_of_its_own(database: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operations, "KEPT_TOKENS", 2_000)
    plans, now = Plans(schema), await database_now()
    taken: list[int] = []

    for number in range(4):
        read = schema.documents.read(f"query Q{number}($n: Int) {{ publicNotices(first: $n) {{ totalCount }} }}", schema._schema, database)
        for size in range(1, 101):
            answer = await plans.read(read.node, read.operation(None).node, {"n": size}, viewer=None, now=now, settings=database)
            assert answer == {"publicNotices": {"totalCount": 0}}
            taken.append(sum(each.weight for _, each in plans._kept.values()))

    assert taken[10] - taken[0] > 100
    assert max(taken) <= 2_000
    for document, each in plans._kept.values():
        assert each.weight == weight(document) + sum(made.weight for made in each.variants)
