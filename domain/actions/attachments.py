"""Images of a profile: attaching them where their purpose belongs, and taking them out (rules §3)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import TypeAlias
from uuid import UUID

from domain.actions.editing import editing, own_entry, row_in_draft
from domain.rules.errors import FieldProblem, InvalidInput, NotFound
from domain.rules.viewer import Viewer
from models.enums import FilePurpose
from models.files import StoredFile
from models.profiles import Education, OtherMaterial, QualificationEntry, Revision, TitleEntry

OTHER_MATERIALS = 3

Certified: TypeAlias = Education | TitleEntry | QualificationEntry

_IMAGES: Mapping[FilePurpose, str] = {
    FilePurpose.PORTRAIT: "portrait_id",
    FilePurpose.ID_FRONT: "id_front_id",
    FilePurpose.ID_BACK: "id_back_id",
}
_CERTIFICATES: Mapping[FilePurpose, type[Certified]] = {
    FilePurpose.EDUCATION: Education,
    FilePurpose.TITLE: TitleEntry,
    FilePurpose.QUALIFICATION: QualificationEntry,
}


async def attach_file(
    file_id: UUID, *, entry: UUID | None = None, viewer: Viewer, now: datetime, expected_version: int | None = None
) -> Revision:
    """Put one of the viewer's images where its purpose belongs; certificates need their `entry`. A repeat changes nothing but the version.

    A single place is taken over from the image that held it. Raises InvalidInput (FILE_UNKNOWN, FILE_NOT_JPEG, ENTRY_REQUIRED, ENTRY_UNFIT,
    TOO_MANY), Stale, and what `open_draft` raises.
    """
    async with editing(viewer, now=now, expected_version=expected_version) as draft:
        # Locked, so that the sweeper of unused images does not take it meanwhile.
        file = await StoredFile.filter(id=file_id, owner_id=viewer.account_id).select_for_update().get_or_none()
        if file is None:
            raise InvalidInput([FieldProblem("fileId", "FILE_UNKNOWN")])
        if file.purpose in _CERTIFICATES:
            row = await _certified(_CERTIFICATES[file.purpose], entry, draft)
            row.certificate_id = file.pk
            await row.save(update_fields=["certificate_id"])
        elif entry is not None:
            raise InvalidInput([FieldProblem("entryId", "ENTRY_UNFIT")])
        elif file.purpose in _IMAGES:
            setattr(draft, _IMAGES[file.purpose], file.pk)
        else:
            await _add_material(file, draft)
    return draft


async def detach_file(
    file_id: UUID, *, entry: UUID | None = None, viewer: Viewer, now: datetime, expected_version: int | None = None
) -> Revision:
    """Take an image out of the draft wherever it stands, or from one `entry` alone; the image itself is kept.

    Raises NotFound where the draft does not hold it, Stale, and what `open_draft` raises.
    """
    async with editing(viewer, now=now, expected_version=expected_version) as draft:
        found = 0
        if entry is None:
            for column in _IMAGES.values():
                if getattr(draft, column) == file_id:
                    setattr(draft, column, None)
                    found += 1
            found += await OtherMaterial.filter(revision_id=draft.pk, file_id=file_id).delete()
        for model in _CERTIFICATES.values():
            places = model.filter(revision_id=draft.pk, certificate_id=file_id)
            if entry is not None:
                places = places.filter(id=await row_in_draft(model, entry, draft))
            found += await places.update(certificate_id=None)
        if not found:
            raise NotFound
    return draft


async def _certified(model: type[Certified], entry: UUID | None, draft: Revision) -> Certified:
    if entry is None:
        raise InvalidInput([FieldProblem("entryId", "ENTRY_REQUIRED")])
    try:
        return await own_entry(model, entry, draft)
    except NotFound:
        raise InvalidInput([FieldProblem("entryId", "ENTRY_UNFIT")]) from None


async def _add_material(file: StoredFile, draft: Revision) -> None:
    if file.media_type != "image/jpeg":
        raise InvalidInput([FieldProblem("fileId", "FILE_NOT_JPEG")])
    held = await OtherMaterial.filter(revision_id=draft.pk).order_by("position")
    if any(each.file_id == file.pk for each in held):
        return
    if len(held) >= OTHER_MATERIALS:
        raise InvalidInput([FieldProblem("otherMaterials", "TOO_MANY", {"maximum": OTHER_MATERIALS})])
    await OtherMaterial.create(revision_id=draft.pk, file_id=file.pk, position=held[-1].position + 1 if held else 0)
