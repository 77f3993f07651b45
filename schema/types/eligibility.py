"""The advisory eligibility report of a profile."""

import datetime as dt
from dataclasses import asdict
from typing import Self

import strawberry

from domain.rules import eligibility
from domain.rules.messages import Language, text
from models.enums import EligibilityChange, EligibilityResult, EligibilityRule, StandingChange


@strawberry.type(description="A dismissal or suspension under the person's id number, in this registration or an earlier one.")
class EligibilityRecord:
    """A bad record."""

    change: StandingChange = strawberry.field(description="DISMISS or SUSPEND.")
    on: dt.date = strawberry.field(description="Day on which it was decided.")
    until: dt.date | None = strawberry.field(description="Last day of the suspension, the day of its end where that came earlier.")


@strawberry.type(description="What a line of the report rests on; what has no part in the line is null or empty.")
class EligibilityEvidence:
    """Facts."""

    age: int | None = strawberry.field(description="Age on the day, in years.")
    age_limit: int | None = strawberry.field(description="Age that must not be reached.")
    title: str | None = strawberry.field(description="The highest title of the profile.")
    title_rank: str | None = strawberry.field(description="Its rank: 正高级, 副高级, 中级 or lower.")
    qualification: str | None = strawberry.field(description="The professional qualification that stands in place of a title.")
    years: int | None = strawberry.field(description="Years in the field, as declared.")
    years_required: int | None = strawberry.field(description="Years in the field that a middle title needs beside it.")
    since: dt.date | None = strawberry.field(description="First day of the time in which records are looked for.")
    records: list[EligibilityRecord] = strawberry.field(description="Dismissals and suspensions of that time, the oldest first.")
    scarce_specialties: list[str] = strawberry.field(
        description="Names of the scarce specialties chosen, for which the rule may be relaxed."
    )


@strawberry.type(description="What the report says of one condition.")
class EligibilityLine:
    """A line."""

    rule: EligibilityRule = strawberry.field(description="The condition.")
    result: EligibilityResult = strawberry.field(description="Whether it is met.")
    code: str = strawberry.field(description="Stable name of the reason, for programs.")
    message: str = strawberry.field(description="The reason in the viewer's language, for people.")
    evidence: EligibilityEvidence = strawberry.field(description="The facts behind it.")

    @classmethod
    def of(cls, line: eligibility.Line, language: Language) -> Self:
        """In the viewer's language."""
        told = asdict(line.evidence)
        records = [EligibilityRecord(**each) for each in told.pop("records")]
        scarce = list(told.pop("scarce"))
        evidence = EligibilityEvidence(**told, records=records, scarce_specialties=scarce)
        message = text(line.code, language, asdict(line.evidence))
        return cls(rule=line.rule, result=line.result, code=line.code, message=message, evidence=evidence)


@strawberry.type(description="Something that time alone will change.")
class EligibilityForecast:
    """A forecast."""

    change: EligibilityChange = strawberry.field(description="What will change.")
    on: dt.date = strawberry.field(description="First day on which it is so.")
    subject: str | None = strawberry.field(description="Name of the qualification that lapses; empty for the age.")


@strawberry.type(description="入库条件核对: the conditions of admission one by one. It informs and never decides.")
class EligibilityReport:
    """A report."""

    day: dt.date = strawberry.field(description="The day it speaks of: that of the submission, for a draft today.")
    lines: list[EligibilityLine] = strawberry.field(description="Every condition, in the order of the rule.")
    forecasts: list[EligibilityForecast] = strawberry.field(description="What was to come, the earliest first.")

    @classmethod
    def of(cls, report: eligibility.Report, language: Language) -> Self:
        """In the viewer's language."""
        forecasts = [EligibilityForecast(change=each.change, on=each.on, subject=each.subject) for each in report.forecasts]
        return cls(day=report.day, lines=[EligibilityLine.of(each, language) for each in report.lines], forecasts=forecasts)
