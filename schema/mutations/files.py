"""Mutations of files: handing in an image. Attaching it to a profile is a verb of profiles."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

import strawberry
from strawberry.file_uploads import Upload

from domain.actions import files
from domain.rules.errors import FieldProblem, InvalidInput
from models.enums import FilePurpose
from schema import problems as p
from schema.context import Info
from schema.types.files import File

_CHUNK_BYTES = 256 * 2**10


@strawberry.input(description="Hand in an image.")
class FileUploadInput:
    """Input of fileUpload."""

    purpose: FilePurpose = strawberry.field(description="What it is for; decides the checks it must pass.")
    file: Upload = strawberry.field(
        description="JPEG or PNG (other materials JPEG only), at most 20 MB, sent by the GraphQL multipart request convention."
    )


FileUploadResult = Annotated[
    File | p.InvalidInput | p.NotAllowed | p.NotSignedIn | p.TooSoon | p.Unavailable,
    strawberry.union("FileUploadResult", description="The image as it is kept, or why it is not."),
]


async def _chunks(file: Any) -> AsyncIterator[bytes]:
    while chunk := await file.read(_CHUNK_BYTES):
        yield chunk


@strawberry.type
class FileMutations:
    """Mutations of files."""

    @strawberry.mutation(
        description="Hand in an image: it is checked, stripped of metadata and kept for a day; `fileAttach` puts it into the profile. "
        "The same picture again is the same file. Larger files are better sent to `POST /files?purpose=…` as they are."
    )
    async def file_upload(self, info: Info, input: FileUploadInput) -> FileUploadResult:
        """Translate files.store."""
        viewer = info.context.signed_in()
        if not hasattr(input.file, "read"):  # a text or a number where the convention puts the file
            raise InvalidInput([FieldProblem("file", "FILE_MISSING")])
        name = getattr(input.file, "filename", None) or ""
        return File(row=await files.store(_chunks(input.file), purpose=input.purpose, name=name, viewer=viewer, now=info.context.now))
