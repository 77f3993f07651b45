"""Which pairs of characters are common among the cases, as PostgreSQL has sampled them; see domain/lists.py."""

from __future__ import annotations

from domain.lists import COMMON
from models.database import rows

_PAGE = 20
# Where a share f of N rows holds a pair, the index leads to f * N of them, and a page is full after a walk over _PAGE / f.
_SAMPLED = f"""SELECT word FROM pg_stats s, pg_class c, unnest(s.most_common_elems::text::text[], s.most_common_elem_freqs) e(word, f)
    WHERE c.oid = 'applications'::regclass AND s.schemaname = c.relnamespace::regnamespace::text AND s.tablename = c.relname
        AND s.attname = 'words' AND f * f * c.reltuples > {_PAGE} AND word IS NOT NULL"""  # noqa: S608  our own constant


async def learn_common_pairs() -> int:
    """Have searches of this process know the common pairs; how many there are. Until PostgreSQL has analysed the table, none."""
    found = [each["word"] for each in await rows(_SAMPLED)]
    COMMON.learn(found)
    return len(found)
