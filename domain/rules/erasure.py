"""What erasure leaves of texts that others wrote about a person (rules §8)."""

from __future__ import annotations

import re
from collections.abc import Iterable

ERASED = "［已删除］"
"""Stands where personal data were."""


def identifying(texts: Iterable[str | None]) -> tuple[str, ...]:
    """What names a person, as people write it: phones without +86 too; the longest first, so that no half of one is left."""
    found = {each.strip() for each in texts if each and len(each.strip()) > 1}
    found |= {each.removeprefix("+86") for each in found}
    return tuple(sorted(found, key=lambda each: (-len(each), each)))


def scrubbed(text: str, names: Iterable[str]) -> str:
    """A text with every occurrence of the names replaced, whatever the case of letters; reasons of decisions stay readable."""
    for each in names:
        text = re.sub(re.escape(each), ERASED, text, flags=re.IGNORECASE)
    return text
