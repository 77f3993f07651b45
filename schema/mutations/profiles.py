"""Mutations of profiles: each section saved by itself into the viewer's draft, and images put in their places."""

from collections.abc import Callable
from dataclasses import fields, replace
from datetime import date
from typing import Annotated, Any, TypeVar
from uuid import UUID

import strawberry

from domain.actions import attachments, profiles
from domain.rules import profile_input
from domain.rules.errors import FieldProblem, InvalidInput
from domain.rules.errors import NotFound as NotFoundRefusal
from models.enums import EmployerKind, ExpertSource, HealthDeclaration, IdType, StudyMode, WorkStatus
from schema import problems as p
from schema.context import Info
from schema.nodes import Node, key_and_kind, key_of, wanted_key
from schema.types.files import File
from schema.types.profiles import Education, Profile, QualificationEntry, TitleEntry, WorkEntry

Section = TypeVar("Section", bound=profile_input.SectionInput)

_VERSION = "The `version` of the draft that you saw: if it was saved meanwhile, the answer is Stale. Leave it out to save in any case."
_ENTRY = "Global id of the entry to change, as read from any revision; leave it out to add one."
_KEY = (
    "Of your own choice, at most 100 characters, for a new entry: if the answer is lost, send the same again with the same key within 24 hours, "
    "and no second entry comes of it."
)
_NEW = "Required for a new entry."
_PARTIAL = "Fields that are left out stay as they are; null empties a field."


def _optional(description: str) -> Any:
    """A field that may be left out."""
    return strawberry.field(default=strawberry.UNSET, description=description)


def _to_domain(given: Any, kind: type[Section]) -> Section:
    """The fields that the input names."""
    named = {each.name: getattr(given, each.name) for each in fields(kind)}
    return kind(**{name: value for name, value in named.items() if value is not strawberry.UNSET})


@strawberry.input(description=f"Save fields of basic info 基本信息. {_PARTIAL}")
class BasicInfoSaveInput:
    """Input of basicInfoSave."""

    name: str | None = _optional("姓名: 2 to 50 characters, as on the paper; cannot be emptied.")
    former_name: str | None = _optional("曾用名.")
    id_type: IdType | None = _optional("证件类型; cannot be emptied.")
    id_number: str | None = _optional("证件号码: 18 places; full-width digits and a small x are put right; cannot be emptied.")
    id_valid_from: date | None = _optional("First day of the paper's validity.")
    id_valid_until: date | None = _optional("Last day of the paper's validity; not with `idValidLongTerm`.")
    id_valid_long_term: bool | None = _optional("长期: the paper is valid for life.")
    ethnic_group: str | None = _optional("民族: a code of `codes(kind: ETHNIC_GROUP)`.")
    political_affiliation: str | None = _optional("政治面貌: a code of `codes(kind: POLITICAL)`.")
    health: HealthDeclaration | None = _optional("健康状况.")
    second_phone: str | None = _optional("备用电话: mobile or fixed line of mainland China.")
    email: str | None = _optional("电子邮箱.")
    residence_code: str | None = _optional("常住地区划: a code of `divisions` that is no pool.")
    address: str | None = _optional("通讯地址: at most 200 characters.")
    postcode: str | None = _optional("邮政编码: six digits.")
    employer: str | None = _optional("工作单位: at most 120 characters; it is always the first avoidance unit.")
    employer_credit_code: str | None = _optional("单位统一社会信用代码: 18 places, GB 32100.")
    employer_kind: EmployerKind | None = _optional("单位性质.")
    department: str | None = _optional("部门: at most 120 characters.")
    post: str | None = _optional("职务: at most 120 characters.")
    work_status: WorkStatus | None = _optional("在职状态.")
    working_since: date | None = _optional("参加工作时间.")
    years_in_field: int | None = _optional("从事专业年限: 0 to 70 full years.")
    source: ExpertSource | None = _optional("来源.")
    expected_version: int | None = strawberry.field(default=None, description=_VERSION)


@strawberry.input(description="A unit that the expert declares to avoid, beside the present employer.")
class AvoidanceUnitInput:
    """An item of evaluationInfoSave."""

    name: str = strawberry.field(description="Name: at most 120 characters, each unit once.")
    credit_code: str | None = _optional("统一社会信用代码: 18 places, GB 32100.")
    relation: str = strawberry.field(description="What binds the expert to it: at most 120 characters.")
    until: date | None = _optional("Until when it must be avoided; left out: without end.")


@strawberry.input(description=f"Save evaluation info 评标信息. {_PARTIAL} A list takes the place of the whole list.")
class EvaluationInfoSaveInput:
    """Input of evaluationInfoSave."""

    home_pool_code: str | None = _optional(
        "隶属区划: a code of `divisions` with `poolSelectable`; a former code is kept as its present one."
    )
    specialties: list[str] | None = _optional("评标专业: at most three codes of level 3 of `specialties`, in your order.")
    avoidance_units: list[AvoidanceUnitInput] | None = _optional(
        "回避单位: those declared, at most 20; the present employer is added by itself."
    )
    expected_version: int | None = strawberry.field(default=None, description=_VERSION)


@strawberry.input(description=f"Add or change an education 学历. {_PARTIAL}")
class EducationSaveInput:
    """Input of educationSave."""

    id: strawberry.ID | None = strawberry.field(default=None, description=_ENTRY)
    school: str | None = _optional(f"毕业院校: at most 120 characters. {_NEW}")
    started_on: date | None = _optional(f"入学日期. {_NEW}")
    ended_on: date | None = _optional(f"毕业日期: not before the first day, not in the future. {_NEW}")
    major: str | None = _optional(f"所学专业: at most 120 characters. {_NEW}")
    level: str | None = _optional(f"学历: a selectable code of `codes(kind: EDUCATION)`. {_NEW}")
    mode: StudyMode | None = _optional(f"学习形式. {_NEW}")
    degree: str | None = _optional("学位: a selectable code of `codes(kind: DEGREE)`.")
    certificate_number: str | None = _optional("证书编号: at most 60 characters.")
    is_highest: bool | None = _optional("最高学历: true takes the mark from the entry that bore it.")
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)
    expected_version: int | None = strawberry.field(default=None, description=_VERSION)


@strawberry.input(description=f"Add or change a title 职称, at most five. {_PARTIAL}")
class TitleSaveInput:
    """Input of titleSave."""

    id: strawberry.ID | None = strawberry.field(default=None, description=_ENTRY)
    title_code: str | None = _optional(f"职称: the code of a selectable leaf of `titles`. {_NEW}")
    certificate_number: str | None = _optional(f"证书编号: at most 60 characters. {_NEW}")
    obtained_on: date | None = _optional(f"取得日期. {_NEW}")
    issuer: str | None = _optional(f"发证机关: at most 120 characters. {_NEW}")
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)
    expected_version: int | None = strawberry.field(default=None, description=_VERSION)


@strawberry.input(description=f"Add or change an employment of the work history 工作履历, at most five. {_PARTIAL}")
class WorkEntrySaveInput:
    """Input of workEntrySave."""

    id: strawberry.ID | None = strawberry.field(default=None, description=_ENTRY)
    started_on: date | None = _optional(f"开始日期. {_NEW}")
    ended_on: date | None = _optional("结束日期; left out or null: it lasts.")
    employer: str | None = _optional(f"工作单位: at most 120 characters. {_NEW}")
    post: str | None = _optional(f"职务: at most 120 characters. {_NEW}")
    duties: str | None = _optional(f"工作内容: at most 1000 characters, several lines allowed. {_NEW}")
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)
    expected_version: int | None = strawberry.field(default=None, description=_VERSION)


@strawberry.input(description=f"Add or change a professional qualification 执业资格, at most five. {_PARTIAL}")
class QualificationSaveInput:
    """Input of qualificationSave."""

    id: strawberry.ID | None = strawberry.field(default=None, description=_ENTRY)
    qualification_code: str | None = _optional(f"执业资格: a code of `qualifications`. {_NEW}")
    certificate_number: str | None = _optional(f"证书编号: at most 60 characters. {_NEW}")
    obtained_on: date | None = _optional(f"取得日期. {_NEW}")
    valid_until: date | None = _optional("有效期至; left out or null: it does not lapse.")
    issuer: str | None = _optional(f"发证机关: at most 120 characters. {_NEW}")
    idempotency_key: str | None = strawberry.field(default=None, description=_KEY)
    expected_version: int | None = strawberry.field(default=None, description=_VERSION)


@strawberry.input(description="Take an education out of the draft.")
class EducationRemoveInput:
    """Input of educationRemove."""

    id: strawberry.ID = strawberry.field(description="Global id of the entry.")
    expected_version: int | None = strawberry.field(default=None, description=_VERSION)


@strawberry.input(description="Take a title out of the draft.")
class TitleRemoveInput:
    """Input of titleRemove."""

    id: strawberry.ID = strawberry.field(description="Global id of the entry.")
    expected_version: int | None = strawberry.field(default=None, description=_VERSION)


@strawberry.input(description="Take an employment out of the draft.")
class WorkEntryRemoveInput:
    """Input of workEntryRemove."""

    id: strawberry.ID = strawberry.field(description="Global id of the entry.")
    expected_version: int | None = strawberry.field(default=None, description=_VERSION)


@strawberry.input(description="Take a qualification out of the draft.")
class QualificationRemoveInput:
    """Input of qualificationRemove."""

    id: strawberry.ID = strawberry.field(description="Global id of the entry.")
    expected_version: int | None = strawberry.field(default=None, description=_VERSION)


@strawberry.input(description="Put an uploaded image where its purpose belongs.")
class FileAttachInput:
    """Input of fileAttach."""

    file_id: strawberry.ID = strawberry.field(description="Global id of one of your files.")
    entry_id: strawberry.ID | None = strawberry.field(
        default=None, description="For a certificate: global id of the education, title or qualification it proves; otherwise left out."
    )
    expected_version: int | None = strawberry.field(default=None, description=_VERSION)


@strawberry.input(description="Take an image out of the draft.")
class FileDetachInput:
    """Input of fileDetach."""

    file_id: strawberry.ID = strawberry.field(description="Global id of one of your files.")
    entry_id: strawberry.ID | None = strawberry.field(
        default=None, description="Take it from this entry alone; left out: from everywhere in the draft."
    )
    expected_version: int | None = strawberry.field(default=None, description=_VERSION)


_Saved = Profile | p.InvalidInput | p.NotAllowed | p.NotSignedIn | p.Stale | p.Unavailable
_Removed = Profile | p.NotAllowed | p.NotFound | p.NotSignedIn | p.Stale | p.Unavailable
_SavedEntry = p.InvalidInput | p.KeyReused | p.NotAllowed | p.NotFound | p.NotSignedIn | p.Stale | p.Unavailable

BasicInfoSaveResult = Annotated[
    _Saved | p.Taken | p.TooSoon,
    strawberry.union("BasicInfoSaveResult", description="The draft with its new version, or why it was not saved."),
]
EvaluationInfoSaveResult = Annotated[
    _Saved, strawberry.union("EvaluationInfoSaveResult", description="The draft with its new version, or why it was not saved.")
]
EducationSaveResult = Annotated[
    Education | _SavedEntry, strawberry.union("EducationSaveResult", description="The entry, or why it was not saved.")
]
TitleSaveResult = Annotated[
    TitleEntry | _SavedEntry, strawberry.union("TitleSaveResult", description="The entry, or why it was not saved.")
]
WorkEntrySaveResult = Annotated[
    WorkEntry | _SavedEntry, strawberry.union("WorkEntrySaveResult", description="The entry, or why it was not saved.")
]
QualificationSaveResult = Annotated[
    QualificationEntry | _SavedEntry, strawberry.union("QualificationSaveResult", description="The entry, or why it was not saved.")
]
EducationRemoveResult = Annotated[
    _Removed, strawberry.union("EducationRemoveResult", description="The draft without the entry, or why it is still there.")
]
TitleRemoveResult = Annotated[
    _Removed, strawberry.union("TitleRemoveResult", description="The draft without the entry, or why it is still there.")
]
WorkEntryRemoveResult = Annotated[
    _Removed, strawberry.union("WorkEntryRemoveResult", description="The draft without the entry, or why it is still there.")
]
QualificationRemoveResult = Annotated[
    _Removed, strawberry.union("QualificationRemoveResult", description="The draft without the entry, or why it is still there.")
]
FileAttachResult = Annotated[
    _Saved, strawberry.union("FileAttachResult", description="The draft with the image, or why it was not put there.")
]
FileDetachResult = Annotated[
    _Removed, strawberry.union("FileDetachResult", description="The draft without the image, or why it is still there.")
]


@strawberry.type
class ProfileMutations:
    """Doors of domain.actions.profiles and domain.actions.attachments."""

    @strawberry.mutation(
        description="Save fields of basic info 基本信息 into your draft; the first save opens the draft, and the case of a temporary expert. "
        "Of a formal expert, fields that the province lets take effect at once do so; where nothing else differs, no draft is left and the "
        "answer is the profile in force."
    )
    async def basic_info_save(self, info: Info, input: BasicInfoSaveInput) -> BasicInfoSaveResult:
        """See profiles.save_basic_info."""
        given = _to_domain(input, profile_input.BasicInfo)
        return Profile(row=await profiles.save_basic_info(given, **_by(info, input)))

    @strawberry.mutation(description="Save home pool, specialties and declared avoidance units 评标信息 into your draft.")
    async def evaluation_info_save(self, info: Info, input: EvaluationInfoSaveInput) -> EvaluationInfoSaveResult:
        """See profiles.save_evaluation_info."""
        given = _to_domain(input, profile_input.EvaluationInfo)
        if input.avoidance_units:
            units = [_to_domain(each, profile_input.AvoidanceUnitInput) for each in input.avoidance_units]
            given = replace(given, avoidance_units=units)
        return Profile(row=await profiles.save_evaluation_info(given, **_by(info, input)))

    @strawberry.mutation(description="Add an education 学历 to your draft, or change one. Its certificate is put there with `fileAttach`.")
    async def education_save(self, info: Info, input: EducationSaveInput) -> EducationSaveResult:
        """See profiles.save_education."""
        return Education(row=await _save(profiles.save_education, profile_input.EducationInput, Education, info, input))

    @strawberry.mutation(description="Take an education out of your draft; earlier revisions keep theirs.")
    async def education_remove(self, info: Info, input: EducationRemoveInput) -> EducationRemoveResult:
        """See profiles.remove_education."""
        return await _remove(profiles.remove_education, Education, info, input)

    @strawberry.mutation(description="Add a title 职称 to your draft, or change one. Its certificate is put there with `fileAttach`.")
    async def title_save(self, info: Info, input: TitleSaveInput) -> TitleSaveResult:
        """See profiles.save_title."""
        return TitleEntry(row=await _save(profiles.save_title, profile_input.TitleInput, TitleEntry, info, input))

    @strawberry.mutation(description="Take a title out of your draft; earlier revisions keep theirs.")
    async def title_remove(self, info: Info, input: TitleRemoveInput) -> TitleRemoveResult:
        """See profiles.remove_title."""
        return await _remove(profiles.remove_title, TitleEntry, info, input)

    @strawberry.mutation(description="Add an employment 工作履历 to your draft, or change one.")
    async def work_entry_save(self, info: Info, input: WorkEntrySaveInput) -> WorkEntrySaveResult:
        """See profiles.save_work_entry."""
        return WorkEntry(row=await _save(profiles.save_work_entry, profile_input.WorkEntryInput, WorkEntry, info, input))

    @strawberry.mutation(description="Take an employment out of your draft; earlier revisions keep theirs.")
    async def work_entry_remove(self, info: Info, input: WorkEntryRemoveInput) -> WorkEntryRemoveResult:
        """See profiles.remove_work_entry."""
        return await _remove(profiles.remove_work_entry, WorkEntry, info, input)

    @strawberry.mutation(
        description="Add a professional qualification 执业资格 to your draft, or change one. Its certificate is put there with `fileAttach`."
    )
    async def qualification_save(self, info: Info, input: QualificationSaveInput) -> QualificationSaveResult:
        """See profiles.save_qualification."""
        saved = await _save(profiles.save_qualification, profile_input.QualificationInput, QualificationEntry, info, input)
        return QualificationEntry(row=saved)

    @strawberry.mutation(description="Take a qualification out of your draft; earlier revisions keep theirs.")
    async def qualification_remove(self, info: Info, input: QualificationRemoveInput) -> QualificationRemoveResult:
        """See profiles.remove_qualification."""
        return await _remove(profiles.remove_qualification, QualificationEntry, info, input)

    @strawberry.mutation(
        description="Put one of your uploaded images where its purpose belongs in your draft, in place of the image that stood there; "
        "certificates name their entry, other materials 其他材料 are added, at most three."
    )
    async def file_attach(self, info: Info, input: FileAttachInput) -> FileAttachResult:
        """See attachments.attach_file."""
        by, file = _by(info, input), key_of(input.file_id, File)
        if file is None:
            raise InvalidInput([FieldProblem("fileId", "FILE_UNKNOWN")])
        entry = _certified(input.entry_id)
        if input.entry_id is not None and entry is None:
            raise InvalidInput([FieldProblem("entryId", "ENTRY_UNFIT")])
        return Profile(row=await attachments.attach_file(file, entry=entry, **by))

    @strawberry.mutation(description="Take one of your images out of your draft; the image itself is kept.")
    async def file_detach(self, info: Info, input: FileDetachInput) -> FileDetachResult:
        """See attachments.detach_file."""
        by, entry = _by(info, input), _certified(input.entry_id)
        if input.entry_id is not None and entry is None:
            raise NotFoundRefusal
        return Profile(row=await attachments.detach_file(wanted_key(input.file_id, File), entry=entry, **by))


def _by(info: Info, input: Any) -> dict[str, Any]:
    """Who saves, when, and on what version; raises NotSignedIn, which goes before what is wrong with the input."""
    return {"viewer": info.context.signed_in(), "now": info.context.now, "expected_version": input.expected_version}


async def _save(verb: Callable[..., Any], section: type[profile_input.SectionInput], kind: type[Node], info: Info, input: Any) -> Any:
    by = _by(info, input)
    entry = None if input.id is None else wanted_key(input.id, kind)
    return await verb(_to_domain(input, section), entry=entry, key=input.idempotency_key, **by)


async def _remove(verb: Callable[..., Any], kind: type[Node], info: Info, input: Any) -> Profile:
    by = _by(info, input)
    return Profile(row=await verb(wanted_key(input.id, kind), **by))


def _certified(global_id: strawberry.ID | None) -> UUID | None:
    """The row behind the global id of an entry that has a certificate; None for anything else."""
    kind, key = key_and_kind(global_id) if global_id is not None else (None, None)
    return key if kind in (Education, TitleEntry, QualificationEntry) else None
