from __future__ import annotations

from dataclasses import fields
from datetime import date

from domain.rules.profile_input import (
    UNSET,
    AvoidanceUnitInput,
    BasicInfo,
    EducationInput,
    EvaluationInfo,
    QualificationInput,
    TitleInput,
    WorkEntryInput,
    check,
    check_basic_info,
    path_of,
)
from models.enums import IdType
from models.profiles import AvoidanceUnit, Education, QualificationEntry, Revision, TitleEntry, WorkEntry

TODAY = date(2026, 11, 22)
BORN = date(1975, 3, 12)


def test_every_field_of_an_input_is_a_column_of_its_row() -> None:
    rows = {
        BasicInfo: Revision,
        AvoidanceUnitInput: AvoidanceUnit,
        EducationInput: Education,
        TitleInput: TitleEntry,
        WorkEntryInput: WorkEntry,
        QualificationInput: QualificationEntry,
    }

    for given, row in rows.items():
        assert {each.name for each in fields(given)} <= row._meta.fields_map.keys()


def test_an_input_that_names_nothing_changes_nothing() -> None:
    for given in (BasicInfo(), EvaluationInfo(), EducationInput(), TitleInput(), WorkEntryInput(), QualificationInput()):
        before = {each.name: None for each in fields(given)}

        assert {getattr(given, each.name) for each in fields(given)} == {UNSET}
        assert check(given, before, today=TODAY, born=BORN) == ({}, [])


def test_a_new_entry_is_written_whole_with_what_is_not_given_empty() -> None:
    given = WorkEntryInput(started_on=date(2001, 1, 1), employer=" 吉林大学 ", post="教授", duties="教学")

    values, problems = check(given, None, today=TODAY, born=BORN)

    assert values == {"started_on": date(2001, 1, 1), "ended_on": None, "employer": "吉林大学", "post": "教授", "duties": "教学"}
    assert problems == []


def test_today_is_neither_in_the_future_nor_reversed() -> None:
    given = WorkEntryInput(started_on=TODAY, ended_on=TODAY, employer="吉林大学", post="教授", duties="教学")

    assert check(given, None, today=TODAY, born=BORN)[1] == []


def test_a_new_kind_of_paper_is_checked_against_the_number_that_is_kept() -> None:
    before = dict.fromkeys([each.name for each in fields(BasicInfo)]) | {
        "id_type": IdType.RESIDENT_ID,
        "id_number": "11010519491231002X",
        "birth_date": date(1949, 12, 31),
    }

    values, problems = check_basic_info(BasicInfo(id_type=IdType.HK_MACAO_PERMIT), before, today=TODAY)

    assert values == {"id_type": IdType.HK_MACAO_PERMIT}
    assert [(each.path, each.code, each.facts) for each in problems] == [("idNumber", "ID_NUMBER_KIND", {"kind": IdType.HK_MACAO_PERMIT})]


def test_dates_are_compared_with_the_birth_date_of_the_new_number() -> None:
    before = dict.fromkeys([each.name for each in fields(BasicInfo)]) | {"birth_date": date(1990, 1, 1), "id_type": IdType.RESIDENT_ID}
    given = BasicInfo(id_number="11010519491231002X", working_since=date(1970, 1, 1))

    values, problems = check_basic_info(given, before, today=TODAY)

    assert (values["birth_date"], values["sex"], problems) == (date(1949, 12, 31), "2", [])


def test_paths_are_the_names_of_the_schema() -> None:
    assert [path_of(name) for name in ("name", "id_valid_long_term", "employer_credit_code")] == [
        "name",
        "idValidLongTerm",
        "employerCreditCode",
    ]
