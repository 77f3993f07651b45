"""The demonstration on the product as a newcomer starts it: server, worker, database and queue are real."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes.test_serve import ROOT, Registry

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="starts the product as tests/processes does")


def test_the_demonstration_plays_the_whole_path_to_a_formal_expert(tmp_path: Path) -> None:
    registry = Registry(tmp_path / "registry")
    registry.start()

    played = subprocess.run(
        [sys.executable, "run.py", "demo"], cwd=ROOT, env=registry.environment(), capture_output=True, text=True, timeout=120, check=False
    )
    registry.end(signal.SIGTERM)

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
        "Everything was as expected",
    ):
        assert milestone in played.stdout


def test_the_demonstration_ends_non_zero_when_nobody_answers() -> None:
    played = subprocess.run(
        [sys.executable, "-c", "from demonstration.main import main; raise SystemExit(main(['--origin', 'http://127.0.0.1:9']))"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert played.returncode == 1
    assert "Not as expected" in played.stdout
