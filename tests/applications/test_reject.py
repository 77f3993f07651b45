from __future__ import annotations

from datetime import UTC, datetime

import pytest

from domain.actions import profiles
from domain.actions.reviews import Seen, reject
from domain.rules import profile_input as given
from domain.rules.errors import InvalidInput
from models.applications import Application, ApplicationRecord
from models.enums import Move, RejectReason, RevisionState, Role, SmsTemplate, Stage, Standing
from models.experts import Expert
from models.profiles import Revision
from tests.cases import case_at, contents_of, draft_case, everything_about, messages_about, submitted_case
from tests.people import officer, provincial_officer

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)


@pytest.mark.parametrize("stage", [Stage.FIRST_REVIEW, Stage.SECOND_REVIEW, Stage.FINAL_REVIEW])
async def test_every_review_can_refuse_a_case_for_good(database: object, stage: Stage) -> None:
    person, case = await case_at(stage)
    who = await officer() if stage is Stage.FIRST_REVIEW else await provincial_officer()

    refused = await reject(
        case.id, reason=RejectReason.BAD_RECORD, opinion="三年内有不良记录", seen=Seen(stage, 1), viewer=who.viewer, now=MONDAY
    )

    kept = await Application.get(id=case.id)
    assert (refused.stage, kept.stage, kept.stage_since, kept.closed_at) == (Stage.REJECTED, Stage.REJECTED, MONDAY, MONDAY)
    assert [kept.due_at, kept.claimed_by_id] == [None, None]
    assert (await Revision.get(id=case.revision_id)).state is RevisionState.NOT_ADOPTED
    expert = await Expert.get(id=person.viewer.expert_id)
    assert [expert.standing, expert.draft_id, expert.effective_id] == [Standing.TEMPORARY, None, None]
    [message] = await messages_about(case.id)
    assert (message.template, message.account_id, message.parameters) == (SmsTemplate.REJECTED, person.account.id, {})


async def test_the_rejection_is_on_record_with_its_reason(database: object) -> None:
    _, case = await case_at(Stage.SECOND_REVIEW)
    who = await provincial_officer(name="王复审")

    await reject(case.id, reason=RejectReason.OTHER, opinion="见附件", seen=Seen(Stage.SECOND_REVIEW), viewer=who.viewer, now=MONDAY)

    record = await ApplicationRecord.get(application_id=case.id, number=3)
    assert (record.move, record.from_stage, record.to_stage) == (Move.REJECT, Stage.SECOND_REVIEW, Stage.REJECTED)
    assert (record.actor_name, record.actor_role) == ("王复审", Role.PROVINCIAL_OFFICER)
    assert [record.opinion, record.reject_reason, record.field_reasons] == ["见附件", RejectReason.OTHER, []]


async def test_whoever_was_refused_can_begin_another_case_with_the_same_profile(now: datetime) -> None:
    person, case = await case_at(Stage.REJECTED)
    refused = await contents_of(case.revision_id)

    await profiles.save_basic_info(given.BasicInfo(), viewer=person.viewer, now=now)

    opened = await draft_case(person.viewer)
    expert = await Expert.get(id=person.viewer.expert_id)
    assert opened.id != case.id
    assert (opened.stage, opened.round) == (Stage.DRAFT, 0)
    kept = await contents_of(expert.draft_id)
    assert {name: rows for name, rows in kept.items() if name != "Revision"} == {
        name: rows for name, rows in refused.items() if name != "Revision"
    }
    assert (await Application.get(id=case.id)).stage is Stage.REJECTED


@pytest.mark.parametrize(("opinion", "code"), [("", "TEXT_EMPTY"), ("  ", "TEXT_EMPTY"), ("字" * 1001, "TEXT_LENGTH")])
async def test_a_rejection_without_a_text_is_refused_and_nothing_changes(database: object, opinion: str, code: str) -> None:
    _, case = await submitted_case()
    before = await everything_about(case.id)

    with pytest.raises(InvalidInput) as refusal:
        await reject(
            case.id,
            reason=RejectReason.NOT_ELIGIBLE,
            opinion=opinion,
            seen=Seen(Stage.FIRST_REVIEW),
            viewer=(await officer()).viewer,
            now=MONDAY,
        )

    assert [(each.path, each.code) for each in refusal.value.problems] == [("opinion", code)]
    assert await everything_about(case.id) == before
