"""Reference data: divisions, trees, code tables and the working calendar (rules §10)."""

from __future__ import annotations

from tortoise import fields

from models.enums import Audience, CodeKind, DayKind, DayStatus, HelpKind
from models.ids import new_id
from models.row import Row


class _Reference(Row):
    """A row that a newer file may rename or retire, never delete: old profiles name it."""

    name = fields.CharField(max_length=120)
    retired = fields.BooleanField(default=False)

    class Meta:
        abstract = True


class Division(_Reference):
    """区划: a GB/T 2260 division or a pool (xxxx99 市本级, 229900 省本级)."""

    code = fields.CharField(primary_key=True, max_length=6)
    level = fields.IntField()
    parent_code = fields.CharField(max_length=6, null=True, db_index=True)
    kind = fields.CharField(max_length=20)
    pool_selectable = fields.BooleanField()
    pool_code = fields.CharField(max_length=6, null=True)
    closed_at = fields.DatetimeField(null=True)  # a pool that closed without a successor; no file of reference data touches it
    closing_reason = fields.CharField(max_length=500, null=True)
    note = fields.CharField(max_length=200, default="")

    class Meta:
        table = "divisions"


class DivisionAlias(Row):
    """An old code and the one that took its place."""

    old_code = fields.CharField(primary_key=True, max_length=6)
    old_name = fields.CharField(max_length=60)
    new_code = fields.CharField(max_length=6)
    year = fields.IntField()

    class Meta:
        table = "division_aliases"


class Specialty(_Reference):
    """评标专业: a node of the three-level tree; experts take leaves of level 3."""

    code = fields.CharField(primary_key=True, max_length=12)
    level = fields.IntField()
    parent_code = fields.CharField(max_length=12, null=True, db_index=True)
    source = fields.CharField(max_length=60)
    scarce = fields.BooleanField(default=False)  # marked by administrators, with all below it; files say nothing of it

    class Meta:
        table = "specialties"


class Title(_Reference):
    """职称: a node of the tree series → level → title; experts take selectable leaves."""

    code = fields.CharField(primary_key=True, max_length=10)
    level = fields.IntField()
    parent_code = fields.CharField(max_length=10, null=True, db_index=True)
    series = fields.CharField(max_length=60)
    rank = fields.CharField(max_length=20, null=True)
    gbt8561 = fields.CharField(max_length=10, null=True)
    selectable = fields.BooleanField()

    class Meta:
        table = "titles"


class Qualification(_Reference):
    """职业资格: an entry of the national list of professional qualifications."""

    code = fields.CharField(primary_key=True, max_length=10)
    kind = fields.CharField(max_length=20)

    class Meta:
        table = "qualifications"


class Code(_Reference):
    """One entry of a flat code table. `selectable` is false for headings (education levels that only group others)."""

    id = fields.CharField(primary_key=True, max_length=40)  # KIND:code
    kind = fields.CharEnumField(CodeKind, max_length=20, db_index=True)
    code = fields.CharField(max_length=10)
    parent_code = fields.CharField(max_length=10, null=True)
    short_name = fields.CharField(max_length=60, null=True)
    rank = fields.IntField(null=True)
    selectable = fields.BooleanField(default=True)
    position = fields.IntField(default=0)

    class Meta:
        table = "codes"


class HelpArticle(_Reference):
    """An article of the help centre; `name` is its title, `body` is Markdown."""

    slug = fields.CharField(primary_key=True, max_length=60)
    kind = fields.CharEnumField(HelpKind, max_length=10)
    audience = fields.CharEnumField(Audience, max_length=10)
    position = fields.IntField()
    body = fields.CharField(max_length=20000)

    class Meta:
        table = "help_articles"


class HelpContact(_Reference):
    """Whom to ask."""

    code = fields.CharField(primary_key=True, max_length=20)
    phone = fields.CharField(max_length=40)
    hours = fields.CharField(max_length=60)
    note = fields.CharField(max_length=200, default="")

    class Meta:
        table = "help_contacts"


class CalendarDay(Row):
    """A day that differs from Monday to Friday."""

    date = fields.DateField(primary_key=True)
    kind = fields.CharEnumField(DayKind, max_length=10)
    name = fields.CharField(max_length=60)
    status = fields.CharEnumField(DayStatus, max_length=10)

    class Meta:
        table = "calendar_days"


class CalendarChange(Row):
    """A time at which working days became others; settled once what was counted by the former ones meanwhile is counted again."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    at = fields.DatetimeField()
    settled = fields.BooleanField(default=False)

    class Meta:
        table = "calendar_changes"


class DevelopmentClock(Row):
    """The offset by which `registry_now()` runs ahead; the table is empty in production."""

    id = fields.IntField(primary_key=True)
    offset_seconds = fields.BigIntField()

    class Meta:
        table = "development_clock"
