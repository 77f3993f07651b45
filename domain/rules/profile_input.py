"""What may be written into each section of a profile, field by field and between fields (rules §3)."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import date
from enum import Enum
from functools import partial
from typing import Any, Final, TypeAlias, TypeVar, Union

from domain.rules.contact import email, postcode
from domain.rules.credit_code import credit_code
from domain.rules.errors import FieldProblem, Invalid
from domain.rules.identity import id_number, kind_of
from domain.rules.phone import contact_number
from domain.rules.text import line, person_name, prose
from models.enums import EmployerKind, ExpertSource, HealthDeclaration, IdType, StudyMode, WorkStatus


class Unset(Enum):
    """The mark of a field that an input does not name: it stays as it is, where None empties it."""

    UNSET = "UNSET"


UNSET: Final = Unset.UNSET

T = TypeVar("T")
Given: TypeAlias = Union[T, Unset, None]  # noqa: UP007  a generic alias needs typing's form


def path_of(name: str) -> str:
    """The GraphQL name of a field: `id_valid_from` → `idValidFrom`."""
    return re.sub("_([a-z])", lambda match: match[1].upper(), name)


def _as_given(value: Any) -> Any:
    return value


def _number(value: int, *, least: int, most: int) -> int:
    if not least <= value <= most:
        raise Invalid("NUMBER_RANGE", least=least, most=most)
    return value


_code = partial(line, longest=20)
_short = partial(line, longest=60)
_long = partial(line, longest=120)


def _optional(check: Callable[[Any], Any], *, empty: Any = None) -> dict[str, Any]:
    """A field that null empties; `empty` is what then stands in the row."""
    return {"check": check, "empty": empty}


def _required(check: Callable[[Any], Any]) -> dict[str, Any]:
    """A field that a new entry must have and that cannot be emptied."""
    return {"check": check, "required": True}


@dataclass(frozen=True, slots=True, kw_only=True)
class SectionInput:
    """Fields of one section or entry as a client gives them; each is checked alone, then `between` looks at the whole."""

    def between(self, values: Mapping[str, Any], *, today: date, born: date | None) -> Iterator[FieldProblem]:
        """What is wrong between fields; `values` are those of the row as they would be, `born` the person's date of birth."""
        del values, today, born
        return iter(())


@dataclass(frozen=True, slots=True, kw_only=True)
class BasicInfo(SectionInput):
    """基本信息. Sex and date of birth are read off the id number. `id_valid_long_term` stands in place of `id_valid_until`."""

    name: Given[str] = field(default=UNSET, metadata=_required(person_name))
    former_name: Given[str] = field(default=UNSET, metadata=_optional(person_name))
    id_type: Given[IdType] = field(default=UNSET, metadata=_required(_as_given))
    id_number: Given[str] = field(default=UNSET, metadata=_required(_as_given))
    id_valid_from: Given[date] = field(default=UNSET, metadata=_optional(_as_given))
    id_valid_until: Given[date] = field(default=UNSET, metadata=_optional(_as_given))
    id_valid_long_term: Given[bool] = field(default=UNSET, metadata=_optional(_as_given, empty=False))
    ethnic_group: Given[str] = field(default=UNSET, metadata=_optional(_code))
    political_affiliation: Given[str] = field(default=UNSET, metadata=_optional(_code))
    health: Given[HealthDeclaration] = field(default=UNSET, metadata=_optional(_as_given))
    second_phone: Given[str] = field(default=UNSET, metadata=_optional(contact_number))
    email: Given[str] = field(default=UNSET, metadata=_optional(email))
    residence_code: Given[str] = field(default=UNSET, metadata=_optional(_code))
    address: Given[str] = field(default=UNSET, metadata=_optional(partial(line, longest=200)))
    postcode: Given[str] = field(default=UNSET, metadata=_optional(postcode))
    employer: Given[str] = field(default=UNSET, metadata=_optional(_long))
    employer_credit_code: Given[str] = field(default=UNSET, metadata=_optional(credit_code))
    employer_kind: Given[EmployerKind] = field(default=UNSET, metadata=_optional(_as_given))
    department: Given[str] = field(default=UNSET, metadata=_optional(_long))
    post: Given[str] = field(default=UNSET, metadata=_optional(_long))
    work_status: Given[WorkStatus] = field(default=UNSET, metadata=_optional(_as_given))
    working_since: Given[date] = field(default=UNSET, metadata=_optional(_as_given))
    years_in_field: Given[int] = field(default=UNSET, metadata=_optional(partial(_number, least=0, most=70)))
    source: Given[ExpertSource] = field(default=UNSET, metadata=_optional(_as_given))

    def between(self, values: Mapping[str, Any], *, today: date, born: date | None) -> Iterator[FieldProblem]:
        """The paper is valid today; dates stand in their order."""
        yield from _past(values, today, "id_valid_from", "working_since")
        yield from _in_order(values, "id_valid_from", "id_valid_until")
        yield from _after_birth(values, born, "id_valid_from", "working_since")
        until = values["id_valid_until"]
        if until is not None and values["id_valid_long_term"]:
            yield FieldProblem("idValidUntil", "ID_VALIDITY_TWICE")
        if self.id_valid_until is not UNSET and id_expired(until, today=today):
            yield FieldProblem("idValidUntil", "ID_EXPIRED")


@dataclass(frozen=True, slots=True, kw_only=True)
class AvoidanceUnitInput(SectionInput):
    """回避单位: a unit declared beside the present employer."""

    name: Given[str] = field(default=UNSET, metadata=_required(_long))
    credit_code: Given[str] = field(default=UNSET, metadata=_optional(credit_code))
    relation: Given[str] = field(default=UNSET, metadata=_required(_long))
    until: Given[date] = field(default=UNSET, metadata=_optional(_as_given))


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluationInfo(SectionInput):
    """评标信息. A list that is given takes the place of the whole list."""

    home_pool_code: Given[str] = field(default=UNSET, metadata=_optional(_code))
    specialties: Given[Sequence[str]] = field(default=UNSET, metadata=_optional(_as_given, empty=()))
    avoidance_units: Given[Sequence[AvoidanceUnitInput]] = field(default=UNSET, metadata=_optional(_as_given, empty=()))


@dataclass(frozen=True, slots=True, kw_only=True)
class EducationInput(SectionInput):
    """学历. `is_highest` given as true takes the mark from the entry that bore it."""

    school: Given[str] = field(default=UNSET, metadata=_required(_long))
    started_on: Given[date] = field(default=UNSET, metadata=_required(_as_given))
    ended_on: Given[date] = field(default=UNSET, metadata=_required(_as_given))
    major: Given[str] = field(default=UNSET, metadata=_required(_long))
    level: Given[str] = field(default=UNSET, metadata=_required(_code))
    mode: Given[StudyMode] = field(default=UNSET, metadata=_required(_as_given))
    degree: Given[str] = field(default=UNSET, metadata=_optional(_code))
    certificate_number: Given[str] = field(default=UNSET, metadata=_optional(_short))
    is_highest: Given[bool] = field(default=UNSET, metadata=_optional(_as_given, empty=False))

    def between(self, values: Mapping[str, Any], *, today: date, born: date | None) -> Iterator[FieldProblem]:
        """Completed, in a lifetime, in order."""
        yield from _past(values, today, "started_on", "ended_on")
        yield from _in_order(values, "started_on", "ended_on")
        yield from _after_birth(values, born, "started_on")


@dataclass(frozen=True, slots=True, kw_only=True)
class TitleInput(SectionInput):
    """职称."""

    title_code: Given[str] = field(default=UNSET, metadata=_required(_code))
    certificate_number: Given[str] = field(default=UNSET, metadata=_required(_short))
    obtained_on: Given[date] = field(default=UNSET, metadata=_required(_as_given))
    issuer: Given[str] = field(default=UNSET, metadata=_required(_long))

    def between(self, values: Mapping[str, Any], *, today: date, born: date | None) -> Iterator[FieldProblem]:
        """Obtained in a lifetime."""
        yield from _past(values, today, "obtained_on")
        yield from _after_birth(values, born, "obtained_on")


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkEntryInput(SectionInput):
    """工作履历. Without `ended_on` the employment lasts."""

    started_on: Given[date] = field(default=UNSET, metadata=_required(_as_given))
    ended_on: Given[date] = field(default=UNSET, metadata=_optional(_as_given))
    employer: Given[str] = field(default=UNSET, metadata=_required(_long))
    post: Given[str] = field(default=UNSET, metadata=_required(_long))
    duties: Given[str] = field(default=UNSET, metadata=_required(partial(prose, longest=1000)))

    def between(self, values: Mapping[str, Any], *, today: date, born: date | None) -> Iterator[FieldProblem]:
        """Begun, in a lifetime, in order."""
        yield from _past(values, today, "started_on", "ended_on")
        yield from _in_order(values, "started_on", "ended_on")
        yield from _after_birth(values, born, "started_on")


@dataclass(frozen=True, slots=True, kw_only=True)
class QualificationInput(SectionInput):
    """执业资格. Without `valid_until` it does not lapse."""

    qualification_code: Given[str] = field(default=UNSET, metadata=_required(_code))
    certificate_number: Given[str] = field(default=UNSET, metadata=_required(_short))
    obtained_on: Given[date] = field(default=UNSET, metadata=_required(_as_given))
    valid_until: Given[date] = field(default=UNSET, metadata=_optional(_as_given))
    issuer: Given[str] = field(default=UNSET, metadata=_required(_long))

    def between(self, values: Mapping[str, Any], *, today: date, born: date | None) -> Iterator[FieldProblem]:
        """Obtained in a lifetime, in order."""
        yield from _past(values, today, "obtained_on")
        yield from _in_order(values, "obtained_on", "valid_until")
        yield from _after_birth(values, born, "obtained_on")


def check(
    given: SectionInput, before: Mapping[str, Any] | None, *, today: date, born: date | None
) -> tuple[dict[str, Any], list[FieldProblem]]:
    """The values to write, normalised, and all that is wrong with them, on paths below the section.

    `before` holds the row's present values; None is for a new entry, where what is not given is empty and required fields must be given.
    """
    values: dict[str, Any] = {}
    problems: list[FieldProblem] = []
    for each in fields(given):
        value = getattr(given, each.name)
        required = each.metadata.get("required", False)
        if value is UNSET and before is not None:
            continue
        if value is None or value is UNSET:
            if required:
                problems.append(FieldProblem(path_of(each.name), "REQUIRED"))
            values[each.name] = each.metadata.get("empty")
            continue
        try:
            values[each.name] = each.metadata["check"](value)
        except Invalid as invalid:
            problems.append(FieldProblem(path_of(each.name), invalid.code, invalid.facts))
    blank = {each.name: each.metadata.get("empty") for each in fields(given)}
    problems += given.between({**blank, **(before or {}), **values}, today=today, born=born)
    return values, problems


def check_basic_info(given: BasicInfo, before: Mapping[str, Any], *, today: date) -> tuple[dict[str, Any], list[FieldProblem]]:
    """As `check`; `before` holds the birth date too. A new number or kind of paper is checked, `sex` and `birth_date` follow from it."""
    paper = {name: getattr(given, name) for name in ("id_number", "id_type") if getattr(given, name) not in (UNSET, None)}
    number, kind = (paper.get(name, before[name]) for name in ("id_number", "id_type"))
    derived: dict[str, Any] = {}
    problems: list[FieldProblem] = []
    if paper and number is not None:
        try:
            known = id_number(number, kind=kind or kind_of(number), today=today)
            derived = {"id_number": known.number, "sex": known.sex, "birth_date": known.birth_date}
        except Invalid as invalid:
            problems.append(FieldProblem("idNumber", invalid.code, invalid.facts))
    values, others = check(given, before, today=today, born=derived.get("birth_date", before["birth_date"]))
    return values | derived, problems + others


def id_expired(until: date | None, *, today: date) -> bool:
    """Whether an identity paper is over: its last day lies before `today` (in Shanghai). One for life has none."""
    return until is not None and until < today


def below(path: str, problems: Iterable[FieldProblem]) -> list[FieldProblem]:
    """The problems of an item on the path of the whole: `name` below `avoidanceUnits.1`."""
    return [FieldProblem(f"{path}.{each.path}", each.code, each.facts) for each in problems]


def repeated(values: Sequence[Any], path: str) -> Iterator[FieldProblem]:
    """A problem for each value that stood in the list before."""
    for position, value in enumerate(values):
        if value in values[:position]:
            yield FieldProblem(f"{path}.{position}", "REPEATED")


def _past(values: Mapping[str, Any], today: date, *names: str) -> Iterator[FieldProblem]:
    for name in names:
        if values[name] is not None and values[name] > today:
            yield FieldProblem(path_of(name), "DATE_IN_FUTURE")


def _in_order(values: Mapping[str, Any], first: str, second: str) -> Iterator[FieldProblem]:
    if values[first] is not None and values[second] is not None and values[second] < values[first]:
        yield FieldProblem(path_of(second), "DATES_REVERSED")


def _after_birth(values: Mapping[str, Any], born: date | None, *names: str) -> Iterator[FieldProblem]:
    for name in names:
        if born is not None and values[name] is not None and values[name] <= born:
            yield FieldProblem(path_of(name), "DATE_BEFORE_BIRTH")
