"""What erasure leaves of texts that others wrote about a person (rules §8)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from domain.rules.phone import national

ERASED = "［已删除］"
"""Stands where personal data were."""

_FEWEST_DIGITS = 5
"""From so many on a text is a number; with fewer it is found as it is written."""
_STANDS_ALONE = 8
"""With fewer digits a number is looked for where no further digit stands beside it: sums and dates hold short ones."""
_BETWEEN = r"[\W_]{0,3}"
"""What people put between the signs of a number: spaces, hyphens, dots, brackets. No sign of a number is one, so time is linear."""


def identifying(texts: Iterable[str | None], certificates: Iterable[str | None] = ()) -> tuple[str, ...]:
    """What names a person, as people write it: phones without +86 too; the longest first, so that no half of one is left.

    Of what is entered as the number of a certificate only numbers do: 见附件 and 2005 are found in any text.
    """
    found = {each.strip() for each in texts if each and len(each.strip()) > 1}
    found |= {form for each in found if each.startswith("+86") for form in (each.removeprefix("+86"), national(each))}
    found |= {each.strip() for each in certificates if each and _digits(each) >= _FEWEST_DIGITS}
    return tuple(sorted(found, key=lambda each: (-len(each), each)))


def scrubbed(text: str, names: Iterable[str]) -> str:
    """A text with every occurrence of the names replaced, whatever the case and width of letters; reasons of decisions stay readable.

    Numbers are found however they are divided: 139-1000-0030 and 139 1000 0030 are the same phone.
    """
    for each in names:
        text = re.sub(_written(each), ERASED, text, flags=re.IGNORECASE)
    return text


def _written(name: str) -> str:
    """A pattern for the ways in which people write a name."""
    digits = _digits(name)
    if digits < _FEWEST_DIGITS:
        return "".join(map(_either_width, name))
    number = "[+＋]?" + _BETWEEN.join(_either_width(each) for each in name if each.isalnum())
    return number if digits >= _STANDS_ALONE else rf"(?<!\d){number}(?!\d)"


def _digits(text: str) -> int:
    return len(re.findall(r"\d", text))


def _either_width(sign: str) -> str:
    return f"[{sign}{chr(ord(sign) + 0xFEE0)}]" if sign.isascii() and sign.isalnum() else re.escape(sign)
