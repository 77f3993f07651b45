"""The conditions that officers set on their lists: the same for what they read and for what they take along."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from string import ascii_lowercase, ascii_uppercase
from typing import Any

import orjson

from domain.reads import Where, experts_of_office, leaving, of_office
from domain.rules.errors import FieldProblem, InvalidInput
from domain.rules.lifecycle import AWAITED, CLOSED, By, stages_of
from domain.rules.viewer import Viewer
from models.enums import CaseKind, Role, SmsState, Stage, Standing, Vocabulary

LONGEST_SEARCH = 100
_ASCII_LOWER = str.maketrans(ascii_uppercase, ascii_lowercase)


def search_term(text: str) -> str:
    """A text as a LIKE pattern for names that contain it. Raises InvalidInput for one longer than any name that would be looked for.

    Each row is compared with the whole pattern, so a long one would cost what thousands of short ones do.
    """
    words = text.strip()
    if len(words) > LONGEST_SEARCH:
        raise InvalidInput([FieldProblem("search", "TEXT_LENGTH", {"longest": LONGEST_SEARCH, "length": len(words)})])
    escaped = words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


class CommonPairs:
    """The pairs of characters that so many cases hold that a page of them is found sooner by walking the list than by the index.

    The index finds all cases that hold a pair, and each must be looked at to tell which have waited longest: for 公司 nearly every second
    case, where twenty are shown. Both ways find the same; domain/actions/learning.py learns which pairs are common.
    """

    def __init__(self) -> None:
        self._known: frozenset[str] = frozenset()

    def learn(self, pairs: Collection[str]) -> None:
        """Take these for the common ones from now on."""
        self._known = frozenset(pairs)

    def are(self, pairs: Collection[str]) -> bool:
        """Whether all of the pairs are common: one that is rare leads to few cases."""
        return self._known.issuperset(pairs)


COMMON = CommonPairs()
"""What this process knows of them; at first nothing."""


def contains(columns: tuple[str, str], text: str, common: CommonPairs | None = None, *, exactly: str = "") -> Where:
    """Rows of which one of the columns contains the text, whatever the case of letters, or of which the column `exactly` is the text.

    From two characters on, the index on `words` finds the candidates, the `bigrams` of both columns together (models/migrations/0027); one
    character is looked for in every row, in the order of the list, and so is what is `common`. The pairs are a value and not
    `bigrams(:search)`, which PostgreSQL would work out in each request, and count as dear when it plans.
    """
    walked, pairs = " OR ".join(f"{{t}}.{column} ILIKE :search" for column in columns), bigrams(text.strip())
    walked, found = f"({walked})", f"({{t}}.words @> :pairs AND ({walked}))"
    values: dict[str, Any] = {"search": search_term(text)}
    if exactly:
        walked, found = (f"({{t}}.{exactly} = :exactly OR {each})" for each in (walked, found))
        values["exactly"] = text.strip()
    if not pairs:
        return Where(walked, values)
    values["pairs"] = pairs
    if common is None or not common.are(pairs):
        return Where(found, values)
    # PostgreSQL expects a pattern to fit few rows, and would collect and sort all others; of a CASE it expects half of them.
    return Where(f"CASE WHEN {walked} THEN TRUE ELSE FALSE END", values, found)


def bigrams(words: str) -> list[str]:
    """Pairs of characters that the SQL function of this name finds as well, in every text that contains the words.

    Without those that hold letters outside ASCII which have a case: databases differ in how they fold them.
    """
    folded = words.translate(_ASCII_LOWER)
    pairs = {folded[place : place + 2] for place in range(len(folded) - 1)}
    return sorted(each for each in pairs if all(letter.isascii() or letter.lower() == letter.upper() for letter in each))


FEW_CASES = 1_000
"""So many are sorted sooner than a list is walked for those of them that meet a condition."""


class FirstSubmissions:
    """When the first FEW_CASES cases had been submitted.

    Whoever asks for cases submitted earlier may find less than a page of them, for which the list would be walked to its end; of those
    submitted before a later moment a page is full soon, as the first have waited longest. Both ways find the same;
    domain/actions/learning.py learns the moment.
    """

    def __init__(self) -> None:
        self._until: datetime | None = None

    def learn(self, moment: datetime | None) -> None:
        """Take this for the moment from now on; None where there are fewer cases."""
        self._until = moment

    def are_before(self, moment: datetime) -> bool:
        """Whether only cases among the first were submitted before a moment."""
        return self._until is not None and moment <= self._until


FIRST = FirstSubmissions()
"""What this process knows of them; at first nothing."""


_BELOW = (
    "ARRAY(SELECT c.code FROM specialties c LEFT JOIN specialties p ON p.code = c.parent_code "
    "WHERE :specialty IN (c.code, c.parent_code, p.parent_code))"
)
_BROAD = 3
"""So many signs, before the zeros, has a code of the first two levels of the catalogue at most."""


def has_specialty(code: str) -> Where:
    """Experts of the specialty itself, or of one below it in the tree of three levels.

    Few hold one of the lowest level, perhaps nobody: an index leads to their profiles. Of the broad ones above a page is found sooner along
    the list. Both find the same, so nothing but time hangs on how codes are written.
    """
    if len(code.rstrip("0")) > _BROAD:
        held = f"ARRAY(SELECT s.revision_id FROM revision_specialties s WHERE s.specialty_code = ANY({_BELOW}))"  # noqa: S608  our own constant
        return Where(f"{{t}}.effective_id = ANY({held})", {"specialty": code})
    held = f"SELECT FROM revision_specialties s WHERE s.revision_id = {{t}}.effective_id AND s.specialty_code = ANY({_BELOW})"
    return Where(f"EXISTS ({held})", {"specialty": code})


def among(column: str, words: Sequence[Vocabulary]) -> Where:
    """Rows of which a column holds one of these words; none for no words.

    They are written out, not bound: PostgreSQL knows then how many rows hold them, and an index that begins with the column has the rows of
    one word in the order of the list.
    """
    listed = sorted({f"'{each.value}'" for each in words})
    if len(listed) == 1:
        return Where(f"{{t}}.{column} = {listed[0]}")
    return Where(f"{{t}}.{column} IN ({', '.join(listed)})" if listed else "FALSE")


TO_SEND_AGAIN = (
    among("state", (SmsState.FAILED, SmsState.UNDELIVERABLE)),
    Where("{t}.phone_code_id IS NULL"),
    Where("NOT EXISTS (SELECT FROM sms_messages again WHERE again.resend_of = {t}.id)"),
    Where("EXISTS (SELECT FROM accounts reader WHERE reader.id = {t}.account_id AND reader.status = 'ACTIVE')"),
)
"""Messages that did not arrive and wait for somebody to send them again: those that `messageResend` takes. An index holds them in the
order of the ledger (models/migrations/0033)."""

OPEN = Where("{t}.closed_at IS NULL")
"""Beside conditions that open cases alone meet it says nothing new, but names the small index on these."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseFilter:
    """Which cases of the officers' queue; conditions are joined by AND, None sets none, an empty list excludes everything."""

    awaiting_me: bool | None = None
    leaving: bool | None = None
    stages: Sequence[Stage] | None = None
    kinds: Sequence[CaseKind] | None = None
    pool_codes: Sequence[str] | None = None
    overdue: bool | None = None
    claimed: bool | None = None
    claimed_by_me: bool | None = None
    search: str | None = None
    submitted_from: datetime | None = None
    submitted_before: datetime | None = None

    def conditions(self, viewer: Viewer) -> Sequence[Where]:
        """In SQL."""
        stages, kinds = self._possible()
        found = [*self._of_office(viewer), *self._of_stages(viewer, stages), *self._of_holders(viewer), *self._of_times()]
        if kinds is not None:
            found.append(among("kind", kinds))
        if self.pool_codes is not None:
            found.append(_of_pools(self.pool_codes))
        if self.search is not None and self.search.strip():
            found.append(contains(("applicant", "employer"), self.search, None if self._narrowed else COMMON))
        return found

    def _possible(self) -> tuple[Sequence[Stage] | None, Sequence[CaseKind] | None]:
        """Stages and kinds without those that go with none of the other: to find no case with both, a list would be walked to its end."""
        if self.stages is None or self.kinds is None:
            return self.stages, self.kinds
        both = [(stage, kind) for stage in self.stages for kind in self.kinds if stage in stages_of(kind)]
        return [stage for stage, _ in both], [kind for _, kind in both]

    @property
    def _narrowed(self) -> bool:
        """Whether conditions that no index has in order leave so few cases that a walk might not come upon a page of them."""
        if any(each is not None and len(set(each)) != 1 for each in (self.stages, self.pool_codes)) or (self.stages and self.kinds):
            return True
        others = (self.submitted_from, self.submitted_before, self.overdue, self.claimed, self.claimed_by_me)
        return any(each is not None for each in others)

    def _of_office(self, viewer: Viewer) -> list[Where]:
        if not self.leaving:
            return [of_office(viewer.role)]
        return [leaving(viewer.role), of_office(viewer.role)] if self.awaiting_me else [leaving(viewer.role)]

    def _of_stages(self, viewer: Viewer, stages: Sequence[Stage] | None) -> list[Where]:
        found = []
        if self.awaiting_me:
            found.append(among("stage", awaiting(viewer.role)))  # the small indexes on what awaits an office say the same
        if stages is not None:
            found.append(among("stage", stages))
            if len(set(stages)) > 1 and CLOSED.isdisjoint(stages):
                found.append(OPEN)
        return found

    def _of_holders(self, viewer: Viewer) -> list[Where]:
        found = []
        if self.claimed:
            found.append(Where("({t}.claimed_by_id IS NOT NULL AND {t}.claimed_until > :now)"))
        elif self.claimed is not None:
            found.append(Where("NOT coalesce({t}.claimed_until > :now, FALSE)"))
        if self.claimed_by_me:
            found.append(Where("({t}.claimed_by_id = :me AND {t}.claimed_until > :now)", {"me": viewer.account_id}))
        return found

    def _of_times(self) -> list[Where]:
        found = []
        if self.overdue:
            found += [OPEN, Where("{t}.due_at < :now")]
        elif self.overdue is not None:
            found.append(Where("NOT coalesce({t}.due_at < :now, FALSE)"))
        if self.submitted_from is not None:
            # No case stands where it does since before its submission (but for who waited for a lock), so the list is read from there.
            since = "({t}.submitted_at >= :submitted_from AND {t}.stage_since >= :submitted_from::timestamptz - interval '1 minute')"
            found.append(Where(since, {"submitted_from": self.submitted_from}))
        if self.submitted_before is not None:
            found.append(_submitted_before(self.submitted_before))
        return found


def _of_pools(codes: Sequence[str]) -> Where:
    """Those of one pool lie in the order of the list."""
    if len(set(codes)) == 1:
        return Where("{t}.pool_code = :pool_code", {"pool_code": codes[0]})
    return Where("{t}.pool_code = ANY(:pool_codes)", {"pool_codes": list(codes)})


def _submitted_before(moment: datetime) -> Where:
    """Cases submitted before a moment, found by the index on it where they are few."""
    values = {"submitted_before": moment}
    if not FIRST.are_before(moment):
        return Where("{t}.submitted_at < :submitted_before", values)
    few = "SELECT f.id FROM applications f WHERE f.round > 0 AND f.submitted_at < :submitted_before"
    return Where(f"{{t}}.id = ANY(ARRAY({few}))", values)


def awaiting(role: Role) -> list[Stage]:
    """The stages at which a case waits for an office of this role: its reviews, for the province also objections to be settled."""
    by = {Role.LOCAL_OFFICER: By.LOCAL_OFFICE, Role.PROVINCIAL_OFFICER: By.PROVINCE}.get(role)
    return [stage for stage, decides in AWAITED.items() if decides is by]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpertFilter:
    """Which experts; conditions are joined by AND, None sets none, an empty list excludes everybody."""

    standings: Sequence[Standing] | None = None
    pool_codes: Sequence[str] | None = None
    specialty: str | None = None
    search: str | None = None

    def conditions(self, viewer: Viewer) -> Sequence[Where]:
        """In SQL, of the experts whom an officer may see.

        Where somebody of another pool works, and in what, an office that saw a case of theirs does not read: so nobody is found by it.
        """
        found = self._chosen()
        if viewer.role is Role.LOCAL_OFFICER and self.specialty is not None:
            found.append(experts_of_office(viewer.role))
        elif viewer.role is Role.LOCAL_OFFICER and (words := self._words()) is not None:
            found.append(Where("({t}.pool_code = :viewer_pool OR {t}.name ILIKE :search OR {t}.number = :exactly)", words.values))
        return found

    def listed(self, viewer: Viewer) -> Sequence[Where]:
        """In SQL, of the experts whom an office has."""
        return [experts_of_office(viewer.role), *self._chosen()]

    def _chosen(self) -> list[Where]:
        found = []
        if self.standings is not None:
            found.append(among("standing", self.standings))
        if self.pool_codes is not None:
            found.append(_of_pools(self.pool_codes))
        if self.specialty is not None:
            found.append(has_specialty(self.specialty))
        if (words := self._words()) is not None:
            found.append(words)
        return found

    def _words(self) -> Where | None:
        if self.search is None or not self.search.strip():
            return None
        return contains(("name", "employer"), self.search, None if self._narrowed else COMMON, exactly="number")

    @property
    def _narrowed(self) -> bool:
        """As of CaseFilter."""
        return self.specialty is not None or any(each is not None and len(set(each)) != 1 for each in (self.standings, self.pool_codes))


def as_kept(chosen: CaseFilter | ExpertFilter) -> dict[str, Any]:
    """A filter as JSON; what it does not set is left out."""
    kept: dict[str, Any] = orjson.loads(orjson.dumps(chosen))
    return {name: value for name, value in kept.items() if value is not None}


def case_filter(kept: Mapping[str, Any]) -> CaseFilter:
    """The filter that `as_kept` wrote down."""
    typed = _with_words(kept, stages=Stage, kinds=CaseKind)
    for name in ("submitted_from", "submitted_before"):
        if name in typed:
            typed[name] = datetime.fromisoformat(typed[name])
    return CaseFilter(**typed)


def expert_filter(kept: Mapping[str, Any]) -> ExpertFilter:
    """The filter that `as_kept` wrote down."""
    return ExpertFilter(**_with_words(kept, standings=Standing))


def _with_words(kept: Mapping[str, Any], **kinds: type[Vocabulary]) -> dict[str, Any]:
    """With the values under these names as words of their vocabularies; raises ValueError for what is none."""
    return {name: [kinds[name](each) for each in value] if name in kinds else value for name, value in kept.items()}
