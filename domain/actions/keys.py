"""The keys of the installation: known at start to be the right ones, and replaced while the registry serves (rules §9)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

from tortoise import Tortoise

from domain.actions import files, storage
from models.database import rows, transaction
from models.enums import KeyUse
from models.sealing import SealedField, current_fingerprint, current_header, known_fingerprints, seal, secret_fingerprint, unseal
from settings import SettingsError, variable

BATCH = 500
Progress = Callable[[str, int, int], None]
"""Told what is being sealed anew, how much of it is done, and how much there is."""


class SealedColumn(NamedTuple):
    """A column of sealed texts."""

    table: str
    column: str
    purpose: str


@dataclass(frozen=True, slots=True)
class SealedAnew:
    """What a rotation did. `left` values were sealed under another key meanwhile: a process still runs with that one."""

    values: int
    files: int
    left: int


def sealed_columns() -> Iterator[SealedColumn]:
    """Every sealed column of the models."""
    for model in Tortoise.apps["models"].values():
        for field in model._meta.fields_map.values():
            if isinstance(field, SealedField):
                yield SealedColumn(model._meta.db_table, field.source_field or field.model_field_name, field.purpose)


async def check() -> None:
    """Note this process's keys with the database; raises SettingsError where they are not those with which it was written.

    Under a wrong secret nobody would be found again, without a former seal key some people's data would not open: better no start.
    """
    kept = await rows("SELECT fingerprint, use FROM known_keys WHERE retired_at IS NULL")
    by_use = {use: {each["fingerprint"] for each in kept if each["use"] == use} for use in KeyUse}
    if by_use[KeyUse.HASH] - {secret_fingerprint()}:
        raise SettingsError(f"{variable('secret_key')} is not the one under which this database was written; it cannot be replaced")
    if missing := by_use[KeyUse.SEAL] - known_fingerprints():
        raise SettingsError(
            f"Data in this database are sealed under a key with the fingerprint {', '.join(sorted(missing))}, which is neither "
            f"{variable('seal_key')} nor among {variable('further_seal_keys')}: add it there, then replace it by `run.py rotate-keys`"
        )
    for fingerprint, use in ((secret_fingerprint(), KeyUse.HASH), (current_fingerprint(), KeyUse.SEAL)):
        if fingerprint not in by_use[use]:
            await rows(
                """INSERT INTO known_keys (fingerprint, use, since) VALUES ($1, $2, registry_now())
                   ON CONFLICT (fingerprint) DO UPDATE SET retired_at = NULL""",
                fingerprint,
                use.value,
            )


async def seal_anew(progress: Progress) -> SealedAnew:
    """Seal everything under the present key and suite that lies under others, batch by batch; a repeat goes on where one was broken off.

    Safe while the registry serves: a value is replaced only where it is still the one that was read. Former keys are noted as retired once
    nothing is left under them.
    """
    columns = list(sealed_columns())
    values = sum([await _column_anew(each, progress) for each in columns])
    objects = await _files_anew(progress)
    left = sum([await _under_others(each) for each in columns])
    if not left:
        await rows(
            "UPDATE known_keys SET retired_at = registry_now() WHERE use = $1 AND fingerprint <> $2 AND retired_at IS NULL",
            KeyUse.SEAL.value,
            current_fingerprint(),
        )
    return SealedAnew(values, objects, left)


def _other(at: SealedColumn) -> str:
    """Whether a value lies under another key or suite; $1 is the present header."""
    return f"{at.column} IS NOT NULL AND substring({at.column} FROM 1 FOR length($1::bytea)) <> $1"


async def _under_others(at: SealedColumn) -> int:
    found: int = (await rows(f"SELECT count(*) AS n FROM {at.table} WHERE {_other(at)}", current_header()))[0]["n"]  # noqa: S608  our own names
    return found


async def _column_anew(at: SealedColumn, progress: Progress) -> int:
    total, done, after = await _under_others(at), 0, None
    while batch := await _batch(at, after):
        after = batch[-1]["id"]
        await _replace(at, batch)
        done += len(batch)
        progress(f"{at.table}.{at.column}", done, max(total, done))
    return done


async def _batch(at: SealedColumn, after: Any) -> list[Any]:
    sql = f"""SELECT id, {at.column} AS sealed FROM {at.table}
        WHERE {_other(at)} AND ($2::uuid IS NULL OR id > $2) ORDER BY id LIMIT {BATCH}"""  # noqa: S608  our own names
    return list(await rows(sql, current_header(), after))


async def _replace(at: SealedColumn, batch: list[Any]) -> None:
    anew = [seal(unseal(each["sealed"], at.purpose), at.purpose) for each in batch]
    async with transaction():
        await rows("SELECT set_config('registry.sealing_anew', 'on', TRUE)")  # the door of models/migrations/0004
        await rows(
            f"""WITH held AS MATERIALIZED (
                    SELECT t.id, v.anew FROM {at.table} t
                    JOIN unnest($1::uuid[], $2::bytea[], $3::bytea[]) AS v (id, read, anew) ON v.id = t.id AND v.read = t.{at.column}
                    ORDER BY t.id FOR UPDATE OF t)
                UPDATE {at.table} t SET {at.column} = held.anew FROM held WHERE held.id = t.id""",  # noqa: S608  our own names
            [each["id"] for each in batch],
            [each["sealed"] for each in batch],
            anew,
        )


async def _files_anew(progress: Progress) -> int:
    done = 0
    for number, prefix in enumerate(storage.PREFIXES, start=1):
        for key in [key async for key, _ in storage.listed(prefix)]:
            done += await files.seal_anew(key)
        progress("files", number, len(storage.PREFIXES))
    return done
