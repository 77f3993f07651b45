from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from datetime import date
from urllib.parse import urlsplit

import asyncpg
import pytest
from tortoise import Tortoise, fields
from tortoise.migrations.autodetector import MigrationAutodetector

from models.database import rows, tortoise_config
from settings import Settings
from tests.conftest import ROOT

# Without those that PostgreSQL works out itself, for an index to be searched by.
_COLUMNS = """SELECT table_name, column_name, is_nullable = 'YES' AS nullable FROM information_schema.columns
    WHERE table_schema = 'public' AND is_generated = 'NEVER'"""


@pytest.fixture
async def empty(server_url: str) -> AsyncIterator[str]:
    """The address of a database with nothing in it."""
    name = f"registry_empty_{os.getpid()}"
    server = await asyncpg.connect(server_url)
    await server.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    yield urlsplit(server_url)._replace(path=f"/{name}").geturl()
    await server.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await server.close()


async def test_the_models_have_no_change_that_lacks_a_migration(database: Settings) -> None:
    assert Tortoise.apps is not None

    writers = await MigrationAutodetector(Tortoise.apps, tortoise_config(database)["apps"]).changes()

    assert [operation for writer in writers for operation in writer.operations] == []


async def test_every_column_of_a_model_is_in_the_database_as_the_model_says(database: Settings) -> None:
    kept = {(each["table_name"], each["column_name"]): each["nullable"] for each in await rows(_COLUMNS)}
    assert Tortoise.apps is not None

    expected = {
        (model._meta.db_table, column): model._meta.fields_map[name].null
        for model in Tortoise.apps["models"].values()
        for name, column in model._meta.fields_db_projection.items()
        if isinstance(model._meta.fields_map[name], fields.Field)
    }

    assert {key: null for key, null in kept.items() if key[0] != "tortoise_migrations"} == expected


async def test_two_processes_that_migrate_at_once_do_no_harm(empty: str) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATABASE_URL": empty, "REGISTRY_DEVELOPMENT": "1"}

    processes = [await asyncio.create_subprocess_exec(sys.executable, "-m", "models.migrate", cwd=ROOT, env=environment) for _ in range(2)]
    ended = [await each.wait() for each in processes]

    connection = await asyncpg.connect(empty)
    applied = await connection.fetch("SELECT name FROM tortoise_migrations ORDER BY name")
    await connection.close()
    assert ended == [0, 0]
    assert [each["name"] for each in applied] == sorted(path.stem for path in (ROOT / "models" / "migrations").glob("0*.py"))


async def test_a_migration_may_take_longer_than_a_statement_of_the_api(empty: str) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATABASE_URL": empty, "REGISTRY_DEVELOPMENT": "1"}
    environment |= {"REGISTRY_STATEMENT_TIMEOUT_MS": "1"}

    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "models.migrate", cwd=ROOT, env=environment)

    assert await process.wait() == 0


_TO_THE_SECOND = """
import asyncio
from models.database import tortoise_config
from settings import settings
from tortoise.migrations.api import migrate
asyncio.run(migrate(config=tortoise_config(settings()), target="models.0002_what_is_always_true"))
"""
_OF_THE_SECOND = """
SET session_replication_role = replica;  -- rows that they name are not asked for
INSERT INTO applications (id, kind, expert_id, stage, round, pool_code, revision_id, applicant, declared_commitment, declared_avoidance,
    created_at, stage_since, records_count)
    VALUES ('00000000-0000-0000-0000-000000000001', 'ADMISSION', gen_random_uuid(), 'SECOND_REVIEW', 1, '220199', gen_random_uuid(), '张三',
    TRUE, TRUE, now(), now(), 0);
INSERT INTO application_notes (id, application_id, author_id, author_name, author_role, text, at)
    SELECT gen_random_uuid(), '00000000-0000-0000-0000-000000000001', gen_random_uuid(), role, role, '请留意', now()
    FROM unnest(ARRAY['LOCAL_OFFICER', 'PROVINCIAL_OFFICER']) role;
"""


async def test_what_was_kept_before_a_change_of_division_was_possible_is_brought_along(empty: str) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATABASE_URL": empty, "REGISTRY_DEVELOPMENT": "1"}

    async def run(*arguments: str) -> int | None:
        return await (await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT, env=environment)).wait()

    earlier = await run("-c", _TO_THE_SECOND)
    connection = await asyncpg.connect(empty)
    await connection.execute(_OF_THE_SECOND)
    await connection.close()

    later = await run("-m", "models.migrate")

    connection = await asyncpg.connect(empty)
    notes = await connection.fetch("SELECT author_role, author_pool_code FROM application_notes ORDER BY author_role")
    left = await connection.fetchval("SELECT leaving_pool_code FROM applications")
    with pytest.raises(asyncpg.RestrictViolationError, match="never change"):
        await connection.execute("UPDATE application_notes SET author_pool_code = '220299'")
    await connection.close()
    assert (earlier, later, left) == (0, 0, None)
    assert [tuple(each) for each in notes] == [("LOCAL_OFFICER", "220199"), ("PROVINCIAL_OFFICER", None)]


_OLD_MASKS = """
SET session_replication_role = replica;
INSERT INTO accounts (id, role, status, name, phone, phone_hash, phone_masked, id_number_masked, password_hash, language, created_at)
    VALUES (gen_random_uuid(), 'EXPERT', 'ACTIVE', '张三', '', '', '', '220***********123X', '', 'zh', now());
INSERT INTO revisions (id, expert_id, number, state, version, id_number_masked, id_valid_long_term, employer, created_at, updated_at,
    frozen_at)
    SELECT gen_random_uuid(), gen_random_uuid(), 1, state, 1, mask, FALSE, '别处', now(), now(), frozen_at
    FROM (VALUES ('DRAFT', '220***********123X', NULL), ('EFFECTIVE', '110***********0020', now()), ('DRAFT', NULL, NULL))
    kept (state, mask, frozen_at);
"""


async def test_masks_of_id_numbers_that_were_kept_before_hide_more_in_frozen_profiles_too(empty: str) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATABASE_URL": empty, "REGISTRY_DEVELOPMENT": "1"}

    async def run(*arguments: str) -> int | None:
        return await (await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT, env=environment)).wait()

    await run("-c", _TO_THE_SECOND)
    connection = await asyncpg.connect(empty)
    await connection.execute(_OLD_MASKS)
    await connection.close()

    ended = await run("-m", "models.migrate")

    connection = await asyncpg.connect(empty)
    of_accounts = await connection.fetchval("SELECT array_agg(id_number_masked) FROM accounts")
    of_revisions = await connection.fetchval("SELECT array_agg(id_number_masked ORDER BY id_number_masked) FROM revisions")
    with pytest.raises(asyncpg.RestrictViolationError, match="is frozen"):
        await connection.execute("UPDATE revisions SET employer = '此处' WHERE state = 'EFFECTIVE'")
    await connection.close()
    assert ended == 0
    assert of_accounts == ["22***************X"]
    assert of_revisions == ["11***************0", "22***************X", None]


_ENDLESS_DAYS = """
SET session_replication_role = replica;
INSERT INTO revisions (id, expert_id, number, state, version, id_valid_until, id_valid_long_term, employer, created_at, updated_at,
    frozen_at)
    SELECT gen_random_uuid(), gen_random_uuid(), number, state, 1, until::date, FALSE, '别处', now(), now(), frozen_at
    FROM (VALUES (1, 'DRAFT', 'infinity', NULL), (2, 'EFFECTIVE', 'infinity', now()), (3, 'EFFECTIVE', '2036-05-31', now()))
    kept (number, state, until, frozen_at);
INSERT INTO qualification_entries (id, entry_id, revision_id, position, qualification_code, certificate_number, obtained_on, valid_until,
    issuer)
    SELECT gen_random_uuid(), gen_random_uuid(), id, kept.position, 'Q101', '1', '2001-06-01', until::date, '教育部'
    FROM revisions, (VALUES (1, 'infinity'), (2, '2036-05-31'), (3, NULL)) kept (position, until) WHERE number = 2;
INSERT INTO avoidance_units (id, entry_id, revision_id, position, name, relation, until)
    SELECT gen_random_uuid(), gen_random_uuid(), id, kept.position, '某公司', '持股', until::date
    FROM revisions, (VALUES (1, 'infinity'), (2, '-infinity'), (3, '2030-01-01'), (4, NULL)) kept (position, until) WHERE number = 1;
"""


async def test_days_that_were_kept_as_infinity_are_empty_afterwards_in_frozen_profiles_too(empty: str) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATABASE_URL": empty, "REGISTRY_DEVELOPMENT": "1"}

    async def run(*arguments: str) -> int | None:
        return await (await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT, env=environment)).wait()

    await run("-c", _TO_THE_SECOND)
    connection = await asyncpg.connect(empty)
    await connection.execute(_ENDLESS_DAYS)
    await connection.close()

    ended = await run("-m", "models.migrate")

    connection = await asyncpg.connect(empty)
    papers = await connection.fetch("SELECT id_valid_until, id_valid_long_term FROM revisions ORDER BY number")
    qualifications = await connection.fetch("SELECT valid_until FROM qualification_entries ORDER BY position")
    units = await connection.fetch("SELECT until FROM avoidance_units ORDER BY position")
    with pytest.raises(asyncpg.RestrictViolationError, match="is frozen"):
        await connection.execute("UPDATE revisions SET employer = '此处' WHERE number = 2")
    with pytest.raises(asyncpg.RestrictViolationError, match="is frozen"):
        await connection.execute("UPDATE qualification_entries SET issuer = '别处'")
    await connection.close()
    assert ended == 0
    assert [tuple(each) for each in papers] == [(None, True), (None, True), (date(2036, 5, 31), False)]
    assert [each["valid_until"] for each in qualifications] == [None, date(2036, 5, 31), None]
    assert [each["until"] for each in units] == [None, date(1900, 1, 1), date(2030, 1, 1), None]


_NEEDED = """SELECT column_name, data_type FROM information_schema.columns
    WHERE table_schema = 'public' AND table_name = $1 AND is_nullable = 'NO' AND column_default IS NULL AND is_generated = 'NEVER'"""
_SOME = {
    "uuid": "'00000000-0000-0000-0000-000000000001'",  # so that rows name one another
    "character varying": "'1'",
    "text": "'1'",
    "integer": "1",
    "bigint": "1",
    "smallint": "1",
    "boolean": "TRUE",
    "date": "current_date",
    "timestamp with time zone": "now()",
    "bytea": "'\\x01'",
    "jsonb": "'[]'",
    "double precision": "1",
}


async def some_row(connection: asyncpg.Connection, table: str) -> bool:
    """A row with something in every column that must hold something; whether the table's constraints let it be."""
    needed = {each["column_name"]: _SOME.get(each["data_type"], "NULL") for each in await connection.fetch(_NEEDED, table)}
    needed |= {name: "'DRAFT'" for name in needed if name in ("stage", "state")} | ({"round": "0"} if "round" in needed else {})
    try:
        await connection.execute(f"INSERT INTO {table} ({', '.join(needed)}) VALUES ({', '.join(needed.values())})")
    except asyncpg.IntegrityConstraintViolationError:
        return False
    return True


async def test_a_registry_with_rows_in_its_tables_is_brought_to_the_newest_migration(empty: str) -> None:
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": str(ROOT), "DATABASE_URL": empty, "REGISTRY_DEVELOPMENT": "1"}

    async def run(*arguments: str) -> int | None:
        return await (await asyncio.create_subprocess_exec(sys.executable, *arguments, cwd=ROOT, env=environment)).wait()

    await run("-c", _TO_THE_SECOND)
    connection = await asyncpg.connect(empty)
    await connection.execute("SET session_replication_role = replica")  # what rows name is not asked for
    tables = [
        each["relname"]
        for each in await connection.fetch("SELECT relname FROM pg_class WHERE relkind = 'r' AND relnamespace = 'public'::regnamespace")
    ]
    filled = [table for table in sorted(tables) if table != "tortoise_migrations" and await some_row(connection, table)]

    ended = await run("-m", "models.migrate")

    kept = [table for table in filled if await connection.fetchval(f"SELECT count(*) FROM {table}") == 1]
    unproven = await connection.fetch("SELECT conname FROM pg_constraint WHERE NOT convalidated")
    await connection.close()
    assert ended == 0
    assert kept == filled
    assert {"accounts", "specialties", "applications", "experts", "revisions", "sessions"} <= set(filled)
    assert len(filled) > 0.8 * (len(tables) - 1)
    assert unproven == []
