"""Every operation that the project shows is one that the schema takes."""

from __future__ import annotations

import json
import re
from itertools import chain

import pytest

from demonstration.operations import DOCUMENTS
from schema.documents import DocumentError
from schema.root import schema
from tests.conftest import BASE, ROOT

TABS = json.loads((ROOT / "api/static/graphiql/tabs.json").read_text())
README = re.findall(r"```graphql\n(.*?)```", (ROOT / "README.md").read_text(), re.DOTALL)
SHOWN = dict(
    chain(
        ((f"demonstration {name}", text) for name, text in DOCUMENTS.items()),
        ((f"tab {each['title']}", each["query"]) for each in TABS),
        ((f"README {number}", text) for number, text in enumerate(README)),
    )
)


@pytest.mark.parametrize("name", SHOWN)
def test_a_shown_operation_is_valid_and_within_the_limits(name: str) -> None:
    try:
        schema.documents.read(SHOWN[name], schema._schema, BASE)
    except DocumentError as refused:
        pytest.fail(str([each.message for each in refused.errors]))


def test_there_is_something_to_look_at() -> None:
    assert len(DOCUMENTS) >= 20
    assert len(TABS) >= 3
    assert len(README) >= 2
