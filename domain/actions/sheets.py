"""Officers' lists as XLSX: the rows that they may see under the conditions they set, in the order in which they came to be."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import IO, Any
from uuid import UUID

import orjson
from tortoise.models import Model

from domain import reads
from domain.actions import exporting, storage
from domain.actions.exporting import Progress
from domain.reads import Where
from domain.rules.errors import NotAllowed
from domain.rules.viewer import Viewer
from models.applications import Application
from models.database import rows
from models.enums import CaseKind, Role, Stage, Standing, Vocabulary
from models.experts import Expert
from models.profiles import Revision
from settings import settings

_PAGE = 1_000
_FIRST = UUID(int=0)


@dataclass(frozen=True, slots=True)
class _Column:
    """A column: label, width in letters, and its text in SQL over the row `t`, its profile `r` and its pool `d`."""

    label: str
    width: int
    sql: str
    words: type[Vocabulary] | None = None


@dataclass(frozen=True, slots=True)
class _Sheet:
    """A list: `revision` and `pool` name the profile and the pool of a row."""

    title: str
    model: type[Model]
    revision: str
    pool: str
    columns: tuple[_Column, ...]


def _time(instant: str) -> str:
    return f"to_char({instant} AT TIME ZONE 'Asia/Shanghai', 'YYYY-MM-DD HH24:MI')"


def _named(table: str, code: str, names: str) -> str:
    """The names that a section of the profile comes to."""
    section = f"{table} s JOIN {names} n ON n.code = s.{code} WHERE s.revision_id = r.id"
    return f"(SELECT string_agg(n.name, '、' ORDER BY s.position, s.id) FROM {section})"  # noqa: S608  our own names


CASES = _Sheet(
    "办件清单",
    Application,
    "t.revision_id",
    "t.pool_code",
    (
        _Column("申请编号", 50, "'Application_' || t.id"),
        _Column("事项", 12, "t.kind", CaseKind),
        _Column("申请人", 12, "t.applicant"),
        _Column("证件号码", 22, "r.id_number_masked"),
        _Column("工作单位", 30, "t.employer"),
        _Column("隶属专家库", 20, "d.name"),
        _Column("评标专业", 40, _named("revision_specialties", "specialty_code", "specialties")),
        _Column("当前环节", 12, "t.stage", Stage),
        _Column("提交次数", 10, "t.round::text"),
        _Column("最近提交时间", 18, _time("t.submitted_at")),
        _Column("进入环节时间", 18, _time("t.stage_since")),
        _Column("办理期限", 18, _time("t.due_at")),
        _Column("是否超期", 10, "CASE WHEN t.due_at < :now THEN '是' ELSE '否' END"),
        _Column("办理人", 12, "CASE WHEN t.claimed_until > :now THEN t.claimed_by_name END"),
        _Column("办结时间", 18, _time("t.closed_at")),
    ),
)
_LATEST = "SELECT v.id FROM revisions v WHERE v.expert_id = t.id AND v.state <> 'DRAFT' ORDER BY v.number DESC LIMIT 1"
EXPERTS = _Sheet(
    "专家名单",
    Expert,
    f"coalesce(t.effective_id, ({_LATEST}))",
    "coalesce(t.pool_code, r.home_pool_code)",
    (
        _Column("专家编号", 16, "t.number"),
        _Column("姓名", 12, "t.name"),
        _Column("状态", 12, "t.standing", Standing),
        _Column("证件号码", 22, "r.id_number_masked"),
        _Column("工作单位", 30, "r.employer"),
        _Column("备用电话", 16, "r.second_phone_masked"),
        _Column("隶属专家库", 20, "d.name"),
        _Column("评标专业", 40, _named("revision_specialties", "specialty_code", "specialties")),
        _Column("职称", 24, _named("title_entries", "title_code", "titles")),
        _Column("入库时间", 18, _time("t.formal_since")),
        _Column("暂停至", 12, "t.suspended_until::text"),
    ),
)


async def write_sheet(
    sheet: _Sheet, where: Sequence[Where], target: IO[bytes], *, viewer: Viewer, now: datetime, progress: Progress
) -> str:
    """Write a list to `target` as XLSX; the name of the file. Raises NotAllowed EXPORT_TOO_LARGE beyond `export_rows`.

    Pages follow the key, which never changes: rows that move meanwhile are neither missed nor doubled.
    """
    most = settings().export_rows
    total = await reads.count(sheet.model, viewer=viewer, now=now, where=where, limit=most + 1)
    if total > most:
        raise NotAllowed("EXPORT_TOO_LARGE")
    statement, values = _statement(sheet, where, viewer.role), reads.values_of(where, viewer, now)
    with storage.spool() as source:
        head = {"title": sheet.title, "columns": [(each.label, each.width) for each in sheet.columns]}
        source.write(orjson.dumps(head) + b"\n")
        done, after = 0, _FIRST
        await progress(done, total)
        while page := await _page(statement, values | {"after": after}):
            source.writelines(orjson.dumps(_texts(sheet, row)) + b"\n" for row in page)
            done, after = done + len(page), page[-1]["key"]
            await progress(done, max(total, done))
        await exporting.write("sheet", source, target)
    return f"{sheet.title}.xlsx"


def _statement(sheet: _Sheet, where: Sequence[Where], role: Role) -> str:
    """A page of rows that the role may see, with what it may see of their profiles."""
    seen = reads.met(sheet.model, role, [*(each.sql for each in where), "{t}.id > :after"])
    shown = ", ".join(f"{each.sql} AS c{place}" for place, each in enumerate(sheet.columns))
    return f"""SELECT t.id AS key, {shown} FROM {sheet.model._meta.db_table} t
        LEFT JOIN revisions r ON r.id = {sheet.revision} AND {reads.visible(Revision, role).replace("{t}", "r")}
        LEFT JOIN divisions d ON d.code = {sheet.pool}
        WHERE {seen.replace("{t}", "t")} ORDER BY t.id LIMIT {_PAGE}"""  # noqa: S608  our own constants


async def _page(statement: str, values: Mapping[str, Any]) -> Sequence[Any]:
    sql, arguments = reads.bind(statement, values)
    return await rows(sql, *arguments)


def _texts(sheet: _Sheet, row: Mapping[str, Any]) -> list[str | None]:
    shown = [row[f"c{place}"] for place in range(len(sheet.columns))]
    return [
        each.words(text).zh if each.words is not None and text is not None else text
        for each, text in zip(sheet.columns, shown, strict=True)
    ]
