"""What the policy asks of a case before an officer decides it, where officers are persons and not accounts (rules §1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from domain import reads
from domain.rules.policy import TWO_OFFICERS, CaseFacts
from domain.rules.viewer import Viewer
from models.applications import Application
from models.database import rows
from models.enums import Stage


def _accounts_of(officer: str) -> str:
    """SQL: the accounts of the person whose account `officer` is; one was disabled before another was made."""
    return (
        "SELECT each.id FROM accounts mine JOIN accounts each ON each.id_number_hash = mine.id_number_hash "  # noqa: S608  our own constants
        f"WHERE mine.id = {officer}"
    )


def acted(actor: str, officer: str) -> str:
    """SQL: whether `actor` is an account of the same person as `officer`; others are looked for only where it is not `officer` itself."""
    return f"({actor} = {officer} OR {actor} = ANY(ARRAY({_accounts_of(officer)})))"


async def accounts_of(officer_id: UUID) -> set[UUID]:
    """The ids of all accounts of the person whose account this is."""
    return {officer_id, *(each["id"] for each in await rows(_accounts_of("$1"), officer_id))}


def _is_person(officer: str, expert: str, revision: str) -> str:
    """SQL: whether the officer has the phone or id number of an expert, or the id number that a revision gives."""
    return f"""EXISTS (
        SELECT FROM accounts officer, experts x JOIN accounts a ON a.id = x.account_id LEFT JOIN revisions r ON r.id = {revision}
        WHERE officer.id = {officer} AND x.id = {expert}
        AND (officer.phone_hash = a.phone_hash OR officer.id_number_hash IN (a.id_number_hash, r.id_number_hash))
    )"""


_PROVINCIAL = ", ".join(f"'{stage.value}'" for stage in TWO_OFFICERS)

FACTS = f"""
ARRAY(
        SELECT from_stage FROM application_records
        WHERE application_id = {{t}}.id AND from_stage IN ({_PROVINCIAL}) AND {acted("actor_id", ":officer")}
    ) AS decided,
    {_is_person(":officer", "{t}.expert_id", "{t}.revision_id")} AS own,
    EXISTS (SELECT FROM objections WHERE application_id = {{t}}.id AND state = 'OPEN') AS objected
"""  # noqa: S608  likewise
"""Columns beside those of a case `{t}`, for the account `:officer`; `told` reads them."""


async def is_person(officer_id: UUID, expert_id: UUID, revision_id: UUID | None) -> bool:
    """Whether an officer is this expert, by the expert's account or by the id number in a revision of theirs that is under review."""
    found = await rows(f"SELECT {_is_person('$1', '$2', '$3')} AS same", officer_id, expert_id, revision_id)
    return bool(found[0]["same"])


async def facts_for(case: Application, viewer: Viewer) -> CaseFacts:
    """What the policy asks of a locked case, in a statement of its own: one that waited for the lock sees what was there before."""
    sql = f"SELECT {FACTS} FROM applications t WHERE t.id = :case".replace("{t}", "t")  # noqa: S608  our own constant
    text, values = reads.bind(sql, {"case": case.id, "officer": viewer.account_id})
    [found] = await rows(text, *values)
    return told(case, found)


def told(case: Application, found: Mapping[str, Any]) -> CaseFacts:
    """The facts of a case with what `FACTS` found for an officer."""
    decided = [Stage(each) for each in found["decided"]]
    return facts_of(case, decided_by_viewer=decided, of_viewer=found["own"], objected=found["objected"])


def facts_of(case: Application, **found: Any) -> CaseFacts:
    """The facts that the row of a case tells, with those that were `found` elsewhere."""
    return CaseFacts(
        kind=case.kind,
        stage=case.stage,
        round=case.round,
        expert_id=case.expert_id,
        pool_code=case.pool_code,
        claimed_by_id=case.claimed_by_id,
        claimed_until=case.claimed_until,
        **found,
    )
