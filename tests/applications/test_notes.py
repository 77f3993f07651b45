from __future__ import annotations

from datetime import datetime
from typing import Any

import pytest
from tortoise.exceptions import IntegrityError

from domain.actions import notes
from domain.rules.errors import InvalidInput, NotFound
from domain.rules.viewer import Viewer
from models.applications import ApplicationNote
from models.database import execute as run
from models.database import rows
from models.enums import Stage
from settings import Settings
from tests.cases import case_at
from tests.graphql import both, execute
from tests.people import administrator, officer, provincial_officer

READ = "query Read($id: ID!) { application(id: $id) { stage notes { authorName authorRole text } } }"


async def test_officers_of_a_case_write_notes_that_its_expert_never_sees(now: datetime) -> None:
    person, case = await case_at(Stage.SECOND_REVIEW)
    local, province = await officer(name="李初审"), await provincial_officer(name="王复审")
    await notes.add(case.id, "学历证书与系统记录\n不一致，请留意。", viewer=local.viewer, now=now)
    await notes.add(case.id, "已电话核实。", viewer=province.viewer, now=now)

    async def read(viewer: Viewer | None) -> Any:
        return (await both(READ, viewer, id=f"Application_{case.id}"))["application"]

    written = [
        {"authorName": "李初审", "authorRole": "LOCAL_OFFICER", "text": "学历证书与系统记录\n不一致，请留意。"},
        {"authorName": "王复审", "authorRole": "PROVINCIAL_OFFICER", "text": "已电话核实。"},
    ]
    assert (await read(local.viewer))["notes"] == written
    assert (await read(province.viewer))["notes"] == written
    assert await read(person.viewer) == {"stage": "SECOND_REVIEW", "notes": []}
    for stranger in ((await officer("220299")).viewer, (await administrator()).viewer):
        assert await read(stranger) is None


async def test_a_note_is_not_found_by_its_id_by_the_expert(now: datetime) -> None:
    person, case = await case_at(Stage.FIRST_REVIEW)
    note = await notes.add(case.id, "请留意。", viewer=(await officer()).viewer, now=now)
    document = "query Note($id: ID!) { node(id: $id) { ... on ApplicationNote { text } } }"

    seen = [
        (await execute(document, viewer, id=f"ApplicationNote_{note.id}")).data
        for viewer in (person.viewer, (await officer("220299")).viewer, None, (await officer()).viewer)
    ]

    assert seen == [{"node": None}, {"node": None}, {"node": None}, {"node": {"text": "请留意。"}}]


async def test_who_is_no_officer_of_the_case_writes_nothing(now: datetime) -> None:
    person, case = await case_at(Stage.FIRST_REVIEW)

    for stranger in (person, await officer("220299"), await administrator()):
        with pytest.raises(NotFound):
            await notes.add(case.id, "留言", viewer=stranger.viewer, now=now)
    with pytest.raises(InvalidInput) as empty:
        await notes.add(case.id, " ", viewer=(await officer()).viewer, now=now)

    assert [(each.path, each.code) for each in empty.value.problems] == [("text", "TEXT_EMPTY")]
    assert await ApplicationNote.filter(application_id=case.id).count() == 0


async def test_notes_never_change(now: datetime) -> None:
    _, case = await case_at(Stage.FIRST_REVIEW)
    note = await notes.add(case.id, "留言", viewer=(await officer()).viewer, now=now)

    with pytest.raises(IntegrityError, match="never change"):
        await run("UPDATE application_notes SET text = '改' WHERE id = $1", note.id)
    with pytest.raises(IntegrityError, match="never change"):
        await run("DELETE FROM application_notes WHERE id = $1", note.id)

    assert (await ApplicationNote.get(id=note.id)).text == "留言"
    assert await rows("SELECT FROM pg_trigger WHERE tgname = 'notes_never_change'")


async def test_the_door_of_notes(database: Settings) -> None:
    person, case = await case_at(Stage.FIRST_REVIEW)
    document = """mutation Note($id: ID!, $text: String!) { applicationNoteAdd(input: {applicationId: $id, text: $text}) { __typename
        ... on ApplicationNote { text authorName application { id notes { text } } } ... on Problem { code } } }"""
    given = {"id": f"Application_{case.id}", "text": "请留意"}

    done = await execute(document, (await officer(name="李初审")).viewer, **given)
    own = await execute(document, person.viewer, **given)
    nobody = await execute(document, None, **given)

    about = {"id": given["id"], "notes": [{"text": "请留意"}]}
    assert done.data == {
        "applicationNoteAdd": {"__typename": "ApplicationNote", "text": "请留意", "authorName": "李初审", "application": about}
    }
    assert own.data == {"applicationNoteAdd": {"__typename": "NotFound", "code": "NOT_FOUND"}}
    assert nobody.data == {"applicationNoteAdd": {"__typename": "NotSignedIn", "code": "NOT_SIGNED_IN"}}


async def test_a_note_that_is_sent_again_under_its_key_is_written_once(now: datetime) -> None:
    _, case = await case_at(Stage.FIRST_REVIEW)
    local = await officer()
    document = """mutation Note($input: ApplicationNoteAddInput!) { applicationNoteAdd(input: $input) {
        __typename ... on ApplicationNote { id text } ... on Problem { code } } }"""

    async def add(text: str) -> Any:
        given = {"applicationId": f"Application_{case.id}", "text": text, "idempotencyKey": "7d0c"}
        return ((await execute(document, local.viewer, input=given)).data or {})["applicationNoteAdd"]

    first, again, other = await add("请留意。"), await add("请留意。"), await add("别的")

    assert first == again == {"__typename": "ApplicationNote", "id": first["id"], "text": "请留意。"}
    assert other == {"__typename": "KeyReused", "code": "KEY_REUSED"}
    assert await ApplicationNote.filter(application_id=case.id).count() == 1
