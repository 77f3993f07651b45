from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from domain.actions.profiles import save_evaluation_info
from domain.rules.errors import InvalidInput, Stale
from domain.rules.profile_input import AvoidanceUnitInput, EvaluationInfo
from models.database import execute
from models.profiles import AvoidanceUnit, RevisionSpecialty
from tests.people import SignedIn, registered_expert
from tests.profiles.kept import draft_of, everything_of, told

HOUSES, COMPUTERS, OFFICE, VEHICLES = "A01010000", "A02010000", "A02020000", "A02030000"


@pytest.fixture
async def expert(now: datetime) -> SignedIn:
    return await registered_expert()


async def chosen(expert: SignedIn) -> list[Any]:
    """The specialties of the draft in their order."""
    draft = await draft_of(expert.viewer)
    return [each.specialty_code for each in await RevisionSpecialty.filter(revision_id=draft.pk).order_by("position")]


async def declared(expert: SignedIn) -> list[AvoidanceUnit]:
    """The declared avoidance units of the draft in their order."""
    draft = await draft_of(expert.viewer)
    return await AvoidanceUnit.filter(revision_id=draft.pk).order_by("position")


async def refused(given: EvaluationInfo, expert: SignedIn, now: datetime) -> InvalidInput:
    """The refusal of a save, which has stored nothing."""
    before = await everything_of(expert.viewer)
    with pytest.raises(InvalidInput) as refusal:
        await save_evaluation_info(given, viewer=expert.viewer, now=now)
    assert await everything_of(expert.viewer) == before
    return refusal.value


async def test_pool_specialties_and_units_are_kept_in_their_order(expert: SignedIn, now: datetime) -> None:
    units = [
        AvoidanceUnitInput(name="长春理工大学", credit_code="12100000412750016p", relation="配偶任职", until=date(2030, 1, 1)),
        AvoidanceUnitInput(name="吉林银行", relation="持股"),
    ]

    saved = await save_evaluation_info(
        EvaluationInfo(home_pool_code="２２０１９９", specialties=[VEHICLES, HOUSES, COMPUTERS], avoidance_units=units),
        viewer=expert.viewer,
        now=now,
    )

    kept = await declared(expert)
    assert (saved.home_pool_code, saved.version) == ("220199", 1)
    assert await chosen(expert) == [VEHICLES, HOUSES, COMPUTERS]
    assert [(each.name, each.credit_code, each.relation, each.until) for each in kept] == [
        ("长春理工大学", "12100000412750016P", "配偶任职", date(2030, 1, 1)),
        ("吉林银行", None, "持股", None),
    ]


async def test_what_is_not_given_stays_and_a_list_replaces_the_whole(expert: SignedIn, now: datetime) -> None:
    first = EvaluationInfo(
        home_pool_code="220199",
        specialties=[HOUSES, COMPUTERS],
        avoidance_units=[AvoidanceUnitInput(name="吉林银行", relation="持股", until=date(2030, 1, 1))],
    )
    await save_evaluation_info(first, viewer=expert.viewer, now=now)
    held = await declared(expert)

    await save_evaluation_info(EvaluationInfo(specialties=[COMPUTERS, OFFICE]), viewer=expert.viewer, now=now)
    units = [AvoidanceUnitInput(name="长春公交", relation="兼职"), AvoidanceUnitInput(name="吉林银行", relation="持股")]
    await save_evaluation_info(EvaluationInfo(avoidance_units=units), viewer=expert.viewer, now=now)

    kept = await declared(expert)
    assert (await draft_of(expert.viewer)).home_pool_code == "220199"
    assert await chosen(expert) == [COMPUTERS, OFFICE]
    assert [(each.name, each.until) for each in kept] == [("长春公交", None), ("吉林银行", None)]
    assert kept[1].entry_id == held[0].entry_id


async def test_null_empties_pool_and_lists(expert: SignedIn, now: datetime) -> None:
    units = [AvoidanceUnitInput(name="吉林银行", relation="持股")]
    await save_evaluation_info(
        EvaluationInfo(home_pool_code="220199", specialties=[HOUSES], avoidance_units=units), viewer=expert.viewer, now=now
    )

    await save_evaluation_info(EvaluationInfo(home_pool_code=None, specialties=None, avoidance_units=[]), viewer=expert.viewer, now=now)

    assert ((await draft_of(expert.viewer)).home_pool_code, await chosen(expert), await declared(expert)) == (None, [], [])


@pytest.mark.parametrize(
    ("written", "kept"), [("229900", "229900"), ("220122", "220122"), ("220381", "220184")], ids=["province", "county", "renamed"]
)
async def test_a_pool_is_kept_under_its_present_code(expert: SignedIn, now: datetime, written: str, kept: str) -> None:
    saved = await save_evaluation_info(EvaluationInfo(home_pool_code=written), viewer=expert.viewer, now=now)

    assert saved.home_pool_code == kept


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        (EvaluationInfo(home_pool_code="110101"), [("homePoolCode", "DIVISION_OUTSIDE_PROVINCE")]),
        (EvaluationInfo(home_pool_code="220000"), [("homePoolCode", "POOL_NOT_SELECTABLE")]),
        (EvaluationInfo(home_pool_code="220102"), [("homePoolCode", "DIVISION_SERVED_BY")]),
        (EvaluationInfo(home_pool_code="220181"), [("homePoolCode", "DIVISION_SERVED_BY")]),
        (EvaluationInfo(home_pool_code="220777"), [("homePoolCode", "CODE_UNKNOWN")]),
        (EvaluationInfo(specialties=[HOUSES, COMPUTERS, OFFICE, VEHICLES]), [("specialties", "TOO_MANY")]),
        (EvaluationInfo(specialties=["A01000000"]), [("specialties.0", "SPECIALTY_NOT_LEAF")]),
        (
            EvaluationInfo(specialties=[HOUSES, "A", "nothing"]),
            [("specialties.1", "SPECIALTY_NOT_LEAF"), ("specialties.2", "CODE_UNKNOWN")],
        ),
        (EvaluationInfo(specialties=["A\x00"]), [("specialties.0", "TEXT_CHARACTERS")]),
        (EvaluationInfo(specialties=[HOUSES, HOUSES]), [("specialties.1", "REPEATED")]),
        (
            EvaluationInfo(
                avoidance_units=[AvoidanceUnitInput(name="😀"), AvoidanceUnitInput(name="银行", relation="\x07", credit_code="1")]
            ),
            [
                ("avoidanceUnits.0.name", "TEXT_CHARACTERS"),
                ("avoidanceUnits.0.relation", "REQUIRED"),
                ("avoidanceUnits.1.creditCode", "CREDIT_CODE_FORMAT"),
                ("avoidanceUnits.1.relation", "TEXT_CHARACTERS"),
            ],
        ),
        (
            EvaluationInfo(avoidance_units=[AvoidanceUnitInput(name=name, relation="持股") for name in ("银行", "学校", " 银行 ")]),
            [("avoidanceUnits.2.name", "REPEATED")],
        ),
        (
            EvaluationInfo(avoidance_units=[AvoidanceUnitInput(name=f"单位{each}", relation="持股") for each in range(21)]),
            [("avoidanceUnits", "TOO_MANY")],
        ),
        (
            EvaluationInfo(home_pool_code="330100", specialties=["Z"], avoidance_units=[AvoidanceUnitInput()]),
            [
                ("homePoolCode", "DIVISION_OUTSIDE_PROVINCE"),
                ("specialties.0", "CODE_UNKNOWN"),
                ("avoidanceUnits.0.name", "REQUIRED"),
                ("avoidanceUnits.0.relation", "REQUIRED"),
            ],
        ),
    ],
)
async def test_what_cannot_be_chosen_is_refused_on_its_path(
    expert: SignedIn, now: datetime, given: EvaluationInfo, problems: list[tuple[str, str]]
) -> None:
    assert told(await refused(given, expert, now)) == problems


async def test_a_district_without_a_pool_is_told_which_one_serves_it(expert: SignedIn, now: datetime) -> None:
    refusal = await refused(EvaluationInfo(home_pool_code="220102"), expert, now)

    assert refusal.problems[0].facts == {"pool": "长春市本级 (220199)"}


async def test_what_is_retired_cannot_be_chosen_any_more(expert: SignedIn, now: datetime) -> None:
    await execute("UPDATE specialties SET retired = TRUE WHERE code = 'A02050000'")
    await execute("UPDATE divisions SET retired = TRUE WHERE code = '220283'")

    refusal = await refused(EvaluationInfo(home_pool_code="220283", specialties=["A02050000"]), expert, now)

    assert told(refusal) == [("homePoolCode", "CODE_RETIRED"), ("specialties.0", "CODE_RETIRED")]


async def test_an_old_version_is_refused(expert: SignedIn, now: datetime) -> None:
    await save_evaluation_info(EvaluationInfo(specialties=[HOUSES]), viewer=expert.viewer, now=now)

    with pytest.raises(Stale):
        await save_evaluation_info(EvaluationInfo(specialties=[OFFICE]), viewer=expert.viewer, now=now, expected_version=0)

    assert await chosen(expert) == [HOUSES]
