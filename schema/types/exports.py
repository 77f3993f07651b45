"""Exports: files that a worker makes for the person who asked."""

from datetime import UTC, datetime
from uuid import UUID

import strawberry

from domain.actions.exports import download_address
from domain.rules.messages import Language, text
from domain.rules.viewer import Viewer
from models import exports
from models.enums import ExportKind, ExportState
from schema.context import Info
from schema.nodes import Finished, Node, column, record

_LOADABLE = "{t}.state = 'READY' AND {t}.expires_at > :now::timestamptz"


def _address(told: str, viewer: Viewer | None, _: Language) -> str:
    """Of the export's id and the time in seconds; only who is signed in sees exports at all."""
    export_id, _dash, seconds = told.rpartition("-")
    assert viewer is not None  # noqa: S101  by the predicate of exports
    return download_address(UUID(export_id), viewer=viewer, now=datetime.fromtimestamp(int(seconds), UTC))


def _reason(told: str, _: Viewer | None, language: Language) -> str:
    """Of the code, whose underscores travel as `-`."""
    return text(told.replace("-", "_"), language)


@record(
    exports.Export,
    "导出: a file to take along, made by a worker for the one who asked and seen by nobody else. Ask again every second or so until it is ready.",
)
class Export(Node):
    """An export."""

    kind: ExportKind = column("kind", "What it is.")
    state: ExportState = column("state", "How far it is; QUEUED and RUNNING will change by themselves.")
    done: int = column("done", "Rows or images so far.")
    total: int | None = column("total", "Rows or images in all; empty until they were counted.")
    created_at: datetime = column("created_at", "When it was asked for.")
    finished_at: datetime | None = column("finished_at", "When it was made, or failed.")
    expires_at: datetime | None = column("expires_at", "Until when it can be downloaded.")
    downloaded_at: datetime | None = column("downloaded_at", "When it was downloaded last.")
    file_name: str | None = column("file_name", "Name of the file.")
    media_type: str | None = column("media_type", "`application/pdf`, `application/zip`, or that of XLSX.")
    size: float | None = column(
        "size", "Length of a download in bytes; can be beyond what Int holds.", convert=float, sql="{t}.size::float8"
    )
    failure: str | None = column("failure", "Stable name of the reason why it failed, for programs.")

    @strawberry.field(
        description="Why it failed and what to do, in the viewer's language.",
        metadata={"source": Finished("replace({t}.failure, '_', '-')", _reason)},
    )
    def failure_message(self, info: Info) -> str | None:
        """Text of `failure`."""
        return text(self.row.failure, info.context.language) if self.row.failure else None

    @strawberry.field(
        description="Path on this server from which the viewer's session can load it for the next 5 minutes (setting); empty unless it is "
        "READY. Own data can be loaded once.",
        metadata={
            "source": Finished(
                f"CASE WHEN {_LOADABLE} THEN {{t}}.id || '-' || floor(extract(epoch FROM :now::timestamptz))::bigint END", _address
            )
        },
    )
    def url(self, info: Info) -> str | None:
        """Signed for this session."""
        if self.row.state is not ExportState.READY or self.row.expires_at <= info.context.now:
            return None
        return download_address(self.row.id, viewer=info.context.signed_in(), now=info.context.now)
