from __future__ import annotations

import pytest

from domain.actions.applications import withdraw
from domain.actions.changes import discard_draft
from domain.actions.profiles import save_basic_info
from domain.rules.errors import NotAllowed, NotFound, Stale, WrongStanding
from domain.rules.profile_input import BasicInfo
from models.applications import Application, ApplicationRecord
from models.database import database_now, rows
from models.enums import Move, RevisionState, Stage
from models.experts import Expert
from models.profiles import Revision
from settings import Settings
from tests.cases import case_at, complete_profile, reject, return_case
from tests.changes.formal import change_at, formal_expert, send, with_changes
from tests.divisions.moving import TARGET, ask
from tests.graphql import both, execute
from tests.people import SignedIn, administrator, officer, provincial_officer, registered_expert
from tests.profiles.kept import draft_of, everything_of

DISCARD = """mutation ($version: Int) { draftDiscard(input: {expectedVersion: $version}) { __typename
    ... on Expert { draftProfile { id } effectiveProfile { basicInfo { employer } } } ... on Problem { code } ... on Stale { version }
    ... on WrongStanding { standing } } }"""


async def discard(person: SignedIn, *, expected_version: int | None = None) -> Expert:
    return await discard_draft(expected_version=expected_version, viewer=person.viewer, now=await database_now())


async def test_a_discarded_draft_is_gone_with_all_its_rows_and_what_is_in_force_stays(database: Settings) -> None:
    person = await with_changes()
    draft = await draft_of(person.viewer)

    expert = await discard(person)

    assert (expert.draft_id, (await Expert.get(id=expert.id)).draft_id) == (None, None)
    assert not await Revision.exists(id=draft.pk)
    for table in ("education", "title_entries", "work_entries", "revision_specialties", "avoidance_units", "other_materials"):
        assert await rows(f"SELECT FROM {table} WHERE revision_id = $1", draft.pk) == []
    kept = await Revision.get(id=expert.effective_id)
    assert (kept.state, kept.employer) == (RevisionState.EFFECTIVE, "吉林大学")
    await save_basic_info(BasicInfo(post="院长"), viewer=person.viewer, now=await database_now())
    assert (await draft_of(person.viewer)).employer == "吉林大学"


async def test_a_returned_change_is_cancelled_with_its_draft_on_record(database: Settings) -> None:
    person, case = await change_at(Stage.RETURNED)

    await discard(person)

    kept = await Application.get(id=case.id)
    assert (kept.stage, kept.closed_at is None) == (Stage.CANCELLED, False)
    last = await ApplicationRecord.filter(application_id=case.id).order_by("-number").first()
    assert last is not None
    assert (last.move, last.from_stage, last.actor_id) == (Move.CANCEL, Stage.RETURNED, person.account.id)
    assert (await Revision.get(id=case.revision_id)).state is RevisionState.NOT_ADOPTED
    await save_basic_info(BasicInfo(post="院长"), viewer=person.viewer, now=await database_now())
    assert (await send(person)).id != case.id


async def test_giving_up_is_among_the_moves_of_a_returned_change_and_of_no_returned_admission(database: Settings) -> None:
    document = "query ($id: ID!) { application(id: $id) { availableMoves } }"
    person, case = await change_at(Stage.RETURNED)
    applicant, admission = await case_at(Stage.RETURNED)

    returned = await both(document, person.viewer, id=f"Application_{case.id}")
    await discard(person)

    assert returned == {"application": {"availableMoves": ["SUBMIT", "CANCEL"]}}
    assert await both(document, person.viewer, id=f"Application_{case.id}") == {"application": {"availableMoves": []}}
    assert await both(document, applicant.viewer, id=f"Application_{admission.id}") == {"application": {"availableMoves": ["SUBMIT"]}}


async def test_there_is_nothing_to_discard_without_a_draft(database: Settings) -> None:
    person = await with_changes()
    await discard(person)
    reviewed, _ = await change_at(Stage.FIRST_REVIEW)

    for each in (person, reviewed):
        before = await everything_of(each.viewer)
        with pytest.raises(NotFound):
            await discard(each)
        assert await everything_of(each.viewer) == before


async def test_a_draft_that_was_saved_meanwhile_is_kept(database: Settings) -> None:
    person = await with_changes()
    seen = (await draft_of(person.viewer)).version
    await save_basic_info(BasicInfo(post="院长"), viewer=person.viewer, now=await database_now())
    before = await everything_of(person.viewer)

    with pytest.raises(Stale) as refusal:
        await discard(person, expected_version=seen)

    assert refusal.value.version == seen + 1
    assert await everything_of(person.viewer) == before


async def save(person: SignedIn, post: str, *, expected_version: int | None = None) -> int:
    """The version that a save gives."""
    given = BasicInfo(post=post)
    return (await save_basic_info(given, viewer=person.viewer, now=await database_now(), expected_version=expected_version)).version


async def test_a_save_that_was_meant_for_a_discarded_draft_does_not_go_into_the_next(database: Settings) -> None:
    person = await with_changes()
    seen = (await draft_of(person.viewer)).version
    in_force = (await Revision.get(id=(await discard(person)).effective_id)).version

    with pytest.raises(Stale) as without:
        await save(person, "院长", expected_version=seen)
    anew = await save(person, "院长", expected_version=in_force)
    before = await everything_of(person.viewer)
    with pytest.raises(Stale) as beside:
        await save(person, "所长", expected_version=seen)

    assert (in_force, anew) == (seen - 1, seen + 1)
    assert (without.value.version, beside.value.version) == (in_force, anew)
    assert await everything_of(person.viewer) == before


async def test_no_version_is_given_twice_whatever_becomes_of_the_drafts(database: Settings) -> None:
    person = await formal_expert()
    local = (await officer()).viewer
    versions = [await save(person, "一")]
    case = await send(person)
    await return_case(case.id, local)
    versions.append(await save(person, "二"))
    await discard(person)
    versions.append(await save(person, "三"))
    case = await send(person)
    await withdraw(case.id, viewer=person.viewer, now=await database_now())
    versions.append(await save(person, "四"))
    case = await send(person)
    await reject(case.id, local)
    versions.append(await save(person, "五"))
    await discard(person)
    case = await ask(person)
    versions.append((await Revision.get(id=case.revision_id)).version)
    await reject(case.id, (await officer(TARGET)).viewer)
    versions.append(await save(person, "六"))

    first = versions[0]
    assert versions == [first + each for each in range(7)]


async def test_who_is_not_yet_formal_keeps_the_draft_of_the_admission(database: Settings) -> None:
    person = await registered_expert()
    await complete_profile(person.viewer)
    before = await everything_of(person.viewer)

    with pytest.raises(WrongStanding):
        await discard(person)
    with pytest.raises(NotAllowed):
        await discard(await officer())

    assert await everything_of(person.viewer) == before


async def test_the_door_of_discarding(database: Settings) -> None:
    person, temporary = await with_changes(), await registered_expert()
    staff = [(await officer()).viewer, (await provincial_officer()).viewer, (await administrator()).viewer]
    version = (await draft_of(person.viewer)).version

    nobody = await execute(DISCARD, None)
    refused = [await execute(DISCARD, each) for each in staff]
    waiting = await execute(DISCARD, temporary.viewer)
    stale = await execute(DISCARD, person.viewer, version=version - 1)
    done = await execute(DISCARD, person.viewer, version=version)
    repeated = await execute(DISCARD, person.viewer)

    assert nobody.data == {"draftDiscard": {"__typename": "NotSignedIn", "code": "NOT_SIGNED_IN"}}
    assert [each.data for each in refused] == [{"draftDiscard": {"__typename": "NotAllowed", "code": "NOT_ALLOWED"}}] * 3
    assert waiting.data == {"draftDiscard": {"__typename": "WrongStanding", "code": "WRONG_STANDING", "standing": "TEMPORARY"}}
    assert stale.data == {"draftDiscard": {"__typename": "Stale", "code": "STALE", "version": version}}
    assert done.data == {
        "draftDiscard": {"__typename": "Expert", "draftProfile": None, "effectiveProfile": {"basicInfo": {"employer": "吉林大学"}}}
    }
    assert repeated.data == {"draftDiscard": {"__typename": "NotFound", "code": "NOT_FOUND"}}


async def test_an_expert_without_changes_has_nothing_to_discard(database: Settings) -> None:
    person = await formal_expert()

    with pytest.raises(NotFound):
        await discard(person)
