"""Closing a pool into its successor: nobody submits to it any more, its people and cases follow (rules §8).

`divisions.pool_code` of a closed pool is always the pool that has its people now: a further merger moves it along.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from functools import partial
from uuid import UUID

import structlog
from tortoise.expressions import Q

from domain.actions.calendar import LOCK
from domain.actions.moving import Decision, move, transfer
from domain.actions.promises import announce, send_sms
from domain.actions.staff import put_into_pool, put_out_of_use
from domain.actions.sweeping import each_alone
from domain.rules.errors import FieldProblem, Incomplete, InvalidInput, NotAllowed
from domain.rules.fields import Fields
from domain.rules.pools import REASON_LENGTH, closes_pools
from domain.rules.standing import ENDED
from domain.rules.text import prose
from domain.rules.viewer import Viewer
from models.accounts import Account
from models.applications import Application
from models.database import database_now, execute, rows, transaction
from models.enums import AccountStatus, CaseKind, MergeState, Move, Role, SmsTemplate
from models.experts import Expert
from models.pools import PoolMerge, PoolTransfer
from models.reference import Division

log = structlog.get_logger("domain.actions.pools")

_AT_A_TIME = 500


async def merge(from_code: str, into_code: str, *, reason: str, viewer: Viewer, now: datetime) -> PoolMerge:
    """Close a pool into another, at once; workers move people and cases (`carry_on`). Its officers are moved with it and sign in anew.

    A pool that a file of reference data took away can still be closed into another, as long as it has people. A repeat gives the merge as
    it stands. Raises NotAllowed for all but administrators and provincial officers, and InvalidInput: for what is no pool
    (POOL_NOT_SELECTABLE), one and the same (POOL_INTO_ITSELF), one closed into another before (POOL_CLOSED).
    """
    said = _ordered(viewer, reason)
    async with transaction():
        await rows("SELECT pg_advisory_xact_lock($1)", LOCK)
        closed = await PoolMerge.get_or_none(from_code=from_code)
        if closed is not None:
            if closed.into_code == into_code:
                return closed
            raise InvalidInput([FieldProblem("fromPoolCode", "POOL_CLOSED", {"pool": await _named(closed.into_code)})])
        await _check(from_code, into_code)
        # Waits for submissions under way, which hold the row (`receiving`); later ones find the pool closed.
        await execute(_CLOSE, from_code, into_code)
        for account in await _officers(from_code):
            await put_into_pool(account, into_code, by=viewer, now=now)
        await announce("referenceChanged")
        return await PoolMerge.create(
            from_code=from_code,
            into_code=into_code,
            reason=said,
            ordered_by_id=viewer.account_id,
            ordered_by_name=viewer.name,
            ordered_by_role=viewer.role,
            created_at=now,
            experts_total=await _members(from_code),
        )


async def close(pool_code: str, *, reason: str, viewer: Viewer, now: datetime) -> Division:
    """Close a pool that has no successor: its officers are out of use at once, workers cancel its open cases (`cancel_without_office`).

    Formal experts of it stay what they are, and ask for a change of division. A repeat changes nothing; the pool can still be closed into
    another later. Raises NotAllowed as `merge`, and InvalidInput for what is no open pool (POOL_NOT_SELECTABLE) or one to which people of
    another are still on their way (POOL_MERGE_RUNNING).
    """
    said = _ordered(viewer, reason)
    async with transaction():
        await rows("SELECT pg_advisory_xact_lock($1)", LOCK)
        found = await Division.get_or_none(code=pool_code)
        if found is not None and found.closed_at is not None:
            return found
        if found is None or found.retired or not found.pool_selectable:
            raise InvalidInput([FieldProblem("poolCode", "POOL_NOT_SELECTABLE")])
        if await PoolMerge.exists(into_code=pool_code, state=MergeState.RUNNING):
            raise InvalidInput([FieldProblem("poolCode", "POOL_MERGE_RUNNING")])
        await execute(_ABANDON, pool_code, now, said)  # waits for submissions under way, as in `merge`
        for account in await _officers(pool_code):
            if account.status is AccountStatus.ACTIVE:
                await put_out_of_use(account, by=viewer, now=now)
        await announce("referenceChanged")
        log.info("pool closed without a successor", pool=pool_code, by=str(viewer.account_id))
        return await Division.get(code=pool_code)


async def cancel_without_office() -> int:
    """Cancel open cases of pools that closed without a successor and tell their experts; how many. Safe to run late or twice."""
    due = await rows(f"{_WITHOUT_OFFICE} ORDER BY c.id LIMIT {_AT_A_TIME}")
    return await each_alone((row["id"] for row in due), _close_case, noun="application", failed="not cancelled with the pool")


async def without_successor() -> set[str]:
    """Pools that closed without a successor."""
    return {each.code for each in await Division.filter(closed_at__isnull=False)}


async def receiving(pool_code: str) -> str:
    """The pool that takes who submits to `pool_code`: itself, or its successor; it stays open until the transaction ends.

    Raises Incomplete where there is none.
    """
    # A statement that has waited for a merger to commit knows the closed pool's new successor and not that pool's row: look anew.
    found = await rows(_RECEIVING, pool_code) or await rows(_RECEIVING, pool_code)
    if not found:
        raise Incomplete([FieldProblem("evaluationInfo.homePoolCode", "POOL_NOT_SELECTABLE")])
    code: str = found[0]["code"]
    return code


async def has_successor(pool_code: str) -> bool:
    """Whether the pool takes submissions, itself or by its successor, as it does until the transaction ends."""
    try:
        await receiving(pool_code)
    except Incomplete:
        return False
    return True


async def holding(pool_code: str) -> str:
    """The pool that has the people of `pool_code`, or gets them as soon as a worker comes to them: itself, or its successor."""
    found = await Division.get_or_none(code=pool_code)
    return (found and found.pool_code) or pool_code


async def closed_pools() -> dict[str, str]:
    """Pools that were closed, with those they were closed into."""
    return {each.from_code: each.into_code for each in await PoolMerge.all()}


async def carry_on() -> int:
    """Move who and what is still in closed pools; how many people were moved.

    Safe to run late, twice and on several machines, and goes on where it was stopped: each person is moved with all their cases in a
    transaction of its own, which counts it. A merge is done when nobody is left.
    """
    moved = 0
    for each in await PoolMerge.filter(state=MergeState.RUNNING).order_by("created_at"):
        after = UUID(int=0)
        while batch := await rows(f"SELECT id FROM ({_MEMBERS}) m WHERE id > $2 ORDER BY id LIMIT {_AT_A_TIME}", each.from_code, after):  # noqa: S608  our own constants
            people = (row["id"] for row in batch)
            moved += await each_alone(people, partial(_move_person, each.id), noun="expert", failed="not moved with the pool")
            after = batch[-1]["id"]
        await _finish(each.id)
    return moved


_MEMBERS = """
SELECT id FROM experts WHERE pool_code = $1
UNION SELECT expert_id FROM applications WHERE pool_code = $1 AND round > 0
UNION SELECT expert_id FROM applications WHERE leaving_pool_code = $1
"""
_CLOSE = """
WITH RECURSIVE former(code) AS (
    SELECT $1::varchar UNION SELECT m.from_code FROM pool_merges m JOIN former f ON m.into_code = f.code
)
UPDATE divisions SET pool_code = $2, pool_selectable = pool_selectable AND code <> $1,
    closed_at = CASE WHEN code <> $1 THEN closed_at END, closing_reason = CASE WHEN code <> $1 THEN closing_reason END
WHERE pool_code = $1 OR code IN (SELECT code FROM former)
"""
_ABANDON = """
UPDATE divisions SET pool_code = NULL, pool_selectable = pool_selectable AND code <> $1,
    closed_at = CASE code WHEN $1 THEN $2::timestamptz END, closing_reason = CASE code WHEN $1 THEN $3 END
WHERE $1 IN (code, pool_code)
"""
_WITHOUT_OFFICE = """
SELECT c.id, d.name FROM applications c JOIN divisions d ON d.code = c.pool_code
WHERE c.closed_at IS NULL AND c.round > 0 AND d.closed_at IS NOT NULL
"""
_RECEIVING = """
SELECT heir.code FROM divisions d JOIN divisions heir ON heir.code = d.pool_code
WHERE d.code = $1 AND heir.pool_selectable AND NOT heir.retired FOR SHARE
"""


def _ordered(viewer: Viewer, reason: str) -> str:
    """The reason of an order to close a pool. Raises NotAllowed for who may not give one, InvalidInput for the reason."""
    if not closes_pools(viewer):
        raise NotAllowed
    fields = Fields()
    said = fields.check("reason", lambda: prose(reason, longest=REASON_LENGTH), otherwise="")
    fields.refuse()
    return said


async def _named(code: str) -> str:
    found = await Division.get_or_none(code=code)
    return f"{found.name} ({code})" if found else code


async def _officers(pool_code: str) -> list[Account]:
    found = Account.filter(role=Role.LOCAL_OFFICER, pool_code=pool_code).order_by("id").select_for_update(no_key=True)
    return [each async for each in found]


async def _close_case(case_id: UUID) -> bool:
    async with transaction():
        held = await rows(f"{_WITHOUT_OFFICE} AND c.id = $1 FOR UPDATE OF c SKIP LOCKED", case_id)
        if held:
            await _cancel_with_pool(await Application.get(id=case_id), held[0]["name"], await database_now())
        return bool(held)


async def _cancel_with_pool(case: Application, pool_name: str, now: datetime) -> None:
    await move(case, Move.CANCEL, viewer=None, now=now, decision=Decision(opinion=f"{pool_name} ({case.pool_code}) 已撤销"))
    account = await Account.get(id=(await Expert.get(id=case.expert_id)).account_id)
    await send_sms(SmsTemplate.POOL_CLOSED, account, application_id=case.id, parameters={"pool": pool_name}, now=now)


async def _members(pool_code: str) -> int:
    found: int = (await rows(f"SELECT count(*) AS n FROM ({_MEMBERS}) m", pool_code))[0]["n"]  # noqa: S608  our own constant
    return found


async def _check(from_code: str, into_code: str) -> None:
    fields = Fields()
    is_open = {each.code for each in await Division.filter(code__in=[from_code, into_code], pool_selectable=True, retired=False)}
    if from_code not in is_open and not await _members(from_code):
        fields.wrong("fromPoolCode", "POOL_NOT_SELECTABLE")
    if into_code not in is_open:
        fields.wrong("intoPoolCode", "POOL_NOT_SELECTABLE")
    if from_code == into_code:
        fields.wrong("intoPoolCode", "POOL_INTO_ITSELF")
    fields.refuse()


async def _move_person(merge_id: UUID, expert_id: UUID) -> bool:
    async with transaction():
        return await _move_held(merge_id, expert_id, await database_now())


async def _move_held(merge_id: UUID, expert_id: UUID, now: datetime) -> bool:
    under = await PoolMerge.select_for_update().get(id=merge_id)  # first: of two workers one waits and then finds nothing to do
    into_code = await receiving(under.from_code)
    theirs = Application.filter(Q(pool_code=under.from_code) | Q(leaving_pool_code=under.from_code), expert_id=expert_id)
    cases = await theirs.order_by("id").select_for_update()
    expert = await Expert.select_for_update().get(id=expert_id)
    if expert.pool_code != under.from_code and not cases:
        return False
    told = f"{await _named(under.from_code)} → {await _named(into_code)}"
    # Somebody who has moved on to another pool leaves cases behind, or asks to come: these alone follow.
    belongs = expert.pool_code in (under.from_code, None)
    for case in cases:
        await transfer(case, under.from_code, into_code, told=told, now=now)
        if _leads_nowhere(case):
            await _cancel(case, expert, told, now)
    if belongs:
        await _enter(expert, under, into_code, now)
    await _tell(expert, cases, into_code, belongs=belongs, now=now)
    under.experts_moved += 1
    under.cases_moved += len(cases)
    await under.save(update_fields=["experts_moved", "cases_moved"])
    return True


def _leads_nowhere(case: Application) -> bool:
    """An open change of division whose two pools have become one."""
    return case.kind is CaseKind.DIVISION_CHANGE and case.closed_at is None and case.pool_code == case.leaving_pool_code


async def _cancel(case: Application, expert: Expert, told: str, now: datetime) -> None:
    await move(case, Move.CANCEL, viewer=None, now=now, decision=Decision(opinion=told))
    account = await Account.get(id=expert.account_id)
    await send_sms(SmsTemplate.DIVISION_CHANGE_MOOT, account, application_id=case.id, now=now)


async def _enter(expert: Expert, under: PoolMerge, into_code: str, now: datetime) -> None:
    if expert.pool_code is not None:
        # One column and no whole row: what a case that was cancelled just now has written stays.
        await Expert.filter(id=expert.id).update(pool_code=into_code)
    await PoolTransfer.create(merge_id=under.id, expert=expert, at=now, from_code=under.from_code, into_code=into_code)


async def _tell(expert: Expert, cases: Sequence[Application], into_code: str, *, belongs: bool, now: datetime) -> None:
    """Tell a person who has not left what has become of their pool, and of an open case that is a reason to do so."""
    account = await Account.get(id=expert.account_id)
    if account.status is not AccountStatus.ACTIVE or expert.standing in ENDED:
        return
    parameters = {"pool": (await Division.get(code=into_code)).name}
    opened = next((case for case in cases if case.closed_at is None), None)
    if belongs:
        about = None if opened is None else opened.id
        await send_sms(SmsTemplate.POOL_MERGED, account, application_id=about, parameters=parameters, now=now)
    elif opened is not None:
        await send_sms(SmsTemplate.TARGET_MERGED, account, application_id=opened.id, parameters=parameters, now=now)


async def _finish(merge_id: UUID) -> None:
    async with transaction():
        under = await PoolMerge.select_for_update().get(id=merge_id)
        if under.state is MergeState.RUNNING and not await rows(f"{_MEMBERS} LIMIT 1", under.from_code):
            under.state, under.finished_at = MergeState.DONE, await database_now()
            await under.save(update_fields=["state", "finished_at"])
