"""Fields that only Python answers leave the rest of their operation to its plan."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from domain.rules.viewer import Viewer
from models.database import database_now, fetch
from models.profiles import TitleEntry
from schema.root import schema
from settings import Settings
from tests.cases import complete_profile, submitted_case
from tests.graphql import execute, executor
from tests.people import SignedIn, officer, registered_expert

DRAFT = """query Draft($withPaths: Boolean!, $full: Boolean = true) {
  viewer { consentNeeded expert { id draftProfile {
    number basicInfo @include(if: $full) { name } lacking: missing { ...F } warnings { code }
  } } }
}
fragment F on FieldProblem { code path @include(if: $withPaths) }"""
INBOX = """{ queueCounts(awaitingMe: true) { stage total } applications(first: 5) { nodes { id applicant eligibility { day } } }
  privacyTermsVersion }"""


@pytest.fixture(scope="module")
async def drafting(database: Settings) -> SignedIn:
    """Somebody whose profile is half filled."""
    person = await registered_expert(name="周缺")
    await complete_profile(person.viewer)
    await TitleEntry.all().delete()
    return person


async def read(document: str, viewer: Viewer, configuration: Settings, ran: list[str], **variables: Any) -> Any:
    """What the plan, and the executor for what it leaves, make of a document; `ran` gets what the executor was asked."""
    known = schema.documents.read(document, schema._schema, configuration)
    now = await database_now()
    return await schema.plans.read(
        known.node,
        known.operation(None).node,
        variables,
        viewer=viewer,
        now=now,
        settings=configuration,
        execute=executor(viewer, now, ran),
    )


async def test_rules_over_a_profile_are_asked_alone_and_the_profile_is_read_by_its_statement(
    drafting: SignedIn, database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    statements: list[str] = []

    async def noting(sql: str, values: Any, seconds: float | None = None) -> Any:
        statements.append(sql)
        return await fetch(sql, values)

    monkeypatch.setattr("schema.plan.operations.fetch", noting)
    ran: list[str] = []

    answer = await read(DRAFT, drafting.viewer, database, ran, withPaths=True)

    ordinary = await execute(DRAFT, drafting.viewer, withPaths=True)
    assert ordinary.data is not None
    assert ordinary.data["viewer"]["expert"]["draftProfile"]["lacking"][0].keys() == {"code", "path"}
    assert orjson.dumps(answer) == orjson.dumps(ordinary.data)
    assert len(statements) == 1
    assert len(ran) == 1
    assert "basicInfo" not in ran[0]
    assert "$full" not in ran[0]


async def test_switches_inside_what_is_left_are_kept(drafting: SignedIn, database: Settings) -> None:
    answer = await read(DRAFT, drafting.viewer, database, [], withPaths=False)

    ordinary = await execute(DRAFT, drafting.viewer, withPaths=False)
    assert ordinary.data is not None
    assert ordinary.data["viewer"]["expert"]["draftProfile"]["lacking"][0].keys() == {"code"}
    assert orjson.dumps(answer) == orjson.dumps(ordinary.data)


async def test_root_fields_keep_their_order_whoever_answers_them(database: Settings) -> None:
    person, _ = await submitted_case(name="周一")
    await complete_profile((await registered_expert(name="周二")).viewer)
    local = await officer("220199")
    ran: list[str] = []

    answer = await read(INBOX, local.viewer, database, ran)

    ordinary = await execute(INBOX, local.viewer)
    assert ordinary.errors is None
    assert ordinary.data is not None
    assert [*ordinary.data] == ["queueCounts", "applications", "privacyTermsVersion"]
    assert [each["applicant"] for each in ordinary.data["applications"]["nodes"]] == [person.account.name]
    assert orjson.dumps(answer) == orjson.dumps(ordinary.data)
    assert len(ran) == 1
    assert "applicant" not in ran[0]


async def test_an_error_in_what_is_left_leaves_the_whole_operation_to_the_executor(drafting: SignedIn, database: Settings) -> None:
    document = "{ viewer { expert { id } } queueCounts { total } }"  # which is not for experts

    answer = await read(document, drafting.viewer, database, [])

    assert answer is None
    assert (await execute(document, drafting.viewer)).errors is not None


async def test_more_rows_than_one_operation_may_name_are_left_to_the_executor(
    drafting: SignedIn, database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("schema.plan.operations.NODES", 0)
    ran: list[str] = []

    assert await read(DRAFT, drafting.viewer, database, ran, withPaths=True) is None
    assert ran == []


async def test_a_row_that_is_gone_when_the_executor_looks_leaves_it_everything(drafting: SignedIn, database: Settings) -> None:
    known = schema.documents.read(DRAFT, schema._schema, database)

    async def find_nothing(text: str, variables: dict[str, Any]) -> dict[str, Any]:
        return {name: [None] for name in variables if name.startswith("rows_")}

    answer = await schema.plans.read(
        known.node,
        known.operation(None).node,
        {"withPaths": True},
        viewer=drafting.viewer,
        now=await database_now(),
        settings=database,
        execute=find_nothing,
    )

    assert answer is None


async def test_without_somebody_to_execute_it_nothing_is_parted(drafting: SignedIn, database: Settings) -> None:
    known = schema.documents.read(DRAFT, schema._schema, database)

    answer = await schema.plans.read(
        known.node, known.operation(None).node, {"withPaths": True}, viewer=drafting.viewer, now=await database_now(), settings=database
    )

    assert answer is None
