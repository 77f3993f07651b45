"""The answer of a mutation: a changed row read by its plan, a problem told by the executor."""

from __future__ import annotations

from typing import Any, cast

import orjson
import pytest
from graphql import FieldNode, GraphQLObjectType, OperationDefinitionNode, parse

from domain.actions.reviews import approve
from domain.rules.viewer import Viewer
from models.applications import Application, ApplicationRecord
from models.database import database_now
from models.enums import Stage
from schema.plan.mutations import told_by_row
from schema.root import schema
from settings import Settings
from tests.cases import submitted_case
from tests.graphql import context_for, execute
from tests.people import SignedIn, officer

SELECTION = """
    __typename
    ... on Node { id }
    ... on Application { stage round applicant pool { name } availableMoves records { number move opinion } }
    ... on AlreadyReviewed { stage }
    ... on Problem { code message }
    ... on InvalidInput { fields { path code } }
"""
APPROVE = f"mutation Approve($input: ApplicationApproveInput!) {{ done: applicationApprove(input: $input) {{ {SELECTION} }} }}"


@pytest.fixture
async def local(database: Settings) -> SignedIn:
    """An officer of the pool."""
    return await officer("220199")


async def by_plan(document: str, variables: dict[str, Any], viewer: Viewer, configuration: Settings) -> dict[str, Any]:
    """As the listening process does it; fails where the verb was left to the executor."""
    read = schema.documents.read(document, schema._schema, configuration)
    context = context_for(viewer, now=await database_now())
    data = await schema.plans.change(read.node, read.operation(None).node, variables, context)
    assert context.settled is not None
    if data is not None:
        return data
    result = await schema.execute(document, variable_values=variables, context_value=context)
    assert result.errors is None
    assert result.data is not None
    return result.data


async def test_a_changed_row_is_answered_with_everything_asked_of_it(local: SignedIn, database: Settings) -> None:
    _, case = await submitted_case(name="周一")
    given = {"input": {"applicationId": f"Application_{case.id}", "stage": "FIRST_REVIEW", "opinion": "同意"}}

    answer = await by_plan(APPROVE, given, local.viewer, database)

    assert orjson.loads(orjson.dumps(answer)) == {
        "done": {
            "__typename": "Application",
            "id": f"Application_{case.id}",
            "stage": "SECOND_REVIEW",
            "round": 1,
            "applicant": "周一",
            "pool": {"name": "长春市本级"},
            "availableMoves": [],
            "records": [
                {"number": 1, "move": "SUBMIT", "opinion": None},
                {"number": 2, "move": "APPROVE", "opinion": "同意"},
            ],
        }
    }


async def test_plain_columns_of_a_changed_row_are_told_without_reading_it_again(
    local: SignedIn, database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, case = await submitted_case(name="周一")
    given = {"input": {"applicationId": f"Application_{case.id}", "stage": "FIRST_REVIEW", "opinion": "同意"}}
    selection = "__typename ... on Application { id stage: stage seen: stageSince submittedAt round closedAt }"
    document = f"mutation($input: ApplicationApproveInput!) {{ applicationApprove(input: $input) {{ {selection} }} }}"
    read: list[str] = []
    monkeypatch.setattr("schema.plan.operations.fetch", lambda sql, *_: read.append(sql))

    answer = await by_plan(document, given, local.viewer, database)

    assert read == []
    monkeypatch.undo()
    ordinary = await execute(
        "query($id: ID!) { application(id: $id) { __typename id stage: stage seen: stageSince submittedAt round closedAt } }",
        local.viewer,
        id=f"Application_{case.id}",
    )
    assert ordinary.data is not None
    assert answer == {"applicationApprove": ordinary.data["application"]}
    assert answer["applicationApprove"]["stage"] == "SECOND_REVIEW"
    assert answer["applicationApprove"]["closedAt"] is None


async def test_each_request_has_its_own_values_in_an_input_that_the_document_writes_out(local: SignedIn, database: Settings) -> None:
    document = """mutation($id: ID!, $opinion: String, $round: Int) {
        applicationApprove(input: {applicationId: $id, stage: FIRST_REVIEW, opinion: $opinion, round: $round}) { ... on Node { id } }
    }"""
    given: list[dict[str, Any]] = [{"opinion": "甲"}, {"opinion": "乙", "round": 1}, {"opinion": None}, {"opinion": "丙", "round": 1}]
    cases = [(await submitted_case())[1] for _ in given]

    for case, each in zip(cases, given, strict=True):
        answer = await by_plan(document, {"id": f"Application_{case.id}", **each}, local.viewer, database)
        assert answer == {"applicationApprove": {"id": f"Application_{case.id}"}}

    said = [(await ApplicationRecord.get(application_id=case.id, number=2)).opinion for case in cases]
    assert said == ["甲", "乙", None, "丙"]


async def test_what_is_kept_of_an_input_holds_nothing_that_clients_sent(local: SignedIn, database: Settings) -> None:
    document = """mutation($id: ID!, $said: String) {
        applicationApprove(input: {applicationId: $id, stage: FIRST_REVIEW, opinion: $said}) { __typename }
    }"""
    _, case = await submitted_case()
    await by_plan(document, {"id": f"Application_{case.id}", "said": "不可留存之言"}, local.viewer, database)

    read = schema.documents.read(document, schema._schema, database)
    kept = schema.plans._operation(read.node, read.operation(None).node).verb
    assert kept is not None
    assert kept.arguments._input is not None
    assert kept.arguments._input._rest == {"stage": Stage.FIRST_REVIEW, "round": None}


@pytest.mark.parametrize(
    ("kind", "field", "told"),
    [
        ("Application", "stage", True),
        ("Application", "dueOn", False),  # converted
        ("BasicInfo", "idNumber", False),  # for its owner alone
        ("ApplicationRecord", "actorName", False),  # for officers alone
        ("Application", "pool { name }", False),
        ("Application", "availableMoves", False),
    ],
)
def test_a_row_tells_its_plain_columns_alone(kind: str, field: str, told: bool) -> None:
    [operation] = parse(f"{{ {field} }}").definitions
    assert isinstance(operation, OperationDefinitionNode)
    [node] = operation.selection_set.selections
    assert isinstance(node, FieldNode)

    found = told_by_row(cast("GraphQLObjectType", schema._schema.type_map[kind]), {"asked": [node]})

    assert (found is not None) is told


async def test_a_problem_is_answered_as_the_executor_answers_it(local: SignedIn, database: Settings) -> None:
    _, case = await submitted_case(name="周二")
    given = {"input": {"applicationId": f"Application_{case.id}", "stage": "SECOND_REVIEW"}}

    answer = await by_plan(APPROVE, given, local.viewer, database)
    ordinary = await execute(APPROVE, local.viewer, **given)

    assert answer == ordinary.data
    assert answer["done"]["__typename"] == "AlreadyReviewed"
    assert answer["done"]["stage"] == "FIRST_REVIEW"
    assert (await Application.get(id=case.id)).stage == "FIRST_REVIEW"


async def test_what_needs_python_leaves_the_mutation_to_the_executor(local: SignedIn, database: Settings) -> None:
    selection = "... on Application { profile { missing { code } } }"
    document = f"mutation($input: ApplicationApproveInput!) {{ applicationApprove(input: $input) {{ {selection} }} }}"
    read = schema.documents.read(document, schema._schema, database)
    given = {"input": {"applicationId": "Application_x", "stage": "FIRST_REVIEW"}}

    context = context_for(local.viewer, now=await database_now())

    answer = await schema.plans.change(read.node, read.operation(None).node, given, context)

    assert (answer, context.settled) == (None, None)


async def test_a_verb_runs_once_whoever_tells_what_came_of_it(local: SignedIn, database: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    _, case = await submitted_case(name="周三")
    given = {"input": {"applicationId": f"Application_{case.id}", "stage": "SECOND_REVIEW"}}
    runs = []

    async def counted(*arguments: Any, **facts: Any) -> Any:
        runs.append(facts)
        return await approve(*arguments, **facts)

    monkeypatch.setattr("domain.actions.reviews.approve", counted)
    answer = await by_plan(APPROVE, given, local.viewer, database)

    assert answer["done"]["__typename"] == "AlreadyReviewed"
    assert len(runs) == 1


async def test_what_a_verb_raises_is_told_as_the_executor_tells_it(
    local: SignedIn, database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    _, case = await submitted_case(name="周四")
    given = {"input": {"applicationId": f"Application_{case.id}", "stage": "FIRST_REVIEW"}}

    async def broken(*_: Any, **__: Any) -> Any:
        raise ZeroDivisionError("what people entered")

    monkeypatch.setattr("domain.actions.reviews.approve", broken)
    read = schema.documents.read(APPROVE, schema._schema, database)
    context = context_for(local.viewer, now=await database_now())
    answer = await schema.plans.change(read.node, read.operation(None).node, given, context)
    told = await schema.execute(APPROVE, variable_values=given, context_value=context)

    assert answer is None
    [error] = told.errors or []
    assert (error.path, (error.extensions or {})["code"]) == (["done"], "INTERNAL_ERROR")
    assert "people" not in str(error.formatted)


async def test_a_variable_that_is_null_where_it_may_not_be_is_told_by_the_executor(local: SignedIn, database: Settings) -> None:
    _, case = await submitted_case()
    document = """mutation ($x: Boolean = true, $input: ApplicationClaimInput!) {
        applicationClaim(input: $input) { ... on Application { id @skip(if: $x) stage } } }"""
    read = schema.documents.read(document, schema._schema, database)
    variables = {"x": None, "input": {"applicationId": f"Application_{case.id}"}}
    context = context_for(local.viewer, now=await database_now())

    by_plan = await schema.plans.change(read.node, read.operation(None).node, variables, context)
    result = await schema.execute(document, variable_values=variables, context_value=context)

    assert (by_plan, context.settled) == (None, None)
    assert "$x" in (result.errors or [])[0].message
