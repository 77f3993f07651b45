"""The vocabularies as GraphQL enums, each registered once with its descriptions."""

import inspect
from typing import Any

import strawberry

from models import enums
from models.enums import Vocabulary


def _register(vocabulary: type[Vocabulary]) -> None:
    definition: Any = strawberry.enum(vocabulary, description=inspect.getdoc(vocabulary)).__strawberry_definition__  # type: ignore[attr-defined]  # set by strawberry.enum
    for value, member in zip(definition.values, vocabulary, strict=True):
        value.description = f"{member.zh}: {member.en}."


for _each in vars(enums).values():
    if isinstance(_each, type) and issubclass(_each, Vocabulary) and _each is not Vocabulary:
        _register(_each)
