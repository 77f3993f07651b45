"""The eligibility report of cases and drafts: what it says, to whom, and that it says the same ever after."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

import pytest

from domain.actions import eligibility, profiles, reference, standing
from domain.actions.clock import move as move_clock
from domain.actions.publicity import close_due_notices
from domain.rules import profile_input as given
from domain.rules.calendar import SHANGHAI
from domain.rules.errors import InvalidInput, NotAllowed
from models.applications import Application
from models.database import database_now, rows
from models.enums import DismissalCause, Stage
from models.profiles import Revision
from models.reference import Specialty
from settings import settings
from tests.cases import approve, complete_profile, draft_case, return_case, submit, submitted_case
from tests.conftest import ROOT
from tests.graphql import both, execute
from tests.people import administrator, officer, provincial_officer, registered_expert, some_id_number

REPORT = """{
    day
    lines {
        rule result code message
        evidence { age ageLimit title titleRank qualification years yearsRequired since records { change on until } scarceSpecialties }
    }
    forecasts { change on subject }
}"""
OF_CASE = f"query ($id: ID!) {{ application(id: $id) {{ eligibility {REPORT} }} }}"
OF_DRAFT = f"{{ viewer {{ expert {{ draftProfile {{ eligibility {REPORT} }} }} }} }}"
SCARCE = """mutation ($code: String!, $scarce: Boolean!) { specialtyScarceSet(input: {specialtyCode: $code, scarce: $scarce}) {
    __typename ... on Specialty { code scarce } ... on Problem { code } } }"""


async def of_case(case: Application, viewer: Any) -> Any:
    return (await both(OF_CASE, viewer, id=f"Application_{case.id}"))["application"]["eligibility"]


async def of_draft(viewer: Any) -> Any:
    return (await both(OF_DRAFT, viewer))["viewer"]["expert"]["draftProfile"]["eligibility"]


def results(report: Any) -> dict[str, str]:
    return {each["rule"]: each["result"] for each in report["lines"]}


async def today() -> date:
    return (await database_now()).astimezone(SHANGHAI).date()


async def test_a_case_says_how_it_stands_to_every_condition(now: datetime) -> None:
    person = await registered_expert(id_number=some_id_number(born=date(1975, 3, 12)))
    await complete_profile(person.viewer)
    local = await officer()

    case = await submit(person.viewer)

    day = now.astimezone(SHANGHAI).date()
    report = await of_case(case, local.viewer)
    age = day.year - 1975 - ((day.month, day.day) < (3, 12))
    none: dict[str, Any] = {
        "age": None,
        "ageLimit": None,
        "title": None,
        "titleRank": None,
        "qualification": None,
        "years": None,
        "yearsRequired": None,
    }
    none |= {"since": None, "records": [], "scarceSpecialties": []}
    assert report == {
        "day": day.isoformat(),
        "lines": [
            {
                "rule": "AGE",
                "result": "PASSED",
                "code": "ELIGIBILITY_AGE_UNDER",
                "message": f"提交时 {age} 周岁，未满 70 周岁。",
                "evidence": none | {"age": age, "ageLimit": 70},
            },
            {
                "rule": "TITLE",
                "result": "PASSED",
                "code": "ELIGIBILITY_TITLE_SENIOR",
                "message": "具有高级专业技术职称：副教授。",
                "evidence": none | {"title": "副教授", "titleRank": "副高级"},
            },
            {
                "rule": "EXPERIENCE",
                "result": "PASSED",
                "code": "ELIGIBILITY_YEARS_NOT_ASKED",
                "message": "具有高级职称，不要求从业年限。",
                "evidence": none | {"title": "副教授", "titleRank": "副高级", "years": 20},
            },
            {
                "rule": "RECORD",
                "result": "PASSED",
                "code": "ELIGIBILITY_RECORD_CLEAN",
                "message": f"自 {day.replace(year=day.year - 3)} 起没有被解聘或暂停的记录。",
                "evidence": none | {"since": day.replace(year=day.year - 3).isoformat()},
            },
        ],
        "forecasts": [{"change": "AGE_LIMIT", "on": "2045-03-12", "subject": None}],
    }


async def test_the_expert_sees_the_report_of_the_draft_and_officers_that_of_what_was_submitted(now: datetime) -> None:
    person = await registered_expert()
    local = await officer()

    await complete_profile(person.viewer)
    before = await of_draft(person.viewer)
    case = await submit(person.viewer)
    await return_case(case.id, local.viewer)
    draft = await Revision.get(id=(await Revision.get(expert_id=person.viewer.expert_id, state="DRAFT")).id)
    await Revision.filter(id=draft.id).update(years_in_field=None, birth_date=date(1950, 1, 1))

    assert results(before) == dict.fromkeys(("AGE", "TITLE", "EXPERIENCE", "RECORD"), "PASSED")
    assert await of_case(case, local.viewer) == await of_case(case, person.viewer) == before
    assert results(await of_draft(person.viewer))["AGE"] == "FAILED"
    assert draft.eligibility is None, "a draft keeps no report"


async def test_a_case_in_draft_has_no_report_yet() -> None:
    person = await registered_expert()
    await complete_profile(person.viewer)

    assert await of_case(await draft_case(person.viewer), person.viewer) is None


async def test_others_see_no_report() -> None:
    _, case = await submitted_case()
    stranger, elsewhere, admin = await registered_expert(), await officer("220299"), await administrator()

    for viewer in (stranger.viewer, elsewhere.viewer, admin.viewer):
        assert (await both(OF_CASE, viewer, id=f"Application_{case.id}"))["application"] is None


async def test_a_report_says_the_same_a_year_later_whatever_has_changed() -> None:
    person, case = await submitted_case()
    local, admin = await officer(), await administrator()
    before = await of_case(case, local.viewer)

    await rows("UPDATE titles SET name = '某', rank = '初级（员级）' WHERE code = 'T01012'")
    await eligibility.set_scarce("A01010000", True, viewer=admin.viewer)
    await move_clock(366 * 24 * 3600, settings=settings())
    after, later = await of_case(case, local.viewer), await of_draft_of(person.viewer, local.viewer, case)

    assert after == before
    assert results(later)["TITLE"] == "RELAXED"
    await eligibility.set_scarce("A01010000", False, viewer=admin.viewer)
    await reference.load(ROOT / "reference" / "titles.csv")


async def of_draft_of(person: Any, local: Any, case: Application) -> Any:
    """Of the draft after a return, which nobody has changed."""
    await return_case(case.id, local)
    return await of_draft(person)


async def test_what_was_submitted_before_reports_were_kept_is_looked_at_as_of_its_day() -> None:
    _, case = await submitted_case()
    local = await officer()
    before = await of_case(case, local.viewer)
    await rows("ALTER TABLE revisions DISABLE TRIGGER a_frozen_revision_keeps_its_data")
    await rows("UPDATE revisions SET eligibility = NULL WHERE id = $1", case.revision_id)
    await rows("ALTER TABLE revisions ENABLE TRIGGER a_frozen_revision_keeps_its_data")

    await move_clock(366 * 24 * 3600, settings=settings())
    after = await of_case(case, local.viewer)

    assert after == before


async def test_a_suspension_shows_in_the_next_case_and_a_former_dismissal_in_that_of_a_new_registration() -> None:
    number = some_id_number(born=date(1980, 6, 1))
    first = await registered_expert(id_number=number)
    await complete_profile(first.viewer)
    case = await submit(first.viewer)
    province, reviewers = await provincial_officer(), [await officer(), await provincial_officer(), await provincial_officer()]
    await admit(case, reviewers)
    day, expert_id = await today(), case.expert_id
    await standing.suspend(expert_id, until=day + timedelta(9), reasons="核实", viewer=province.viewer, now=await database_now())
    await standing.reinstate(expert_id, reasons="已核实", viewer=province.viewer, now=await database_now())
    await profiles.save_basic_info(given.BasicInfo(employer="长春大学"), viewer=first.viewer, now=await database_now())
    suspended = await of_draft(first.viewer)
    await standing.dismiss(expert_id, cause=DismissalCause.OTHER, reasons="违规", viewer=province.viewer, now=await database_now())
    second = await registered_expert(phone=first.phone)
    await complete_profile(second.viewer)
    await rows(
        "UPDATE revisions SET id_number_hash = (SELECT id_number_hash FROM accounts WHERE id = $1) WHERE expert_id = $2",
        first.account.id,
        second.viewer.expert_id,
    )

    dismissed = await of_draft(second.viewer)

    shown = {"change": "SUSPEND", "on": day.isoformat(), "until": day.isoformat()}
    assert suspended["lines"][3]["result"] == "FAILED"
    assert suspended["lines"][3]["evidence"]["records"] == [shown]
    assert dismissed["lines"][3]["evidence"]["records"] == [{"change": "DISMISS", "on": day.isoformat(), "until": None}, shown]
    await move_clock(4 * 366 * 24 * 3600, settings=settings())
    assert results(await of_draft(second.viewer))["RECORD"] == "PASSED"


async def admit(case: Application, reviewers: Any) -> None:
    """Through the reviews and the public notice."""
    for each in reviewers:
        await approve(case.id, each.viewer)
    await move_clock(30 * 24 * 3600, settings=settings())
    await close_due_notices()


@pytest.mark.parametrize("marked", ["A01010000", "A01000000", "A"])
async def test_a_mark_on_a_specialty_speaks_for_all_below_it(marked: str) -> None:
    admin, person = await administrator(), await registered_expert(id_number=some_id_number(born=date(1950, 1, 1)))
    await complete_profile(person.viewer)
    document = f'{{ specialties(search: "{marked}") {{ code scarce }} }}'

    answer = await execute(SCARCE, admin.viewer, code=marked, scarce=True)
    relaxed = await of_draft(person.viewer)
    again = await execute(SCARCE, admin.viewer, code=marked, scarce=True)
    await reference.load(ROOT / "reference" / "specialties.csv")
    kept = (await both(document, None))["specialties"]
    await execute(SCARCE, admin.viewer, code=marked, scarce=False)
    failed = await of_draft(person.viewer)

    assert answer.data == again.data == {"specialtyScarceSet": {"__typename": "Specialty", "code": marked, "scarce": True}}
    assert {"code": marked, "scarce": True} in kept, "a newer file says nothing of the mark"
    assert results(relaxed)["AGE"] == "RELAXED"
    assert relaxed["lines"][0]["evidence"]["scarceSpecialties"][0] == (await Specialty.get(code="A01010000")).name
    assert results(failed)["AGE"] == "FAILED"


async def test_administrators_alone_mark_specialties_that_there_are() -> None:
    admin = await administrator()
    others = [await registered_expert(), await officer(), await provincial_officer()]

    for person in others:
        with pytest.raises(NotAllowed):
            await eligibility.set_scarce("A", True, viewer=person.viewer)
    signed_out = await execute(SCARCE, None, code="A", scarce=True)
    with pytest.raises(InvalidInput) as unknown:
        await eligibility.set_scarce("ZZZ", True, viewer=admin.viewer)

    assert signed_out.data == {"specialtyScarceSet": {"__typename": "NotSignedIn", "code": "NOT_SIGNED_IN"}}
    assert [(each.path, each.code) for each in unknown.value.problems] == [("specialtyCode", "CODE_UNKNOWN")]
    assert not await Specialty.exists(scarce=True)


async def test_a_failed_line_hinders_nothing() -> None:
    old, local = await registered_expert(id_number=some_id_number(born=date(1940, 1, 1))), await officer()
    await complete_profile(old.viewer)

    case = await submit(old.viewer)

    assert case.stage is Stage.FIRST_REVIEW
    assert results(await of_case(case, local.viewer))["AGE"] == "FAILED"
