"""Editing a profile: the draft under lock, its version, and the draft's rows of an entry."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from tortoise.models import Model

from domain.actions.revisions import next_version, open_draft
from domain.rules.errors import NotAllowed, NotFound, Stale
from domain.rules.viewer import Viewer
from models.database import rows, transaction
from models.experts import Expert
from models.profiles import Revision

Entry = TypeVar("Entry", bound=Model)


@asynccontextmanager
async def editing(viewer: Viewer, *, now: datetime, expected_version: int | None) -> AsyncIterator[Revision]:
    """The viewer's draft, locked; kept with its next version when the body ends well, and nothing at all where it does not.

    Raises NotAllowed for who is no expert, Stale where the draft is not at the expected version, and what `open_draft` raises.
    """
    if viewer.expert_id is None:
        raise NotAllowed
    async with transaction():
        expert = await Expert.get(id=viewer.expert_id)
        draft = await open_draft(expert, now=now)
        if expected_version is not None and expected_version != draft.version:
            raise Stale(draft.version)
        yield draft
        draft.version = next_version(draft, expert)
        draft.updated_at = now
        await draft.save()


async def own_entry(model: type[Entry], entry: UUID, draft: Revision) -> Entry:
    """The draft's row of an entry; raises NotFound."""
    found = await row_in_draft(model, entry, draft)
    if found is None:
        raise NotFound
    return await model.get(id=found)


async def row_in_draft(model: type[Model], entry: UUID, draft: Revision) -> UUID | None:
    """The draft's row of the entry that `entry` is a row of, in this or an earlier revision of the same person.

    A client may have read the entry before the draft was copied: its rows have other ids, the entry is the same.
    """
    table = model._meta.db_table
    found = await rows(
        f"""SELECT mine.id FROM {table} known
            JOIN revisions r ON r.id = known.revision_id AND r.expert_id = $2
            JOIN {table} mine ON mine.entry_id = known.entry_id AND mine.revision_id = $3
            WHERE known.id = $1""",  # noqa: S608  the name of our own table
        entry,
        draft.expert_id,
        draft.pk,
    )
    return found[0]["id"] if found else None
