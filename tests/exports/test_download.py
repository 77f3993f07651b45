from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from domain import lists
from domain.actions import exports, files
from domain.rules.errors import NotAllowed, NotFound
from models.accounts import Account, ClearRead
from models.database import database_now
from models.enums import ExportState
from models.exports import Export
from settings import Settings
from tests.exports.making import load, made
from tests.graphql import answer_at, execute
from tests.people import PASSWORD, SignedIn, administrator, officer, provincial_officer, registered_expert, sign_in

MINE = "{ exports { nodes { id kind state done total fileName mediaType size failureMessage failure url expiresAt } totalCount } }"


async def ready(person: SignedIn) -> Export:
    return await made(await exports.ask_cases(lists.CaseFilter(), viewer=person.viewer, now=await database_now()))


async def test_a_list_can_be_loaded_until_it_expires(database: Settings) -> None:
    local = await officer()
    export = await ready(local)

    for _ in range(2):
        assert (await load(export, local.viewer))[:2] == b"PK"

    kept = await Export.get(id=export.id)
    assert kept.state is ExportState.READY
    assert kept.downloaded_at is not None
    assert await ClearRead.all().count() == 0


async def test_nobody_else_gets_it_not_even_by_an_address_made_for_them(database: Settings) -> None:
    local = await officer()
    export = await ready(local)

    for other in (await officer(), await provincial_officer(), await administrator(), await registered_expert()):
        with pytest.raises(NotFound):
            await load(export, other.viewer)

    assert (await Export.get(id=export.id)).downloaded_at is None


async def test_an_address_serves_the_session_it_was_made_for_alone(database: Settings, now: datetime) -> None:
    local = await officer()
    export = await ready(local)
    again = await sign_in(local.phone)
    address = exports.download_address(export.id, viewer=local.viewer, now=now)
    expires, signature = (part.split("=")[1] for part in address.partition("?")[2].split("&"))

    with pytest.raises(NotFound):
        await exports.opened(export.id, expires=int(expires), signature=signature, viewer=again.viewer, now=now)
    with pytest.raises(NotFound):
        await files.opened(export.id, expires=int(expires), signature=signature, viewer=local.viewer, now=now)
    with pytest.raises(NotAllowed) as late:
        await exports.opened(
            export.id, expires=int(expires), signature=signature, viewer=local.viewer, now=now + timedelta(minutes=5, seconds=1)
        )

    assert late.value.code == "DOWNLOAD_EXPIRED"


async def test_an_officer_who_moved_leaves_the_lists_of_the_former_office_behind(database: Settings) -> None:
    local = await officer()
    export = await ready(local)
    await Account.filter(id=local.account.id).update(pool_code="220299")
    moved = await sign_in(local.phone)

    with pytest.raises(NotFound):
        await load(export, moved.viewer)
    assert (await answer_at(await database_now(), "{ exports { nodes { id } } }", moved.viewer))["exports"]["nodes"] == []


async def test_what_is_not_ready_or_expired_is_gone(database: Settings) -> None:
    local = await officer()
    export = await exports.ask_cases(lists.CaseFilter(), viewer=local.viewer, now=await database_now())
    with pytest.raises(NotAllowed) as early:
        await load(export, local.viewer)
    export = await made(export)
    await Export.filter(id=export.id).update(expires_at=await database_now())

    with pytest.raises(NotAllowed) as late:
        await load(export, local.viewer)

    assert (early.value.code, late.value.code) == ("EXPORT_GONE", "EXPORT_GONE")


async def test_an_orphan_sweep_of_files_leaves_exports_alone(database: Settings) -> None:
    local = await officer()
    export = await ready(local)

    swept = await files.sweep_orphans(now=await database_now() + timedelta(days=2))

    assert (swept.objects, swept.missing) == (0, 0)
    assert await load(export, local.viewer)


async def test_people_see_their_exports_and_how_far_they_are(database: Settings) -> None:
    local = await officer()
    queued = await execute("mutation { applicationsExport(input: {}) { __typename ... on Export { id state url } } }", local.viewer)
    assert queued.data is not None
    asked = queued.data["applicationsExport"]
    assert (asked["__typename"], asked["state"], asked["url"]) == ("Export", "QUEUED", None)
    await made(await Export.get(requested_by_id=local.account.id))

    found = (await answer_at(await database_now(), MINE, local.viewer))["exports"]

    [export] = found["nodes"]
    assert (export["id"], export["kind"], export["state"], export["fileName"]) == (asked["id"], "CASES", "READY", "办件清单.xlsx")
    assert export["url"].startswith(f"/exports/{asked['id'].removeprefix('Export_')}?e=")
    assert (export["failureMessage"], found["totalCount"]) == (None, 1)


async def test_why_one_failed_is_told_in_words(database: Settings) -> None:
    local = await officer()
    export = await exports.ask_cases(lists.CaseFilter(), viewer=local.viewer, now=await database_now())
    await exports.give_up(export.id, "CutOff")

    [found] = (await answer_at(await database_now(), MINE, local.viewer))["exports"]["nodes"]

    assert (found["state"], found["failure"], found["failureMessage"]) == ("FAILED", "EXPORT_FAILED", "文件未能生成；请稍后重新申请。")


async def test_own_data_and_lists_of_experts_are_asked_for_through_their_doors(database: Settings) -> None:
    person, local = await registered_expert(), await officer()

    own = await execute(
        "mutation ($p: String!) { ownDataExport(input: { password: $p }) { __typename ... on Export { kind } } }",
        person.viewer,
        p=PASSWORD,
    )
    wrong = await execute('mutation { ownDataExport(input: { password: "not the password" }) { __typename } }', person.viewer)
    listed = await execute(
        'mutation { expertsExport(input: { filter: { standings: [FORMAL], search: "张" } }) { __typename ... on Export { kind } } }',
        local.viewer,
    )

    assert own.data == {"ownDataExport": {"__typename": "Export", "kind": "OWN_DATA"}}
    assert wrong.data == {"ownDataExport": {"__typename": "SignInRefused"}}
    assert listed.data == {"expertsExport": {"__typename": "Export", "kind": "EXPERTS"}}
    assert (await Export.get(kind="EXPERTS")).conditions == {"standings": ["FORMAL"], "search": "张"}
