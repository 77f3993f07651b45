from __future__ import annotations

from dataclasses import replace
from datetime import date
from itertools import product

import pytest

from domain.rules.eligibility import BadRecord, Evidence, Facts, Forecast, HeldQualification, HeldTitle, Limits, Line, Report, report
from models.enums import EligibilityChange, EligibilityResult, EligibilityRule, StandingChange

LIMITS = Limits(age=70, middle_title_years=8, record_years=3)
DAY = date(2026, 11, 20)
SENIOR, MIDDLE, LOW = HeldTitle("副教授", "副高级"), HeldTitle("讲师", "中级"), HeldTitle("助教", "初级（助理级）")
VALID, LAPSED = HeldQualification("造价工程师", DAY), HeldQualification("造价工程师", date(2026, 11, 19))
SCARCE = ("航天器",)


def line(rule: EligibilityRule, facts: Facts) -> Line:
    [found] = [each for each in report(facts, LIMITS).lines if each.rule is rule]
    return found


def test_the_lines_follow_the_vocabulary() -> None:
    assert [each.rule for each in report(Facts(day=DAY), LIMITS).lines] == list(EligibilityRule)


@pytest.mark.parametrize("scarce", [(), SCARCE])
@pytest.mark.parametrize(
    ("born", "age", "met"),
    [
        (date(1956, 11, 21), 69, True),  # seventy tomorrow
        (date(1956, 11, 20), 70, False),
        (date(1956, 11, 19), 70, False),
        (date(1990, 1, 1), 36, True),
        (None, None, None),
    ],
)
def test_the_age_on_the_day_must_lie_under_the_limit(born: date | None, age: int | None, met: bool | None, scarce: tuple[str, ...]) -> None:
    found = line(EligibilityRule.AGE, Facts(day=DAY, birth_date=born, scarce=scarce))

    if met is None:
        assert (found.result, found.code) == (EligibilityResult.FAILED, "ELIGIBILITY_AGE_UNKNOWN")
    elif met:
        assert (found.result, found.code) == (EligibilityResult.PASSED, "ELIGIBILITY_AGE_UNDER")
    else:
        assert (found.result, found.code) == (relaxed(scarce), "ELIGIBILITY_AGE_REACHED")
    assert found.evidence == Evidence(age=age, age_limit=70, scarce=scarce if met is False else ())


def test_born_on_29_february_the_age_is_reached_on_1_march() -> None:
    born = date(1956, 2, 29)

    before, after = (line(EligibilityRule.AGE, Facts(day=day, birth_date=born)) for day in (date(2026, 2, 28), date(2026, 3, 1)))

    assert (before.evidence.age, before.result) == (69, EligibilityResult.PASSED)
    assert (after.evidence.age, after.result) == (70, EligibilityResult.FAILED)


def relaxed(scarce: tuple[str, ...]) -> EligibilityResult:
    return EligibilityResult.RELAXED if scarce else EligibilityResult.FAILED


TITLES = {
    (): None,
    (HeldTitle("教授", "正高级"),): "SENIOR",
    (SENIOR,): "SENIOR",
    (MIDDLE,): "MIDDLE",
    (LOW,): "LOW",
    (HeldTitle("某", None),): "LOW",
    (LOW, MIDDLE): "MIDDLE",
    (MIDDLE, SENIOR): "SENIOR",
}


@pytest.mark.parametrize(
    ("titles", "qualifications", "scarce"), list(product(TITLES, [(), (VALID,), (LAPSED,), (LAPSED, VALID)], [(), SCARCE]))
)
def test_title_over_the_full_table(
    titles: tuple[HeldTitle, ...], qualifications: tuple[HeldQualification, ...], scarce: tuple[str, ...]
) -> None:
    found = line(EligibilityRule.TITLE, Facts(day=DAY, titles=titles, qualifications=qualifications, scarce=scarce))

    match TITLES[titles], VALID in qualifications, bool(qualifications):
        case ("SENIOR" | "MIDDLE") as rank, _, _:
            expected = (EligibilityResult.PASSED, f"ELIGIBILITY_TITLE_{rank}")
        case _, True, _:
            expected = (EligibilityResult.PASSED, "ELIGIBILITY_TITLE_EQUAL")
        case "LOW", _, _:
            expected = (relaxed(scarce), "ELIGIBILITY_TITLE_LOW")
        case _, _, True:
            expected = (relaxed(scarce), "ELIGIBILITY_QUALIFICATION_LAPSED")
        case _:
            expected = (relaxed(scarce), "ELIGIBILITY_TITLE_NONE")
    assert (found.result, found.code) == expected
    assert found.evidence.scarce == (() if expected[0] is EligibilityResult.PASSED else scarce)


def test_the_highest_title_is_the_evidence_the_first_of_its_rank() -> None:
    found = line(EligibilityRule.TITLE, Facts(day=DAY, titles=(LOW, HeldTitle("高级工程师", "副高级"), SENIOR)))

    assert found.evidence == Evidence(title="高级工程师", title_rank="副高级")


@pytest.mark.parametrize(("titles", "years", "scarce"), list(product(TITLES, [None, 0, 7, 8, 40], [(), SCARCE])))
def test_experience_over_the_full_table(titles: tuple[HeldTitle, ...], years: int | None, scarce: tuple[str, ...]) -> None:
    found = line(EligibilityRule.EXPERIENCE, Facts(day=DAY, titles=titles, years_in_field=years, scarce=scarce))

    if TITLES[titles] == "SENIOR":
        expected = (EligibilityResult.PASSED, "ELIGIBILITY_YEARS_NOT_ASKED")
    elif years is None:
        expected = (EligibilityResult.FAILED, "ELIGIBILITY_YEARS_UNKNOWN")
    elif years >= 8:
        expected = (EligibilityResult.PASSED, "ELIGIBILITY_YEARS_ENOUGH")
    else:
        expected = (relaxed(scarce), "ELIGIBILITY_YEARS_SHORT")
    assert (found.result, found.code) == expected
    assert (found.evidence.years, found.evidence.years_required) == (years, None if TITLES[titles] == "SENIOR" else 8)


SUSPENDED = StandingChange.SUSPEND


@pytest.mark.parametrize("scarce", [(), SCARCE])
@pytest.mark.parametrize(
    ("record", "counts"),
    [
        (BadRecord(StandingChange.DISMISS, DAY), True),
        (BadRecord(StandingChange.DISMISS, date(2023, 11, 20)), True),  # the first day of the three years
        (BadRecord(StandingChange.DISMISS, date(2023, 11, 19)), False),
        (BadRecord(SUSPENDED, date(2023, 1, 1), date(2023, 11, 19)), False),
        (BadRecord(SUSPENDED, date(2023, 1, 1), date(2023, 11, 20)), True),
        (BadRecord(SUSPENDED, date(2026, 11, 1), date(2027, 1, 1)), True),
    ],
)
def test_a_bad_record_counts_for_three_years_and_nothing_relaxes_it(record: BadRecord, counts: bool, scarce: tuple[str, ...]) -> None:
    found = line(EligibilityRule.RECORD, Facts(day=DAY, records=[record], scarce=scarce))

    assert (found.result, found.code) == (
        (EligibilityResult.FAILED, "ELIGIBILITY_RECORD_BAD") if counts else (EligibilityResult.PASSED, "ELIGIBILITY_RECORD_CLEAN")
    )
    assert found.evidence == Evidence(since=date(2023, 11, 20), records=(record,) if counts else ())


@pytest.mark.parametrize(
    ("born", "qualifications", "expected"),
    [
        (None, (), []),
        (date(1960, 5, 6), (), [Forecast(EligibilityChange.AGE_LIMIT, date(2030, 5, 6))]),
        (date(1960, 2, 29), (), [Forecast(EligibilityChange.AGE_LIMIT, date(2030, 3, 1))]),
        (date(1956, 11, 20), (), []),  # reached today: the line says so
        (date(1956, 11, 21), (), [Forecast(EligibilityChange.AGE_LIMIT, date(2026, 11, 21))]),
        (None, (HeldQualification("教师资格"), LAPSED), []),
        (None, (VALID,), [Forecast(EligibilityChange.QUALIFICATION_LAPSE, date(2026, 11, 21), "造价工程师")]),
        (
            date(1960, 5, 6),
            (HeldQualification("建造师", date(2031, 1, 1)), HeldQualification("律师", date(2027, 12, 31))),
            [
                Forecast(EligibilityChange.QUALIFICATION_LAPSE, date(2028, 1, 1), "律师"),
                Forecast(EligibilityChange.AGE_LIMIT, date(2030, 5, 6)),
                Forecast(EligibilityChange.QUALIFICATION_LAPSE, date(2031, 1, 2), "建造师"),
            ],
        ),
    ],
)
def test_forecasts_lie_ahead_and_come_in_their_order(
    born: date | None, qualifications: tuple[HeldQualification, ...], expected: list[Forecast]
) -> None:
    assert list(report(Facts(day=DAY, birth_date=born, qualifications=qualifications), LIMITS).forecasts) == expected


def test_a_kept_report_reads_as_it_was_written() -> None:
    facts = Facts(
        day=DAY,
        birth_date=date(1950, 1, 1),
        titles=(LOW,),
        qualifications=(HeldQualification("建造师", date(2031, 1, 1)),),
        years_in_field=3,
        records=(BadRecord(SUSPENDED, date(2026, 1, 1), date(2026, 2, 1)), BadRecord(StandingChange.DISMISS, DAY)),
        scarce=SCARCE,
    )
    for each in (facts, replace(facts, scarce=(), records=(), birth_date=None), Facts(day=DAY)):
        given = report(each, LIMITS)
        assert Report.of(given.kept()) == given
