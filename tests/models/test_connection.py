"""What every connection of the product's own is told, whatever the server's or the role's settings are."""

from __future__ import annotations

import orjson

from models.database import close_database, execute, open_database, rows
from settings import Settings


async def test_dates_are_read_as_iso_whatever_the_role_says(database: Settings) -> None:
    await execute("ALTER ROLE CURRENT_USER SET datestyle = 'German'")
    try:
        await close_database()
        await open_database(database)
        shown = await rows("SELECT current_setting('datestyle') AS style, ('2026-10-01'::date)::text AS day")
    finally:
        await execute("ALTER ROLE CURRENT_USER RESET datestyle")

    assert dict(shown[0]) == {"style": "ISO, MDY", "day": "2026-10-01"}


async def test_json_that_postgresql_built_passes_through_as_it_is(database: Settings) -> None:
    [found] = await rows("""SELECT '{"a": "张三" , "b":[1.50, null]}'::json AS told, $1::json AS sent""", '{"c":  "李四"}')

    assert orjson.dumps([found["told"], found["sent"]]).decode() == '[{"a": "张三" , "b":[1.50, null]},{"c":  "李四"}]'
