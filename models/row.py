"""What the models of all tables derive from."""

from __future__ import annotations

import linecache
from typing import Any

from tortoise.models import Model, ModelMeta

linecache.clearcache()  # where tortoise leaves the source of its own base class, 0.3 MiB of lines

_COMPARISONS = frozenset({"", "not", "in", "not_in", "isnull", "not_isnull", "gt", "gte", "lt", "lte"})


class _SlimMeta(ModelMeta):
    """Tortoise's metaclass, without two things that every process would pay for and none uses.

    The search for `#:` comments parses a model's whole file again for each class: an eighth of the time to start. Of the thirty ways
    to filter by each field only `_COMPARISONS` are kept: the others take 4 MiB. Text is searched by SQL; whoever needs one more adds it.
    """

    def __new__(cls, name: str, bases: tuple[type, ...], attrs: dict[str, Any]) -> Any:
        made: Any = super().__new__(cls, name, bases, {"_no_comments": True, **attrs})
        filters = made._meta._filters  # noqa: SLF001  tortoise has no accessor
        for key in [each for each in filters if each.partition("__")[2] not in _COMPARISONS]:
            del filters[key]
        return made


class Row(Model, metaclass=_SlimMeta):
    """A row of a table."""

    class Meta:
        abstract = True
