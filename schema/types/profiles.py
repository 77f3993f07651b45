"""Profiles: one revision of what a person tells of themselves, section by section."""

import asyncio
from datetime import date, datetime
from itertools import chain
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from domain.actions.completeness import facts_of
from domain.actions.eligibility import report_of
from domain.actions.forms import check_code_of
from domain.rules import completeness
from domain.rules.forms import PRESENT_EMPLOYER, is_code
from models import applications, profiles, reference
from models.enums import (
    CodeKind,
    EmployerKind,
    ExpertSource,
    HealthDeclaration,
    IdType,
    Move,
    RevisionState,
    Role,
    StudyMode,
    WorkStatus,
)
from schema.context import Info
from schema.nodes import Computed, Node, One, Selected, cell, column, many, one, part, record
from schema.problems import FieldProblem
from schema.types.eligibility import EligibilityReport
from schema.types.reference import Division, Qualification, Specialty, Title

if TYPE_CHECKING:
    from schema.types.applications import Application
    from schema.types.experts import Expert
    from schema.types.files import File

_File = Annotated["File", strawberry.lazy("schema.types.files")]
_Profile = Annotated["Profile", strawberry.lazy("schema.types.profiles")]

# A revision is visible to one expert alone, the one it belongs to (domain/reads.py): what experts see is the owner's.
_OWNER = (Role.EXPERT,)
_ENTRY_ID = (
    "Stays the same from revision to revision, as `id` does not: `FieldReason` and `EntryDifference` name the entry by it. No global id."
)
_POSITION = "Its index in the section, as paths name it, follows the order of the list."


def _entry_id() -> Any:
    return column("entry_id", _ENTRY_ID, convert=str, sql="{t}.entry_id::text")


def _image(key: str, description: str) -> Any:
    return one("File", key, description)


def _name_of(name: str, kind: CodeKind, description: str) -> Any:
    """The name that a code table gives to a column's code."""

    async def resolve(root: Any, info: Info) -> Any:
        code = getattr(root.row, name)
        found = await info.context.load_one(reference.Code, "id", code and f"{kind.value}:{code}")
        return found and found.name  # type: ignore[attr-defined]  # a row of the code tables

    sql = f"(SELECT c.name FROM codes c WHERE c.id = '{kind.value}:' || {{t}}.{name})"  # noqa: S608  our own names
    return strawberry.field(resolver=resolve, description=description, metadata={"source": Computed(sql)})


@strawberry.type(
    description="基本信息. What submission requires says so here, and `Profile.missing` what is lacking; sex and birth date are read off the id number."
)
class BasicInfo:
    """Over the revision's row."""

    row: strawberry.Private[profiles.Revision]
    name: str | None = column("name", "姓名, required to submit.")
    former_name: str | None = column("former_name", "曾用名.")
    id_type: IdType | None = column("id_type", "证件类型, required to submit.")
    id_number: str | None = column(
        "id_number", "证件号码, required to submit; its owner alone sees it here, others the masked one.", only=_OWNER
    )
    id_number_masked: str | None = column("id_number_masked", "The id number, all but the places of the province and the last one hidden.")
    id_valid_from: date | None = column("id_valid_from", "First day of the paper's validity, required to submit.")
    id_valid_until: date | None = column(
        "id_valid_until", "Last day of the paper's validity, required to submit unless it is valid for life."
    )
    id_valid_long_term: bool = column("id_valid_long_term", "长期: the paper is valid for life.")
    sex: str | None = column("sex", "性别, GB/T 2261.1; read off the id number.")
    sex_name: str | None = _name_of("sex", CodeKind.SEX, "Its Chinese name.")
    birth_date: date | None = column("birth_date", "出生日期; read off the id number.")
    ethnic_group: str | None = column("ethnic_group", "民族, GB/T 3304, required to submit; see `codes(kind: ETHNIC_GROUP)`.")
    ethnic_group_name: str | None = _name_of("ethnic_group", CodeKind.ETHNIC_GROUP, "Its Chinese name.")
    political_affiliation: str | None = column(
        "political_affiliation", "政治面貌, GB/T 4762, required to submit; see `codes(kind: POLITICAL)`."
    )
    political_affiliation_name: str | None = _name_of("political_affiliation", CodeKind.POLITICAL, "Its Chinese name.")
    health: HealthDeclaration | None = column("health", "健康状况, required to submit.")
    portrait: _File | None = _image("portrait_id", "个人照片, required to submit.")
    id_front: _File | None = _image("id_front_id", "证件人像面, required to submit.")
    id_back: _File | None = _image("id_back_id", "证件国徽面, required to submit.")
    second_phone: str | None = column("second_phone", "备用电话; its owner alone sees it here.", only=_OWNER)
    second_phone_masked: str | None = column("second_phone_masked", "The second phone, its middle hidden.")
    email: str | None = column("email", "电子邮箱; its owner alone sees it here.", only=_OWNER)
    email_masked: str | None = column("email_masked", "The e-mail address, its name hidden.")
    residence_code: str | None = column("residence_code", "常住地区划, required to submit; see `divisions`.")
    residence: Division | None = one("Division", "residence_code", "The division of residence.", to="code")
    address: str | None = column("address", "通讯地址, required to submit; its owner alone sees it here.", only=_OWNER)
    address_masked: str | None = column("address_masked", "The address down to the county.")
    postcode: str | None = column("postcode", "邮政编码.")
    employer: str | None = column("employer", "工作单位, required to submit.")
    employer_credit_code: str | None = column("employer_credit_code", "单位统一社会信用代码, GB 32100.")
    employer_kind: EmployerKind | None = column("employer_kind", "单位性质, required to submit.")
    department: str | None = column("department", "部门.")
    post: str | None = column("post", "职务.")
    work_status: WorkStatus | None = column("work_status", "在职状态, required to submit.")
    working_since: date | None = column("working_since", "参加工作时间, required to submit.")
    years_in_field: int | None = column("years_in_field", "从事专业年限 in full years, required to submit.")
    source: ExpertSource | None = column("source", "来源.")


@record(profiles.RevisionSpecialty, f"评标专业 of a profile. {_POSITION}")
class ChosenSpecialty(Node):
    """A specialty in a revision."""

    entry_id: str = _entry_id()
    code: str = column("specialty_code", "Code of the specialty.")
    specialty: Specialty | None = one("Specialty", "specialty_code", "The node of the tree.", to="code")


@strawberry.type(description="回避单位: a unit whose projects the expert must not evaluate.")
class AvoidanceUnit:
    """Declared by the expert, or the present employer."""

    name: str = cell("name", "Name of the unit.")
    credit_code: str | None = cell("credit_code", "统一社会信用代码.")
    relation: str = cell("relation", "What binds the expert to it; 现工作单位 for the present employer.")
    until: date | None = cell("until", "Until when it must be avoided; empty: without end.")
    declared: bool = cell("declared", "False for the present employer, which always stands first and cannot be removed.")
    entry_id: str | None = cell("entry_id", f"{_ENTRY_ID} Empty for the present employer.")


_AVOIDANCE = f"""SELECT * FROM (
    SELECT 0 AS part, 0 AS position, NULL::uuid AS id, {{t}}.employer AS name, {{t}}.employer_credit_code AS credit_code,
        '{PRESENT_EMPLOYER}' AS relation, NULL::date AS until, FALSE AS declared, NULL::text AS entry_id WHERE {{t}}.employer IS NOT NULL
    UNION ALL
    SELECT 1, a.position, a.id, a.name, a.credit_code, a.relation, a.until, TRUE, a.entry_id::text FROM avoidance_units a WHERE a.revision_id = {{t}}.id
) units ORDER BY part, position, id"""  # noqa: S608  our own names


@strawberry.type(description="评标信息: where and for what the expert can be drawn.")
class EvaluationInfo:
    """Over the revision's row."""

    row: strawberry.Private[profiles.Revision]
    home_pool_code: str | None = column(
        "home_pool_code",
        "隶属区划: code of the pool of the place of permanent residence, required to submit. It stays as it was chosen: where that pool was "
        "closed into another, `Division.poolCode`, `Application.pool` and `Expert.pool` name the one that has taken its place.",
    )
    home_pool: Division | None = one("Division", "home_pool_code", "The home pool.", to="code")
    evaluation_pools: list[Division] = many(
        "Division",
        "code",
        "评标区划: where the expert evaluates; the home pool is the only choice.",
        order="{t}.code",
        key="home_pool_code",
    )
    specialties: list[ChosenSpecialty] = many("ChosenSpecialty", "revision_id", "评标专业: one to three, required to submit.")

    @strawberry.field(description="回避单位: the present employer first, then those declared.", metadata={"source": Selected(_AVOIDANCE)})
    async def avoidance_units(self, info: Info) -> list[AvoidanceUnit]:
        """The employer is derived and kept once, in basic info."""
        row = self.row
        found: Any = await info.context.load_many(profiles.AvoidanceUnit, "revision_id", row.id, "{t}.position, {t}.id")
        declared = [
            AvoidanceUnit(
                name=each.name,
                credit_code=each.credit_code,
                relation=each.relation,
                until=each.until,
                declared=True,
                entry_id=str(each.entry_id),
            )
            for each in found
        ]
        if row.employer is None:
            return declared
        employer = AvoidanceUnit(
            name=row.employer, credit_code=row.employer_credit_code, relation=PRESENT_EMPLOYER, until=None, declared=False, entry_id=None
        )
        return [employer, *declared]


@record(profiles.Education, f"学历: a completed education. {_POSITION}")
class Education(Node):
    """An education."""

    entry_id: str = _entry_id()
    school: str = column("school", "毕业院校.")
    started_on: date = column("started_on", "入学日期.")
    ended_on: date = column("ended_on", "毕业日期.")
    major: str = column("major", "所学专业.")
    level: str = column("level", "学历, GB/T 4658; see `codes(kind: EDUCATION)`.")
    level_name: str | None = _name_of("level", CodeKind.EDUCATION, "Its Chinese name.")
    mode: StudyMode = column("mode", "学习形式.")
    degree: str | None = column("degree", "学位, GB/T 6864; see `codes(kind: DEGREE)`.")
    degree_name: str | None = _name_of("degree", CodeKind.DEGREE, "Its Chinese name.")
    certificate_number: str | None = column("certificate_number", "证书编号.")
    is_highest: bool = column("is_highest", "最高学历: exactly one entry must be it to submit.")
    certificate: _File | None = _image("certificate_id", "证书图片, required to submit.")
    profile: _Profile | None = one("Profile", "revision_id", "The revision it belongs to.")


@record(profiles.TitleEntry, f"职称: a title held. {_POSITION}")
class TitleEntry(Node):
    """A title of a person."""

    entry_id: str = _entry_id()
    title_code: str = column("title_code", "Code of a leaf of the title tree; see `titles`.")
    title: Title | None = one("Title", "title_code", "The node of the tree.", to="code")
    certificate_number: str = column("certificate_number", "证书编号.")
    obtained_on: date = column("obtained_on", "取得日期.")
    issuer: str = column("issuer", "发证机关.")
    certificate: _File | None = _image("certificate_id", "证书图片, required to submit.")
    profile: _Profile | None = one("Profile", "revision_id", "The revision it belongs to.")


@record(profiles.WorkEntry, f"工作履历: an employment. {_POSITION}")
class WorkEntry(Node):
    """An employment."""

    entry_id: str = _entry_id()
    started_on: date = column("started_on", "开始日期.")
    ended_on: date | None = column("ended_on", "结束日期; empty while it lasts.")
    employer: str = column("employer", "工作单位.")
    post: str = column("post", "职务.")
    duties: str = column("duties", "工作内容.")
    profile: _Profile | None = one("Profile", "revision_id", "The revision it belongs to.")


@record(profiles.QualificationEntry, f"执业资格: a professional qualification held. {_POSITION}")
class QualificationEntry(Node):
    """A qualification of a person."""

    entry_id: str = _entry_id()
    qualification_code: str = column("qualification_code", "Code of the national list; see `qualifications`.")
    qualification: Qualification | None = one("Qualification", "qualification_code", "The entry of the list.", to="code")
    certificate_number: str = column("certificate_number", "证书编号.")
    obtained_on: date = column("obtained_on", "取得日期.")
    valid_until: date | None = column("valid_until", "有效期至; empty: it does not lapse.")
    issuer: str = column("issuer", "发证机关.")
    certificate: _File | None = _image("certificate_id", "证书图片, required to submit.")
    profile: _Profile | None = one("Profile", "revision_id", "The revision it belongs to.")


@record(profiles.OtherMaterial, f"其他材料: the signed application form 申请表 and other images. {_POSITION}")
class OtherMaterial(Node):
    """An image among the other materials."""

    entry_id: str = _entry_id()
    file: _File | None = _image("file_id", "The image.")


_CASE = """CASE WHEN {t}.state = 'DRAFT'
    THEN (SELECT c.id FROM applications c WHERE c.expert_id = {t}.expert_id AND c.closed_at IS NULL)
    ELSE (SELECT c.id FROM applications c JOIN application_records r ON r.application_id = c.id
        WHERE c.expert_id = {t}.expert_id AND r.revision_id = {t}.id AND r.move = 'SUBMIT') END"""


@record(profiles.Revision, "One revision of a profile. Only a draft can be edited; what reviewers saw never changes.")
class Profile(Node):
    """A revision."""

    number: int = column("number", "Place in the person's chain of revisions, from 1.")
    state: RevisionState = column("state", "Draft, frozen, in force or past.")
    version: int = column(
        "version",
        "Rises with each save, and no two drafts ever have the same; give it as `expectedVersion` to be told when somebody saved meanwhile.",
    )
    created_at: datetime = column("created_at", "When it was opened.")
    updated_at: datetime = column("updated_at", "When it was last saved.")
    frozen_at: datetime | None = column("frozen_at", "When it was submitted, or took effect at once.")
    changed_at_once: list[str] | None = column(
        "changed_at_once",
        "Paths of the fields in which it differs from the one in force before, where it took effect at once and without reviews; else empty.",
    )
    basic_info: BasicInfo = part(BasicInfo, "基本信息.")
    evaluation_info: EvaluationInfo = part(EvaluationInfo, "评标信息.")
    education: list[Education] = many(
        "Education", "revision_id", "学历: at least one, exactly one of them the highest, required to submit."
    )
    titles: list[TitleEntry] = many(
        "TitleEntry", "revision_id", "职称: at most five. To submit, at least one, or a qualification in its place."
    )
    work_history: list[WorkEntry] = many("WorkEntry", "revision_id", "工作履历: one to five, required to submit.")
    qualifications: list[QualificationEntry] = many("QualificationEntry", "revision_id", "执业资格: at most five.")
    other_materials: list[OtherMaterial] = many("OtherMaterial", "revision_id", "其他材料: the signed application form, at most three.")

    expert: Annotated["Expert", strawberry.lazy("schema.types.experts")] | None = one("Expert", "expert_id", "Whose it is.")

    @strawberry.field(
        description="The case that it was submitted with. Of a draft, the open case that it would be submitted with: in the draft of a temporary "
        "expert from the first save on. Null where none is open, as after a cancellation: `applicationSubmit` without an id opens one, and "
        "`changeSubmit` that of a change; and for what took effect at once.",
        metadata={"source": One("Application", "", "id", _CASE)},
    )
    async def application(self, info: Info) -> Annotated["Application", strawberry.lazy("schema.types.applications")] | None:
        """By the records of the expert's cases."""
        from schema.types.applications import Application  # noqa: PLC0415  cases lead to profiles

        load = info.context.load_many
        cases: list[Any] = await load(applications.Application, "expert_id", self.row.expert_id)
        if self.row.state is RevisionState.DRAFT:
            row = next((each for each in cases if each.closed_at is None), None)
        else:
            records: Any = await asyncio.gather(*(load(applications.ApplicationRecord, "application_id", each.id) for each in cases))
            sent = {each.application_id for each in chain(*records) if each.revision_id == self.row.id and each.move is Move.SUBMIT}
            row = next((each for each in cases if each.id in sent), None)
        return None if row is None else Application(row=row)

    @strawberry.field(
        description="What submission requires and this profile lacks, field by field in the order of the form; empty when it is complete. "
        "An identity paper that has expired counts as lacking in a draft. Paths are those of this type: `basicInfo.portrait`, `education`, `titles.0.certificate`."
    )
    async def missing(self, info: Info) -> list[FieldProblem]:
        """By completeness.missing."""
        required = info.context.settings.application_form_required
        found = completeness.missing(await facts_of(self.row, now=info.context.now), application_form_required=required)
        return [FieldProblem.of(each, info.context.language) for each in found]

    @strawberry.field(
        description="入库条件核对: how the profile stands to the conditions of admission. Of a submitted profile, as it stood on that day, for "
        "good; of a draft, as it would stand today. It informs and never decides."
    )
    async def eligibility(self, info: Info) -> EligibilityReport:
        """By eligibility.report."""
        return EligibilityReport.of(await report_of(self.row, now=info.context.now), info.context.language)

    @strawberry.field(
        description="校验码: the check code printed on the application form of this revision as it is now. It changes with what the form shows, and "
        "not with the scans handed in beside it."
    )
    async def form_code(self) -> str:
        """By forms.check_code_of."""
        return await check_code_of(self.row.id)

    @strawberry.field(description="Whether a form on paper with this check code shows what this revision holds.")
    async def form_matches(
        self,
        code: Annotated[str, strawberry.argument(description="As printed; hyphens, case, and O for 0 or I and L for 1 do not matter.")],
    ) -> bool:
        """By forms.is_code."""
        return is_code(code, await check_code_of(self.row.id))

    @strawberry.field(
        description="What hinders nothing and should be looked at again: blurred images, an unknown region in the id number, an identity paper "
        "that has expired since the submission."
    )
    async def warnings(self, info: Info) -> list[FieldProblem]:
        """By completeness.warnings."""
        return [
            FieldProblem.of(each, info.context.language) for each in completeness.warnings(await facts_of(self.row, now=info.context.now))
        ]
