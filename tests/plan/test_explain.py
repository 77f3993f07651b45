"""The statements of the hot operations walk indexes and touch few rows, whatever the size of the tables."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID

import orjson
import pytest

import settings as settings_module
from demonstration.seed import seed_experts
from domain import reads
from domain.actions import reviews
from domain.actions.inbox import inbox
from domain.actions.learning import learn_common_pairs, learn_first_submissions
from domain.lists import COMMON, FEW_CASES, FIRST, CaseFilter, bigrams
from domain.reads import Where
from domain.rules.viewer import Viewer
from models.applications import Application
from models.database import database_now, fetch, pool, rows
from models.enums import CaseKind, Role, Stage, Standing
from models.ids import new_id
from schema.root import schema
from settings import Settings

EXPERTS = 5_000
BIG = 1_000
"""Rows from which on a table may not be read as a whole."""

PROVINCE = Viewer(account_id=new_id(), session_id=new_id(), role=Role.PROVINCIAL_OFFICER, name="王复审", pool_code=None, expert_id=None)
LOCAL = replace(PROVINCE, role=Role.LOCAL_OFFICER, pool_code="220199")

_QUEUE = (
    "{ applications(%s) { totalCount nodes { id stage applicant overdue availableMoves pool { name } records { number at opinion } } } }"
)
_PROFILE = """{ application(id: "%(case)s") { id profile { basicInfo { name ethnicGroupName portrait { url warning } residence { name } }
  evaluationInfo { avoidanceUnits { name } specialties { specialty { name } } } education { school levelName certificate { width } }
  titles { title { name } } workHistory { employer } qualifications { qualification { name } } otherMaterials { file { width } } } } }"""

HOT = {
    "the province's queue": (PROVINCE, _QUEUE % "first: 20"),
    "an office's queue": (LOCAL, _QUEUE % "first: 20"),
    "cases awaiting the province": (PROVINCE, _QUEUE % "first: 20, filter: {awaitingMe: true}"),
    "cases awaiting an office": (LOCAL, _QUEUE % "first: 20, filter: {awaitingMe: true}"),
    "overdue cases of an office": (LOCAL, _QUEUE % "first: 20, filter: {awaitingMe: true, overdue: true}"),
    "overdue cases of the province": (PROVINCE, _QUEUE % "first: 20, filter: {overdue: true}"),
    "experts who leave an office's pool": (LOCAL, _QUEUE % "first: 20, filter: {leaving: true}"),
    "rejected cases": (PROVINCE, "{ applications(first: 20, filter: {stages: [REJECTED]}) { nodes { id applicant } } }"),
    "a deep page of the queue": (PROVINCE, '{ applications(first: 20, after: "%(cursor)s") { nodes { id applicant } } }'),
    "search of two characters": (
        PROVINCE,
        '{ applications(first: 20, filter: {search: "%(words)s"}) { totalCount nodes { id applicant } } }',
    ),
    "running notices": (
        None,
        "{ publicNotices(first: 50) { totalCount nodes { name pool { name } specialties { specialty { name } } } } }",
    ),
    "running notices before the province": (PROVINCE, "{ publicNotices(first: 20) { totalCount nodes { name pool { name } } } }"),
    "search of notices": (None, '{ publicNotices(search: "%(words)s") { totalCount nodes { name } } }'),
    "a profile before the province": (PROVINCE, _PROFILE),
    "a profile before an office": (LOCAL, _PROFILE),
    "an office's available experts": (LOCAL, '{ availableExperts(date: "2027-03-01", first: 20) { nodes { number name } } }'),
    "the province's available experts of a pool": (
        PROVINCE,
        '{ availableExperts(date: "2027-03-01", halfDay: AM, poolCode: "220199", first: 20) { nodes { number name } } }',
    ),
    "available experts of a specialty": (
        PROVINCE,
        '{ availableExperts(date: "2027-03-01", specialty: "A01010000", first: 20) { nodes { number name } } }',
    ),
    "an expert with cases": (PROVINCE, '{ expert(id: "%(expert)s") { name applications { nodes { stage } } } }'),
}


@pytest.fixture(scope="module")
async def facts(database: Settings, tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """A province, and what the operations name of it."""
    settings_module._current = configuration = replace(database, data_dir=tmp_path_factory.mktemp("data"))
    await seed_experts(EXPERTS, seed=1, configuration=configuration)
    await rows("UPDATE applications SET kind = 'DIVISION_CHANGE', leaving_pool_code = '220199' WHERE pool_code = '220299'")
    (case,) = await rows("SELECT id, expert_id, applicant FROM applications WHERE pool_code = '220199' AND closed_at IS NOT NULL LIMIT 1")
    # An office with so many cases that sorting them shows.
    await rows("UPDATE applications SET pool_code = '220199' WHERE pool_code BETWEEN '220300' AND '220699'")
    await rows("ANALYZE")
    (expert,) = await rows("SELECT number, employer FROM experts WHERE pool_code = '220199' AND standing = 'FORMAL' ORDER BY id LIMIT 1")
    page = await _read("{ applications(first: 1, filter: {stages: [ADMITTED]}) { pageInfo { endCursor } } }", PROVINCE, configuration)
    cursor = page["applications"]["pageInfo"]["endCursor"]
    return {
        "case": f"Application_{case['id']}",
        "expert": f"Expert_{case['expert_id']}",
        "words": case["applicant"][:2],
        "number": expert["number"],
        "employer": expert["employer"],
        "cursor": cursor,
        "yesterday": (await database_now() - timedelta(days=1)).isoformat(),
    }


async def _read(document: str, viewer: Viewer | None, configuration: Settings, variables: dict[str, Any] | None = None) -> dict[str, Any]:
    read = schema.documents.read(document, schema._schema, configuration)
    now = await database_now()
    found: dict[str, Any] | None = await schema.plans.read(
        read.node, read.operation(None).node, variables or {}, viewer=viewer, now=now, settings=configuration
    )
    assert found is not None, "the operation is not compiled"
    return found


async def _asked(document: str, viewer: Viewer | None, configuration: Settings, monkeypatch: pytest.MonkeyPatch) -> tuple[str, Any]:
    """The statement that answers a document, and its values."""
    asked: list[tuple[str, Any]] = []

    async def noting(sql: str, values: Any, seconds: float | None = None) -> Any:
        asked.append((sql, values))
        return await fetch(sql, values)

    monkeypatch.setattr("schema.plan.operations.fetch", noting)
    await _read(document, viewer, configuration)
    [found] = asked
    return found


@pytest.mark.parametrize("name", HOT)
async def test_no_big_table_is_read_as_a_whole(
    name: str, facts: dict[str, str], database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer, document = HOT[name]

    sql, values = await _asked(document % facts if "%(" in document else document, viewer, database, monkeypatch)

    steps = await _steps_of(sql, values)
    big = {each["relname"] for each in await rows("SELECT relname FROM pg_class WHERE relkind = 'r' AND reltuples >= $1", BIG)}
    assert "applications" in big
    # A total is counted up to a limit, wherever its rows are found first.
    whole = [each for each in steps if each["Node Type"] == "Seq Scan" and _touched(each) > 1.1 * database.count_max]
    assert [each["Relation Name"] for each in whole if each["Relation Name"] in big] == []
    assert _touched_by(steps) < 2 * database.count_max


_ORDERED = [
    *(f"stages: [{stage.value}]" for stage in Stage if stage is not Stage.DRAFT),
    "stages: [WITHDRAWN, CANCELLED]",
    'stages: [WITHDRAWN], poolCodes: ["220199"]',
    'stages: [ADMITTED], poolCodes: ["220199"]',
    'poolCodes: ["220199"]',
    "claimed: true",
    "claimed: false",
    "claimedByMe: true",
    "leaving: true",
    'submittedFrom: "%(yesterday)s"',
    'search: "公司", stages: [WITHDRAWN]',
]
_ORDERED_FOR_THE_PROVINCE = [
    "kinds: [CHANGE]",
    "kinds: [DIVISION_CHANGE]",
    "kinds: [CHANGE, DIVISION_CHANGE]",
]
"""An office's changes are looked for among its own cases."""


@pytest.mark.parametrize(
    ("viewer", "chosen"),
    [
        *((viewer, chosen) for viewer in (PROVINCE, LOCAL) for chosen in _ORDERED),
        *((PROVINCE, chosen) for chosen in _ORDERED_FOR_THE_PROVINCE),
    ],
)
async def test_a_page_under_one_condition_costs_no_walk_past_all_that_does_not_meet_it(
    viewer: Viewer, chosen: str, facts: dict[str, str], database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = f"{{ applications(first: 20, filter: {{{chosen % facts}}}) {{ nodes {{ id }} }} }}"
    sql, values = await _asked(document, viewer, database, monkeypatch)

    assert _touched_by(await _steps_of(sql, values)) < 300


@pytest.mark.parametrize(
    "document",
    [
        "{ staff(first: 20) { totalCount nodes { name } } }",
        "{ staff(first: 20, role: PROVINCIAL_OFFICER) { totalCount nodes { name } } }",
        "{ messages(first: 20, states: [FAILED]) { nodes { id } } }",
        "{ messages(first: 20, states: [SENT]) { nodes { id } } }",
        "{ messages(first: 20, states: [SENT, QUEUED]) { nodes { id } } }",
        "{ messages(first: 20, states: [DELIVERED]) { nodes { id } } }",
        "{ messages(first: 20, awaitingMe: true) { totalCount nodes { id resentAs { id } resendOf { id } } } }",
        "{ messages(first: 20, awaitingMe: true, states: [UNDELIVERABLE]) { nodes { id } } }",
    ],
)
async def test_lists_of_staff_and_of_messages_cost_no_walk_either(
    document: str, facts: dict[str, str], database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql, values = await _asked(document, PROVINCE, database, monkeypatch)

    assert _touched_by(await _steps_of(sql, values)) < 600


_EXPERTS = [
    "",
    *(f"standings: [{standing.value}]" for standing in Standing),
    "standings: [SUSPENDED, DISMISSED]",
    "standings: [FORMAL, SUSPENDED]",
    'poolCodes: ["220199"]',
    'standings: [SUSPENDED], poolCodes: ["220199"]',
    'standings: [FORMAL], poolCodes: ["220199"]',
    'standings: [SUSPENDED, DISMISSED], poolCodes: ["220199"]',
    'search: "%(number)s"',
    'search: "%(words)s"',
    'search: "%(words)s", standings: [FORMAL]',
    'search: "%(employer)s"',
    'search: "公司"',
    'search: "公司", standings: [SUSPENDED]',
    'search: "公司", poolCodes: ["220199"]',
    'specialty: "A01010000"',
    'specialty: "A01010000", standings: [SUSPENDED]',
]


@pytest.mark.usefixtures("nothing_learnt")
@pytest.mark.parametrize("viewer", [PROVINCE, LOCAL])
@pytest.mark.parametrize("chosen", _EXPERTS)
async def test_a_list_of_experts_costs_a_page_and_no_walk(
    viewer: Viewer, chosen: str, facts: dict[str, str], database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await learn_common_pairs()
    document = f"{{ experts(first: 20, filter: {{{chosen % facts}}}) {{ nodes {{ id }} }} }}"
    sql, values = await _asked(document, viewer, database, monkeypatch)

    steps = await _steps_of(sql, values)

    assert {each["Relation Name"] for each in steps if each["Node Type"] == "Seq Scan"} <= {"specialties"}
    assert _touched_by(steps) < (1_500 if "specialty" in chosen else 300)  # of that, the tree of specialties is a half


async def test_a_deep_page_of_experts_begins_where_the_one_before_ended(
    facts: dict[str, str], database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    (deep,) = await rows("SELECT id FROM experts ORDER BY id OFFSET 4000 LIMIT 1")
    for way in ('first: 20, after: "%s"', 'last: 20, before: "%s"'):
        sql, values = await _asked(f"{{ experts({way % deep['id']}) {{ nodes {{ id }} }} }}", PROVINCE, database, monkeypatch)
        assert _touched_by(await _steps_of(sql, values)) < 100


@pytest.fixture
async def busy(facts: dict[str, str]) -> Viewer:
    """The officer with the most acts."""
    (found,) = await rows(
        "SELECT actor_id, count(*) AS acts FROM application_records WHERE actor_role = 'PROVINCIAL_OFFICER' "
        "GROUP BY 1 ORDER BY 2 DESC LIMIT 1"
    )
    assert found["acts"] > 500
    return replace(PROVINCE, account_id=found["actor_id"])


async def test_an_officer_s_last_decisions_are_found_without_the_earlier_ones(
    busy: Viewer, database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = "{ viewer { decisions(first: 20) { nodes { at move application { applicant } } } } }"
    sql, values = await _asked(document, busy, database, monkeypatch)

    steps = await _steps_of(sql, values)

    assert "decisions_of_an_officer" in {each.get("Index Name") for each in steps}
    assert _touched_by(steps) < 150


async def test_what_an_officer_decided_of_one_case_is_not_looked_for_among_all_that_the_officer_decided(
    busy: Viewer, facts: dict[str, str]
) -> None:
    reading = reviews.reading(UUID(facts["case"].removeprefix("Application_")), busy)
    assert reading is not None
    now = await database_now()
    sql, values = reads.bind(reading.sql, {**reads.viewer_values(busy, now), **reading.values})

    steps = await _steps_of(sql, values)

    used = {each.get("Index Name") for each in steps if each.get("Relation Name") == "application_records"}
    assert "decisions_of_an_officer" not in used
    assert sum(_touched(each) for each in steps if each.get("Relation Name") == "application_records") < 20


async def test_an_objection_is_found_by_its_receipt(facts: dict[str, str], database: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    await rows(
        "INSERT INTO objections "
        "(id, notice_id, application_id, receipt, state, phone, phone_hash, phone_masked, address_hash, text, received_at) "
        "SELECT gen_random_uuid(), n.id, n.application_id, 'R-' || i, 'OPEN', '', '', '', '', '', registry_now() "
        "FROM (SELECT id, application_id FROM public_notices LIMIT 1) n, generate_series(1, 3000) i"
    )
    await rows("ANALYZE objections")
    sql, values = await _asked('{ objections(receipt: "r-77 ") { totalCount nodes { id } } }', PROVINCE, database, monkeypatch)

    steps = await _steps_of(sql, values)

    assert {each["Node Type"] for each in steps if "Scan" in each["Node Type"]} & {"Seq Scan"} == set()
    assert _touched_by(steps) < 10


@pytest.mark.parametrize("name", ["the province's queue", "an office's queue", "running notices", "a profile before the province"])
async def test_names_of_codes_are_looked_up_by_their_index(
    name: str, facts: dict[str, str], database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewer, document = HOT[name]

    sql, values = await _asked(document % facts if "%(" in document else document, viewer, database, monkeypatch)

    read_whole = {each["Relation Name"] for each in await _steps_of(sql, values) if each["Node Type"] == "Seq Scan"}
    assert read_whole & {"codes", "divisions", "specialties", "titles"} == set()  # qualifications fit into one page


@pytest.mark.parametrize("viewer", [None, LOCAL, PROVINCE])
async def test_notices_that_run_are_counted_from_their_index_alone(
    viewer: Viewer | None, facts: dict[str, str], database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql, values = await _asked("{ publicNotices { totalCount } }", viewer, database, monkeypatch)

    scans = [each for each in await _steps_of(sql, values) if "Scan" in each["Node Type"]]
    assert {(each["Node Type"], each.get("Index Name")) for each in scans} == {("Index Only Scan", "running_notices")}


@pytest.mark.parametrize("viewer", [PROVINCE, LOCAL])
async def test_an_inbox_is_counted_from_the_open_cases_alone(
    viewer: Viewer, facts: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, Any]] = []

    async def noting(sql: str, *values: Any) -> Any:
        asked.append((sql, values))
        return await rows(sql, *values)

    monkeypatch.setattr("domain.reads.rows", noting)
    counts = await inbox(awaiting_me=False, viewer=viewer, now=await database_now())

    [(sql, values)] = asked
    scans = [
        each
        for each in await _steps_of(sql, values)
        if each["Node Type"] in ("Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Heap Scan")
    ]
    (opened,) = await rows("SELECT count(*) AS n FROM applications WHERE closed_at IS NULL")
    assert "Seq Scan" not in {each["Node Type"] for each in scans}
    assert 0 < sum(each.total for each in counts) <= sum(_touched(each) for each in scans) <= opened["n"]


@pytest.fixture
def nothing_learnt() -> Iterator[None]:
    COMMON.learn([])
    FIRST.learn(None)
    yield
    COMMON.learn([])
    FIRST.learn(None)


_SEARCH = '{ applications(first: 20, filter: {search: "公司"}) { %s nodes { id } } }'


@pytest.mark.parametrize("viewer", [PROVINCE, LOCAL])
async def test_a_page_of_what_many_cases_hold_is_found_by_walking_the_list(
    viewer: Viewer, facts: dict[str, str], nothing_learnt: None, database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def conditions() -> Sequence[Where]:
        return CaseFilter(search="公司").conditions(viewer)

    now = await database_now()
    by_index = await _read(_SEARCH % "totalCount", viewer, database)
    counted = await reads.count(Application, viewer=viewer, now=now, where=conditions(), limit=10_000)

    assert await learn_common_pairs() > 0

    assert await _read(_SEARCH % "totalCount", viewer, database) == by_index
    assert await reads.count(Application, viewer=viewer, now=now, where=conditions(), limit=10_000) == counted > 20
    sql, values = await _asked(_SEARCH % "", viewer, database, monkeypatch)
    assert "words" not in sql
    assert _touched_by(await _steps_of(sql, values)) < 300


async def test_what_is_walked_for_is_counted_by_the_index(
    facts: dict[str, str], nothing_learnt: None, database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    await learn_common_pairs()

    counting, _ = await _asked(_SEARCH % "totalCount", PROVINCE, database, monkeypatch)

    assert counting.count("words @>") == 1


async def test_one_document_looks_for_common_and_for_single_characters(
    facts: dict[str, str], nothing_learnt: None, database: Settings
) -> None:
    await learn_common_pairs()
    document = "query ($words: String!) { applications(first: 1, filter: {search: $words}) { totalCount nodes { id } } }"

    by_words = [await _read(document, PROVINCE, database, {"words": words}) for words in ("公司", "公", "公司")]

    assert by_words[0] == by_words[2]
    assert [each["applications"]["totalCount"] for each in by_words] == [database.count_max] * 3


@pytest.mark.parametrize("viewer", [PROVINCE, LOCAL])
async def test_the_few_cases_submitted_before_a_moment_are_found_by_it(
    viewer: Viewer, facts: dict[str, str], nothing_learnt: None, database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    earliest = [each["submitted_at"] for each in await rows("SELECT submitted_at FROM applications WHERE round > 0 ORDER BY 1 LIMIT 8")]
    asked = f'{{ applications(first: 20, filter: {{submittedBefore: "{earliest[-1].isoformat()}"}}) {{ totalCount nodes {{ id }} }} }}'
    walking = await _read(asked, viewer, database)

    await learn_first_submissions()

    assert await _read(asked, viewer, database) == walking
    assert viewer is LOCAL or walking["applications"]["totalCount"] == 7
    sql, values = await _asked(asked, viewer, database, monkeypatch)
    assert _touched_by(await _steps_of(sql, values)) < 100


async def test_later_moments_are_asked_of_the_list(facts: dict[str, str], nothing_learnt: None) -> None:
    (known,) = await rows("SELECT submitted_at FROM applications WHERE round > 0 ORDER BY 1 OFFSET $1 LIMIT 1", FEW_CASES)
    await learn_first_submissions()

    by_index = [
        any("ARRAY" in each.sql for each in CaseFilter(submitted_before=known["submitted_at"] + by).conditions(PROVINCE))
        for by in (timedelta(seconds=-1), timedelta(0), timedelta(seconds=1))
    ]

    assert by_index == [True, True, False]


@pytest.mark.parametrize(
    "chosen",
    [
        "stages: [ADMITTED, PUBLICITY], kinds: [CHANGE, DIVISION_CHANGE]",
        "stages: [APPLIED], kinds: [ADMISSION]",
        "stages: [], kinds: [CHANGE]",
    ],
)
async def test_stages_that_no_case_of_a_kind_reaches_are_not_looked_for(
    chosen: str, facts: dict[str, str], database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = f"{{ applications(first: 20, filter: {{{chosen}}}) {{ totalCount nodes {{ id }} }} }}"

    assert await _read(asked, PROVINCE, database) == {"applications": {"totalCount": 0, "nodes": []}}
    sql, values = await _asked(asked, PROVINCE, database, monkeypatch)
    assert _touched_by(await _steps_of(sql, values)) == 0


async def test_of_stages_and_kinds_those_are_asked_for_that_go_together(facts: dict[str, str], database: Settings) -> None:
    asked = "{ applications(first: 100, filter: {%s}) { totalCount nodes { id kind stage } } }"

    both = await _read(asked % "stages: [APPLIED, ADMITTED], kinds: [CHANGE, DIVISION_CHANGE]", PROVINCE, database)

    assert both == await _read(asked % "stages: [APPLIED], kinds: [CHANGE, DIVISION_CHANGE]", PROVINCE, database)
    assert {each["stage"] for each in both["applications"]["nodes"]} == {"APPLIED"}


async def test_what_is_rare_or_narrowed_otherwise_is_found_by_the_index(facts: dict[str, str], nothing_learnt: None) -> None:
    await learn_common_pairs()

    by_words = [
        any("words" in each.sql for each in chosen.conditions(PROVINCE))
        for chosen in (
            CaseFilter(search=facts["words"]),
            CaseFilter(search=f"{facts['words']}公司"),
            CaseFilter(search="公司", stages=[Stage.WITHDRAWN, Stage.REJECTED]),
            CaseFilter(search="公司", claimed=True),
            CaseFilter(search="公司", stages=[Stage.APPLIED], kinds=[CaseKind.CHANGE]),
            CaseFilter(search="公司", stages=[Stage.WITHDRAWN]),
            CaseFilter(search="公司", kinds=[CaseKind.DIVISION_CHANGE]),
            CaseFilter(search="公司", awaiting_me=True),
            CaseFilter(search="公司"),
        )
    ]

    assert by_words == [True, True, True, True, True, False, False, False, False]


_SCREEN = """{ application(id: "%(case)s") {
    id kind stage round applicant employer pool { name } leavingPool { name } submittedAt stageSince dueOn overdue availableMoves
    claim { holder until mine } profile { ...Everything } expert { standing number name pool { name } effectiveProfile { ...Everything } }
    records { number round at move fromStage toStage actorRole actorName opinion rejectReason fieldReasons { path text } hash }
    notes { authorName authorRole authorPool { name } text at } objections { receipt state text receivedAt settledAt settlement }
    notice { state name employer firstDay lastDay daysCounted specialties { specialty { name } } }
    messages { template state phoneMasked attempts createdAt sentAt receiptAt }
  } }
  fragment Everything on Profile {
    number state frozenAt
    basicInfo {
      name formerName idType idNumberMasked idValidFrom idValidUntil sexName birthDate ethnicGroupName politicalAffiliationName health
      portrait { ...Kept } idFront { ...Kept } idBack { ...Kept } secondPhoneMasked emailMasked residence { code name } addressMasked
      postcode employer employerCreditCode employerKind department post workStatus workingSince yearsInField source
    }
    evaluationInfo { homePool { code name } specialties { specialty { name } } avoidanceUnits { name creditCode relation until } }
    education { id school startedOn endedOn major levelName mode degreeName certificateNumber isHighest certificate { ...Kept } }
    titles { id title { name series rank } certificateNumber obtainedOn issuer certificate { ...Kept } }
    workHistory { id startedOn endedOn employer post duties }
    qualifications { id qualification { name } certificateNumber obtainedOn validUntil issuer certificate { ...Kept } }
    otherMaterials { id file { ...Kept } }
  }
  fragment Kept on File { id mediaType width height url warning }"""
"""All that the page of a changed case shows beside the profile in force."""


async def test_the_statement_of_a_whole_screen_is_planned_once_a_connection(
    facts: dict[str, str], database: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    sql, _ = await _asked(_SCREEN % facts, PROVINCE, database, monkeypatch)

    kept = await rows("SELECT count(*) AS times FROM pg_prepared_statements WHERE statement = $1", sql)

    assert [each["times"] for each in kept] == [1]
    assert len(sql) > 15_000  # what asyncpg would keep by itself


async def _steps_of(sql: str, values: Sequence[Any]) -> list[dict[str, Any]]:
    """The steps by which a statement was answered, with what each came to, by the plan for any values that the product's connections use.

    EXPLAIN with parameters of its own would plan for these very values.
    """
    async with pool().acquire() as connection:
        kinds = [each.name for each in (await connection.prepare(sql)).get_parameters()]
        texts = [
            await connection.fetchval(f"SELECT quote_nullable($1::{kind}::text)", value) for kind, value in zip(kinds, values, strict=True)
        ]
        given = f"({', '.join(texts)})" if texts else ""
        await connection.execute(f"PREPARE explained AS {sql}")
        try:
            explained = await connection.fetchval(f"EXPLAIN (ANALYZE, TIMING OFF, FORMAT JSON) EXECUTE explained{given}")
        finally:
            await connection.execute("DEALLOCATE explained")
    [plan] = orjson.loads(orjson.dumps(explained))
    return list(_steps(plan["Plan"]))


def _touched_by(steps: Sequence[dict[str, Any]]) -> float:
    """How many rows, of tables and of indexes, these steps look at."""
    return sum(_touched(each) for each in steps if "Scan" in each["Node Type"])


def _touched(step: dict[str, Any]) -> float:
    found: float = (step["Actual Rows"] + step.get("Rows Removed by Filter", 0)) * step["Actual Loops"]
    return found


def _steps(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for each in plan.get("Plans", ()):
        yield from _steps(each)


@pytest.mark.parametrize(
    ("words", "pairs"),
    [
        ("李伟", ["李伟"]),
        ("李", []),
        ("", []),
        ("长春 AbB", [" a", "ab", "bb", "春 ", "长春"]),
        ("5%_", ["%_", "5%"]),
        ("𠮷野家", ["野家", "𠮷野"]),
        ("İÄÖ", []),
        ("ß 李 Σ", [" 李", "李 "]),
    ],
)
async def test_pairs_to_look_for_are_among_those_that_the_index_holds(words: str, pairs: list[str], database: Settings) -> None:
    assert bigrams(words) == pairs
    assert await pool().fetchval("SELECT bigrams($1) @> $2", f"在{words}工作", pairs)


async def test_statements_are_neither_compiled_nor_given_to_helpers(database: Settings) -> None:
    (found,) = await rows("SELECT current_setting('jit') AS jit, current_setting('max_parallel_workers_per_gather') AS helpers")

    assert dict(found) == {"jit": "off", "helpers": "0"}


async def test_one_character_is_found_too(facts: dict[str, str], database: Settings) -> None:
    one = facts["words"][:1]

    found = await _read(
        f'{{ applications(first: 5, filter: {{search: "{one}"}}) {{ nodes {{ applicant employer }} }} }}', PROVINCE, database
    )

    assert found["applications"]["nodes"]
    assert all(one in row["applicant"] + row["employer"] for row in found["applications"]["nodes"])


async def test_letters_are_found_in_either_case_and_signs_of_patterns_as_they_are(facts: dict[str, str], database: Settings) -> None:
    await rows("UPDATE applications SET employer = 'ABC_50%公司' WHERE id = $1", UUID(facts["case"].removeprefix("Application_")))

    for search, count in (("abc_50%", 1), ("Bc_5", 1), ("b%c", 0), ("50_", 0)):
        found = await _read(f'{{ applications(filter: {{search: "{search}"}}) {{ totalCount }} }}', PROVINCE, database)
        assert found["applications"]["totalCount"] == count, search
