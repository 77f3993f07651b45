"""README says what is so."""

from __future__ import annotations

import re
import tomllib

import run
from tests.conftest import ROOT


def test_readme_holds_the_settings_table_and_the_lifecycle_as_they_are_now() -> None:
    text = (ROOT / "README.md").read_text()

    assert run.with_generated_parts(text) == text, "run `python3 run.py schema`"


def test_readme_says_what_each_dependency_is_for() -> None:
    text = (ROOT / "README.md").read_text()
    table = text[text.index("| dependency | for |") : text.index("Tests add")]
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())

    named = [re.match(r"[\w-]+", each)[0] for each in project["project"]["dependencies"]]  # type: ignore[index]  # every line begins so

    assert [name for name in named if name not in table] == []
