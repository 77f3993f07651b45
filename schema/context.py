"""What every resolver knows of the request: who asks, when, in which language, and how to load rows in batches."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol, TypeAlias

import strawberry
from strawberry.dataloader import DataLoader

from domain import reads
from domain.rules.errors import NotSignedIn
from domain.rules.messages import Language
from domain.rules.viewer import Viewer
from models.row import Row
from settings import Settings


class Cookies(Protocol):
    """Where a session cookie is set; the listening process implements it."""

    def set_session(self, token: str, *, max_age_seconds: int) -> None:
        """Hand the browser its session."""

    def clear_session(self) -> None:
        """Take the session from the browser."""


class Events(Protocol):
    """Announcements of committed changes; the listening process implements it."""

    def listen(self, wanted: Callable[[Mapping[str, str]], bool]) -> AsyncIterator[Mapping[str, str]]:
        """Announcements that are `wanted`, from now on; ends when the viewer's session ends or the process stops."""


@dataclass(frozen=True, slots=True)
class Settled:
    """What came of a verb: its result, or what it raised."""

    value: Any = None
    raised: Exception | None = None

    def tell(self) -> Any:
        """The result; raises what was raised."""
        if self.raised is not None:
            raise self.raised
        return self.value


@dataclass(kw_only=True)
class Context:
    """One operation's context. On a WebSocket each operation has its own."""

    viewer: Viewer | None
    now: datetime
    language: Language
    client_address: str
    device: str
    settings: Settings
    cookies: Cookies
    events: Events
    ahead: Mapping[str, Any] | None = None  # the row that a verb begins with, where it was read while the session was proven
    settled: "Settled | None" = None  # where the verb was run before the executor; see schema/plan/mutations.py
    _loaders: dict[tuple[type[Row], str, str], DataLoader[Any, Any]] = field(default_factory=dict)

    def signed_in(self) -> Viewer:
        """The viewer; raises NotSignedIn where there is none."""
        if self.viewer is None:
            raise NotSignedIn
        return self.viewer

    async def load_one(self, model: type[Row], column: str, value: Any) -> Row | None:
        """The visible row whose `column` has this value; loads of one step are one statement."""
        found = await self.load_many(model, column, value)
        return found[0] if found else None

    async def load_many(self, model: type[Row], column: str, value: Any, order: str = "") -> list[Row]:
        """The visible rows whose `column` has this value, in order; loads of one step are one statement."""
        if value is None:
            return []
        key = (model, column, order)
        if key not in self._loaders:
            # No cache: a mutation that runs later in the same operation must be seen.
            self._loaders[key] = DataLoader(load_fn=self._batch(*key), cache=False)
        found: list[Row] = await self._loaders[key].load(value)
        return found

    def _batch(self, model: type[Row], column: str, order: str) -> Any:
        async def load(keys: list[Any]) -> list[list[Row]]:
            where = [reads.Where(f"{{t}}.{column} = ANY(:keys)", {"keys": list(dict.fromkeys(keys))})]
            grouped: dict[Any, list[Row]] = {}
            for row in await reads.select(model, viewer=self.viewer, now=self.now, where=where, order=order or f"{{t}}.{column}"):
                grouped.setdefault(getattr(row, column), []).append(row)
            return [grouped.get(key, []) for key in keys]

        return load


Info: TypeAlias = strawberry.Info[Context, None]
