"""Seeing personal data in clear: by whom, at which stage, how often, and what the person sees of it."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import UUID

import pytest

from domain.actions import clear_reads, files, reviews
from domain.rules.errors import ClaimedByAnother, InvalidInput, NotAllowed, NotFound, TooSoon
from models.accounts import Account, ClearRead
from models.applications import Application
from models.database import database_now
from models.enums import FilePurpose, PersonalField, Stage
from models.experts import Expert
from models.files import StoredFile
from models.profiles import TitleEntry
from settings import Settings
from tests.cases import approve, case_at, reject, submitted_case
from tests.changes.formal import send, with_changes
from tests.conftest import Clock
from tests.divisions.moving import LEFT, TARGET, change_of_division_at
from tests.graphql import both, execute
from tests.people import SignedIn, administrator, officer, provincial_officer, registered_expert

REVEAL = """mutation Reveal($input: ExpertRevealInput!) { expertReveal(input: $input) { __typename
    ... on PersonalDataRevealed { idNumber phone secondPhone email address } ... on Problem { code } } }"""
LOOKS = """query Looks($first: Int, $after: String) { viewer { clearReads(first: $first, after: $after) {
    nodes { readerRole readerName readerPoolCode readerPool { name } fields image reason application { id } }
    pageInfo { hasNextPage endCursor } totalCount } } }"""


async def reveal(case: Application, who: SignedIn, *fields: PersonalField, reason: str = "电话核实职称") -> Any:
    wanted = fields or (PersonalField.PHONE,)
    return await clear_reads.reveal(case.id, wanted, reason=reason, viewer=who.viewer, now=await database_now())


async def test_the_office_sees_what_it_asks_for_and_the_person_sees_that_it_did(database: Settings) -> None:
    person, case = await submitted_case()
    local = await officer(name="李初审")
    asked = {"applicationId": f"Application_{case.id}", "fields": ["PHONE", "ID_NUMBER", "PHONE"], "reason": " 电话核实职称 "}

    answer = await execute(REVEAL, local.viewer, input=asked)
    looks = await both(LOOKS, person.viewer)

    account = await Account.get(id=person.account.id)
    assert answer.data == {
        "expertReveal": {
            "__typename": "PersonalDataRevealed",
            "idNumber": account.id_number,
            "phone": person.phone,
            "secondPhone": None,
            "email": None,
            "address": None,
        }
    }
    assert looks["viewer"]["clearReads"]["nodes"] == [
        {
            "readerRole": "LOCAL_OFFICER",
            "readerName": "李初审",
            "readerPoolCode": "220199",
            "readerPool": {"name": "长春市本级"},
            "fields": ["ID_NUMBER", "PHONE"],
            "image": None,
            "reason": "电话核实职称",
            "application": {"id": f"Application_{case.id}"},
        }
    ]
    assert (await both(LOOKS, local.viewer))["viewer"]["clearReads"]["nodes"] == []


async def test_every_field_comes_from_the_submitted_profile(database: Settings) -> None:
    person, case = await submitted_case()
    local = await officer()

    told = await reveal(case, local, *PersonalField)

    assert told == {
        PersonalField.ID_NUMBER: (await Account.get(id=person.account.id)).id_number,
        PersonalField.PHONE: person.phone,
        PersonalField.SECOND_PHONE: "+8643188888888",
        PersonalField.EMAIL: "expert@example.cn",
        PersonalField.ADDRESS: "吉林省长春市南关区人民大街 1 号",
    }


async def test_the_case_is_the_office_s_until_it_passes_on_and_nobody_s_once_closed(database: Settings) -> None:
    _, case = await submitted_case()
    local, province = await officer(), await provincial_officer()
    with pytest.raises(NotAllowed) as too_early:
        await reveal(case, province)
    await reveal(case, local)

    await approve(case.id, local.viewer)
    with pytest.raises(NotAllowed) as passed_on:
        await reveal(case, local)
    await reveal(case, province)
    _, closed = await case_at(Stage.REJECTED)
    with pytest.raises(NotAllowed) as over:
        await reveal(closed, province)

    assert {each.value.code for each in (too_early, passed_on, over)} == {"CASE_NOT_YOURS"}
    assert await ClearRead.filter(application_id=case.id).count() == 2
    assert await ClearRead.filter(application_id=closed.id).count() == 0


async def test_who_may_not_see_the_case_finds_none_and_leaves_no_trace(database: Settings) -> None:
    person, case = await submitted_case()
    others = [await officer("220299"), await administrator(), await registered_expert(), person]

    for each in others:
        with pytest.raises(NotFound):
            await reveal(case, each)
    signed_out = await execute(REVEAL, input={"applicationId": f"Application_{case.id}", "fields": ["PHONE"], "reason": "核实"})

    assert signed_out.data == {"expertReveal": {"__typename": "NotSignedIn", "code": "NOT_SIGNED_IN"}}
    assert await ClearRead.filter(application_id=case.id).count() == 0


async def test_while_a_colleague_holds_the_case_nobody_else_looks(database: Settings) -> None:
    _, case = await submitted_case()
    holder, other = await officer(name="李占用"), await officer()
    await reviews.claim(case.id, viewer=holder.viewer, now=await database_now())

    with pytest.raises(ClaimedByAnother) as refused:
        await reveal(case, other)
    await reveal(case, holder)

    assert refused.value.holder == "李占用"
    assert await ClearRead.filter(application_id=case.id).count() == 1


async def test_of_a_change_of_division_the_receiving_office_sees_data_in_clear_and_the_other_does_not(
    database: Settings,
) -> None:
    _, case = await change_of_division_at(Stage.FIRST_REVIEW)

    with pytest.raises(NotAllowed) as refused:
        await reveal(case, await officer(LEFT))
    await reveal(case, await officer(TARGET))

    assert refused.value.code == "CASE_NOT_YOURS"
    assert await ClearRead.filter(application_id=case.id).count() == 1


async def test_a_reason_and_a_field_are_needed(database: Settings) -> None:
    _, case = await submitted_case()
    local = await officer()

    with pytest.raises(InvalidInput) as refused:
        await clear_reads.reveal(case.id, [], reason="  ", viewer=local.viewer, now=await database_now())
    with pytest.raises(InvalidInput) as too_long:
        await reveal(case, local, reason="长" * 201)

    assert [(each.path, each.code) for each in refused.value.problems] == [("reason", "TEXT_EMPTY"), ("fields", "REQUIRED")]
    assert [(each.path, each.code) for each in too_long.value.problems] == [("reason", "TEXT_LENGTH")]
    assert await ClearRead.filter(application_id=case.id).count() == 0


async def test_looks_are_counted_per_officer_even_when_made_at_once(database: Settings, change_settings: Any, clock: Clock) -> None:
    change_settings(clear_reads_per_hour=2)
    cases = [(await submitted_case())[1] for _ in range(4)]  # one case alone would be looked at in turn
    case, local, colleague = cases[0], await officer(), await officer()

    done = await asyncio.gather(*(reveal(each, local) for each in cases), return_exceptions=True)

    assert sum(isinstance(each, dict) for each in done) == 2
    assert sum(isinstance(each, TooSoon) for each in done) == 2
    await reveal(case, colleague)
    await clock.move(minutes=61)
    await reveal(case, local)


async def test_the_list_of_looks_is_paged_the_newest_first(database: Settings) -> None:
    person, case = await submitted_case()
    local = await officer()
    for number in range(3):
        await reveal(case, local, reason=f"第 {number} 次")

    first = (await both(LOOKS, person.viewer, first=2))["viewer"]["clearReads"]
    second = (await both(LOOKS, person.viewer, first=2, after=first["pageInfo"]["endCursor"]))["viewer"]["clearReads"]

    assert [each["reason"] for each in first["nodes"] + second["nodes"]] == ["第 2 次", "第 1 次", "第 0 次"]
    assert (first["totalCount"], first["pageInfo"]["hasNextPage"], second["pageInfo"]["hasNextPage"]) == (3, True, False)


async def can_open(image: UUID, who: SignedIn) -> bool:
    now = await database_now()
    query = parse_qs(urlsplit(files.download_address(image, viewer=who.viewer, now=now)).query)
    try:
        await files.opened(image, expires=int(query["e"][0]), signature=query["s"][0], viewer=who.viewer, now=now)
    except NotAllowed:
        return False
    return True


async def test_who_reviews_a_change_opens_the_certificates_of_the_profile_in_force(database: Settings) -> None:
    person = await with_changes()
    in_force = await TitleEntry.get(revision_id=(await Expert.get(id=person.viewer.expert_id)).effective_id)
    local, province = await officer(), await provincial_officer()
    assert in_force.certificate_id is not None
    certificate: UUID = in_force.certificate_id

    async def opens() -> list[bool]:
        return [await can_open(certificate, each) for each in (local, province, person)]

    before = await opens()
    case = await send(person)
    first = await opens()
    await approve(case.id, local.viewer)
    then = await opens()

    assert (before, first, then) == ([False, False, True], [True, False, True], [False, True, True])


async def test_what_shows_the_id_number_opens_as_long_as_the_case_is_with_the_office_and_a_portrait_longer(database: Settings) -> None:
    person, case = await submitted_case()
    local, province = await officer(), await provincial_officer()
    images = {each.purpose: each for each in await StoredFile.filter(owner_id=person.account.id)}

    async def opens(purpose: FilePurpose, who: SignedIn) -> bool:
        return await can_open(images[purpose].id, who)

    first = [await opens(FilePurpose.ID_FRONT, each) for each in (local, province, person)]
    await approve(case.id, local.viewer)
    then = [await opens(FilePurpose.ID_FRONT, each) for each in (local, province, person)]
    form = [await opens(FilePurpose.OTHER, each) for each in (local, province)]
    certificate = [await opens(FilePurpose.TITLE, each) for each in (local, province)]
    portrait = [await opens(FilePurpose.PORTRAIT, each) for each in (local, province)]
    school = [await opens(FilePurpose.EDUCATION, each) for each in (local, province)]
    await reject(case.id, province.viewer)
    closed = [await opens(FilePurpose.ID_FRONT, each) for each in (local, province, person)]

    assert (first, then, closed) == ([True, False, True], [False, True, True], [False, False, True])
    assert (form, certificate, portrait, school) == ([False, True], [False, True], [True, True], [True, True])
    looks = [each.what for each in await ClearRead.filter(subject_id=person.account.id).order_by("id")]
    assert looks == [
        *("FILE:ID_FRONT", "FILE:ID_FRONT", "FILE:OTHER", "FILE:TITLE"),
        *("FILE:PORTRAIT", "FILE:PORTRAIT", "FILE:EDUCATION", "FILE:EDUCATION"),
    ]
    told = (await both(LOOKS, person.viewer))["viewer"]["clearReads"]["nodes"]
    assert [(each["image"], each["fields"]) for each in told[-2:]] == [("ID_FRONT", []), ("ID_FRONT", [])]
