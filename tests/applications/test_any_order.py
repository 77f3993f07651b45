"""Whatever is tried in whatever order by whomever, a case goes only where the rules lead, and its records tell how."""

from __future__ import annotations

import os
import random
from collections import Counter
from collections.abc import Awaitable
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise

import pytest

from domain.actions import applications, reviews
from domain.actions.record_chain import broken_links
from domain.rules.errors import Refusal
from models.applications import Application, ApplicationRecord
from models.database import database_now
from models.enums import Move, RejectReason, Stage
from settings import Settings
from tests.cases import complete_profile, draft_case
from tests.people import SignedIn, administrator, officer, provincial_officer, registered_expert

ORDERS = int(os.environ.get("ORDERS", "16"))
"""How many orders are tried; set ORDERS=10000 to look for hours."""
STEPS = 50

PEOPLE = ("expert", "another", "local", "colleague", "elsewhere", "first", "second", "administrator")
VERBS = {"submit": 3, "withdraw": 1, "claim": 2, "release": 2, "approve": 5, "return": 2, "reject": 1}
"""The verbs with their weight in the choice."""
OF_THE_POOL, OF_THE_PROVINCE = {"local", "colleague"}, {"first", "second"}
met: Counter[tuple[Move, Stage]] = Counter()
AFTER_APPROVAL = {"FIRST_REVIEW": "SECOND_REVIEW", "SECOND_REVIEW": "FINAL_REVIEW", "FINAL_REVIEW": "PUBLICITY"}


@dataclass
class Expected:
    """What the rules make of a case, told here once more and independently."""

    stage: str = "DRAFT"
    round: int = 0
    holder: str | None = None
    decided: dict[str, set[str]] = field(default_factory=lambda: {"FIRST_REVIEW": set(), "SECOND_REVIEW": set(), "FINAL_REVIEW": set()})

    def decides(self, who: str) -> bool:
        """Whether somebody may decide now: the office of the stage, four eyes, nobody else's claim."""
        if self.holder not in (None, who):
            return False
        if self.stage == "FIRST_REVIEW":
            return who in OF_THE_POOL
        other = {"SECOND_REVIEW": "FINAL_REVIEW", "FINAL_REVIEW": "SECOND_REVIEW"}.get(self.stage)
        return other is not None and who in OF_THE_PROVINCE and who not in self.decided[other]

    def takes(self, who: str, verb: str) -> bool:
        """Whether the verb is carried out; then this is what became of the case."""
        match verb:
            case "submit" if who == "expert" and self.stage in ("DRAFT", "RETURNED"):
                self.stage, self.round = "FIRST_REVIEW", self.round + 1
            case "withdraw" if who == "expert" and self.stage == "FIRST_REVIEW" and not any(self.decided.values()):
                self.stage, self.holder = "WITHDRAWN", None
            case "claim" if self.decides(who):
                self.holder = who
            case "release" if self.round and who in OF_THE_POOL | OF_THE_PROVINCE:
                self.holder = None if self.holder == who else self.holder
            case "approve" | "return" | "reject" if self.decides(who):
                self.decided[self.stage].add(who)
                self.stage = AFTER_APPROVAL[self.stage] if verb == "approve" else {"return": "RETURNED", "reject": "REJECTED"}[verb]
                self.holder = None
            case _:
                return False
        return True


def attempt(case: Application, verb: str, who: SignedIn, now: datetime) -> Awaitable[object]:
    viewer, seen = who.viewer, reviews.Seen(case.stage, case.round)
    match verb:
        case "submit":
            return applications.submit(case.id, commitment=True, avoidance=True, viewer=viewer, now=now)
        case "withdraw":
            return applications.withdraw(case.id, viewer=viewer, now=now)
        case "claim":
            return reviews.claim(case.id, viewer=viewer, now=now)
        case "release":
            return reviews.release(case.id, viewer=viewer, now=now)
        case "approve":
            return reviews.approve(case.id, opinion=None, seen=seen, viewer=viewer, now=now)
        case "return":
            return reviews.return_to_expert(case.id, opinion="补充", reasons=[("titles", "缺")], seen=seen, viewer=viewer, now=now)
    return reviews.reject(case.id, reason=RejectReason.OTHER, opinion="不符合", seen=seen, viewer=viewer, now=now)


@pytest.fixture(scope="module")
async def people(database: Settings) -> dict[str, SignedIn]:
    """Everybody but the expert, who is another one each time."""
    return {
        "another": await registered_expert(),
        "local": await officer(),
        "colleague": await officer(),
        "elsewhere": await officer("220299"),
        "first": await provincial_officer(),
        "second": await provincial_officer(),
        "administrator": await administrator(),
    }


@pytest.mark.parametrize("seed", range(ORDERS))
async def test_a_case_goes_only_where_the_rules_lead(people: dict[str, SignedIn], seed: int) -> None:
    chance = random.Random(seed)
    steps = [(chance.choice(PEOPLE), *chance.choices([*VERBS], [*VERBS.values()])) for _ in range(STEPS)]
    expert = await registered_expert()
    await complete_profile(expert.viewer)
    case, now, expected = await draft_case(expert.viewer), await database_now(), Expected()
    everybody = people | {"expert": expert}

    for who, verb in [("expert", "submit"), *steps]:
        should = expected.takes(who, verb)
        try:
            await attempt(case, verb, everybody[who], now)
            done = True
        except Refusal:
            done = False
        case = await Application.get(id=case.id)
        holder = everybody[expected.holder].account.id if expected.holder else None
        assert (done, case.stage.value, case.round, case.claimed_by_id) == (should, expected.stage, expected.round, holder), (who, verb)

    records = await ApplicationRecord.filter(application_id=case.id).order_by("number")
    assert [each.number for each in records] == list(range(1, case.records_count + 1))
    assert [earlier.to_stage is later.from_stage for earlier, later in pairwise(records)] == [True] * (len(records) - 1)
    assert records[-1].to_stage is case.stage
    reviewed = [(each.round, each.from_stage) for each in records if each.move in (Move.APPROVE, Move.RETURN, Move.REJECT)]
    assert len(set(reviewed)) == len(reviewed)
    second, final = ({each.actor_id for each in records if each.from_stage is stage} for stage in (Stage.SECOND_REVIEW, Stage.FINAL_REVIEW))
    assert not second & final
    assert await broken_links(case.id) == []
    met.update((each.move, each.to_stage) for each in records)


def test_the_orders_led_everywhere() -> None:
    assert {stage.value for _, stage in met} == {
        "FIRST_REVIEW",
        "SECOND_REVIEW",
        "FINAL_REVIEW",
        "PUBLICITY",
        "RETURNED",
        "REJECTED",
        "WITHDRAWN",
    }
