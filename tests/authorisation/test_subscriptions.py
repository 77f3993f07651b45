"""Who is told of what: announcements reach those who may see what they are about, read under their own rights."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import replace
from typing import Any

import pytest
from strawberry.types.execution import PreExecutionError

from domain.rules.viewer import Viewer
from schema.root import schema
from settings import Settings
from tests.authorisation.world import ROLES, World, allowed, build
from tests.graphql import context_for


class Announced:
    """Announcements that have come, each given to who wants it."""

    def __init__(self, *events: Mapping[str, str]) -> None:
        self._events = events

    async def listen(self, wanted: Callable[[Mapping[str, str]], bool]) -> AsyncIterator[Mapping[str, str]]:
        """All that is wanted, then the end."""
        for event in self._events:
            if wanted(event):
                yield event


@pytest.fixture(scope="module")
async def world(database: Settings) -> World:
    return await build()


async def told(document: str, viewer: Viewer | None, world: World, *events: Mapping[str, str], **variables: Any) -> list[Any]:
    """What a subscription brings, refusals by their code."""
    context = replace(context_for(viewer, now=world.now), events=Announced(*events))
    stream = await schema.subscribe(document, variable_values=variables, context_value=context)
    if isinstance(stream, PreExecutionError):
        return [(error.extensions or {}).get("code") for error in stream.errors or []]
    return [[(error.extensions or {}).get("code") for error in result.errors] if result.errors else result.data async for result in stream]


def moved(world: World, thing: str, *, pool: str = "220199") -> dict[str, str]:
    target = world.things[thing]
    assert target.owner is not None
    return {
        "event": "applicationMoved",
        "application": target.id.removeprefix("Application_"),
        "expert": str(target.owner.expert_id),
        "pool": pool,
        "stage": "RETURNED",
        "left": "FIRST_REVIEW",
    }


ONE = "subscription ($id: ID!) { applicationMoved(applicationId: $id) { id stage } }"
OWN = "subscription { applicationMoved { id } }"
QUEUE = "subscription { queueChanged { application { id } stage } }"


@pytest.mark.parametrize("thing", [thing for thing in allowed() if thing.startswith("Application ")])
@pytest.mark.parametrize("role", ROLES)
async def test_that_a_case_moved_is_told_to_those_who_may_see_it(world: World, thing: str, role: str) -> None:
    target = world.things[thing]
    viewer = world.viewer(role, target)

    answers = await told(ONE, viewer, world, moved(world, thing), id=target.id)

    if viewer is None:
        assert answers in ([["NOT_SIGNED_IN"]], ["NOT_SIGNED_IN"])
    else:
        assert [each["applicationMoved"]["id"] for each in answers] == ([target.id] if role in allowed()[thing] else [])


async def test_without_naming_one_an_expert_hears_of_the_own_cases_alone(world: World) -> None:
    events = [moved(world, thing) for thing in ("Application returned", "Application under review", "Application in draft")]
    owner = world.people["returned"].viewer

    answers = await told(OWN, owner, world, *events)

    assert answers == [{"applicationMoved": {"id": world.things["Application returned"].id}}]


@pytest.mark.parametrize("role", ["office", "elsewhere", "province", "administrator"])
async def test_staff_must_name_a_case(world: World, role: str) -> None:
    answers = await told(OWN, world.viewers[role], world, moved(world, "Application returned"))

    assert answers in ([["NOT_ALLOWED"]], ["NOT_ALLOWED"])


@pytest.mark.parametrize("bad", ["", "Application_x", "Expert_1", "Profile_01a20548-d384-77b3-a3e3-30dac232e242"])
async def test_an_id_that_names_no_case_brings_nothing(world: World, bad: str) -> None:
    event = moved(world, "Application returned")

    assert await told(ONE, world.people["province"].viewer, world, event, id=bad) == []


@pytest.mark.parametrize(
    ("role", "expected"),
    [
        ("nobody", "NOT_SIGNED_IN"),
        ("former", "NOT_SIGNED_IN"),
        ("another", "NOT_ALLOWED"),
        ("administrator", "NOT_ALLOWED"),
        ("office", ["Application returned"]),
        ("elsewhere", []),
        ("province", ["Application returned"]),
    ],
)
async def test_a_change_of_the_queue_is_told_to_the_officers_of_the_pool_and_to_the_province(
    world: World, role: str, expected: list[str] | str
) -> None:
    events = [moved(world, thing) for thing in ("Application returned", "Application in draft")]

    answers = await told(QUEUE, world.viewers[role], world, *events)

    if isinstance(expected, str):
        assert answers in ([[expected]], [expected])
    else:
        assert answers == [{"queueChanged": {"application": {"id": world.things[each].id}, "stage": "RETURNED"}} for each in expected]


async def test_a_change_of_division_is_told_to_both_offices_and_to_the_province(world: World) -> None:
    event = moved(world, "Application to change the division", pool="220299") | {"leaving": "220199"}
    others = moved(world, "Application to change the division", pool="220399") | {"leaving": "220499"}
    expected = [{"queueChanged": {"application": {"id": world.things["Application to change the division"].id}, "stage": "FIRST_REVIEW"}}]

    assert [await told(QUEUE, world.viewers[role], world, event) for role in ("office", "elsewhere", "province")] == [expected] * 3
    assert [await told(QUEUE, world.viewers[role], world, others) for role in ("office", "elsewhere")] == [[], []]


async def test_an_announcement_that_names_another_pool_than_the_case_s_shows_nothing_of_it(world: World) -> None:
    forged = moved(world, "Application returned", pool="220299")

    assert await told(QUEUE, world.viewers["elsewhere"], world, forged) == []
