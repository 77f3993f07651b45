"""A backup is a dump of the database and a copy of the objects: in an empty server, under the same secret, the registry goes on from it."""

from __future__ import annotations

import shutil
import subprocess
from dataclasses import replace
from pathlib import Path

import pytest

import embedded
import settings as settings_module
from domain.actions import record_chain, reviews
from domain.actions.reviews import Seen
from models.applications import Application
from models.database import close_database, database_now, open_database, rows
from models.enums import Stage
from models.files import StoredFile
from settings import Settings
from tests.cases import case_at
from tests.files.attacks import scan
from tests.files.uploads import contents, hand_in
from tests.people import provincial_officer, registered_expert

_TABLES = "SELECT relname::text AS name FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace ORDER BY 1"


async def counts() -> dict[str, int]:
    """The rows of every table."""
    return {each["name"]: (await rows(f'SELECT count(*) AS n FROM "{each["name"]}"'))[0]["n"] for each in await rows(_TABLES)}


def run(server: embedded.Postgres, tool: str, *arguments: str) -> None:
    subprocess.run([server.binaries / tool, *arguments], check=True, capture_output=True)


async def test_the_registry_goes_on_from_a_backup(
    database: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, request: pytest.FixtureRequest
) -> None:
    before = replace(database, data_dir=tmp_path / "before")
    monkeypatch.setattr(settings_module, "_current", before)
    person = await registered_expert()
    officer = await provincial_officer()
    _, case = await case_at(Stage.SECOND_REVIEW)
    image = await hand_in(scan(), person, await database_now())
    said, whole = await contents(image), await counts()
    server = embedded.Postgres(tmp_path / "server")
    url = server.start()
    request.addfinalizer(server.stop)

    run(server, "pg_dump", "--format=custom", f"--file={tmp_path / 'dump'}", database.database_url)
    shutil.copytree(before.data_dir, tmp_path / "after")
    run(server, "pg_restore", "--no-owner", "--exit-on-error", f"--dbname={url}", str(tmp_path / "dump"))
    await close_database()
    restored = replace(before, database_url=url, data_dir=tmp_path / "after")
    monkeypatch.setattr(settings_module, "_current", restored)
    await open_database(restored)
    shutil.rmtree(before.data_dir)

    assert await counts() == whole
    assert [link async for _, links in record_chain.verify({}) for link in links] == []
    assert await contents(await StoredFile.get(id=image.id)) == said
    opinion = "材料齐全，同意"
    await reviews.approve(case.id, opinion=opinion, seen=Seen(Stage.SECOND_REVIEW), viewer=officer.viewer, now=await database_now())
    assert (await Application.get(id=case.id)).stage is Stage.FINAL_REVIEW
    assert await record_chain.broken_links(case.id) == []
