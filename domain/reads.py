"""Which rows a viewer may see: one predicate a noun, used by every read path."""

from __future__ import annotations

import re
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from functools import cache, lru_cache
from types import MappingProxyType
from typing import Any, TypeVar
from uuid import UUID

from tortoise.models import Model

from domain.rules.errors import NotFound
from domain.rules.viewer import Viewer
from models import accounts, applications, experts, exports, files, pools, profiles, publicity, reference, schedule, sms, standing
from models.database import columns, rows
from models.enums import CaseKind, Role
from models.row import Row
from settings import settings

Found = TypeVar("Found", bound=Row)

PARAMETER = re.compile(r"(?<!:):([a-z_][a-z_0-9]*)")
_OFFICERS = (Role.LOCAL_OFFICER, Role.PROVINCIAL_OFFICER)
_NONE = "FALSE"
_ALL = "TRUE"


@dataclass(frozen=True, slots=True)
class Where:
    """A condition in SQL: `{t}` stands for the table's alias, `:name` for a value, `:viewer_*` and `:now` for the viewer's.

    `counting` says the same in the words that are cheaper where rows are counted, if there are such.
    """

    sql: str
    values: Mapping[str, Any] = field(default_factory=dict)
    counting: str = ""

    @property
    def counted(self) -> str:
        """The condition for counting."""
        return self.counting or self.sql


@dataclass(frozen=True, slots=True)
class Ahead:
    """What a verb reads first, to be read in the same statement that authenticates: at most one row, for a viewer of an earlier request.

    `sql` names its values as predicates do; `:now` is the registry's time.
    """

    viewer: Viewer
    sql: str
    values: Mapping[str, Any]


def viewer_values(viewer: Viewer | None, now: datetime | None) -> dict[str, Any]:
    """The values that predicates name; a signed-out viewer has none. Without `now` the statement must tell the time itself."""
    return {
        "now": now,
        "viewer_account": viewer and viewer.account_id,
        "viewer_expert": viewer and viewer.expert_id,
        "viewer_session": viewer and viewer.session_id,
        "viewer_pool": viewer and viewer.pool_code,
        "terms_version": settings().privacy_terms_version,
    }


def values_of(where: Iterable[Where], viewer: Viewer | None, now: datetime) -> dict[str, Any]:
    """The values that predicates and these conditions name."""
    values = viewer_values(viewer, now)
    for each in where:
        values |= each.values
    return values


def numbered(sql: str) -> tuple[str, tuple[str, ...]]:
    """Turn `:name` into PostgreSQL's `$1`, each name once, and tell the names in that order."""
    order: dict[str, int] = {}
    text = PARAMETER.sub(lambda match: f"${order.setdefault(match[1], len(order) + 1)}", sql)
    return text, tuple(order)


_numbered_once = lru_cache(maxsize=512)(numbered)


def at(sql: str, instant: str) -> str:
    """The statement with its `:now` taken from an expression in SQL."""
    return PARAMETER.sub(lambda match: instant if match[1] == "now" else match[0], sql)


def bind(sql: str, values: Mapping[str, Any]) -> tuple[str, list[Any]]:
    """`numbered`, with the values in order; raises KeyError for a name without a value."""
    text, names = _numbered_once(sql)
    return text, [values[name] for name in names]


def _by_role(**predicates: str) -> Callable[[Role | None], str]:
    """A predicate for each role by its name in lower case; `anyone` serves the rest, the signed-out included, else nobody."""
    rest = predicates.pop("anyone", _NONE)
    table = {Role(name.upper()): sql for name, sql in predicates.items()}
    return lambda role: table.get(role, rest) if role is not None else rest


_ACCOUNT = _by_role(
    anyone="{t}.id = :viewer_account",
    # Officers know their colleagues, to hand cases over.
    local_officer="({t}.id = :viewer_account OR ({t}.role = 'LOCAL_OFFICER' AND {t}.pool_code = :viewer_pool AND {t}.status = 'ACTIVE'))",
    provincial_officer="({t}.id = :viewer_account OR ({t}.role = 'PROVINCIAL_OFFICER' AND {t}.status = 'ACTIVE'))",
    administrator="({t}.id = :viewer_account OR {t}.role <> 'EXPERT')",
)
# The office that an expert asks to leave sees the case and has no part in deciding it.
_APPLICATION = _by_role(
    expert="{t}.expert_id = :viewer_expert",
    local_officer="({t}.round > 0 AND ({t}.pool_code = :viewer_pool OR {t}.leaving_pool_code = :viewer_pool))",
    provincial_officer="{t}.round > 0",
)
_OFFICE_CASE = _by_role(local_officer="({t}.round > 0 AND {t}.pool_code = :viewer_pool)", provincial_officer="{t}.round > 0")
_LEAVING_CASE = _by_role(
    local_officer="({t}.round > 0 AND {t}.leaving_pool_code = :viewer_pool)",
    provincial_officer=f"({{t}}.round > 0 AND {{t}}.kind = '{CaseKind.DIVISION_CHANGE.value}')",
)
_EXPERT = _by_role(
    expert="{t}.id = :viewer_expert",
    local_officer="({t}.pool_code = :viewer_pool OR EXISTS "
    "(SELECT FROM applications a WHERE a.expert_id = {t}.id AND a.round > 0 AND a.pool_code = :viewer_pool))",
    # A registration that was revoked may never have come to a case.
    provincial_officer="({t}.number IS NOT NULL OR {t}.standing = 'DEREGISTERED' OR EXISTS "
    "(SELECT FROM applications a WHERE a.expert_id = {t}.id AND a.round > 0))",
)
# An office sees what is, or was, in force for the experts of its pool, and else what the cases that it sees are or were about.
_IN_FORCE = (
    "({t}.state IN ('EFFECTIVE', 'SUPERSEDED') AND EXISTS "
    "(SELECT FROM experts member WHERE member.id = {t}.expert_id AND member.pool_code = :viewer_pool))"
)
_OFFICE_SEES = _APPLICATION(Role.LOCAL_OFFICER).replace("{t}", "asked")
_OF_CASES = (
    f"EXISTS (SELECT FROM applications asked WHERE asked.expert_id = {{t}}.expert_id AND {_OFFICE_SEES} AND (asked.revision_id = {{t}}.id "  # noqa: S608  our own constant
    "OR EXISTS (SELECT FROM application_records told WHERE told.application_id = asked.id AND told.revision_id = {t}.id)))"
)
_OFFICE_EXPERT = _by_role(
    local_officer="{t}.pool_code = :viewer_pool",
    # As above, but with OFFSET PostgreSQL asks of each person; else it reads every case for a page of the list, to know all who have one.
    provincial_officer="({t}.number IS NOT NULL OR {t}.standing = 'DEREGISTERED' OR EXISTS "
    "(SELECT FROM applications a WHERE a.expert_id = {t}.id AND a.round > 0 OFFSET 0))",
)
_REVISION = _by_role(
    expert="{t}.expert_id = :viewer_expert",
    local_officer=f"({{t}}.state <> 'DRAFT' AND ({_IN_FORCE} OR {_OF_CASES}))",
    provincial_officer="{t}.state <> 'DRAFT'",
)


def _through(column: str, table: str, parent: Callable[[Role | None], str]) -> Callable[[Role | None], str]:
    """Visible where the row that it belongs to is."""

    def predicate(role: Role | None) -> str:
        inner = parent(role)
        if inner in (_NONE, _ALL):
            return inner
        # An alias of its own for each table: predicates nest.
        return f"EXISTS (SELECT FROM {table} of_{table} WHERE of_{table}.id = {{t}}.{column} AND {inner.format(t=f'of_{table}')})"

    return predicate


def _for_officers(column: str) -> Callable[[Role | None], str]:
    """Visible to the officers of the case that it belongs to; not to the expert, whose case it is too."""
    case = _through(column, "applications", _APPLICATION)
    return lambda role: case(role) if role in _OFFICERS else _NONE


_MESSAGE = _through("application_id", "applications", _OFFICE_CASE)


def _message(role: Role | None) -> str:
    return _ALL if role is Role.ADMINISTRATOR else _MESSAGE(role)


_FILE_COLUMNS = (
    ("education", "certificate_id"),
    ("title_entries", "certificate_id"),
    ("qualification_entries", "certificate_id"),
    ("other_materials", "file_id"),
)


_NAMES_FILES = frozenset({*_FILE_COLUMNS, ("revisions", "portrait_id"), ("revisions", "id_front_id"), ("revisions", "id_back_id")})
_NAMES_REVISIONS = frozenset({("applications", "revision_id"), ("application_records", "revision_id")})


def _file(role: Role | None) -> str:
    if role not in _OFFICERS:
        return "{t}.owner_id = :viewer_account"
    revision = f"r.expert_id = x.id AND {_REVISION(role).format(t='r')}"
    own = f"EXISTS (SELECT FROM revisions r WHERE {{t}}.id IN (r.portrait_id, r.id_front_id, r.id_back_id) AND {revision})"
    named = [
        f"EXISTS (SELECT FROM {table} s JOIN revisions r ON r.id = s.revision_id WHERE s.{column} = {{t}}.id AND {revision})"
        for table, column in _FILE_COLUMNS
    ]
    return f"EXISTS (SELECT FROM experts x WHERE x.account_id = {{t}}.owner_id AND ({' OR '.join([own, *named])}))"


RUNNING = Where("{t}.state = 'OPEN' AND {t}.closes_at > :now")
"""Notices that run: those that everybody sees."""


def _notice(role: Role | None) -> str:
    case = _through("application_id", "applications", _APPLICATION)(role)
    return f"({RUNNING.sql})" if case == _NONE else f"(({RUNNING.sql}) OR {case})"


# A schedule follows its expert to another pool.
_SCHEDULE = _through(
    "expert_id",
    "experts",
    lambda role: "{t}.pool_code = :viewer_pool" if role is Role.LOCAL_OFFICER else _EXPERT(role),
)
_MERGE = _by_role(
    local_officer="{t}.from_code IN (SELECT merged.code FROM divisions merged WHERE merged.pool_code = :viewer_pool)",
    provincial_officer=_ALL,
    administrator=_ALL,
)
_OBJECTION = _by_role(provincial_officer=_ALL)


def _everyone(_: Role | None) -> str:
    return _ALL


_OWN: Mapping[type[Model], Callable[[Role | None], str]] = MappingProxyType(
    {
        accounts.Account: _ACCOUNT,
        accounts.Session: _by_role(anyone="({t}.account_id = :viewer_account AND {t}.ended_at IS NULL AND {t}.expires_at > :now)"),
        accounts.Consent: _by_role(anyone="{t}.account_id = :viewer_account"),
        accounts.StaffAct: _by_role(administrator=_ALL),
        accounts.ClearRead: _by_role(anyone="{t}.subject_id = :viewer_account"),
        applications.Application: _APPLICATION,
        applications.ApplicationNote: _for_officers("application_id"),
        experts.Expert: _EXPERT,
        # Whoever else may see what is in it. An officer who moved has left the former office's rows behind.
        exports.Export: _by_role(anyone="({t}.requested_by_id = :viewer_account AND {t}.pool_code IS NOT DISTINCT FROM :viewer_pool)"),
        files.StoredFile: _file,
        pools.PoolMerge: _MERGE,
        profiles.Revision: _REVISION,
        publicity.Objection: _OBJECTION,
        publicity.PublicNotice: _notice,
        schedule.ScheduleOccurrence: _SCHEDULE,
        schedule.SchedulePeriod: _SCHEDULE,
        sms.SmsMessage: _message,
        reference.Division: _everyone,
        reference.Specialty: _everyone,
        reference.Title: _everyone,
        reference.Qualification: _everyone,
        reference.Code: _everyone,
        reference.CalendarDay: _everyone,
        reference.HelpArticle: _everyone,
        reference.HelpContact: _everyone,
    }
)


_SECTIONS = (
    profiles.Education,
    profiles.TitleEntry,
    profiles.WorkEntry,
    profiles.QualificationEntry,
    profiles.RevisionSpecialty,
    profiles.AvoidanceUnit,
    profiles.OtherMaterial,
)
_THROUGH: Mapping[type[Model], tuple[str, type[Model]]] = MappingProxyType(
    {
        applications.ApplicationRecord: ("application_id", applications.Application),
        pools.PoolTransfer: ("expert_id", experts.Expert),
        publicity.NoticeSpecialty: ("notice_id", publicity.PublicNotice),
        standing.StandingRecord: ("expert_id", experts.Expert),
        **dict.fromkeys(_SECTIONS, ("revision_id", profiles.Revision)),
    }
)
_PREDICATES: Mapping[type[Model], Callable[[Role | None], str]] = MappingProxyType(
    dict(_OWN) | {model: _through(column, parent._meta.db_table, _OWN[parent]) for model, (column, parent) in _THROUGH.items()}
)


def visible_through(model: type[Model]) -> tuple[str, type[Model]] | None:
    """The column and the noun through which rows of `model` are visible, where that is the whole predicate."""
    return _THROUGH.get(model)


def visible_where_named(model: type[Model], parent: type[Model], column: str) -> bool:
    """Whether a row of `model` is visible wherever a visible row of `parent` names it in `column`.

    So are the revisions that cases and their records are about: frozen ones, of the expert whose case it is. So are images: revisions and
    their sections name only those of their own expert (domain/actions/attachments), which is what the predicate of files asks for, the long
    way round.
    """
    named = (parent._meta.db_table, column)
    return named in (_NAMES_FILES if model is files.StoredFile else _NAMES_REVISIONS if model is profiles.Revision else ())


def visible(model: type[Model], role: Role | None, conditions: Container[str] = ()) -> str:
    """The predicate of a noun for a role (None: signed out), with `{t}` for the alias; raises KeyError for a noun nobody may read.

    Under conditions that only rows meet which the viewer sees there is nothing left to ask: a list of notices that run is then read, and
    counted, from its index alone, and an office's cases from theirs. Asked twice, PostgreSQL would take them for fewer than they are.
    """
    if model is publicity.PublicNotice and RUNNING.sql in conditions:
        return _ALL
    if model is applications.Application and role in _OFFICERS and (of_office(role).sql in conditions or leaving(role).sql in conditions):
        return _ALL
    if model is experts.Expert and role in _OFFICERS and experts_of_office(role).sql in conditions:
        return _ALL
    return _PREDICATES[model](role)


@cache
def is_public(model: type[Model]) -> bool:
    """Whether who is not signed in may see any row of a noun: a predicate that names the viewer holds for nobody then."""
    predicate = visible(model, None)
    return predicate != _NONE and ":viewer_" not in predicate


def met(model: type[Model], role: Role | None, conditions: Sequence[str]) -> str:
    """What rows of a noun meet that a viewer of this role sees and that meet these conditions too, in SQL with `{t}` for the alias."""
    return " AND ".join(f"({each})" for each in (visible(model, role, conditions), *conditions))


async def select(
    model: type[Found],
    *,
    viewer: Viewer | None,
    now: datetime,
    where: Sequence[Where] = (),
    order: str = "{t}.id",
    limit: int | None = None,
    lock: bool = False,
) -> list[Found]:
    """Rows of a noun that the viewer may see, under further conditions, in one statement; locked until the transaction ends, if wanted."""
    text = selecting(model, viewer.role if viewer else None, [each.sql for each in where], order=order)
    if limit is not None:
        text += f" LIMIT {limit:d}"
    if lock:
        text += " FOR UPDATE OF t"
    sql, arguments = bind(text, values_of(where, viewer, now))
    return [model.of(each) for each in await rows(sql, *arguments)]


async def one(model: type[Found], key: UUID, *, viewer: Viewer | None, now: datetime, lock: bool = False) -> Found:
    """The row of this id, if the viewer may see it; raises NotFound for all others, whether they are there or not."""
    found = await select(model, viewer=viewer, now=now, where=[Where("{t}.id = :wanted", {"wanted": key})], lock=lock)
    if not found:
        raise NotFound
    return found[0]


def selecting(model: type[Model], role: Role | None, conditions: Sequence[str], *, order: str = "", also: str = "") -> str:
    """The statement that reads rows of a noun that a viewer of this role may see, under further conditions; `also` is further columns."""
    wanted = f"{columns(model, 't')}, {also}" if also else columns(model, "t")
    text = f"SELECT {wanted} FROM {model._meta.db_table} t WHERE {met(model, role, conditions)}"  # noqa: S608  our own constants
    return (f"{text} ORDER BY {order}" if order else text).replace("{t}", "t")


async def count(model: type[Model], *, viewer: Viewer | None, now: datetime, limit: int, where: Sequence[Where] = ()) -> int:
    """How many rows of a noun the viewer may see under the conditions, counted up to `limit`: the cost must not grow with the table."""
    seen = met(model, viewer.role if viewer else None, [each.counted for each in where])
    text = f"SELECT count(*) AS n FROM (SELECT FROM {model._meta.db_table} t WHERE {seen} LIMIT {limit:d}) counted"  # noqa: S608  our own constants
    sql, arguments = bind(text.replace("{t}", "t"), values_of(where, viewer, now))
    found: int = (await rows(sql, *arguments))[0]["n"]
    return found


def former_registrations(role: Role | None) -> str:
    """SQL of the earlier registrations under the id number of an expert `{t}`, the newest first; for the province alone."""
    return f"""SELECT 'Expert_' || x.id AS expert_id, x.number, x.standing,
            (x.created_at AT TIME ZONE 'Asia/Shanghai')::date AS registered_on,
            (SELECT (max(s.at) AT TIME ZONE 'Asia/Shanghai')::date FROM standing_records s WHERE s.expert_id = x.id) AS left_on,
            (SELECT s.change FROM standing_records s WHERE s.expert_id = x.id ORDER BY s.at DESC, s.id DESC LIMIT 1) AS change
        FROM accounts mine JOIN accounts a ON a.id_number_hash = mine.id_number_hash AND a.created_at < mine.created_at
        JOIN experts x ON x.account_id = a.id
        WHERE mine.id = {{t}}.account_id AND {_ALL if role is Role.PROVINCIAL_OFFICER else _NONE} ORDER BY a.created_at DESC"""  # noqa: S608  our own constants


def of_office(role: Role) -> Where:
    """The cases that an office has: for a local one those of its pool, without those that it only sees because an expert leaves it."""
    return Where(_OFFICE_CASE(role))


def experts_of_office(role: Role) -> Where:
    """The experts whom an office has: for a local one those of its pool, without those whom it only sees because of a case."""
    return Where(_OFFICE_EXPERT(role))


def leaving(role: Role) -> Where:
    """The changes of division by which experts leave an office's pool; for the province all."""
    return Where(_LEAVING_CASE(role))


async def queue_counts(*, viewer: Viewer, now: datetime, where: Sequence[Where], since: Sequence[datetime]) -> list[dict[str, Any]]:
    """Open cases that the viewer may see under the conditions, by stage and pool: total, overdue, claimed, and `waiting`: how many have
    stood there since before each of the instants."""
    seen = met(applications.Application, viewer.role, ["{t}.closed_at IS NULL", *(each.sql for each in where)])
    values = values_of(where, viewer, now) | {f"since_{number}": each for number, each in enumerate(since)}
    waiting = ", ".join(f"count(*) FILTER (WHERE t.stage_since < :since_{number})" for number in range(len(since)))
    text = (
        "SELECT t.stage, t.pool_code, count(*) AS total, count(*) FILTER (WHERE t.due_at < :now) AS overdue, "  # noqa: S608  our own constants
        f"count(*) FILTER (WHERE t.claimed_until > :now) AS claimed, ARRAY[{waiting}] AS waiting FROM applications t "
        f"WHERE {seen} GROUP BY t.stage, t.pool_code ORDER BY t.pool_code"
    )
    sql, arguments = bind(text.replace("{t}", "t"), values)
    return [dict(row) for row in await rows(sql, *arguments)]
