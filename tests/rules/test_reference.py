from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from domain.rules.reference import CalendarChange, Flaw, ReferenceFlawed, Row, calendar_change, parse
from models.enums import CodeKind, DayKind, DayStatus

REFERENCE = Path(__file__).parents[2] / "reference"
SHIPPED = {path.name: path.read_text(encoding="utf-8") for path in REFERENCE.glob("*.csv")}

DIVISIONS = """code,name,level,parent,kind,pool_selectable,pool_code,note
220000,吉林省,1,,province,N,,
220100,长春市,2,220000,prefecture,N,220199,
220199,长春市本级,3,220100,pool_city,Y,220199,
220122,农安县,3,220100,county,Y,220122,
"""
EDUCATION = """code,parent,level,name,is_graduated,rank
20,,1,大学本科教育,N,2
21,20,2,大学本科毕业,Y,2
90,,1,其他,N,9
"""
CALENDAR = """date,kind,name,status
2026-10-01,off,国庆节,official
2026-10-10,work,调休上班（国庆节）,official
"""


def flaws(**texts: str) -> list[str]:
    with pytest.raises(ReferenceFlawed) as caught:
        parse({f"{name}.csv": text for name, text in texts.items()})
    return [str(each) for each in caught.value.flaws]


def rows(file: str, text: str) -> tuple[Row, ...]:
    return parse({file: text})[0].rows


def test_the_shipped_files_are_without_flaw() -> None:
    loaded = {each.file: len(each.rows) for each in parse(SHIPPED)}

    assert loaded == {
        "cn_calendar_exceptions.csv": 61,
        "degrees.csv": 58,
        "education.csv": 40,
        "ethnic_groups.csv": 58,
        "help_contacts.csv": 2,
        "jilin_division_aliases.csv": 3,
        "jilin_divisions.csv": 89,
        "political.csv": 13,
        "qualifications.csv": 62,
        "sex.csv": 4,
        "specialties.csv": 366,
        "titles.csv": 275,
    }


def test_rows_come_out_as_the_table_keeps_them() -> None:
    assert rows("jilin_divisions.csv", DIVISIONS)[2] == {
        "code": "220199",
        "name": "长春市本级",
        "level": 3,
        "parent_code": "220100",
        "kind": "pool_city",
        "pool_selectable": True,
        "pool_code": "220199",
        "note": "",
    }
    assert rows("cn_calendar_exceptions.csv", CALENDAR)[0] == {
        "date": date(2026, 10, 1),
        "kind": DayKind.OFF,
        "name": "国庆节",
        "status": DayStatus.OFFICIAL,
    }


def test_a_heading_of_a_code_table_cannot_be_selected_and_the_order_of_the_file_is_kept() -> None:
    found = {row["code"]: (row["id"], row["kind"], row["position"], row["selectable"]) for row in rows("education.csv", EDUCATION)}

    assert found == {
        "20": ("EDUCATION:20", CodeKind.EDUCATION, 0, False),
        "21": ("EDUCATION:21", CodeKind.EDUCATION, 1, True),
        "90": ("EDUCATION:90", CodeKind.EDUCATION, 2, True),
    }


def test_every_flaw_of_every_file_is_named_with_its_line() -> None:
    found = flaws(
        divisions=DIVISIONS.replace("220122,农安县,3", "22122,,9").replace("Y,220199", "J,220199"),
        sex="code,name\n1,男\n,女\n",
    )

    assert found == [
        "divisions.csv:4: pool_selectable 'J': one of Y, N",
        "divisions.csv:5: code '22122': six digits; was a leading zero lost in a spreadsheet?",
        "divisions.csv:5: level '9': a number from 1 to 3",
        "divisions.csv:5: name '': text of 1 to 120 characters without controls",
        "sex.csv:3: code '': one digit",
    ]


COLUMNS = "code,name,level,parent,kind,pool_selectable,pool_code,note"


@pytest.mark.parametrize(
    ("added", "found"),
    [
        ("220122,农安县,3,220100,county,Y,220122,", "code 220122 is there twice"),
        ("220221,永吉县,3,220200,county,Y,220221,", "parent 220200 is not in the file"),
        ("220221,永吉县,2,220100,county,Y,220221,", "level 2, but its place in the tree is 3"),
        ("230102,道里区,3,220100,district,N,220199,", "division 230102 is not in the province 220000"),
        ("229000,延边省,1,,province,N,,", "one province is expected, there are 2"),
        ("220102,南关区,3,220100,district,N,220999,", "pool_code 220999 does not lead to a pool that can be selected"),
        ("220198,旧本级,3,220100,pool_city,N,220198,", "pool_code 220198 does not lead to a pool that can be selected"),
        ("220182,榆树市,3,220100,county_city,Y,220199,", "a pool that can be selected is its own pool_code"),
        ("220102,南关区", "2 cells in a table of 8 columns"),
        ('220102,"南关区,3', "no CSV: unexpected end of data"),
    ],
)
def test_divisions_that_do_not_fit_together_are_refused(added: str, found: str) -> None:
    assert [each.split(": ", 1)[1] for each in flaws(divisions=DIVISIONS + added + "\n")] == [found]


def test_a_division_may_belong_to_a_closed_pool_that_names_its_successor() -> None:
    closed = "222499,延边州本级,3,220100,pool_city,N,220199,\n222401,延吉市,3,220100,county_city,N,222499,\n"

    assert [row["pool_code"] for row in rows("divisions.csv", DIVISIONS + closed)][-2:] == ["220199", "222499"]


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("", f"columns are ; expected are {COLUMNS}"),
        (DIVISIONS.replace("parent", "above"), f"columns are {COLUMNS.replace('parent', 'above')}; expected are {COLUMNS}"),
        (COLUMNS, "the file has no rows"),
    ],
)
def test_a_file_without_the_expected_columns_or_rows_is_refused(text: str, found: str) -> None:
    assert flaws(divisions=text) == [f"divisions.csv:1: {found}"]


def test_a_title_can_be_selected_exactly_when_it_is_a_leaf() -> None:
    header = "code,parent,level,name,series,rank,gbt8561,selectable\n"

    assert flaws(titles=header + "T01,,1,高等学校教师,高等学校教师,,,Y\nT01011,T01,2,教授,高等学校教师,正高级,011,N\n") == [
        "titles.csv:2: selectable is Y for the leaves of the tree and N for the rest",
        "titles.csv:3: selectable is Y for the leaves of the tree and N for the rest",
    ]


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("2026-10-03,off,国庆节,official", "2026-10-03 is off in every week and no exception"),
        ("2026-10-08,work,调休,official", "2026-10-08 is work in every week and no exception"),
        ("2026-10-32,off,国庆节,official", "date '2026-10-32': a real date like 2026-10-01"),
        ("20261002,off,国庆节,official", "date '20261002': a real date like 2026-10-01"),
        ("2026-10-02,free,国庆节,official", "kind 'free': one of off, work"),
        ("2026-10-01,off,国庆节,official", "date 2026-10-01 is there twice"),
    ],
)
def test_a_calendar_holds_days_that_differ_from_the_week_once_each(row: str, found: str) -> None:
    assert flaws(cn_calendar_exceptions=CALENDAR + row + "\n") == [f"cn_calendar_exceptions.csv:4: {found}"]


def test_a_year_is_official_or_tentative_as_a_whole() -> None:
    assert flaws(cn_calendar_exceptions=CALENDAR.replace("）,official", "）,tentative")) == [
        "cn_calendar_exceptions.csv:2: the year 2026 is part official and part tentative",
        "cn_calendar_exceptions.csv:3: the year 2026 is part official and part tentative",
    ]


def test_an_alias_leads_from_a_division_that_is_gone_to_one_that_is_there() -> None:
    header = "old_code,old_name,new_code,year\n"

    assert flaws(divisions=DIVISIONS, division_aliases=header + "\n220381,公主岭市,220184,2020\n220122,农安,220100,1995\n") == [
        "division_aliases.csv:3: new_code 220184 is no division",
        "division_aliases.csv:4: old_code 220122 is still a division",
    ]


def test_a_file_nobody_knows_and_two_of_one_kind_are_refused() -> None:
    assert flaws(jilin_divisions=DIVISIONS, liaoning_divisions=DIVISIONS) == [
        "liaoning_divisions.csv:1: holds the same data as jilin_divisions.csv; give one of them"
    ]
    assert flaws(holidays="date\n")[0].startswith("holidays.csv:1: no file of reference data; expected are *divisions.csv, ")


def test_flaws_are_told_one_a_line() -> None:
    assert str(ReferenceFlawed([Flaw("b.csv", 2, "second"), Flaw("a.csv", 10, "first")])) == "a.csv:10: first\nb.csv:2: second"


def day(iso: str, status: DayStatus) -> Row:
    return {"date": date.fromisoformat(iso), "kind": DayKind.OFF, "name": "假日", "status": status}


OFFICIAL, TENTATIVE = DayStatus.OFFICIAL, DayStatus.TENTATIVE
KEPT = {date(2026, 10, 1): OFFICIAL, date(2026, 10, 2): OFFICIAL, date(2027, 10, 1): TENTATIVE, date(2027, 10, 4): TENTATIVE}


def test_a_published_year_takes_the_place_of_the_expected_one() -> None:
    published = day("2027-10-01", OFFICIAL)

    assert calendar_change(KEPT, [published]) == CalendarChange(put=(published,), forget=(date(2027, 10, 4),))


def test_a_published_year_is_corrected_by_a_published_one_alone() -> None:
    corrected, expected = day("2026-10-01", OFFICIAL), day("2026-10-05", TENTATIVE)

    assert calendar_change(KEPT, [corrected]) == CalendarChange(put=(corrected,), forget=(date(2026, 10, 2),))
    assert calendar_change(KEPT, [expected]) == CalendarChange(put=(), forget=())


def test_years_that_a_file_does_not_name_stay_as_they_are() -> None:
    expected = day("2028-10-02", TENTATIVE)

    assert calendar_change(KEPT, [expected]) == CalendarChange(put=(expected,), forget=())
