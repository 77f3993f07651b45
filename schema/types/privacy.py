"""Consent to the privacy terms, and who looked at a person's data in clear."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from models import accounts
from models.enums import FilePurpose, PersonalField, Role
from schema.context import Info
from schema.nodes import Node, OfViewer, column, one, record
from schema.types.reference import Division

if TYPE_CHECKING:
    from schema.types.accounts import Viewer
    from schema.types.applications import Application

SENSITIVE_DATA = (
    "单独同意 (个人信息保护法 art. 29): the person agreed, by a box of its own, to the use of id number, identity card, photograph and health. "
    "Anything but true is refused with SENSITIVE_DATA_NOT_ACCEPTED."
)
_FILE = "FILE:"


def _fields(what: str) -> list[PersonalField]:
    return [] if what.startswith(_FILE) else [PersonalField(each) for each in what.split(",")]


def _image(what: str) -> FilePurpose | None:
    return FilePurpose(what.removeprefix(_FILE)) if what.startswith(_FILE) else None


@record(accounts.ClearRead, "查阅记录: somebody of a finance office saw personal data of the viewer in clear. Records are never changed.")
class ClearRead(Node):
    """A look."""

    at: datetime = column("at", "When.")
    reader_role: Role = column("reader_role", "Which kind of office: LOCAL_OFFICER of a pool, PROVINCIAL_OFFICER.")
    reader_name: str = column("reader_name", "Name of the officer.")
    reader_pool_code: str | None = column("reader_pool_code", "Code of the pool of the officer's office; empty for the province.")
    reader_pool: Division | None = one("Division", "reader_pool_code", "The pool of the officer's office.", to="code")
    fields: list[PersonalField] = column(
        "what",
        "What was seen; no items where it was an image.",
        convert=_fields,
        sql="to_json(CASE WHEN {t}.what LIKE 'FILE:%' THEN '{}' ELSE string_to_array({t}.what, ',') END)",
    )
    image: FilePurpose | None = column(
        "what", "The image that was opened, by its purpose.", convert=_image, sql="substring({t}.what FROM '^FILE:(.*)')"
    )
    reason: str = column("reason", "What the officer gave as the reason; an empty text for images.")
    application: Annotated["Application", strawberry.lazy("schema.types.applications")] | None = one(
        "Application", "application_id", "The case for which it was asked."
    )


@record(accounts.Consent, "同意记录: the viewer accepted one version of the privacy terms.")
class Consent(Node):
    """A consent."""

    terms_version: str = column("terms_version", "The version.")
    accepted_at: datetime = column("accepted_at", "When.")
    sensitive_data_accepted_at: datetime | None = column(
        "sensitive_accepted_at",
        "When the viewer agreed, apart from it, to the use of id number, identity card, photograph and health (单独同意); "
        "empty for consents from before that was asked.",
    )

    @strawberry.field(
        description="Whose it is: the viewer as they are now, `consentNeeded` and all `consents` included.", metadata={"source": OfViewer()}
    )
    def viewer(self, info: Info) -> Annotated["Viewer", strawberry.lazy("schema.types.accounts")] | None:
        """Consents are seen by their owner alone."""
        from schema.types.accounts import viewer_of  # noqa: PLC0415  viewers lead to consents

        return viewer_of(info)
