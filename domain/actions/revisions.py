"""The chain of a profile's revisions: one open draft, frozen when submitted, copied when work goes on (rules §4)."""

from __future__ import annotations

from datetime import datetime

from tortoise.models import Model

from domain.actions.eligibility import assess
from domain.rules import identity
from domain.rules.calendar import SHANGHAI
from domain.rules.errors import NotAllowed
from domain.rules.lifecycle import EDITABLE
from domain.rules.standing import ENDED
from models.accounts import Account
from models.applications import Application
from models.database import rows, transaction
from models.enums import CaseKind, RevisionState, Stage, Standing
from models.experts import Expert
from models.ids import new_id
from models.profiles import AvoidanceUnit, Education, OtherMaterial, QualificationEntry, Revision, RevisionSpecialty, TitleEntry, WorkEntry

SECTIONS: tuple[type[Model], ...] = (Education, TitleEntry, WorkEntry, QualificationEntry, RevisionSpecialty, AvoidanceUnit, OtherMaterial)
"""The tables whose rows belong to a revision."""


def _copy_of(model: type[Model], condition: str, **changed: str) -> str:
    """INSERT … SELECT of all columns of a table, with those in `changed` taken from an expression."""
    meta = model._meta
    columns = sorted(meta.fields_db_projection.values())
    values = ", ".join(changed.get(each, each) for each in columns)
    return f"INSERT INTO {meta.db_table} ({', '.join(columns)}) SELECT {values} FROM {meta.db_table} WHERE {condition}"  # noqa: S608  our own names


def _copy_statement() -> str:
    """One statement that copies revision $1 with all its sections to the draft $2 of the instant $3 and points its expert there."""
    revision = _copy_of(
        Revision,
        "id = $1",
        id="$2::uuid",
        number="(SELECT max(number) + 1 FROM revisions other WHERE other.expert_id = revisions.expert_id)",
        base_id="id",
        state=f"'{RevisionState.DRAFT.value}'",
        created_at="$3::timestamptz",
        updated_at="$3::timestamptz",
        frozen_at="NULL",
        changed_at_once="NULL",
        eligibility="NULL",
    )
    sections = [_copy_of(each, "revision_id = $1", id="gen_random_uuid()", revision_id="$2::uuid") for each in SECTIONS]
    steps = ", ".join(f"step_{number} AS ({sql})" for number, sql in enumerate([revision, *sections]))
    return f"WITH {steps} UPDATE experts SET draft_id = $2 WHERE id = (SELECT expert_id FROM revisions WHERE id = $1)"  # noqa: S608  likewise


async def copy_as_draft(revision: Revision, *, now: datetime) -> Revision:
    """Open a new draft with everything that `revision` holds, under its version until it is changed; entries keep their `entry_id`.

    Call inside a transaction that holds the expert's row. Raises IntegrityError (one_draft_per_expert) while another draft is open.
    """
    draft_id = new_id()
    await rows(_copy_statement(), revision.pk, draft_id, now)
    return await Revision.get(id=draft_id)


async def open_case(kind: CaseKind, expert: Expert, *, now: datetime, leaving_pool_code: str | None = None) -> Application:
    """A case with which a draft can be submitted. Call inside a transaction that holds the expert's row."""
    return await Application.create(
        kind=kind,
        expert=expert,
        stage=Stage.DRAFT,
        applicant=expert.name,
        leaving_pool_code=leaving_pool_code,
        created_at=now,
        stage_since=now,
    )


async def open_draft(expert: Expert, *, now: datetime) -> Revision:
    """The expert's open draft, locked; made from the revision in force or else the newest one, or from the account, where there is none.

    A temporary expert's admission case is opened with it. Call inside the transaction that edits: it holds the expert's row, then the
    draft's. A repeat gives the same draft. Raises NotAllowed: CASE_UNDER_REVIEW while offices have the case, DIVISION_CHANGE_APART while a
    change of division is returned, STANDING_ENDED for those who left or were dismissed.
    """
    async with transaction():
        person = await Expert.filter(id=expert.pk).select_for_update().get()
        if person.standing in ENDED:
            raise NotAllowed("STANDING_ENDED")
        case = await Application.get_or_none(expert_id=person.pk, closed_at__isnull=True)
        if case is not None and case.stage not in EDITABLE:
            raise NotAllowed("CASE_UNDER_REVIEW")
        if case is not None and case.kind is CaseKind.DIVISION_CHANGE:
            raise NotAllowed("DIVISION_CHANGE_APART")
        if case is None and person.standing is Standing.TEMPORARY:
            await open_case(CaseKind.ADMISSION, person, now=now)
        draft = await _draft_of(person, now=now)
        expert.draft_id, expert.last_version = draft.pk, person.last_version
        return draft


async def _draft_of(person: Expert, *, now: datetime) -> Revision:
    if person.draft_id is not None:
        return await Revision.filter(id=person.draft_id).select_for_update().get()
    latest = Revision.filter(expert_id=person.pk)
    base = await (Revision.get(id=person.effective_id) if person.effective_id else latest.order_by("-number").first())
    if base is not None:
        return await copy_as_draft(base, now=now)
    account = await Account.get(id=person.account_id)
    draft = Revision(expert=person, number=1, name=account.name, created_at=now, updated_at=now)
    if account.id_number is not None:
        kind = identity.kind_of(account.id_number)
        known = identity.id_number(account.id_number, kind=kind, today=now.astimezone(SHANGHAI).date())
        draft.id_type = kind
        draft.id_number = known.number
        draft.id_number_hash = account.id_number_hash
        draft.id_number_masked = account.id_number_masked
        draft.sex = known.sex
        draft.birth_date = known.birth_date
    await draft.save(force_create=True)
    await Expert.filter(id=person.pk).update(draft_id=draft.pk)
    return draft


def next_version(draft: Revision, expert: Expert) -> int:
    """The version of a draft that is changed now: one that no draft of this person has had, nor what became of it.

    So a version stands for what was seen under it, and whoever looked at another draft, dropped since, is told (Stale).
    """
    return max(draft.version, expert.last_version) + 1


async def drop_draft(draft: Revision, *, shown: int) -> None:
    """Delete a draft that nobody wants any more; `shown` is the last of its versions that somebody may have seen.

    Call inside a transaction that holds the expert.
    """
    await rows("UPDATE experts SET draft_id = NULL, last_version = greatest(last_version, $2) WHERE id = $1", draft.expert_id, shown)
    await draft.delete()


async def freeze(draft: Revision, *, now: datetime) -> Revision:
    """End the draft: neither it nor its rows can change any more (trigger of 0002). The day's eligibility report is kept with it.

    Call inside a transaction that holds the expert.
    """
    draft.eligibility = (await assess(draft, now=now)).kept()
    draft.state = RevisionState.FROZEN
    draft.frozen_at = now
    await draft.save(update_fields=["state", "frozen_at", "eligibility"])
    await rows("UPDATE experts SET draft_id = NULL, last_version = greatest(last_version, $2) WHERE draft_id = $1", draft.pk, draft.version)
    return draft
