"""The chain of a case's records: each is bound to the one before by a keyed hash, so that tampering shows (domain §5)."""

from __future__ import annotations

import hmac
from uuid import UUID

import orjson

from models.applications import Application, ApplicationRecord
from models.sealing import derived_key


def chain_hash(record: ApplicationRecord) -> bytes:
    """The keyed hash of a record with the hash of the one before it: a changed, missing or foreign row no longer fits."""
    return hmac.digest(derived_key("record-chain"), (record.previous_hash or b"") + _written(record), "sha256")


def erased_hash(record: ApplicationRecord) -> bytes:
    """The keyed hash of a record from which personal data were erased, bound to its first hash: the chain goes on through that one."""
    return hmac.digest(derived_key("record-chain/erased"), record.hash + _written(record), "sha256")


def _fits(record: ApplicationRecord) -> bool:
    """Whether a record says what it was written with, or what erasure left of it."""
    return record.hash == chain_hash(record) if record.erased_hash is None else record.erased_hash == erased_hash(record)


def _written(record: ApplicationRecord) -> bytes:
    told = {
        name: getattr(record, name)
        for name in (
            "id", "application_id", "number", "round", "at", "actor_id", "actor_name", "actor_role", "move",
            "from_stage", "to_stage", "revision_id", "opinion", "reject_reason", "field_reasons",
        )
    }  # fmt: skip
    return orjson.dumps(told, default=str, option=orjson.OPT_SORT_KEYS | orjson.OPT_UTC_Z)  # str: the driver's own kind of UUID


async def broken_links(case_id: UUID) -> list[int]:
    """Numbers of the case's records that are missing, were changed, or were added past the registry; empty where the chain is whole.

    The end of the chain is kept with the case: who cuts records off and rewrites the case as well is not found here.
    """
    case = await Application.get(id=case_id)
    kept = {record.number: record for record in await ApplicationRecord.filter(application_id=case_id)}
    broken = []
    before: bytes | None = None
    for number in range(1, max(case.records_count, *kept, 0) + 1):
        record = kept.get(number)
        # Behind a missing record only the row itself can be checked.
        follows = record is not None and (record.previous_hash == before or (number - 1 not in kept and number > 1))
        if record is None or not follows or not _fits(record):
            broken.append(number)
        before = None if record is None else record.hash
    last = kept.get(case.records_count)
    if last is not None and last.hash != case.last_hash and case.records_count not in broken:
        broken.append(case.records_count)
    return sorted({*broken, *(number for number in kept if number > case.records_count)})
