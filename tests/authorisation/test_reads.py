"""Who sees what, for every type, role and way to it: node, nodes, root fields, and the fields of what one may see."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from graphql import GraphQLField, GraphQLInterfaceType, GraphQLObjectType, Undefined, get_named_type, is_leaf_type, is_non_null_type

from domain.rules.viewer import Viewer
from models.database import rows
from schema.nodes import RECORDS
from schema.root import schema
from settings import Settings, settings
from tests.authorisation.world import ALLOWED, OBJECTOR, ROLES, World, allowed, build
from tests.graphql import answer_at, context_for, executor

NODE = "query ($id: ID!) { node(id: $id) { __typename id } }"
NODES = "query ($ids: [ID!]!) { nodes(ids: $ids) { __typename id } }"


@pytest.fixture(scope="module")
async def world(database: Settings) -> World:
    return await build()


async def asked(world: World, document: str, viewer: Viewer | None, /, **variables: Any) -> tuple[Any, list[str]]:
    """The data and the codes of errors; fails where a plan answers otherwise than the executor, or at all beside an error."""
    result = await schema.execute(document, variable_values=variables, context_value=context_for(viewer, now=world.now))
    codes = [str((error.extensions or {})["code"]) for error in result.errors or []]
    if not codes:
        return await answer_at(world.now, document, viewer, **variables), []
    read = schema.documents.read(document, schema._schema, settings())
    compiled = await schema.plans.read(
        read.node,
        read.operation(None).node,
        variables,
        viewer=viewer,
        now=world.now,
        settings=settings(),
        execute=executor(viewer, world.now),
    )
    assert compiled is None, document
    return result.data, codes


def refused(name: str, viewer: Viewer | None) -> bool:
    """Whether a thing is of a kind that nobody sees who is signed out."""
    public = {each.split()[0] for each, roles in allowed().items() if "nobody" in roles}
    return viewer is None and name.split(maxsplit=1)[0] not in public


# Things by their ids


def test_every_type_with_an_id_stands_in_the_list_and_so_does_everything_there_is(world: World) -> None:
    listed = allowed()

    assert {thing.split()[0] for thing in listed} == set(RECORDS), "say in world.py who may see a thing of the new type"
    assert set(world.things) == set(listed)
    assert {role for roles in listed.values() for role in roles} <= set(ROLES)
    assert len(listed) == len(ALLOWED.strip().splitlines())


@pytest.mark.parametrize("role", ROLES)
async def test_a_thing_is_there_for_those_in_the_list_and_for_nobody_else(world: World, role: str) -> None:
    seen = set()

    for name, thing in world.things.items():
        if role == "owner" and thing.owner is None:
            continue
        viewer = world.viewer(role, thing)
        data, codes = await asked(world, NODE, viewer, id=thing.id)
        assert codes == (["NOT_SIGNED_IN"] if refused(name, viewer) else []), name
        found = data["node"]
        if found is not None:
            assert found == {"__typename": name.split()[0], "id": thing.id}
            seen.add(name)

    owned = {name for name, thing in world.things.items() if thing.owner is not None}
    assert seen == {name for name, roles in allowed().items() if role in roles and (role != "owner" or name in owned)}


@pytest.mark.parametrize("role", [role for role in ROLES if role != "owner"])
async def test_several_things_at_once_are_what_each_is_alone(world: World, role: str) -> None:
    data, codes = await asked(world, NODES, world.viewers[role], ids=[thing.id for thing in world.things.values()])

    assert codes == ["NOT_SIGNED_IN"] * sum(refused(name, world.viewers[role]) for name in world.things)
    assert [each and each["id"] for each in data["nodes"]] == [
        thing.id if role in allowed()[name] else None for name, thing in world.things.items()
    ]


@pytest.mark.parametrize(("field", "kind"), [("application", "Application"), ("expert", "Expert")])
async def test_the_roots_of_one_thing_show_what_node_shows_and_only_things_of_their_type(world: World, field: str, kind: str) -> None:
    document = f"query ($id: ID!) {{ found: {field}(id: $id) {{ id }} }}"

    for name, thing in world.things.items():
        for role in ROLES:
            if role == "owner" and thing.owner is None:
                continue
            viewer = world.viewer(role, thing)
            data, codes = await asked(world, document, viewer, id=thing.id)
            assert codes == (["NOT_SIGNED_IN"] if viewer is None else [])
            assert (data["found"] is not None) == (name.split()[0] == kind and role in allowed()[name]), (name, role)


@pytest.mark.parametrize("field", ["application", "expert", "node"])
async def test_who_is_signed_out_is_told_so_whether_the_thing_is_there_or_not(world: World, field: str) -> None:
    document = f"query ($id: ID!) {{ {field}(id: $id) {{ id }} divisions {{ code }} }}"
    kind = "Expert" if field == "expert" else "Application"
    there = next(thing.id for name, thing in world.things.items() if name.split()[0] == kind)

    answers = [await asked(world, document, None, id=each) for each in (there, f"{kind}_{uuid4()}")]

    assert answers[0] == answers[1]
    assert (answers[0][0][field], answers[0][1]) == (None, ["NOT_SIGNED_IN"])
    assert answers[0][0]["divisions"], "what is for everybody stays readable beside it"


@pytest.mark.parametrize("bad", ["", "_", "Application", "Application_", "Application_x", "application_{}", "Nothing_{}", "Node_{}", "{}"])
async def test_an_id_that_names_nothing_is_answered_as_one_that_is_not_there(world: World, bad: str) -> None:
    for viewer in world.viewers.values():
        assert await answer_at(world.now, NODE, viewer, id=bad.format(uuid4())) == {"node": None}


async def test_an_id_under_the_name_of_another_type_finds_nothing(world: World) -> None:
    key = world.things["Application under review"].id.partition("_")[2]

    for name in RECORDS:
        found = (await answer_at(world.now, NODE, world.people["province"].viewer, id=f"{name}_{key}"))["node"]
        assert (found is not None) == (name == "Application")


# Things behind things


def required(field: GraphQLField, now: datetime) -> str:
    """What must be given: days, from now on for a month."""
    names = [name for name, argument in field.args.items() if is_non_null_type(argument.type) and argument.default_value is Undefined]
    given = [f'{name}: "{(now + timedelta(days=30 * number)).date()}"' for number, name in enumerate(names)]
    return f"({', '.join(given)})" if given else ""


def links(kind: Any, now: datetime) -> str:
    """A selection of everything with an id that lies one step behind a type, parts of it and pages included."""
    parts = []
    for name, field in kind.fields.items():
        below = get_named_type(field.type)
        if not isinstance(below, GraphQLObjectType | GraphQLInterfaceType):
            continue
        if "id" in below.fields:
            parts.append(f"{name}{required(field, now)} {{ __typename id }}")
        elif "pageInfo" in below.fields:
            parts.append(f"{name}{required(field, now)} {{ nodes {{ __typename id }} edges {{ node {{ __typename id }} }} }}")
        elif inner := links(below, now):
            parts.append(f"{name}{required(field, now)} {inner}")
    return "{ " + " ".join(parts) + " }" if parts else ""


def ids_in(answer: Any) -> Iterator[str]:
    if isinstance(answer, dict):
        if "id" in answer and "__typename" in answer:
            yield answer["id"]
        for each in answer.values():
            yield from ids_in(each)
    elif isinstance(answer, list):
        for each in answer:
            yield from ids_in(each)


@pytest.mark.parametrize("role", ROLES)
async def test_no_field_leads_to_a_thing_that_is_not_there_by_its_id(world: World, role: str) -> None:
    names = {thing.id: name for name, thing in world.things.items()}
    followed = 0

    for name, thing in world.things.items():
        viewer = world.viewer(role, thing)
        if role not in allowed()[name] or (role == "owner" and viewer is None):
            continue
        kind = schema._schema.type_map[name.split()[0]]
        below = links(kind, world.now)
        if not below:
            continue
        answer = await answer_at(world.now, f"query ($id: ID!) {{ node(id: $id) {{ ... on {kind.name} {below} }} }}", viewer, id=thing.id)
        reached = list(dict.fromkeys(ids_in(answer["node"])))
        followed += len(reached)
        there = (await answer_at(world.now, NODES, viewer, ids=reached))["nodes"]
        assert [each and each["id"] for each in there] == reached, name
        for each in reached:
            if each in names and role != "owner":
                assert role in allowed()[names[each]], (name, each)

    assert followed > 3


# Roots

STAFF = {"office", "elsewhere", "province"}
EVERYONE = set(ROLES) - {"owner"}
ROOTS: dict[str, tuple[str, set[str]]] = {
    "viewer": (
        """viewer { account { id } expert { id } pool { id } sessions { id } clearReads { nodes { id } } consents { id }
            decisions { nodes { id } } }""",
        EVERYONE,
    ),
    "privacyTermsVersion": ("privacyTermsVersion", EVERYONE),
    "node": ('node(id: "Division_220199") { id }', EVERYONE),
    "nodes": ('nodes(ids: ["Division_220199"]) { id }', EVERYONE),
    "application": ('application(id: "Application_x") { id }', EVERYONE - {"nobody", "former"}),
    "expert": ('expert(id: "Expert_x") { id }', EVERYONE - {"nobody", "former"}),
    "applications": ("applications { nodes { __typename id } totalCount }", STAFF),
    "queueCounts": ("queueCounts { stage total }", STAFF),
    "experts": ("experts(first: 100) { nodes { __typename id } totalCount }", STAFF),
    "availableExperts": ('availableExperts(date: "2030-01-07") { nodes { __typename id } }', STAFF),
    "messages": ("messages(first: 100) { nodes { __typename id } totalCount }", STAFF | {"administrator"}),
    "exports": ("exports { nodes { __typename id } totalCount }", EVERYONE - {"nobody", "former"}),
    "objections": ("objections { nodes { __typename id } totalCount }", {"province"}),
    "recordChains": ("recordChains { checked next }", {"province", "administrator"}),
    "poolMerges": ("poolMerges(first: 100) { nodes { __typename id } totalCount }", STAFF | {"administrator"}),
    "staffActs": ("staffActs(first: 100) { nodes { __typename id } totalCount }", {"administrator"}),
    "staff": ("staff { nodes { __typename id } totalCount }", STAFF | {"administrator"}),
    "publicNotices": ("publicNotices { nodes { __typename id } totalCount }", EVERYONE),
    "divisions": ("divisions { id }", EVERYONE),
    "specialties": ("specialties { id }", EVERYONE),
    "titles": ("titles { id }", EVERYONE),
    "qualifications": ("qualifications { id }", EVERYONE),
    "codes": ("codes(kind: SEX) { id }", EVERYONE),
    "helpArticles": ("helpArticles { id }", EVERYONE),
    "helpArticle": ('helpArticle(slug: "x") { id }', EVERYONE),
    "helpContacts": ("helpContacts { id }", EVERYONE),
    "workingCalendar": ("workingCalendar(year: 2026) { year }", EVERYONE),
    "developmentMessages": ("developmentMessages { text }", EVERYONE),  # development mode only
}


def test_every_root_of_reading_stands_in_the_list() -> None:
    assert schema._schema.query_type is not None
    assert set(ROOTS) == set(schema._schema.query_type.fields), "say in ROOTS who may ask the new field"


@pytest.mark.parametrize("field", ROOTS)
async def test_a_root_answers_those_in_the_list_and_refuses_the_others(world: World, field: str) -> None:
    selection, may = ROOTS[field]

    for role, viewer in world.viewers.items():
        result = await schema.execute(f"{{ {selection} }}", context_value=context_for(viewer, now=world.now))
        codes = [(error.extensions or {}).get("code") for error in result.errors or []]
        assert codes == ([] if role in may else ["NOT_SIGNED_IN"] if viewer is None else ["NOT_ALLOWED"]), role


@pytest.mark.parametrize(
    "field",
    [
        "applications",
        "experts",
        "availableExperts",
        "exports",
        "messages",
        "objections",
        "poolMerges",
        "staff",
        "staffActs",
        "publicNotices",
    ],
)
async def test_lists_hold_only_what_is_there_by_its_id(world: World, field: str) -> None:
    selection, may = ROOTS[field]

    for role in may:
        listed = list(ids_in(await answer_at(world.now, f"{{ {selection} }}", world.viewers[role])))
        there = (await answer_at(world.now, NODES, world.viewers[role], ids=listed))["nodes"]
        assert [each["id"] for each in there] == listed, role


async def test_a_queue_holds_the_cases_of_the_office_and_no_drafts(world: World) -> None:
    async def queue(role: str) -> set[str]:
        return set(ids_in(await answer_at(world.now, "{ applications(first: 100) { nodes { __typename id } } }", world.viewers[role])))

    submitted = await rows("SELECT id, pool_code FROM applications WHERE round > 0")
    leaving = world.things["Application to change the division"].id
    assert await queue("office") == {f"Application_{each['id']}" for each in submitted if each["pool_code"] == "220199"}
    assert await queue("elsewhere") == {f"Application_{each['id']}" for each in submitted if each["pool_code"] == "220299"}
    assert await queue("province") == {f"Application_{each['id']}" for each in submitted}
    assert leaving in await queue("elsewhere") - await queue("office")


async def test_a_list_of_experts_holds_those_of_the_pool_and_for_the_province_all_who_submitted(world: World) -> None:
    async def experts(role: str) -> set[str]:
        return set(ids_in(await answer_at(world.now, "{ experts(first: 100) { nodes { __typename id } } }", world.viewers[role])))

    pools = {f"Expert_{each['id']}": each["pool_code"] for each in await rows("SELECT id, pool_code FROM experts")}
    submitted = await rows("SELECT DISTINCT expert_id FROM applications WHERE round > 0")
    assert await experts("office") == {each for each, pool in pools.items() if pool == "220199"}
    assert await experts("elsewhere") == {each for each, pool in pools.items() if pool == "220299"}
    assert await experts("province") == {f"Expert_{each['expert_id']}" for each in submitted}
    assert await experts("office") < await experts("province") < set(pools)


async def test_the_viewer_is_who_asks(world: World) -> None:
    document = "{ viewer { account { id } expert { id } pool { code } sessions { id } } }"

    for name, person in world.people.items():
        if name == "admitted":
            continue  # whose session ended while the notice ran
        found = (await answer_at(world.now, document, person.viewer))["viewer"]
        assert found["account"] == {"id": f"Account_{person.account.id}"}, name
        assert found["expert"] == ({"id": f"Expert_{person.viewer.expert_id}"} if person.viewer.expert_id else None)
        assert found["pool"] == ({"code": person.viewer.pool_code} if person.viewer.pool_code else None)
        assert found["sessions"] == [{"id": f"Session_{person.viewer.session_id}"}]
    assert await answer_at(world.now, document, None) == {"viewer": None}


# What stands in the fields


def values(kind: Any, depth: int = 0) -> str:
    """A selection of every plain field of a type and of its parts."""
    parts = []
    for name, field in kind.fields.items():
        below = get_named_type(field.type)
        if is_leaf_type(below):
            if not any(is_non_null_type(each.type) for each in field.args.values()):
                parts.append(name)
        elif isinstance(below, GraphQLObjectType) and not ({"id", "pageInfo"} & set(below.fields) or field.args) and depth < 3:
            parts.append(f"{name} {values(below, depth + 1)}")
    return "{ __typename " + " ".join(parts) + " }"


CLEAR = """
id number            | owner
login phone          | owner
second phone         | owner
e-mail               | owner
address              | owner
reason of an absence | owner
name of the officer  | office province administrator
officer who looked   | owner province administrator
note of an officer   | office province
text of an objection | province
phone of an objector |
phone of the officer | office
place of an image    |
hash of a password   |
"""
"""Who may read what in clear, of the people of the pool; `administrator` sees the names of staff."""


async def secrets(world: World) -> dict[str, list[str]]:
    """What must not be read by others, as it would stand in an answer."""
    people = [world.people[name] for name in ("drafting", "returned", "waiting", "publicity", "admitted")]
    known = [person.account for person in people]
    staff = world.people["office"]
    return {
        "id number": [str(account.id_number) for account in known],
        "login phone": [person.phone[3:] for person in people],
        "second phone": ["88888888"],
        "e-mail": ["expert@example.cn"],
        "address": ["人民大街"],
        "reason of an absence": ["住院手术"],
        "name of the officer": ["李初审"],
        "officer who looked": ["吴终审"],
        "note of an officer": ["核对职称证书原件"],
        "text of an objection": ["利害关系"],
        "phone of an objector": [OBJECTOR[3:]],
        "phone of the officer": [staff.phone[3:]],
        "place of an image": [each["object_key"] for each in await rows("SELECT object_key FROM files")],
        "hash of a password": ["argon2"],
    }


@pytest.mark.parametrize("role", ROLES)
async def test_personal_data_stand_in_clear_for_those_in_the_list_alone(world: World, role: str) -> None:
    hidden = await secrets(world)
    told = set()

    for name, thing in world.things.items():
        viewer = world.viewer(role, thing)
        if role not in allowed()[name] or (role == "owner" and viewer is None):
            continue
        kind = schema._schema.type_map[name.split()[0]]
        document = f"query ($id: ID!) {{ node(id: $id) {{ ... on {kind.name} {values(kind)} }} }}"
        answer = str(await answer_at(world.now, document, viewer, id=thing.id))
        told |= {secret for secret, texts in hidden.items() if any(text in answer for text in texts)}

    expected = {line.split("|")[0].strip(): line.split("|")[1].split() for line in CLEAR.strip().splitlines()}
    assert set(expected) == set(hidden)
    assert told == {secret for secret, roles in expected.items() if role in roles}


async def test_an_expert_never_learns_who_decided(world: World) -> None:
    person = world.people["returned"]
    document = """query ($id: ID!) { application(id: $id) { claim { holder } records { number actorRole actorName opinion } } }"""

    found = (await answer_at(world.now, document, person.viewer, id=world.things["Application returned"].id))["application"]

    assert found == {
        "claim": None,
        "records": [
            {"number": 1, "actorRole": "EXPERT", "actorName": None, "opinion": None},
            {"number": 2, "actorRole": "LOCAL_OFFICER", "actorName": None, "opinion": "请补充材料"},
        ],
    }


async def test_a_viewer_of_another_role_with_the_same_ids_gets_nothing_more(world: World) -> None:
    """Predicates go by role: an officer who carries an expert's id, or an expert with a pool, is not both."""
    expert, local = world.people["drafting"].viewer, world.people["office"].viewer
    mixed = [
        Viewer(account_id=UUID(int=1), session_id=UUID(int=2), role=local.role, name="", pool_code="220299", expert_id=expert.expert_id),
        Viewer(account_id=UUID(int=1), session_id=UUID(int=2), role=expert.role, name="", pool_code=local.pool_code, expert_id=UUID(int=3)),
    ]

    for viewer in mixed:
        for name in ("Application in draft", "Expert with a draft alone", "Profile in first draft", "Application returned"):
            assert await answer_at(world.now, NODE, viewer, id=world.things[name].id) == {"node": None}
