from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any, get_type_hints

import pytest

from domain.actions.applications import submit
from domain.actions.changes import discard_draft
from domain.actions.comparing import difference_of
from domain.actions.profiles import save_basic_info
from domain.actions.standing import suspend
from domain.rules.errors import BaseMoved, InvalidInput, NotAllowed, Stale
from domain.rules.profile_input import BasicInfo, path_of
from domain.rules.viewer import Viewer
from models.database import database_now, rows
from models.enums import RevisionState, Stage
from models.experts import Expert
from models.profiles import Revision, RevisionSpecialty, TitleEntry
from settings import AT_ONCE, Settings, SettingsError, read, variable
from tests.cases import approve
from tests.changes.formal import change_at, formal_expert, send, with_changes
from tests.graphql import both, execute
from tests.people import SignedIn, officer, provincial_officer, registered_expert
from tests.profiles.kept import draft_of, everything_of, told

Change = Callable[..., Settings]

SAVE = """mutation { basicInfoSave(input: {email: "new@example.cn"}) { __typename
    ... on Profile { state number changedAtOnce basicInfo { email } } ... on Problem { code } } }"""

READ = "query Shown($id: ID!) { expert(id: $id) { effectiveProfile { changedAtOnce basicInfo { email emailMasked } } } }"


@pytest.fixture
def contacts(database: Settings, change_settings: Change) -> None:
    change_settings(fields_at_once=("email", "address", "secondPhone"))


async def in_force(person: SignedIn) -> Any:
    """The revision in force; Any, because sealed columns are typed without their null."""
    return await Revision.get(expert_id=person.viewer.expert_id, state=RevisionState.EFFECTIVE)


async def chain_of(person: SignedIn) -> list[tuple[int, str]]:
    """Numbers and states of the person's revisions in their order."""
    found = await rows("SELECT number, state FROM revisions WHERE expert_id = $1 ORDER BY number", person.viewer.expert_id)
    return [(each["number"], each["state"]) for each in found]


async def save(person: SignedIn, *, expected_version: int | None = None, **given: Any) -> Any:
    return await save_basic_info(BasicInfo(**given), viewer=person.viewer, now=await database_now(), expected_version=expected_version)


async def test_by_default_everything_is_reviewed(database: Settings) -> None:
    person = await formal_expert()

    kept = await save(person, email="new@example.cn")

    assert (kept.state, (await in_force(person)).email) == (RevisionState.DRAFT, "expert@example.cn")
    assert await chain_of(person) == [(1, "EFFECTIVE"), (2, "DRAFT")]


@pytest.mark.usefixtures("contacts")
async def test_a_chosen_field_is_in_force_at_once_by_a_revision_of_its_own() -> None:
    person = await formal_expert()
    before = await in_force(person)

    kept = await save(person, email="new@example.cn", second_phone="13912345678")

    after = await in_force(person)
    assert (kept.pk, after.email, after.second_phone) == (after.pk, "new@example.cn", "+8613912345678")
    assert (after.email_masked, after.second_phone_masked) == ("n***@example.cn", "139****5678")
    assert after.changed_at_once == ["basicInfo.email", "basicInfo.secondPhone"]
    assert (after.base_id, after.eligibility, after.frozen_at is None) == (before.pk, before.eligibility, False)
    assert await chain_of(person) == [(1, "SUPERSEDED"), (2, "EFFECTIVE")]
    expert = await Expert.get(id=person.viewer.expert_id)
    assert (expert.effective_id, expert.draft_id) == (after.pk, None)
    for section in (TitleEntry, RevisionSpecialty):
        entries = [set(await section.filter(revision_id=each).values_list("entry_id", flat=True)) for each in (before.pk, after.pk)]
        assert entries[0] == entries[1] != set()
    differing = await difference_of(after.pk, before.pk)
    assert sorted(each.path for each in differing.fields) == ["basicInfo.email", "basicInfo.secondPhone"]


@pytest.mark.usefixtures("contacts")
async def test_what_was_in_force_never_changes_afterwards() -> None:
    person = await formal_expert()
    before = await rows("SELECT to_jsonb(r) - 'state' AS row FROM revisions r WHERE expert_id = $1", person.viewer.expert_id)

    await save(person, email="new@example.cn")

    assert (
        await rows("SELECT to_jsonb(r) - 'state' AS row FROM revisions r WHERE expert_id = $1 AND number = 1", person.viewer.expert_id)
    ) == before


@pytest.mark.usefixtures("contacts")
async def test_saving_the_same_again_changes_nothing() -> None:
    person = await formal_expert()
    await save(person, email="new@example.cn")
    before = await everything_of(person.viewer)

    again = await save(person, email="new@example.cn")

    assert (again.state, await everything_of(person.viewer)) == (RevisionState.EFFECTIVE, before)


@pytest.mark.usefixtures("contacts")
async def test_the_version_goes_on_counting_so_that_old_ones_are_noticed() -> None:
    person = await formal_expert()
    seen = (await in_force(person)).version
    first = await save(person, email="first@example.cn", expected_version=seen)

    second = await save(person, email="second@example.cn", expected_version=first.version)

    assert (first.version, second.version) == (seen + 1, seen + 2)
    with pytest.raises(Stale) as refusal:
        await save(person, email="third@example.cn", expected_version=first.version)
    assert (refusal.value.version, (await in_force(person)).email) == (second.version, "second@example.cn")


@pytest.mark.usefixtures("contacts")
async def test_what_came_into_force_and_the_draft_that_goes_on_never_have_one_version() -> None:
    person = await formal_expert()
    kept = await save(person, email="new@example.cn", employer="长春理工大学")
    in_force_then = (await in_force(person)).version
    await discard_draft(viewer=person.viewer, now=await database_now())

    with pytest.raises(Stale) as refusal:
        await save(person, post="院长", expected_version=kept.version)
    anew = await save(person, post="院长", expected_version=in_force_then)

    assert (in_force_then, refusal.value.version, anew.version) == (kept.version - 1, in_force_then, kept.version + 1)


@pytest.mark.usefixtures("contacts")
async def test_a_draft_that_a_save_leaves_without_a_difference_does_not_give_its_version_to_the_next() -> None:
    person = await formal_expert()
    seen = (await save(person, employer="长春理工大学")).version
    await save(person, employer="吉林大学", email="expert@example.cn")
    dropped = (await Expert.get(id=person.viewer.expert_id)).draft_id

    anew = await save(person, employer="东北师范大学")

    assert (dropped, anew.version) == (None, seen + 1)


@pytest.mark.usefixtures("contacts")
async def test_other_fields_of_the_same_save_wait_in_the_draft() -> None:
    person = await formal_expert()

    kept = await save(person, email="new@example.cn", employer="长春理工大学")

    after, draft = await in_force(person), await draft_of(person.viewer)
    assert (after.email, after.employer, after.changed_at_once) == ("new@example.cn", "吉林大学", ["basicInfo.email"])
    assert (draft.email, draft.employer, draft.base_id, kept.pk) == ("new@example.cn", "长春理工大学", after.pk, draft.pk)
    assert await chain_of(person) == [(1, "SUPERSEDED"), (2, "EFFECTIVE"), (3, "DRAFT")]


@pytest.mark.usefixtures("contacts")
async def test_an_open_draft_gets_the_same_values_and_is_reviewed_without_them() -> None:
    person = await with_changes()
    await save(person, email="new@example.cn")
    draft = await draft_of(person.viewer)
    assert (draft.email, draft.employer) == ("new@example.cn", "长春理工大学")

    case = await send(person)

    base = await in_force(person)
    assert [each.path for each in (await difference_of(case.revision_id, base.pk)).fields] == ["basicInfo.employer"]  # type: ignore[arg-type]
    for each in (await officer(), await provincial_officer(), await provincial_officer()):
        case = await approve(case.id, each.viewer)
    after = await in_force(person)
    assert (case.stage, after.pk, after.employer, after.email) == (Stage.APPLIED, case.revision_id, "长春理工大学", "new@example.cn")
    assert await chain_of(person) == [(1, "SUPERSEDED"), (2, "SUPERSEDED"), (3, "EFFECTIVE")]
    assert after.changed_at_once is None


@pytest.mark.usefixtures("contacts")
async def test_the_draft_of_a_returned_change_stays_and_goes_on() -> None:
    person, case = await change_at(Stage.RETURNED)

    await save(person, email="new@example.cn", employer="吉林大学")

    assert (await in_force(person)).email == "new@example.cn"
    assert [state for _, state in await chain_of(person)] == ["SUPERSEDED", "NOT_ADOPTED", "EFFECTIVE", "DRAFT"]
    await save(person, employer="长春理工大学")
    now = await database_now()
    again = await submit(case.id, commitment=True, avoidance=True, viewer=person.viewer, now=now)
    assert (again.stage, again.round) == (Stage.FIRST_REVIEW, 2)


@pytest.mark.usefixtures("contacts")
async def test_a_draft_that_was_in_conflict_stays_so() -> None:
    person = await with_changes()
    await Revision.filter(expert_id=person.viewer.expert_id, state=RevisionState.DRAFT).update(base_id=None)

    await save(person, email="new@example.cn")

    assert (await in_force(person)).email == "new@example.cn"
    with pytest.raises(BaseMoved):
        await send(person)


@pytest.mark.usefixtures("contacts")
async def test_while_offices_have_a_case_nothing_is_changed_past_it() -> None:
    person, _ = await change_at(Stage.SECOND_REVIEW)
    before = await everything_of(person.viewer)

    with pytest.raises(NotAllowed) as refusal:
        await save(person, email="new@example.cn")

    assert (refusal.value.code, await everything_of(person.viewer)) == ("CASE_UNDER_REVIEW", before)


@pytest.mark.usefixtures("contacts")
async def test_a_required_field_is_not_emptied_at_once() -> None:
    person = await formal_expert()
    before = await everything_of(person.viewer)

    with pytest.raises(InvalidInput) as refusal:
        await save(person, address=None, email="new@example.cn")

    assert (told(refusal.value), await everything_of(person.viewer)) == ([("address", "REQUIRED")], before)


@pytest.mark.usefixtures("contacts")
async def test_before_admission_there_is_nothing_to_take_effect() -> None:
    person = await registered_expert()

    kept = await save(person, email="new@example.cn", address=None)

    assert (kept.state, kept.changed_at_once, await chain_of(person)) == (RevisionState.DRAFT, None, [(1, "DRAFT")])


@pytest.mark.usefixtures("contacts")
async def test_who_is_suspended_can_still_be_reached() -> None:
    person = await formal_expert()
    now = await database_now()
    province = (await provincial_officer()).viewer
    assert person.viewer.expert_id is not None
    await suspend(person.viewer.expert_id, reasons="核查中", until=now.date() + timedelta(days=30), viewer=province, now=now)

    await save(person, email="new@example.cn")

    assert (await in_force(person)).email == "new@example.cn"


@pytest.mark.usefixtures("contacts")
async def test_saved_eight_times_at_once_one_revision_is_in_force_and_no_draft_is_left() -> None:
    person = await formal_expert()

    await asyncio.gather(*(save(person, email=f"number{each}@example.cn") for each in range(8)))

    chain = await chain_of(person)
    assert chain == [*((number, "SUPERSEDED") for number in range(1, 9)), (9, "EFFECTIVE")]


@pytest.mark.usefixtures("contacts")
async def test_through_the_door_the_answer_is_what_is_in_force() -> None:
    person = await formal_expert()

    answer = await execute(SAVE, viewer=person.viewer)

    assert answer.data is not None
    assert answer.data["basicInfoSave"] == {
        "__typename": "Profile",
        "state": "EFFECTIVE",
        "number": 2,
        "changedAtOnce": ["basicInfo.email"],
        "basicInfo": {"email": "new@example.cn"},
    }


@pytest.mark.usefixtures("contacts")
async def test_officers_read_what_was_not_reviewed_and_see_it_masked() -> None:
    person = await formal_expert()
    local, elsewhere = (await officer()).viewer, (await officer(pool_code="220299")).viewer
    assert await shown(local, person) == {"changedAtOnce": None, "basicInfo": {"email": None, "emailMasked": "e***@example.cn"}}

    await save(person, email="new@example.cn")

    assert await shown(local, person) == {
        "changedAtOnce": ["basicInfo.email"],
        "basicInfo": {"email": None, "emailMasked": "n***@example.cn"},
    }
    assert await shown(elsewhere, person) is None


async def shown(viewer: Viewer, person: SignedIn) -> Any:
    """The profile in force, as a viewer reads it; None where the person is not there."""
    found = (await both(READ, viewer, id=f"Expert_{person.viewer.expert_id}"))["expert"]
    return found and found["effectiveProfile"]


def test_the_fields_to_choose_from_are_fields_of_basic_info() -> None:
    assert set(AT_ONCE) <= {path_of(each) for each in get_type_hints(BasicInfo)}


def test_another_field_stops_the_start_and_is_named() -> None:
    base = {variable("development"): "1"}

    with pytest.raises(SettingsError, match="REGISTRY_FIELDS_AT_ONCE names idNumber; fields that may take effect at once are: secondPhone"):
        read(base | {variable("fields_at_once"): "email,idNumber"})
    assert read(base | {variable("fields_at_once"): "email, address"}).fields_at_once == ("email", "address")
    assert read(base).fields_at_once == ()
