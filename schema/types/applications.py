"""Cases 申请 and the chain of their records."""

from collections.abc import Iterable, Iterator, Sequence
from datetime import date, datetime
from itertools import product
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

from domain.actions.case_facts import accounts_of, acted, facts_of
from domain.actions.comparing import REASONS, base_of, difference_of, reasons_of
from domain.actions.eligibility import report_of
from domain.actions.record_chain import broken_links
from domain.rules.calendar import last_day_before
from domain.rules.difference import label_of
from domain.rules.lifecycle import DECISIONS, available_moves
from domain.rules.policy import SETTLING, TWO_OFFICERS, moves_of
from models import applications, publicity
from models.enums import CaseKind, Move, ObjectionState, RejectReason, Role, Stage
from models.profiles import Revision
from schema.context import Context, Info
from schema.nodes import Computed, Finished, Node, Selected, cell, column, many, one, part, record
from schema.types.differences import ProfileDifference
from schema.types.eligibility import EligibilityReport
from schema.types.experts import Expert
from schema.types.messages import Message
from schema.types.objections import Objection
from schema.types.publicity import PublicNotice
from schema.types.record_chain import BrokenRecord, RecordChain
from schema.types.reference import Division

if TYPE_CHECKING:
    from schema.types.profiles import Profile

_OFFICERS = (Role.LOCAL_OFFICER, Role.PROVINCIAL_OFFICER)


@strawberry.type(description="A reason of a return, on one field of the profile.")
class FieldReason:
    """What to change; a row of comparing.REASONS."""

    path: str = cell(
        "path",
        "Path of the field in the profile that was reviewed, e.g. `titles.0.certificate`. Indexes are those of that profile: find the entry "
        "in the draft by `entryId`.",
    )
    text: str = cell("text", "What is wrong with it.")
    entry_id: str | None = cell(
        "entry_id",
        "`entryId` of the entry that the path names, in every revision that has it; empty for what is in no list, and for the present employer "
        "among the avoidance units.",
    )

    @strawberry.field(
        description="The path in words, e.g. 职称第 1 项：证书图片, in the viewer's language.",
        metadata={
            "source": Finished("regexp_replace({t}.path, '[^A-Za-z0-9]', '-', 'g')", lambda told, _, language: label_of(told, language))
        },
    )
    def label(self, info: Info) -> str:
        """By difference.label_of."""
        return label_of(self.path, info.context.language)


@record(
    applications.ApplicationRecord, "办理记录: one move of a case. Records are never changed; each is bound to the one before by its hash."
)
class ApplicationRecord(Node):
    """A line of a case's history."""

    number: int = column("number", "Place in the chain, from 1.")
    round: int = column("round", "Which submission it belongs to, from 1.")
    at: datetime = column("at", "When.")
    move: Move = column("move", "What was done.")
    from_stage: Stage = column("from_stage", "Stage before.")
    to_stage: Stage = column("to_stage", "Stage after.")
    actor_role: Role | None = column("actor_role", "Role of who did it; empty for the system.")
    actor_name: str | None = column("actor_name", "Name of who did it; officers alone see it.", only=_OFFICERS)
    opinion: str | None = column(
        "opinion", "What the officer wrote, for the expert to read; where a change of division was submitted, the expert's reason."
    )
    reject_reason: RejectReason | None = column("reject_reason", "Why it was rejected.")

    @strawberry.field(description="Reasons of a return, field by field.", metadata={"source": Selected(REASONS)})
    async def field_reasons(self) -> list[FieldReason]:
        """With the entries that they name."""
        return [FieldReason(**each) for each in await reasons_of(self.row.id)] if self.row.field_reasons else []

    hash: str = column(
        "hash", "Keyed hash of this record and the one before, hexadecimal.", convert=bytes.hex, sql="encode({t}.hash, 'hex')"
    )
    profile: Annotated["Profile", strawberry.lazy("schema.types.profiles")] | None = one(
        "Profile", "revision_id", "The frozen profile this was about: what they looked at."
    )
    application: Annotated["Application", strawberry.lazy("schema.types.applications")] | None = one(
        "Application", "application_id", "The case that was moved."
    )


@record(applications.ApplicationNote, "A note among the officers of a case. The expert never sees it; it is never changed.")
class ApplicationNote(Node):
    """A note."""

    author_name: str = column("author_name", "Name of who wrote it.")
    author_role: Role = column("author_role", "Role of who wrote it.")
    author_pool_code: str | None = column("author_pool_code", "Code of the pool of a local officer's office when it was written.")
    author_pool: Division | None = one(
        "Division",
        "author_pool_code",
        "The pool of a local officer's office: with a change of division, whether the office that the expert leaves speaks.",
        to="code",
    )
    text: str = column("text", "What was written.")
    at: datetime = column("at", "When.")
    application: Annotated["Application", strawberry.lazy("schema.types.applications")] | None = one(
        "Application", "application_id", "The case it is about."
    )


@strawberry.type(description="领取: an officer's hold on a case; others cannot decide it until it ends.")
class Claim:
    """A running claim, over the case's row."""

    row: strawberry.Private[applications.Application]
    holder: str = column("claimed_by_name", "Name of the officer.")
    until: datetime = column("claimed_until", "When it ends unless renewed.")

    @strawberry.field(
        description="Whether it is the viewer's own.", metadata={"source": Computed("coalesce({t}.claimed_by_id = :viewer_account, FALSE)")}
    )
    def mine(self, info: Info) -> bool:
        """By account."""
        return info.context.viewer is not None and self.row.claimed_by_id == info.context.viewer.account_id


def _is_claimed(row: applications.Application, context: Context) -> bool:
    viewer = context.viewer
    return viewer is not None and viewer.is_officer and row.claimed_until is not None and row.claimed_until > context.now


def _claimed_sql(role: Role | None) -> str:
    return "coalesce({t}.claimed_until > :now, FALSE)" if role in _OFFICERS else "FALSE"


def _moves_sql(role: Role | None) -> str:
    """The moves of `moves_of` as a JSON array in SQL, from the same table. A local officer also sees cases of other pools."""
    free: list[str] = []
    all_moves: list[str] = []
    for kind, stage in product(CaseKind, Stage):
        for condition, found in _possible(kind, stage, role):
            for branches, moves in ((all_moves, found), (free, [move for move in found if move not in DECISIONS])):
                branches.extend(_branches(condition, moves))
    chosen = _case(all_moves) if free == all_moves else f"CASE WHEN {_HINDERED} THEN {_case(free)} ELSE {_case(all_moves)} END"
    if role is Role.LOCAL_OFFICER:
        chosen = f"CASE WHEN {{t}}.pool_code = :viewer_pool THEN {chosen} ELSE {_text_array(())} END"
    return f"to_json({chosen})"


def _possible(kind: CaseKind, stage: Stage, role: Role | None) -> Iterator[tuple[str, Sequence[Move]]]:
    """The moves at a stage with the condition under which they are possible: at first those that a decision ends, then all others."""
    condition = f"{{t}}.kind = '{kind.value}' AND {{t}}.stage = '{stage.value}'"
    if role is None:
        return
    undecided, decided = (
        available_moves(kind, stage, decided=decided, role=role, own=role not in _OFFICERS, own_pool=True) for decided in (False, True)
    )
    if undecided != decided:
        yield f"{condition} AND {{t}}.round <= 1", undecided
    yield condition, decided


def _branches(condition: str, moves: Sequence[Move]) -> Iterator[str]:
    """WHEN … THEN for the moves possible under a condition; those that settle objections need an open one."""
    unsettling = [move for move in moves if move not in SETTLING]
    if len(unsettling) < len(moves):
        yield f"WHEN {condition} AND {_OBJECTED} THEN {_text_array(moves)}"
    if unsettling:
        yield f"WHEN {condition} THEN {_text_array(unsettling)}"


def _case(branches: list[str]) -> str:
    return f"CASE {' '.join(branches)} ELSE {_text_array(())} END" if branches else _text_array(())


def _text_array(moves: Iterable[Move]) -> str:
    return "'{" + ",".join(move.value for move in moves) + "}'::text[]"


_HINDERED = (
    "(coalesce({t}.claimed_until > :now AND {t}.claimed_by_id <> :viewer_account, FALSE) OR EXISTS ("
    f"SELECT FROM application_records r WHERE r.application_id = {{t}}.id AND {acted('r.actor_id', ':viewer_account')} "
    "AND (r.from_stage, {t}.stage) IN (('SECOND_REVIEW', 'FINAL_REVIEW'), ('FINAL_REVIEW', 'SECOND_REVIEW'))))"
)
"""Held by another, or decided by the viewer, under whatever account, at the other provincial review: see policy.held_by_another and needs_other_officer."""

_OBJECTED = "EXISTS (SELECT FROM objections o WHERE o.application_id = {t}.id AND o.state = 'OPEN')"

_REASON = (
    "(SELECT r.opinion FROM application_records r WHERE r.application_id = {t}.id AND r.move = 'SUBMIT' ORDER BY r.number DESC LIMIT 1)"
)


@record(applications.Application, "申请: one case of an expert on its way through the reviews.")
class Application(Node):
    """A case."""

    kind: CaseKind = column("kind", "What it asks for.")
    stage: Stage = column("stage", "Where it stands: its only status.")
    round: int = column("round", "How often it was submitted; 0 for a draft.")
    applicant: str = column("applicant", "Name of the person.")
    employer: str | None = column("employer", "Employer named in the submitted profile.")
    pool_code: str | None = column("pool_code", "Code of the pool it was submitted to.")
    pool: Division | None = one("Division", "pool_code", "The pool it was submitted to.", to="code")
    leaving_pool_code: str | None = column("leaving_pool_code", "变更区划: code of the pool that the expert leaves; empty for other kinds.")
    leaving_pool: Division | None = one(
        "Division",
        "leaving_pool_code",
        "变更区划: the pool that the expert leaves. Its office sees the case and may comment it; `pool` is the one that reviews first.",
        to="code",
    )
    created_at: datetime = column("created_at", "When the draft was opened.")
    submitted_at: datetime | None = column("submitted_at", "When it was last submitted.")
    stage_since: datetime = column("stage_since", "Since when it has stood at this stage.")
    due_at: datetime | None = column("due_at", "Until when the office should have decided; empty where no office decides.")
    due_on: date | None = column(
        "due_at",
        "Last day that the office has for it, in Shanghai: `overdue` from the day after; empty where no office decides.",
        convert=last_day_before,
        sql="(({t}.due_at AT TIME ZONE 'Asia/Shanghai') - interval '1 microsecond')::date",
    )
    closed_at: datetime | None = column("closed_at", "When it was closed; empty while it is open.")
    expert: Expert | None = one("Expert", "expert_id", "Whose case it is.")
    profile: Annotated["Profile", strawberry.lazy("schema.types.profiles")] | None = one(
        "Profile", "revision_id", "The frozen profile under review; while a case is returned, the one that was reviewed last."
    )
    records: list[ApplicationRecord] = many("ApplicationRecord", "application_id", "Its history, the oldest first.", order="{t}.number")
    notes: list[ApplicationNote] = many(
        "ApplicationNote", "application_id", "Notes among its officers, the oldest first; empty for everybody else.", order="{t}.at, {t}.id"
    )
    messages: list[Message] = many(
        "Message", "application_id", "Messages to phones about it, the oldest first; for officers.", order="{t}.created_at, {t}.id"
    )
    objections: list[Objection] = many(
        "Objection",
        "application_id",
        "异议: objections to it, the oldest first; provincial officers alone see them.",
        order="{t}.received_at, {t}.id",
    )
    notice: PublicNotice | None = one("PublicNotice", "id", "Its public notice, once opened.", to="application_id")

    @strawberry.field(
        description="变更区划: why the expert wants to move, as last submitted; empty for other kinds.",
        metadata={"source": Computed(_REASON)},
    )
    async def reason(self, info: Info) -> str | None:
        """From the record of the last submission, which never changes."""
        records: list[Any] = await info.context.load_many(applications.ApplicationRecord, "application_id", self.row.id)
        submitted = [row for row in records if row.move is Move.SUBMIT]
        return max(submitted, key=lambda row: row.number).opinion if submitted else None

    @strawberry.field(
        description="What a change changes: the submitted profile beside the one it was begun from, which is in force meanwhile. "
        "Null for an admission and before the first submission."
    )
    async def difference(self, info: Info) -> ProfileDifference | None:
        """By difference.compare."""
        if self.row.revision_id is None or (base := await base_of(self.row.revision_id)) is None:
            return None
        return ProfileDifference.of(await difference_of(self.row.revision_id, base), info.context)

    @strawberry.field(
        description="记录链: whether the records of the case are as they were written; checked now. For officers, null for the expert."
    )
    async def record_chain(self, info: Info) -> RecordChain | None:
        """By record_chain.broken_links."""
        viewer = info.context.viewer
        if viewer is None or not viewer.is_officer:
            return None
        broken = [BrokenRecord.of(each) for each in await broken_links(self.row.id)]
        return RecordChain(intact=not broken, broken=broken)

    @strawberry.field(
        description="入库条件核对: how the submitted profile stood to the conditions of admission on the day of its submission; the same a "
        "year later. It informs and never decides. Null before the first submission; a draft has its own, `Profile.eligibility`."
    )
    async def eligibility(self, info: Info) -> EligibilityReport | None:
        """By eligibility.report."""
        submitted: Any = await info.context.load_one(Revision, "id", self.row.revision_id)
        return None if submitted is None else EligibilityReport.of(await report_of(submitted, now=info.context.now), info.context.language)

    @strawberry.field(
        description="Whether the office's time budget for this stage is over.",
        metadata={"source": Computed("coalesce({t}.due_at < :now, FALSE)")},
    )
    def overdue(self, info: Info) -> bool:
        """By the server's clock."""
        return self.row.due_at is not None and self.row.due_at < info.context.now

    claim: Claim | None = part(
        Claim, "Who holds the case now; empty where nobody does. Officers alone see it.", when=_claimed_sql, present=_is_claimed
    )

    @strawberry.field(
        description="The moves that the viewer can make with the case now: draw buttons from it; each value of `Move` names its mutation. The "
        "server refuses every other move. What leaves the case at its stage is no move: claims, notes, an objection dismissed "
        "at PUBLICITY.",
        metadata={"source": Computed(_moves_sql)},
    )
    async def available_moves(self, info: Info) -> list[Move]:
        """From the table of moves and the policy."""
        viewer = info.context.viewer
        if viewer is None:
            return []
        records: list[Any] = await info.context.load_many(applications.ApplicationRecord, "application_id", self.row.id)
        mine = await accounts_of(viewer.account_id) if self.row.stage in TWO_OFFICERS else set()
        decided = {row.from_stage for row in records if row.actor_id in mine}
        objections: list[Any] = await info.context.load_many(publicity.Objection, "application_id", self.row.id)
        objected = any(row.state is ObjectionState.OPEN for row in objections)
        facts = facts_of(self.row, decided_by_viewer=decided, objected=objected)
        return list(moves_of(facts, viewer, info.context.now))
