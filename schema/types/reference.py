"""Reference data: divisions and pools, trees of specialties and titles, code tables, the working calendar."""

import datetime as dt
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from models import reference
from models.enums import Audience, CodeKind, DayKind, DayStatus, HelpKind, Role
from schema.nodes import Node, column, many, one, record

if TYPE_CHECKING:
    from schema.types.pools import PoolMerge

_STAFF = [role for role in Role if role is not Role.EXPERT]
_RETIRED = "No longer given out; stands in older profiles."


@record(reference.Division, "区划: a division of GB/T 2260, or a pool (市本级 xxxx99, 省本级 229900).")
class Division(Node):
    """A division."""

    code: str = column("code", "Six digits.")
    name: str = column("name", "Chinese name.")
    level: int = column("level", "1 province, 2 prefecture, 3 county.")
    kind: str = column("kind", "province, prefecture, district, county, county_city, devzone, pool_city or pool_provincial.")
    pool_selectable: bool = column("pool_selectable", "Whether an expert can choose it as home division (隶属区划).")
    pool_code: str | None = column(
        "pool_code", "Code of the pool that has its experts: for a closed pool its successor; empty where none serves it."
    )
    closed_at: dt.datetime | None = column("closed_at", "Of a pool that closed without a successor: since when.")
    closing_reason: str | None = column(
        "closing_reason", "Of a pool that closed without a successor: why, as it was ordered. For staff; null for others.", only=_STAFF
    )
    merge: Annotated["PoolMerge", strawberry.lazy("schema.types.pools")] | None = one(
        "PoolMerge",
        "code",
        "Of a pool that closed into a successor: when, why, and how far it is. For the province, administrators and the office that has its "
        "people; null for others.",
        to="from_code",
    )
    note: str = column("note", "Where the code comes from.")
    retired: bool = column("retired", _RETIRED)
    parent: Annotated["Division", strawberry.lazy("schema.types.reference")] | None = one(
        "Division", "parent_code", "The division it lies in.", to="code"
    )
    children: list[Annotated["Division", strawberry.lazy("schema.types.reference")]] = many(
        "Division", "parent_code", "Divisions that lie in it.", order="{t}.code", key="code"
    )


@record(reference.Specialty, "评标专业: a node of the three-level tree; leaves of level 3 can be chosen.")
class Specialty(Node):
    """A specialty."""

    code: str = column("code", "Code of the procurement catalogue.")
    name: str = column("name", "Chinese name.")
    level: int = column("level", "1 (goods, works, services) to 3.")
    source: str = column("source", "List it comes from.")
    scarce: bool = column(
        "scarce",
        "专家数量较少: administrators have marked it, and with it all below, so that conditions of admission may be relaxed; see "
        "`EligibilityResult`.",
    )
    retired: bool = column("retired", _RETIRED)
    parent: Annotated["Specialty", strawberry.lazy("schema.types.reference")] | None = one(
        "Specialty", "parent_code", "One level up.", to="code"
    )
    children: list[Annotated["Specialty", strawberry.lazy("schema.types.reference")]] = many(
        "Specialty", "parent_code", "One level down.", order="{t}.code", key="code"
    )


@record(reference.Title, "职称: a node of the tree of series, in some of them classes, and titles; selectable leaves can be chosen.")
class Title(Node):
    """A professional title."""

    code: str = column("code", "Code in this registry.")
    name: str = column("name", "Chinese name.")
    level: int = column("level", "1 for a series; titles stand at 2 or, where the series has classes, at 3.")
    series: str = column("series", "Series 系列.")
    rank: str | None = column("rank", "正高级, 副高级, 中级, 初级（助理级） or 初级（员级）; empty for headings.")
    gbt8561: str | None = column("gbt8561", "Code of GB/T 8561 where there is one.")
    selectable: bool = column("selectable", "Whether it is a leaf that can be chosen.")
    retired: bool = column("retired", _RETIRED)
    parent: Annotated["Title", strawberry.lazy("schema.types.reference")] | None = one("Title", "parent_code", "One level up.", to="code")
    children: list[Annotated["Title", strawberry.lazy("schema.types.reference")]] = many(
        "Title", "parent_code", "One level down.", order="{t}.code", key="code"
    )


@record(reference.Qualification, "职业资格: a professional qualification of the national list.")
class Qualification(Node):
    """A qualification."""

    code: str = column("code", "Code in this registry.")
    name: str = column("name", "Chinese name.")
    kind: str = column("kind", "准入类, 水平评价类 or 其他.")
    retired: bool = column("retired", _RETIRED)


@record(reference.Code, "An entry of a flat code table.")
class Code(Node):
    """A code."""

    kind: CodeKind = column("kind", "Which table.")
    code: str = column("code", "Code of the national standard.")
    name: str = column("name", "Chinese name.")
    short_name: str | None = column("short_name", "Short Chinese name.")
    parent_code: str | None = column("parent_code", "Heading it stands under.")
    selectable: bool = column("selectable", "Whether it can be chosen; headings cannot.")
    retired: bool = column("retired", _RETIRED)


@record(reference.HelpArticle, "帮助: a guide or a frequent question of the help centre.")
class HelpArticle(Node):
    """An article."""

    slug: str = column("slug", "Its name in addresses, e.g. `registration`.")
    kind: HelpKind = column("kind", "Guide or frequent question.")
    audience: Audience = column("audience", "Whom it is for.")
    title: str = column("name", "Title, in Chinese.")
    body: str = column("body", "Text in Markdown, without raw HTML.")


@record(reference.HelpContact, "帮助: whom to ask.")
class HelpContact(Node):
    """A contact."""

    name: str = column("name", "Office or hotline.")
    phone: str = column("phone", "Telephone as it is dialled.")
    hours: str = column("hours", "When somebody answers.")
    note: str = column("note", "What for.")


@strawberry.type(description="A day that differs from Monday to Friday.")
class CalendarDay:
    """A calendar exception."""

    date: dt.date = strawberry.field(description="The day.")
    kind: DayKind = strawberry.field(description="Off, or worked though it is a weekend.")
    name: str = strawberry.field(description="Holiday it belongs to.")
    status: DayStatus = strawberry.field(description="Whether it is published or expected.")


@strawberry.type(description="工作日历: the working days of a year.")
class WorkingCalendar:
    """A year of the calendar."""

    year: int = strawberry.field(description="Calendar year: what a cache knows it by.")
    status: DayStatus = strawberry.field(description="TENTATIVE until the State Council has published the year.")
    exceptions: list[CalendarDay] = strawberry.field(description="Days that differ from Monday to Friday, in order.")

    @classmethod
    def of(cls, year: int, days: Sequence[reference.CalendarDay]) -> Self:
        """A year from its rows; without official rows it is tentative."""
        certain = bool(days) and all(row.status is DayStatus.OFFICIAL for row in days)
        return cls(
            year=year,
            status=DayStatus.OFFICIAL if certain else DayStatus.TENTATIVE,
            exceptions=[CalendarDay(date=row.date, kind=row.kind, name=row.name, status=row.status) for row in days],
        )
