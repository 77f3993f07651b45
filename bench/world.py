"""What every contender is given: tables, an invented province, an officer's session, and the statements that the product compiles."""

from __future__ import annotations

import json
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import asyncpg

from bench.operations import OPERATIONS
from demonstration.seed import Progress, seed_experts
from domain.actions import reference, sessions
from domain.rules.viewer import Viewer
from models.database import close_database, database_now, open_database, rows
from models.enums import Role
from models.migrate import migrate
from models.sealing import sha256
from schema.root import schema
from settings import Settings

ROOT = Path(__file__).resolve().parent.parent
SECRET = "the secret of the bench, 32 characters and more"  # noqa: S105  of a database that holds invented people alone
CASES = 200
WAITING = 400
"""Cases in second review, to be approved by each contender in each round."""


@dataclass(slots=True)
class World:
    """What every contender is given."""

    configuration: Settings
    token: str
    cases: list[str]
    statements: Path
    postmaster: int


async def prepare(configuration: Settings, experts: int, postmaster: int) -> World:
    """Tables, reference data, the province, an officer's session, and the statements that the product compiles."""
    await migrate(configuration)
    await open_database(configuration)
    try:
        await reference.load(ROOT / "reference")
        await seed_experts(experts, seed=1, configuration=configuration, tell=Progress())
        await wait_for_second_review(configuration.database_url)
        token = secrets.token_urlsafe(32)
        (officer,) = await rows("SELECT id FROM accounts WHERE role = 'PROVINCIAL_OFFICER' ORDER BY id LIMIT 1")
        await rows(
            """INSERT INTO sessions (id, account_id, token_hash, transport, device, created_at, used_at, expires_at)
               SELECT gen_random_uuid(), $1, $2, 'BEARER', 'bench', n, n, n + interval '1 day' FROM registry_now() n RETURNING id""",
            officer["id"],
            sha256(token.encode()),
        )
        viewer, now = await sessions.authenticate(token)
        assert isinstance(viewer, Viewer)
        assert viewer.role is Role.PROVINCIAL_OFFICER
        found = await rows("SELECT id FROM applications WHERE stage = 'ADMITTED' ORDER BY sha256(uuid_send(id)) LIMIT $1", CASES)
        cases = [str(each["id"]) for each in found]
        statements = {}
        for operation in OPERATIONS:
            read = schema.documents.read(operation.document, schema._schema, configuration)
            variables = {"id": f"Application_{cases[0]}"} if operation.of_case else {}
            node_ = read.operation(None).node
            who = viewer if operation.signed_in else None
            data = await schema.plans.read(read.node, node_, variables, viewer=who, now=now, settings=configuration)
            if data is None:
                raise SystemExit(f"{operation.name} is not compiled")
            variant = schema.plans._operation(read.node, node_).variants[0]
            [(key, value)] = data.items()
            columns = list(value["nodes"][0]) if "nodes" in value else list(value)
            statements[operation.name] = {
                "sql": variant.sql, "names": variant.names, "key": key, "columns": columns,
                "size": 50 if operation.name == "notices" else 20 if operation.name == "queue" else None,
            }  # fmt: skip
        assert await database_now() >= now
    finally:
        await close_database()
    path = configuration.data_dir / "statements.json"
    path.write_text(json.dumps(statements, ensure_ascii=False, indent=1))
    return World(configuration, token, cases, path, postmaster)


async def wait_for_second_review(database_url: str) -> None:
    """Take admitted cases back to where the first review had just approved them, until there are as many as are wanted."""
    connection = await asyncpg.connect(database_url)
    try:
        async with connection.transaction():
            await connection.execute("SET LOCAL session_replication_role = replica; SET LOCAL statement_timeout = 0")
            await connection.execute("CREATE TEMP TABLE taken (id uuid) ON COMMIT DROP")
            await connection.execute(
                """INSERT INTO taken SELECT id FROM applications a
                   WHERE stage = 'ADMITTED' AND round = 1
                       AND NOT EXISTS (SELECT FROM applications o WHERE o.expert_id = a.expert_id AND o.id <> a.id)
                   ORDER BY id LIMIT greatest(0, $1 - (SELECT count(*) FROM applications WHERE stage = 'SECOND_REVIEW'))""",
                WAITING,
            )
            await connection.execute("DELETE FROM application_records r USING taken t WHERE r.application_id = t.id AND r.number > 2")
            await connection.execute(
                "DELETE FROM notice_specialties s USING taken t, public_notices n WHERE n.application_id = t.id AND s.notice_id = n.id"
            )
            await connection.execute("DELETE FROM public_notices n USING taken t WHERE n.application_id = t.id")
            await connection.execute(
                """UPDATE applications a SET stage = r.to_stage, stage_since = r.at, due_at = r.at + interval '7 days', closed_at = NULL,
                       records_count = 2, last_hash = r.hash
                   FROM taken t, application_records r WHERE a.id = t.id AND r.application_id = t.id AND r.number = 2"""
            )
    finally:
        await connection.close()


@asynccontextmanager
async def approvable(world: World) -> AsyncIterator[tuple[Any, list[str]]]:
    """The cases in second review, and a connection on which `put_back` puts them back there; so it is done at the end."""
    connection = await asyncpg.connect(world.configuration.database_url)
    try:
        await connection.execute("SET session_replication_role = replica; SET statement_timeout = 0")
        await connection.execute(
            "CREATE TEMP TABLE kept AS SELECT * FROM applications WHERE stage = 'SECOND_REVIEW' ORDER BY id LIMIT $1", WAITING
        )
        yield connection, [str(row["id"]) for row in await connection.fetch("SELECT id FROM kept ORDER BY id")]
    finally:
        await put_back(connection)
        await connection.close()


async def put_back(connection: Any) -> None:
    """Every approved case to where it waited; dead rows are swept, so that no contender meets those of the one before."""
    await connection.execute("DELETE FROM application_records r USING kept k WHERE r.application_id = k.id AND r.number > k.records_count")
    await connection.execute(
        """UPDATE applications a SET stage = k.stage, stage_since = k.stage_since, due_at = k.due_at, records_count = k.records_count,
               last_hash = k.last_hash FROM kept k WHERE a.id = k.id AND a.records_count <> k.records_count"""
    )
    await connection.execute("VACUUM applications")
    await connection.execute("VACUUM application_records")
