from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from tortoise.models import Model

from domain.actions.comparing import _SECTIONS
from domain.rules.difference import (
    BASIC_INFO,
    ENGLISH,
    EVALUATION_INFO,
    SECTIONS,
    Show,
    Snapshot,
    Value,
    codes_in,
    compare,
    is_path,
    label_of,
)
from models.enums import EntryChange, IdType
from models.profiles import Revision

FIRST, SECOND, THIRD = (UUID(int=number) for number in (1, 2, 3))

NOT_COMPARED = {
    "id": "tells copies apart",
    "expert_id": "the same person",
    "number": "of the chain",
    "base_id": "of the chain",
    "state": "of the chain",
    "version": "of the chain",
    "created_at": "of the chain",
    "updated_at": "of the chain",
    "frozen_at": "of the chain",
    "eligibility": "made by the registry when it was frozen",
    "changed_at_once": "says how it came into force",
    "id_number_hash": "follows the number",
    "id_number_masked": "follows the number",
    "second_phone_masked": "follows the phone",
    "email_masked": "follows the address",
    "address_masked": "follows the address",
    "revision_id": "tells copies apart",
    "entry_id": "the same in both",
    "position": "the order is no content",
}


def snapshot(sections: dict[str, list[dict[str, Any]]] | None = None, **own: Any) -> Snapshot:
    columns = {each.name: None for each in (*BASIC_INFO, *EVALUATION_INFO)}
    return Snapshot(own=columns | own, sections={each.name: (sections or {}).get(each.name, []) for each in SECTIONS})


def unit(entry_id: UUID, name: str, **columns: Any) -> dict[str, Any]:
    return {"entry_id": entry_id, "name": name, "credit_code": None, "relation": "持股", "until": None} | columns


@pytest.mark.parametrize(
    ("model", "compared"),
    [(Revision, (*BASIC_INFO, *EVALUATION_INFO)), *((_SECTIONS[each.name], each.columns) for each in SECTIONS)],
)
def test_every_column_is_compared_or_said_not_to_be(model: type[Model], compared: Any) -> None:
    columns = set(model._meta.db_fields) | {f"{name}_id" for name in model._meta.fk_fields}  # not there before a database is opened

    assert {each.name for each in compared} == columns - NOT_COMPARED.keys()


def test_every_section_of_a_revision_is_compared() -> None:
    assert list(_SECTIONS) == [each.name for each in SECTIONS]


def test_equal_revisions_do_not_differ_whatever_the_order_of_their_entries() -> None:
    one, other = unit(FIRST, "甲"), unit(SECOND, "乙")
    before = snapshot({"evaluationInfo.avoidanceUnits": [one, other]}, name="张三")
    after = snapshot({"evaluationInfo.avoidanceUnits": [other, one]}, name="张三")

    assert not compare(before, after, {})


def test_words_are_put_for_codes_vocabularies_and_truths() -> None:
    before = snapshot(ethnic_group="01", id_type=IdType.RESIDENT_ID, id_valid_long_term=False)
    after = snapshot(ethnic_group="99", id_type=IdType.TAIWAN_PERMIT, id_valid_long_term=True)

    found = compare(before, after, {"ETHNIC_GROUP:01": "汉族"})

    assert [(each.path, each.before.text, each.after.text) for each in found.fields] == [
        ("basicInfo.idType", "居民身份证", "台湾居民居住证"),
        ("basicInfo.idValidLongTerm", "否", "是"),
        ("basicInfo.ethnicGroup", "汉族", "99"),
    ]


def test_two_numbers_that_look_alike_under_their_masks_differ() -> None:
    before = snapshot(email="anna@example.cn", email_masked="a***@example.cn")
    after = snapshot(email="andy@example.cn", email_masked="a***@example.cn")

    [found] = compare(before, after, {}).fields

    assert found.before == Value(text="anna@example.cn", masked="a***@example.cn")
    assert found.after == Value(text="andy@example.cn", masked="a***@example.cn")


def test_entries_are_known_by_their_entry_id_and_removed_ones_come_last() -> None:
    before = snapshot({"evaluationInfo.avoidanceUnits": [unit(FIRST, "甲"), unit(SECOND, "乙")]})
    after = snapshot({"evaluationInfo.avoidanceUnits": [unit(SECOND, "乙", relation="任职"), unit(THIRD, "丙")]})

    found = compare(before, after, {}).entries

    assert [(each.entry_id, each.change, each.title, [field.path for field in each.fields]) for each in found] == [
        (SECOND, EntryChange.CHANGED, "乙", ["relation"]),
        (THIRD, EntryChange.ADDED, "丙", ["name", "relation"]),
        (FIRST, EntryChange.REMOVED, "甲", ["name", "relation"]),
    ]


def test_an_image_is_told_by_its_id_and_has_no_text() -> None:
    [found] = compare(snapshot(portrait_id=FIRST), snapshot(portrait_id=SECOND), {}).fields

    assert (found.path, found.before, found.after) == ("basicInfo.portrait", Value(image=FIRST), Value(image=SECOND))


def test_the_codes_of_both_sides_are_named() -> None:
    titles = {"titles": [{"title_code": "T01012", "certificate_number": "1", "obtained_on": None, "issuer": "", "certificate_id": None}]}

    assert codes_in(snapshot(sex="1"), snapshot(titles, residence_code="220102")) == {"SEX:1", "DIVISION:220102", "TITLE:T01012"}


def test_personal_columns_are_those_that_are_sealed() -> None:
    sealed = {name for name, each in Revision._meta.fields_map.items() if type(each).__name__ == "SealedField"}

    assert {each.name for each in BASIC_INFO if each.how is Show.PERSONAL} == sealed


@pytest.mark.parametrize(
    "path",
    [
        "basicInfo",
        "basicInfo.address",
        "basicInfo.idFront",
        "evaluationInfo.homePoolCode",
        "evaluationInfo.specialties",
        "evaluationInfo.specialties.2",
        "evaluationInfo.avoidanceUnits.0.name",
        "titles",
        "titles.0",
        "titles.0.certificate",
        "workHistory.11.duties",
        "otherMaterials.0",
    ],
)
def test_a_path_names_a_field_a_section_an_entry_or_a_field_of_one(path: str) -> None:
    assert is_path(path)
    assert path not in (label_of(path, "zh"), label_of(path, "en"))


@pytest.mark.parametrize(
    ("path", "zh", "en"),
    [
        ("evaluationInfo", "评标信息", "evaluation information"),
        ("basicInfo.idFront", "证件人像面", "identity paper, side with the portrait"),
        ("evaluationInfo.specialties.2", "评标专业第 3 项", "specialty 3"),
        ("evaluationInfo-avoidanceUnits-0-name", "回避单位第 1 项：单位名称", "avoidance unit 1: name of the unit"),
        ("titles.04.issuer", "职称第 5 项：发证机关", "title 5: issuer"),
        ("workHistory", "工作履历", "employment"),
        ("nothing.0", "nothing.0", "nothing.0"),
    ],
)
def test_a_path_is_told_in_words(path: str, zh: str, en: str) -> None:
    assert (label_of(path, "zh"), label_of(path, "en")) == (zh, en)


def test_every_label_has_its_english() -> None:
    labels = {each.label for each in (*BASIC_INFO, *EVALUATION_INFO, *SECTIONS)} | {
        column.label for each in SECTIONS for column in each.columns
    }

    assert labels | {"基本信息", "评标信息"} == ENGLISH.keys()


@pytest.mark.parametrize(
    "path",
    ["", "address", "basicInfo.nothing", "basicInfo.0", "titles.x", "titles.0.", "titles.0.school", "titles.certificate"],
)
def test_nothing_else_is_a_path(path: str) -> None:
    assert not is_path(path)
