"""An identity paper that expires after it was entered: told to its owner before submission, to reviewers after it."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from typing import Any

from domain.actions.profiles import save_basic_info
from domain.rules.calendar import SHANGHAI
from domain.rules.profile_input import BasicInfo
from models.applications import Application
from settings import Settings
from tests.cases import complete_profile, draft_case, everything_about, submitted_case
from tests.changes.formal import formal_expert, with_changes
from tests.conftest import Clock
from tests.graphql import execute
from tests.people import SignedIn, officer, registered_expert
from tests.profiles.kept import everything_of

EXPIRED = [{"path": "basicInfo.idValidUntil", "code": "ID_EXPIRED"}]
EXPIRED_SINCE = [{"path": "basicInfo.idValidUntil", "code": "ID_EXPIRED_SINCE"}]
ACCEPTED = "commitmentAccepted: true, avoidanceAccepted: true"
TOLD = "{ __typename ... on Application { stage } ... on Incomplete { missing { path code } } }"
DRAFT = "{ viewer { expert { draftProfile { missing { path code } warnings { path code } } } } }"
REVIEWED = "query ($id: ID!) { application(id: $id) { profile { missing { path code } warnings { path code } } } }"


async def answer(document: str, person: SignedIn, **variables: Any) -> Any:
    result = await execute(document, person.viewer, **variables)
    assert result.errors is None, result.errors
    assert result.data is not None
    return result.data


async def submit(person: SignedIn, case: Application) -> Any:
    document = f'mutation {{ applicationSubmit(input: {{applicationId: "Application_{case.id}", {ACCEPTED}}}) {TOLD} }}'
    return (await answer(document, person))["applicationSubmit"]


async def draft_of(person: SignedIn) -> Any:
    return (await answer(DRAFT, person))["viewer"]["expert"]["draftProfile"]


async def save(person: SignedIn, *, until: date | None, for_life: bool = False, now: datetime) -> None:
    await save_basic_info(BasicInfo(id_valid_until=until, id_valid_long_term=for_life), viewer=person.viewer, now=now)


async def test_a_paper_is_good_until_its_last_day_in_shanghai_is_over(clock: Clock) -> None:
    person = await registered_expert()
    await complete_profile(person.viewer)
    case = await draft_case(person.viewer)
    now = await clock.now()
    last_day = now.astimezone(SHANGHAI).date() + timedelta(days=2)
    await save(person, until=last_day, now=now)
    over = datetime.combine(last_day + timedelta(days=1), time(), SHANGHAI)

    await clock.move(seconds=(over - now).total_seconds() - 300)
    on_the_last_day = await draft_of(person)
    now = await clock.move(seconds=600)
    the_day_after = await draft_of(person)
    before = await everything_about(case.id)
    refused = await submit(person, case)

    assert on_the_last_day == {"missing": [], "warnings": []}
    assert the_day_after == {"missing": EXPIRED, "warnings": []}
    assert refused == {"__typename": "Incomplete", "missing": EXPIRED}
    assert await everything_about(case.id) == before

    await save(person, until=date(2046, 5, 1), now=now)
    assert await submit(person, case) == {"__typename": "Application", "stage": "FIRST_REVIEW"}


async def test_a_paper_for_life_never_expires(clock: Clock) -> None:
    person = await registered_expert()
    await complete_profile(person.viewer)
    await save(person, until=None, for_life=True, now=await clock.now())

    await clock.move(days=3)

    assert await draft_of(person) == {"missing": [], "warnings": []}
    assert (await submit(person, await draft_case(person.viewer)))["__typename"] == "Application"


async def test_a_paper_that_expires_during_the_reviews_is_a_warning_and_lacks_nothing(clock: Clock) -> None:
    now = await clock.now()
    local = await officer()
    person = await registered_expert()
    await complete_profile(person.viewer)
    await save(person, until=now.astimezone(SHANGHAI).date() + timedelta(days=1), now=now)
    case = await draft_case(person.viewer)
    await submit(person, case)
    _, other = await submitted_case()
    valid = (await answer(REVIEWED, local, id=f"Application_{case.id}"))["application"]["profile"]

    await clock.move(days=2)

    expired = (await answer(REVIEWED, local, id=f"Application_{case.id}"))["application"]["profile"]
    of_another = (await answer(REVIEWED, local, id=f"Application_{other.id}"))["application"]["profile"]
    assert valid == of_another == {"missing": [], "warnings": []}
    assert expired == {"missing": [], "warnings": EXPIRED_SINCE}


async def test_a_change_and_a_change_of_division_do_not_carry_on_an_expired_paper(database: Settings, clock: Clock) -> None:
    changing, moving = await with_changes(), await formal_expert()
    assert await draft_of(changing) == {"missing": [], "warnings": []}
    await clock.move(days=365 * 10)  # complete profiles bear a paper that is valid until 2036
    before = await everything_of(changing.viewer), await everything_of(moving.viewer)

    change = await answer(f"mutation {{ changeSubmit(input: {{{ACCEPTED}}}) {TOLD} }}", changing)
    request = f'divisionCode: "220299", reason: "迁居", {ACCEPTED}'
    division = await answer(f"mutation {{ divisionChangeRequest(input: {{{request}}}) {TOLD} }}", moving)

    assert change["changeSubmit"] == {"__typename": "Incomplete", "missing": EXPIRED}
    assert division["divisionChangeRequest"] == {"__typename": "Incomplete", "missing": EXPIRED}
    assert (await everything_of(changing.viewer), await everything_of(moving.viewer)) == before
