from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.rules.errors import Invalid, TooSoon
from domain.rules.objections import Raised, check_raising, settlement, settling_move
from domain.rules.phone_codes import Sent
from models.enums import Move, Stage

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)

# stage, upheld, others open → move; every other combination moves nothing
MOVES = {
    (Stage.PUBLICITY, True, False): Move.UPHOLD_OBJECTION,
    (Stage.PUBLICITY, True, True): Move.UPHOLD_OBJECTION,
    (Stage.OBJECTION, True, False): Move.UPHOLD_OBJECTION,
    (Stage.OBJECTION, True, True): Move.UPHOLD_OBJECTION,
    (Stage.OBJECTION, False, False): Move.DISMISS_OBJECTIONS,
}


@pytest.mark.parametrize("others_open", [True, False])
@pytest.mark.parametrize("upheld", [True, False])
@pytest.mark.parametrize("stage", Stage)
def test_settling_an_objection_moves_the_case_as_the_table_says(stage: Stage, upheld: bool, others_open: bool) -> None:
    assert settling_move(stage, upheld=upheld, others_open=others_open) is MOVES.get((stage, upheld, others_open))


@pytest.mark.parametrize(
    ("phone", "address", "seconds"),
    [
        (Sent(), Sent(), None),
        (Sent(1, NOW - timedelta(hours=1)), Sent(2, NOW - timedelta(hours=1)), None),
        (Sent(2, NOW - timedelta(hours=1)), Sent(2, NOW - timedelta(hours=1)), 23 * 3600),
        (Sent(), Sent(3, NOW - timedelta(hours=23)), 3600),
        (Sent(2, NOW - timedelta(hours=20)), Sent(3, NOW - timedelta(hours=23)), 4 * 3600),
    ],
)
def test_objections_are_limited_by_phone_and_by_address(phone: Sent, address: Sent, seconds: int | None) -> None:
    refused = None
    try:
        check_raising(Raised(phone, address), now=NOW, per_phone=2, per_address=3)
    except TooSoon as refusal:
        refused = refusal.retry_after_seconds

    assert refused == seconds


@pytest.mark.parametrize("text", ["来电 13812345678 反映不实", "138 1234 5678", "１３８-1234-5678 已核实"])
def test_reasons_that_tell_the_objectors_phone_are_refused(text: str) -> None:
    with pytest.raises(Invalid) as refusal:
        settlement(text, phone="+8613812345678")

    assert refusal.value.code == "NAMES_OBJECTOR"


def test_other_reasons_are_kept() -> None:
    assert settlement(" 经核查，所反映的问题不属实。 ", phone="+8613812345678") == "经核查，所反映的问题不属实。"


def test_of_an_objector_who_was_forgotten_reasons_can_name_nothing() -> None:
    assert settlement("经核查，所反映的问题不属实。", phone="") == "经核查，所反映的问题不属实。"
