"""The life of an invented person in the registry: registration, profile, admission, and what came after."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from demonstration.province import moves
from demonstration.province.cases import Cases
from demonstration.province.events import Events
from demonstration.province.fate import SETTLED_IN, LaterCase
from demonstration.province.moves import Step
from demonstration.province.profile import Profile
from demonstration.province.somebody import Batch, Somebody
from demonstration.province.world import World
from domain.rules.calendar import SHANGHAI
from domain.rules.standing import CLOSES_ACCOUNT
from models.enums import CaseKind, Move, RevisionState, Role, Stage, Standing


def people(world: World, numbers: range, serials: Sequence[int]) -> Batch:
    """The people of some numbers with everything that hangs on them; the first ones come with the staff. `serials` number the experts."""
    batch = Batch(world, serials)
    if numbers.start == 0:
        batch.rows["accounts"] = world.staff()
    for number in numbers:
        Life(Somebody(batch, number)).write()
    return batch


class Life:
    """One person's."""

    def __init__(self, who: Somebody) -> None:
        self._who, self._profile, self._events = who, Profile(who), Events(who)
        self._cases = Cases(who, self._events)

    def write(self) -> None:
        """All rows of this person."""
        who, steps = self._who, moves.of_admission(self._who)
        registered = steps[0][0] - timedelta(days=who.chance.randrange(2, 40)) if steps else who.moment(1, 25)
        who.put("consents", who.id("consents"), who.account, who.world.terms_version, registered, registered)
        self._profile.hand_in(registered)
        if who.stage is not Stage.DRAFT:
            self._profile.fill_in()
        last = steps[-1][0] if steps else registered
        admitted = who.stage is Stage.ADMITTED
        is_settled = admitted and who.world.now - last > SETTLED_IN
        later = who.fate.later_case if is_settled else None
        effective, draft = self._revise(steps, registered, is_superseded=later is not None and later.stage is Stage.APPLIED)
        number = f"22{last.astimezone(SHANGHAI).year}{who.batch.serial():06}" if admitted else None
        self._apply(steps, registered, number=number)
        pool = who.pool if admitted else None
        if later:
            effective, draft, pool = self._apply_again(later, last)
        standing, suspended_until = Standing.FORMAL if admitted else Standing.TEMPORARY, None
        if is_settled and who.fate.standing:
            standing, suspended_until = self._events.standing(last)
        elif admitted:
            self._events.schedule()
        status = "DEREGISTERED" if standing in CLOSES_ACCOUNT else "ACTIVE"
        name, employer = who.person.name, who.employer.name if admitted else None
        who.put("accounts", *who.world.account(who.account, Role.EXPERT, who.person, name=name, pool=None, at=registered, status=status))
        who.put(
            "experts", who.expert, who.account, standing.value, number, name, employer, pool, last if admitted else None, draft,
            effective, suspended_until, registered,
        )  # fmt: skip

    def _revise(self, steps: Sequence[Step], registered: datetime, *, is_superseded: bool) -> tuple[Any, Any]:
        """The revisions up to admission; the admitted one and the open draft."""
        revision = self._profile.revision
        returned_before = sum(move is Move.RETURN for _, move, *_ in steps[:-1])
        for round_ in range(returned_before):
            revision(RevisionState.NOT_ADOPTED, registered, steps[round_ * 2][0])
        match self._who.stage:
            case Stage.DRAFT:
                return None, revision(RevisionState.DRAFT, registered, None)
            case Stage.ADMITTED:
                state = RevisionState.SUPERSEDED if is_superseded else RevisionState.EFFECTIVE
                return revision(state, registered, steps[returned_before * 2][0]), None
            case Stage.RETURNED | Stage.WITHDRAWN | Stage.REJECTED:
                revision(RevisionState.NOT_ADOPTED, registered, steps[0][0])
                return None, None if self._who.stage is Stage.REJECTED else revision(RevisionState.DRAFT, steps[-1][0], None)
            case _:
                revision(RevisionState.FROZEN, registered, steps[returned_before * 2][0])
                return None, None

    def _apply(self, steps: Sequence[Step], registered: datetime, *, number: str | None) -> None:
        """The case of the admission."""
        if not steps:
            self._cases.draft(registered)
            return
        self._cases.write(steps, registered, self._profile.revisions, number=number)
        if self._who.stage is Stage.WITHDRAWN:  # the draft opened again, with a case to submit it
            self._cases.draft(steps[-1][0], place=1)

    def _apply_again(self, later: LaterCase, admitted: datetime) -> tuple[Any, Any, str]:
        """A change of the post, or of the division; the revision in force after it, the draft, and the pool."""
        who, revision, left = self._who, self._profile.revision, self._who.pool
        is_division = later.kind is CaseKind.DIVISION_CHANGE
        if is_division:
            who.pool = who.fate.chance.choice([code for code, _ in who.world.pools if code != left])
        else:
            self._profile.is_promoted = True
        steps = moves.of_later_case(who, later, admitted)
        sent, ended = steps[0][0], steps[-1][0]
        opened = sent if is_division else sent - timedelta(days=2)
        in_force, draft, pool = self._profile.revisions[-1], None, left
        match later.stage:
            case Stage.APPLIED:
                in_force, pool = revision(RevisionState.EFFECTIVE, opened, sent), who.pool
            case Stage.RETURNED | Stage.REJECTED:
                revision(RevisionState.NOT_ADOPTED, opened, sent)
                if later.stage is Stage.RETURNED:
                    draft = revision(RevisionState.DRAFT, ended, None)
            case _:
                revision(RevisionState.FROZEN, opened, sent)
        submitted = self._profile.revisions[-2 if draft else -1]
        self._cases.write(steps, opened, [submitted], kind=later.kind, leaving=left if is_division else None)
        return in_force, draft, pool
