"""What differs between two revisions of a profile, field by field and entry by entry, as reviewers read it (rules §4)."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from enum import Enum
from typing import Any
from uuid import UUID

from domain.rules.messages import Language
from domain.rules.profile_input import path_of
from models.enums import EntryChange, Vocabulary

Names = Mapping[str, str]
"""Names of codes by `TABLE:code`, e.g. `ETHNIC_GROUP:01`; a code without a name is shown as it is."""


class Show(Enum):
    """How the value of a column is shown."""

    PLAIN = "as text"
    PERSONAL = "clear to its owner, to others by the column <name>_masked"
    IMAGE = "as the image with this id"


@dataclass(frozen=True, slots=True)
class Shown:
    """A column that is compared: its Chinese label, and either how it is shown or the table that names its codes."""

    name: str
    label: str
    how: Show = Show.PLAIN
    table: str | None = None

    @property
    def path(self) -> str:
        """The GraphQL name of the field."""
        return path_of(self.name.removesuffix("_id") if self.how is Show.IMAGE else self.name)


@dataclass(frozen=True, slots=True)
class Section:
    """A section of entries; `title` is the column by which a reader tells its entries apart."""

    name: str
    label: str
    title: str
    columns: tuple[Shown, ...]


_CERTIFICATE = Shown("certificate_id", "证书图片", Show.IMAGE)

BASIC_INFO = (
    Shown("name", "姓名"),
    Shown("former_name", "曾用名"),
    Shown("id_type", "证件类型"),
    Shown("id_number", "证件号码", Show.PERSONAL),
    Shown("id_valid_from", "证件有效期起"),
    Shown("id_valid_until", "证件有效期至"),
    Shown("id_valid_long_term", "证件长期有效"),
    Shown("sex", "性别", table="SEX"),
    Shown("birth_date", "出生日期"),
    Shown("ethnic_group", "民族", table="ETHNIC_GROUP"),
    Shown("political_affiliation", "政治面貌", table="POLITICAL"),
    Shown("health", "健康状况"),
    Shown("portrait_id", "个人照片", Show.IMAGE),
    Shown("id_front_id", "证件人像面", Show.IMAGE),
    Shown("id_back_id", "证件国徽面", Show.IMAGE),
    Shown("second_phone", "备用电话", Show.PERSONAL),
    Shown("email", "电子邮箱", Show.PERSONAL),
    Shown("residence_code", "常住地区划", table="DIVISION"),
    Shown("address", "通讯地址", Show.PERSONAL),
    Shown("postcode", "邮政编码"),
    Shown("employer", "工作单位"),
    Shown("employer_credit_code", "单位统一社会信用代码"),
    Shown("employer_kind", "单位性质"),
    Shown("department", "部门"),
    Shown("post", "职务"),
    Shown("work_status", "在职状态"),
    Shown("working_since", "参加工作时间"),
    Shown("years_in_field", "从事专业年限"),
    Shown("source", "来源"),
)
EVALUATION_INFO = (Shown("home_pool_code", "隶属区划", table="DIVISION"),)

SECTIONS = (
    Section("evaluationInfo.specialties", "评标专业", "specialty_code", (Shown("specialty_code", "评标专业", table="SPECIALTY"),)),
    Section(
        "evaluationInfo.avoidanceUnits",
        "回避单位",
        "name",
        (Shown("name", "单位名称"), Shown("credit_code", "统一社会信用代码"), Shown("relation", "关系"), Shown("until", "回避期至")),
    ),
    Section(
        "education",
        "学历",
        "school",
        (
            Shown("school", "毕业院校"),
            Shown("started_on", "入学日期"),
            Shown("ended_on", "毕业日期"),
            Shown("major", "所学专业"),
            Shown("level", "学历", table="EDUCATION"),
            Shown("mode", "学习形式"),
            Shown("degree", "学位", table="DEGREE"),
            Shown("certificate_number", "证书编号"),
            Shown("is_highest", "最高学历"),
            _CERTIFICATE,
        ),
    ),
    Section(
        "titles",
        "职称",
        "title_code",
        (
            Shown("title_code", "职称", table="TITLE"),
            Shown("certificate_number", "证书编号"),
            Shown("obtained_on", "取得日期"),
            Shown("issuer", "发证机关"),
            _CERTIFICATE,
        ),
    ),
    Section(
        "workHistory",
        "工作履历",
        "employer",
        (
            Shown("started_on", "开始日期"),
            Shown("ended_on", "结束日期"),
            Shown("employer", "工作单位"),
            Shown("post", "职务"),
            Shown("duties", "工作内容"),
        ),
    ),
    Section(
        "qualifications",
        "执业资格",
        "qualification_code",
        (
            Shown("qualification_code", "执业资格", table="QUALIFICATION"),
            Shown("certificate_number", "证书编号"),
            Shown("obtained_on", "取得日期"),
            Shown("valid_until", "有效期至"),
            Shown("issuer", "发证机关"),
            _CERTIFICATE,
        ),
    ),
    Section("otherMaterials", "其他材料", "file_id", (Shown("file_id", "图片", Show.IMAGE),)),
)
"""Every section of a revision. The order of entries is no content: moving one is no difference."""


_FIELDS = frozenset({f"basicInfo.{each.path}" for each in BASIC_INFO} | {f"evaluationInfo.{each.path}" for each in EVALUATION_INFO})
_COLUMNS = {each.name: {column.path for column in each.columns} for each in SECTIONS}
_OF_ENTRY = re.compile(r"(?P<section>.+?)(\.(?P<place>[0-9]{1,2})(\.(?P<column>[A-Za-z]+))?)?")
SHOWN_BEFORE: Mapping[str, int] = {"evaluationInfo.avoidanceUnits": 1}
"""Entries that a section shows before those it keeps: the present employer is the first avoidance unit."""


def is_path(text: str) -> bool:
    """Whether a text names a part of the profile as `missing` does: a field, a section, an entry, a field of an entry."""
    if text in _FIELDS or text in ("basicInfo", "evaluationInfo"):
        return True
    found = _OF_ENTRY.fullmatch(text)
    return found is not None and found["section"] in _COLUMNS and found["column"] in {None, *_COLUMNS[found["section"]]}


def entry_of(path: str) -> tuple[str, int] | None:
    """The section and the index of the entry that a path names; None where it names none."""
    found = _OF_ENTRY.fullmatch(path)
    return (found["section"], int(found["place"])) if found and found["place"] and found["section"] in _COLUMNS else None


def label_of(path: str, language: Language) -> str:
    """A path of the profile in words, an entry by its place from 1: `titles.0.issuer` is 职称第 1 项：发证机关, title 1: issuer.

    Whatever separates the parts of the path. What is no path comes back as it is.
    """
    path = re.sub("[^A-Za-z0-9]", ".", path)
    found = _OF_ENTRY.fullmatch(path)
    if path in _LABELS or found is None or found["place"] is None or found["section"] not in _COLUMNS:
        return _in(language, _LABELS[path]) if path in _LABELS else path
    section, place = _in(language, _LABELS[found["section"]]), int(found["place"]) + 1
    entry = f"{section}第 {place} 项" if language == "zh" else f"{section} {place}"
    column = _LABELS.get(f"{found['section']}.{found['column']}")
    return entry if column is None else f"{entry}{'：' if language == 'zh' else ': '}{_in(language, column)}"


_LABELS: Mapping[str, str] = {
    "basicInfo": "基本信息",
    "evaluationInfo": "评标信息",
    **{f"basicInfo.{each.path}": each.label for each in BASIC_INFO},
    **{f"evaluationInfo.{each.path}": each.label for each in EVALUATION_INFO},
    **{each.name: each.label for each in SECTIONS},
    **{f"{each.name}.{column.path}": column.label for each in SECTIONS for column in each.columns},
}
"""The Chinese label of every path, without the indexes of entries."""


def _in(language: Language, label: str) -> str:
    return label if language == "zh" else ENGLISH[label]


ENGLISH: Mapping[str, str] = {
    "基本信息": "basic information",
    "姓名": "name",
    "曾用名": "former name",
    "证件类型": "kind of identity paper",
    "证件号码": "id number",
    "证件有效期起": "identity paper valid from",
    "证件有效期至": "identity paper valid until",
    "证件长期有效": "identity paper valid for life",
    "性别": "sex",
    "出生日期": "date of birth",
    "民族": "ethnic group",
    "政治面貌": "political affiliation",
    "健康状况": "health",
    "个人照片": "photo",
    "证件人像面": "identity paper, side with the portrait",
    "证件国徽面": "identity paper, side with the emblem",
    "备用电话": "second phone",
    "电子邮箱": "e-mail",
    "常住地区划": "division of residence",
    "通讯地址": "address",
    "邮政编码": "postcode",
    "工作单位": "employer",
    "单位统一社会信用代码": "employer's unified social credit code",
    "单位性质": "kind of employer",
    "部门": "department",
    "职务": "post",
    "在职状态": "work status",
    "参加工作时间": "working since",
    "从事专业年限": "years in the field",
    "来源": "source",
    "评标信息": "evaluation information",
    "隶属区划": "home division",
    "评标专业": "specialty",
    "回避单位": "avoidance unit",
    "单位名称": "name of the unit",
    "统一社会信用代码": "unified social credit code",
    "关系": "relation",
    "回避期至": "avoided until",
    "学历": "education",
    "毕业院校": "school",
    "入学日期": "from",
    "毕业日期": "to",
    "所学专业": "major",
    "学习形式": "mode of study",
    "学位": "degree",
    "证书编号": "certificate number",
    "最高学历": "highest education",
    "证书图片": "image of the certificate",
    "职称": "title",
    "取得日期": "obtained on",
    "发证机关": "issuer",
    "工作履历": "employment",
    "开始日期": "from",
    "结束日期": "to",
    "工作内容": "duties",
    "执业资格": "qualification",
    "有效期至": "valid until",
    "其他材料": "other material",
    "图片": "image",
}
"""What the labels say in English."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """The rows of one revision by column: its own, and those of each section by the section's name, in order."""

    own: Mapping[str, Any]
    sections: Mapping[str, Sequence[Mapping[str, Any]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Value:
    """A value as it is shown: clear and masked text, or an image; all empty where there is none."""

    text: str | None = None
    masked: str | None = None
    image: UUID | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDifference:
    """A field with what it held and what it holds."""

    path: str
    label: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class EntryDifference:
    """An entry that was added, removed or changed, with the fields that tell so; their paths begin at the entry."""

    section: str
    label: str
    entry_id: UUID
    change: EntryChange
    title: str | None
    fields: tuple[FieldDifference, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """Everything that differs, in the order of the form."""

    fields: tuple[FieldDifference, ...] = ()
    entries: tuple[EntryDifference, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.fields or self.entries)


def compare(before: Snapshot, after: Snapshot, names: Names) -> Difference:
    """What differs in `after` from `before`. Personal data are compared in clear: two numbers may look alike under their masks."""
    fields = [
        *_fields(BASIC_INFO, before.own, after.own, names, below="basicInfo."),
        *_fields(EVALUATION_INFO, before.own, after.own, names, below="evaluationInfo."),
    ]
    entries = [
        each for section in SECTIONS for each in _entries(section, before.sections[section.name], after.sections[section.name], names)
    ]
    return Difference(fields=tuple(fields), entries=tuple(entries))


def codes_in(*snapshots: Snapshot) -> set[str]:
    """The codes whose names `compare` will look for, as `TABLE:code`."""
    rows = [(column, each.own) for each in snapshots for column in (*BASIC_INFO, *EVALUATION_INFO)]
    rows += [
        (column, row) for each in snapshots for section in SECTIONS for row in each.sections[section.name] for column in section.columns
    ]
    return {f"{column.table}:{row[column.name]}" for column, row in rows if column.table is not None and row[column.name] is not None}


def _entries(
    section: Section, before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]], names: Names
) -> Iterator[EntryDifference]:
    """The later revision's entries in its order, then those that it has no more."""
    old, new = ({row["entry_id"]: row for row in rows} for rows in (before, after))
    for entry_id in (*new, *(each for each in old if each not in new)):
        earlier, later = old.get(entry_id), new.get(entry_id)
        fields = tuple(_fields(section.columns, earlier or {}, later or {}, names))
        if not fields:
            continue
        change = EntryChange.ADDED if earlier is None else EntryChange.REMOVED if later is None else EntryChange.CHANGED
        title = next(each for each in section.columns if each.name == section.title)
        yield EntryDifference(
            section=section.name,
            label=section.label,
            entry_id=entry_id,
            change=change,
            title=value_of(title, later or earlier or {}, names).text,
            fields=fields,
        )


def _fields(
    columns: Sequence[Shown], before: Mapping[str, Any], after: Mapping[str, Any], names: Names, *, below: str = ""
) -> Iterator[FieldDifference]:
    for column in columns:
        if before.get(column.name) != after.get(column.name):
            yield FieldDifference(
                path=below + column.path, label=column.label, before=value_of(column, before, names), after=value_of(column, after, names)
            )


def value_of(column: Shown, row: Mapping[str, Any], names: Names) -> Value:
    """What a column of a row holds, as it is shown."""
    value = row.get(column.name)
    if value is None:
        return Value()
    if column.how is Show.IMAGE:
        return Value(image=value)
    text = _text(value) if column.table is None else names.get(f"{column.table}:{value}", value)
    return Value(text=text, masked=row[f"{column.name}_masked"] if column.how is Show.PERSONAL else text)


def _text(value: Any) -> str:
    match value:
        case bool():
            return "是" if value else "否"
        case Vocabulary():
            return value.zh
        case date():
            return value.isoformat()
    return str(value)
