"""Saving the sections of a profile (rules §3)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import date, datetime
from functools import partial
from typing import Any, Generic, TypeAlias
from uuid import UUID

from tortoise.models import Model

from domain.actions import choices
from domain.actions.accounts import unless_taken
from domain.actions.at_once import put_into_force
from domain.actions.editing import Entry, editing, own_entry
from domain.actions.id_numbers import count_try, is_taken
from domain.actions.pools import holding
from domain.actions.retries import once
from domain.rules import identity, mask, text
from domain.rules.calendar import SHANGHAI
from domain.rules.errors import FieldProblem, Invalid, InvalidInput, Taken
from domain.rules.profile_input import (
    AvoidanceUnitInput,
    BasicInfo,
    EducationInput,
    EvaluationInfo,
    QualificationInput,
    SectionInput,
    TitleInput,
    WorkEntryInput,
    below,
    check,
    check_basic_info,
    path_of,
    repeated,
)
from domain.rules.viewer import Viewer
from models.accounts import Account
from models.database import transaction
from models.enums import CodeKind, Standing
from models.experts import Expert
from models.profiles import (
    AvoidanceUnit,
    Education,
    QualificationEntry,
    Revision,
    RevisionSpecialty,
    TitleEntry,
    WorkEntry,
)
from models.sealing import id_number_hash
from settings import settings

SPECIALTIES = 3
AVOIDANCE_UNITS = 20

Choose: TypeAlias = Callable[[str], Awaitable[str]]


@dataclass(frozen=True, slots=True)
class _Section(Generic[Entry]):
    """A section of entries: its GraphQL name, how many it may hold, and which fields are codes."""

    model: type[Entry]
    name: str
    limit: int
    codes: Mapping[str, Choose]


_EDUCATION = _Section(
    Education, "education", 10, {"level": partial(choices.code, CodeKind.EDUCATION), "degree": partial(choices.code, CodeKind.DEGREE)}
)
_TITLES = _Section(TitleEntry, "titles", 5, {"title_code": choices.title})
_WORK_HISTORY = _Section(WorkEntry, "workHistory", 5, {})
_QUALIFICATIONS = _Section(QualificationEntry, "qualifications", 5, {"qualification_code": choices.qualification})

_BASIC_CODES: Mapping[str, Choose] = {
    "ethnic_group": partial(choices.code, CodeKind.ETHNIC_GROUP),
    "political_affiliation": partial(choices.code, CodeKind.POLITICAL),
    "residence_code": choices.residence,
}
_MASKS: Mapping[str, Callable[[str], str]] = {
    "id_number": mask.id_number,
    "second_phone": mask.phone,
    "email": mask.email,
    "address": mask.address,
}


# Sections of single fields


async def save_basic_info(given: BasicInfo, *, viewer: Viewer, now: datetime, expected_version: int | None = None) -> Revision:
    """Write fields of basic info into the viewer's draft; fields that are not given stay.

    Sex and birth date follow the id number; until admission the account's name and id number follow the draft. Fields that take effect at
    once do so for who is admitted: where nothing else is changed then, no draft is left and the answer is the revision in force. Raises
    InvalidInput with every problem, Taken where the id number belongs to another live account, TooSoon after too many different ones in a
    day, Stale, and what `open_draft` raises.
    """
    if isinstance(given.id_number, str) and viewer.expert_id is not None:
        await _count_number(given.id_number, viewer, now)
    async with transaction():
        async with editing(viewer, now=now, expected_version=expected_version) as draft:
            values, problems = check_basic_info(given, _values(draft, BasicInfo) | {"birth_date": draft.birth_date}, today=_today(now))
            problems += await _resolve(values, _BASIC_CODES)
            _refuse(problems)
            for name in _MASKS.keys() & values.keys():
                values[f"{name}_masked"] = None if values[name] is None else _MASKS[name](values[name])
            if "id_number" in values:
                values["id_number_hash"] = id_number_hash(values["id_number"])
            draft.update_from_dict(values)
            if {"name", "id_number"} & values.keys():
                await _keep_account_in_step(draft, viewer, now)
        return await put_into_force(draft, values.keys(), now=now)


async def save_evaluation_info(given: EvaluationInfo, *, viewer: Viewer, now: datetime, expected_version: int | None = None) -> Revision:
    """Write the home pool, and the lists of specialties and declared avoidance units as wholes; what is not given stays.

    A former code of a division is kept as its present one. The present employer is always an avoidance unit and not among those declared.
    Raises InvalidInput with every problem, Stale, and what `open_draft` raises.
    """
    async with editing(viewer, now=now, expected_version=expected_version) as draft:
        values, problems = check(given, {"home_pool_code": draft.home_pool_code}, today=_today(now), born=None)
        if values.get("home_pool_code") == draft.home_pool_code:
            values.pop("home_pool_code", None)  # a pool that was merged meanwhile may stay: what is submitted to it goes to its successor
        problems += await _resolve(values, {"home_pool_code": choices.home_pool})
        if "home_pool_code" in values:
            problems += await _of_admitted(values, draft)
        specialties, units = values.pop("specialties", None), values.pop("avoidance_units", None)
        if specialties is not None:
            specialties, found = await _checked_specialties(specialties)
            problems += found
        if units is not None:
            units, found = _checked_units(units, today=_today(now))
            problems += found
        _refuse(problems)
        draft.update_from_dict(values)
        if specialties is not None:
            await _replace(RevisionSpecialty, "specialty_code", draft, [{"specialty_code": each} for each in specialties])
        if units is not None:
            await _replace(AvoidanceUnit, "name", draft, units)
    return draft


async def _of_admitted(values: dict[str, Any], draft: Revision) -> list[FieldProblem]:
    """Leave the home pool of who is admitted as it is: it changes by a case of its own alone (rules §5).

    The pool that the person is in by now is no change, though the profile may name one that was closed into it.
    """
    person = await Expert.get(id=draft.expert_id)
    if person.effective_id is None:
        return []
    stays = values.pop("home_pool_code") == await holding(person.pool_code or "")
    return [] if stays else [FieldProblem("homePoolCode", "POOL_BY_DIVISION_CHANGE")]


async def _checked_specialties(chosen: Sequence[str]) -> tuple[list[str], list[FieldProblem]]:
    if len(chosen) > SPECIALTIES:
        return [], [FieldProblem("specialties", "TOO_MANY", {"maximum": SPECIALTIES})]
    codes: list[str] = []
    problems: list[FieldProblem] = []
    for position, each in enumerate(chosen):
        try:
            codes.append(await choices.specialty(text.line(each, longest=20)))
        except Invalid as invalid:
            problems.append(FieldProblem(f"specialties.{position}", invalid.code, invalid.facts))
    return codes, problems or list(repeated(codes, "specialties"))


def _checked_units(declared: Sequence[AvoidanceUnitInput], *, today: date) -> tuple[list[dict[str, Any]], list[FieldProblem]]:
    if len(declared) > AVOIDANCE_UNITS:
        return [], [FieldProblem("avoidanceUnits", "TOO_MANY", {"maximum": AVOIDANCE_UNITS})]
    units: list[dict[str, Any]] = []
    problems: list[FieldProblem] = []
    for position, each in enumerate(declared):
        values, found = check(each, None, today=today, born=None)
        problems += below(f"avoidanceUnits.{position}", found)
        units.append(values)
    names = [each.get("name", position) for position, each in enumerate(units)]
    return units, problems + [FieldProblem(f"{each.path}.name", each.code) for each in repeated(names, "avoidanceUnits")]


# Sections of entries


async def save_education(
    given: EducationInput,
    *,
    entry: UUID | None = None,
    key: str | None = None,
    viewer: Viewer,
    now: datetime,
    expected_version: int | None = None,
) -> Education:
    """Add an education, or change one of the viewer's own; marking it the highest takes the mark from another.

    `entry` is the id of its row in any revision of the viewer; without it, `key` makes a repeat answer with the entry that was added first
    (retries.once). Raises InvalidInput, NotFound for another's or a removed entry, Stale, KeyReused, and what `open_draft` raises.
    """
    return await _save(_EDUCATION, given, entry, key, viewer=viewer, now=now, expected_version=expected_version)


async def save_title(
    given: TitleInput,
    *,
    entry: UUID | None = None,
    key: str | None = None,
    viewer: Viewer,
    now: datetime,
    expected_version: int | None = None,
) -> TitleEntry:
    """Add a title, or change one; at most five. As `save_education`."""
    return await _save(_TITLES, given, entry, key, viewer=viewer, now=now, expected_version=expected_version)


async def save_work_entry(
    given: WorkEntryInput,
    *,
    entry: UUID | None = None,
    key: str | None = None,
    viewer: Viewer,
    now: datetime,
    expected_version: int | None = None,
) -> WorkEntry:
    """Add an employment, or change one; at most five. As `save_education`."""
    return await _save(_WORK_HISTORY, given, entry, key, viewer=viewer, now=now, expected_version=expected_version)


async def save_qualification(
    given: QualificationInput,
    *,
    entry: UUID | None = None,
    key: str | None = None,
    viewer: Viewer,
    now: datetime,
    expected_version: int | None = None,
) -> QualificationEntry:
    """Add a professional qualification, or change one; at most five. As `save_education`."""
    return await _save(_QUALIFICATIONS, given, entry, key, viewer=viewer, now=now, expected_version=expected_version)


async def remove_education(entry: UUID, *, viewer: Viewer, now: datetime, expected_version: int | None = None) -> Revision:
    """Take an education out of the draft; earlier revisions keep theirs. Raises NotFound on repeat, Stale, and what `open_draft` raises."""
    return await _remove(Education, entry, viewer=viewer, now=now, expected_version=expected_version)


async def remove_title(entry: UUID, *, viewer: Viewer, now: datetime, expected_version: int | None = None) -> Revision:
    """Take a title out of the draft. As `remove_education`."""
    return await _remove(TitleEntry, entry, viewer=viewer, now=now, expected_version=expected_version)


async def remove_work_entry(entry: UUID, *, viewer: Viewer, now: datetime, expected_version: int | None = None) -> Revision:
    """Take an employment out of the draft. As `remove_education`."""
    return await _remove(WorkEntry, entry, viewer=viewer, now=now, expected_version=expected_version)


async def remove_qualification(entry: UUID, *, viewer: Viewer, now: datetime, expected_version: int | None = None) -> Revision:
    """Take a qualification out of the draft. As `remove_education`."""
    return await _remove(QualificationEntry, entry, viewer=viewer, now=now, expected_version=expected_version)


async def _save(
    section: _Section[Entry],
    given: SectionInput,
    entry: UUID | None,
    key: str | None,
    *,
    viewer: Viewer,
    now: datetime,
    expected_version: int | None,
) -> Entry:
    write = partial(_write, section, given, entry, viewer=viewer, now=now, expected_version=expected_version)
    return await once(section.model, write, key=key if entry is None else None, asked=given, viewer=viewer, now=now)


async def _write(
    section: _Section[Entry], given: SectionInput, entry: UUID | None, *, viewer: Viewer, now: datetime, expected_version: int | None
) -> Entry:
    async with editing(viewer, now=now, expected_version=expected_version) as draft:
        row = None if entry is None else await own_entry(section.model, entry, draft)
        before = None if row is None else _values(row, type(given))
        values, problems = check(given, before, today=_today(now), born=draft.birth_date)
        problems += await _resolve(values, section.codes)
        positions = await section.model.filter(revision_id=draft.pk).values_list("position", flat=True)
        if row is None and len(positions) >= section.limit:
            problems.append(FieldProblem(section.name, "TOO_MANY", {"maximum": section.limit}))
        _refuse(problems)
        if values.get("is_highest"):
            await Education.filter(revision_id=draft.pk, is_highest=True).update(is_highest=False)
        if row is None:
            row = section.model(revision_id=draft.pk, position=max(map(int, positions), default=-1) + 1)  # type: ignore[arg-type]  # ints
        await row.update_from_dict(values).save()
        return row


async def _remove(model: type[Model], entry: UUID, *, viewer: Viewer, now: datetime, expected_version: int | None) -> Revision:
    async with editing(viewer, now=now, expected_version=expected_version) as draft:
        await (await own_entry(model, entry, draft)).delete()
    return draft


# What a save does around its section


async def _count_number(id_number: str, viewer: Viewer, now: datetime) -> None:
    """Whether a number is taken is told of a well-formed one alone, and of so many a day; the account's own is no news."""
    try:
        number_hash = id_number_hash(identity.of_card(id_number, today=_today(now)).number)
    except Invalid:
        return
    if not await Account.filter(id=viewer.account_id, id_number_hash=number_hash).exists():
        await count_try(number_hash, account_id=viewer.account_id, most=settings().id_numbers_per_day, now=now)


async def _keep_account_in_step(draft: Revision, viewer: Viewer, now: datetime) -> None:
    """The draft's id number must be free; until admission name and number of the account are those of the draft."""
    person = await Expert.get(id=viewer.expert_id)
    if person.standing is Standing.TEMPORARY:
        await _give_to_account(draft, person)
    if await is_taken(draft.id_number_hash, account_id=viewer.account_id, now=now):
        raise Taken("idNumber", "ID_NUMBER_TAKEN")


async def _give_to_account(draft: Revision, person: Expert) -> None:
    account = await Account.filter(id=person.account_id).select_for_update().get()
    person.name = account.name = draft.name or account.name
    account.id_number, account.id_number_hash, account.id_number_masked = draft.id_number, draft.id_number_hash, draft.id_number_masked
    with unless_taken(phone="phone", wording="ID_NUMBER_TAKEN"):
        await account.save(update_fields=["name", "id_number", "id_number_hash", "id_number_masked"])
    await person.save(update_fields=["name"])


async def _replace(model: type[RevisionSpecialty | AvoidanceUnit], key: str, draft: Revision, wanted: Sequence[dict[str, Any]]) -> None:
    """Make the list in the draft what is wanted; what stays, by its `key`, remains the same entry."""
    held = {getattr(row, key): row for row in await model.filter(revision_id=draft.pk)}
    await model.filter(revision_id=draft.pk).exclude(**{f"{key}__in": [each[key] for each in wanted]}).delete()
    for position, each in enumerate(wanted):
        row = held.get(each[key]) or model(revision_id=draft.pk)
        await row.update_from_dict({**each, "position": position}).save()


async def _resolve(values: dict[str, Any], codes: Mapping[str, Choose]) -> list[FieldProblem]:
    """Put the present code in the place of each code given; the problems of those that cannot be chosen."""
    problems = []
    for name, present in codes.items():
        if values.get(name) is None:
            continue
        try:
            values[name] = await present(values[name])
        except Invalid as invalid:
            problems.append(FieldProblem(path_of(name), invalid.code, invalid.facts))
    return problems


def _refuse(problems: Sequence[FieldProblem]) -> None:
    if problems:
        raise InvalidInput(problems)


def _values(row: Any, given: type[SectionInput]) -> dict[str, Any]:
    return {each.name: getattr(row, each.name) for each in fields(given)}


def _today(now: datetime) -> date:
    return now.astimezone(SHANGHAI).date()
