"""The doors of cases: what a client sends and what it is told, in its language."""

from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest

from domain.actions import profiles, reviews
from domain.rules import profile_input as given
from domain.rules.errors import Refusal
from domain.rules.messages import Language
from domain.rules.viewer import Viewer
from models.applications import Application
from models.database import database_now
from models.enums import Move, RejectReason, Stage
from schema.root import schema
from tests.cases import approve, case_at, complete_profile, draft_case, everything_about, submitted_case, undone
from tests.graphql import answer_at, context_for
from tests.people import SignedIn, officer, provincial_officer, registered_expert

TOLD = """__typename
    ... on Application { id stage round claim { holder mine } availableMoves }
    ... on Problem { code message }
"""
MORE = {
    "Incomplete": "missing { path code message }",
    "InvalidInput": "fields { path code message }",
    "IllegalMove": "stage availableMoves",
    "AlreadyReviewed": "stage",
    "ClaimedByAnother": "holder until",
}


async def ask(name: str, case: Application | str, who: SignedIn | None, *, language: Language = "zh", **given: Any) -> Any:
    """The answer of a mutation of cases."""
    members = {each.name for each in schema._schema.type_map[f"{name[0].upper()}{name[1:]}Result"].types}  # type: ignore[attr-defined]
    told = TOLD + " ".join(f"... on {kind} {{ {fields} }}" for kind, fields in MORE.items() if kind in members)
    document = f"mutation ($input: {name[0].upper()}{name[1:]}Input!) {{ {name}(input: $input) {{ {told} }} }}"
    given["applicationId"] = case if isinstance(case, str) else f"Application_{case.id}"
    context = context_for(who.viewer if who else None, now=await database_now(), language=language)
    result = await schema.execute(document, variable_values={"input": given}, context_value=context)
    assert result.errors is None, result.errors
    assert result.data is not None
    return result.data[name]


ACCEPTED: dict[str, Any] = {"commitmentAccepted": True, "avoidanceAccepted": True}


async def test_a_case_goes_through_its_doors_from_draft_to_public_notice(now: datetime) -> None:
    person = await registered_expert()
    await complete_profile(person.viewer)
    case = await draft_case(person.viewer)
    local, second, final = await officer(name="李初审"), await provincial_officer(), await provincial_officer()

    steps = [
        await ask("applicationSubmit", case, person, **ACCEPTED),
        await ask("applicationWithdraw", case, person),
    ]
    case = await draft_case(person.viewer)
    steps += [
        await ask("applicationSubmit", case, person, **ACCEPTED),
        await ask("applicationClaim", case, local),
        await ask("applicationRelease", case, local),
        await ask("applicationReturn", case, local, stage="FIRST_REVIEW", opinion="请补充", reasons=[{"path": "titles", "text": "缺"}]),
        await ask("applicationSubmit", case, person, **ACCEPTED),
        await ask("applicationApprove", case, local, stage="FIRST_REVIEW", round=2, opinion="同意"),
        await ask("applicationApprove", case, second, stage="SECOND_REVIEW"),
        await ask("applicationApprove", case, final, stage="FINAL_REVIEW"),
    ]

    assert [(each["__typename"], each["stage"], each["round"]) for each in steps] == [
        ("Application", "FIRST_REVIEW", 1),
        ("Application", "WITHDRAWN", 1),
        ("Application", "FIRST_REVIEW", 1),
        ("Application", "FIRST_REVIEW", 1),
        ("Application", "FIRST_REVIEW", 1),
        ("Application", "RETURNED", 1),
        ("Application", "FIRST_REVIEW", 2),
        ("Application", "SECOND_REVIEW", 2),
        ("Application", "FINAL_REVIEW", 2),
        ("Application", "PUBLICITY", 2),
    ]
    assert steps[0]["availableMoves"] == ["WITHDRAW"]
    assert steps[3]["claim"] == {"holder": "李初审", "mine": True}
    assert steps[3]["availableMoves"] == ["APPROVE", "RETURN", "REJECT"]
    assert steps[4]["claim"] is None


async def test_a_rejection_closes_the_case(now: datetime) -> None:
    _, case = await submitted_case()

    answer = await ask("applicationReject", case, await officer(), stage="FIRST_REVIEW", reason="BAD_RECORD", opinion="有不良记录")

    assert (answer["__typename"], answer["stage"], answer["availableMoves"]) == ("Application", "REJECTED", [])


@pytest.mark.parametrize(
    ("language", "message"),
    [("zh", "此项为必填；请填写。"), ("en", "This is required; fill it in.")],
)
async def test_what_is_missing_is_listed_in_the_language_of_the_client(now: datetime, language: Language, message: str) -> None:
    person = await registered_expert()
    await complete_profile(person.viewer)
    await profiles.save_basic_info(given.BasicInfo(health=None, address=None), viewer=person.viewer, now=now)
    case = await draft_case(person.viewer)
    before = await everything_about(case.id)

    answer = await ask("applicationSubmit", case, person, language=language, **ACCEPTED)

    assert (answer["__typename"], answer["code"]) == ("Incomplete", "INCOMPLETE")
    assert [(each["path"], each["code"]) for each in answer["missing"]] == [
        ("basicInfo.health", "REQUIRED"),
        ("basicInfo.address", "REQUIRED"),
    ]
    assert {each["message"] for each in answer["missing"]} == {message}
    assert await everything_about(case.id) == before


async def test_each_problem_tells_its_own_facts(now: datetime) -> None:
    person, case = await submitted_case()
    local, other = await officer(name="李初审"), await officer()

    declared = await ask("applicationSubmit", case, person, commitmentAccepted=False, avoidanceAccepted=True)
    again = await ask("applicationSubmit", case, person, **ACCEPTED)
    early = await ask("applicationApprove", case, await provincial_officer(), stage="FIRST_REVIEW")
    past = await ask("applicationApprove", case, local, stage="SECOND_REVIEW")
    empty = await ask("applicationReturn", case, local, stage="FIRST_REVIEW", opinion=" ", reasons=[])
    await ask("applicationClaim", case, local)
    held = await ask("applicationClaim", case, other)
    until = (await Application.get(id=case.id)).claimed_until
    assert until is not None

    # A case that does not allow the move is told before anything about the declarations.
    for answer in (declared, again):
        assert (answer["__typename"], answer["stage"], answer["availableMoves"]) == ("IllegalMove", "FIRST_REVIEW", ["WITHDRAW"])
    assert (early["__typename"], early["code"]) == ("NotAllowed", "OTHER_OFFICE_DECIDES")
    assert (past["__typename"], past["code"], past["stage"]) == ("AlreadyReviewed", "ALREADY_REVIEWED", "FIRST_REVIEW")
    assert [(each["path"], each["code"]) for each in empty["fields"]] == [("opinion", "TEXT_EMPTY"), ("reasons", "REASONS_REQUIRED")]
    assert (held["__typename"], held["holder"], held["until"]) == (
        "ClaimedByAnother",
        "李初审",
        until.isoformat(timespec="microseconds"),
    )
    for answer in (declared, again, early, past, empty, held):
        assert any("\u4e00" <= sign <= "\u9fff" for sign in answer["message"]), answer


@pytest.mark.parametrize(
    "name",
    ["applicationSubmit", "applicationWithdraw", "applicationClaim", "applicationRelease", "applicationApprove"],
)
@pytest.mark.parametrize("bad", ["", "Application", "Application_1", "Expert_01a20548-d384-77b3-a3e3-30dac232e242", "x" * 5000])
async def test_an_id_that_is_none_is_answered_as_a_case_that_is_not_there(now: datetime, name: str, bad: str) -> None:
    more: dict[str, Any] = ACCEPTED if name == "applicationSubmit" else {"stage": "FIRST_REVIEW"} if name == "applicationApprove" else {}

    for who in (await officer(), await registered_expert()):
        answer = await ask(name, bad, who, **more)
        assert answer == {"__typename": "NotFound", "code": "NOT_FOUND", "message": "未找到，或您无权查看。请核对后重试。"}


async def test_signed_out_nothing_is_told_of_a_case(now: datetime) -> None:
    _, case = await submitted_case()

    assert (await ask("applicationClaim", case, None))["__typename"] == "NotSignedIn"
    assert (await ask("applicationClaim", "nonsense", None))["__typename"] in ("NotSignedIn", "NotFound")


# Buttons


async def attempt(how: Move, case: Application, viewer: Viewer, now: datetime) -> bool:
    """Whether the move is carried out; taken back in any case."""
    seen = reviews.Seen(case.stage, case.round)
    done = False
    async with undone():
        try:
            match how:
                case Move.APPROVE:
                    await reviews.approve(case.id, opinion=None, seen=seen, viewer=viewer, now=now)
                case Move.RETURN:
                    await reviews.return_to_expert(case.id, opinion="补充", reasons=[("titles", "缺")], seen=seen, viewer=viewer, now=now)
                case Move.REJECT:
                    await reviews.reject(case.id, reason=RejectReason.OTHER, opinion="否", seen=seen, viewer=viewer, now=now)
            done = True
        except Refusal:
            pass
    return done


@pytest.mark.parametrize(
    ("stage", "decisions"),
    [
        # local, another local, who decided the second review, another of the province; then the same while one of them holds the case
        (Stage.FIRST_REVIEW, [3, 3, 0, 0, 3, 0, 0, 0]),
        (Stage.SECOND_REVIEW, [0, 0, 3, 3, 0, 0, 0, 3]),
        (Stage.FINAL_REVIEW, [0, 0, 0, 3, 0, 0, 0, 3]),
        (Stage.PUBLICITY, [0] * 8),
        (Stage.RETURNED, [0] * 8),
        (Stage.REJECTED, [0] * 8),
    ],
)
async def test_officers_are_shown_the_buttons_of_what_they_can_do_and_no_others(now: datetime, stage: Stage, decisions: list[int]) -> None:
    local, first, second = await officer(), await provincial_officer(), await provincial_officer()
    _, case = await case_at(stage if stage is not Stage.FINAL_REVIEW else Stage.SECOND_REVIEW)
    if stage is Stage.FINAL_REVIEW:
        case = await approve(case.id, first.viewer)
    document = "query ($id: ID!) { application(id: $id) { availableMoves } }"
    holder = {Stage.FIRST_REVIEW: local, Stage.SECOND_REVIEW: second, Stage.FINAL_REVIEW: second}.get(stage)
    found = []

    for claimed in (False, True):
        if claimed and holder is not None:
            await reviews.claim(case.id, viewer=holder.viewer, now=now)
        for who in (local, await officer(), first, second):
            shown = (await answer_at(now, document, who.viewer, id=f"Application_{case.id}"))["application"]["availableMoves"]
            carried_out = [how.value for how in (Move.APPROVE, Move.RETURN, Move.REJECT) if await attempt(how, case, who.viewer, now)]
            assert [each for each in shown if each != "UPHOLD_OBJECTION"] == carried_out
            found.append(len(carried_out))

    assert found == decisions
