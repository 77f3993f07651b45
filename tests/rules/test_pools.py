from __future__ import annotations

from uuid import uuid4

import pytest

from domain.rules.pools import as_closed, as_merged, closes_pools, heir
from domain.rules.viewer import Viewer
from models.enums import Role


@pytest.mark.parametrize("role", Role)
def test_administrators_and_the_province_alone_close_pools(role: Role) -> None:
    viewer = Viewer(account_id=uuid4(), session_id=uuid4(), role=role, name="某")

    assert closes_pools(viewer) == (role in (Role.ADMINISTRATOR, Role.PROVINCIAL_OFFICER))


@pytest.mark.parametrize(("code", "found"), [("1", "3"), ("2", "3"), ("3", "3"), ("4", "4")])
def test_the_heir_is_the_pool_at_the_end(code: str, found: str) -> None:
    assert heir(code, {"1": "2", "2": "3"}) == found


def division(code: str, pool: str | None, *, selectable: bool = False) -> dict[str, object]:
    return {"code": code, "pool_code": pool, "pool_selectable": selectable}


def test_a_file_opens_no_closed_pool_again() -> None:
    file = [
        division("220000", None),
        division("1", "1", selectable=True),
        division("2", "2", selectable=True),
        division("3", "3", selectable=True),
        division("4", "4", selectable=True),
        division("11", "1"),
        division("44", "4"),
    ]

    assert as_merged(file, {"1": "2", "2": "3"}) == (
        division("220000", None),
        division("1", "3"),
        division("2", "3"),
        division("3", "3", selectable=True),
        division("4", "4", selectable=True),
        division("11", "3"),
        division("44", "4"),
    )
    assert as_merged(file, {}) == tuple(file)


def test_a_file_may_itself_close_the_heir() -> None:
    file = [division("1", "1", selectable=True), division("2", "3"), division("3", "3", selectable=True)]

    assert as_merged(file, {"1": "2"}) == (division("1", "3"), division("2", "3"), division("3", "3", selectable=True))


def test_a_file_opens_no_pool_that_closed_without_a_successor() -> None:
    file = [division("1", "1", selectable=True), division("11", "1"), division("2", "2", selectable=True)]

    assert as_closed(file, {"1"}) == (division("1", None), division("11", None), division("2", "2", selectable=True))
    assert as_closed(file, ()) == tuple(file)
