"""The measured part of the schema under Ariadne: loaders, prepared statements, session and role checked. `serve.py PORT`."""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import os
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import asyncpg
import uvicorn
from aiodataloader import DataLoader
from ariadne import MutationType, ObjectType, QueryType, UnionType, make_executable_schema
from ariadne.asgi import GraphQL

SQL: dict[str, str] = json.loads((Path(__file__).parent.parent / "statements.json").read_text())
KEY = b"k" * 32
OFFICERS = ("LOCAL_OFFICER", "PROVINCIAL_OFFICER")


async def _reset(_: Any) -> None:
    """No second round trip when a connection is given back."""


class Context(dict[str, Any]):
    """One request: who asks, and its loaders."""

    def __init__(self, viewer: Any) -> None:
        super().__init__()
        self.viewer = viewer
        self.loaders: dict[str, DataLoader[Any, Any]] = {}

    def officer(self) -> Any:
        if self.viewer is None or self.viewer["role"] not in OFFICERS:
            raise PermissionError("NOT_ALLOWED")
        return self.viewer

    def loader(self, name: str, *, many: bool) -> DataLoader[Any, Any]:
        if name not in self.loaders:

            async def load(keys: list[Any]) -> list[Any]:
                values = [keys, self.viewer["pool"]] if name == "Profile" else [keys]
                found: dict[Any, list[Any]] = {}
                for row in await App.pool.fetch(SQL[name], *values):
                    found.setdefault(row["k"], []).append(row)
                return [found.get(key, []) if many else found.get(key, [None])[0] for key in keys]

            self.loaders[name] = DataLoader(load)
        return self.loaders[name]


class App:
    """The endpoint, and the pool it opens at start."""

    pool: Any

    def __init__(self) -> None:
        self.graphql = GraphQL(SCHEMA, context_value=self.context)

    async def context(self, request: Any, _: Any = None) -> Context:
        token = request.headers.get("authorization", "").removeprefix("Bearer ")
        viewer = await App.pool.fetchrow(SQL["session"], hashlib.sha256(token.encode()).digest()) if token else None
        return Context(viewer)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "lifespan":
            await self.graphql(scope, receive, send)
            return
        await receive()
        App.pool = await asyncpg.create_pool(
            os.environ["DATABASE_URL"], min_size=1, max_size=10, max_inactive_connection_lifetime=0, reset=_reset
        )
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await App.pool.close()
        await send({"type": "lifespan.shutdown.complete"})


def one(name: str, column: str) -> Callable[..., Any]:
    async def resolve(row: Any, info: Any) -> Any:
        return None if row[column] is None else await info.context.loader(name, many=False).load(row[column])

    return resolve


def many(name: str) -> Callable[..., Any]:
    async def resolve(row: Any, info: Any) -> Any:
        return await info.context.loader(name, many=True).load(row["key"])

    return resolve


def name_of(kind: str, column: str) -> Callable[..., Any]:
    async def resolve(row: Any, info: Any) -> Any:
        if row[column] is None:
            return None
        found = await info.context.loader("Code", many=False).load(f"{kind}:{row[column]}")
        return found and found["name"]

    return resolve


async def page(name: str, size: int, *values: Any) -> dict[str, Any]:
    rows, total = await asyncio.gather(App.pool.fetch(SQL[name], size + 1, *values), App.pool.fetchval(SQL[f"{name}Count"], *values))
    nodes = rows[:size]
    info = {"hasNextPage": len(rows) > size, "endCursor": nodes[-1]["cursor"] if nodes else None}
    return {"totalCount": total, "nodes": nodes, "pageInfo": info}


async def application(_: Any, info: Any, id: str) -> Any:
    return await App.pool.fetchrow(SQL["application"], UUID(id.removeprefix("Application_")), info.context.officer()["pool"])


async def applications(_: Any, info: Any, first: int, **_more: Any) -> Any:
    return await page("applications", first, info.context.officer()["pool"])


async def public_notices(_: Any, _info: Any, first: int, **_more: Any) -> Any:
    return await page("publicNotices", first)


async def approve(_: Any, info: Any, input: dict[str, Any]) -> Any:
    """The verb: the same locks, checks, rows, chain and announcement as in the hand-written endpoint."""
    viewer = info.context.officer()
    if viewer["role"] != "PROVINCIAL_OFFICER":
        raise PermissionError("NOT_ALLOWED")
    case, opinion = UUID(input["applicationId"].removeprefix("Application_")), input["opinion"].strip()
    if len(opinion) > 1_000:
        raise ValueError("INVALID")
    me = viewer["account"]
    async with App.pool.acquire() as connection, connection.transaction():
        row = await connection.fetchrow(SQL["approveLock"], case)
        if row is None or row["stage"] != input["stage"] or (row["claimed_by_id"] not in (None, me) and row["held"]):
            raise ValueError("ALREADY_REVIEWED")
        facts = await connection.fetchrow(SQL["approveFacts"], case, me, row["expert_id"], row["revision_id"])
        if facts["own"] or facts["decided"]:
            raise PermissionError("NOT_ALLOWED")
        record = {
            "id": str(uuid4()), "application_id": str(case), "number": row["records_count"] + 1, "round": row["round"],
            "at": row["now"].isoformat(), "actor_id": str(me), "actor_name": facts["name"], "actor_role": facts["role"], "move": "APPROVE",
            "from_stage": row["stage"], "to_stage": "FINAL_REVIEW", "revision_id": str(row["revision_id"]), "opinion": opinion,
            "reject_reason": None, "field_reasons": [],
        }  # fmt: skip
        digest = hmac.digest(KEY, row["last_hash"] + json.dumps(record).encode(), "sha256")
        await connection.execute(
            SQL["approveWrite"], case, row["now"], digest, UUID(record["id"]), record["number"], row["round"], me, facts["name"],
            facts["role"], row["revision_id"], opinion, row["last_hash"],
        )  # fmt: skip
        told = {"event": "applicationMoved", "application": str(case), "pool": row["pool_code"], "stage": "FINAL_REVIEW"}
        await connection.execute(SQL["announce"], json.dumps(told))
    return await App.pool.fetchrow(SQL["approved"], case)


async def avoidance_units(row: Any, info: Any) -> Any:
    declared = await info.context.loader("AvoidanceUnit", many=True).load(row["key"])
    if row["employer"] is None:
        return declared
    own = {"name": row["employer"], "creditCode": row["employerCreditCode"], "relation": "现工作单位", "until": None, "declared": False}
    return [own, *declared]


def itself(row: Any, _: Any) -> Any:
    return row


def plain(row: Any, info: Any) -> Any:
    return row[info.field_name]


FIELDS: dict[str, dict[str, Any]] = {
    "Query": {"application": application, "applications": applications, "publicNotices": public_notices},
    "Mutation": {"applicationApprove": approve},
    "Application": {"pool": one("Division", "poolCode"), "records": many("records"), "profile": one("Profile", "revisionId")},
    "PublicNotice": {"pool": one("Division", "poolCode"), "specialties": many("noticeSpecialties")},
    "NoticeSpecialty": {"specialty": one("Specialty", "code")},
    "Specialty": {"parent": one("Specialty", "parentCode")},
    "Profile": {
        "basicInfo": itself, "evaluationInfo": itself, "education": many("Education"), "titles": many("TitleEntry"),
        "workHistory": many("WorkEntry"), "qualifications": many("QualificationEntry"), "otherMaterials": many("OtherMaterial"),
    },
    "BasicInfo": {
        "sexName": name_of("SEX", "sex"), "ethnicGroupName": name_of("ETHNIC_GROUP", "ethnicGroup"),
        "politicalAffiliationName": name_of("POLITICAL", "politicalAffiliation"), "portrait": one("File", "portraitId"),
        "idFront": one("File", "idFrontId"), "idBack": one("File", "idBackId"), "residence": one("Division", "residenceCode"),
    },
    "EvaluationInfo": {
        "homePool": one("Division", "homePoolCode"), "specialties": many("ChosenSpecialty"), "avoidanceUnits": avoidance_units,
    },
    "ChosenSpecialty": {"specialty": one("Specialty", "code")},
    "Education": {
        "levelName": name_of("EDUCATION", "level"), "degreeName": name_of("DEGREE", "degree"), "certificate": one("File", "certificateId"),
    },
    "TitleEntry": {"title": one("Title", "titleCode"), "certificate": one("File", "certificateId")},
    "QualificationEntry": {"qualification": one("Qualification", "qualificationCode"), "certificate": one("File", "certificateId")},
    "OtherMaterial": {"file": one("File", "fileId")},
}  # fmt: skip


def bindings() -> list[Any]:
    """Resolvers of the fields above, and `plain` for all others."""
    found = [UnionType("ApplicationApproveResult", lambda *_: "Application")]
    roots = {"Query": QueryType, "Mutation": MutationType}
    for name, fields in FIELDS.items():
        kind = roots[name]() if name in roots else ObjectType(name)
        for field, resolver in fields.items():
            kind.set_field(field, resolver)
        found.append(kind)
    return found


SCHEMA = make_executable_schema(Path(os.environ["BENCH_SCHEMA"]).read_text(), *bindings())
for kind in SCHEMA.type_map.values():
    for field in getattr(kind, "fields", {}).values():
        if not kind.name.startswith("__") and getattr(field, "resolve", 1) is None:
            field.resolve = plain

if __name__ == "__main__":
    uvicorn.run(
        App(), host="127.0.0.1", port=int(sys.argv[1]), loop="uvloop", http="httptools", lifespan="on", access_log=False,
        log_level="warning",
    )  # fmt: skip
