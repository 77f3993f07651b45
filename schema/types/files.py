"""Images that people handed in."""

from datetime import UTC, datetime
from uuid import UUID

import strawberry

from domain.actions.files import download_address
from domain.rules.messages import Language, text
from domain.rules.viewer import Viewer
from models import files
from models.enums import FilePurpose
from schema.context import Info
from schema.nodes import Finished, Node, column, record


def _address(told: str, viewer: Viewer | None, __: Language) -> str:
    """Of the file's id and the time in seconds; only who is signed in sees files at all."""
    file_id, _, seconds = told.rpartition("-")
    assert viewer is not None  # noqa: S101  by the predicate of files
    return download_address(UUID(file_id), viewer=viewer, now=datetime.fromtimestamp(int(seconds), UTC))


@record(files.StoredFile, "图片: an image that was checked, turned upright, stripped of everything but the picture, and kept.")
class File(Node):
    """An image."""

    purpose: FilePurpose = column("purpose", "What it was handed in for.")
    name: str = column("original_name", "Name of the file, cleaned; it ends with its true kind.")
    media_type: str = column("media_type", "`image/jpeg` or `image/png`.")
    size: int = column("size", "Length of a download in bytes; not that of what was handed in.")
    width: int = column("width", "Width in pixels, upright.")
    height: int = column("height", "Height in pixels, upright.")
    blurred: bool = column("blurred", "It looks blurred: a hint to scan it again, nothing else follows from it.")
    created_at: datetime = column("created_at", "When it was handed in, for the last time if it was handed in again.")

    @strawberry.field(
        description="What may be wrong with it, in the viewer's language; empty if nothing was noticed.",
        metadata={"source": Finished("CASE WHEN {t}.blurred THEN '' END", lambda _, __, language: text("IMAGE_BLURRED", language))},
    )
    def warning(self, info: Info) -> str | None:
        """Text of IMAGE_BLURRED."""
        return text("IMAGE_BLURRED", info.context.language) if self.row.blurred else None

    @strawberry.field(
        description="Path on this server from which the viewer's session can load it for the next 5 minutes (setting); of no use to others. "
        "Pages use it as `src` with their cookie, other clients send their `Authorization` header. Identity cards, "
        "certificates of titles and qualifications, and other materials open for officers while the case is with their office (else 403 "
        "CASE_NOT_YOURS) and no colleague holds it (409 CLAIMED_BY_ANOTHER); the owner sees who opened what.",
        metadata={"source": Finished("{t}.id || '-' || floor(extract(epoch FROM :now::timestamptz))::bigint", _address)},
    )
    def url(self, info: Info) -> str:
        """Signed for this session."""
        return download_address(self.row.id, viewer=info.context.signed_in(), now=info.context.now)
