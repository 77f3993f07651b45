"""The door of images, for those that show what is masked elsewhere."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import httpx
import pytest

from api.app import application
from domain.actions import files, reviews
from models.accounts import ClearRead
from models.enums import FilePurpose
from models.files import StoredFile
from schema.root import schema
from settings import Settings
from tests import people
from tests.cases import submitted_case
from tests.conftest import Clock
from tests.people import SignedIn


@pytest.fixture
async def client(database: Settings, change_settings: Callable[..., Settings], tmp_path: Path) -> AsyncIterator[httpx.AsyncClient]:
    """Speaks to the product's application in this process, whose store is empty."""
    configuration = change_settings(data_dir=tmp_path)
    transport = httpx.ASGITransport(application(schema, configuration))
    async with httpx.AsyncClient(transport=transport, base_url=configuration.origin) as opened:
        yield opened


async def test_an_identity_card_stays_shut_while_a_colleague_holds_the_case(client: httpx.AsyncClient, clock: Clock) -> None:
    person, case = await submitted_case()
    [card] = await StoredFile.filter(owner_id=person.account.id, purpose=FilePurpose.ID_FRONT)
    holder, colleague = await people.officer(name="李初审"), await people.officer()
    await reviews.claim(case.id, viewer=holder.viewer, now=await clock.now())

    async def opened(who: SignedIn) -> httpx.Response:
        url = files.download_address(card.id, viewer=who.viewer, now=await clock.now())
        return await client.get(url, headers={"Authorization": f"Bearer {who.token}", "Accept-Language": "en"})

    held = [await opened(each) for each in (holder, colleague, person)]
    looks = await ClearRead.filter(subject_id=person.account.id).values_list("reader_id", flat=True)
    await clock.move(minutes=31)
    later = await opened(await people.sign_in(colleague.phone))

    # The images of this profile are rows alone: who may open them finds nothing in the store.
    assert [each.status_code for each in held] == [503, 409, 503]
    assert held[1].json()["code"] == "CLAIMED_BY_ANOTHER"
    assert held[1].json()["message"].startswith("李初审 holds this case until ")
    assert looks == [holder.account.id]
    assert later.status_code == 503
