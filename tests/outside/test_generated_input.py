from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest

from settings import Settings
from tests.conftest import ROOT
from tests.people import officer, registered_expert
from tests.serving import processes

LEAVING = "sessionClose|sessionCloseAll|sessionRevoke|expertDeregister|developmentClockMove|staffDisable|staffMove"
"""After these nobody would be signed in any more, or the time would be another."""


@pytest.mark.parametrize("role", ["expert", "officer"])
async def test_schemathesis_finds_no_server_fault(role: str, database: Settings, tmp_path: Path) -> None:
    person = await (registered_expert() if role == "expert" else officer())

    with processes(database, tmp_path) as start:
        served = start(data_dir=tmp_path)
        program = [str(Path(sys.executable).with_name("schemathesis")), "run", served.endpoint, "--checks=answered", "--phases=fuzzing"]
        bounds = ["--max-examples=1", "--generation-deterministic", "--no-shrink", f"--exclude-name-regex=({LEAVING})$"]
        tried = await asyncio.create_subprocess_exec(
            *program,
            *bounds,
            *("--no-color", "--warnings=off", "--workers=2", f"--header=Authorization: Bearer {person.token}"),
            cwd=tmp_path,
            env={"SCHEMATHESIS_HOOKS": "tests.outside.generated_input", "PYTHONPATH": str(ROOT), "PATH": ""},
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        told, _ = await tried.communicate()

    assert tried.returncode == 0, told.decode()
    assert '"level": "error"' not in served.said()
