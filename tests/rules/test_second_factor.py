from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from domain.rules.second_factor import accepted_step, address, code_at, read, step_of, written

SECRET = b"12345678901234567890"
NOW = datetime(2026, 3, 2, 9, 0, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "code"),
    [
        (59, "287082"),
        (1111111109, "081804"),
        (1111111111, "050471"),
        (1234567890, "005924"),
        (2 * 10**9, "279037"),
        (2 * 10**10, "353130"),
    ],
)
def test_the_codes_are_those_of_rfc_6238(seconds: int, code: str) -> None:
    moment = datetime.fromtimestamp(seconds, UTC)

    assert code_at(SECRET, step_of(moment)) == code
    assert accepted_step(SECRET, code, now=moment, last_used=None) == seconds // 30


@pytest.mark.parametrize(("drift", "accepted"), [(-2, False), (-1, True), (0, True), (1, True), (2, False)])
def test_a_clock_may_be_half_a_minute_off(drift: int, accepted: bool) -> None:
    code = code_at(SECRET, step_of(NOW) + drift)

    assert (accepted_step(SECRET, code, now=NOW, last_used=None) is not None) is accepted


@pytest.mark.parametrize(("used", "accepted"), [(-1, True), (0, False), (1, False)])
def test_a_code_counts_once_and_no_earlier_one_after_it(used: int, accepted: bool) -> None:
    found = accepted_step(SECRET, code_at(SECRET, step_of(NOW)), now=NOW, last_used=step_of(NOW) + used)

    assert (found is not None) is accepted


def test_a_code_is_read_as_people_type_it() -> None:
    code = code_at(SECRET, step_of(NOW))
    full_width = "".join(chr(ord(each) + 0xFEE0) for each in code)

    for typed in (code, f" {code} ", f"{code[:3]} {code[3:]}", full_width):
        assert accepted_step(SECRET, typed, now=NOW, last_used=None) == step_of(NOW)


@pytest.mark.parametrize("code", ["", "12345", "1234567", "abcdef", "\ud800", "０" * 6])
def test_anything_else_is_refused(code: str) -> None:
    assert accepted_step(SECRET, code, now=NOW + timedelta(days=1), last_used=None) is None


def test_a_secret_is_written_as_apps_read_it() -> None:
    assert written(SECRET) == "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ"
    assert read(written(SECRET)) == SECRET
    assert read(written(b"\x00\xff" * 7)) == b"\x00\xff" * 7
    assert address("ABC", account="138****0001", issuer="专家库") == (
        "otpauth://totp/%E4%B8%93%E5%AE%B6%E5%BA%93:138%2A%2A%2A%2A0001?secret=ABC&issuer=%E4%B8%93%E5%AE%B6%E5%BA%93"
    )
