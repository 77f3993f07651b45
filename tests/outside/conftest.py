"""What the suites of others stand on: their packages, installed once for each state of the lock, and a registry that listens."""

from __future__ import annotations

import fcntl
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import pytest

from settings import Settings
from tests.conftest import ROOT
from tests.serving import Start, processes

HERE = Path(__file__).parent
Run = Callable[..., str]
"""`run("node", "script.mjs", …)` is what a program says that ends well."""


@pytest.fixture(scope="session")
def packages() -> Path:
    """A directory of the Python environment that holds the packages of the lock; made anew where the lock has changed."""
    if shutil.which("node") is None or shutil.which("npm") is None:
        pytest.skip("needs node and npm (Debian: apt-get install nodejs npm)")
    digest = sha256((HERE / "package-lock.json").read_bytes()).hexdigest()[:16]
    home = Path(sys.prefix) / "outside"
    home.mkdir(exist_ok=True)
    with (home / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        directory = home / digest
        if not (directory / "whole").exists():
            for each in home.iterdir():
                if each.is_dir():
                    shutil.rmtree(each)
            directory.mkdir()
            for name in ("package.json", "package-lock.json"):
                shutil.copy(HERE / name, directory)
            npm = ["npm", "ci", "--no-audit", "--no-fund", "--ignore-scripts"]
            installed = subprocess.run(npm, cwd=directory, capture_output=True, text=True, timeout=300, check=False)
            if installed.returncode:
                pytest.skip(f"npm could not install the suites: {installed.stderr.strip().splitlines()[-1]}")
            (directory / "whole").touch()
    return directory


@pytest.fixture(scope="module")
def run(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> Run:
    """Runs programs in a directory of the module with our scripts, our schema and the packages."""
    directory = tmp_path_factory.mktemp("outside")
    shutil.copytree(HERE, directory, dirs_exist_ok=True)
    shutil.copy(ROOT / "schema" / "schema.graphql", directory)
    (directory / "node_modules").symlink_to(packages / "node_modules")

    def said(*command: str | Path) -> str:
        ended = subprocess.run(command, cwd=directory, capture_output=True, text=True, timeout=120, check=False)
        assert ended.returncode == 0, ended.stdout + ended.stderr
        return ended.stdout

    return said


@pytest.fixture(scope="module")
def start(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Start]:
    """Starts processes on this module's database."""
    with processes(database, tmp_path_factory.mktemp("served")) as started:
        yield started
