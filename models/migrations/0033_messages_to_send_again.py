"""What did not arrive and waits to be sent again is a list of its own; what was sent again alarms nobody any more.

A message is given up once and sent again as another row, so its promise stayed among those that an operator must look at for good.
"""

from __future__ import annotations

from tortoise import migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("models", "0032_changes_of_the_calendar")]

    operations = [
        ops.RunSQL(
            """UPDATE outbox SET state = 'SENT', done_at = registry_now() WHERE state = 'DEAD' AND kind = 'SMS'
                   AND EXISTS (SELECT FROM sms_messages again WHERE again.resend_of = outbox.subject_id)""",
            "",  # what was seen to stays so
        ),
        ops.RunSQL(
            """CREATE INDEX IF NOT EXISTS messages_that_did_not_arrive ON sms_messages (created_at, id)
                   WHERE state IN ('FAILED', 'UNDELIVERABLE') AND phone_code_id IS NULL""",
            "DROP INDEX IF EXISTS messages_that_did_not_arrive",
        ),
    ]
