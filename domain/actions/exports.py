"""Exports 导出: asked for by a person, made by a worker, downloaded by that person alone, gone after some hours (rules §3, §9)."""

from __future__ import annotations

import os
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import partial
from typing import IO, Any
from uuid import UUID

import structlog

from domain import lists, reads
from domain.actions import downloads, exporting, outbox, own_data, sheets, storage
from domain.actions.clear_reads import record_image
from domain.actions.files import drop_unused
from domain.actions.forms import set_form
from domain.actions.passwords import password_opens
from domain.actions.promises import promise
from domain.rules.errors import NotAllowed, NotFound, Refusal, SignInRefused, TooSoon, Unavailable
from domain.rules.viewer import Viewer
from models.accounts import Account
from models.database import database_now, execute, rows, take_turns, transaction
from models.enums import AccountStatus, ExportKind, ExportState, Role
from models.experts import Expert
from models.exports import Export
from models.files import StoredFile
from models.outbox import OutboxRow
from models.profiles import Revision
from settings import settings

log = structlog.get_logger("domain.actions.exports")

PROMISE = "EXPORT"
UNDER_WAY = (ExportState.QUEUED, ExportState.RUNNING)
_MEDIA = {
    ExportKind.APPLICATION_FORM: "application/pdf",
    ExportKind.CASES: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ExportKind.EXPERTS: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    ExportKind.OWN_DATA: "application/zip",
}
_DAY = timedelta(days=1)
_STILL_LOADING = timedelta(minutes=10)
_BATCH = 100


# Asking


async def ask_form(revision_id: UUID, *, viewer: Viewer, now: datetime) -> Export:
    """Have the application form of a profile set, for whoever may see the profile. Raises NotFound, and as `_ask`."""
    if not await _sees(revision_id, viewer, now):
        raise NotFound
    return await _ask(ExportKind.APPLICATION_FORM, {}, subject_id=revision_id, viewer=viewer, now=now)


async def ask_cases(chosen: lists.CaseFilter, *, viewer: Viewer, now: datetime) -> Export:
    """Have an officer's cases listed. Raises NotAllowed for others, and as `_ask`."""
    if not viewer.is_officer:
        raise NotAllowed
    return await _ask(ExportKind.CASES, lists.as_kept(chosen), viewer=viewer, now=now)


async def ask_experts(chosen: lists.ExpertFilter, *, viewer: Viewer, now: datetime) -> Export:
    """Have the experts listed whom an officer may see. Raises NotAllowed for others, and as `_ask`."""
    if not viewer.is_officer:
        raise NotAllowed
    return await _ask(ExportKind.EXPERTS, lists.as_kept(chosen), viewer=viewer, now=now)


async def ask_own_data(*, password: str, viewer: Viewer, address: str, now: datetime) -> Export:
    """Have everything gathered that is kept of an expert; the password shows that it is not just somebody at an open screen.

    Raises NotAllowed for staff, SignInRefused for a wrong password, TooSoon after too many, and as `_ask`.
    """
    if viewer.role is not Role.EXPERT:
        raise NotAllowed
    account = await Account.get(id=viewer.account_id)
    if not await password_opens(account, password, phone_hash=account.phone_hash, address=address, now=now):
        raise SignInRefused("PASSWORD_WRONG")
    return await _ask(ExportKind.OWN_DATA, {}, viewer=viewer, now=now)


async def _ask(kind: ExportKind, conditions: Mapping[str, Any], *, subject_id: UUID | None = None, viewer: Viewer, now: datetime) -> Export:
    """Write the order down; asking for what is under way answers with it.

    Raises NotAllowed EXPORT_UNDER_WAY while another of this kind is being made, TooSoon beyond `exports_per_day`.
    """
    async with transaction():
        await take_turns(viewer.account_id.bytes)
        running = await Export.get_or_none(requested_by_id=viewer.account_id, kind=kind, state__in=UNDER_WAY)
        if running is not None:
            if (running.subject_id, running.conditions, running.pool_code) != (subject_id, dict(conditions), viewer.pool_code):
                raise NotAllowed("EXPORT_UNDER_WAY")
            return running
        asked = Export.filter(requested_by_id=viewer.account_id, kind=kind, created_at__gt=now - _DAY).order_by("-created_at")
        if (last := await asked.offset(settings().exports_per_day - 1).first()) is not None:
            raise TooSoon(int((last.created_at + _DAY - now).total_seconds()) + 1, "EXPORTS_USED_UP")
        export = await Export.create(
            kind=kind,
            requested_by_id=viewer.account_id,
            pool_code=viewer.pool_code,
            subject_id=subject_id,
            conditions=dict(conditions),
            created_at=now,
        )
        await promise(PROMISE, export.id, due_at=now, now=now)
    return export


# Making


async def make(row: OutboxRow) -> None:
    """Keep the promise of an export: make its file under the rights that the person has now, and store it sealed.

    May run twice and be broken off anywhere: each run makes the whole file under a name of its own, and the one that still holds the
    claim at the end is kept. A refusal ends the export; a store that is away is raised, to be tried again.
    """
    export = await _begin(row)
    if export is None:
        return
    try:
        with storage.spool() as target:
            viewer, now = await _asker(export), await database_now()
            name = await _write(export, target, viewer=viewer, now=now)
            key = storage.key_of(os.urandom(32))
            target.flush()
            size = target.seek(0, os.SEEK_END)
            await storage.put(key, target)
    except Unavailable:
        raise
    except Refusal as refusal:
        await _end(row, export.id, refusal.code)
        return
    if not await _ready(row, export.id, key=key, name=name, media_type=_MEDIA[export.kind], size=size):
        await storage.remove(key)


async def give_up(export_id: UUID, error: str) -> None:
    """The promise of this export is dead: the person is told that it failed. Nothing happens to one that has ended."""
    failed = Export.filter(id=export_id, state__in=UNDER_WAY)
    if await failed.update(state=ExportState.FAILED, failure="EXPORT_FAILED", conditions={}, finished_at=await database_now()):
        log.error("export failed", export=str(export_id), error=error)


async def _begin(row: OutboxRow) -> Export | None:
    async with transaction():
        if not await outbox.hold(row):
            return None
        export = await Export.select_for_update().get_or_none(id=row.subject_id)
        if export is None or export.state not in UNDER_WAY:
            await outbox.done(row)
            return None
        export.state, export.done, export.total = ExportState.RUNNING, 0, None
        await export.save(update_fields=["state", "done", "total"])
    return export


async def _asker(export: Export) -> Viewer:
    """Who asked, with the rights of now. Raises NotAllowed where the account is closed or has moved to another office since."""
    account = await Account.get(id=export.requested_by_id)
    if account.status is not AccountStatus.ACTIVE or account.pool_code != export.pool_code:
        raise NotAllowed
    expert = await Expert.get_or_none(account_id=account.id)
    return Viewer(
        account_id=account.id,
        session_id=export.id,  # no session is at work here
        role=account.role,
        name=account.name,
        pool_code=account.pool_code,
        expert_id=None if expert is None else expert.id,
    )


async def _write(export: Export, target: IO[bytes], *, viewer: Viewer, now: datetime) -> str:
    """Write the file; its name."""
    progress = partial(_note_progress, export.id)
    match export.kind:
        case ExportKind.APPLICATION_FORM:
            if export.subject_id is None or not await _sees(export.subject_id, viewer, now):
                raise NotFound
            return await set_form(export.subject_id, target, viewer=viewer, now=now)
        case ExportKind.CASES:
            where = lists.case_filter(export.conditions).conditions(viewer)
            return await sheets.write_sheet(sheets.CASES, where, target, viewer=viewer, now=now, progress=progress)
        case ExportKind.EXPERTS:
            chosen = lists.expert_filter(export.conditions).conditions(viewer)
            return await sheets.write_sheet(sheets.EXPERTS, chosen, target, viewer=viewer, now=now, progress=progress)
        case ExportKind.OWN_DATA:
            return await own_data.write_own_data(target, viewer=viewer, now=now, progress=progress)


async def _sees(revision_id: UUID, viewer: Viewer, now: datetime) -> bool:
    chosen = reads.Where("{t}.id = :revision", {"revision": revision_id})
    return bool(await reads.count(Revision, viewer=viewer, now=now, where=[chosen], limit=1))


async def _note_progress(export_id: UUID, done: int, total: int) -> None:
    await execute("UPDATE exports SET done = $2, total = $3 WHERE id = $1 AND state = 'RUNNING'", export_id, done, total)


async def _ready(row: OutboxRow, export_id: UUID, *, key: str, name: str, media_type: str, size: int) -> bool:
    async with transaction():
        if not await outbox.done(row):
            return False
        export, now = await Export.select_for_update().get(id=export_id), await database_now()
        if export.state not in UNDER_WAY:
            return False
        export.state, export.finished_at, export.expires_at = ExportState.READY, now, now + timedelta(hours=settings().export_hours)
        export.object_key, export.file_name, export.media_type, export.size = key, name, media_type, size
        export.conditions = {}  # somebody's name may have been looked for
        export.total = export.done = 1 if export.total is None else export.total  # a form is one thing
        await export.save()
        return True


async def _end(row: OutboxRow, export_id: UUID, failure: str) -> None:
    async with transaction():
        if await outbox.done(row):
            now = await database_now()
            await Export.filter(id=export_id, state__in=UNDER_WAY).update(
                state=ExportState.FAILED, failure=failure, conditions={}, finished_at=now
            )


# Downloading


def download_address(export_id: UUID, *, viewer: Viewer, now: datetime) -> str:
    """Path and query under which this session, and no other, gets the export for `download_minutes`."""
    return downloads.address("exports", export_id, viewer=viewer, now=now)


async def opened(export_id: UUID, *, expires: int, signature: str, viewer: Viewer, now: datetime) -> Export:
    """The export behind a download address, to be read from storage now. Own data are given out once: who breaks off asks anew.

    That an officer took along a form with somebody's photo is recorded for that person. Raises NotFound, NotAllowed DOWNLOAD_EXPIRED as
    files do; NotAllowed EXPORT_GONE where there is nothing to load (any more); Unavailable.
    """
    downloads.check("exports", export_id, expires=expires, signature=signature, viewer=viewer, now=now)
    async with transaction():
        export = await reads.one(Export, export_id, viewer=viewer, now=now, lock=True)
        if export.state is not ExportState.READY or export.expires_at is None or export.expires_at <= now or export.object_key is None:
            raise NotAllowed("EXPORT_GONE")
        await storage.require(export.object_key)
        export.downloaded_at = now
        if export.kind is ExportKind.OWN_DATA:
            export.state = ExportState.DOWNLOADED
        await export.save(update_fields=["state", "downloaded_at"])
        if export.kind is ExportKind.APPLICATION_FORM and viewer.expert_id is None:
            await _record_look(export, viewer, now)
    return export


async def _record_look(export: Export, viewer: Viewer, now: datetime) -> None:
    revision = await Revision.get(id=export.subject_id)
    if portrait := await StoredFile.get_or_none(id=revision.portrait_id):
        await record_image(portrait, viewer=viewer, now=now)


# Clearing away


async def sweep(*, now: datetime) -> int:
    """End what was not downloaded in time and take away the files of what has ended; how many exports. Safe to run late and twice.

    A file that could not be taken away is nobody's from then on, and left to the sweep of stored files.
    """
    swept = 0
    while keys := await _end_due(now):
        swept += len(keys)
        for key in keys:
            await drop_unused(key)
    exporting.clear_left_behind(now=now)
    return swept


async def _end_due(now: datetime) -> list[str]:
    """End a batch of exports whose file is to go; the files. What another worker is at is left to it."""
    found = await rows(
        f"""WITH due AS (
                SELECT id, object_key FROM exports
                WHERE object_key IS NOT NULL AND (expires_at <= $1 OR state = 'DOWNLOADED' AND downloaded_at <= $2)
                ORDER BY id LIMIT {_BATCH} FOR UPDATE SKIP LOCKED),
            ended AS (
                UPDATE exports e SET object_key = NULL, state = CASE e.state WHEN 'READY' THEN 'EXPIRED' ELSE e.state END
                FROM due WHERE e.id = due.id)
            SELECT object_key FROM due""",  # noqa: S608  a constant above
        now,
        now - _STILL_LOADING,
    )
    return [each["object_key"] for each in found]
