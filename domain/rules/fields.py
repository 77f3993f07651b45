"""Checks the fields of one input and gathers everything that is wrong with them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from domain.rules.errors import FieldProblem, Invalid, InvalidInput

Value = TypeVar("Value")


class Fields:
    """The problems found so far. Check every field, then `refuse`; values of fields with problems are never used."""

    def __init__(self) -> None:
        self.problems: list[FieldProblem] = []

    def check(self, path: str, rule: Callable[[], Value], *, otherwise: Value) -> Value:
        """What the rule makes of the field; `otherwise` where it raises Invalid, which is kept with the path."""
        try:
            return rule()
        except Invalid as invalid:
            self.wrong(path, invalid.code, **invalid.facts)
            return otherwise

    def wrong(self, path: str, code: str, **facts: Any) -> None:
        """Note a problem."""
        self.problems.append(FieldProblem(path, code, facts))

    def refuse(self) -> None:
        """Raise InvalidInput if there is any problem."""
        if self.problems:
            raise InvalidInput(self.problems)
