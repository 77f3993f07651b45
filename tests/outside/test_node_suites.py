from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from settings import Settings
from tests.serving import PRODUCT, STANDIN, Served, Start, processes

HERE = Path(__file__).parent


@pytest.fixture(scope="module")
def suites(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A directory with the scripts and the packages that they need."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("needs node and npm (Debian: apt-get install nodejs npm)")
    directory = tmp_path_factory.mktemp("outside")
    for each in (*HERE.glob("*.json"), *HERE.glob("*.mjs")):
        shutil.copy(each, directory)
    installed = subprocess.run(["npm", "ci", "--no-audit", "--no-fund"], cwd=directory, capture_output=True, text=True, check=False)
    if installed.returncode:
        pytest.skip(f"npm could not install the suites: {installed.stderr.strip().splitlines()[-1]}")
    return directory


@pytest.fixture(scope="module")
def start(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts processes on this module's database."""
    with processes(database, tmp_path_factory.mktemp("served")) as started:
        yield started


def said(suites: Path, script: str, served: Served) -> str:
    ended = subprocess.run(["node", script, served.endpoint], cwd=suites, capture_output=True, text=True, timeout=60, check=False)
    assert ended.returncode == 0, ended.stderr
    return ended.stdout


@pytest.mark.parametrize("app", [PRODUCT, STANDIN])
def test_every_audit_of_graphql_over_http_holds(suites: Path, start: Start, app: str) -> None:
    assert said(suites, "graphql_http.mjs", start(app)) == "61 of 61\n"


def test_the_clients_graphql_ws_and_graphql_sse_hear_announcements(suites: Path, start: Start) -> None:
    heard = json.loads(said(suites, "clients.mjs", start(STANDIN)))

    assert heard == {"events": {"data": {"heard": "rings"}}, "socket": {"data": {"heard": "rings"}}}
