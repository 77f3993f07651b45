"""Formal experts of one pool who ask to move to another, brought there by the verbs."""

from __future__ import annotations

from domain.actions.applications import withdraw
from domain.actions.divisions import request_division_change
from models.applications import Application
from models.database import database_now
from models.enums import Stage
from tests.cases import POOL, approve, reject, return_case
from tests.changes.formal import formal_expert
from tests.people import SignedIn, officer, provincial_officer

LEFT, TARGET, OTHER = POOL, "220299", "220399"
REASON = "全家迁居吉林市"


async def ask(
    person: SignedIn, division: str = TARGET, *, reason: str = REASON, commitment: bool = True, avoidance: bool = True
) -> Application:
    """Ask for the change of division."""
    return await request_division_change(
        division, reason=reason, commitment=commitment, avoidance=avoidance, viewer=person.viewer, now=await database_now()
    )


async def change_of_division_at(stage: Stage, *, name: str = "张三") -> tuple[SignedIn, Application]:
    """Somebody's change of division brought to a stage by the receiving office and the province."""
    person = await formal_expert(name=name)
    case = await ask(person)
    receiving = (await officer(TARGET)).viewer
    if stage is Stage.WITHDRAWN:
        return person, await withdraw(case.id, viewer=person.viewer, now=await database_now())
    if stage is Stage.RETURNED:
        return person, await return_case(case.id, receiving)
    if stage is Stage.REJECTED:
        return person, await reject(case.id, receiving)
    for each in (receiving, (await provincial_officer()).viewer, (await provincial_officer()).viewer):
        if case.stage is stage:
            break
        case = await approve(case.id, each)
    return person, case
