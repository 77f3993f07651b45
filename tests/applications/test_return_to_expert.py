from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain.actions import attachments, profiles
from domain.actions.reviews import Seen, return_to_expert
from domain.rules import profile_input as given
from domain.rules.errors import InvalidInput, NotFound
from domain.rules.messages import Language
from models.applications import Application, ApplicationRecord
from models.enums import FilePurpose, Move, RevisionState, Role, SmsTemplate, Stage
from models.experts import Expert
from models.profiles import Revision, TitleEntry
from tests.cases import approve, case_at, complete_profile, contents_of, everything_about, messages_about, submit, submitted_case
from tests.graphql import answer_at, both
from tests.people import SignedIn, officer, provincial_officer, registered_expert
from tests.profiles.kept import some_image

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
REASON = ("titles.0.certificate", "图片不清晰，请重新扫描")


async def send_back(case: Application, who: SignedIn, *, opinion: str = "请补充材料", reasons: Any = (REASON,)) -> Application:
    return await return_to_expert(
        case.id, opinion=opinion, reasons=reasons, seen=Seen(case.stage, case.round), viewer=who.viewer, now=MONDAY
    )


@pytest.mark.parametrize("stage", [Stage.FIRST_REVIEW, Stage.SECOND_REVIEW, Stage.FINAL_REVIEW])
async def test_every_review_can_send_a_case_back_to_the_expert(database: object, stage: Stage) -> None:
    person, case = await case_at(stage)
    who = await officer() if stage is Stage.FIRST_REVIEW else await provincial_officer()

    returned = await send_back(case, who)

    kept = await Application.get(id=case.id)
    assert (returned.stage, kept.stage, kept.stage_since, kept.round) == (Stage.RETURNED, Stage.RETURNED, MONDAY, 1)
    assert [kept.closed_at, kept.due_at, kept.claimed_by_id] == [None, None, None]
    assert kept.revision_id == case.revision_id
    assert (await Revision.get(id=case.revision_id)).state is RevisionState.NOT_ADOPTED
    [message] = await messages_about(case.id)
    assert (message.template, message.account_id, message.parameters) == (SmsTemplate.RETURNED, person.account.id, {})


async def test_the_return_is_on_record_with_its_reasons(database: object) -> None:
    _, case = await submitted_case()
    local = await officer(name="李初审")

    await send_back(case, local, opinion="请补充材料", reasons=[REASON, (" basicInfo.address ", "地址不完整\n请写到门牌号")])

    record = await ApplicationRecord.get(application_id=case.id, number=2)
    assert (record.move, record.from_stage, record.to_stage) == (Move.RETURN, Stage.FIRST_REVIEW, Stage.RETURNED)
    assert (record.actor_name, record.actor_role, record.opinion) == ("李初审", Role.LOCAL_OFFICER, "请补充材料")
    assert record.field_reasons == [
        {"path": "titles.0.certificate", "text": "图片不清晰，请重新扫描"},
        {"path": "basicInfo.address", "text": "地址不完整\n请写到门牌号"},
    ]


async def test_the_draft_opens_again_with_what_was_submitted(now: datetime) -> None:
    person, case = await submitted_case()
    submitted = await contents_of(case.revision_id)

    await send_back(case, await officer())

    expert = await Expert.get(id=person.viewer.expert_id)
    draft = await Revision.get(id=expert.draft_id)
    assert (draft.number, draft.base_id, draft.state) == (2, case.revision_id, RevisionState.DRAFT)
    assert await contents_of(draft.id) == submitted
    await profiles.save_basic_info(given.BasicInfo(address="吉林省长春市南关区人民大街 2 号"), viewer=person.viewer, now=now)
    assert await contents_of(case.revision_id) == submitted


async def test_after_a_return_from_the_province_every_review_starts_again(database: object) -> None:
    person, case = await case_at(Stage.FINAL_REVIEW)
    await send_back(case, await provincial_officer())

    again = await submit(person.viewer)
    local, second, final = await officer(), await provincial_officer(), await provincial_officer()
    passed = [(await approve(case.id, who.viewer)).stage for who in (local, second, final)]

    assert [again.stage, *passed] == [Stage.FIRST_REVIEW, Stage.SECOND_REVIEW, Stage.FINAL_REVIEW, Stage.PUBLICITY]
    rounds = await ApplicationRecord.filter(application_id=case.id).order_by("number").values_list("round", "move", "from_stage")
    assert [(number, move.value, stage.value) for number, move, stage in rounds] == [
        (1, "SUBMIT", "DRAFT"),
        (1, "APPROVE", "FIRST_REVIEW"),
        (1, "APPROVE", "SECOND_REVIEW"),
        (1, "RETURN", "FINAL_REVIEW"),
        (2, "SUBMIT", "RETURNED"),
        (2, "APPROVE", "FIRST_REVIEW"),
        (2, "APPROVE", "SECOND_REVIEW"),
        (2, "APPROVE", "FINAL_REVIEW"),
    ]


@pytest.mark.parametrize(
    ("opinion", "reasons", "problems"),
    [
        ("", [REASON], [("opinion", "TEXT_EMPTY")]),
        (" \n ", [REASON], [("opinion", "TEXT_EMPTY")]),
        ("字" * 1001, [REASON], [("opinion", "TEXT_LENGTH")]),
        ("请补充", [], [("reasons", "REASONS_REQUIRED")]),
        ("请补充", [REASON] * 51, [("reasons", "TOO_MANY")]),
        ("请补充", [("", "看不清")], [("reasons.0.path", "TEXT_EMPTY")]),
        ("请补充", [REASON, ("titles", " ")], [("reasons.1.text", "TEXT_EMPTY")]),
        ("请补充", [REASON, ("titles.0.nothing", "看不清")], [("reasons.1.path", "PATH_UNKNOWN")]),
        ("请补充", [("x" * 101, "字" * 501)], [("reasons.0.path", "TEXT_LENGTH"), ("reasons.0.text", "TEXT_LENGTH")]),
        ("\x07", [], [("opinion", "TEXT_CHARACTERS"), ("reasons", "REASONS_REQUIRED")]),
    ],
)
async def test_a_return_without_text_and_reasons_is_refused_and_nothing_changes(
    database: object, opinion: str, reasons: list[tuple[str, str]], problems: list[tuple[str, str]]
) -> None:
    _, case = await submitted_case()
    before = await everything_about(case.id)

    with pytest.raises(InvalidInput) as refusal:
        await send_back(case, await officer(), opinion=opinion, reasons=reasons)

    assert [(each.path, each.code) for each in refusal.value.problems] == problems
    assert await everything_about(case.id) == before


LISTS = {  # what complete_profile puts into each, the present employer first among the avoidance units
    "evaluationInfo.specialties": 2,
    "evaluationInfo.avoidanceUnits": 2,
    "education": 1,
    "titles": 1,
    "workHistory": 1,
    "qualifications": 0,
    "otherMaterials": 1,
}


async def test_a_reason_names_an_entry_that_the_submitted_profile_has(now: datetime) -> None:
    _, case = await submitted_case()
    local, before = await officer(), await everything_about(case.id)
    beyond = [(f"{section}.{length}", "缺") for section, length in LISTS.items()]

    with pytest.raises(InvalidInput) as refusal:
        await send_back(case, local, reasons=[REASON, *beyond, ("titles.4.certificate", "缺")])

    assert [(each.path, each.code, each.facts["count"]) for each in refusal.value.problems] == [
        *((f"reasons.{number}.path", "ENTRY_UNKNOWN", length) for number, length in enumerate(LISTS.values(), start=1)),
        ("reasons.8.path", "ENTRY_UNKNOWN", 1),
    ]
    assert await everything_about(case.id) == before
    last = [(f"{section}.{length - 1}", "缺") for section, length in LISTS.items() if length]
    assert (await send_back(case, local, reasons=last)).stage is Stage.RETURNED


async def test_whether_a_case_is_there_is_not_told_by_the_reasons(database: object) -> None:
    _, case = await submitted_case()

    with pytest.raises(NotFound):
        await send_back(case, await officer("220299"), reasons=[("titles.4", "缺")])


REASONS = """query ($id: ID!) { application(id: $id) { records { fieldReasons { path text entryId label } } expert { draftProfile {
    titles { id entryId titleCode } education { entryId } workHistory { entryId } qualifications { entryId } otherMaterials { entryId }
    evaluationInfo { specialties { entryId } avoidanceUnits { entryId name } } } } } }"""


async def test_a_reason_leads_to_its_entry_also_when_another_before_it_was_removed(now: datetime) -> None:
    person = await registered_expert()
    await complete_profile(person.viewer)
    second = given.TitleInput(title_code="T01013", certificate_number="ZC2", obtained_on=date(2015, 12, 1), issuer="吉林省人社厅")
    kept = await profiles.save_title(second, viewer=person.viewer, now=now)
    image = await some_image(person.viewer, FilePurpose.TITLE)
    await attachments.attach_file(image.id, entry=kept.id, viewer=person.viewer, now=now)
    case = await submit(person.viewer)
    listed = [*((f"{section}.{length - 1}", "缺") for section, length in LISTS.items() if length), ("titles.1.certificate", "看不清")]
    listed += [("evaluationInfo.avoidanceUnits.0", "缺"), ("titles", "缺"), ("basicInfo.employer", "缺")]
    await send_back(case, await officer(), reasons=listed)
    draft = await Revision.get(expert_id=person.viewer.expert_id, state=RevisionState.DRAFT)
    first = await TitleEntry.filter(revision_id=draft.pk).order_by("position", "id").first()
    assert first is not None
    await profiles.remove_title(first.id, viewer=person.viewer, now=now)

    told = (await both(REASONS, person.viewer, id=f"Application_{case.id}"))["application"]

    found, now_in_draft = {each["path"]: each["entryId"] for each in told["records"][1]["fieldReasons"]}, told["expert"]["draftProfile"]
    units = now_in_draft["evaluationInfo"]["avoidanceUnits"]
    assert [each["name"] for each in units] == ["吉林大学", "长春某公司"]
    assert found == {
        "evaluationInfo.specialties.1": now_in_draft["evaluationInfo"]["specialties"][1]["entryId"],
        "evaluationInfo.avoidanceUnits.1": units[1]["entryId"],
        "education.0": now_in_draft["education"][0]["entryId"],
        "titles.0": str(first.entry_id),
        "workHistory.0": now_in_draft["workHistory"][0]["entryId"],
        "otherMaterials.0": now_in_draft["otherMaterials"][0]["entryId"],
        "titles.1.certificate": now_in_draft["titles"][0]["entryId"],
        "evaluationInfo.avoidanceUnits.0": None,
        "titles": None,
        "basicInfo.employer": None,
    }
    assert (units[0]["entryId"], now_in_draft["titles"][0]["titleCode"]) == (None, "T01013")
    assert None not in (units[1]["entryId"], found["titles.1.certificate"])


@pytest.mark.parametrize(
    ("language", "labels"),
    [("zh", ["职称第 1 项：证书图片", "通讯地址", "职称"]), ("en", ["title 1: image of the certificate", "address", "title"])],
)
async def test_a_reason_says_its_field_in_the_language_of_the_client(now: datetime, language: Language, labels: list[str]) -> None:
    person, case = await submitted_case()
    await send_back(case, await officer(), reasons=[REASON, ("basicInfo.address", "不完整"), ("titles", "缺")])

    told = await answer_at(now, REASONS, person.viewer, id=f"Application_{case.id}", language=language)

    assert [each["label"] for each in told["application"]["records"][1]["fieldReasons"]] == labels


async def test_fifty_reasons_are_not_too_many(database: object) -> None:
    _, case = await submitted_case()

    await send_back(case, await officer(), reasons=[REASON] * 50)

    assert len((await ApplicationRecord.get(application_id=case.id, number=2)).field_reasons) == 50
