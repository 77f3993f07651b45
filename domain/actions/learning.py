"""What lists of cases know about the cases there are, so as to be read the shorter way; see domain/lists.py."""

from __future__ import annotations

from domain.lists import COMMON, FEW_CASES, FIRST
from models.database import rows

_PAGE = 20
# Where a share f of N rows holds a pair, the index leads to f * N of them, and a page is full after a walk over _PAGE / f.
_SAMPLED = f"""SELECT word FROM pg_stats s, pg_class c, unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs) e(word, f)
    WHERE c.oid = 'applications'::regclass AND s.schemaname = c.relnamespace::regnamespace::text AND s.tablename = c.relname
        AND s.attname = 'words' AND f * f * c.reltuples > {_PAGE} AND word IS NOT NULL"""  # noqa: S608  our own constant
_FIRST = f"SELECT submitted_at FROM applications WHERE round > 0 ORDER BY submitted_at OFFSET {FEW_CASES} LIMIT 1"  # noqa: S608  our own constant


async def learn_common_pairs() -> int:
    """Have searches of this process know the common pairs; how many there are. Until PostgreSQL has analysed the table, none."""
    found = [each["word"] for each in await rows(_SAMPLED)]
    COMMON.learn(found)
    return len(found)


async def learn_first_submissions() -> None:
    """Have lists of this process know when the first FEW_CASES cases had been submitted; where there are no more, nothing."""
    found = await rows(_FIRST)
    FIRST.learn(found[0]["submitted_at"] if found else None)
