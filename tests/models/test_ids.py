"""Identifiers of rows, as texts name them."""

from __future__ import annotations

from uuid import UUID

import pytest

from models.ids import uuid_or_none

KEY = "016f5e66-e802-700c-8000-0001000000ab"


@pytest.mark.parametrize("text", [KEY, KEY.upper(), KEY.replace("-", "")])
def test_a_uuid_is_read_from_its_digits(text: str) -> None:
    assert uuid_or_none(text) == UUID(KEY)


@pytest.mark.parametrize(
    "text",
    ["", "1", KEY[:-1], KEY + "0", f"{{{KEY}}}", f"urn:uuid:{KEY}", "0x" + KEY[2:], " " + KEY[1:], KEY[:-2] + "_b",
     KEY[:-1] + "é", "\ud800" + KEY[1:]],
    ids=repr,
)  # fmt: skip
def test_anything_else_is_none(text: str) -> None:
    assert uuid_or_none(text) is None
