"""Notes among the officers of a case: the expert never sees them, and nobody changes them (rules §5)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain import reads
from domain.actions.retries import once
from domain.rules.errors import NotFound
from domain.rules.fields import Fields
from domain.rules.text import prose
from domain.rules.viewer import Viewer
from models.applications import Application, ApplicationNote
from models.database import transaction

LENGTH = 2000


async def add(case_id: UUID, text: str, *, key: str | None = None, viewer: Viewer, now: datetime) -> ApplicationNote:
    """Write a note to a case at whatever stage, also for the office that its expert asks to leave; under a `key`, once (retries.once).

    Raises InvalidInput, KeyReused, and NotFound for who is no officer of the case.
    """
    fields = Fields()
    said = fields.check("text", lambda: prose(text, longest=LENGTH), otherwise="")
    fields.refuse()
    if not viewer.is_officer:
        raise NotFound

    async def write() -> ApplicationNote:
        return await ApplicationNote.create(
            application_id=case_id,
            author_id=viewer.account_id,
            author_name=viewer.name,
            author_role=viewer.role,
            author_pool_code=viewer.pool_code,
            text=said,
            at=now,
        )

    async with transaction():
        await reads.one(Application, case_id, viewer=viewer, now=now)
        return await once(ApplicationNote, write, key=key, asked=(case_id, said), viewer=viewer, now=now)
