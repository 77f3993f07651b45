from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise

import pytest

from domain.rules.errors import TooSoon
from domain.rules.phone_codes import CodeLimits, CodeOutcome, IssuedCode, SendHistory, Sent, check_sending, present
from models.enums import CodePurpose

NOW = datetime(2026, 11, 22, 4, tzinfo=UTC)
LIMITS = CodeLimits()


def ago(**span: float) -> datetime:
    return NOW - timedelta(**span)


def wait(history: SendHistory) -> int:
    with pytest.raises(TooSoon) as caught:
        check_sending(history, now=NOW, limits=LIMITS)
    return caught.value.retry_after_seconds


@pytest.mark.parametrize(
    "history",
    [
        SendHistory(),
        SendHistory(to_phone=Sent(1, ago(seconds=60), ago(seconds=60))),
        SendHistory(to_phone=Sent(9, ago(hours=23), ago(seconds=61))),
        SendHistory(for_anybody=Sent(4, ago(hours=23), NOW), unused_from_here=Sent(4, ago(hours=23), NOW)),
        SendHistory(for_address=Sent(29, ago(minutes=59), NOW)),
        SendHistory(in_all=Sent(2_999, ago(minutes=59), NOW)),
    ],
)
def test_a_code_may_be_sent_below_every_limit(history: SendHistory) -> None:
    check_sending(history, now=NOW, limits=LIMITS)


@pytest.mark.parametrize(
    ("history", "seconds"),
    [
        (SendHistory(to_phone=Sent(1, NOW, NOW)), 60),
        (SendHistory(to_phone=Sent(1, ago(seconds=59.5), ago(seconds=59.5))), 1),
        (SendHistory(to_phone=Sent(10, ago(hours=23), ago(minutes=2))), 3600),
        (SendHistory(for_anybody=Sent(5, ago(hours=22), ago(minutes=2))), 7200),
        (SendHistory(unused_from_here=Sent(5, ago(hours=23), ago(minutes=2))), 3600),
        (SendHistory(for_address=Sent(30, ago(minutes=50), NOW)), 600),
        (SendHistory(in_all=Sent(3_000, ago(minutes=59), NOW)), 60),
        (SendHistory(to_phone=Sent(1, ago(seconds=10), ago(seconds=10)), for_address=Sent(30, ago(minutes=50), NOW)), 600),
    ],
)
def test_a_limit_that_is_reached_tells_the_seconds_to_wait(history: SendHistory, seconds: int) -> None:
    assert wait(history) == seconds


def test_a_pause_is_told_as_haste_and_a_limit_as_used_up() -> None:
    for sent, wording in ((Sent(1, NOW, NOW), "TOO_SOON"), (Sent(10, ago(hours=23), ago(minutes=2)), "PHONE_CODES_USED_UP")):
        with pytest.raises(TooSoon) as refusal:
            check_sending(SendHistory(to_phone=sent), now=NOW, limits=LIMITS)
        assert (refusal.value.code, refusal.value.wording) == ("TOO_SOON", wording)


def issued(wrong_tries: int = 0, used_at: datetime | None = None, superseded_at: datetime | None = None, life: float = 60) -> IssuedCode:
    return IssuedCode(
        purpose=CodePurpose.SIGN_IN,
        expires_at=NOW + timedelta(seconds=life),
        wrong_tries=wrong_tries,
        used_at=used_at,
        superseded_at=superseded_at,
    )


@pytest.mark.parametrize(
    ("code", "if_right", "if_wrong"),
    [
        (issued(), CodeOutcome.ACCEPTED, CodeOutcome.WRONG),
        (issued(wrong_tries=4), CodeOutcome.ACCEPTED, CodeOutcome.WRONG),
        (issued(wrong_tries=5), CodeOutcome.LOCKED, CodeOutcome.LOCKED),
        (issued(life=0.001), CodeOutcome.ACCEPTED, CodeOutcome.WRONG),
        (issued(life=0), CodeOutcome.EXPIRED, CodeOutcome.EXPIRED),
        (issued(used_at=NOW), CodeOutcome.USED, CodeOutcome.USED),
        (issued(superseded_at=NOW), CodeOutcome.SUPERSEDED, CodeOutcome.SUPERSEDED),
    ],
)
def test_a_code_opens_once_in_time_and_before_its_lock(code: IssuedCode, if_right: CodeOutcome, if_wrong: CodeOutcome) -> None:
    assert present(code, purpose=CodePurpose.SIGN_IN, matches=True, now=NOW, limits=LIMITS) is if_right
    assert present(code, purpose=CodePurpose.SIGN_IN, matches=False, now=NOW, limits=LIMITS) is if_wrong


@pytest.mark.parametrize("purpose", [each for each in CodePurpose if each is not CodePurpose.SIGN_IN])
def test_a_code_serves_its_own_purpose_only(purpose: CodePurpose) -> None:
    assert present(issued(), purpose=purpose, matches=True, now=NOW, limits=LIMITS) is CodeOutcome.OTHER_PURPOSE


def test_ten_codes_a_day_to_one_phone_are_all_that_can_be_had() -> None:
    sent: list[datetime] = []
    for second in range(0, 86_400, 30):
        now = NOW + timedelta(seconds=second)
        history = SendHistory(to_phone=Sent(len(sent), sent[0], sent[-1]) if sent else Sent())
        try:
            check_sending(history, now=now, limits=LIMITS)
        except TooSoon:
            continue
        sent.append(now)

    assert len(sent) == 10
    assert {later - earlier for earlier, later in pairwise(sent)} == {timedelta(seconds=60)}
