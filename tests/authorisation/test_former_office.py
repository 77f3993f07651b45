"""What an office reads of somebody whose case is no longer before it."""

from __future__ import annotations

from collections.abc import Awaitable

from domain.actions import exports, files, profiles
from domain.rules import profile_input as given
from domain.rules.errors import NotFound
from models.database import database_now
from models.enums import FilePurpose
from models.files import StoredFile
from settings import Settings
from tests.cases import return_case, submit, submitted_case
from tests.graphql import both
from tests.people import SignedIn, officer, provincial_officer

SEEN = """query Seen($profile: ID!, $case: ID!, $expert: ID!) { expert(id: $expert) { name }
    node(id: $profile) { ... on Profile { number basicInfo { name addressMasked portrait { width } } titles { certificateNumber } } }
    application(id: $case) { profile { number } records { profile { number } } } }"""


async def finds(asking: Awaitable[object]) -> bool:
    try:
        await asking
    except NotFound:
        return False
    return True


async def test_the_office_of_a_pool_that_was_left_before_admission_reads_the_profile_no_more(database: Settings) -> None:
    person, case = await submitted_case(pool="220199")
    former, latter, province = await officer("220199"), await officer("220299"), await provincial_officer()
    await return_case(case.id, former.viewer)
    portrait = await StoredFile.get(owner_id=person.account.id, purpose=FilePurpose.PORTRAIT)
    assert case.revision_id is not None
    first = case.revision_id

    async def seen_by(who: SignedIn) -> tuple[object, ...]:
        """Numbers of the first profile, of that of the case and those of its records; whether the form and an image are to be had."""
        ids = {"profile": f"Profile_{first}", "case": f"Application_{case.id}", "expert": f"Expert_{case.expert_id}"}
        found, now = await both(SEEN, who.viewer, **ids), await database_now()
        form = await finds(exports.ask_form(first, viewer=who.viewer, now=now))
        image = await finds(files.visible(portrait.id, viewer=who.viewer, now=now))
        if found["application"] is None:
            assert found["expert"] is None
            return found["node"], None, None, form, image
        records = [each["profile"]["number"] for each in found["application"]["records"]]
        return found["node"]["number"], found["application"]["profile"]["number"], records, form, image

    before = [await seen_by(each) for each in (former, latter)]
    chosen = given.EvaluationInfo(home_pool_code="220299", specialties=("A01010000",))
    await profiles.save_evaluation_info(chosen, viewer=person.viewer, now=await database_now())
    await submit(person.viewer)
    after = [await seen_by(each) for each in (former, latter, province)]

    assert before == [(1, 1, [1, 1], True, True), (None, None, None, False, False)]
    assert after == [(None, None, None, False, False), *[(1, 2, [1, 1, 2], True, True)] * 2]
