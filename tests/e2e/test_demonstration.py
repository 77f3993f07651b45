"""The demonstration on the product as a newcomer starts it: server, worker, database and queue are real."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from tests.processes.test_serve import ROOT, Registry, free_port

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="starts the product as tests/processes does")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """The product, started by its one command on data of its own."""
    registry = Registry(tmp_path_factory.mktemp("demonstration") / "registry")
    registry.start()
    yield registry
    registry.end(signal.SIGTERM)


def play(registry: Registry, *options: str) -> subprocess.CompletedProcess[str]:
    """The command, typed in a second terminal; a proxy that the environment names is of no use to it."""
    environment = registry.environment(http_proxy="http://127.0.0.1:9")
    return subprocess.run(
        [sys.executable, "run.py", "demo", *options], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


def test_the_demonstration_plays_the_whole_path_to_a_formal_expert_and_back(registry: Registry) -> None:
    played = play(registry)

    assert played.returncode == 0, played.stdout[-3000:] + played.stderr
    for milestone in (
        "a wrong check digit is told on its path: ['idNumber']",
        "what is still missing: ['otherMaterials']",
        "the office's socket heard: (True, 'FIRST_REVIEW')",
        "stage: ('FIRST_REVIEW', 2)",
        "the same officer may not do the final review: OTHER_OFFICER_REQUIRED",
        "the applicant's WebSocket heard: ADMITTED",
        "the applicant's event stream heard: ADMITTED",
        "standing: FORMAL",
        "the SMS names the expert number: True",
        "the receipt is the same: ",
        "what differs: [('吉林大学', '东北师范大学')]",
        "the expert reads who looked: ('刘初审', ['PHONE'], '电话核实工作单位变更')",
        "pool: 吉林市本级",
        "drawn on that day: False",
        "it comes as: application/pdf",
        "signing in is refused: SIGN_IN_REFUSED",
        "the earlier registration: ['DEREGISTERED']",
        "Everything was as expected",
    ):
        assert milestone in played.stdout


def test_it_can_be_played_again_on_the_same_data_and_nothing_failed_on_the_way(registry: Registry) -> None:
    again = play(registry, "--first-act")

    assert again.returncode == 0, again.stdout[-3000:] + again.stderr
    assert [line for line in registry.said().splitlines() if "[error" in line or "[warning" in line or "Traceback" in line] == []


def test_the_demonstration_ends_non_zero_when_nobody_answers(registry: Registry) -> None:
    played = play(registry, f"--origin=http://127.0.0.1:{free_port()}")

    assert played.returncode == 1
    assert "Not as expected" in played.stdout
