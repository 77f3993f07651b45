from __future__ import annotations

import pytest

from domain.rules.contact import email, postcode
from domain.rules.errors import Invalid


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        ("Zhang.San@Example.COM", "Zhang.San@example.com"),
        (" ｚｈａｎｇ＠example.com ", "zhang@example.com"),
        ("a_b+c-d%e@mail.jlu.edu.cn", "a_b+c-d%e@mail.jlu.edu.cn"),
    ],
)
def test_an_address_is_kept_with_its_domain_in_small_letters(written: str, kept: str) -> None:
    assert email(written) == kept


@pytest.mark.parametrize(
    "written",
    [
        "",
        "zhang",
        "zhang@",
        "@example.com",
        "zhang@example",
        "zh ang@example.com",
        "a@b@example.com",
        ".a@example.com",
        "a..b@example.com",
        "a.@example.com",
        "a@-example.com",
        "a@example..com",
        "张三@example.com",
        "a@example.com\nBcc: b@example.com",
        "a\x00@example.com",
        "a" * 65 + "@example.com",
        "a@" + "b" * 60 + "." + "c" * 60 + ".com",
    ],
)
def test_what_is_no_plain_address_is_refused(written: str) -> None:
    with pytest.raises(Invalid) as caught:
        email(written)
    assert caught.value.code == "EMAIL_FORMAT"


def test_a_postcode_has_six_digits() -> None:
    assert postcode(" １３００１２ ") == "130012"


@pytest.mark.parametrize("written", ["", "13001", "1300123", "13001a", "930012", "13001\x00", "١٣٠٠١٢"])
def test_what_is_no_postcode_is_refused(written: str) -> None:
    with pytest.raises(Invalid) as caught:
        postcode(written)
    assert caught.value.code == "POSTCODE_FORMAT"
