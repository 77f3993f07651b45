"""What is public, answered from memory: queries of signed-out visitors, kept until something public changes or a notice ends."""

from __future__ import annotations

import gzip
import sys
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

import orjson
from graphql import FieldNode, OperationType

from api.listener import Event, Listener
from api.operations import Operation
from models.database import fetch
from models.enums import Stage

FIELDS = frozenset(
    {"publicNotices", "divisions", "specialties", "titles", "qualifications", "codes", "workingCalendar", "privacyTermsVersion"}
)
"""Root fields whose answer is the same for everybody who is signed out."""
KEEP_SECONDS = 5.0
KEPT_BYTES = 8 * 2**20
"""Of bodies and of the questions they answer, which clients make as long as they like."""
_ENTRY_BYTES = 500
_COMPRESSED_FROM_BYTES = 1024
"""What is shorter fits into one packet either way."""
_SHOWN = {Stage.PUBLICITY.value}

Key = tuple[str, str | None, str]


@dataclass(frozen=True, slots=True)
class Answer:
    """A body of JSON, and the same in gzip where that is worth it."""

    body: bytes
    gzipped: bytes | None = None

    @classmethod
    def compressed(cls, body: bytes) -> Answer:
        """Of a body that is kept: compressed once, however often it is asked for until it changes."""
        return cls(body, gzip.compress(body, 6, mtime=0) if len(body) >= _COMPRESSED_FROM_BYTES else None)


class PublicAnswers:
    """Answers by operation and variables; the least recently used go first."""

    def __init__(self, listener: Listener) -> None:
        self._listener = listener
        self._kept: OrderedDict[Key, tuple[float, Answer]] = OrderedDict()
        self._bytes = 0
        self._generation = 0
        listener.watch(self)

    @staticmethod
    def key(operation: Operation) -> Key | None:
        """What the answer depends on; None where it depends on more than the request."""
        if operation.kind is not OperationType.QUERY:
            return None
        chosen = operation.node.selection_set.selections
        if not all(isinstance(each, FieldNode) and each.name.value in FIELDS for each in chosen):
            return None
        asked = operation.parameters
        return asked.query, asked.operation_name, orjson.dumps(asked.variables, option=orjson.OPT_SORT_KEYS).decode()

    @property
    def generation(self) -> int:
        """Counts what was heard: an answer that was read before a change must not be kept after it."""
        return self._generation

    def find(self, key: Key) -> Answer | None:
        """The kept answer. None while changes cannot be heard."""
        found = self._kept.get(key)
        if found is None or not self._listener.connected or found[0] <= time.monotonic():
            return None
        self._kept.move_to_end(key)
        return found[1]

    def seconds_left(self, key: Key) -> int:
        """For how many whole seconds the kept answer holds if nothing changes; caches on the way must not outlast the end of a notice."""
        found = self._kept.get(key)
        return max(0, int(found[0] - time.monotonic())) if found else 0

    async def keep(self, key: Key, body: bytes, generation: int, now: datetime) -> Answer:
        """The answer of this body, kept until the next notice ends, KEEP_SECONDS at most. `now` is the time that the answer tells of."""
        [soonest] = await fetch(
            "SELECT extract(epoch FROM min(closes_at) - registry_now())::float8 AS seconds "
            "FROM public_notices WHERE state = 'OPEN' AND closes_at > $1",
            (now,),
        )
        seconds = KEEP_SECONDS if soonest["seconds"] is None else min(KEEP_SECONDS, soonest["seconds"])
        if seconds <= 0 or generation != self._generation or _size(key, Answer(body)) > KEPT_BYTES // 8:
            return Answer(body)
        self._drop(key)
        answer = Answer.compressed(bytes(memoryview(body)))  # orjson's own keeps the buffer in which it was written, some kilobytes
        self._kept[key] = time.monotonic() + seconds, answer
        self._bytes += _size(key, answer)
        while self._bytes > KEPT_BYTES:
            self._drop(next(iter(self._kept)))
        return answer

    def put(self, event: Event) -> None:
        """Forget everything when something public has changed, or may have."""
        if event["event"] in ("resync", "referenceChanged", "clockMoved") or _concerns_notices(event):
            self._generation += 1
            self._kept.clear()
            self._bytes = 0

    def _drop(self, key: Key) -> None:
        found = self._kept.pop(key, None)
        if found is not None:
            self._bytes -= _size(key, found[1])


def _size(key: Key, answer: Answer) -> int:
    query, _, variables = key
    return _ENTRY_BYTES + sys.getsizeof(query) + sys.getsizeof(variables) + len(answer.body) + len(answer.gzipped or b"")


def _concerns_notices(event: Mapping[str, str]) -> bool:
    return event["event"] == "applicationMoved" and bool({event.get("stage"), event.get("left")} & _SHOWN)
