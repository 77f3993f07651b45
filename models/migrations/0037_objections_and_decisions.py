"""Objections are found by their receipt, and decisions by their officer.

The second index holds decisions alone, so nothing that asks for an officer's records of one case can be answered by it: one over all of
them was read in whole for that (0027). A migration of its own: nobody waits for these while experts are rewritten (0035).
"""

from __future__ import annotations

from tortoise import migrations
from tortoise.migrations import operations as ops


def _index(name: str, on: str) -> ops.RunSQL:
    return ops.RunSQL(f"CREATE INDEX IF NOT EXISTS {name} ON {on}", f"DROP INDEX IF EXISTS {name}")


class Migration(migrations.Migration):
    dependencies = [("models", "0036_revoked_registrations")]

    operations = [
        _index("objections_by_receipt", "objections (receipt)"),
        _index(
            "decisions_of_an_officer",
            "application_records (actor_id, at, id) "
            "WHERE move IN ('APPROVE', 'DISMISS_OBJECTIONS', 'REJECT', 'RETURN', 'UPHOLD_OBJECTION')",
        ),
    ]
