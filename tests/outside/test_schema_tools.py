from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.conftest import ROOT
from tests.e2e.test_documents import SHOWN
from tests.outside.conftest import Run

README = (ROOT / "README.md").read_text()
SCALARS = re.findall(r"```json\n *(\{\"Date\".*\})", README)
RELEASED = ROOT / "schema" / "released.graphql"


@pytest.fixture(scope="module")
def documents(run: Run) -> None:
    """Our documents as files, a directory for each place where we show them; names are unique in one place."""
    directory = Path(run("pwd").strip())
    for name, text in SHOWN.items():
        place, _, rest = name.partition(" ")
        (directory / "documents" / place).mkdir(parents=True, exist_ok=True)
        (directory / "documents" / place / f"{rest}.graphql").write_text(text)
    (directory / "generated").mkdir(exist_ok=True)


def test_the_schema_is_written_in_the_style_that_graphql_eslint_asks_for(run: Run) -> None:
    assert run("node", "schema_style.mjs") == ""


def test_nothing_that_was_released_is_broken_without_having_been_deprecated(run: Run) -> None:
    assert json.loads(run("node", "schema_changes.mjs", RELEASED, "schema.graphql")) == []


def test_graphql_inspector_finds_what_would_break_clients(run: Run, tmp_path: Path) -> None:
    """So that the test above means something: a field that goes, an argument that is asked for, a deprecated field that goes."""
    was, is_ = tmp_path / "was.graphql", tmp_path / "is.graphql"
    was.write_text('type Query { gone: Int asked(a: Int): Int left: Int @deprecated(reason: "see asked") }')
    is_.write_text("type Query { asked(a: Int!): Int }")

    found = json.loads(run("node", "schema_changes.mjs", was, is_))

    assert found == [
        "Field 'gone' was removed from object type 'Query'",
        "Type for argument 'a' on field 'Query.asked' changed from 'Int' to 'Int!'",
    ]


def test_graphql_inspector_takes_every_document_that_we_show(run: Run, documents: None) -> None:
    assert json.loads(run("node", "documents_valid.mjs")) == {"documents": len(SHOWN), "faults": []}


def test_the_documents_become_strict_typescript_without_any(run: Run, documents: None) -> None:
    [scalars] = SCALARS

    run("node", "typed.mjs", scalars)
    run("node_modules/.bin/tsc")

    code = "".join(re.sub(r"/\*.*?\*/|\"(?:[^\"\\]|\\.)*\"", "", each.read_text(), flags=re.DOTALL) for each in generated(run))
    assert "Scalars = {" in code
    assert re.findall(r".*\bany\b.*", code) == []


def generated(run: Run) -> list[Path]:
    return sorted(Path(run("pwd").strip()).glob("generated/*.ts"))


def test_relay_compiles_fragments_pages_and_subscriptions(run: Run) -> None:
    run("node_modules/.bin/relay-compiler")

    made = {each.name for each in Path(run("pwd").strip()).glob("relay/__generated__/*.ts")}
    assert made == {
        f"{name}.graphql.ts"
        for name in (
            "QueueApproveMutation",
            "QueueExpertQuery",
            "QueueMovedSubscription",
            "QueuePageQuery",
            "QueueQuery",
            "Queue_expert",
            "Queue_page",
            "Queue_row",
        )
    }
