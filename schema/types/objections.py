"""Objections 异议 to admissions, for provincial officers alone."""

from datetime import datetime
from typing import TYPE_CHECKING, Annotated

import strawberry

from models import publicity
from models.enums import ObjectionState
from schema.nodes import Node, column, one, record

if TYPE_CHECKING:
    from schema.types.applications import Application


@record(
    publicity.Objection,
    "异议: an objection to an admission, for provincial officers alone. Who raised it stays unknown but for the masked phone.",
)
class Objection(Node):
    """An objection."""

    receipt: str = column("receipt", "回执号: the receipt number that the objector was given.")
    state: ObjectionState = column("state", "Whether it is settled, and how.")
    text: str = column("text", "What the objector wrote.")
    received_at: datetime = column("received_at", "When it was received, by the server's clock.")
    phone_masked: str = column("phone_masked", "The objector's phone, its middle hidden; empty once it was erased.")
    settled_at: datetime | None = column("settled_at", "When it was settled.")
    settled_by: str | None = column("settled_by_name", "Name of the officer who settled it.")
    settlement: str | None = column("settlement", "The reasons of the settlement.")
    application: Annotated["Application", strawberry.lazy("schema.types.applications")] | None = one(
        "Application", "application_id", "The case it is about."
    )
