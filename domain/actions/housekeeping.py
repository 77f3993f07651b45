"""What nobody needs any more is removed; safe to run late, twice and on several machines."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from models.database import execute

_BATCH = 1_000
_OVER: Mapping[str, str] = MappingProxyType(
    {
        "idempotency_keys": "created_at < registry_now() - interval '24 hours'",
        "failed_sign_ins": "at < registry_now() - interval '1 day'",
        "id_number_tries": "at < registry_now() - interval '1 day' AND account_id IN (SELECT id FROM accounts WHERE role = 'EXPERT')",
        "sign_in_tickets": "created_at < registry_now() - interval '1 day'",
        # Limits look back a day; a code is dead long before.
        "phone_codes": "created_at < registry_now() - interval '2 days'",
        # Codes are sent to phones that may have no account, so nobody's leaving ends them.
        "sms_messages": "phone_code_id IS NOT NULL AND created_at < registry_now() - interval '90 days'",
        "exports": "finished_at < registry_now() - interval '30 days' AND object_key IS NULL",
        # Long after a person would look for a device in the list of sessions.
        "sessions": "coalesce(ended_at, expires_at) < registry_now() - interval '90 days'",
        # Dead rows stay until somebody has seen to them; for so long, too, a receipt may come.
        "outbox": "state = 'SENT' AND done_at < registry_now() - interval '30 days'",
    }
)
_NOBODYS = """
UPDATE outbox SET state = 'SENT' WHERE state = 'DEAD' AND kind = 'SMS' AND NOT EXISTS (
    SELECT FROM sms_messages m JOIN accounts a ON a.id = m.account_id WHERE m.id = subject_id AND a.status = 'ACTIVE')
"""
"""Given up, and nobody can do anything: about a code, or a message to who left."""


async def tidy() -> Mapping[str, int]:
    """Remove what is over, a bounded number of rows a table; how many were removed. Full batches ask for another run."""
    await execute(_NOBODYS)
    removed = {}
    for table, over in _OVER.items():
        removed[table] = await execute(
            f"DELETE FROM {table} WHERE id IN (SELECT id FROM {table} WHERE {over} LIMIT {_BATCH} FOR UPDATE SKIP LOCKED)"  # noqa: S608  constants above
        )
    return removed
