"""What is always true of the rows, whoever writes them: each constraint broken by SQL, and the list of all of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tortoise.exceptions import IntegrityError

from models.database import execute, rows
from models.enums import Stage
from settings import Settings
from tests.cases import approve, case_at, return_case, undone
from tests.conftest import ROOT
from tests.people import officer, provincial_officer, registered_expert

CATALOGUE = Path(__file__).parent / "catalogue.txt"
_CATALOGUE = """
SELECT format('constraint %s on %s', conname, conrelid::regclass) AS line
    FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
UNION ALL SELECT format('index %s on %s', indexname, tablename) FROM pg_indexes
    WHERE schemaname = 'public' AND NOT EXISTS (SELECT FROM pg_constraint WHERE conname = indexname)
UNION ALL SELECT format('trigger %s on %s', tgname, tgrelid::regclass) FROM pg_trigger WHERE NOT tgisinternal
"""
_NAMED = """
SELECT conname AS name FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype IN ('c', 'x')
UNION SELECT tgname FROM pg_trigger WHERE NOT tgisinternal
UNION SELECT c.relname FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indisunique AND i.indpred IS NOT NULL AND c.relnamespace = 'public'::regnamespace
"""


@pytest.fixture(scope="module")
async def names(database: Settings) -> dict[str, str]:
    """Keys of some rows, for the statements below."""
    person, case = await case_at(Stage.SECOND_REVIEW)
    local, first, second = await officer(), await provincial_officer(), await provincial_officer()
    await approve(case.id, first.viewer)
    await return_case(case.id, second.viewer)
    drafting = await registered_expert(name="李四")
    return {
        "case": str(case.id),
        "expert": str(person.viewer.expert_id),
        "account": str(person.account.id),
        "frozen": str(case.revision_id),
        "draft": str((await rows("SELECT draft_id FROM experts WHERE id = $1", person.viewer.expert_id))[0]["draft_id"]),
        "local": str(local.account.id),
        "first": str(first.account.id),
        "other_expert": str(drafting.viewer.expert_id),
        "other_account": str(drafting.account.id),
    }


_RECORD = """INSERT INTO application_records (id, application_id, number, round, at, actor_id, move, from_stage, to_stage, opinion,
    reject_reason, field_reasons, hash) VALUES (gen_random_uuid(), '{case}', 90, %s, '\\x00')"""
_CASE = """INSERT INTO applications (id, kind, expert_id, stage, round, applicant, declared_commitment, declared_avoidance, created_at,
    stage_since, records_count, closed_at) VALUES (gen_random_uuid(), 'ADMISSION', %s)"""
_REVISION = """INSERT INTO revisions (id, expert_id, number, state, version, created_at, updated_at, frozen_at, id_valid_long_term)
    VALUES (gen_random_uuid(), %s)"""
_EXPORT = """INSERT INTO exports (id, kind, requested_by_id, conditions, done, created_at, state, failure)
    VALUES (gen_random_uuid(), 'CASES', '{local}', '{{}}', 0, now(), %s)"""
_MERGE = """INSERT INTO pool_merges (id, from_code, into_code, state, reason, ordered_by_id, ordered_by_name, ordered_by_role, created_at,
    finished_at, experts_total, experts_moved, cases_moved)
    VALUES (gen_random_uuid(), '220281', %s, '撤并', '{local}', '王', 'PROVINCIAL_OFFICER', now(), NULL, 0, 0, 0)"""
_ACT = """INSERT INTO staff_acts (id, number, at, act, account_id, account_name, account_role, hash)
    VALUES (gen_random_uuid(), 1000000, now(), 'SIGNED_IN', '{local}', '李初审', 'LOCAL_OFFICER', '\\x00')"""
_TRANSFER = """INSERT INTO pool_transfers (id, merge_id, expert_id, at, from_code, into_code)
    SELECT gen_random_uuid(), id, '{expert}', now(), from_code, into_code FROM pool_merges"""
_CODE = """INSERT INTO phone_codes (id, phone_hash, address_hash, purpose, created_at, expires_at, wrong_tries)
    VALUES (gen_random_uuid(), '\\x01', '\\x02', 'SIGN_IN', now(), now(), 0)"""
_TICKET = """INSERT INTO sign_in_tickets (id, account_id, token_hash, transport, device, created_at, expires_at, wrong_tries)
    VALUES (gen_random_uuid(), '{local}', '\\x01', 'BEARER', '', now(), now(), 0)"""
_FILE = """INSERT INTO files (id, owner_id, purpose, original_name, media_type, size, width, height, sharpness, blurred, sha256, object_key,
    created_at) VALUES (gen_random_uuid(), '{account}', 'OTHER', 'x.jpg', 'image/jpeg', 1, 1, 1, 1, FALSE, '\\x01', 'x', now())"""


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        (
            "one_live_account_per_phone",
            "UPDATE accounts SET phone_hash = (SELECT phone_hash FROM accounts WHERE id = '{account}') WHERE id = '{other_account}'",
        ),
        (
            "one_live_account_per_id_number",
            "UPDATE accounts SET id_number_hash = (SELECT id_number_hash FROM accounts WHERE id = '{account}') WHERE id = '{local}'",
        ),
        ("a_local_officer_has_a_pool", "UPDATE accounts SET pool_code = NULL WHERE id = '{local}'"),
        ("a_local_officer_has_a_pool", "UPDATE accounts SET pool_code = '220199' WHERE id = '{first}'"),
        ("a_change_of_division_leaves_a_pool", "UPDATE applications SET leaving_pool_code = '220299' WHERE id = '{case}'"),
        ("a_change_of_division_leaves_a_pool", "UPDATE applications SET kind = 'DIVISION_CHANGE' WHERE id = '{case}'"),
        ("a_second_factor_is_of_staff_and_has_its_time", "UPDATE accounts SET second_factor = '\\x01' WHERE id = '{local}'"),
        (
            "a_second_factor_is_of_staff_and_has_its_time",
            "UPDATE accounts SET second_factor = '\\x01', second_factor_since = now() WHERE id = '{account}'",
        ),
        ("a_sign_in_ticket_is_unique", f"{_TICKET}; {_TICKET}"),
        ("a_session_token_is_unique", "UPDATE sessions SET token_hash = '\\x00'"),
        ("one_live_code_per_phone_and_purpose", f"{_CODE}; {_CODE}"),
        ("one_export_under_way_per_person_and_kind", "; ".join(_EXPORT % f"'{state}', NULL" for state in ("QUEUED", "RUNNING"))),
        ("an_export_that_is_ready_has_its_file", _EXPORT % "'READY', NULL"),
        ("a_failed_export_has_its_reason", _EXPORT % "'FAILED', NULL"),
        ("a_failed_export_has_its_reason", _EXPORT % "'QUEUED', 'EXPORT_FAILED'"),
        ("staff_acts_are_numbered", f"{_ACT}; {_ACT}"),
        ("a_pool_without_successor_takes_nobody", "UPDATE divisions SET closed_at = now() WHERE code = '220199'"),
        ("a_pool_closes_once", "; ".join([_MERGE % "'220299', 'RUNNING'", _MERGE % "'220199', 'RUNNING'"])),
        ("a_pool_is_merged_into_another", _MERGE % "'220281', 'RUNNING'"),
        ("a_merge_that_is_done_has_its_time", _MERGE % "'220299', 'DONE'"),
        ("a_person_is_moved_once_by_a_merge", "; ".join([_MERGE % "'220299', 'RUNNING'", _TRANSFER, _TRANSFER])),
        ("one_draft_per_expert", _REVISION % "'{expert}', 90, 'DRAFT', 0, now(), now(), NULL, FALSE"),
        (
            "one_effective_revision_per_expert",
            "UPDATE revisions SET state = 'EFFECTIVE' WHERE id = '{frozen}'; "
            + _REVISION % "'{expert}', 90, 'EFFECTIVE', 0, now(), now(), now(), FALSE",
        ),
        (
            "one_highest_education_per_revision",
            """INSERT INTO education (id, entry_id, position, revision_id, school, started_on, ended_on, major, level, mode, is_highest)
               VALUES (gen_random_uuid(), gen_random_uuid(), 9, '{draft}', '甲', '2001-01-01', '2002-01-01', '乙', '21', 'FULL_TIME',
                   TRUE)""",
        ),
        (
            "a_specialty_stands_once_in_a_revision",
            "UPDATE revision_specialties SET specialty_code = 'A01010000' WHERE revision_id = '{draft}'",
        ),
        ("education_ends_after_it_starts", "UPDATE education SET ended_on = started_on - 1 WHERE revision_id = '{draft}'"),
        ("work_ends_after_it_starts", "UPDATE work_entries SET ended_on = started_on - 1 WHERE revision_id = '{draft}'"),
        ("a_frozen_revision_has_its_time", "UPDATE revisions SET frozen_at = now() WHERE id = '{draft}'"),
        ("a_frozen_revision_has_its_time", "UPDATE revisions SET state = 'FROZEN' WHERE id = '{draft}'"),
        ("an_owner_keeps_an_image_once_for_a_purpose", f"{_FILE}; {_FILE}"),
        ("one_open_case_per_expert", _CASE % "'{expert}', 'DRAFT', 0, '张三', FALSE, FALSE, now(), now(), 0, NULL"),
        ("a_case_is_closed_with_its_stage", "UPDATE applications SET closed_at = now() WHERE id = '{case}'"),
        ("a_case_is_closed_with_its_stage", "UPDATE applications SET stage = 'ADMITTED' WHERE id = '{case}'"),
        ("a_claim_has_a_holder_and_an_end", "UPDATE applications SET claimed_by_id = '{local}' WHERE id = '{case}'"),
        ("a_claim_has_a_holder_and_an_end", "UPDATE applications SET claimed_until = now() WHERE id = '{case}'"),
        ("a_submitted_case_has_pool_and_revision", "UPDATE applications SET pool_code = NULL WHERE id = '{case}'"),
        ("a_submitted_case_has_pool_and_revision", "UPDATE applications SET revision_id = NULL WHERE id = '{case}'"),
        (
            "one_review_per_stage_and_round",
            _RECORD % "1, now(), '{local}', 'APPROVE', 'FIRST_REVIEW', 'SECOND_REVIEW', NULL, NULL, '[]'",
        ),
        (
            "second_and_final_review_by_two_officers",
            _RECORD % "2, now(), '{first}', 'APPROVE', 'FINAL_REVIEW', 'PUBLICITY', NULL, NULL, '[]'",
        ),
        (
            "a_return_names_its_reasons",
            _RECORD % "2, now(), '{local}', 'RETURN', 'FIRST_REVIEW', 'RETURNED', '请补充', NULL, '[]'",
        ),
        (
            "a_return_names_its_reasons",
            _RECORD % "2, now(), '{local}', 'RETURN', 'FIRST_REVIEW', 'RETURNED', '', NULL, '[{{}}]'",
        ),
        (
            "a_version_is_accepted_once",
            (
                "INSERT INTO consents (id, terms_version, accepted_at, account_id) "
                "SELECT gen_random_uuid(), terms_version, now(), account_id FROM consents WHERE account_id = '{account}'"
            ),
        ),
        ("a_message_is_resent_once", "UPDATE sms_messages SET resend_of = '{case}'"),
        (
            "a_rejection_names_its_reason",
            _RECORD % "2, now(), '{local}', 'REJECT', 'FIRST_REVIEW', 'REJECTED', '不符合', NULL, '[]'",
        ),
        (
            "a_rejection_names_its_reason",
            _RECORD % "2, now(), '{local}', 'REJECT', 'FIRST_REVIEW', 'REJECTED', NULL, 'OTHER', '[]'",
        ),
    ],
)
async def test_rows_that_cannot_be_are_refused_by_the_database(names: dict[str, str], name: str, statement: str) -> None:
    with pytest.raises(IntegrityError) as refusal:
        await _run(statement.format(**names))

    assert getattr(refusal.value.__cause__, "constraint_name", None) == name


async def _run(statements: str) -> None:
    async with undone():
        for each in statements.split("; "):
            await execute(each)


@pytest.mark.parametrize(
    ("trigger", "statement", "said"),
    [
        ("records_never_change", "UPDATE application_records SET opinion = '改' WHERE application_id = '{case}'", "never change"),
        ("records_never_change", "DELETE FROM application_records WHERE application_id = '{case}'", "never change"),
        ("clear_reads_never_change", "UPDATE clear_reads SET reason = '改'", "never change"),
        ("clear_reads_never_change", "DELETE FROM clear_reads", "never change"),
        ("staff_acts_never_change", "UPDATE staff_acts SET account_name = '改'", "never change"),
        ("staff_acts_never_change", "DELETE FROM staff_acts", "never change"),
        (
            "pool_transfers_never_change",
            "; ".join([_MERGE % "'220299', 'RUNNING'", _TRANSFER, "UPDATE pool_transfers SET into_code = '220199'"]),
            "never change",
        ),
        ("a_frozen_revision_keeps_its_data", "UPDATE revisions SET employer = '别处' WHERE id = '{frozen}'", "is frozen"),
        ("a_frozen_revision_keeps_its_data", "UPDATE revisions SET state = 'DRAFT', frozen_at = NULL WHERE id = '{frozen}'", "is frozen"),
        ("a_frozen_revision_keeps_its_data", "DELETE FROM revisions WHERE id = '{frozen}'", "is frozen"),
        ("a_frozen_revision_keeps_its_rows", "UPDATE title_entries SET issuer = '别处' WHERE revision_id = '{frozen}'", "is frozen"),
        ("a_frozen_revision_keeps_its_rows", "DELETE FROM other_materials WHERE revision_id = '{frozen}'", "is frozen"),
    ],
)
async def test_rows_that_never_change_are_kept_by_triggers(names: dict[str, str], trigger: str, statement: str, said: str) -> None:
    await _one_clear_read(names)

    with pytest.raises(IntegrityError, match=said):
        await execute(statement.format(**names))

    assert await rows("SELECT FROM pg_trigger WHERE tgname = $1", trigger)


async def _one_clear_read(names: dict[str, str]) -> None:
    await execute(
        """INSERT INTO clear_reads (id, subject_id, reader_id, reader_name, reader_role, what, reason, at)
           VALUES (gen_random_uuid(), $1, $2, '李初审', 'LOCAL_OFFICER', 'ID_NUMBER', '核对身份', now())""",
        names["account"],
        names["local"],
    )


_OUT = "UPDATE experts SET standing = 'DISMISSED' WHERE id = '{expert}'"
_ERASING = "SELECT set_config('registry.erasing', '{expert}', TRUE)"
_COLUMNS = """name former_name id_type id_number id_number_hash id_number_masked id_valid_from id_valid_until sex birth_date ethnic_group
    political_affiliation health portrait_id id_front_id id_back_id second_phone second_phone_masked email email_masked residence_code
    address address_masked postcode employer employer_credit_code employer_kind department post work_status working_since years_in_field
    source eligibility"""
_EMPTY = ", ".join(f"{each} = NULL" for each in _COLUMNS.split())
_EMPTIED = f"UPDATE revisions SET {_EMPTY} WHERE id = '{{frozen}}'"
_RECORD_TEXT = "UPDATE application_records SET opinion = '改' WHERE application_id = '{case}'"
_SECTION_GONE = "DELETE FROM education WHERE revision_id = '{frozen}'"


@pytest.mark.parametrize("statement", [_EMPTIED, _RECORD_TEXT, _SECTION_GONE])
async def test_the_door_of_erasure_opens_for_the_named_person_and_only_once_out_of_the_registry(
    names: dict[str, str], statement: str
) -> None:
    for before in ([], [_OUT], [_ERASING], [_OUT, _ERASING.replace("{expert}", "{other_expert}")]):
        with pytest.raises(IntegrityError, match=r"never change|is frozen"):
            await _run("; ".join([*before, statement]).format(**names))

    await _run(f"{_OUT}; {_ERASING}; {statement}".format(**names))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM application_records WHERE application_id = '{case}'",
        "UPDATE application_records SET to_stage = 'ADMITTED' WHERE application_id = '{case}'",
        "UPDATE application_records SET hash = '\\x00' WHERE application_id = '{case}'",
        "UPDATE revisions SET employer = '别处' WHERE id = '{frozen}'",
        "UPDATE revisions SET employer = NULL WHERE id = '{frozen}'",
        f"UPDATE revisions SET state = 'EFFECTIVE', {_EMPTY} WHERE id = '{{frozen}}'",
        "DELETE FROM revisions WHERE id = '{frozen}'",
        "UPDATE title_entries SET issuer = '别处' WHERE revision_id = '{frozen}'",
    ],
)
async def test_the_door_of_erasure_lets_nothing_else_through(names: dict[str, str], statement: str) -> None:
    with pytest.raises(IntegrityError, match=r"never change|is frozen"):
        await _run(f"{_OUT}; {_ERASING}; {statement}".format(**names))


async def test_the_door_of_sealing_anew_lets_sealed_columns_through_that_stay_filled(names: dict[str, str]) -> None:
    anew, door = "UPDATE revisions SET address = '\\x0203' WHERE id = '{frozen}'", "SELECT set_config('registry.sealing_anew', 'on', TRUE)"
    refused = [
        anew,
        f"{door}; UPDATE revisions SET address = NULL WHERE id = '{{frozen}}'",
        f"{door}; UPDATE revisions SET address = '\\x02', employer = '别处' WHERE id = '{{frozen}}'",
    ]

    for each in refused:
        with pytest.raises(IntegrityError, match="is frozen"):
            await _run(each.format(**names))

    await _run(f"{door}; {anew}".format(**names))


async def test_the_states_of_a_frozen_revision_still_change_and_a_draft_can_be_edited_and_dropped(names: dict[str, str]) -> None:
    person = await registered_expert()

    async with undone():
        await execute(_REVISION % f"'{person.viewer.expert_id}', 1, 'DRAFT', 0, now(), now(), NULL, FALSE")
        assert await execute("UPDATE revisions SET employer = '别处' WHERE expert_id = $1", person.viewer.expert_id) == 1
        assert await execute("DELETE FROM revisions WHERE expert_id = $1", person.viewer.expert_id) == 1
        assert await execute("UPDATE revisions SET state = 'SUPERSEDED' WHERE id = $1", names["frozen"]) == 1


async def test_the_same_officer_may_decide_the_same_review_of_a_later_round(names: dict[str, str]) -> None:
    statement = _RECORD % "2, now(), '{first}', 'APPROVE', 'SECOND_REVIEW', 'FINAL_REVIEW', NULL, NULL, '[]'"

    async with undone():
        await execute(statement.format(**names))
        assert await rows("SELECT FROM application_records WHERE application_id = $1 AND number = 90", names["case"])


async def test_a_number_that_was_given_up_can_register_again(names: dict[str, str]) -> None:
    async with undone():
        await execute("UPDATE accounts SET status = 'DEREGISTERED' WHERE id = $1", names["other_account"])
        await execute(
            """UPDATE accounts SET phone_hash = o.phone_hash, id_number_hash = o.id_number_hash FROM accounts o
               WHERE o.id = $1 AND accounts.id = $2""",
            names["other_account"],
            names["local"],
        )


async def test_the_catalogue_of_the_database_equals_the_list(database: Settings) -> None:
    """After an intended change: `CATALOGUE=write python3 run.py test tests/models`, and look at the difference before committing it."""
    found = sorted(each["line"] for each in await rows(_CATALOGUE))

    if os.environ.get("CATALOGUE") == "write":
        CATALOGUE.write_text("\n".join(found) + "\n")
    assert found == CATALOGUE.read_text().splitlines()


async def test_every_constraint_named_as_a_sentence_has_a_test_that_breaks_it(database: Settings) -> None:
    tests = "\n".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))

    untested = {each["name"] for each in await rows(_NAMED) if each["name"] not in tests}

    assert untested == set()


async def test_an_expert_bears_the_employer_in_force_whoever_writes_the_row(database: Settings) -> None:
    person, _ = await case_at(Stage.ADMITTED)

    await execute("UPDATE experts SET effective_id = effective_id, employer = '别处' WHERE id = $1", person.viewer.expert_id)

    kept = await rows("SELECT employer FROM experts WHERE id = $1", person.viewer.expert_id)
    assert [each["employer"] for each in kept] == ["吉林大学"]
