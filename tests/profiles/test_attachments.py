from __future__ import annotations

import asyncio
from datetime import date, datetime
from typing import Any
from uuid import UUID, uuid4

import pytest

from domain.actions.attachments import attach_file, detach_file
from domain.actions.profiles import save_education, save_qualification, save_title
from domain.rules.errors import InvalidInput, NotAllowed, NotFound, Stale
from domain.rules.profile_input import EducationInput, QualificationInput, TitleInput
from models.enums import FilePurpose, StudyMode
from models.files import StoredFile
from models.profiles import Education, OtherMaterial, QualificationEntry, TitleEntry
from tests.people import SignedIn, officer, registered_expert
from tests.profiles.kept import draft_of, everything_of, some_image, told


@pytest.fixture
async def expert(now: datetime) -> SignedIn:
    return await registered_expert()


async def an_education(expert: SignedIn, now: datetime) -> Education:
    given = EducationInput(
        school="吉林大学", started_on=date(1994, 9, 1), ended_on=date(1998, 7, 1), major="数学", level="21", mode=StudyMode.FULL_TIME
    )
    return await save_education(given, viewer=expert.viewer, now=now)


async def a_title(expert: SignedIn, now: datetime) -> TitleEntry:
    given = TitleInput(title_code="T01011", certificate_number="1", obtained_on=date(2005, 12, 1), issuer="人社厅")
    return await save_title(given, viewer=expert.viewer, now=now)


async def a_qualification(expert: SignedIn, now: datetime) -> QualificationEntry:
    given = QualificationInput(qualification_code="Q101", certificate_number="1", obtained_on=date(2001, 6, 1), issuer="教育部")
    return await save_qualification(given, viewer=expert.viewer, now=now)


async def refused(file_id: UUID, expert: SignedIn, now: datetime, *, entry: UUID | None = None) -> list[tuple[str, str]]:
    """The problems of attaching, which has changed nothing."""
    before = await everything_of(expert.viewer)
    with pytest.raises(InvalidInput) as refusal:
        await attach_file(file_id, entry=entry, viewer=expert.viewer, now=now)
    assert await everything_of(expert.viewer) == before
    return told(refusal.value)


@pytest.mark.parametrize(
    ("purpose", "column"),
    [(FilePurpose.PORTRAIT, "portrait_id"), (FilePurpose.ID_FRONT, "id_front_id"), (FilePurpose.ID_BACK, "id_back_id")],
)
async def test_an_image_goes_where_its_purpose_belongs_and_takes_the_place_of_another(
    expert: SignedIn, now: datetime, purpose: FilePurpose, column: str
) -> None:
    first, second = [await some_image(expert.viewer, purpose) for _ in range(2)]

    one = await attach_file(first.pk, viewer=expert.viewer, now=now)
    two = await attach_file(second.pk, viewer=expert.viewer, now=now)

    kept = await draft_of(expert.viewer)
    assert (getattr(one, column), getattr(two, column), getattr(kept, column)) == (first.pk, second.pk, second.pk)
    assert kept.version == 2
    assert await StoredFile.filter(id=first.pk).exists()


@pytest.mark.parametrize(
    ("purpose", "make"),
    [(FilePurpose.EDUCATION, an_education), (FilePurpose.TITLE, a_title), (FilePurpose.QUALIFICATION, a_qualification)],
)
async def test_a_certificate_goes_to_its_entry(expert: SignedIn, now: datetime, purpose: FilePurpose, make: Any) -> None:
    entry, other = await make(expert, now), await make(expert, now)
    image = await some_image(expert.viewer, purpose, media_type="image/png")

    await attach_file(image.pk, entry=entry.pk, viewer=expert.viewer, now=now)

    assert (await type(entry).get(id=entry.pk)).certificate_id == image.pk
    assert (await type(entry).get(id=other.pk)).certificate_id is None


async def test_a_certificate_needs_an_entry_that_takes_it(expert: SignedIn, now: datetime) -> None:
    title = await a_title(expert, now)
    strangers_title = await a_title(await registered_expert(), now)
    certificate = await some_image(expert.viewer, FilePurpose.EDUCATION)
    portrait = await some_image(expert.viewer, FilePurpose.PORTRAIT)

    assert await refused(certificate.pk, expert, now) == [("entryId", "ENTRY_REQUIRED")]
    assert await refused(certificate.pk, expert, now, entry=title.pk) == [("entryId", "ENTRY_UNFIT")]
    assert await refused(certificate.pk, expert, now, entry=strangers_title.pk) == [("entryId", "ENTRY_UNFIT")]
    assert await refused(portrait.pk, expert, now, entry=title.pk) == [("entryId", "ENTRY_UNFIT")]


async def test_anothers_image_and_none_look_the_same(expert: SignedIn, now: datetime) -> None:
    theirs = await some_image((await registered_expert()).viewer, FilePurpose.PORTRAIT)

    assert await refused(theirs.pk, expert, now) == [("fileId", "FILE_UNKNOWN")]
    assert await refused(uuid4(), expert, now) == [("fileId", "FILE_UNKNOWN")]


async def test_other_materials_are_at_most_three_jpeg_images(expert: SignedIn, now: datetime) -> None:
    images = [await some_image(expert.viewer, FilePurpose.OTHER) for _ in range(4)]
    drawing = await some_image(expert.viewer, FilePurpose.OTHER, media_type="image/png")
    for each in images[:3]:
        await attach_file(each.pk, viewer=expert.viewer, now=now)

    fourth = await refused(images[3].pk, expert, now)
    not_jpeg = await refused(drawing.pk, expert, now)
    again = await attach_file(images[0].pk, viewer=expert.viewer, now=now)

    kept = await OtherMaterial.filter(revision_id=again.pk).order_by("position")
    assert (fourth, not_jpeg) == ([("otherMaterials", "TOO_MANY")], [("fileId", "FILE_NOT_JPEG")])
    assert [(each.file_id, each.position) for each in kept] == [(images[0].pk, 0), (images[1].pk, 1), (images[2].pk, 2)]


async def test_of_many_materials_at_once_three_are_kept(expert: SignedIn, now: datetime) -> None:
    images = [await some_image(expert.viewer, FilePurpose.OTHER) for _ in range(6)]

    ends = await asyncio.gather(*(attach_file(each.pk, viewer=expert.viewer, now=now) for each in images), return_exceptions=True)

    assert sum(isinstance(each, InvalidInput) for each in ends) == 3
    assert await OtherMaterial.filter(revision_id=(await draft_of(expert.viewer)).pk).count() == 3


async def test_an_image_is_taken_out_wherever_it_stands_and_kept_in_the_store(expert: SignedIn, now: datetime) -> None:
    titles = [await a_title(expert, now), await a_title(expert, now)]
    portrait, certificate, form = [
        await some_image(expert.viewer, purpose) for purpose in (FilePurpose.PORTRAIT, FilePurpose.TITLE, FilePurpose.OTHER)
    ]
    for image, entry in ((portrait, None), (certificate, titles[0].pk), (certificate, titles[1].pk), (form, None)):
        await attach_file(image.pk, entry=entry, viewer=expert.viewer, now=now)

    await detach_file(certificate.pk, entry=titles[0].pk, viewer=expert.viewer, now=now)
    from_one = [(await TitleEntry.get(id=each.pk)).certificate_id for each in titles]
    for image in (portrait, certificate, form):
        await detach_file(image.pk, viewer=expert.viewer, now=now)

    draft = await draft_of(expert.viewer)
    assert from_one == [None, certificate.pk]
    assert [(await TitleEntry.get(id=each.pk)).certificate_id for each in titles] == [None, None]
    assert (draft.portrait_id, await OtherMaterial.filter(revision_id=draft.pk).count()) == (None, 0)
    assert await StoredFile.filter(id__in=[portrait.pk, certificate.pk, form.pk]).count() == 3


async def test_what_the_draft_does_not_hold_cannot_be_taken_out(expert: SignedIn, now: datetime) -> None:
    title = await a_title(expert, now)
    portrait = await some_image(expert.viewer, FilePurpose.PORTRAIT)
    await attach_file(portrait.pk, viewer=expert.viewer, now=now)
    before = await everything_of(expert.viewer)

    for file_id, entry in ((uuid4(), None), (portrait.pk, title.pk), (portrait.pk, uuid4())):
        with pytest.raises(NotFound):
            await detach_file(file_id, entry=entry, viewer=expert.viewer, now=now)

    assert await everything_of(expert.viewer) == before


async def test_an_old_version_is_refused(expert: SignedIn, now: datetime) -> None:
    portrait = await some_image(expert.viewer, FilePurpose.PORTRAIT)
    await attach_file(portrait.pk, viewer=expert.viewer, now=now)
    before = await everything_of(expert.viewer)

    with pytest.raises(Stale):
        await attach_file(portrait.pk, viewer=expert.viewer, now=now, expected_version=0)
    with pytest.raises(Stale):
        await detach_file(portrait.pk, viewer=expert.viewer, now=now, expected_version=0)

    assert await everything_of(expert.viewer) == before


async def test_staff_attach_nothing(now: datetime) -> None:
    someone = await officer()

    with pytest.raises(NotAllowed):
        await attach_file(uuid4(), viewer=someone.viewer, now=now)
    with pytest.raises(NotAllowed):
        await detach_file(uuid4(), viewer=someone.viewer, now=now)
