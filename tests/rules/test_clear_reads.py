from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import product
from uuid import UUID, uuid4

import pytest

from domain.rules.clear_reads import check_in_hands, check_rate, written
from domain.rules.errors import ClaimedByAnother, NotAllowed, TooSoon
from domain.rules.phone_codes import Sent
from domain.rules.policy import CaseFacts
from domain.rules.viewer import Viewer
from models.enums import CaseKind, PersonalField, Role, Stage

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
OWN, OTHER = "220199", "220299"


def case(stage: Stage, *, claimed_by: UUID | None = None, until: datetime | None = None) -> CaseFacts:
    return CaseFacts(
        kind=CaseKind.ADMISSION, stage=stage, round=1, expert_id=uuid4(), pool_code=OWN, claimed_by_id=claimed_by, claimed_until=until
    )


def viewer(role: Role, pool: str | None = None) -> Viewer:
    return Viewer(account_id=uuid4(), session_id=uuid4(), role=role, name="某某", pool_code=pool)


def may(stage: Stage, who: Viewer) -> bool:
    try:
        check_in_hands(case(stage), who, holder="", now=NOW)
    except NotAllowed:
        return False
    return True


VIEWERS = {
    "office": viewer(Role.LOCAL_OFFICER, OWN),
    "elsewhere": viewer(Role.LOCAL_OFFICER, OTHER),
    "province": viewer(Role.PROVINCIAL_OFFICER),
    "administrator": viewer(Role.ADMINISTRATOR),
    "expert": viewer(Role.EXPERT),
}


def test_data_are_clear_for_the_office_that_has_the_case_and_for_nobody_once_it_is_closed() -> None:
    allowed = {(stage, who) for stage, who in product(Stage, VIEWERS) if may(stage, VIEWERS[who])}

    assert allowed == {
        (Stage.FIRST_REVIEW, "office"),
        (Stage.SECOND_REVIEW, "province"),
        (Stage.FINAL_REVIEW, "province"),
        (Stage.PUBLICITY, "province"),
        (Stage.OBJECTION, "province"),
    }


def test_a_colleague_s_claim_keeps_others_from_looking_until_it_ends() -> None:
    held = case(Stage.FIRST_REVIEW, claimed_by=uuid4(), until=NOW + timedelta(seconds=1))
    over = case(Stage.FIRST_REVIEW, claimed_by=uuid4(), until=NOW)
    own = case(Stage.FIRST_REVIEW, claimed_by=VIEWERS["office"].account_id, until=NOW + timedelta(minutes=5))

    with pytest.raises(ClaimedByAnother) as refused:
        check_in_hands(held, VIEWERS["office"], holder="李同事", now=NOW)
    check_in_hands(over, VIEWERS["office"], holder="", now=NOW)
    check_in_hands(own, VIEWERS["office"], holder="", now=NOW)

    assert (refused.value.holder, refused.value.until) == ("李同事", NOW + timedelta(seconds=1))


def test_so_many_looks_an_hour_and_then_a_pause_until_the_oldest_is_an_hour_old() -> None:
    oldest = NOW - timedelta(minutes=50, milliseconds=1)

    check_rate(Sent(), most=2, now=NOW)
    check_rate(Sent(1, oldest, oldest), most=2, now=NOW)
    with pytest.raises(TooSoon) as refused:
        check_rate(Sent(2, oldest, NOW), most=2, now=NOW)

    assert refused.value.retry_after_seconds == 600


def test_a_look_is_written_in_the_order_of_the_vocabulary_and_fits_its_column() -> None:
    assert written({PersonalField.PHONE, PersonalField.ID_NUMBER}) == "ID_NUMBER,PHONE"
    assert len(written(set(PersonalField))) <= 100
