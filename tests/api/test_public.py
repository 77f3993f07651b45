"""Public answers from memory, and documents that clients name instead of sending."""

from __future__ import annotations

import json
from datetime import timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any
from unittest.mock import Mock

import orjson
import pytest

from api.public import PublicAnswers
from domain.actions import publicity
from models.database import database_now, execute, rows
from models.enums import Stage
from settings import Settings
from tests.cases import case_at
from tests.conftest import Clock
from tests.people import provincial_officer
from tests.serving import Served, Start, begin, heard, own_memory_mib, say, talk

NOTICES = "query Notices { publicNotices(first: 100) { totalCount nodes { name employer } } }"
NAMED = {sha256(text.encode()).hexdigest(): text for text in (NOTICES, "query Me { viewer { account { name } } }")}
HASH = next(iter(NAMED))
GROUPS = "{ codes(kind: ETHNIC_GROUP) { id code name } }"


@pytest.fixture(scope="module")
def product(start: Start, tmp_path_factory: pytest.TempPathFactory) -> Served:
    """The product with a file of trusted documents."""
    file = tmp_path_factory.mktemp("trusted") / "documents.json"
    file.write_text(json.dumps(NAMED))
    return start(trusted_documents=str(file))


async def names(product: Served) -> list[str]:
    """Who stands on the public list, for a visitor."""
    answer = await product.post(NOTICES)
    return [each["name"] for each in answer["data"]["publicNotices"]["nodes"]]


async def test_visitors_see_a_notice_as_soon_as_it_is_open_and_no_longer_than_it_runs(product: Served, clock: Clock) -> None:
    assert await names(product) == []

    _, case = await case_at(Stage.PUBLICITY, name="郑公示")
    seen = await eventually(product, ["郑公示"])
    await clock.move(days=30)
    over = await eventually(product, [])
    closed = await publicity.close_due_notices()

    assert (seen, over, closed) == (True, True, 1)
    assert case.stage is Stage.PUBLICITY


async def eventually(product: Served, wanted: list[str]) -> bool:
    """Whether the list comes to be as wanted within the time that an announcement takes."""
    for _ in range(20):
        if await names(product) == wanted:
            return True
    return False


async def test_visitors_are_answered_from_memory_and_the_signed_in_are_not(product: Served) -> None:
    await case_at(Stage.PUBLICITY, name="钱公示")
    assert await eventually(product, ["钱公示"])
    who = await provincial_officer()

    # A change that no verb made is not announced: whoever still sees the old name was answered from memory.
    await execute("UPDATE public_notices SET name = '改名' WHERE name = '钱公示'")
    visitor = await names(product)
    officer = await product.post(NOTICES, headers={"authorization": f"Bearer {who.token}"})

    assert visitor == ["钱公示"]
    assert [each["name"] for each in officer["data"]["publicNotices"]["nodes"]] == ["改名"]


async def test_long_questions_leave_memory_flat(product: Served) -> None:
    async def ask(numbers: range) -> None:
        for n in numbers:
            answer = await product.post(
                "query ($id: String) { codes(kind: SEX) { code } divisions(parent: $id) { code } }", {"id": f"{n}" + "x" * 200_000}
            )
            assert answer["data"]["divisions"] == []

    await ask(range(60))
    before = product.memory_mib()

    await ask(range(60, 160))

    assert product.memory_mib() - before < 8


async def test_an_answer_that_was_read_before_a_notice_ended_is_not_kept_after_it(clock: Clock) -> None:
    _, case = await case_at(Stage.PUBLICITY)
    ((ends,),) = await rows("SELECT closes_at FROM public_notices WHERE application_id = $1", case.id)
    answers = PublicAnswers(Mock(connected=True))
    key = (NOTICES, None, "null")
    await clock.move(seconds=(ends - await clock.now()).total_seconds() + 1)

    await answers.keep(key, b"{}", answers.generation, ends - timedelta(milliseconds=1))

    assert answers.find(key) is None
    assert answers.seconds_left(key) == 0


async def test_kept_answers_take_the_memory_that_they_are_counted_for(database: Settings) -> None:
    answers, now = PublicAnswers(Mock(connected=True)), await database_now()
    before = own_memory_mib()

    for n in range(6_000):
        await answers.keep((NOTICES, None, orjson.dumps({"n": n}).decode()), orjson.dumps({"data": {"n": n}}), answers.generation, now)

    assert own_memory_mib() - before < 8


async def test_what_is_longer_than_any_name_is_not_looked_for(product: Served) -> None:
    longest = await product.post("query ($of: String) { specialties(search: $of) { code } }", {"of": "评" * 100})
    longer = await product.post("query ($of: String) { specialties(search: $of) { code } }", {"of": "评" * 101})

    assert longest == {"data": {"specialties": []}}
    assert longer["errors"][0]["extensions"]["fields"] == [
        {"path": "search", "code": "TEXT_LENGTH", "message": "最多 100 个字，现有 101 个；请缩短。"}
    ]


async def test_a_public_query_by_get_may_be_kept_on_the_way_and_a_personal_one_may_not(product: Served) -> None:
    async with talk() as client:
        public = await client.get(product.endpoint, params={"documentId": f"sha256:{HASH}"})
        personal = await client.get(product.endpoint, params={"query": "{ viewer { account { name } } }"})

    assert public.headers["cache-control"] in {f"public, max-age={seconds}" for seconds in (2, 3, 4)}
    assert public.headers["vary"] == "Accept, Accept-Encoding, Accept-Language, Authorization, Cookie, Origin"
    assert "public" not in personal.headers.get("cache-control", "")


async def test_a_long_public_answer_is_compressed_for_those_who_take_it_so(product: Served) -> None:
    async with talk() as client:
        plain, first, *others = [
            await client.post(product.endpoint, json={"query": GROUPS}, headers={"accept-encoding": takes})
            for takes in ("identity", "gzip", "br, GZIP;q=0.5", "*", "gzip;q=0, *", "gzip; q=0", "br", "")
        ]
        cached = await client.get(product.endpoint, params={"query": GROUPS}, headers={"accept-encoding": "gzip"})

    assert "content-encoding" not in plain.headers
    assert len(plain.content) == plain.num_bytes_downloaded > 4 * first.num_bytes_downloaded
    assert [each.headers.get("content-encoding") for each in (first, *others)] == ["gzip", "gzip", "gzip", None, None, None, None]
    assert {each.content for each in (first, *others, cached)} == {plain.content}
    assert (cached.headers["content-encoding"], cached.num_bytes_downloaded) == ("gzip", first.num_bytes_downloaded)


async def test_short_and_personal_answers_are_never_compressed(product: Served) -> None:
    who = await provincial_officer()

    async with talk(headers={"accept-encoding": "gzip"}) as client:
        short = await client.post(product.endpoint, json={"query": "{ privacyTermsVersion }"})
        wrong = await client.post(product.endpoint, json={"query": "{ " + "x" * 2_000 + " }"})
        personal = await client.post(product.endpoint, json={"query": GROUPS}, headers={"authorization": f"Bearer {who.token}"})

    assert [each.headers.get("content-encoding") for each in (short, wrong, personal)] == [None, None, None]
    assert len(wrong.content) > 1024
    assert len(personal.content) > 1024


async def test_a_document_is_named_by_its_hash(product: Served) -> None:
    async with talk() as client:
        named = await client.post(product.endpoint, json={"documentId": HASH})
        unknown = await client.post(product.endpoint, json={"documentId": "sha256:" + "0" * 64})

    assert list(named.json()["data"]) == ["publicNotices"]
    assert unknown.json()["errors"][0]["extensions"] == {"code": "DOCUMENT_UNKNOWN"}


async def test_a_document_is_named_by_its_hash_on_a_socket_too(product: Served) -> None:
    async with product.socket() as ws:
        await begin(ws)
        await say(ws, "subscribe", id="1", payload={"documentId": f"sha256:{HASH}"})
        named = await heard(ws)
        await heard(ws)
        await say(ws, "subscribe", id="2", payload={"documentId": "0" * 64})
        unknown = await heard(ws)

    assert list(named["payload"]["data"]) == ["publicNotices"]
    assert unknown["payload"][0]["extensions"] == {"code": "DOCUMENT_UNKNOWN"}


async def test_where_only_trusted_documents_count_others_are_refused(start: Start, tmp_path: Path) -> None:
    file = tmp_path / "documents.json"
    file.write_text(json.dumps(NAMED))
    strict = start(trusted_documents=str(file), trusted_documents_only=True)

    foreign: Any = await strict.post("{ privacyTermsVersion }")
    known: Any = await strict.post(NOTICES)

    assert foreign["errors"][0]["extensions"] == {"code": "DOCUMENT_NOT_TRUSTED"}
    assert "data" not in foreign or foreign["data"] is None
    assert list(known["data"]) == ["publicNotices"]
