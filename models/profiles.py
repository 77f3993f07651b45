"""Profiles: a chain of revisions, each with its sections (rules §3, §4)."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from tortoise import fields

from models.enums import (
    EmployerKind,
    ExpertSource,
    HealthDeclaration,
    IdType,
    RevisionState,
    StudyMode,
    WorkStatus,
)
from models.experts import Expert
from models.files import StoredFile
from models.ids import new_id
from models.row import Row
from models.sealing import SealedField

_File = fields.ForeignKeyNullableRelation[StoredFile]


def _image() -> _File:
    return fields.ForeignKeyField("models.StoredFile", related_name=False, null=True, on_delete=fields.RESTRICT)


class Revision(Row):
    """One revision of a profile with its basic and evaluation info. Rows of a revision that is no draft never change (trigger of 0002)."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    expert_id: UUID
    expert: fields.ForeignKeyRelation[Expert] = fields.ForeignKeyField(
        "models.Expert", "revisions", db_index=True, on_delete=fields.RESTRICT
    )
    number = fields.IntField()
    base_id = fields.UUIDField(null=True)
    state = fields.CharEnumField(RevisionState, max_length=20, default=RevisionState.DRAFT)
    version = fields.IntField(default=0)
    created_at = fields.DatetimeField()
    updated_at = fields.DatetimeField()
    frozen_at = fields.DatetimeField(null=True)

    # Basic info 基本信息
    name = fields.CharField(max_length=60, null=True)
    former_name = fields.CharField(max_length=60, null=True)
    id_type = fields.CharEnumField(IdType, max_length=30, null=True)
    id_number = SealedField("revision.id_number", null=True)
    id_number_hash = fields.BinaryField(null=True)
    id_number_masked = fields.CharField(max_length=30, null=True)
    id_valid_from = fields.DateField(null=True)
    id_valid_until = fields.DateField(null=True)
    id_valid_long_term = fields.BooleanField(default=False)
    sex = fields.CharField(max_length=1, null=True)
    birth_date = fields.DateField(null=True)
    ethnic_group = fields.CharField(max_length=2, null=True)
    political_affiliation = fields.CharField(max_length=2, null=True)
    health = fields.CharEnumField(HealthDeclaration, max_length=10, null=True)
    portrait_id: UUID | None
    portrait: _File = _image()
    id_front_id: UUID | None
    id_front: _File = _image()
    id_back_id: UUID | None
    id_back: _File = _image()
    second_phone = SealedField("revision.second_phone", null=True)
    second_phone_masked = fields.CharField(max_length=20, null=True)
    email = SealedField("revision.email", null=True)
    email_masked = fields.CharField(max_length=120, null=True)
    residence_code = fields.CharField(max_length=6, null=True)
    address = SealedField("revision.address", null=True)
    address_masked = fields.CharField(max_length=200, null=True)
    postcode = fields.CharField(max_length=6, null=True)
    employer = fields.CharField(max_length=120, null=True)
    employer_credit_code = fields.CharField(max_length=18, null=True)
    employer_kind = fields.CharEnumField(EmployerKind, max_length=30, null=True)
    department = fields.CharField(max_length=120, null=True)
    post = fields.CharField(max_length=120, null=True)
    work_status = fields.CharEnumField(WorkStatus, max_length=20, null=True)
    working_since = fields.DateField(null=True)
    years_in_field = fields.IntField(null=True)
    source = fields.CharEnumField(ExpertSource, max_length=20, null=True)

    # Evaluation info 评标信息
    home_pool_code = fields.CharField(max_length=6, null=True)

    changed_at_once = fields.JSONField[list[str] | None](null=True)  # paths of what came into force without reviews (actions/at_once.py)
    eligibility = fields.JSONField[dict[str, Any] | None](null=True)  # the report of the day it was submitted (domain/rules/eligibility.py)

    class Meta:
        table = "revisions"
        unique_together = (("expert", "number"),)


class _Entry(Row):
    """A row of a section. `entry_id` stays the same when a revision is copied, so that two revisions can be compared."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    entry_id = fields.UUIDField(default=new_id)
    position = fields.IntField(default=0)

    class Meta:
        abstract = True


class Education(_Entry):
    """学历: one completed education; exactly one is the highest."""

    revision_id: UUID
    revision: fields.ForeignKeyRelation[Revision] = fields.ForeignKeyField("models.Revision", "education", db_index=True)
    school = fields.CharField(max_length=120)
    started_on = fields.DateField()
    ended_on = fields.DateField()
    major = fields.CharField(max_length=120)
    level = fields.CharField(max_length=4)
    mode = fields.CharEnumField(StudyMode, max_length=20)
    degree = fields.CharField(max_length=4, null=True)
    certificate_number = fields.CharField(max_length=60, null=True)
    is_highest = fields.BooleanField(default=False)
    certificate_id: UUID | None
    certificate: _File = _image()

    class Meta:
        table = "education"


class TitleEntry(_Entry):
    """职称: a title held, a leaf of the title tree."""

    revision_id: UUID
    revision: fields.ForeignKeyRelation[Revision] = fields.ForeignKeyField("models.Revision", "titles", db_index=True)
    title_code = fields.CharField(max_length=10)
    certificate_number = fields.CharField(max_length=60)
    obtained_on = fields.DateField()
    issuer = fields.CharField(max_length=120)
    certificate_id: UUID | None
    certificate: _File = _image()

    class Meta:
        table = "title_entries"


class WorkEntry(_Entry):
    """工作履历: one employment; without `ended_on` it lasts."""

    revision_id: UUID
    revision: fields.ForeignKeyRelation[Revision] = fields.ForeignKeyField("models.Revision", "work_history", db_index=True)
    started_on = fields.DateField()
    ended_on = fields.DateField(null=True)
    employer = fields.CharField(max_length=120)
    post = fields.CharField(max_length=120)
    duties = fields.CharField(max_length=1000)

    class Meta:
        table = "work_entries"


class QualificationEntry(_Entry):
    """执业资格: a professional qualification held."""

    revision_id: UUID
    revision: fields.ForeignKeyRelation[Revision] = fields.ForeignKeyField("models.Revision", "qualifications", db_index=True)
    qualification_code = fields.CharField(max_length=10)
    certificate_number = fields.CharField(max_length=60)
    obtained_on = fields.DateField()
    valid_until = fields.DateField(null=True)
    issuer = fields.CharField(max_length=120)
    certificate_id: UUID | None
    certificate: _File = _image()

    class Meta:
        table = "qualification_entries"


class RevisionSpecialty(_Entry):
    """评标专业: a leaf of level 3 of the specialty tree."""

    revision_id: UUID
    revision: fields.ForeignKeyRelation[Revision] = fields.ForeignKeyField("models.Revision", "specialties", db_index=True)
    specialty_code = fields.CharField(max_length=12)

    class Meta:
        table = "revision_specialties"


class AvoidanceUnit(_Entry):
    """回避单位: a unit whose projects the expert must not evaluate, declared beside the present employer."""

    revision_id: UUID
    revision: fields.ForeignKeyRelation[Revision] = fields.ForeignKeyField("models.Revision", "avoidance_units", db_index=True)
    name = fields.CharField(max_length=120)
    credit_code = fields.CharField(max_length=18, null=True)
    relation = fields.CharField(max_length=120)
    until = fields.DateField(null=True)

    class Meta:
        table = "avoidance_units"


class OtherMaterial(_Entry):
    """其他材料: the signed application form and other images, at most three."""

    revision_id: UUID
    revision: fields.ForeignKeyRelation[Revision] = fields.ForeignKeyField("models.Revision", "other_materials", db_index=True)
    file_id: UUID
    file: fields.ForeignKeyRelation[StoredFile] = fields.ForeignKeyField("models.StoredFile", related_name=False, on_delete=fields.RESTRICT)

    class Meta:
        table = "other_materials"
