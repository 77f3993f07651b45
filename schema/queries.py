"""Queries: what can be read, each under the viewer's own rights."""

import asyncio
import datetime as dt
from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import Annotated, Any

import strawberry

from domain import lists, reads
from domain.actions.inbox import inbox
from domain.actions.record_chain import verify_next
from domain.lists import HAS_SPECIALTY, contains, search_term
from domain.reads import RUNNING, Where
from domain.rules.errors import FieldProblem, InvalidInput, NotAllowed, NotSignedIn
from domain.rules.viewer import Viewer as ViewerFacts
from models import reference
from models.enums import AccountStatus, Audience, CaseKind, CodeKind, HalfDay, MergeState, Role, SmsState, StaffActKind, Stage
from schema.context import Info
from schema.nodes import NODES, ById, Node, OfViewer, key_of, listed, resolve_node, row_by_id, rows_of
from schema.pages import After, Before, Connection, First, Last, page_of, paged
from schema.types.accounts import Account, Viewer
from schema.types.applications import Application
from schema.types.development import DevelopmentQueries
from schema.types.experts import Expert
from schema.types.exports import Export
from schema.types.inbox import QueueCount
from schema.types.messages import Message
from schema.types.objections import Objection
from schema.types.pools import PoolMerge
from schema.types.publicity import PublicNotice
from schema.types.record_chain import RecordChains
from schema.types.reference import Code, Division, HelpArticle, HelpContact, Qualification, Specialty, Title, WorkingCalendar
from schema.types.schedule import HALF_DAYS
from schema.types.staff import StaffAct

_BY_CODE = "{t}.code"

GlobalIdArgument = Annotated[strawberry.ID, strawberry.argument(description="A global id.")]
NameSearch = Annotated[str | None, strawberry.argument(description="Only names that contain this text; two characters are enough.")]

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


def _tree(arguments: Mapping[str, Any], _: Any) -> Sequence[Where]:
    parent, search = arguments.get("parent"), (arguments.get("search") or "").strip()
    found = _unretired(arguments)
    if search:
        found.append(Where("({t}.name ILIKE :search OR starts_with({t}.code, :code))", {"search": search_term(search), "code": search}))
    if parent is not None:
        found.append(Where("{t}.parent_code = :parent_code", {"parent_code": parent}))
    elif not search:
        found.append(Where("{t}.parent_code IS NULL"))
    return found


def _flat(arguments: Mapping[str, Any], _: Any) -> Sequence[Where]:
    search = (arguments.get("search") or "").strip()
    return [*_unretired(arguments), *([Where("{t}.name ILIKE :search", {"search": search_term(search)})] if search else [])]


def _of_kind(arguments: Mapping[str, Any], _: Any) -> Sequence[Where]:
    return [*_unretired(arguments), Where("{t}.kind = :kind", {"kind": arguments["kind"].value})]


def _unretired(arguments: Mapping[str, Any]) -> list[Where]:
    return [] if arguments.get("include_retired") else [Where("NOT {t}.retired")]


def _queue(arguments: Mapping[str, Any], viewer: ViewerFacts | None) -> Sequence[Where]:
    """Officers alone have a queue."""
    if viewer is None:
        raise NotSignedIn
    if not viewer.is_officer:
        raise NotAllowed
    chosen = arguments.get("filter")
    return (chosen.to_domain() if chosen else lists.CaseFilter()).conditions(viewer)


def _available(arguments: Mapping[str, Any], viewer: ViewerFacts | None) -> Sequence[Where]:
    """Formal experts without an UNAVAILABLE period at the time, who do not leave by age before; for officers, local ones in their own pool."""
    if viewer is None:
        raise NotSignedIn
    if not viewer.is_officer:
        raise NotAllowed
    half, pool, specialty = arguments.get("half_day"), arguments.get("pool_code"), arguments.get("specialty")
    first, last = ("'AM'", "'PM'") if half is None else (f"'{half.value}'",) * 2
    slot, of_expert = f"half_days(:day, {first}, :day, {last})", HALF_DAYS.replace("{t}", "o")
    busy = f"SELECT FROM schedule_occurrences o WHERE o.expert_id = {{t}}.id AND o.availability = 'UNAVAILABLE' AND {of_expert} && {slot}"
    stays = "({t}.lapses_on IS NULL OR {t}.lapses_on > :day)"
    found = [
        Where(f"({{t}}.standing = 'FORMAL' AND {{t}}.number IS NOT NULL AND {stays} AND NOT EXISTS ({busy}))", {"day": arguments["date"]})
    ]
    if arguments.get("declared"):
        said = f"SELECT FROM schedule_occurrences o WHERE o.expert_id = {{t}}.id AND o.availability = 'AVAILABLE' AND {of_expert} @> {slot}"
        found.append(Where(f"EXISTS ({said})", {"day": arguments["date"]}))
    if viewer.role is Role.LOCAL_OFFICER:
        found.append(Where("{t}.pool_code = :viewer_pool"))
    if pool is not None:
        found.append(Where("{t}.pool_code = :of_pool", {"of_pool": pool}))
    if specialty is not None:
        found.append(Where(HAS_SPECIALTY, {"specialty": specialty}))
    return found


def _help(arguments: Mapping[str, Any], _: Any) -> Sequence[Where]:
    audience, search = arguments.get("audience"), (arguments.get("search") or "").strip()
    found = _unretired(arguments)
    if audience is not None:
        found.append(Where("{t}.audience IN ('EVERYONE', :audience)", {"audience": audience.value}))
    if search:
        found.append(Where("({t}.name ILIKE :search OR {t}.body ILIKE :search)", {"search": search_term(search)}))
    return found


def _contacts(arguments: Mapping[str, Any], _: Any) -> Sequence[Where]:
    search = (arguments.get("search") or "").strip()
    said = Where("({t}.name ILIKE :search OR {t}.note ILIKE :search OR {t}.phone ILIKE :search)", {"search": search_term(search)})
    return [*_unretired(arguments), *([said] if search else [])]


def _staff(arguments: Mapping[str, Any], viewer: ViewerFacts | None) -> Sequence[Where]:
    """Of experts nobody's account is listed; which of the rest, domain/reads.py says."""
    _staff_only(viewer)
    given = {name: str(arguments[name]) for name in ("role", "status", "pool_code") if arguments.get(name) is not None}
    search = (arguments.get("search") or "").strip()
    return [
        Where("{t}.role <> 'EXPERT'"),
        *(Where(f"{{t}}.{name} = :of_{name}", {f"of_{name}": value}) for name, value in given.items()),
        *([Where("{t}.name ILIKE :search", {"search": search_term(search)})] if search else []),
    ]


def _ledger(arguments: Mapping[str, Any], viewer: ViewerFacts | None) -> Sequence[Where]:
    _staff_only(viewer)
    states = arguments.get("states")
    return [] if states is None else [Where("{t}.state = ANY(:states)", {"states": [each.value for each in states]})]


def _acts(arguments: Mapping[str, Any], viewer: ViewerFacts | None) -> Sequence[Where]:
    """For administrators."""
    _staff_only(viewer)
    if viewer is None or viewer.role is not Role.ADMINISTRATOR:
        raise NotAllowed
    found = []
    if arguments.get("staff_id") is not None:
        found.append(Where("{t}.account_id = :of_account", {"of_account": key_of(arguments["staff_id"], Account)}))
    if arguments.get("acts") is not None:
        found.append(Where("{t}.act = ANY(:acts)", {"acts": [each.value for each in arguments["acts"]]}))
    return found


def _merges(arguments: Mapping[str, Any], viewer: ViewerFacts | None) -> Sequence[Where]:
    _staff_only(viewer)
    state = arguments.get("state")
    return [] if state is None else [Where("{t}.state = :state", {"state": state.value})]


def _staff_only(viewer: ViewerFacts | None) -> None:
    if viewer is None:
        raise NotSignedIn
    if viewer.role is Role.EXPERT:
        raise NotAllowed


def _exports(_: Mapping[str, Any], viewer: ViewerFacts | None) -> Sequence[Where]:
    if viewer is None:
        raise NotSignedIn
    return []


def _objections(arguments: Mapping[str, Any], viewer: ViewerFacts | None) -> Sequence[Where]:
    """The province alone settles objections."""
    if viewer is None:
        raise NotSignedIn
    if viewer.role is not Role.PROVINCIAL_OFFICER:
        raise NotAllowed
    return [Where("{t}.state = 'OPEN'")] if arguments.get("unsettled") else []


def _running_notices(arguments: Mapping[str, Any], _: Any) -> Sequence[Where]:
    pool, search = arguments.get("pool_code"), (arguments.get("search") or "").strip()
    found = [RUNNING]
    if pool is not None:
        found.append(Where("{t}.pool_code = :of_pool", {"of_pool": pool}))
    if search:
        found.append(contains(("name", "employer"), search))
    return found


@strawberry.input(description="Which cases; conditions are joined by AND, an empty list excludes everything.")
class ApplicationFilter:
    """Filter of the officers' queue."""

    awaiting_me: bool | None = strawberry.field(
        default=None,
        description="True: only cases that wait for the viewer's office: its reviews, for the province also objections 异议处理.",
    )
    leaving: bool | None = strawberry.field(
        default=None,
        description="True: changes of division (变更区划) by which experts leave the office's pool, instead of the office's own cases: it "
        "follows and comments them, another office reviews. For the province all changes of division.",
    )
    stages: list[Stage] | None = strawberry.field(default=None, description="Only cases at these stages.")
    kinds: list[CaseKind] | None = strawberry.field(default=None, description="Only cases of these kinds.")
    pool_codes: list[str] | None = strawberry.field(default=None, description="Only cases of these pools.")
    overdue: bool | None = strawberry.field(default=None, description="True: only overdue cases; false: only others.")
    claimed: bool | None = strawberry.field(default=None, description="True: only cases that somebody holds; false: only free ones.")
    claimed_by_me: bool | None = strawberry.field(default=None, description="True: only cases that the viewer holds.")
    search: str | None = strawberry.field(default=None, description="Only applicants or employers that contain this text.")
    submitted_from: datetime | None = strawberry.field(default=None, description="Only cases last submitted at or after this instant.")
    submitted_before: datetime | None = strawberry.field(default=None, description="Only cases last submitted before this instant.")

    def to_domain(self) -> lists.CaseFilter:
        """As the domain knows it."""
        return lists.CaseFilter(**vars(self))


@strawberry.type(description="Reading. Everything is seen under the viewer's own rights: what is not for the viewer is not there.")
class Query(DevelopmentQueries):
    """Roots of reading. Each says where its data is; the resolver answers where an operation is not compiled."""

    @strawberry.field(description="Who is signed in; null when nobody is.", metadata={"source": OfViewer()})
    def viewer(self, info: Info) -> Viewer | None:
        """Facts of the session."""
        return None if info.context.viewer is None else Viewer()

    @strawberry.field(description="The version of the privacy terms in force; registering accepts it.")
    def privacy_terms_version(self, info: Info) -> str:
        """From the settings."""
        return info.context.settings.privacy_terms_version

    @strawberry.field(
        description="Anything by its global id; null where there is no such thing or it is not for the viewer.", metadata={"source": ById()}
    )
    async def node(self, info: Info, id: GlobalIdArgument) -> Node | None:
        """Relay's node."""
        return await resolve_node(id, info.context)

    @strawberry.field(description="Several things by their global ids, in that order, null for each that is not there; at most 100.")
    async def nodes(
        self, info: Info, ids: Annotated[list[strawberry.ID], strawberry.argument(description="Global ids.")]
    ) -> list[Node | None]:
        """Relay's nodes."""
        if len(ids) > NODES:
            raise InvalidInput([FieldProblem("ids", "TOO_MANY", {"maximum": NODES})])
        return list(await asyncio.gather(*(resolve_node(each, info.context) for each in ids)))

    @strawberry.field(
        description="A case by its global id; null where there is none or it is not for the viewer.",
        metadata={"source": ById("Application")},
    )
    async def application(self, info: Info, id: GlobalIdArgument) -> Application | None:
        """One case."""
        found: Application | None = await row_by_id(info, id)
        return found

    @strawberry.field(
        description="An officer's queue: cases of the office, the longest waiting first; those by which experts leave it, by `leaving` alone. NOT_SIGNED_IN and NOT_ALLOWED are top-level errors.",
        metadata=paged("Application", ("stage_since", "id"), _queue),
    )
    async def applications(
        self,
        info: Info,
        filter: Annotated[ApplicationFilter | None, strawberry.argument(description="Which cases.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Application]:
        """For officers."""
        found: Connection[Application] = await page_of(info, filter=filter, first=first, after=after, last=last, before=before)
        return found

    @strawberry.field(
        description="The officers' inbox: how many open cases of the office stand at each stage, for how long, and in which pools; stages "
        "without cases are left out. NOT_SIGNED_IN and NOT_ALLOWED are top-level errors."
    )
    async def queue_counts(
        self,
        info: Info,
        awaiting_me: Annotated[bool, strawberry.argument(description="True: only stages that the viewer's office decides.")] = False,
    ) -> list[QueueCount]:
        """For officers."""
        viewer = info.context.signed_in()
        if not viewer.is_officer:
            raise NotAllowed
        return [QueueCount.of(each) for each in await inbox(awaiting_me=awaiting_me, viewer=viewer, now=info.context.now)]

    @strawberry.field(
        description="An expert by global id; null where there is none or it is not for the viewer.", metadata={"source": ById("Expert")}
    )
    async def expert(self, info: Info, id: GlobalIdArgument) -> Expert | None:
        """One expert."""
        found: Expert | None = await row_by_id(info, id)
        return found

    @strawberry.field(
        description=(
            "Formal experts who can be drawn on a day, by number: not suspended, not past `lapsesOn` by then, and nothing in their schedule (日程) "
            "says otherwise. "
            "For officers; local ones see their own pool. NOT_SIGNED_IN and NOT_ALLOWED are top-level errors."
        ),
        metadata=paged("Expert", ("number",), _available),
    )
    async def available_experts(
        self,
        info: Info,
        date: Annotated[dt.date, strawberry.argument(description="The day.")],
        half_day: Annotated[HalfDay | None, strawberry.argument(description="Which half of it; without it, the whole day.")] = None,
        pool_code: Annotated[str | None, strawberry.argument(description="Only experts of this pool.")] = None,
        specialty: Annotated[
            str | None, strawberry.argument(description="Only experts of this specialty or one below it, by code.")
        ] = None,
        declared: Annotated[bool, strawberry.argument(description="True: only who has said so with an AVAILABLE period.")] = False,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Expert]:
        """For officers."""
        facts = {"date": date, "half_day": half_day, "pool_code": pool_code, "specialty": specialty, "declared": declared}
        found: Connection[Expert] = await page_of(info, **facts, first=first, after=after, last=last, before=before)
        return found

    @strawberry.field(
        description="Accounts of staff: all for administrators, their active colleagues for officers. NOT_SIGNED_IN and NOT_ALLOWED are top-level errors.",
        metadata=paged("Account", ("created_at", "id"), _staff),
    )
    async def staff(
        self,
        info: Info,
        role: Annotated[Role | None, strawberry.argument(description="Only of this role.")] = None,
        status: Annotated[AccountStatus | None, strawberry.argument(description="Only in this state.")] = None,
        pool_code: Annotated[str | None, strawberry.argument(description="Only officers of this pool.")] = None,
        search: Annotated[str | None, strawberry.argument(description="Only names that contain this text.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Account]:
        """For staff."""
        facts = {"role": role, "status": status, "pool_code": pool_code, "search": search}
        found: Connection[Account] = await page_of(info, **facts, first=first, after=after, last=last, before=before)
        return found

    @strawberry.field(
        description="账号操作记录: what was done with accounts of staff, their sign-ins too, the newest first. For administrators; NOT_SIGNED_IN and "
        "NOT_ALLOWED are top-level errors.",
        metadata=paged("StaffAct", ("number",), _acts, descending=True),
    )
    async def staff_acts(
        self,
        info: Info,
        staff_id: Annotated[strawberry.ID | None, strawberry.argument(description="Only with the account of this global id.")] = None,
        acts: Annotated[list[StaffActKind] | None, strawberry.argument(description="Only these.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[StaffAct]:
        """For administrators."""
        found: Connection[StaffAct] = await page_of(info, staff_id=staff_id, acts=acts, first=first, after=after, last=last, before=before)
        return found

    @strawberry.field(
        description="专家库合并: pools that were closed into others, the newest first, with how far it is: all for administrators and the province, "
        "those that came into its own pool for an office. NOT_SIGNED_IN and NOT_ALLOWED are top-level errors.",
        metadata=paged("PoolMerge", ("created_at", "id"), _merges, descending=True),
    )
    async def pool_merges(
        self,
        info: Info,
        state: Annotated[MergeState | None, strawberry.argument(description="Only in this state.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[PoolMerge]:
        """For staff."""
        found: Connection[PoolMerge] = await page_of(info, state=state, first=first, after=after, last=last, before=before)
        return found

    @strawberry.field(
        description=(
            "The ledger of messages to phones, the newest first: of the office's cases for officers, all for administrators. "
            "NOT_SIGNED_IN and NOT_ALLOWED are top-level errors."
        ),
        metadata=paged("Message", ("created_at", "id"), _ledger, descending=True),
    )
    async def messages(
        self,
        info: Info,
        states: Annotated[list[SmsState] | None, strawberry.argument(description="Only in these states.")] = None,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Message]:
        """For staff."""
        found: Connection[Message] = await page_of(info, states=states, first=first, after=after, last=last, before=before)
        return found

    @strawberry.field(
        description="异议: objections, the longest waiting first. For provincial officers; NOT_SIGNED_IN and NOT_ALLOWED are top-level errors.",
        metadata=paged("Objection", ("received_at", "id"), _objections),
    )
    async def objections(
        self,
        info: Info,
        unsettled: Annotated[bool, strawberry.argument(description="True: only those that wait to be settled.")] = False,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
    ) -> Connection[Objection]:
        """For the province."""
        found: Connection[Objection] = await page_of(info, unsettled=unsettled, first=first, after=after, last=last, before=before)
        return found

    @strawberry.field(
        description="记录链: the chains of all cases, some hundred at a time, by the ids of the cases; go on with `after` until `next` is null. For "
        "the province and administrators; NOT_SIGNED_IN and NOT_ALLOWED are top-level errors."
    )
    async def record_chains(
        self,
        info: Info,
        after: Annotated[
            strawberry.ID | None, strawberry.argument(description="`next` of the step before; without it, from the start.")
        ] = None,
    ) -> RecordChains:
        """By record_chain.verify_next."""
        viewer, key = info.context.signed_in(), None if after is None else key_of(after, Application)
        if after is not None and key is None:
            raise InvalidInput([FieldProblem("after", "CURSOR_INVALID")])
        return RecordChains.of(*await verify_next(key, viewer=viewer))

    @strawberry.field(
        description="导出: what the viewer asked to take along in the last 30 days, the newest first. NOT_SIGNED_IN is a top-level error.",
        metadata=paged("Export", ("created_at", "id"), _exports, descending=True),
    )
    async def exports(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Export]:
        """Own exports."""
        found: Connection[Export] = await page_of(info, first=first, after=after, last=last, before=before)
        return found

    @strawberry.field(
        description="公示: notices that run now, the one that ends first at the head. For everybody, without signing in.",
        metadata=paged("PublicNotice", ("closes_at", "id"), _running_notices),
    )
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
        found: Connection[PublicNotice] = await page_of(
            info, pool_code=pool_code, search=search, first=first, after=after, last=last, before=before
        )
        return found

    @strawberry.field(
        description="区划: divisions and pools, by parent or by search; at most 500.", metadata=listed("Division", _tree, _BY_CODE)
    )
    async def divisions(self, info: Info, parent: Parent = None, search: Search = None, include_retired: Retired = False) -> list[Division]:
        """A level, or what was found."""
        return await rows_of(info, parent=parent, search=search, include_retired=include_retired)

    @strawberry.field(
        description="评标专业: the tree of specialties, by parent or by search; at most 500.", metadata=listed("Specialty", _tree, _BY_CODE)
    )
    async def specialties(
        self, info: Info, parent: Parent = None, search: Search = None, include_retired: Retired = False
    ) -> list[Specialty]:
        """A level, or what was found."""
        return await rows_of(info, parent=parent, search=search, include_retired=include_retired)

    @strawberry.field(
        description="职称: the tree of titles, by parent or by search; at most 500.", metadata=listed("Title", _tree, _BY_CODE)
    )
    async def titles(self, info: Info, parent: Parent = None, search: Search = None, include_retired: Retired = False) -> list[Title]:
        """A level, or what was found."""
        return await rows_of(info, parent=parent, search=search, include_retired=include_retired)

    @strawberry.field(
        description="职业资格: the list of professional qualifications, all or by search; at most 500.",
        metadata=listed("Qualification", _flat, _BY_CODE),
    )
    async def qualifications(self, info: Info, search: NameSearch = None, include_retired: Retired = False) -> list[Qualification]:
        """All, or what was found."""
        return await rows_of(info, search=search, include_retired=include_retired)

    @strawberry.field(
        description="帮助中心: guides, then frequent questions, in their order. For everybody, without signing in.",
        metadata=listed("HelpArticle", _help, "{t}.position, {t}.slug"),
    )
    async def help_articles(
        self,
        info: Info,
        audience: Annotated[Audience | None, strawberry.argument(description="Only what is for them, and what is for everyone.")] = None,
        search: Annotated[
            str | None, strawberry.argument(description="Only articles whose title or text contains this; two characters are enough.")
        ] = None,
    ) -> list[HelpArticle]:
        """All, or what was found."""
        return await rows_of(info, audience=audience, search=search)

    @strawberry.field(description="帮助中心: one article by its name in addresses; null where there is none.")
    async def help_article(
        self, info: Info, slug: Annotated[str, strawberry.argument(description="E.g. `registration`.")]
    ) -> HelpArticle | None:
        """One article."""
        row = await info.context.load_one(reference.HelpArticle, "slug", slug)
        return None if row is None or row.retired else HelpArticle(row=row)  # type: ignore[attr-defined]  # a HelpArticle

    @strawberry.field(
        description="帮助中心: whom to ask. For everybody, without signing in.",
        metadata=listed("HelpContact", _contacts, _BY_CODE),
    )
    async def help_contacts(
        self,
        info: Info,
        search: Annotated[
            str | None, strawberry.argument(description="Only whose name, note or phone contains this; two characters are enough.")
        ] = None,
    ) -> list[HelpContact]:
        """All, or who was found."""
        return await rows_of(info, search=search)

    @strawberry.field(description="A flat code table, in its order.", metadata=listed("Code", _of_kind, "{t}.position, {t}.code"))
    async def codes(
        self,
        info: Info,
        kind: Annotated[CodeKind, strawberry.argument(description="Which table.")],
        include_retired: Retired = False,
    ) -> list[Code]:
        """The whole table."""
        return await rows_of(info, kind=kind, include_retired=include_retired)

    @strawberry.field(description="工作日历: which days of a year are worked.")
    async def working_calendar(
        self, info: Info, year: Annotated[int, strawberry.argument(description="Calendar year, 2000 to 2100.")]
    ) -> WorkingCalendar:
        """A year without official rows is tentative."""
        if not 2000 <= year <= 2100:
            raise InvalidInput([FieldProblem("year", "YEAR_RANGE", {"least": 2000, "most": 2100})])
        span = Where("{t}.date BETWEEN :first_day AND :last_day", {"first_day": date(year, 1, 1), "last_day": date(year, 12, 31)})
        found = await reads.select(reference.CalendarDay, viewer=info.context.viewer, now=info.context.now, where=[span], order="{t}.date")
        return WorkingCalendar.of(year, found)
