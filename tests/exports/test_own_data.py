from __future__ import annotations

import inspect
from datetime import timedelta

import pytest
from tortoise import Tortoise

from domain.actions import attachments, exports, notes, own_data
from domain.actions.revisions import SECTIONS
from domain.rules.errors import NotAllowed, SignInRefused, TooSoon
from domain.rules.viewer import Viewer
from models.accounts import Account
from models.database import database_now
from models.enums import ExportState, FilePurpose, Stage
from models.experts import Expert
from models.exports import Export
from models.files import StoredFile
from models.outbox import OutboxRow
from settings import Settings, settings
from tests.cases import case_at
from tests.exports.making import contents, load, made, packed
from tests.files import attacks
from tests.files.uploads import contents as image_of
from tests.files.uploads import hand_in
from tests.objections.raising import objection_to
from tests.people import PASSWORD, SignedIn, administrator, officer, provincial_officer, registered_expert, some_address


async def own_data_of(person: SignedIn) -> Export:
    asked = await exports.ask_own_data(password=PASSWORD, viewer=person.viewer, address=some_address(), now=await database_now())
    export = await made(asked)
    assert export.state is ExportState.READY, export.failure
    return export


async def test_an_expert_gets_everything_that_is_kept_of_them(database: Settings) -> None:
    person, case = await case_at(Stage.PUBLICITY, name="陈公示")

    found, others = await packed(await own_data_of(person))

    number = str(person.account.id_number)
    assert (found["account"]["name"], found["account"]["phone"], found["account"]["id_number"]) == ("陈公示", person.phone, number)
    assert [each["terms_version"] for each in found["consents"]] == ["2026-01"]
    assert [each["device"] for each in found["sessions"]] == ["pytest"]
    [profile] = found["profiles"]
    assert (profile["id_number"], profile["address"], profile["email"]) == (number, "吉林省长春市南关区人民大街 1 号", "expert@example.cn")
    assert [each["school"] for each in profile["education"]] == ["吉林大学"]
    assert [each["specialty_code"] for each in profile["revision_specialties"]] == ["A01010000", "A01020000"]
    [told] = found["applications"]
    assert (told["id"], told["stage"]) == (str(case.id), "PUBLICITY")
    assert [each["move"] for each in told["records"]] == ["SUBMIT", "APPROVE", "APPROVE", "APPROVE"]
    assert told["notice"]["name"] == "陈公示"
    assert [each["template"] for each in found["messages"]] == ["NOTICE_OPENED"]
    assert found["messages"][0]["text"]
    assert [each["purpose"] for each in found["phoneCodes"]] == ["REGISTER"]
    assert len(found["images"]) == 6
    assert "不包含" in others["说明.txt"].decode()


async def test_what_only_protects_the_person_or_protects_others_is_not_in_it(database: Settings) -> None:
    person, case = await case_at(Stage.PUBLICITY)
    local = await officer(name="李某初审")
    await notes.add(case.id, "内部备注一则", viewer=local.viewer, now=await database_now())
    await objection_to(case.id, phone="+8613788889997", text="举报内容一则")

    found, _ = await packed(await own_data_of(person))

    told = str(found)
    for secret in ("argon2", person.token, "李初审", "王复审", "内部备注", "举报", "13788889997", "_hash", "object_key", "claimed_by"):
        assert secret not in told, secret


async def test_images_come_along_as_they_are_kept_and_a_missing_one_is_named(database: Settings) -> None:
    person = await registered_expert()
    kept = await hand_in(attacks.scan(), person, await database_now(), purpose=FilePurpose.PORTRAIT)
    gone = await StoredFile.create(
        owner_id=person.account.id,
        purpose=FilePurpose.OTHER,
        original_name="x.jpg",
        media_type="image/jpeg",
        size=1,
        width=1,
        height=1,
        sharpness=1,
        blurred=False,
        sha256=b"1",
        object_key="00/11",
        created_at=await database_now(),
    )
    await attachments.attach_file(kept.id, viewer=person.viewer, now=await database_now())

    export = await own_data_of(person)
    found, others = await packed(export)

    assert {each["id"]: each["file"] for each in found["images"]} == {
        str(kept.id): f"images/PORTRAIT-{kept.id}.jpg",
        str(gone.id): None,
    }
    assert others[f"images/PORTRAIT-{kept.id}.jpg"] == await image_of(kept)
    assert (export.done, export.total, export.media_type) == (2, 2, "application/zip")


async def test_a_look_of_an_officer_at_a_scan_is_told_with_name_and_office(database: Settings) -> None:
    person, case = await case_at(Stage.FIRST_REVIEW)
    local = await officer(name="李看图")
    assert case.revision_id is not None
    form = await made(await exports.ask_form(case.revision_id, viewer=local.viewer, now=await database_now()))
    await load(form, local.viewer)

    found, _ = await packed(await own_data_of(person))

    [look] = found["clearReads"]
    assert (look["what"], look["reader_name"], look["reader_role"], look["reader_pool_code"]) == (
        "FILE:PORTRAIT",
        "李看图",
        "LOCAL_OFFICER",
        "220199",
    )


async def test_it_is_given_out_once(database: Settings) -> None:
    person = await registered_expert()
    export = await own_data_of(person)

    data = await load(export, person.viewer)

    assert data[:2] == b"PK"
    assert len(data) == export.size
    for _ in range(2):
        with pytest.raises(NotAllowed) as refused:
            await load(export, person.viewer)
        assert refused.value.code == "EXPORT_GONE"
    assert (await Export.get(id=export.id)).state is ExportState.DOWNLOADED


async def test_its_object_goes_soon_after(database: Settings) -> None:
    person = await registered_expert()
    export = await own_data_of(person)
    await load(export, person.viewer)
    now = await database_now()

    at_once = await exports.sweep(now=now + timedelta(minutes=5))
    later = await exports.sweep(now=now + timedelta(minutes=11))

    assert (at_once, later) == (0, 1)
    kept = await Export.get(id=export.id)
    assert (kept.state, kept.object_key) == (ExportState.DOWNLOADED, None)


async def test_it_lies_sealed_until_then(database: Settings) -> None:
    person = await registered_expert(name="密封之人")
    export = await own_data_of(person)

    on_disk = b"".join(each.read_bytes() for each in (settings().data_dir / "files").rglob("*") if each.is_file())

    assert on_disk
    assert "密封之人".encode() not in on_disk
    assert b"data.json" not in on_disk
    assert b"data.json" in await contents(export)


async def test_it_is_asked_for_with_the_password(database: Settings) -> None:
    person, address, now = await registered_expert(), some_address(), await database_now()

    for _ in range(5):
        with pytest.raises(SignInRefused) as refusal:
            await exports.ask_own_data(password="not the password", viewer=person.viewer, address=address, now=now)
        assert (refusal.value.code, refusal.value.wording) == ("SIGN_IN_REFUSED", "PASSWORD_WRONG")
    with pytest.raises(TooSoon):
        await exports.ask_own_data(password=PASSWORD, viewer=person.viewer, address=address, now=now)

    assert await Export.all().count() == 0
    assert await OutboxRow.filter(kind="EXPORT").count() == 0


async def test_staff_have_nothing_to_take_along(database: Settings) -> None:
    for staff in (await officer(), await provincial_officer(), await administrator()):
        with pytest.raises(NotAllowed):
            await exports.ask_own_data(password=PASSWORD, viewer=staff.viewer, address=some_address(), now=await database_now())

        assert await Export.filter(requested_by_id=staff.account.id).count() == 0


async def test_every_table_with_rows_of_a_person_is_told_or_left_out_for_a_reason(database: Settings) -> None:
    """A new table that hangs on accounts or experts belongs into `collect`, or into NOT_TOLD with its reason."""
    assert Tortoise.apps is not None
    models = {model._meta.db_table: model for model in Tortoise.apps["models"].values()}
    personal = {Account, Expert}
    while grown := {
        model
        for model in models.values()
        if model not in personal and any(model._meta.fields_map[name].related_model in personal for name in model._meta.fk_fields)
    }:
        personal |= grown

    told = inspect.getsource(own_data.collect) + inspect.getsource(own_data._case)
    forgotten = {
        model._meta.db_table
        for model in personal - set(SECTIONS)
        if model._meta.db_table not in own_data.NOT_TOLD and f"({model.__name__}" not in told and f"{model.__name__}." not in told
    }

    assert forgotten == set()


async def test_what_is_told_of_one_person_is_not_that_of_another(database: Settings) -> None:
    person, other = await registered_expert(name="甲某"), await registered_expert(name="乙某")
    viewer: Viewer = person.viewer

    found = str(await own_data.collect(viewer))

    assert "甲某" in found
    for secret in ("乙某", other.phone, str(other.account.id), str(other.account.id_number)):
        assert secret not in found
