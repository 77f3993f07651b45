"""Formal experts with something to change, brought there by the verbs."""

from __future__ import annotations

from domain.actions.changes import submit_change
from domain.actions.profiles import save_basic_info
from domain.rules.profile_input import BasicInfo
from models.applications import Application
from models.database import database_now
from models.enums import Stage
from tests.cases import approve, case_at, reject, return_case
from tests.people import SignedIn, officer, provincial_officer


async def formal_expert(*, name: str = "张三") -> SignedIn:
    """A formal expert without a draft; moves the clock of the module."""
    return (await case_at(Stage.ADMITTED, name=name))[0]


async def with_changes(*, name: str = "张三") -> SignedIn:
    """A formal expert whose draft names another employer."""
    person = await formal_expert(name=name)
    await save_basic_info(BasicInfo(employer="长春理工大学"), viewer=person.viewer, now=await database_now())
    return person


async def send(person: SignedIn, *, commitment: bool = True, avoidance: bool = True) -> Application:
    """Submit the person's changes."""
    return await submit_change(commitment=commitment, avoidance=avoidance, viewer=person.viewer, now=await database_now())


async def change_at(stage: Stage, *, name: str = "张三") -> tuple[SignedIn, Application]:
    """Somebody's change of employer brought to a stage."""
    person = await with_changes(name=name)
    case = await send(person)
    local = (await officer()).viewer
    if stage is Stage.RETURNED:
        return person, await return_case(case.id, local)
    if stage is Stage.REJECTED:
        return person, await reject(case.id, local)
    reviewers = [local, (await provincial_officer()).viewer, (await provincial_officer()).viewer]
    for each in reviewers:
        if case.stage is stage:
            break
        case = await approve(case.id, each)
    return person, case
