from __future__ import annotations

import pytest

from domain.rules.signatures import TOLERANCE_SECONDS, Spoken, holds, signature

AT = 1_767_225_600
KNOWN = {
    # openssl dgst -sha256 -hmac "shared key" over the four lines that docs/sms.md tells of
    Spoken.MESSAGE: "693352118559a732308891be82197e2893f3cf1eb543fb6f4c320829f95571a1",
    Spoken.RECEIPT: "71cb197daa5f58b0656e6f24f1402def7b2719f491ad5f071aefc80d2f4e1c91",
}


@pytest.mark.parametrize("spoken", Spoken)
def test_a_signature_is_the_one_that_others_compute(spoken: Spoken) -> None:
    assert signature("shared key", spoken, at=AT, target="/sms/receipts", body=b'{"a":1}') == KNOWN[spoken]


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"now": AT + TOLERANCE_SECONDS}, True),
        ({"now": AT - TOLERANCE_SECONDS}, True),
        ({"now": AT + TOLERANCE_SECONDS + 1}, False),
        ({"now": AT - TOLERANCE_SECONDS - 1}, False),
        ({"at": AT + 1}, False),
        ({"key": "another key"}, False),
        ({"target": "/sms/receipts?"}, False),
        ({"body": b'{"a":2}'}, False),
        ({"spoken": Spoken.MESSAGE}, False),
        ({"given": ""}, False),
        ({"given": "é\ud800"}, False),
    ],
)
def test_a_signature_holds_for_what_was_signed_and_for_a_while(changes: dict[str, object], expected: bool) -> None:
    asked = {
        "given": KNOWN[Spoken.RECEIPT],
        "key": "shared key",
        "spoken": Spoken.RECEIPT,
        "at": AT,
        "now": AT + 1,
        "target": "/sms/receipts",
        "body": b'{"a":1}',
    } | changes

    assert holds(**asked) is expected  # type: ignore[arg-type]
