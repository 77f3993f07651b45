from __future__ import annotations

import asyncio
import shutil
from pathlib import Path

import pytest

from domain.actions.reference import Counts, load
from domain.rules.reference import ReferenceFlawed
from models.database import execute, rows
from models.enums import DayKind, DayStatus
from models.reference import CalendarDay, Code, Division, Title
from settings import Settings

REFERENCE = Path(__file__).parents[2] / "reference"
TABLES = ("divisions", "division_aliases", "specialties", "titles", "qualifications", "codes", "calendar_days")


@pytest.fixture(autouse=True)
async def _shipped(database: Settings) -> None:
    """Every test begins with the shipped data and nothing else."""
    for table in TABLES:
        await execute(f"DELETE FROM {table}")
    await load(REFERENCE)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    return Path(shutil.copytree(REFERENCE, tmp_path / "reference"))


def edit(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1
    file.write_text(text.replace(old, new), encoding="utf-8")


async def contents() -> dict[str, list[str]]:
    return {table: [str(row["row"]) for row in await rows(f"SELECT t::text AS row FROM {table} t ORDER BY 1")] for table in TABLES}


async def test_an_empty_database_takes_every_row() -> None:
    for table in TABLES:
        await execute(f"DELETE FROM {table}")

    report = await load(REFERENCE)

    assert {table: len(found) for table, found in (await contents()).items()} == {
        "divisions": 89,
        "division_aliases": 3,
        "specialties": 366,
        "titles": 275,
        "qualifications": 62,
        "codes": 173,
        "calendar_days": 61,
    }
    assert report.files["titles.csv"] == Counts(inserted=275, updated=0, retired=0, unchanged=0)
    assert report.calendar_changed
    assert (await Division.get(code="220199")).name == "长春市本级"
    assert (await Code.get(id="ETHNIC_GROUP:01")).name == "汉族"


async def test_a_second_load_changes_nothing() -> None:
    before = await contents()

    report = await load(REFERENCE)

    assert {(each.inserted, each.updated, each.retired) for each in report.files.values()} == {(0, 0, 0)}
    assert not report.calendar_changed
    assert await contents() == before


async def test_a_newer_file_adds_renames_and_retires_and_an_older_one_brings_back(copy: Path) -> None:
    edit(
        copy / "titles.csv",
        "T01014,T01,2,助教（高校）,高等学校教师,初级（助理级）,014,Y\n",
        "T01019,T01,2,教授级讲师,高等学校教师,中级,,Y\n",
    )
    edit(copy / "titles.csv", "T01013,T01,2,讲师（高校）", "T01013,T01,2,讲师（高等学校）")

    newer = await load(copy)

    assert newer.files["titles.csv"] == Counts(inserted=1, updated=1, retired=1, unchanged=273)
    assert str(newer).splitlines()[-1] == "titles.csv: 1 new, 1 changed, 1 retired, 273 as before"
    assert (await Title.get(code="T01013")).name == "讲师（高等学校）"
    assert (await Title.get(code="T01014")).retired
    assert (await load(copy)).files["titles.csv"] == Counts(inserted=0, updated=0, retired=0, unchanged=275)

    older = await load(REFERENCE)

    assert older.files["titles.csv"] == Counts(inserted=0, updated=2, retired=1, unchanged=273)
    assert not (await Title.get(code="T01014")).retired
    assert (await Title.get(code="T01019")).retired


async def test_one_file_leaves_the_tables_of_the_others_alone(copy: Path) -> None:
    before = await contents()
    edit(copy / "sex.csv", "9,未说明的性别\n", "")

    report = await load(copy / "sex.csv")

    assert report.files == {"sex.csv": Counts(inserted=0, updated=0, retired=1, unchanged=3)}
    after = await contents()
    assert [table for table in TABLES if after[table] != before[table]] == ["codes"]
    assert [each.id for each in await Code.filter(retired=True)] == ["SEX:9"]


async def test_a_published_year_takes_the_place_of_the_expected_one_and_stays(copy: Path) -> None:
    calendar = copy / "cn_calendar_exceptions.csv"
    lines = [each for each in calendar.read_text(encoding="utf-8").splitlines() if not each.startswith("2027")]
    calendar.write_text(
        "\n".join([*lines, "2027-01-01,off,元旦,official", "2027-10-09,work,调休上班（国庆节）,official"]), encoding="utf-8"
    )

    published = await load(calendar)

    assert published.calendar_changed
    assert published.files[calendar.name] == Counts(inserted=1, updated=1, retired=12, unchanged=48)
    after = await CalendarDay.filter(date__gte="2027-01-01").order_by("date")
    assert [(str(each.date), each.kind, each.status) for each in after] == [
        ("2027-01-01", DayKind.OFF, DayStatus.OFFICIAL),
        ("2027-10-09", DayKind.WORK, DayStatus.OFFICIAL),
    ]

    shipped = await load(REFERENCE)  # in which 2027 is still expected only

    assert not shipped.calendar_changed
    assert await CalendarDay.filter(date__gte="2027-01-01").count() == 2


async def test_a_flaw_in_one_file_keeps_all_of_them_out(copy: Path) -> None:
    before = await contents()
    edit(copy / "titles.csv", "T01014,T01,2", "T01014,T77,2")
    edit(copy / "political.csv", "13,群众,群众\n", "")

    with pytest.raises(ReferenceFlawed, match=r"^titles\.csv:6: parent T77 is not in the file$"):
        await load(copy)

    assert await contents() == before


async def test_a_table_saved_in_another_encoding_is_refused_with_its_line(copy: Path) -> None:
    before = await contents()
    text = (copy / "political.csv").read_text(encoding="utf-8")
    (copy / "political.csv").write_text(text, encoding="gb18030")

    with pytest.raises(ReferenceFlawed, match=r"^political\.csv:2: this is not UTF-8"):
        await load(copy)

    assert await contents() == before


async def test_a_table_saved_by_a_spreadsheet_is_read(copy: Path) -> None:
    text = (copy / "political.csv").read_text(encoding="utf-8")
    (copy / "political.csv").write_text(text.replace("\n", "\r\n"), encoding="utf-8-sig", newline="")

    assert (await load(copy / "political.csv")).files["political.csv"] == Counts(inserted=0, updated=0, retired=0, unchanged=13)


async def test_a_directory_without_tables_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ReferenceFlawed, match="there is no CSV file here"):
        await load(tmp_path)


async def test_loads_at_the_same_time_do_the_work_once() -> None:
    for table in TABLES:
        await execute(f"DELETE FROM {table}")

    reports = await asyncio.gather(*(load(REFERENCE) for _ in range(4)))

    assert sorted(each.files["titles.csv"].inserted for each in reports) == [0, 0, 0, 275]
    assert len((await contents())["titles"]) == 275
