from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from models.applications import Application
from models.database import execute
from models.enums import Stage
from settings import Settings, variable
from tests.cases import case_at
from tests.conftest import ROOT


def verify(database: Settings, witness: Path) -> subprocess.CompletedProcess[str]:
    """The operator's command."""
    environment = {
        "PATH": "/usr/bin:/bin",
        variable("development"): "1",
        variable("secret_key"): database.secret_key,
        variable("data_dir"): str(witness.parent),
        "DATABASE_URL": database.database_url,
        "REDIS_URL": "redis://127.0.0.1:1",
    }
    command = [sys.executable, "run.py", "verify-records", "--witness", str(witness)]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)


async def test_the_operator_is_told_what_was_changed_and_what_was_cut_off(database: Settings, tmp_path: Path) -> None:
    _, first = await case_at(Stage.SECOND_REVIEW)
    _, second = await case_at(Stage.SECOND_REVIEW)
    witness = tmp_path / "heads"

    whole = verify(database, witness)
    kept = witness.read_text()
    await execute("ALTER TABLE application_records DISABLE TRIGGER records_never_change")
    await execute("UPDATE application_records SET opinion = '改' WHERE application_id = $1 AND number = 1", first.id)
    await execute("DELETE FROM application_records WHERE application_id = $1 AND number = 2", second.id)
    await execute(
        """UPDATE applications c SET records_count = 1, last_hash = r.hash, stage = r.to_stage FROM application_records r
           WHERE c.id = $1 AND r.application_id = c.id AND r.number = 1""",
        second.id,
    )
    await execute("ALTER TABLE staff_acts DISABLE TRIGGER staff_acts_never_change")
    await execute("DELETE FROM staff_acts WHERE number = (SELECT max(number) FROM staff_acts)")
    broken = verify(database, witness)

    assert (whole.returncode, whole.stdout.strip()) == (
        0,
        f"{await Application.filter(records_count__gt=0).count()} cases read, 0 records broken.",
    )
    assert broken.returncode == 1
    told = [line.strip() for line in broken.stdout.splitlines()]
    assert any(line.startswith(f"CHANGED: case {first.id}, record 1, id ") for line in told)
    assert f"MISSING: case {second.id}, record 2, id -" in told
    assert [line.partition(": act ")[0] for line in told if "with an account of staff, id -" in line] == ["MISSING"]
    assert told[-1].endswith("3 records broken.")
    assert witness.read_text() == kept
