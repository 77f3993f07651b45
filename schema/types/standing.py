"""Standing of experts: its changes on record, and earlier registrations of the same person."""

import datetime as dt

import strawberry

from models import standing
from models.enums import DismissalCause, Role, Standing, StandingChange
from schema.nodes import Node, cell, column, record


@record(standing.StandingRecord, "资格变动记录: one change of an expert's standing. Records are never changed.")
class StandingRecord(Node):
    """A line of the history of a standing."""

    at: dt.datetime = column("at", "When.")
    change: StandingChange = column("change", "What was done.")
    from_standing: Standing = column("from_standing", "Standing before.")
    to_standing: Standing = column("to_standing", "Standing after.")
    actor_role: Role | None = column("actor_role", "Role of who did it; empty for the system.")
    actor_name: str | None = column(
        "actor_name", "Name of who did it; officers alone see it.", only=(Role.LOCAL_OFFICER, Role.PROVINCIAL_OFFICER)
    )
    cause: DismissalCause | None = column("cause", "Why somebody was dismissed.")
    reasons: str | None = column("reasons", "What the officer wrote.")
    until: dt.date | None = column("until", "Last day of a suspension.")


@strawberry.type(description="An earlier registration under the same id number.")
class FormerRegistration:
    """Over a row of reads.former_registrations."""

    expert_id: strawberry.ID = cell("expert_id", "Global id of the expert of that time; `expert` and `node` take it.")
    number: str | None = cell("number", "Expert number, if the person was admitted.")
    standing: Standing = cell("standing", "How it ended.")
    change: StandingChange | None = cell("change", "What ended it. REVOKE: it may have been somebody else's, under this id number.")
    registered_on: dt.date = cell("registered_on", "When the person registered, day in Shanghai.")
    left_on: dt.date | None = cell("left_on", "When it ended, day in Shanghai.")
