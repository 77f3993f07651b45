"""What happens between finding who is to be told and telling them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from typing import Any
from uuid import UUID

import pytest

from domain.actions import reminders
from domain.actions.sweeping import each_alone

Meanwhile = Callable[[Callable[[], Awaitable[object]]], None]


@pytest.fixture
def meanwhile(monkeypatch: pytest.MonkeyPatch) -> Meanwhile:
    """Have something happen once a sweep has found what is due, before it comes to the first."""

    def set_up(happening: Callable[[], Awaitable[object]]) -> None:
        async def late(due: Iterable[UUID], verb: Callable[[UUID], Awaitable[bool]], **names: Any) -> int:
            found = list(due)
            await happening()
            return await each_alone(found, verb, **names)

        monkeypatch.setattr(reminders, "each_alone", late)

    return set_up
