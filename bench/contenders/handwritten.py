"""What a careful programmer would write without GraphQL: Starlette, asyncpg, orjson, one endpoint an answer; and without Starlette.

The statements of reading are those that the product compiles, handed over in a file: faster ones for the same answer are not known.
`create_app` looks the session up and checks the role; `bare` is an ASGI function that runs the statement for a viewer it takes for granted.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import asyncpg
import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from uuid_utils.compat import uuid7

STATEMENTS: dict[str, dict[str, Any]] = json.loads(Path(os.environ["BENCH_STATEMENTS"]).read_text())
OFFICERS = ("LOCAL_OFFICER", "PROVINCIAL_OFFICER")
SESSION = """WITH clock AS MATERIALIZED (SELECT registry_now() AS now)
    SELECT clock.now, s.id AS session, a.id AS account, a.role, a.name, a.pool_code, e.id AS expert
    FROM clock LEFT JOIN (sessions s JOIN accounts a ON a.id = s.account_id) ON s.token_hash = $1 AND a.status = 'ACTIVE'
        AND s.ended_at IS NULL AND s.expires_at > clock.now
        AND (a.role = 'EXPERT' OR s.used_at > clock.now - make_interval(mins => 30))
    LEFT JOIN experts e ON e.account_id = a.id"""


async def prepare(connection: Any) -> None:
    await connection.set_type_codec("json", schema="pg_catalog", encoder=str, decoder=orjson.Fragment)


async def _reset(_: Any) -> None:
    return None


async def connect() -> Any:
    # Planned as in the product: what differs is to be the server's own CPU.
    planning = {"plan_cache_mode": "force_generic_plan", "random_page_cost": "1.1", "jit": "off", "max_parallel_workers_per_gather": "0"}
    return await asyncpg.create_pool(
        os.environ["DATABASE_URL"], min_size=1, max_size=10, max_inactive_connection_lifetime=0, init=prepare, reset=_reset,
        server_settings=planning,
    )  # fmt: skip


async def viewer_of(pool: Any, token: str) -> Any:
    if not token:
        return await pool.fetchrow("SELECT registry_now() AS now, NULL AS role")
    row = await pool.fetchrow(SESSION, hashlib.sha256(token.encode()).digest())
    return row if row["session"] is not None else None


def values_of(row: Any) -> dict[str, Any]:
    if row["role"] is None:
        return {"now": row["now"]}
    return {
        "now": row["now"], "viewer_account": row["account"], "viewer_session": row["session"], "viewer_pool": row["pool_code"],
        "viewer_expert": row["expert"],
    }  # fmt: skip


def one(key: str, names: list[str], rows: Any) -> dict[str, Any]:
    return {key: dict(zip(names, rows[0], strict=True)) if rows else None}


def page(key: str, names: list[str], rows: Any, size: int) -> dict[str, Any]:
    width = len(names)
    total = rows[0]["total"]
    found = [row for row in rows if row["cursor"] is not None]
    more, found = len(found) > size, found[:size]
    info = {"hasNextPage": more, "endCursor": found[-1]["cursor"] if found else None}
    nodes = [dict(zip(names, tuple(row)[:width], strict=True)) for row in found]
    return {key: {"totalCount": total, "pageInfo": info, "nodes": nodes}}


async def answer(pool: Any, name: str, known: dict[str, Any], case: UUID | None) -> bytes:
    statement = STATEMENTS[name]
    size = statement["size"]
    known["p0_key"] = case
    rows = await pool.fetch(statement["sql"], *[known[each] for each in statement["names"]])
    data = page(statement["key"], statement["columns"], rows, size) if size else one(statement["key"], statement["columns"], rows)
    return orjson.dumps({"data": data})


def endpoint(name: str, *, signed_in: bool) -> Any:
    async def answered(request: Request) -> Response:
        pool = request.app.state.pool
        row = await viewer_of(pool, request.headers.get("authorization", "").removeprefix("Bearer "))
        if signed_in and (row is None or row["role"] not in OFFICERS):
            return Response(status_code=403 if row else 401)
        try:
            case = UUID(request.path_params["case"]) if "case" in request.path_params else None
        except ValueError:
            return Response(status_code=404)
        return Response(await answer(pool, name, values_of(row), case), media_type="application/json")

    return answered


async def approve(request: Request) -> Response:
    """The verb by hand: the same locks, checks, rows, chain and announcement, in as few statements as they take."""
    pool = request.app.state.pool
    row = await viewer_of(pool, request.headers.get("authorization", "").removeprefix("Bearer "))
    if row is None or row["role"] != "PROVINCIAL_OFFICER":
        return Response(status_code=403)
    case_id, asked = UUID(request.path_params["case"]), orjson.loads(await request.body())
    opinion = asked["opinion"].strip()
    if len(opinion) > 1_000:
        return Response(status_code=422)
    now, me = row["now"], row["account"]
    async with pool.acquire() as connection, connection.transaction():
        case = await connection.fetchrow("SELECT * FROM applications WHERE id = $1 AND round > 0 FOR UPDATE", case_id)
        if case is None or case["stage"] != asked["stage"] or (case["claimed_by_id"] not in (None, me) and case["claimed_until"] > now):
            return Response(status_code=409)
        own = await connection.fetchrow(
            """SELECT o.phone_hash = a.phone_hash OR o.id_number_hash IN (a.id_number_hash, r.id_number_hash) AS own,
                      EXISTS (SELECT FROM application_records WHERE application_id = $1 AND actor_id = $2 AND from_stage = 'FINAL_REVIEW')
                          AS decided, c.due
               FROM accounts o, experts e JOIN accounts a ON a.id = e.account_id, revisions r,
                   (SELECT array_agg((date, kind)::text) AS due FROM calendar_days) c
               WHERE o.id = $2 AND e.id = $3 AND r.id = $4""",
            case_id, me, case["expert_id"], case["revision_id"],
        )  # fmt: skip
        if own["own"] or own["decided"]:
            return Response(status_code=403)
        record = {
            "id": str(uuid7()), "application_id": str(case_id), "number": case["records_count"] + 1, "round": case["round"], "at": now,
            "actor_id": str(me), "actor_name": row["name"], "actor_role": row["role"], "move": "APPROVE", "from_stage": case["stage"],
            "to_stage": "FINAL_REVIEW", "revision_id": str(case["revision_id"]), "opinion": opinion, "reject_reason": None,
            "field_reasons": [],
        }  # fmt: skip
        written = orjson.dumps(record, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)
        digest = hmac.digest(b"k" * 32, case["last_hash"] + written, "sha256")
        await connection.execute(
            """WITH moved AS (UPDATE applications
                   SET stage = 'FINAL_REVIEW', stage_since = $2::timestamptz, due_at = $2::timestamptz + interval '7 days',
                   claimed_by_id = NULL, claimed_by_name = NULL, claimed_until = NULL, records_count = records_count + 1, last_hash = $3
                   WHERE id = $1)
               INSERT INTO application_records (id, application_id, number, round, at, actor_id, actor_name, actor_role, move, from_stage,
                   to_stage, revision_id, opinion, field_reasons, previous_hash, hash)
               VALUES ($4, $1, $5, $6, $2, $7, $8, $9, 'APPROVE', 'SECOND_REVIEW', 'FINAL_REVIEW', $10, $11, '[]', $12, $3)""",
            case_id, now, digest, UUID(record["id"]), record["number"], case["round"], me, row["name"], row["role"], case["revision_id"],
            opinion, case["last_hash"],
        )  # fmt: skip
        await connection.execute("SELECT pg_notify('registry_events', $1)", orjson.dumps({
            "event": "applicationMoved", "application": str(case_id), "pool": case["pool_code"], "stage": "FINAL_REVIEW",
        }).decode())  # fmt: skip
    application = await pool.fetchrow("SELECT id, stage, round FROM applications WHERE id = $1 AND round > 0", case_id)
    found = {
        "__typename": "Application", "id": f"Application_{application['id']}", "stage": application["stage"], "round": application["round"],
    }  # fmt: skip
    return Response(orjson.dumps({"data": {"applicationApprove": found}}), media_type="application/json")


@asynccontextmanager
async def lifespan(app: Starlette) -> AsyncIterator[None]:
    app.state.pool = await connect()
    yield
    await app.state.pool.close()


def create_app() -> Starlette:
    return Starlette(
        routes=[
            Route("/profile/{case}", endpoint("profile", signed_in=True)),
            Route("/five fields/{case}", endpoint("five fields", signed_in=True)),
            Route("/queue", endpoint("queue", signed_in=True)),
            Route("/notices", endpoint("notices", signed_in=False)),
            Route("/approve/{case}", approve, methods=["POST"]),
        ],
        lifespan=lifespan,
    )


class Bare:
    """The same statements under an ASGI function: no routing, no session, no role."""

    def __init__(self) -> None:
        self.pool: Any = None
        self.viewer: Any = None

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            self.pool = await connect()
            self.viewer = await viewer_of(self.pool, os.environ["BENCH_TOKEN"])
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await self.pool.close()
            await send({"type": "lifespan.shutdown.complete"})
            return
        _, name, *rest = scope["path"].split("/")
        body = await answer(self.pool, name, values_of(self.viewer), UUID(rest[0]) if rest else None)
        headers = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": body})


def bare() -> Bare:
    return Bare()
