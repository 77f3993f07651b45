"""The advisory report on the conditions of admission (财库〔2016〕198号 art. 6, rules §5): it informs and never decides."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import date, timedelta
from typing import Any, Self

from domain.rules.standing import years_after
from models.enums import EligibilityChange, EligibilityResult, EligibilityRule, StandingChange

SENIOR = ("正高级", "副高级")
MIDDLE = ("中级",)
_RANKS = (*SENIOR, *MIDDLE)


@dataclass(frozen=True, slots=True)
class HeldTitle:
    """A title of the profile; `rank` is that of the title tree, empty where the tree gives none."""

    name: str
    rank: str | None


@dataclass(frozen=True, slots=True)
class HeldQualification:
    """A professional qualification of the profile; `valid_until` is its last day, empty where it does not lapse."""

    name: str
    valid_until: date | None = None


@dataclass(frozen=True, slots=True)
class BadRecord:
    """A dismissal, or a suspension with its last day, under the person's id number in whatever registration."""

    change: StandingChange
    on: date
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What the conditions ask of a profile on a day; None where it does not say. `scarce` names the scarce specialties that were chosen."""

    day: date
    birth_date: date | None = None
    titles: Sequence[HeldTitle] = ()
    qualifications: Sequence[HeldQualification] = ()
    years_in_field: int | None = None
    records: Sequence[BadRecord] = ()
    scarce: Sequence[str] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The numbers of the conditions, in years."""

    age: int
    middle_title_years: int
    record_years: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """What a line rests on; empty where it has no part in it."""

    age: int | None = None
    age_limit: int | None = None
    title: str | None = None
    title_rank: str | None = None
    qualification: str | None = None
    years: int | None = None
    years_required: int | None = None
    since: date | None = None
    records: tuple[BadRecord, ...] = ()
    scarce: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Line:
    """What is said of one condition; `code` is stable and has its text in domain/rules/messages.py."""

    rule: EligibilityRule
    result: EligibilityResult
    code: str
    evidence: Evidence = field(default_factory=Evidence)


@dataclass(frozen=True, slots=True)
class Forecast:
    """What time will change: `on` is the first day on which it is so; `subject` is the qualification that lapses."""

    change: EligibilityChange
    on: date
    subject: str | None = None


@dataclass(frozen=True, slots=True)
class Report:
    """The conditions one by one as they stood on `day`, and what was foreseen then."""

    day: date
    lines: tuple[Line, ...]
    forecasts: tuple[Forecast, ...]

    def kept(self) -> dict[str, Any]:
        """As JSON, to be kept with the submitted revision."""
        kept: dict[str, Any] = _plain(asdict(self))
        return kept

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Self:
        """The report that was kept."""
        return cls(date.fromisoformat(kept["day"]), tuple(map(_line, kept["lines"])), tuple(map(_forecast, kept["forecasts"])))


def report(facts: Facts, limits: Limits) -> Report:
    """Every condition in the order of the vocabulary, each with its evidence, and forecasts by their day."""
    lines = (_age(facts, limits), _title(facts), _experience(facts, limits), _record(facts, limits))
    return Report(facts.day, lines, tuple(sorted(_forecasts(facts, limits), key=lambda each: each.on)))


def is_age_relaxed(kept: Mapping[str, Any] | None) -> bool:
    """Whether a report that was kept says that the person was past the age limit and the rule may be relaxed for them."""
    told = EligibilityRule.AGE, EligibilityResult.RELAXED
    return kept is not None and any((line["rule"], line["result"]) == told for line in kept["lines"])


def _missed(facts: Facts) -> EligibilityResult:
    """A condition that the rule relaxes for specialties with few experts is not met."""
    return EligibilityResult.RELAXED if facts.scarce else EligibilityResult.FAILED


def _age(facts: Facts, limits: Limits) -> Line:
    rule, born = EligibilityRule.AGE, facts.birth_date
    if born is None:
        return Line(rule, EligibilityResult.FAILED, "ELIGIBILITY_AGE_UNKNOWN", Evidence(age_limit=limits.age))
    age = facts.day.year - born.year - (facts.day < years_after(born, facts.day.year - born.year))
    if age < limits.age:
        return Line(rule, EligibilityResult.PASSED, "ELIGIBILITY_AGE_UNDER", Evidence(age=age, age_limit=limits.age))
    evidence = Evidence(age=age, age_limit=limits.age, scarce=tuple(facts.scarce))
    return Line(rule, _missed(facts), "ELIGIBILITY_AGE_REACHED", evidence)


def _title(facts: Facts) -> Line:
    """A qualification that is valid on the day stands for a middle title (同等专业水平); which is worth a senior one, officers judge."""
    rule, best = EligibilityRule.TITLE, _best(facts.titles)
    if best is not None and best.rank in _RANKS:
        code = "ELIGIBILITY_TITLE_SENIOR" if best.rank in SENIOR else "ELIGIBILITY_TITLE_MIDDLE"
        return Line(rule, EligibilityResult.PASSED, code, Evidence(title=best.name, title_rank=best.rank))
    title, rank = (best.name, best.rank) if best is not None else (None, None)
    valid = [each for each in facts.qualifications if each.valid_until is None or each.valid_until >= facts.day]
    if valid:
        evidence = Evidence(title=title, title_rank=rank, qualification=valid[0].name)
        return Line(rule, EligibilityResult.PASSED, "ELIGIBILITY_TITLE_EQUAL", evidence)
    code, lapsed = "ELIGIBILITY_TITLE_LOW", None
    if best is None:
        lapsed = facts.qualifications[0].name if facts.qualifications else None
        code = "ELIGIBILITY_QUALIFICATION_LAPSED" if lapsed else "ELIGIBILITY_TITLE_NONE"
    evidence = Evidence(title=title, title_rank=rank, qualification=lapsed, scarce=tuple(facts.scarce))
    return Line(rule, _missed(facts), code, evidence)


def _best(titles: Sequence[HeldTitle]) -> HeldTitle | None:
    """The title of the highest rank, the first of these in the profile."""
    return min(titles, key=lambda each: _RANKS.index(each.rank) if each.rank in _RANKS else len(_RANKS), default=None)


def _experience(facts: Facts, limits: Limits) -> Line:
    rule, best, needed = EligibilityRule.EXPERIENCE, _best(facts.titles), limits.middle_title_years
    if best is not None and best.rank in SENIOR:
        evidence = Evidence(title=best.name, title_rank=best.rank, years=facts.years_in_field)
        return Line(rule, EligibilityResult.PASSED, "ELIGIBILITY_YEARS_NOT_ASKED", evidence)
    if facts.years_in_field is None:
        return Line(rule, EligibilityResult.FAILED, "ELIGIBILITY_YEARS_UNKNOWN", Evidence(years_required=needed))
    evidence = Evidence(years=facts.years_in_field, years_required=needed)
    if facts.years_in_field >= needed:
        return Line(rule, EligibilityResult.PASSED, "ELIGIBILITY_YEARS_ENOUGH", evidence)
    evidence = Evidence(years=facts.years_in_field, years_required=needed, scarce=tuple(facts.scarce))
    return Line(rule, _missed(facts), "ELIGIBILITY_YEARS_SHORT", evidence)


def _record(facts: Facts, limits: Limits) -> Line:
    """A suspension counts from its last day: who was suspended until yesterday has a bad record, however long ago it began."""
    since = years_after(facts.day, -limits.record_years)
    found = tuple(each for each in facts.records if max(each.on, each.until or each.on) >= since)
    result, code = EligibilityResult.PASSED, "ELIGIBILITY_RECORD_CLEAN"
    if found:
        result, code = EligibilityResult.FAILED, "ELIGIBILITY_RECORD_BAD"
    return Line(EligibilityRule.RECORD, result, code, Evidence(since=since, records=found))


def _forecasts(facts: Facts, limits: Limits) -> list[Forecast]:
    found = [
        Forecast(EligibilityChange.QUALIFICATION_LAPSE, each.valid_until + timedelta(days=1), each.name)
        for each in facts.qualifications
        if each.valid_until is not None and each.valid_until >= facts.day
    ]
    if facts.birth_date is not None and (reached := years_after(facts.birth_date, limits.age)) > facts.day:
        found.append(Forecast(EligibilityChange.AGE_LIMIT, reached))
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(each) for each in value]
    return value.isoformat() if isinstance(value, date) else value


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _line(kept: Mapping[str, Any]) -> Line:
    told = kept["evidence"]
    records = tuple(
        BadRecord(StandingChange(each["change"]), date.fromisoformat(each["on"]), _day(each["until"])) for each in told["records"]
    )
    evidence = Evidence(**told | {"since": _day(told["since"]), "records": records, "scarce": tuple(told["scarce"])})
    return Line(EligibilityRule(kept["rule"]), EligibilityResult(kept["result"]), kept["code"], evidence)


def _forecast(kept: Mapping[str, Any]) -> Forecast:
    return Forecast(EligibilityChange(kept["change"]), date.fromisoformat(kept["on"]), kept["subject"])
