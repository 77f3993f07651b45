"""README says what is so."""

from __future__ import annotations

import re
import tomllib

import run
from schema.root import schema
from tests.conftest import ROOT

ROOTS = ("Query", "Mutation", "Subscription")


def rows_of_rules() -> list[list[str]]:
    """The rows of docs/rules.md as [rule, operations, tests]."""
    lines = (ROOT / "docs" / "rules.md").read_text().splitlines()
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines if line.startswith("| ")]


def named(cell: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", cell))


def test_readme_holds_the_settings_table_and_the_lifecycle_as_they_are_now() -> None:
    text = (ROOT / "README.md").read_text()

    assert run.with_generated_parts(text) == text, "run `python3 run.py schema`"


def test_readme_names_every_operation_and_who_it_is_for() -> None:
    text = (ROOT / "README.md").read_text()
    table = text[text.index("## Operations by role") : text.index("## The life of a case")]
    named_there = set(re.findall(r"\w+", table)) | {f"{name}Remove" for name in re.findall(r"`(\w+)Save`/`Remove`", table)}

    roots = {field for root in ROOTS for field in schema._schema.type_map[root].fields}  # type: ignore[attr-defined]  # object types have fields

    assert {name for name in roots if not name.startswith("development")} - named_there == set()


def test_readme_says_what_each_dependency_is_for() -> None:
    text = (ROOT / "README.md").read_text()
    table = text[text.index("| dependency | for |") : text.index("Tests add")]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    dependencies = [re.match(r"[\w-]+", each)[0] for each in project["project"]["dependencies"]]  # type: ignore[index]  # every line begins so

    assert [name for name in dependencies if name not in table] == []


def test_the_page_of_rules_names_operations_and_tests_that_exist_and_every_operation() -> None:
    rows = [row for row in rows_of_rules() if row[1:] not in (["operation", "tests"], ["---", "---"])]
    types = schema._schema.type_map
    roots = {field for root in ROOTS for field in types[root].fields}  # type: ignore[attr-defined]  # object types have fields
    fields = {f"{name}.{field}" for name, kind in types.items() for field in getattr(kind, "fields", ())}
    commands = {f"run.py {name}" for name in run.COMMANDS}
    settings = {row.split("`")[1] for row in run.settings_table().splitlines()[2:]}

    assert [row for row in rows if len(row) != 3 or not row[1] or not named(row[2])] == []
    operations = {name for row in rows for name in named(row[1])}
    assert operations - roots - fields - commands - settings == set()
    assert roots - operations == set(), "give it a row in docs/rules.md"
    assert [path for row in rows for path in named(row[2]) if not (ROOT / path).is_file()] == []
