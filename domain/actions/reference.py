"""Loads the reference data, again whenever there is something newer."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tortoise.models import Model

from domain.actions.calendar import LOCK, recompute_windows
from domain.actions.pools import closed_pools, without_successor
from domain.actions.promises import announce
from domain.rules.help import parse_articles
from domain.rules.pools import as_closed, as_merged
from domain.rules.reference import Flaw, Loaded, ReferenceFlawed, Row, calendar_change, parse
from models.database import database_now, rows, transaction
from models.reference import CalendarDay, Code, Division, DivisionAlias, HelpArticle, HelpContact, Qualification, Specialty, Title

_MODELS: Mapping[str, type[Model]] = {
    model._meta.db_table: model
    for model in (CalendarDay, Code, Division, DivisionAlias, HelpArticle, HelpContact, Qualification, Specialty, Title)
}


@dataclass(frozen=True, slots=True)
class Counts:
    """What became of one file's rows; `retired` counts rows that are in the table and no longer in the file."""

    inserted: int
    updated: int
    retired: int
    unchanged: int

    def __str__(self) -> str:
        return f"{self.inserted} new, {self.updated} changed, {self.retired} retired, {self.unchanged} as before"


@dataclass(frozen=True, slots=True)
class LoadReport:
    """What a load did, by file."""

    files: Mapping[str, Counts]
    calendar_changed: bool
    """Working days are others than before: the windows of open notices were counted anew."""

    def __str__(self) -> str:
        return "\n".join(f"{file}: {counts}" for file, counts in self.files.items())


async def load(source: Path) -> LoadReport:
    """Bring the tables in line with the CSV files and help articles (help/*.md) of a directory, or with one file, all in one transaction.

    New rows are inserted, changed ones updated; rows that are no longer in a file are retired, not deleted, because profiles name them,
    and come back when a file names them again. Aliases of divisions are only added to. Of the calendar, whole years are
    replaced. The same files a second time change nothing. Raises ReferenceFlawed, with nothing changed, when a file
    cannot be used as it is.
    """
    texts = await asyncio.to_thread(_texts, source)
    articles = {name: texts.pop(name) for name in list(texts) if name.endswith(".md")}
    loaded = [*([parse_articles(articles)] if articles else []), *(parse(texts) if texts else [])]
    async with transaction():
        await rows("SELECT pg_advisory_xact_lock($1)", LOCK)
        counts = {each.file: await (_load_calendar(each) if each.table == "calendar_days" else _load(each)) for each in loaded}
        await announce("referenceChanged")
        changed = any(_changes(counts[each.file]) for each in loaded if each.table == "calendar_days")
        if changed:
            await recompute_windows(now=await database_now())
    return LoadReport(counts, calendar_changed=changed)


def _texts(source: Path) -> dict[str, str]:
    paths = [source] if source.is_file() else sorted((*source.glob("*.csv"), *source.glob("help/*.md")))
    if not paths:
        raise ReferenceFlawed([Flaw(str(source), 0, "there is no CSV file here")])
    texts: dict[str, str] = {}
    flaws: list[Flaw] = []
    for path in paths:
        content = path.read_bytes()
        try:
            texts[path.name] = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            flaws.append(Flaw(path.name, content.count(b"\n", 0, error.start) + 1, "this is not UTF-8; save the table as “CSV UTF-8”"))
    if flaws:
        raise ReferenceFlawed(flaws)
    return texts


async def _load(file: Loaded) -> Counts:
    model = _MODELS[file.table]
    may_retire = "retired" in model._meta.fields
    kept = {row[file.key]: row for row in await model.filter(**file.scope).values()}
    told = as_closed(as_merged(file.rows, await closed_pools()), await without_successor()) if model is Division else file.rows
    new = [row | ({"retired": False} if may_retire else {}) for row in told]
    counts = await _write(model, file.key, kept, new)
    named = {row[file.key] for row in new}
    vanished = [key for key, row in kept.items() if may_retire and key not in named and not row["retired"]]
    if vanished:
        await model.filter(**file.scope, **{f"{file.key}__in": vanished}).update(retired=True)
    return Counts(*counts, len(vanished), len(new) - sum(counts))


async def _load_calendar(file: Loaded) -> Counts:
    kept = {row["date"]: row for row in await CalendarDay.all().values()}
    change = calendar_change({day: row["status"] for day, row in kept.items()}, file.rows)
    counts = await _write(CalendarDay, file.key, kept, change.put)
    if change.forget:
        await CalendarDay.filter(date__in=change.forget).delete()
    return Counts(*counts, len(change.forget), len(file.rows) - sum(counts))


async def _write(model: type[Model], key: str, kept: Mapping[Any, Mapping[str, Any]], new: Sequence[Row]) -> tuple[int, int]:
    """Insert what is not kept and update what is kept otherwise; how many of each."""
    inserted = [row for row in new if row[key] not in kept]
    updated = [row for row in new if row[key] in kept and any(kept[row[key]][name] != value for name, value in row.items())]
    await model.bulk_create([model(**row) for row in inserted])
    primary = model._meta.pk_attr
    for row in updated:
        await model.filter(pk=row[primary]).update(**{name: value for name, value in row.items() if name != primary})
    return len(inserted), len(updated)


def _changes(counts: Counts) -> bool:
    return bool(counts.inserted or counts.updated or counts.retired)
