"""The chain of a case's records: each is bound to the one before by a keyed hash, so that tampering shows (rules §5)."""

from __future__ import annotations

import hmac
from collections import defaultdict
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import orjson

from domain.rules.errors import NotAllowed
from domain.rules.viewer import Viewer
from models.applications import Application, ApplicationRecord
from models.database import columns, rows
from models.enums import ChainBreak, Role
from models.sealing import derived_key


def chain_hash(before: bytes | None, told: Mapping[str, Any]) -> bytes:
    """The keyed hash of what a record tells with the hash of the one before it: a changed, missing or foreign row no longer fits."""
    return linked("record-chain", before, told)


def erased_hash(record: ApplicationRecord) -> bytes:
    """The keyed hash of a record from which personal data were erased, bound to its first hash: the chain goes on through that one."""
    return linked("record-chain/erased", record.hash, told_by(record))


def linked(chain: str, before: bytes | None, told: Mapping[str, Any]) -> bytes:
    """The keyed hash that binds what a row tells to the hash before it; each kind of chain has a key of its own."""
    written = orjson.dumps(told, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)  # str: the driver's own kind of UUID
    return hmac.digest(derived_key(chain), (before or b"") + written, "sha256")


def _fits(record: ApplicationRecord) -> bool:
    """Whether a record says what it was written with, or what erasure left of it."""
    if record.erased_hash is not None:
        return record.erased_hash == erased_hash(record)
    return record.hash == chain_hash(record.previous_hash, told_by(record))


def told_by(record: ApplicationRecord) -> dict[str, Any]:
    """What of a record is hashed."""
    return {
        name: getattr(record, name)
        for name in (
            "id", "application_id", "number", "round", "at", "actor_id", "actor_name", "actor_role", "move",
            "from_stage", "to_stage", "revision_id", "opinion", "reject_reason", "field_reasons",
        )
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """One place where a chain does not hold: the case, the record's number and, where it is there, its id."""

    case_id: UUID
    number: int
    what: ChainBreak
    record_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Head:
    """Where a chain ended when somebody looked: what was witnessed once must stand there for ever."""

    case_id: UUID
    number: int
    hash: bytes


def written(head: Head) -> str:
    """A head as a line of a witness file."""
    return f"{head.case_id} {head.number} {head.hash.hex()}\n"


def heads_of(witness: str) -> dict[UUID, Head]:
    """What a witness file holds, by case; raises ValueError for anything else."""
    found = [line.split(" ") for line in witness.splitlines()]
    return {UUID(case_id): Head(UUID(case_id), int(number), bytes.fromhex(digest)) for case_id, number, digest in found}


async def broken_links(case_id: UUID, witnessed: Head | None = None) -> list[BrokenLink]:
    """Where the case's chain does not hold, by number; empty where it is whole. See `verify` for `witnessed`."""
    case = await Application.get(id=case_id)
    return _broken(case, await ApplicationRecord.filter(application_id=case_id), witnessed)


async def verify(witnessed: Mapping[UUID, Head], *, batch: int = 500) -> AsyncIterator[tuple[Sequence[Head], Sequence[BrokenLink]]]:
    """All chains of the registry, a batch of cases at a time: where each ends now, and where any does not hold.

    Who may write the database can cut the newest records off and set the case back; the rest is a whole chain. So the ends of all chains
    are told, to be kept elsewhere, and compared by the next run: `witnessed` are those of an earlier one. Takes two statements a batch.
    """
    missing = set(witnessed)
    heads, broken = await _checked(UUID(int=0), batch, witnessed)
    while heads:
        missing.difference_update(head.case_id for head in heads)
        yield heads, broken
        heads, broken = await _checked(heads[-1].case_id, batch, witnessed)
    if missing:
        yield [], [BrokenLink(case_id, witnessed[case_id].number, ChainBreak.MISSING) for case_id in sorted(missing)]


async def verify_next(after: UUID | None, *, viewer: Viewer, batch: int = 200) -> tuple[Sequence[Head], Sequence[BrokenLink]]:
    """As `verify`, the next `batch` cases behind the case `after` by their ids; no heads where all are checked.

    For who watches over the whole registry: raises NotAllowed for all but the province and administrators.
    """
    if viewer.role not in (Role.PROVINCIAL_OFFICER, Role.ADMINISTRATOR):
        raise NotAllowed
    return await _checked(after or UUID(int=0), batch, {})


async def _checked(after: UUID, batch: int, witnessed: Mapping[UUID, Head]) -> tuple[Sequence[Head], Sequence[BrokenLink]]:
    sql = f"SELECT {columns(Application, 't')} FROM applications t WHERE id > $1 AND records_count > 0 ORDER BY id LIMIT $2"  # noqa: S608  our own names
    cases = await rows(sql, after, batch)
    found = [Application.of(each) for each in cases]
    kept: dict[UUID, list[ApplicationRecord]] = defaultdict(list)
    for row in await rows("SELECT * FROM application_records WHERE application_id = ANY($1::uuid[])", [case.id for case in found]):
        kept[row["application_id"]].append(ApplicationRecord.of(row))
    return (
        [Head(case.id, case.records_count, case.last_hash or b"") for case in found],
        [link for case in found for link in _broken(case, kept[case.id], witnessed.get(case.id))],
    )


def _broken(case: Application, records: Sequence[ApplicationRecord], witnessed: Head | None) -> list[BrokenLink]:
    kept = {record.number: record for record in records}
    found: dict[int, BrokenLink] = {}
    before: bytes | None = None
    for number in range(1, max(case.records_count, *kept, witnessed.number if witnessed else 0, 0) + 1):
        record = kept.get(number)
        # Behind a missing record only the row itself can be checked.
        follows = record is not None and (record.previous_hash == before or (number - 1 not in kept and number > 1))
        if record is None:
            found[number] = BrokenLink(case.id, number, ChainBreak.MISSING)
        elif number > case.records_count:
            found[number] = BrokenLink(case.id, number, ChainBreak.FOREIGN, record.id)
        elif not follows or not _fits(record):
            found[number] = BrokenLink(case.id, number, ChainBreak.CHANGED, record.id)
        elif witnessed is not None and number == witnessed.number and record.hash != witnessed.hash:
            found[number] = BrokenLink(case.id, number, ChainBreak.FOREIGN, record.id)
        before = None if record is None else record.hash
    last = kept.get(case.records_count)
    if last is not None and (last.hash, last.to_stage) != (case.last_hash, case.stage):
        found.setdefault(last.number, BrokenLink(case.id, last.number, ChainBreak.CASE_DIFFERS, last.id))
    return [found[number] for number in sorted(found)]
