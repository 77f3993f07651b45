"""The product with something switched off: `create_app` without plans, `nothing_kept` without the answers that it keeps for everybody."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette

import logs
from api.app import application
from api.public import PublicAnswers
from schema.root import build
from settings import settings


async def _decline(*_: Any, **__: Any) -> None:
    return None


def _nothing(*_: Any, **__: Any) -> None:
    return None


def create_app() -> Starlette:
    """The ordinary executor answers everything."""
    return _app(plans=False)


def nothing_kept() -> Starlette:
    """Plans, and public answers made anew each time."""
    return _app(plans=True)


def _app(*, plans: bool) -> Starlette:
    configuration = settings()
    logs.set_up(configuration, "api")
    schema = build()
    if not plans:
        schema.plans.read = schema.plans.read_proving = _decline
        schema.plans.change = _decline
    PublicAnswers.key = staticmethod(_nothing)
    return application(schema, configuration)
