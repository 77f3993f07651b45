from __future__ import annotations

from datetime import date

import pytest

from domain.actions import applications, attachments, exports, profiles
from domain.actions.forms import check_code_of
from domain.rules import profile_input as given
from domain.rules.errors import NotFound
from domain.rules.forms import is_code
from models.accounts import Account, ClearRead
from models.database import database_now
from models.enums import ExportState, FilePurpose
from models.exports import Export
from models.profiles import Revision
from tests.cases import complete_profile, draft_case, submit, submitted_case
from tests.exports.making import form_of, load, made
from tests.files import attacks
from tests.files.uploads import hand_in
from tests.graphql import answer_at
from tests.people import SignedIn, administrator, officer, provincial_officer, registered_expert
from tests.profiles.kept import draft_of, some_image


async def code_of(revision: Revision) -> str:
    return await check_code_of(revision.id)


async def test_the_form_shows_its_owner_the_profile_in_clear_with_its_revision_and_check_code() -> None:
    person = await registered_expert(name="买买提·吐尔逊")
    await complete_profile(person.viewer)
    draft = await draft_of(person.viewer)

    reader, text = await form_of(draft.id, person.viewer)

    number = str(person.account.id_number)
    for shown in ("吉林省政府采购评审专家申请表", "买买提·吐尔逊", number, person.phone[3:], "人民大街1号", "expert@example.cn", "汉族"):
        assert shown in text, shown
    for shown in ("吉林大学", "土木工程", "大学本科", "101831199805000001", "长春某公司", "配偶任职", "现工作单位", "教学与科研"):
        assert shown in text, shown
    assert f"第{draft.number}版（尚未提交）" in text
    assert f"校验码：{await code_of(draft)}" in text
    assert [round(float(side)) for side in reader.pages[0].mediabox[2:]] == [595, 842]  # A4 in points


async def test_the_fonts_of_the_form_are_in_it() -> None:
    person = await registered_expert()

    reader, _ = await form_of((await _draft(person)).id, person.viewer)

    fonts = [font.get_object() for page in reader.pages for font in page["/Resources"]["/Font"].values()]  # type: ignore[index]  # a page with text
    assert fonts
    for font in fonts:
        described = font["/DescendantFonts"][0].get_object()["/FontDescriptor"].get_object()
        assert {"/FontFile2", "/FontFile3"} & set(described)
        assert "Noto" in described["/FontName"]


async def _draft(person: SignedIn) -> Revision:
    """A draft that holds what registering told, and an address."""
    await profiles.save_basic_info(given.BasicInfo(postcode="130000"), viewer=person.viewer, now=await database_now())
    found: Revision = await draft_of(person.viewer)
    return found


async def test_a_profile_with_hardly_anything_in_it_has_a_form_too() -> None:
    person = await registered_expert(name="张三")

    reader, text = await form_of((await _draft(person)).id, person.viewer)

    assert "姓名张三" in text
    assert text.count("无") >= 4
    assert not any(page.images for page in reader.pages)


async def test_the_portrait_is_on_the_form() -> None:
    person = await registered_expert()
    draft = await _draft(person)
    portrait = await hand_in(attacks.scan(), person, await database_now(), purpose=FilePurpose.PORTRAIT)
    await attachments.attach_file(portrait.id, viewer=person.viewer, now=await database_now())

    reader, _ = await form_of(draft.id, person.viewer)

    [image] = reader.pages[0].images
    assert image.image is not None
    assert max(image.image.size) <= 826


async def test_what_people_write_is_text_and_nothing_else() -> None:
    attack = '#read("/etc/passwd") #import "@preview/x:1.0.0" $x^2$ *fett* _kursiv_ <marke> @verweis \\ \\u{41} // `roh` = Kopf [k] {c} & "'
    person = await registered_expert()
    await profiles.save_work_entry(
        given.WorkEntryInput(started_on=date(1998, 7, 1), employer="#panic()", post="= 标题", duties=attack),
        viewer=person.viewer,
        now=await database_now(),
    )

    _, text = await form_of((await draft_of(person.viewer)).id, person.viewer)

    assert attack.replace(" ", "") in text
    assert "#panic()" in text
    assert "root:" not in text


async def test_long_texts_go_on_over_pages_and_stay_whole() -> None:
    person = await registered_expert()
    words = "负责重大项目评审与论证，" * 83
    for post in ("A" * 120, "岗" * 120):
        await profiles.save_work_entry(
            given.WorkEntryInput(started_on=date(1998, 7, 1), employer="吉林大学", post=post, duties=words),
            viewer=person.viewer,
            now=await database_now(),
        )

    reader, text = await form_of((await draft_of(person.viewer)).id, person.viewer)

    assert len(reader.pages) > 1
    assert text.count("负") == text.count("责") == 166  # a break of the page may stand anywhere
    assert text.count("A") >= 120


async def test_a_character_that_no_font_has_does_not_keep_anybody_from_a_form() -> None:
    person = await registered_expert(name="𠮷野家")

    _, text = await form_of((await _draft(person)).id, person.viewer)

    assert "野家" in text


async def test_officers_get_a_masked_form_and_the_person_sees_who_took_it_along() -> None:
    person, case = await submitted_case(name="陈某某")
    local = await officer()
    assert case.revision_id is not None
    export = await made(await exports.ask_form(case.revision_id, viewer=local.viewer, now=await database_now()))

    _, text = await form_of(case.revision_id, (await provincial_officer()).viewer)
    await load(export, local.viewer)

    account = await Account.get(id=person.account.id)
    assert "陈某某" in text
    assert str(account.id_number_masked) in text
    for hidden in (str(account.id_number), person.phone[3:], "人民大街", "expert@example.cn", "88888888"):
        assert hidden not in text, hidden
    looks = await ClearRead.filter(subject_id=account.id)
    assert [(each.reader_id, each.what) for each in looks] == [(local.account.id, "FILE:PORTRAIT")]


async def test_a_form_is_for_who_may_see_the_profile_alone() -> None:
    person, case = await submitted_case()
    drafting = await registered_expert()
    draft = await _draft(drafting)
    assert case.revision_id is not None
    now = await database_now()
    other, elsewhere, admin = await registered_expert(), await officer("220299"), await administrator()

    for stranger in (other, elsewhere, admin):
        with pytest.raises(NotFound):
            await exports.ask_form(case.revision_id, viewer=stranger.viewer, now=now)
    for reader in (person, await officer(), await provincial_officer()):
        with pytest.raises(NotFound):
            await exports.ask_form(draft.id, viewer=reader.viewer, now=now)

    assert await Export.all().count() == 0


async def test_who_lost_the_right_to_see_a_profile_before_the_form_was_made_gets_none() -> None:
    _, case = await submitted_case()
    local = await officer()
    assert case.revision_id is not None
    export = await exports.ask_form(case.revision_id, viewer=local.viewer, now=await database_now())
    await Account.filter(id=local.account.id).update(pool_code="220299")

    export = await made(export)

    assert (export.state, export.failure, export.object_key) == (ExportState.FAILED, "NOT_ALLOWED", None)


async def test_the_check_code_is_that_of_what_was_submitted_whatever_scans_were_added_after_printing() -> None:
    person = await registered_expert()
    await complete_profile(person.viewer)
    draft = await draft_of(person.viewer)
    code = await code_of(draft)
    signed = await some_image(person.viewer, FilePurpose.OTHER)
    await attachments.attach_file(signed.id, viewer=person.viewer, now=await database_now())

    case = await submit(person.viewer)

    assert case.revision_id == draft.id
    assert await code_of(await Revision.get(id=case.revision_id)) == code
    document = "query ($id: ID!, $code: String!) { application(id: $id) { profile { formCode formMatches(code: $code) } } }"
    for reader in (await officer(), await provincial_officer()):
        found = await answer_at(
            await database_now(), document, reader.viewer, id=f"Application_{case.id}", code=code.lower().replace("-", " ")
        )
        assert found == {"application": {"profile": {"formCode": code, "formMatches": True}}}


async def test_a_form_printed_before_an_edit_does_not_match() -> None:
    person = await registered_expert()
    await complete_profile(person.viewer)
    before = await code_of(await draft_of(person.viewer))
    await complete_profile(person.viewer, employer="长春大学")

    after = await code_of(await draft_of(person.viewer))
    case = await applications.submit(
        (await draft_case(person.viewer)).id, commitment=True, avoidance=True, viewer=person.viewer, now=await database_now()
    )

    assert before != after
    document = "query ($id: ID!, $code: String!) { application(id: $id) { profile { formMatches(code: $code) } } }"
    found = await answer_at(await database_now(), document, (await officer()).viewer, id=f"Application_{case.id}", code=before)
    assert found == {"application": {"profile": {"formMatches": False}}}


async def test_the_code_of_two_people_with_the_same_answers_differs() -> None:
    codes = set()
    for _ in range(2):
        person = await registered_expert(id_number=None)
        codes.add(await code_of(await _draft(person)))

    assert len(codes) == 2
    assert not any(is_code(each, other) for each in codes for other in codes - {each})
