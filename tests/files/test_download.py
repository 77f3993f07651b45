from __future__ import annotations

from datetime import datetime, timedelta
from urllib.parse import parse_qs, urlsplit
from uuid import UUID, uuid4

import pytest

from domain.actions import attachments, files
from domain.actions.revisions import freeze
from domain.rules.errors import NotAllowed, NotFound, Refusal
from models.accounts import ClearRead
from models.applications import Application
from models.database import transaction
from models.enums import FilePurpose, Stage
from models.files import StoredFile
from models.profiles import Revision
from tests import people
from tests.files import attacks
from tests.files.uploads import hand_in
from tests.people import SignedIn


async def follow(address: str, who: SignedIn, now: datetime) -> StoredFile:
    """Open a download address as somebody."""
    parts = urlsplit(address)
    query = parse_qs(parts.query)
    return await files.opened(
        UUID(parts.path.removeprefix("/files/")), expires=int(query["e"][0]), signature=query["s"][0], viewer=who.viewer, now=now
    )


async def test_the_owner_opens_an_own_file_for_five_minutes(zhang: SignedIn, now: datetime) -> None:
    file = await hand_in(attacks.scan(), zhang, now)

    address = files.download_address(file.id, viewer=zhang.viewer, now=now)

    assert urlsplit(address).path == f"/files/{file.id}"
    assert (await follow(address, zhang, now + timedelta(minutes=4, seconds=58))).id == file.id
    with pytest.raises(NotAllowed) as refused:
        await follow(address, zhang, now + timedelta(minutes=5))
    assert refused.value.code == "DOWNLOAD_EXPIRED"
    assert await ClearRead.all().count() == 0


async def test_an_address_serves_no_other_session(zhang: SignedIn, wang: SignedIn, now: datetime) -> None:
    file = await hand_in(attacks.scan(), zhang, now)
    address = files.download_address(file.id, viewer=zhang.viewer, now=now)

    for other in (wang, await people.sign_in(zhang.phone), await people.provincial_officer()):
        with pytest.raises(NotFound):
            await follow(address, other, now)

    assert await ClearRead.filter(subject_id=zhang.account.id).count() == 0


async def test_an_address_that_was_changed_serves_nobody(zhang: SignedIn, now: datetime) -> None:
    file = await hand_in(attacks.scan(), zhang, now)
    address = files.download_address(file.id, viewer=zhang.viewer, now=now)
    path, _, query = address.partition("?")
    expires, signature = parse_qs(query)["e"][0], parse_qs(query)["s"][0]
    changed = [
        f"/files/{uuid4()}?{query}",
        f"{path}?e={int(expires) + 1}&s={signature}",
        f"{path}?e={expires}&s={signature[:-1]}",
        f"{path}?e={expires}&s={signature}A",
        f"{path}?e={expires}&s=é",
        f"{path}?e=-1&s={signature}",
        f"{path}?e={10**30}&s={signature}",
    ]

    for each in changed:
        with pytest.raises(NotFound):
            await follow(each, zhang, now)


async def test_a_signed_address_of_a_file_that_is_not_ones_own_finds_nothing(zhang: SignedIn, wang: SignedIn, now: datetime) -> None:
    file = await hand_in(attacks.scan(), zhang, now)
    strangers = [wang, await people.officer(), await people.provincial_officer(), await people.administrator()]

    for each in strangers:
        with pytest.raises(NotFound):
            await files.visible(file.id, viewer=each.viewer, now=now)
        with pytest.raises(NotFound):
            await follow(files.download_address(file.id, viewer=each.viewer, now=now), each, now)
    with pytest.raises(NotFound):
        await files.visible(file.id, viewer=None, now=now)
    assert await ClearRead.all().count() == 0


async def test_officers_open_what_a_submitted_revision_names_and_each_look_is_recorded(now: datetime) -> None:
    expert = await people.registered_expert()
    named = await hand_in(attacks.scan(), expert, now, purpose=FilePurpose.PORTRAIT)
    unnamed = await hand_in(attacks.scan(), expert, now, purpose=FilePurpose.ID_BACK)
    draft = await attachments.attach_file(named.id, viewer=expert.viewer, now=now)
    mine, other = await people.officer("220199"), await people.officer("220299")
    with pytest.raises(NotFound):
        await files.visible(named.id, viewer=mine.viewer, now=now)
    await Revision.filter(id=draft.id).update(home_pool_code="220199")
    async with transaction():
        await freeze(await Revision.get(id=draft.id), now=now)
    submitted = {"stage": Stage.FIRST_REVIEW, "round": 1, "pool_code": "220199", "revision_id": draft.id}
    await Application.filter(expert_id=expert.viewer.expert_id).update(**submitted)

    for each in (mine, await people.provincial_officer()):
        opened = await follow(files.download_address(named.id, viewer=each.viewer, now=now), each, now)
        assert opened.id == named.id
        with pytest.raises(Refusal):
            await follow(files.download_address(unnamed.id, viewer=each.viewer, now=now), each, now)
    with pytest.raises(NotFound):
        await follow(files.download_address(named.id, viewer=other.viewer, now=now), other, now)

    looks = await ClearRead.all().order_by("id")
    assert [(each.what, each.at) for each in looks] == [("FILE:PORTRAIT", now)] * 2
    assert {each.subject_id for each in looks} == {expert.account.id}
    assert looks[0].reader_id == mine.account.id
