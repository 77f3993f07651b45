from __future__ import annotations

from datetime import UTC, date, datetime

import pytest

from domain.actions.reviews import Seen, approve, claim
from domain.rules.errors import InvalidInput
from models.applications import Application, ApplicationRecord
from models.enums import Move, NoticeState, RevisionState, Role, SmsTemplate, Stage, Standing
from models.experts import Expert
from models.profiles import Revision
from models.publicity import PublicNotice
from tests.cases import case_at, everything_about, messages_about, submitted_case
from tests.people import officer, provincial_officer

MONDAY = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
BEFORE_THE_NATIONAL_DAY = datetime(2026, 9, 30, 17, 30, tzinfo=UTC)  # 1 October, 1:30, in Shanghai


async def test_a_first_review_passes_the_case_on_to_the_province(database: object) -> None:
    _, case = await submitted_case()
    local = await officer()

    passed = await approve(case.id, opinion="同意", seen=Seen(Stage.FIRST_REVIEW, 1), viewer=local.viewer, now=MONDAY)

    kept = await Application.get(id=case.id)
    assert (passed.stage, kept.stage, kept.stage_since, kept.closed_at) == (Stage.SECOND_REVIEW, Stage.SECOND_REVIEW, MONDAY, None)
    assert (kept.revision_id, kept.round, kept.submitted_at) == (case.revision_id, 1, case.submitted_at)
    assert (await Revision.get(id=case.revision_id)).state is RevisionState.FROZEN
    assert await messages_about(case.id) == []


async def test_the_approval_is_on_record(database: object) -> None:
    _, case = await submitted_case()
    local = await officer(name="李初审")

    await approve(case.id, opinion="  同意。\r\n材料齐全 ", seen=Seen(Stage.FIRST_REVIEW, 1), viewer=local.viewer, now=MONDAY)

    record = await ApplicationRecord.get(application_id=case.id, number=2)
    assert (record.round, record.at, record.move) == (1, MONDAY, Move.APPROVE)
    assert (record.from_stage, record.to_stage, record.revision_id) == (Stage.FIRST_REVIEW, Stage.SECOND_REVIEW, case.revision_id)
    assert (record.actor_id, record.actor_name, record.actor_role) == (local.account.id, "李初审", Role.LOCAL_OFFICER)
    assert [record.opinion, record.reject_reason, record.field_reasons] == ["同意。\n材料齐全", None, []]
    assert record.previous_hash == case.last_hash


@pytest.mark.parametrize("opinion", [None, "", "   \n "])
async def test_the_opinion_may_be_left_out(database: object, opinion: str | None) -> None:
    _, case = await submitted_case()

    await approve(case.id, opinion=opinion, seen=Seen(Stage.FIRST_REVIEW), viewer=(await officer()).viewer, now=MONDAY)

    assert (await ApplicationRecord.get(application_id=case.id, number=2)).opinion is None


@pytest.mark.parametrize(("opinion", "code"), [("字" * 1001, "TEXT_LENGTH"), ("同意\x00", "TEXT_CHARACTERS")])
async def test_an_opinion_that_cannot_be_kept_is_refused_and_nothing_changes(database: object, opinion: str, code: str) -> None:
    _, case = await submitted_case()
    before = await everything_about(case.id)

    with pytest.raises(InvalidInput) as refusal:
        await approve(case.id, opinion=opinion, seen=Seen(Stage.FIRST_REVIEW), viewer=(await officer()).viewer, now=MONDAY)

    assert [(each.path, each.code) for each in refusal.value.problems] == [("opinion", code)]
    assert await everything_about(case.id) == before


@pytest.mark.parametrize(
    ("now", "due"),
    [
        (MONDAY, datetime(2026, 3, 9, 16, tzinfo=UTC)),  # 24:00 in Shanghai of the fifth working day after
        (BEFORE_THE_NATIONAL_DAY, datetime(2026, 10, 13, 16, tzinfo=UTC)),  # 8, 9, 10 (worked Saturday), 12, 13
    ],
)
async def test_the_next_office_has_five_working_days(database: object, now: datetime, due: datetime) -> None:
    _, case = await submitted_case()

    passed = await approve(case.id, opinion=None, seen=Seen(Stage.FIRST_REVIEW), viewer=(await officer()).viewer, now=now)

    assert (await Application.get(id=case.id)).due_at == passed.due_at == due


async def test_a_claim_ends_with_the_decision(now: datetime) -> None:
    _, case = await submitted_case()
    local = await officer()
    await claim(case.id, viewer=local.viewer, now=now)

    await approve(case.id, opinion=None, seen=Seen(Stage.FIRST_REVIEW), viewer=local.viewer, now=now)

    kept = await Application.get(id=case.id)
    assert [kept.claimed_by_id, kept.claimed_by_name, kept.claimed_until] == [None, None, None]


async def test_a_second_review_passes_the_case_on_to_the_final_one(database: object) -> None:
    _, case = await case_at(Stage.SECOND_REVIEW)

    passed = await approve(case.id, opinion=None, seen=Seen(Stage.SECOND_REVIEW, 1), viewer=(await provincial_officer()).viewer, now=MONDAY)

    assert (passed.stage, passed.due_at) == (Stage.FINAL_REVIEW, datetime(2026, 3, 9, 16, tzinfo=UTC))
    assert await messages_about(case.id) == []


async def test_a_final_approval_puts_an_admission_before_the_public(database: object) -> None:
    person, case = await case_at(Stage.FINAL_REVIEW)

    passed = await approve(
        case.id, opinion="同意", seen=Seen(Stage.FINAL_REVIEW, 1), viewer=(await provincial_officer()).viewer, now=MONDAY
    )

    assert (passed.stage, passed.due_at, passed.closed_at) == (Stage.PUBLICITY, None, None)
    notice = await PublicNotice.get(application_id=case.id)
    assert (notice.state, notice.opened_at, notice.closes_at) == (NoticeState.OPEN, MONDAY, datetime(2026, 3, 9, 16, tzinfo=UTC))
    expert = await Expert.get(id=person.viewer.expert_id)
    assert [expert.standing, expert.number, expert.effective_id] == [Standing.TEMPORARY, None, None]
    [message] = await messages_about(case.id)
    assert (message.template, message.account_id) == (SmsTemplate.NOTICE_OPENED, person.account.id)
    assert message.parameters == {"first_day": date(2026, 3, 3).isoformat(), "last_day": date(2026, 3, 9).isoformat()}
