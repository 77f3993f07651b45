"""Consent to the privacy terms: its versions, what waits for it, and what does not."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from domain.actions import consents
from domain.rules.errors import ConsentNeeded, InvalidInput, NotAllowed
from models.accounts import Consent
from models.applications import Application
from models.database import database_now
from models.enums import Stage
from settings import Settings
from tests.cases import case_at, complete_profile, draft_case
from tests.changes.formal import formal_expert, send, with_changes
from tests.graphql import both, execute
from tests.people import officer, registered_expert, sign_in

ASKED = "{ viewer { consentNeeded consents { termsVersion } } }"
ACCEPT = """mutation Accept($input: PrivacyTermsAcceptInput!) { privacyTermsAccept(input: $input) { __typename
    ... on Consent { termsVersion } ... on Problem { code message } ... on InvalidInput { fields { path code } } } }"""
SUBMIT = """mutation Submit($input: ApplicationSubmitInput!) { applicationSubmit(input: $input) { __typename
    ... on Application { stage } ... on ConsentNeeded { version } ... on Problem { code } } }"""
MOVE = """mutation Move($input: DivisionChangeRequestInput!) { divisionChangeRequest(input: $input) { __typename
    ... on ConsentNeeded { version } } }"""
NEW = "2027-01"


async def test_a_new_version_is_asked_for_once_and_the_history_stays(database: Settings, change_settings: Any) -> None:
    person = await registered_expert()
    before = await both(ASKED, person.viewer)
    change_settings(privacy_terms_version=NEW)
    asked = await both(ASKED, person.viewer)

    first = await execute(ACCEPT, person.viewer, input={"version": NEW, "sensitiveDataAccepted": True})
    [kept] = await Consent.filter(account_id=person.account.id, terms_version=NEW)
    again = await execute(ACCEPT, person.viewer, input={"version": NEW, "sensitiveDataAccepted": True})

    assert before == {"viewer": {"consentNeeded": False, "consents": [{"termsVersion": "2026-01"}]}}
    assert asked == {"viewer": {"consentNeeded": True, "consents": [{"termsVersion": "2026-01"}]}}
    assert first.data == again.data == {"privacyTermsAccept": {"__typename": "Consent", "termsVersion": NEW}}
    assert (await Consent.get(account_id=person.account.id, terms_version=NEW)).accepted_at == kept.accepted_at
    assert await both(ASKED, person.viewer) == {
        "viewer": {"consentNeeded": False, "consents": [{"termsVersion": NEW}, {"termsVersion": "2026-01"}]}
    }


async def test_who_accepts_is_told_in_the_same_answer_that_nothing_is_asked_any_more(database: Settings, change_settings: Any) -> None:
    person = await registered_expert()
    change_settings(privacy_terms_version=NEW)
    document = ACCEPT.replace("termsVersion", "viewer { consentNeeded consents { termsVersion } }", 1)

    done = await execute(document, person.viewer, input={"version": NEW, "sensitiveDataAccepted": True})

    viewer = {"consentNeeded": False, "consents": [{"termsVersion": NEW}, {"termsVersion": "2026-01"}]}
    assert done.data == {"privacyTermsAccept": {"__typename": "Consent", "viewer": viewer}}
    linked = await both("{ viewer { consents { viewer { account { phone } consentNeeded } } } }", person.viewer)
    assert linked == {"viewer": {"consents": [{"viewer": {"account": {"phone": person.phone}, "consentNeeded": False}}] * 2}}


async def test_until_then_all_can_be_read_and_saved_and_nothing_submitted(database: Settings, change_settings: Any) -> None:
    person = await registered_expert()
    change_settings(privacy_terms_version=NEW)
    await complete_profile(person.viewer)
    case = await draft_case(person.viewer)
    given = {"applicationId": f"Application_{case.id}", "commitmentAccepted": True, "avoidanceAccepted": True}

    refused = await execute(SUBMIT, person.viewer, input=given)
    unchanged = await Application.get(id=case.id)
    await consents.accept(NEW, sensitive_data_accepted=True, viewer=person.viewer, now=await database_now())
    done = await execute(SUBMIT, person.viewer, input=given)

    assert refused.data == {"applicationSubmit": {"__typename": "ConsentNeeded", "version": NEW, "code": "CONSENT_NEEDED"}}
    assert (unchanged.stage, unchanged.round, unchanged.records_count) == (Stage.DRAFT, 0, 0)
    assert done.data == {"applicationSubmit": {"__typename": "Application", "stage": "FIRST_REVIEW"}}


async def test_what_was_submitted_under_the_old_terms_goes_on(database: Settings, change_settings: Any) -> None:
    person, case = await case_at(Stage.FIRST_REVIEW)
    change_settings(privacy_terms_version=NEW)

    assert await both("query ($id: ID!) { application(id: $id) { stage } }", person.viewer, id=f"Application_{case.id}") == {
        "application": {"stage": "FIRST_REVIEW"}
    }
    await sign_in(person.phone)


@pytest.mark.parametrize("version", ["2026-01", "", "2027-02"])
async def test_only_the_version_in_force_can_be_accepted(database: Settings, change_settings: Any, version: str) -> None:
    person = await registered_expert()
    change_settings(privacy_terms_version=NEW)

    with pytest.raises(InvalidInput) as refused:
        await consents.accept(version, sensitive_data_accepted=True, viewer=person.viewer, now=await database_now())

    assert [(each.path, each.code, each.facts) for each in refused.value.problems] == [("version", "TERMS_VERSION", {"current": NEW})]
    assert await Consent.filter(account_id=person.account.id).count() == 1


async def test_accepting_twice_at_once_is_kept_once(database: Settings, change_settings: Any) -> None:
    person = await registered_expert()
    change_settings(privacy_terms_version=NEW)
    now = await database_now()

    both_answers = await asyncio.gather(
        *(consents.accept(NEW, sensitive_data_accepted=True, viewer=person.viewer, now=now) for _ in range(4))
    )

    assert len({each.id for each in both_answers}) == 1


async def test_staff_are_not_asked(database: Settings, change_settings: Any) -> None:
    local = await officer()
    change_settings(privacy_terms_version=NEW)

    with pytest.raises(NotAllowed):
        await consents.accept(NEW, sensitive_data_accepted=True, viewer=local.viewer, now=await database_now())

    assert await both(ASKED, local.viewer) == {"viewer": {"consentNeeded": False, "consents": []}}


async def test_a_change_waits_for_consent_too(database: Settings, change_settings: Any) -> None:
    person, other = await with_changes(), await formal_expert()
    change_settings(privacy_terms_version=NEW)

    with pytest.raises(ConsentNeeded) as refused:
        await send(person)
    asked = {"divisionCode": "220299", "reason": "迁居", "commitmentAccepted": True, "avoidanceAccepted": True}
    moving = await execute(MOVE, other.viewer, input=asked)

    assert refused.value.version == NEW
    assert moving.data == {"divisionChangeRequest": {"__typename": "ConsentNeeded", "version": NEW}}


async def test_sensitive_data_need_a_consent_of_their_own(database: Settings, change_settings: Any) -> None:
    person = await registered_expert()
    change_settings(privacy_terms_version=NEW)

    refused = await execute(ACCEPT, person.viewer, input={"version": NEW})

    assert refused.data is not None
    problem = refused.data["privacyTermsAccept"]
    assert problem["fields"] == [{"path": "sensitiveDataAccepted", "code": "SENSITIVE_DATA_NOT_ACCEPTED"}]
    assert await Consent.filter(account_id=person.account.id, terms_version=NEW).count() == 0


async def test_who_accepted_before_it_was_asked_is_asked_at_the_next_submission(database: Settings) -> None:
    person = await registered_expert()
    await Consent.filter(account_id=person.account.id).update(sensitive_accepted_at=None)
    [before] = await Consent.filter(account_id=person.account.id)
    await complete_profile(person.viewer)
    case = await draft_case(person.viewer)
    given = {"applicationId": f"Application_{case.id}", "commitmentAccepted": True, "avoidanceAccepted": True}

    asked = await both("{ viewer { consentNeeded consents { sensitiveDataAcceptedAt } } }", person.viewer)
    refused = await execute(SUBMIT, person.viewer, input=given)
    now = await database_now()
    await consents.accept("2026-01", sensitive_data_accepted=True, viewer=person.viewer, now=now)
    done = await execute(SUBMIT, person.viewer, input=given)

    assert asked == {"viewer": {"consentNeeded": True, "consents": [{"sensitiveDataAcceptedAt": None}]}}
    assert refused.data == {"applicationSubmit": {"__typename": "ConsentNeeded", "version": "2026-01", "code": "CONSENT_NEEDED"}}
    assert done.data == {"applicationSubmit": {"__typename": "Application", "stage": "FIRST_REVIEW"}}
    [after] = await Consent.filter(account_id=person.account.id)
    assert (after.id, after.accepted_at, after.sensitive_accepted_at) == (before.id, before.accepted_at, now)
