"""Operations run on the schema as somebody: without a socket, with everything else as served."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from datetime import datetime
from typing import Any

import orjson
from strawberry.types import ExecutionResult

from domain.rules.messages import Language
from domain.rules.viewer import Viewer
from models.database import database_now
from schema.context import Context
from schema.plan.operations import Execute
from schema.root import schema
from settings import settings


class _Nothing:
    """Cookies that nobody sees and events that never come."""

    def set_session(self, token: str, *, max_age_seconds: int) -> None:
        """Lost."""

    def clear_session(self) -> None:
        """Lost."""

    async def listen(self, wanted: Callable[[Mapping[str, str]], bool]) -> AsyncIterator[Mapping[str, str]]:
        """Ends at once."""
        nothing: list[Mapping[str, str]] = []
        for each in nothing:
            yield each


def context_for(viewer: Viewer | None, *, now: datetime, language: Language = "zh") -> Context:
    """The context of one operation."""
    return Context(
        viewer=viewer,
        now=now,
        language=language,
        client_address="127.0.0.1",
        device="pytest",
        settings=settings(),
        cookies=_Nothing(),
        events=_Nothing(),
    )


async def execute(document: str, viewer: Viewer | None = None, **variables: Any) -> ExecutionResult:
    """The ordinary executor's answer at the registry's time."""
    return await schema.execute(document, variable_values=variables, context_value=context_for(viewer, now=await database_now()))


def executor(viewer: Viewer | None, now: datetime, ran: list[str] | None = None, *, language: Language = "zh") -> Execute:
    """What a plan leaves is run by this; `ran` gets its documents."""

    async def run(text: str, variables: dict[str, Any]) -> dict[str, Any] | None:
        if ran is not None:
            ran.append(text)
        result = await schema.execute(text, variable_values=variables, context_value=context_for(viewer, now=now, language=language))
        return None if result.errors else result.data

    return run


async def answer_at(now: datetime, document: str, viewer: Viewer | None = None, /, *, language: Language = "zh", **variables: Any) -> Any:
    """The data of a query at a time; fails on errors, and where a plan would answer otherwise than the executor."""
    ordinary = await schema.execute(document, variable_values=variables, context_value=context_for(viewer, now=now, language=language))
    assert ordinary.errors is None, ordinary.errors
    read = schema.documents.read(document, schema._schema, settings())
    compiled = await schema.plans.read(
        read.node,
        read.operation(None).node,
        variables,
        viewer=viewer,
        now=now,
        settings=settings(),
        language=language,
        execute=executor(viewer, now, language=language),
    )
    if compiled is not None:
        assert orjson.loads(orjson.dumps(compiled)) == ordinary.data, document
    return ordinary.data


async def both(document: str, viewer: Viewer | None, **variables: Any) -> Any:
    """`answer_at` the registry's time."""
    return await answer_at(await database_now(), document, viewer, **variables)
