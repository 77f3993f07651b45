"""Days and instants as clients write them: through the scalars, and as the errors of operations."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pytest

from domain.rules.errors import Invalid
from domain.rules.messages import Language
from models.database import database_now
from schema.root import schema
from schema.scalars import _read, _read_day
from settings import Settings
from tests.graphql import context_for
from tests.people import SignedIn, officer

LIST = "query ($day: Date!) { availableExperts(date: $day) { totalCount } }"


@pytest.mark.parametrize(
    ("text", "day"), [("1900-01-01", date(1900, 1, 1)), ("2024-02-29", date(2024, 2, 29)), ("2200-12-31", date(2200, 12, 31))]
)
def test_a_day_is_read(text: str, day: date) -> None:
    assert _read_day(text) == day


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2016-02-30", "DATE_FORMAT"),
        ("2016-2-3", "DATE_FORMAT"),
        ("20160203", "DATE_FORMAT"),
        ("２０１６-02-03", "DATE_FORMAT"),
        ("长期", "DATE_FORMAT"),
        ("", "DATE_FORMAT"),
        (20160203, "DATE_FORMAT"),
        ("1899-12-31", "DATE_RANGE"),
        ("2201-01-01", "DATE_RANGE"),
        ("0001-01-01", "DATE_RANGE"),
        ("9999-12-31", "DATE_RANGE"),
    ],
)
def test_what_is_no_day_or_no_day_of_these_centuries_is_refused(text: object, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        _read_day(text)

    assert refused.value.code == code


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2026-01-31T09:00:00+08:00", datetime(2026, 1, 31, 1, tzinfo=UTC)),
        ("1900-01-01T00:00:00+14:00", datetime(1899, 12, 31, 10, tzinfo=UTC)),
        ("2200-12-31T23:59:59.999999Z", datetime(2200, 12, 31, 23, 59, 59, 999999, tzinfo=UTC)),
    ],
)
def test_an_instant_is_read(text: str, instant: datetime) -> None:
    assert _read(text) == instant


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("2026-01-31T09:00:00", "INSTANT_FORMAT"),
        ("2026-01-31", "INSTANT_FORMAT"),
        ("2026-01-31T25:00:00Z", "INSTANT_FORMAT"),
        (0, "INSTANT_FORMAT"),
        ("0001-01-01T00:00:00+08:00", "DATE_RANGE"),
        ("9999-12-31T23:59:59.999999-08:00", "DATE_RANGE"),
    ],
)
def test_what_is_no_instant_or_none_of_these_centuries_is_refused(text: object, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        _read(text)

    assert refused.value.code == code


@pytest.fixture(scope="module")
async def local(database: Settings) -> SignedIn:
    return await officer()


async def error_of(document: str, who: SignedIn, language: Language, **variables: Any) -> tuple[str, Any]:
    """The message and the extensions of the one error of an operation that answers nothing."""
    context = context_for(who.viewer, now=await database_now(), language=language)
    result = await schema.execute(document, variable_values=variables, context_value=context)
    [error] = result.errors or []
    assert result.data is None
    return error.message, error.extensions


@pytest.mark.parametrize(
    ("language", "expected"),
    [
        ("zh", "日期应在 1900-01-01 至 2200-12-31 之间；长期有效、没有截止日期的请留空，身份证件请改填 idValidLongTerm。"),
        (
            "en",
            (
                "A day from 1900-01-01 to 2200-12-31 is expected; "
                "leave it empty where there is no end, or say idValidLongTerm for an identity paper."
            ),
        ),
    ],
)
async def test_a_day_that_does_not_fit_is_told_with_what_is_expected_in_the_language_of_the_client(
    local: SignedIn, language: Language, expected: str
) -> None:
    in_variable = await error_of(LIST, local, language, day="9999-12-31")
    written_out = await error_of('{ availableExperts(date: "9999-12-31") { totalCount } }', local, language)

    assert in_variable == (f"Variable '$day' has invalid value: {expected}", {"code": "BAD_USER_INPUT", "reason": "DATE_RANGE"})
    assert written_out == (expected, {"code": "GRAPHQL_VALIDATION_FAILED", "reason": "DATE_RANGE"})


async def test_where_in_an_input_a_day_does_not_fit_is_told(local: SignedIn) -> None:
    document = "mutation ($input: BasicInfoSaveInput!) { basicInfoSave(input: $input) { __typename } }"

    told = await error_of(document, local, "en", input={"idValidFrom": "2016-02-30"})

    assert told == (
        "Variable '$input' has invalid value at .idValidFrom: A day that exists is expected, written like 2026-01-31.",
        {"code": "BAD_USER_INPUT", "reason": "DATE_FORMAT"},
    )


@pytest.mark.parametrize("day", ["1900-01-01", "2200-12-31"])
async def test_the_first_and_the_last_day_are_answered(local: SignedIn, day: str) -> None:
    result = await schema.execute(LIST, variable_values={"day": day}, context_value=context_for(local.viewer, now=await database_now()))

    assert result.errors is None
