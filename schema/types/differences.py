"""What a change changes in a profile, as reviewers read it."""

from typing import TYPE_CHECKING, Annotated, Self
from uuid import UUID

import strawberry

from domain.rules import difference
from models import files
from models.enums import EntryChange, Role
from schema.context import Context, Info

if TYPE_CHECKING:
    from schema.types.files import File

_File = Annotated["File", strawberry.lazy("schema.types.files")]


async def _image(key: UUID | None, info: Info) -> _File | None:
    from schema.types.files import File  # noqa: PLC0415  files are reached from profiles, which are reached from here

    row = await info.context.load_one(files.StoredFile, "id", key)
    return None if row is None else File(row=row)


@strawberry.type(description="A field that differs: what it held beside what it holds. Codes are shown by their names.")
class FieldDifference:
    """A field."""

    found: strawberry.Private[difference.FieldDifference]
    path: str = strawberry.field(description="Path of the field, e.g. `basicInfo.employer`; within an entry, from the entry: `issuer`.")
    label: str = strawberry.field(description="Chinese name of the field.")
    before: str | None = strawberry.field(description="What it held, as text; personal data are masked for all but their owner.")
    after: str | None = strawberry.field(description="What it holds, as text; likewise.")

    @strawberry.field(description="The image that stood there; only where the field is an image.")
    async def image_before(self, info: Info) -> _File | None:
        """As the viewer may see it."""
        return await _image(self.found.before.image, info)

    @strawberry.field(description="The image that stands there; only where the field is an image.")
    async def image_after(self, info: Info) -> _File | None:
        """As the viewer may see it."""
        return await _image(self.found.after.image, info)

    @classmethod
    def of(cls, found: difference.FieldDifference, context: Context) -> Self:
        """As the viewer may read it: an expert sees cases of their own alone."""
        clear = context.viewer is not None and context.viewer.role is Role.EXPERT
        before, after = ((each.text if clear else each.masked) for each in (found.before, found.after))
        return cls(found=found, path=found.path, label=found.label, before=before, after=after)


@strawberry.type(description="An entry of a section that was added, removed or changed.")
class EntryDifference:
    """An entry."""

    section: str = strawberry.field(description="Path of the section, e.g. `titles` or `evaluationInfo.specialties`.")
    label: str = strawberry.field(description="Chinese name of the section.")
    entry_id: str = strawberry.field(description="Stays the same from revision to revision, to pair entries by; no global id.")
    change: EntryChange = strawberry.field(description="What became of it.")
    title: str | None = strawberry.field(description="What tells it apart, e.g. the name of the title; empty for an image.")
    fields: list[FieldDifference] = strawberry.field(description="Its fields that differ; all that hold something where it came or went.")


@strawberry.type(description="Everything that differs from the profile in force, in the order of the form.")
class ProfileDifference:
    """A difference."""

    fields: list[FieldDifference] = strawberry.field(description="Fields of basic and evaluation info.")
    entries: list[EntryDifference] = strawberry.field(description="Entries of the sections.")

    @classmethod
    def of(cls, found: difference.Difference, context: Context) -> Self:
        """As the viewer may read it."""
        entries = [
            EntryDifference(
                section=each.section,
                label=each.label,
                entry_id=str(each.entry_id),
                change=each.change,
                title=each.title,
                fields=[FieldDifference.of(field, context) for field in each.fields],
            )
            for each in found.entries
        ]
        return cls(fields=[FieldDifference.of(each, context) for each in found.fields], entries=entries)
