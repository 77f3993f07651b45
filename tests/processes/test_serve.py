from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks for processes in /proc")

ROOT = Path(__file__).resolve().parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def until(holds: Callable[[], bool], seconds: float = 30) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


class Registry:
    """`python3 run.py` as a newcomer starts it, on a data directory of the test."""

    def __init__(self, directory: Path) -> None:
        self.directory, self.port, self.output = directory, free_port(), directory / "output"
        self.process: subprocess.Popen[bytes] | None = None
        directory.mkdir()

    def environment(self, **changes: str) -> dict[str, str]:
        given = {name: value for name, value in os.environ.items() if not name.startswith(("REGISTRY_", "DATABASE_", "REDIS_"))}
        return given | {"REGISTRY_DATA_DIR": str(self.directory / "data"), "REGISTRY_PORT": str(self.port)} | changes

    def start(self) -> str:
        with self.output.open("wb") as output:
            self.process = subprocess.Popen([sys.executable, "run.py"], cwd=ROOT, env=self.environment(), stdout=output, stderr=output)
        process = self.process
        until(lambda: "Ctrl-C stops everything" in self.said() or process.poll() is not None, 180)
        assert "is ready" in self.said(), self.said()
        return self.said()

    def said(self) -> str:
        return self.output.read_text()

    def end(self, number: signal.Signals) -> int:
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(60)

    def children(self) -> dict[str, int]:
        """Process ids of the supervisor's children by what they are."""
        assert self.process is not None
        found = {}
        for child in Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split():
            try:
                command = Path(f"/proc/{child}/cmdline").read_bytes().replace(b"\0", b" ").decode()
            except FileNotFoundError:
                continue  # it has ended since it was listed
            ours = ("start.py api", "start.py worker", "bin/postgres", "valkey-server")
            found[next((name for name in ours if name in command), command)] = int(child)
        return found

    def processes(self) -> list[str]:
        """Commands of all living processes that belong to this data directory."""
        found = []
        for entry in Path("/proc").glob("[0-9]*"):
            try:
                environment, command = (entry / "environ").read_bytes(), (entry / "cmdline").read_bytes()
            except OSError:
                continue
            if str(self.directory).encode() in environment + command and int(entry.name) != os.getpid():
                found.append(command.replace(b"\0", b" ").decode())
        return found

    def answers(self) -> bool:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/livez", timeout=5) as response:
                return bool(response.status == 200)
        except OSError:
            return False


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    registry = Registry(tmp_path_factory.mktemp("serve") / "registry")
    yield registry
    if registry.process and registry.process.poll() is None:
        registry.end(signal.SIGTERM)


def test_one_command_starts_everything_and_tells_the_next_step(registry: Registry) -> None:
    said = registry.start()

    assert registry.children().keys() == {"start.py api", "start.py worker", "bin/postgres", "valkey-server"}
    assert registry.answers()
    assert f"http://127.0.0.1:{registry.port}/graphiql" in said
    assert "Demonstration sign-ins" in said
    assert "Next:" in said


@pytest.mark.parametrize("name", ["start.py worker", "valkey-server", "bin/postgres", "start.py api"])
def test_whatever_is_killed_comes_back(registry: Registry, name: str) -> None:
    before = registry.children()

    os.kill(before[name], signal.SIGKILL)

    assert until(lambda: registry.children().get(name, before[name]) != before[name])
    assert until(registry.answers)
    assert until(lambda: registry.children().keys() == before.keys())


def test_a_second_start_on_the_same_data_is_refused_in_one_line(registry: Registry) -> None:
    second = subprocess.run([sys.executable, "run.py"], cwd=ROOT, env=registry.environment(), capture_output=True, text=True, check=False)

    assert (second.returncode, second.stderr) == (1, "")
    assert re.fullmatch(r"The registry is already running \(process \d+\) on .+: stop it first, or set .+\n", second.stdout)
    assert registry.answers()


def test_a_taken_port_is_told_in_one_line_and_nothing_is_left(registry: Registry, tmp_path: Path) -> None:
    environment = registry.environment(REGISTRY_DATA_DIR=str(tmp_path / "other"))

    second = subprocess.run([sys.executable, "run.py"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert (second.returncode, second.stderr) == (1, "")
    assert second.stdout == f"Port {registry.port} on 127.0.0.1 is taken: set REGISTRY_PORT to another.\n"
    assert not (tmp_path / "other" / "postgres").exists()


def test_ctrl_c_leaves_nothing_running(registry: Registry) -> None:
    status = registry.end(signal.SIGINT)

    assert status == 0
    assert registry.processes() == []
    assert registry.said().endswith("Stopped; the data are kept.\n")


def test_the_second_start_takes_less_than_three_seconds(registry: Registry) -> None:
    said = registry.start()

    ready = re.search(r"is ready \((\d+\.\d) s\)", said)
    assert ready is not None
    assert float(ready[1]) < 6.0  # the aim is 3; other tests run beside this one


def test_killing_the_supervisor_leaves_nothing_running_and_the_next_start_works(registry: Registry) -> None:
    registry.end(signal.SIGKILL)

    assert until(lambda: registry.processes() == [])
    registry.start()
    assert registry.end(signal.SIGTERM) == 0
    assert registry.processes() == []


def test_a_setting_that_cannot_be_read_is_named(registry: Registry) -> None:
    environment = registry.environment(REGISTRY_SESSION_DAYS="soon")

    refused = subprocess.run([sys.executable, "run.py"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert (refused.returncode, refused.stderr) == (2, "")
    assert refused.stdout.startswith("REGISTRY_SESSION_DAYS='soon' cannot be read")


def test_without_a_key_production_does_not_start(registry: Registry) -> None:
    environment = registry.environment(REGISTRY_DEVELOPMENT="0")

    refused = subprocess.run([sys.executable, "run.py"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False)

    assert (refused.returncode, refused.stderr) == (2, "")
    assert refused.stdout.startswith("REGISTRY_SECRET_KEY must hold")
