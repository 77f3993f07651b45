"""The demonstration on the product as a newcomer starts it: server, worker, database and queue are real."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from domain.actions.demonstration import ACCOUNTS
from tests.processes.test_serve import ROOT, Registry, free_port

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="starts the product as tests/processes does")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """The product, started by its one command on data of its own."""
    registry = Registry(tmp_path_factory.mktemp("demonstration") / "registry")
    registry.start()
    yield registry
    registry.end(signal.SIGTERM)


def play(registry: Registry, *options: str, command: tuple[str, ...] = ("run.py", "demo")) -> subprocess.CompletedProcess[str]:
    """The command, typed in a second terminal; a proxy that the environment names is of no use to it."""
    environment = registry.environment(http_proxy="http://127.0.0.1:9")
    return subprocess.run(
        [sys.executable, *command, *options], cwd=ROOT, env=environment, capture_output=True, text=True, timeout=120, check=False
    )


@pytest.fixture(scope="module")
def exchanges(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where it is written down what the demonstration and the registry said to each other."""
    return tmp_path_factory.mktemp("exchanges") / "exchanges"


def test_the_demonstration_plays_the_whole_path_to_a_formal_expert_and_back(registry: Registry, exchanges: Path) -> None:
    played = play(registry, command=("-m", "tests.e2e.recorded", str(exchanges)))

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


_TYPED = {"phone", "password", "idNumber", "code", "certificateNumber", "email", "secondPhone"}


def typed(given: Any, key: str = "") -> set[str]:
    """What of an input somebody typed: not ids, days or the names of choices."""
    if isinstance(given, dict):
        return set().union(*(typed(value, name) for name, value in given.items()))
    if isinstance(given, list):
        return set().union(*(typed(value, key) for value in given))
    return {given} if isinstance(given, str) and (key in _TYPED or not given.isascii()) else set()


def found(canaries: set[str], text: str) -> set[str]:
    """Those that stand in a text by themselves: six digits of a code also stand in times and ids."""
    return {each for each in canaries if re.search(rf"(?<![0-9A-Za-z.]){re.escape(each)}(?![0-9A-Za-z])", text)}


def test_neither_logs_nor_metrics_hold_what_people_typed_or_were_given(registry: Registry, exchanges: Path) -> None:
    said = [json.loads(line) for line in exchanges.read_text().splitlines()]
    answers = [each for _, answer in said for each in (answer.get("data") or {}).values()]
    messages = [each["text"] for answer in answers if isinstance(answer, list) for each in answer if each.get("template") == "PHONE_CODE"]
    codes = set(re.findall(r"\b\d{6}\b", " ".join(messages)))
    tokens = {each["token"] for each in answers if isinstance(each, dict) and "token" in each}
    inputs = set().union(*(typed((asked or {}).get("variables")) for asked, _ in said))
    demonstration = {word for each in ACCOUNTS for word in (each.phone, each.password, each.name, each.id_number)}
    canaries = codes | tokens | inputs | demonstration

    welcome, _, later = registry.said().partition("Ctrl-C stops everything")
    shown = [line for line in later.splitlines() if line.startswith(("┌", "│", "├", "└"))]  # SMS on the terminal: development mode alone
    logged = [line for line in later.splitlines() if line not in shown]
    servers = [each.read_text(errors="replace") for each in registry.directory.glob("data/*/log")]
    with urllib.request.urlopen(f"http://127.0.0.1:{registry.port}/metrics", timeout=10) as response:
        metrics = response.read().decode()

    assert (len(codes), len(tokens)) >= (3, 10)
    assert {"王演示", "吉林大学", "吉林省长春市南关区人民大街 1 号", "a long demonstration password"} <= inputs
    assert found(codes, "\n".join(shown)) != set()
    assert found(demonstration, welcome) >= {each.phone for each in ACCOUNTS}
    assert "accountRegister" in "\n".join(logged)
    assert "accountRegister" in metrics
    assert len(servers) == 2
    assert found(canaries, "\n".join((*logged, *servers, metrics))) == set()


def test_it_can_be_played_again_on_the_same_data_and_nothing_failed_on_the_way(registry: Registry) -> None:
    again = play(registry, "--first-act")

    assert again.returncode == 0, again.stdout[-3000:] + again.stderr
    assert [line for line in registry.said().splitlines() if "[error" in line or "[warning" in line or "Traceback" in line] == []


def test_the_demonstration_ends_non_zero_when_nobody_answers(registry: Registry) -> None:
    played = play(registry, f"--origin=http://127.0.0.1:{free_port()}")

    assert played.returncode == 1
    assert "Not as expected" in played.stdout
