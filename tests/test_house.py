from __future__ import annotations

import re
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

from run import settings_table

ROOT = Path(__file__).resolve().parent.parent


def test_no_installed_package_owns_one_of_our_names() -> None:
    ours = {path.stem for path in ROOT.iterdir() if path.suffix == ".py" or (path.is_dir() and any(path.glob("*.py")))}

    taken = ours & packages_distributions().keys()

    assert {"api", "domain", "models", "schema", "settings", "workers"} <= ours
    assert taken == set()


@pytest.mark.parametrize("name", ["requirements.lock", "requirements-dev.lock", "requirements-tracing.lock"])
def test_a_lock_names_versions_and_hashes_and_no_registry(name: str) -> None:
    lines = (ROOT / name).read_text().splitlines()

    assert [line for line in lines if line.startswith("-") or "://" in line or "@" in line] == []
    assert [line for line in lines if line[:1].isalnum() and not re.match(r"[a-z0-9.-]+==[^ ]+( ; .+)? \\$", line)] == []
    assert sum("--hash=sha256:" in line for line in lines) > 100


def test_the_development_lock_holds_the_versions_of_the_running_product() -> None:
    pins = {
        name: set(re.findall(r"^\S+==\S+", (ROOT / name).read_text(), re.MULTILINE))
        for name in ("requirements.lock", "requirements-dev.lock")
    }

    assert pins["requirements.lock"] - pins["requirements-dev.lock"] == set()


def test_the_settings_table_names_every_variable_once() -> None:
    rows = settings_table().splitlines()[2:]

    variables = [row.split("`")[1] for row in rows]

    assert len(variables) == len(set(variables))
    assert {"DATABASE_URL", "REDIS_URL", "REGISTRY_PORT"} <= set(variables)
    assert [row for row in rows if str(ROOT) in row] == []
