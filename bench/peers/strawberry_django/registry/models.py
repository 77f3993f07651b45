"""Our tables as unmanaged models of Django. Two parts of a profile are models of their own over the row of the revision."""

from __future__ import annotations

from django.db import models


class RegistryNow(models.Func):
    """The registry's clock."""

    function = "registry_now"
    template = "%(function)s()"
    output_field = models.DateTimeField()


def _to(model: str, column: str, **options: object) -> models.ForeignKey:
    """A foreign key under the name of our column; without a way back unless one is named."""
    return models.ForeignKey(model, models.DO_NOTHING, db_column=column, **({"related_name": "+", "null": True} | options))


def _own(column: str, related_name: str) -> models.OneToOneField:
    """The revision of which a model is a part: the same row."""
    return models.OneToOneField("Revision", models.DO_NOTHING, db_column=column, primary_key=True, related_name=related_name)


class Division(models.Model):
    code = models.CharField(primary_key=True)
    name = models.CharField()

    class Meta:
        managed, db_table = False, "divisions"


class Specialty(models.Model):
    code = models.CharField(primary_key=True)
    name = models.CharField()
    parent = _to("Specialty", "parent_code")

    class Meta:
        managed, db_table = False, "specialties"


class Title(models.Model):
    code = models.CharField(primary_key=True)
    name = models.CharField()
    series = models.CharField()
    rank = models.CharField(null=True)

    class Meta:
        managed, db_table = False, "titles"


class Qualification(models.Model):
    code = models.CharField(primary_key=True)
    name = models.CharField()

    class Meta:
        managed, db_table = False, "qualifications"


class Code(models.Model):
    id = models.CharField(primary_key=True)
    name = models.CharField()

    class Meta:
        managed, db_table = False, "codes"


class CalendarDay(models.Model):
    date = models.DateField(primary_key=True)
    kind = models.CharField()

    class Meta:
        managed, db_table = False, "calendar_days"


class Account(models.Model):
    id = models.UUIDField(primary_key=True)
    role = models.CharField()
    status = models.CharField()
    name = models.CharField()
    phone_hash = models.BinaryField()
    id_number_hash = models.BinaryField(null=True)
    pool_code = models.CharField(null=True)

    class Meta:
        managed, db_table = False, "accounts"


class Session(models.Model):
    id = models.UUIDField(primary_key=True)
    account = _to("Account", "account_id")
    token_hash = models.BinaryField()
    used_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        managed, db_table = False, "sessions"


class Expert(models.Model):
    id = models.UUIDField(primary_key=True)
    account = _to("Account", "account_id")

    class Meta:
        managed, db_table = False, "experts"


class File(models.Model):
    id = models.UUIDField(primary_key=True)
    media_type = models.CharField()
    width = models.IntegerField()
    height = models.IntegerField()

    class Meta:
        managed, db_table = False, "files"


class Revision(models.Model):
    id = models.UUIDField(primary_key=True)
    number = models.IntegerField()
    state = models.CharField()
    frozen_at = models.DateTimeField(null=True)
    id_number_hash = models.BinaryField(null=True)
    home_pool_code = models.CharField(null=True)

    class Meta:
        managed, db_table = False, "revisions"


class BasicInfo(models.Model):
    revision = _own("id", "basic_info")
    name = models.CharField(null=True)
    former_name = models.CharField(null=True)
    id_type = models.CharField(null=True)
    id_number_masked = models.CharField(null=True)
    id_valid_from = models.DateField(null=True)
    id_valid_until = models.DateField(null=True)
    id_valid_long_term = models.BooleanField()
    sex = models.CharField(null=True)
    birth_date = models.DateField(null=True)
    ethnic_group = models.CharField(null=True)
    political_affiliation = models.CharField(null=True)
    health = models.CharField(null=True)
    portrait = _to("File", "portrait_id")
    id_front = _to("File", "id_front_id")
    id_back = _to("File", "id_back_id")
    second_phone_masked = models.CharField(null=True)
    email_masked = models.CharField(null=True)
    residence = _to("Division", "residence_code")
    address_masked = models.CharField(null=True)
    postcode = models.CharField(null=True)
    employer = models.CharField(null=True)
    employer_credit_code = models.CharField(null=True)
    employer_kind = models.CharField(null=True)
    department = models.CharField(null=True)
    post = models.CharField(null=True)
    work_status = models.CharField(null=True)
    working_since = models.DateField(null=True)
    years_in_field = models.IntegerField(null=True)
    source = models.CharField(null=True)

    class Meta:
        managed, db_table = False, "revisions"


class EvaluationInfo(models.Model):
    revision = _own("id", "evaluation_info")
    employer = models.CharField(null=True)
    employer_credit_code = models.CharField(null=True)
    home_pool = _to("Division", "home_pool_code")

    class Meta:
        managed, db_table = False, "revisions"


class Entry(models.Model):
    """A row of a section, in its place."""

    id = models.UUIDField(primary_key=True)
    position = models.IntegerField()

    class Meta:
        abstract = True
        managed = False
        ordering = ("position", "id")


class Education(Entry):
    revision = _to("Revision", "revision_id", related_name="education")
    school = models.CharField(null=True)
    started_on = models.DateField(null=True)
    ended_on = models.DateField(null=True)
    major = models.CharField(null=True)
    level = models.CharField(null=True)
    mode = models.CharField(null=True)
    degree = models.CharField(null=True)
    certificate_number = models.CharField(null=True)
    is_highest = models.BooleanField()
    certificate = _to("File", "certificate_id")

    class Meta(Entry.Meta):
        db_table = "education"


class TitleEntry(Entry):
    revision = _to("Revision", "revision_id", related_name="titles")
    title = _to("Title", "title_code")
    certificate_number = models.CharField(null=True)
    obtained_on = models.DateField(null=True)
    issuer = models.CharField(null=True)
    certificate = _to("File", "certificate_id")

    class Meta(Entry.Meta):
        db_table = "title_entries"


class WorkEntry(Entry):
    revision = _to("Revision", "revision_id", related_name="work_history")
    started_on = models.DateField(null=True)
    ended_on = models.DateField(null=True)
    employer = models.CharField(null=True)
    post = models.CharField(null=True)
    duties = models.CharField(null=True)

    class Meta(Entry.Meta):
        db_table = "work_entries"


class QualificationEntry(Entry):
    revision = _to("Revision", "revision_id", related_name="qualifications")
    qualification = _to("Qualification", "qualification_code")
    certificate_number = models.CharField(null=True)
    obtained_on = models.DateField(null=True)
    valid_until = models.DateField(null=True)
    issuer = models.CharField(null=True)
    certificate = _to("File", "certificate_id")

    class Meta(Entry.Meta):
        db_table = "qualification_entries"


class OtherMaterial(Entry):
    revision = _to("Revision", "revision_id", related_name="other_materials")
    file = _to("File", "file_id")

    class Meta(Entry.Meta):
        db_table = "other_materials"


class ChosenSpecialty(Entry):
    evaluation_info = _to("EvaluationInfo", "revision_id", related_name="specialties")
    specialty = _to("Specialty", "specialty_code")

    class Meta(Entry.Meta):
        db_table = "revision_specialties"


class AvoidanceUnit(Entry):
    evaluation_info = _to("EvaluationInfo", "revision_id", related_name="declared_units")
    name = models.CharField()
    credit_code = models.CharField(null=True)
    relation = models.CharField(null=True)
    until = models.DateField(null=True)

    class Meta(Entry.Meta):
        db_table = "avoidance_units"


class Application(models.Model):
    id = models.UUIDField(primary_key=True)
    kind = models.CharField()
    expert = _to("Expert", "expert_id")
    revision = _to("Revision", "revision_id")
    stage = models.CharField()
    round = models.IntegerField()
    pool = _to("Division", "pool_code")
    applicant = models.CharField()
    employer = models.CharField(null=True)
    submitted_at = models.DateTimeField(null=True)
    stage_since = models.DateTimeField()
    due_at = models.DateTimeField(null=True)
    claimed_by_id = models.UUIDField(null=True)
    claimed_by_name = models.CharField(null=True)
    claimed_until = models.DateTimeField(null=True)
    records_count = models.IntegerField()
    last_hash = models.BinaryField(null=True)

    class Meta:
        managed, db_table = False, "applications"


class ApplicationRecord(models.Model):
    id = models.UUIDField(primary_key=True)
    application = _to("Application", "application_id", related_name="records")
    number = models.IntegerField()
    round = models.IntegerField()
    at = models.DateTimeField()
    actor_id = models.UUIDField(null=True)
    actor_name = models.CharField(null=True)
    actor_role = models.CharField(null=True)
    move = models.CharField()
    from_stage = models.CharField()
    to_stage = models.CharField()
    revision = _to("Revision", "revision_id")
    opinion = models.CharField(null=True)
    reject_reason = models.CharField(null=True)
    field_reasons = models.JSONField()
    previous_hash = models.BinaryField(null=True)
    hash = models.BinaryField()

    class Meta:
        managed, db_table, ordering = False, "application_records", ("number",)


class PublicNotice(models.Model):
    id = models.UUIDField(primary_key=True)
    state = models.CharField()
    name = models.CharField()
    employer = models.CharField()
    pool = _to("Division", "pool_code")
    opened_at = models.DateTimeField()
    first_day = models.DateField()
    last_day = models.DateField()
    closes_at = models.DateTimeField()
    tentative = models.BooleanField()

    class Meta:
        managed, db_table = False, "public_notices"


class NoticeSpecialty(Entry):
    notice = _to("PublicNotice", "notice_id", related_name="specialties")
    specialty = _to("Specialty", "specialty_code")

    class Meta(Entry.Meta):
        db_table = "notice_specialties"
