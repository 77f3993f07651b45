"""What was done by whom in a time, for the compliance audit (个人信息保护法 art. 54): events without the personal data of experts."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date, datetime, time, timedelta

from domain.rules.calendar import SHANGHAI
from models.database import pool

# Experts are told by their ids alone; names are those of staff. What was looked for, said or noted about people stays where it is.
_EVENTS = """
SELECT json_strip_nulls(event)::text AS line FROM (
    SELECT at, json_build_object('event', 'CASE_MOVED', 'at', at, 'actorId', actor_id, 'actorRole', actor_role,
        'actorName', CASE WHEN actor_role <> 'EXPERT' THEN actor_name END, 'applicationId', application_id, 'number', number, 'move', move,
        'fromStage', from_stage, 'toStage', to_stage, 'hash', encode(hash, 'hex')) AS event
    FROM application_records
    UNION ALL
    SELECT at, json_build_object('event', 'STAFF_ACT', 'at', at, 'actorId', actor_id, 'actorRole', actor_role, 'actorName', actor_name,
        'act', act, 'accountId', account_id, 'accountName', account_name, 'accountRole', account_role, 'accountPoolCode', account_pool_code,
        'number', number, 'hash', encode(hash, 'hex'))
    FROM staff_acts
    UNION ALL
    SELECT at, json_build_object('event', 'SEEN_IN_CLEAR', 'at', at, 'actorId', reader_id, 'actorRole', reader_role,
        'actorName', reader_name, 'actorPoolCode', reader_pool_code, 'accountId', subject_id, 'applicationId', application_id, 'what', what,
        'reason', reason)
    FROM clear_reads
    UNION ALL
    SELECT t.at, json_build_object('event', 'ID_NUMBER_LOOKED_FOR', 'at', t.at, 'actorId', a.id, 'actorRole', a.role, 'actorName', a.name)
    FROM id_number_tries t JOIN accounts a ON a.id = t.account_id WHERE a.role <> 'EXPERT'
    UNION ALL
    SELECT at, json_build_object('event', 'STANDING_CHANGED', 'at', at, 'actorId', actor_id, 'actorRole', actor_role,
        'actorName', CASE WHEN actor_role <> 'EXPERT' THEN actor_name END, 'expertId', expert_id, 'change', change,
        'fromStanding', from_standing, 'toStanding', to_standing, 'cause', cause, 'until', until)
    FROM standing_records
    UNION ALL
    SELECT created_at, json_build_object('event', 'EXPORT_ASKED_FOR', 'at', created_at, 'actorId', requested_by_id, 'kind', kind,
        'poolCode', pool_code, 'state', state, 'total', total, 'downloadedAt', downloaded_at)
    FROM exports
    UNION ALL
    SELECT accepted_at, json_build_object('event', 'TERMS_ACCEPTED', 'at', accepted_at, 'accountId', account_id, 'version', terms_version,
        'sensitiveDataAcceptedAt', sensitive_accepted_at)
    FROM consents
) events WHERE at >= $1 AND at < $2 ORDER BY at, line
"""


async def events(first: date, last: date) -> AsyncIterator[str]:
    """One JSON object an event, from the first to the last day in Shanghai, in order of time; all from one moment of the database.

    Reads as it goes, so that any number of them takes little memory.
    """
    since = datetime.combine(first, time(), SHANGHAI)
    until = datetime.combine(last + timedelta(days=1), time(), SHANGHAI)
    async with pool().acquire() as connection, connection.transaction(isolation="repeatable_read", readonly=True):
        await connection.execute("SET LOCAL statement_timeout = 0")  # years are sorted by time
        async for row in connection.cursor(_EVENTS, since, until, prefetch=500):
            yield row["line"]
