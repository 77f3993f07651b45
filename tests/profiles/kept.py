"""What tests of profiles look at: everything kept of a person, and images made for attaching."""

from __future__ import annotations

import os
from typing import Any

import orjson

from domain.rules.errors import InvalidInput
from domain.rules.viewer import Viewer
from models.database import database_now, rows
from models.enums import FilePurpose
from models.files import StoredFile
from models.profiles import Revision

_EVERYTHING = """
SELECT jsonb_build_object(
    'account', (SELECT to_jsonb(a) FROM accounts a WHERE a.id = x.account_id),
    'expert', to_jsonb(x),
    'cases', (SELECT jsonb_agg(c ORDER BY c.id) FROM applications c WHERE c.expert_id = x.id),
    'revisions', (SELECT jsonb_agg(r ORDER BY r.number) FROM revisions r WHERE r.expert_id = x.id),
    'education', (SELECT jsonb_agg(s ORDER BY s.id) FROM education s JOIN revisions r ON r.id = s.revision_id WHERE r.expert_id = x.id),
    'titles', (SELECT jsonb_agg(s ORDER BY s.id) FROM title_entries s JOIN revisions r ON r.id = s.revision_id WHERE r.expert_id = x.id),
    'work', (SELECT jsonb_agg(s ORDER BY s.id) FROM work_entries s JOIN revisions r ON r.id = s.revision_id WHERE r.expert_id = x.id),
    'qualifications',
        (SELECT jsonb_agg(s ORDER BY s.id) FROM qualification_entries s JOIN revisions r ON r.id = s.revision_id WHERE r.expert_id = x.id),
    'specialties',
        (SELECT jsonb_agg(s ORDER BY s.id) FROM revision_specialties s JOIN revisions r ON r.id = s.revision_id WHERE r.expert_id = x.id),
    'units', (SELECT jsonb_agg(s ORDER BY s.id) FROM avoidance_units s JOIN revisions r ON r.id = s.revision_id WHERE r.expert_id = x.id),
    'materials',
        (SELECT jsonb_agg(s ORDER BY s.id) FROM other_materials s JOIN revisions r ON r.id = s.revision_id WHERE r.expert_id = x.id)
) AS everything FROM experts x WHERE x.id = $1
"""


async def everything_of(viewer: Viewer) -> dict[str, Any]:
    """All rows of a person, as they stand in the database: equal before and after where nothing was stored."""
    found = (await rows(_EVERYTHING, viewer.expert_id))[0]["everything"]
    return orjson.loads(found) if isinstance(found, str) else found  # type: ignore[no-any-return]  # one object


async def draft_of(viewer: Viewer) -> Any:
    """The open draft; Any, because sealed columns are typed without their null."""
    return await Revision.get(expert_id=viewer.expert_id, state="DRAFT")


def told(refusal: InvalidInput) -> list[tuple[str, str]]:
    """Paths and codes of a refusal."""
    return [(each.path, each.code) for each in refusal.problems]


async def some_image(viewer: Viewer, purpose: FilePurpose, *, media_type: str = "image/jpeg", blurred: bool = False) -> StoredFile:
    """An image as uploading leaves it; what it shows does not matter here."""
    digest = os.urandom(32)
    return await StoredFile.create(
        owner_id=viewer.account_id,
        purpose=purpose,
        original_name="scan.jpg",
        media_type=media_type,
        size=100_000,
        width=1200,
        height=1600,
        sharpness=20.0 if blurred else 500.0,
        blurred=blurred,
        sha256=digest,
        object_key=digest.hex(),
        created_at=await database_now(),
    )
