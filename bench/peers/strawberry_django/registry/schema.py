"""The measured part of the schema in strawberry-django: its types over the models, its optimizer, its connections, its transactions."""

from __future__ import annotations

import hmac
import json
import uuid
from collections.abc import Iterable
from datetime import date, datetime, timedelta
from enum import Enum
from typing import Annotated, Any

import strawberry
import strawberry_django
from django.db import connection, transaction
from django.db.models import Case, OuterRef, QuerySet, Subquery, Value, When
from django.db.models.functions import Concat
from registry import models
from registry.models import RegistryNow
from strawberry import auto
from strawberry.extensions import ParserCache, ValidationCache
from strawberry.schema.config import StrawberryConfig
from strawberry_django.optimizer import DjangoOptimizerExtension
from strawberry_django.relay import DjangoCursorConnection

KEY = b"k" * 32
OFFICERS = ("LOCAL_OFFICER", "PROVINCIAL_OFFICER")
AWAITING = ("SECOND_REVIEW", "FINAL_REVIEW", "OBJECTION")


def officer(info: strawberry.Info) -> models.Account:
    """The officer who asks. Raises PermissionError for everybody else."""
    account = info.context["account"]
    if account is None or account.role not in OFFICERS:
        raise PermissionError("NOT_ALLOWED")
    return account


def in_pool(rows: QuerySet, info: strawberry.Info, column: str) -> QuerySet:
    """Rows of the officer's pool; the province's officers have none and see all."""
    pool = officer(info).pool_code
    return rows if pool is None else rows.filter(**{column: pool})


def code_name(kind: str, column: str) -> Any:
    """The name of a code in a table of codes."""
    return strawberry_django.field(
        annotate=Subquery(models.Code.objects.filter(id=Concat(Value(f"{kind}:"), OuterRef(column))).values("name")[:1])
    )


def key(prefix: str) -> Any:
    """The id of a row as the registry writes it."""

    @strawberry_django.field(only=["id"])
    def written(root: Any) -> strawberry.ID:
        return strawberry.ID(f"{prefix}_{root.id}")

    return written


def column_of(relation: str) -> Any:
    """The key that a relation is kept by."""

    @strawberry_django.field(only=[relation])
    def code(root: Any) -> str | None:
        return getattr(root, f"{relation}_id")

    return code


@strawberry_django.type(models.Division)
class Division:
    code: auto
    name: auto


@strawberry_django.type(models.Specialty)
class Specialty:
    name: auto
    parent: Specialty | None


@strawberry_django.type(models.Title)
class Title:
    name: auto
    series: auto
    rank: auto


@strawberry_django.type(models.Qualification)
class Qualification:
    name: auto


@strawberry_django.type(models.File)
class File:
    id: strawberry.ID = key("File")
    media_type: auto
    width: auto
    height: auto


@strawberry_django.type(models.BasicInfo)
class BasicInfo:
    name: auto
    former_name: auto
    id_type: auto
    id_number_masked: auto
    id_valid_from: auto
    id_valid_until: auto
    id_valid_long_term: auto
    sex: auto
    sex_name: str | None = code_name("SEX", "sex")
    birth_date: auto
    ethnic_group: auto
    ethnic_group_name: str | None = code_name("ETHNIC_GROUP", "ethnic_group")
    political_affiliation: auto
    political_affiliation_name: str | None = code_name("POLITICAL", "political_affiliation")
    health: auto
    portrait: File | None
    id_front: File | None
    id_back: File | None
    second_phone_masked: auto
    email_masked: auto
    residence_code: str | None = column_of("residence")
    residence: Division | None
    address_masked: auto
    postcode: auto
    employer: auto
    employer_credit_code: auto
    employer_kind: auto
    department: auto
    post: auto
    work_status: auto
    working_since: auto
    years_in_field: auto
    source: auto


@strawberry_django.type(models.ChosenSpecialty)
class ChosenSpecialty:
    code: str = column_of("specialty")
    specialty: Specialty | None


@strawberry.type
class AvoidanceUnit:
    name: str
    credit_code: str | None
    relation: str | None
    until: date | None
    declared: bool


@strawberry_django.type(models.EvaluationInfo)
class EvaluationInfo:
    home_pool_code: str | None = column_of("home_pool")
    home_pool: Division | None
    specialties: list[ChosenSpecialty]

    @strawberry_django.field(only=["employer", "employer_credit_code"], prefetch_related=["declared_units"])
    def avoidance_units(self, root: strawberry.Parent[models.EvaluationInfo]) -> list[AvoidanceUnit]:
        found = [
            AvoidanceUnit(name=each.name, credit_code=each.credit_code, relation=each.relation, until=each.until, declared=True)
            for each in root.declared_units.all()
        ]
        if root.employer is None:
            return found
        own = AvoidanceUnit(name=root.employer, credit_code=root.employer_credit_code, relation="现工作单位", until=None, declared=False)
        return [own, *found]


@strawberry_django.type(models.Education)
class Education:
    id: strawberry.ID = key("Education")
    school: auto
    started_on: auto
    ended_on: auto
    major: auto
    level: auto
    level_name: str | None = code_name("EDUCATION", "level")
    mode: auto
    degree: auto
    degree_name: str | None = code_name("DEGREE", "degree")
    certificate_number: auto
    is_highest: auto
    certificate: File | None


@strawberry_django.type(models.TitleEntry)
class TitleEntry:
    id: strawberry.ID = key("TitleEntry")
    title_code: str | None = column_of("title")
    title: Title | None
    certificate_number: auto
    obtained_on: auto
    issuer: auto
    certificate: File | None


@strawberry_django.type(models.WorkEntry)
class WorkEntry:
    id: strawberry.ID = key("WorkEntry")
    started_on: auto
    ended_on: auto
    employer: auto
    post: auto
    duties: auto


@strawberry_django.type(models.QualificationEntry)
class QualificationEntry:
    id: strawberry.ID = key("QualificationEntry")
    qualification_code: str | None = column_of("qualification")
    qualification: Qualification | None
    certificate_number: auto
    obtained_on: auto
    valid_until: auto
    issuer: auto
    certificate: File | None


@strawberry_django.type(models.OtherMaterial)
class OtherMaterial:
    id: strawberry.ID = key("OtherMaterial")
    file: File | None


@strawberry_django.type(models.Revision)
class Profile:
    id: strawberry.ID = key("Profile")
    number: auto
    state: auto
    frozen_at: auto
    basic_info: BasicInfo
    evaluation_info: EvaluationInfo
    education: list[Education]
    titles: list[TitleEntry]
    work_history: list[WorkEntry]
    qualifications: list[QualificationEntry]
    other_materials: list[OtherMaterial]

    @classmethod
    def get_queryset(cls, queryset: QuerySet, info: strawberry.Info) -> QuerySet:
        return in_pool(queryset.exclude(state="DRAFT"), info, "home_pool_code")


@strawberry_django.type(models.ApplicationRecord)
class ApplicationRecord:
    number: auto
    at: auto
    move: auto
    from_stage: auto
    to_stage: auto
    actor_name: auto
    opinion: auto


@strawberry_django.type(models.Application)
class Application:
    id: strawberry.ID = key("Application")
    kind: auto
    stage: auto
    round: auto
    applicant: auto
    employer: auto
    pool_code: str | None = column_of("pool")
    pool: Division | None
    submitted_at: auto
    stage_since: auto
    due_at: auto
    overdue: bool = strawberry_django.field(annotate=Case(When(due_at__lt=RegistryNow(), then=Value(True)), default=Value(False)))
    profile: Profile | None = strawberry_django.field(field_name="revision")
    records: list[ApplicationRecord]

    @classmethod
    def get_queryset(cls, queryset: QuerySet, info: strawberry.Info) -> QuerySet:
        return in_pool(queryset.filter(round__gt=0), info, "pool_id")


@strawberry_django.type(models.NoticeSpecialty)
class NoticeSpecialty:
    code: str = column_of("specialty")
    specialty: Specialty | None


@strawberry_django.type(models.PublicNotice)
class PublicNotice:
    id: strawberry.ID = key("PublicNotice")
    name: auto
    employer: auto
    pool_code: str = column_of("pool")
    pool: Division | None
    opened_at: auto
    first_day: auto
    last_day: auto
    closes_at: auto
    tentative: auto
    specialties: list[NoticeSpecialty]


def case_key(id: str) -> uuid.UUID:
    return uuid.UUID(id.removeprefix("Application_"))


@strawberry.type
class Query:
    @strawberry_django.field
    def application(self, id: strawberry.ID) -> Application | None:
        return models.Application.objects.filter(id=case_key(id))

    @strawberry_django.connection(DjangoCursorConnection[Application])
    def applications(self) -> Iterable[models.Application]:
        return models.Application.objects.filter(stage__in=AWAITING).order_by("stage_since", "id")

    @strawberry_django.connection(DjangoCursorConnection[PublicNotice])
    def public_notices(self) -> Iterable[models.PublicNotice]:
        return models.PublicNotice.objects.filter(state="OPEN", closes_at__gt=RegistryNow()).order_by("closes_at", "id")


@strawberry.type
class Refused:
    code: str


@strawberry.enum
class Stage(Enum):
    FIRST_REVIEW = "FIRST_REVIEW"
    SECOND_REVIEW = "SECOND_REVIEW"
    FINAL_REVIEW = "FINAL_REVIEW"


@strawberry.input
class ApplicationApproveInput:
    application_id: strawberry.ID
    stage: Stage
    opinion: str


@strawberry.type
class Mutation:
    @strawberry_django.mutation
    def application_approve(
        self, info: strawberry.Info, input: ApplicationApproveInput
    ) -> Annotated[Application | Refused, strawberry.union("ApplicationApproveResult")]:
        """The verb: the same lock, checks, rows, chain and announcement as in the hand-written endpoint."""
        me, opinion = officer(info), input.opinion.strip()
        if me.role != "PROVINCIAL_OFFICER" or len(opinion) > 1_000:
            return Refused(code="NOT_ALLOWED")
        with transaction.atomic():
            case = (
                models.Application.objects.select_for_update()
                .annotate(now=RegistryNow())
                .filter(id=case_key(input.application_id), round__gt=0)
                .first()
            )
            if (
                case is None
                or case.stage != input.stage.value
                or (case.claimed_by_id not in (None, me.id) and case.claimed_until > case.now)
            ):
                return Refused(code="ALREADY_REVIEWED")
            if not may_decide(case, me):
                return Refused(code="NOT_ALLOWED")
            write_approval(case, me, opinion)
        return models.Application.objects.get(id=case.id, round__gt=0)


def may_decide(case: models.Application, me: models.Account) -> bool:
    """Whether the case is another person's, and this officer has not decided its final review."""
    applicant = models.Expert.objects.select_related("account").get(id=case.expert_id).account
    profile = models.Revision.objects.only("id_number_hash").get(id=case.revision_id)
    own = me.phone_hash == applicant.phone_hash or me.id_number_hash in (applicant.id_number_hash, profile.id_number_hash)
    return not own and not case.records.filter(actor_id=me.id, from_stage="FINAL_REVIEW").exists()


def write_approval(case: models.Application, me: models.Account, opinion: str) -> None:
    """Record, case and announcement."""
    list(models.CalendarDay.objects.values_list("date", "kind"))  # what the office's days are counted by
    before = case.last_hash
    record = models.ApplicationRecord(
        id=uuid.uuid4(), application_id=case.id, number=case.records_count + 1, round=case.round, at=case.now, actor_id=me.id,
        actor_name=me.name, actor_role=me.role, move="APPROVE", from_stage=case.stage, to_stage="FINAL_REVIEW",
        revision_id=case.revision_id, opinion=opinion, field_reasons=[], previous_hash=before,
    )  # fmt: skip
    told = {name: str(getattr(record, name)) for name in ("id", "application_id", "number", "round", "at", "actor_id", "actor_name")}
    told |= {"move": "APPROVE", "from_stage": case.stage, "to_stage": "FINAL_REVIEW", "opinion": opinion, "field_reasons": []}
    record.hash = hmac.digest(KEY, bytes(before) + json.dumps(told).encode(), "sha256")
    case.stage, case.stage_since, case.due_at = "FINAL_REVIEW", case.now, case.now + timedelta(days=7)
    case.claimed_by_id = case.claimed_by_name = case.claimed_until = None
    case.records_count, case.last_hash = record.number, record.hash
    case.save(
        update_fields=[
            "stage", "stage_since", "due_at", "claimed_by_id", "claimed_by_name", "claimed_until", "records_count", "last_hash",
        ]
    )  # fmt: skip
    record.save(force_insert=True)
    event = {"event": "applicationMoved", "application": str(case.id), "pool": case.pool_id, "stage": "FINAL_REVIEW"}
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify('registry_events', %s)", [json.dumps(event)])


def instant(value: datetime) -> str:
    """As the registry writes instants: always with microseconds."""
    return value.isoformat(timespec="microseconds")


INSTANT = strawberry.scalar(name="DateTime", serialize=instant, parse_value=datetime.fromisoformat)
schema = strawberry.Schema(
    Query,
    Mutation,
    extensions=[lambda: ParserCache(maxsize=100), lambda: ValidationCache(maxsize=100), DjangoOptimizerExtension],
    config=StrawberryConfig(scalar_map={datetime: INSTANT}),
)
