"""The registry's time is the machine's until a clock is moved (domain/actions/clock.py): a function of one expression costs nothing.

One that reads a table is executed as a statement of its own, by every statement that asks what time it is; each request does. A database
whose clock has been moved already goes on reading how far.
"""

from __future__ import annotations

from tortoise import migrations
from tortoise.migrations import operations as ops

_DEFINED = "CREATE OR REPLACE FUNCTION registry_now() RETURNS timestamptz LANGUAGE sql STABLE AS"
_MACHINE = "SELECT statement_timestamp()"
_MOVED = "SELECT statement_timestamp() + make_interval(secs => coalesce((SELECT offset_seconds FROM development_clock LIMIT 1), 0))"


class Migration(migrations.Migration):
    dependencies = [("models", "0028_lists_in_order")]

    operations = [
        ops.RunSQL(
            f"""DO $do$ BEGIN
                IF NOT EXISTS (SELECT FROM development_clock) THEN {_DEFINED} '{_MACHINE}'; END IF;
            END $do$""",
            f"{_DEFINED} '{_MOVED}'",
        ),
    ]
