"""What the models of all tables derive from."""

from __future__ import annotations

import linecache
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from operator import itemgetter
from typing import Any, NamedTuple, Self

from tortoise import fields
from tortoise.fields.data import CharEnumFieldInstance
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

    @classmethod
    def of(cls, found: Mapping[str, Any]) -> Self:
        """The row that a statement of ours has found; `found` holds all columns of `models.database.columns`, and may hold more.

        What Tortoise's `_init_from_db` makes, at a quarter of its cost: moments, ids and numbers stay as asyncpg gives them.
        """
        reading = _reading(cls)
        made = cls.__new__(cls)
        values = vars(made)
        values.update(zip(reading.names, reading.taken(found), strict=True))
        for name, read in reading.told:
            if values[name] is not None:
                values[name] = read(values[name])
        values.update(reading.state, _await_when_save={})
        return made


class _Reading(NamedTuple):
    """How rows of a model are made: their attributes, how those are taken from columns, and which tell more than the driver knows."""

    names: Sequence[str]
    taken: Callable[[Any], Sequence[Any]]
    told: Sequence[tuple[str, Callable[[Any], Any]]]
    state: Mapping[str, bool]


_AS_GIVEN = (fields.DatetimeField, fields.UUIDField)


@cache
def _reading(model: type[Row]) -> _Reading:
    meta = model._meta
    columns = meta.fields_db_projection
    native = {name for _, name, _ in meta.db_native_fields}
    made_of = {name: meta.fields_map[name] for name in columns if name not in native}
    told = [(name, _teller(field)) for name, field in made_of.items() if not isinstance(field, _AS_GIVEN)]
    state = {"_partial": False, "_saved_in_db": True, "_custom_generated_pk": meta.db_pk_column not in meta.generated_db_fields}
    return _Reading(tuple(columns), itemgetter(*columns.values()), told, state)


def _teller(field: fields.Field[Any]) -> Callable[[Any], Any]:
    if isinstance(field, CharEnumFieldInstance):
        return {each.value: each for each in field.enum_type}.__getitem__
    return field.to_python_value
