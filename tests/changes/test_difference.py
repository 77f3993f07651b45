from __future__ import annotations

from datetime import date
from typing import Any

from domain.actions.attachments import attach_file, detach_file
from domain.actions.profiles import remove_work_entry, save_basic_info, save_evaluation_info, save_title, save_work_entry
from domain.rules.profile_input import AvoidanceUnitInput, BasicInfo, EvaluationInfo, TitleInput, WorkEntryInput
from domain.rules.viewer import Viewer
from models.applications import Application
from models.database import database_now, rows
from models.enums import FilePurpose, Stage, WorkStatus
from models.experts import Expert
from models.profiles import OtherMaterial, Revision, TitleEntry, WorkEntry
from settings import Settings
from tests.cases import approve, case_at
from tests.changes.formal import change_at, formal_expert, send
from tests.graphql import both, execute
from tests.people import SignedIn, administrator, officer, provincial_officer, registered_expert
from tests.profiles.kept import some_image

READ = """query ($id: ID!) { application(id: $id) { difference {
    fields { path label before after imageBefore { id } imageAfter { id } }
    entries { section label change title entryId fields { path label before after imageBefore { id } imageAfter { id } } } } } }"""


async def read(case: Application, viewer: Viewer) -> Any:
    return (await both(READ, viewer, id=f"Application_{case.id}"))["application"]


async def effective(person: SignedIn) -> Revision:
    return await Revision.get(id=(await Expert.get(id=person.viewer.expert_id)).effective_id)


def field(path: str, label: str, before: str | None, after: str | None, **images: Any) -> dict[str, Any]:
    return {"path": path, "label": label, "before": before, "after": after, "imageBefore": None, "imageAfter": None} | images


def image(key: object) -> dict[str, str]:
    return {"id": f"File_{key}"}


async def test_fields_are_shown_with_what_they_held_and_hold_in_words(database: Settings) -> None:
    person = await formal_expert()
    new = BasicInfo(employer="长春理工大学", work_status=WorkStatus.RETIRED, ethnic_group="11", former_name="张小三", years_in_field=21)
    await save_basic_info(new, viewer=person.viewer, now=await database_now())

    case = await send(person)

    assert await read(case, (await officer()).viewer) == {
        "difference": {
            "fields": [
                field("basicInfo.formerName", "曾用名", None, "张小三"),
                field("basicInfo.ethnicGroup", "民族", "汉族", "满族"),
                field("basicInfo.employer", "工作单位", "吉林大学", "长春理工大学"),
                field("basicInfo.workStatus", "在职状态", "在职", "退休"),
                field("basicInfo.yearsInField", "从事专业年限", "20", "21"),
            ],
            "entries": [],
        }
    }


async def test_personal_data_are_clear_to_their_owner_and_masked_for_officers(database: Settings) -> None:
    person = await formal_expert()
    new = BasicInfo(second_phone="0431-88888880", address="吉林省长春市朝阳区前进大街 2699 号")
    await save_basic_info(new, viewer=person.viewer, now=await database_now())
    before = await effective(person)

    case = await send(person)
    after = await Revision.get(id=case.revision_id)

    def shown(phones: tuple[str | None, str | None], addresses: tuple[str | None, str | None]) -> Any:
        return [field("basicInfo.secondPhone", "备用电话", *phones), field("basicInfo.address", "通讯地址", *addresses)]

    own = await read(case, person.viewer)
    masked = shown((before.second_phone_masked, after.second_phone_masked), (before.address_masked, after.address_masked))
    assert own["difference"]["fields"] == shown((before.second_phone, after.second_phone), (before.address, after.address))
    for each in (await officer(), await provincial_officer()):
        told = await read(case, each.viewer)
        assert told["difference"]["fields"] == masked
        assert "88888880" not in str(told)
        assert "2699" not in str(told)


async def test_images_stand_side_by_side(database: Settings) -> None:
    person = await formal_expert()
    before = await effective(person)
    title = await TitleEntry.get(revision_id=before.pk)
    old_form = await OtherMaterial.get(revision_id=before.pk)
    now = await database_now()
    portrait, certificate, form = [
        await some_image(person.viewer, each) for each in (FilePurpose.PORTRAIT, FilePurpose.TITLE, FilePurpose.OTHER)
    ]
    await attach_file(portrait.id, viewer=person.viewer, now=now)
    await attach_file(certificate.id, entry=title.id, viewer=person.viewer, now=now)
    await detach_file(old_form.file_id, viewer=person.viewer, now=now)
    await attach_file(form.id, viewer=person.viewer, now=now)
    new_form = await OtherMaterial.get(revision__expert_id=person.viewer.expert_id, file_id=form.id)

    case = await send(person)

    def certificates(**images: Any) -> dict[str, Any]:
        return field("certificate", "证书图片", None, None, **images)

    for viewer in (person.viewer, (await officer()).viewer, (await provincial_officer()).viewer):
        assert (await read(case, viewer))["difference"] == {
            "fields": [
                field("basicInfo.portrait", "个人照片", None, None, imageBefore=image(before.portrait_id), imageAfter=image(portrait.id))
            ],
            "entries": [
                {
                    "section": "titles",
                    "label": "职称",
                    "change": "CHANGED",
                    "title": "副教授",
                    "entryId": str(title.entry_id),
                    "fields": [certificates(imageBefore=image(title.certificate_id), imageAfter=image(certificate.id))],
                },
                {
                    "section": "otherMaterials",
                    "label": "其他材料",
                    "change": "ADDED",
                    "title": None,
                    "entryId": str(new_form.entry_id),
                    "fields": [field("file", "图片", None, None, imageAfter=image(form.id))],
                },
                {
                    "section": "otherMaterials",
                    "label": "其他材料",
                    "change": "REMOVED",
                    "title": None,
                    "entryId": str(old_form.entry_id),
                    "fields": [field("file", "图片", None, None, imageBefore=image(old_form.file_id))],
                },
            ],
        }


async def test_entries_are_told_as_added_removed_and_changed(database: Settings) -> None:
    person = await formal_expert()
    now, before = await database_now(), await effective(person)
    title, work = await TitleEntry.get(revision_id=before.pk), await WorkEntry.get(revision_id=before.pk)
    changed = TitleInput(title_code=title.title_code, certificate_number="ZC2010002", obtained_on=date(2010, 12, 1), issuer=title.issuer)
    await save_title(changed, entry=title.id, viewer=person.viewer, now=now)
    added = await save_work_entry(
        WorkEntryInput(started_on=date(2020, 1, 1), employer="东北师范大学", post="教授", duties="教学"), viewer=person.viewer, now=now
    )
    await remove_work_entry(work.id, viewer=person.viewer, now=now)
    units = [AvoidanceUnitInput(name="长春某公司", relation="本人持股")]
    await save_evaluation_info(EvaluationInfo(specialties=["A01020000"], avoidance_units=units), viewer=person.viewer, now=now)

    found = (await read(await send(person), (await officer()).viewer))["difference"]

    told = [
        (each["section"], each["change"], each["title"], [(f["path"], f["before"], f["after"]) for f in each["fields"]])
        for each in found["entries"]
    ]
    [gone] = await rows("SELECT name FROM specialties WHERE code = 'A01010000'")
    assert found["fields"] == []
    assert told == [
        ("evaluationInfo.specialties", "REMOVED", gone["name"], [("specialtyCode", gone["name"], None)]),
        ("evaluationInfo.avoidanceUnits", "CHANGED", "长春某公司", [("relation", "配偶任职", "本人持股")]),
        ("titles", "CHANGED", "副教授", [("certificateNumber", "ZC2010001", "ZC2010002")]),
        (
            "workHistory",
            "ADDED",
            "东北师范大学",
            [("startedOn", None, "2020-01-01"), ("employer", None, "东北师范大学"), ("post", None, "教授"), ("duties", None, "教学")],
        ),
        (
            "workHistory",
            "REMOVED",
            "吉林大学",
            [("startedOn", "1998-07-01", None), ("employer", "吉林大学", None), ("post", "副教授", None), ("duties", "教学与科研", None)],
        ),
    ]
    assert [each["entryId"] for each in found["entries"]][3:] == [str(added.entry_id), str(work.entry_id)]


async def test_the_difference_stays_what_was_reviewed_after_the_change_and_a_later_one_took_effect(database: Settings) -> None:
    person, case = await change_at(Stage.FINAL_REVIEW)
    local = (await officer()).viewer
    reviewed = await read(case, local)
    await approve(case.id, (await provincial_officer()).viewer)
    await save_basic_info(BasicInfo(employer="东北师范大学"), viewer=person.viewer, now=await database_now())
    later = await send(person)

    assert await read(case, local) == reviewed
    assert (await read(later, local))["difference"]["fields"] == [field("basicInfo.employer", "工作单位", "长春理工大学", "东北师范大学")]


async def test_a_change_sent_again_is_compared_with_what_is_in_force_and_not_with_what_was_returned(database: Settings) -> None:
    person, _ = await change_at(Stage.RETURNED)
    await save_basic_info(BasicInfo(post="院长"), viewer=person.viewer, now=await database_now())

    again = await send(person)

    assert (await read(again, (await officer()).viewer))["difference"]["fields"] == [
        field("basicInfo.employer", "工作单位", "吉林大学", "长春理工大学"),
        field("basicInfo.post", "职务", None, "院长"),
    ]


async def test_an_admission_has_no_difference(database: Settings) -> None:
    person, case = await case_at(Stage.FIRST_REVIEW)

    assert await read(case, (await officer()).viewer) == {"difference": None}
    assert await read(case, person.viewer) == {"difference": None}


async def test_who_does_not_see_the_case_sees_no_difference(database: Settings) -> None:
    _, case = await change_at(Stage.FIRST_REVIEW)
    strangers = [await officer("220299"), await administrator(), await registered_expert()]

    assert [await read(case, each.viewer) for each in strangers] == [None, None, None]
    signed_out = await execute(READ, None, id=f"Application_{case.id}")
    assert (signed_out.data, [(each.extensions or {})["code"] for each in signed_out.errors or []]) == (
        {"application": None},
        ["NOT_SIGNED_IN"],
    )
