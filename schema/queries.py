"""Queries: what can be read, each under the viewer's own rights."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Any

import strawberry

from domain import reads
from domain.reads import Where
from domain.rules.errors import FieldProblem, InvalidInput, NotAllowed
from domain.rules.lifecycle import REVIEWS, By
from models import reference
from models.enums import CaseKind, CodeKind, DayStatus, Role, Stage
from schema.context import Info
from schema.nodes import Node, key_of, resolve_node
from schema.pages import After, Before, Connection, First, Last, page
from schema.types.accounts import Viewer
from schema.types.applications import Application
from schema.types.experts import Expert
from schema.types.publicity import PublicNotice
from schema.types.reference import CalendarDay, Code, Division, Qualification, Specialty, Title, WorkingCalendar

NODES = 100

Parent = Annotated[
    str | None, strawberry.argument(description="Only what lies directly under this code. Without `parent` and `search`: the top level.")
]
Search = Annotated[
    str | None,
    strawberry.argument(
        description="Only names that contain this text, at any depth; two characters are enough. Codes match by their start."
    ),
]
Retired = Annotated[bool, strawberry.argument(description="Also what is no longer given out.")]


def search_term(text: str) -> str:
    """A text as a LIKE pattern for names that contain it."""
    escaped = text.strip().replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")
    return f"%{escaped}%"


async def _tree(info: Info, kind: type[Node], parent: str | None, search: str | None, retired: bool) -> list[Any]:
    where = [] if retired else [Where("NOT {t}.retired")]
    if search is not None and search.strip():
        where.append(
            Where("({t}.name ILIKE :search OR starts_with({t}.code, :code))", {"search": search_term(search), "code": search.strip()})
        )
    if parent is not None:
        where.append(Where("{t}.parent_code = :parent", {"parent": parent}))
    elif not (search or "").strip():
        where.append(Where("{t}.parent_code IS NULL"))
    found = await reads.select(kind.__model__, viewer=info.context.viewer, now=info.context.now, where=where, order="{t}.code", limit=500)
    return [kind(row=row) for row in found]


@strawberry.input(description="Which cases; conditions are joined by AND, an empty list excludes everything.")
class ApplicationFilter:
    """Filter of the officers' queue."""

    awaiting_me: bool | None = strawberry.field(default=None, description="True: only cases at a stage that the viewer's office decides.")
    stages: list[Stage] | None = strawberry.field(default=None, description="Only cases at these stages.")
    kinds: list[CaseKind] | None = strawberry.field(default=None, description="Only cases of these kinds.")
    pool_codes: list[str] | None = strawberry.field(default=None, description="Only cases of these pools.")
    overdue: bool | None = strawberry.field(default=None, description="True: only overdue cases; false: only others.")
    claimed: bool | None = strawberry.field(default=None, description="True: only cases that somebody holds; false: only free ones.")
    claimed_by_me: bool | None = strawberry.field(default=None, description="True: only cases that the viewer holds.")
    search: str | None = strawberry.field(default=None, description="Only applicants or employers that contain this text.")
    submitted_from: datetime | None = strawberry.field(default=None, description="Only cases last submitted at or after this instant.")
    submitted_before: datetime | None = strawberry.field(default=None, description="Only cases last submitted before this instant.")

    def conditions(self, role: Role, account: Any) -> Sequence[Where]:
        """In SQL."""
        found: list[Where] = []
        if self.awaiting_me:
            found.append(Where("{t}.stage = ANY(:awaiting)", {"awaiting": [stage.value for stage in awaiting(role)]}))
        for name, wanted in (("stage", self.stages), ("kind", self.kinds), ("pool_code", self.pool_codes)):
            if wanted is not None:
                found.append(Where(f"{{t}}.{name} = ANY(:{name}s)", {f"{name}s": [str(each) for each in wanted]}))
        if self.overdue is not None:
            found.append(Where("coalesce({t}.due_at < :now, FALSE) = :overdue", {"overdue": self.overdue}))
        if self.claimed is not None:
            found.append(Where("coalesce({t}.claimed_until > :now, FALSE) = :claimed", {"claimed": self.claimed}))
        if self.claimed_by_me:
            found.append(Where("({t}.claimed_by_id = :me AND {t}.claimed_until > :now)", {"me": account}))
        if self.search is not None and self.search.strip():
            found.append(Where("({t}.applicant ILIKE :search OR {t}.employer ILIKE :search)", {"search": search_term(self.search)}))
        if self.submitted_from is not None:
            found.append(Where("{t}.submitted_at >= :submitted_from", {"submitted_from": self.submitted_from}))
        if self.submitted_before is not None:
            found.append(Where("{t}.submitted_at < :submitted_before", {"submitted_before": self.submitted_before}))
        return found


def awaiting(role: Role) -> list[Stage]:
    """The stages that an office of this role decides."""
    by = {Role.LOCAL_OFFICER: By.LOCAL_OFFICE, Role.PROVINCIAL_OFFICER: By.PROVINCE}.get(role)
    return [stage for stage, decides in REVIEWS.items() if decides is by]


@strawberry.type(description="How many cases stand at a stage, among those the viewer may see.")
class QueueCount:
    """A line of the officers' inbox."""

    stage: Stage = strawberry.field(description="The stage.")
    total: int = strawberry.field(description="Cases at it.")
    overdue: int = strawberry.field(description="Of these, beyond the office's time budget.")
    claimed: int = strawberry.field(description="Of these, held by an officer now.")


@strawberry.type
class Query:
    """Roots of reading."""

    @strawberry.field(description="Who is signed in; null when nobody is.")
    def viewer(self, info: Info) -> Viewer | None:
        """Facts of the session."""
        return None if info.context.viewer is None else Viewer()

    @strawberry.field(description="Anything by its global id; null where there is no such thing or it is not for the viewer.")
    async def node(self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="A global id.")]) -> Node | None:
        """Relay's node."""
        return await resolve_node(id, info.context)

    @strawberry.field(description="Several things by their global ids, in that order, null for each that is not there; at most 100.")
    async def nodes(
        self, info: Info, ids: Annotated[list[strawberry.ID], strawberry.argument(description="Global ids.")]
    ) -> list[Node | None]:
        """Relay's nodes."""
        if len(ids) > NODES:
            raise InvalidInput([FieldProblem("ids", "TOO_MANY", {"maximum": NODES})])
        return [await resolve_node(each, info.context) for each in ids]

    @strawberry.field(description="A case by its global id; null where there is none or it is not for the viewer.")
    async def application(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Global id of a case.")]
    ) -> Application | None:
        """One case."""
        found = await info.context.load_one(Application.__model__, "id", key_of(id, Application))
        return None if found is None else Application(row=found)

    @strawberry.field(description="An officer's queue: cases of the office, the longest waiting first.")
    async def applications(
        self,
        info: Info,
        filter: Annotated[ApplicationFilter | None, strawberry.argument(description="Which cases.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Application]:
        """For officers; raises NOT_SIGNED_IN and NOT_ALLOWED as top-level errors."""
        viewer = info.context.signed_in()
        if not viewer.is_officer:
            raise NotAllowed
        where = filter.conditions(viewer.role, viewer.account_id) if filter else ()
        found: Connection[Application] = await page(
            info, Application, order=("stage_since", "id"), where=where, first=first, after=after, last=last, before=before
        )
        return found

    @strawberry.field(description="The officers' inbox: how many cases stand at each stage.")
    async def queue_counts(self, info: Info) -> list[QueueCount]:
        """For officers; stages without cases are left out."""
        viewer = info.context.signed_in()
        if not viewer.is_officer:
            raise NotAllowed
        return [QueueCount(**each) for each in await reads.queue_counts(viewer=viewer, now=info.context.now)]

    @strawberry.field(description="An expert by global id; null where there is none or it is not for the viewer.")
    async def expert(
        self, info: Info, id: Annotated[strawberry.ID, strawberry.argument(description="Global id of an expert.")]
    ) -> Expert | None:
        """One expert."""
        found = await info.context.load_one(Expert.__model__, "id", key_of(id, Expert))
        return None if found is None else Expert(row=found)

    @strawberry.field(description="公示: notices that run now, the one that ends first at the head. For everybody, without signing in.")
    async def public_notices(
        self,
        info: Info,
        pool_code: Annotated[str | None, strawberry.argument(description="Only notices of this pool.")] = None,
        search: Annotated[str | None, strawberry.argument(description="Only names or employers that contain this text.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[PublicNotice]:
        """The public list."""
        where = [Where("{t}.state = 'OPEN' AND {t}.closes_at > :now")]
        if pool_code is not None:
            where.append(Where("{t}.pool_code = :of_pool", {"of_pool": pool_code}))
        if search is not None and search.strip():
            where.append(Where("({t}.name ILIKE :search OR {t}.employer ILIKE :search)", {"search": search_term(search)}))
        found: Connection[PublicNotice] = await page(
            info, PublicNotice, order=("closes_at", "id"), where=where, first=first, after=after, last=last, before=before
        )
        return found

    @strawberry.field(description="区划: divisions and pools, by parent or by search.")
    async def divisions(self, info: Info, parent: Parent = None, search: Search = None, include_retired: Retired = False) -> list[Division]:
        """At most 500."""
        return await _tree(info, Division, parent, search, include_retired)

    @strawberry.field(description="评标专业: the tree of specialties, by parent or by search.")
    async def specialties(
        self, info: Info, parent: Parent = None, search: Search = None, include_retired: Retired = False
    ) -> list[Specialty]:
        """At most 500."""
        return await _tree(info, Specialty, parent, search, include_retired)

    @strawberry.field(description="职称: the tree of titles, by parent or by search.")
    async def titles(self, info: Info, parent: Parent = None, search: Search = None, include_retired: Retired = False) -> list[Title]:
        """At most 500."""
        return await _tree(info, Title, parent, search, include_retired)

    @strawberry.field(description="职业资格: the list of professional qualifications, all or by search.")
    async def qualifications(self, info: Info, search: Search = None, include_retired: Retired = False) -> list[Qualification]:
        """At most 500."""
        where = [] if include_retired else [Where("NOT {t}.retired")]
        if search is not None and search.strip():
            where.append(Where("{t}.name ILIKE :search", {"search": search_term(search)}))
        found = await reads.select(
            reference.Qualification, viewer=info.context.viewer, now=info.context.now, where=where, order="{t}.code", limit=500
        )
        return [Qualification(row=row) for row in found]

    @strawberry.field(description="A flat code table, in its order.")
    async def codes(
        self,
        info: Info,
        kind: Annotated[CodeKind, strawberry.argument(description="Which table.")],
        include_retired: Retired = False,
    ) -> list[Code]:
        """The whole table."""
        where = [Where("{t}.kind = :kind", {"kind": kind.value})] + ([] if include_retired else [Where("NOT {t}.retired")])
        found = await reads.select(
            reference.Code, viewer=info.context.viewer, now=info.context.now, where=where, order="{t}.position, {t}.code"
        )
        return [Code(row=row) for row in found]

    @strawberry.field(description="工作日历: which days of a year are worked.")
    async def working_calendar(
        self, info: Info, year: Annotated[int, strawberry.argument(description="Calendar year, 2000 to 2100.")]
    ) -> WorkingCalendar:
        """A year without official rows is tentative."""
        if not 2000 <= year <= 2100:
            raise InvalidInput([FieldProblem("year", "YEAR_RANGE", {"least": 2000, "most": 2100})])
        span = Where("{t}.date BETWEEN :first_day AND :last_day", {"first_day": date(year, 1, 1), "last_day": date(year, 12, 31)})
        found = await reads.select(reference.CalendarDay, viewer=info.context.viewer, now=info.context.now, where=[span], order="{t}.date")
        certain = bool(found) and all(row.status is DayStatus.OFFICIAL for row in found)
        return WorkingCalendar(
            year=year,
            status=DayStatus.OFFICIAL if certain else DayStatus.TENTATIVE,
            exceptions=[CalendarDay(date=row.date, kind=row.kind, name=row.name, status=row.status) for row in found],
        )
