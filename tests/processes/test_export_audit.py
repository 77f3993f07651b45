from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from domain.actions import standing
from domain.rules.calendar import SHANGHAI
from domain.rules.errors import NotFound
from models.database import database_now
from models.enums import Stage
from settings import Settings, variable
from tests.cases import case_at
from tests.conftest import ROOT
from tests.people import provincial_officer, some_id_number


def export(database: Settings, *arguments: str) -> subprocess.CompletedProcess[str]:
    """The operator's command."""
    environment = {
        "PATH": "/usr/bin:/bin",
        variable("development"): "1",
        variable("secret_key"): database.secret_key,
        "DATABASE_URL": database.database_url,
        "REDIS_URL": "redis://127.0.0.1:1",
    }
    command = [sys.executable, "run.py", "export-audit", *arguments]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


async def test_an_auditor_reads_who_did_what_and_nothing_about_experts(database: Settings, tmp_path: Path) -> None:
    person, case = await case_at(Stage.SECOND_REVIEW, name="周审计")
    province, looked_for = await provincial_officer(), some_id_number()
    with pytest.raises(NotFound):
        await standing.revoke_registration(looked_for, reasons="持证到场", viewer=province.viewer, now=await database_now())
    today = (await database_now()).astimezone(SHANGHAI).date()
    file = tmp_path / "audit.jsonl"

    done = export(database, str(file), today.isoformat(), today.isoformat())
    other = export(database, str(tmp_path / "before"), "2020-01-01", (today - timedelta(days=1)).isoformat())

    events = [json.loads(each) for each in file.read_text().splitlines()]
    assert (done.returncode, done.stdout.strip()) == (
        0,
        f"{len(events)} events, SHA-256 {hashlib.sha256(file.read_bytes()).hexdigest()}",
    )
    assert [(each["move"], each["actorRole"]) for each in events if each.get("applicationId") == str(case.id)] == [
        ("SUBMIT", "EXPERT"),
        ("APPROVE", "LOCAL_OFFICER"),
    ]
    assert {"STAFF_ACT", "TERMS_ACCEPTED", "CASE_MOVED", "ID_NUMBER_LOOKED_FOR"} <= {each["event"] for each in events}
    assert [each["at"] for each in events] == sorted(each["at"] for each in events)
    assert person.account.name not in file.read_text()
    assert looked_for not in file.read_text()
    assert person.phone[-11:] not in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    assert (other.returncode, (tmp_path / "before").read_text()) == (0, "")


def test_a_wrong_day_is_told_and_nothing_is_written(database: Settings, tmp_path: Path) -> None:
    refused = export(database, str(tmp_path / "audit"), "2026-02-30", "2026-03-01")

    assert refused.returncode == 2
    assert "2026-02-30" in refused.stderr
    assert list(tmp_path.iterdir()) == []
