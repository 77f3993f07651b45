"""Profiles: one revision of what a person tells of themselves, section by section."""

from datetime import datetime

from models import profiles
from models.enums import RevisionState
from schema.nodes import Node, column, record


@record(profiles.Revision, "One revision of a profile. Only a draft can be edited; what reviewers saw never changes.")
class Profile(Node):
    """A revision."""

    number: int = column("number", "Place in the person's chain of revisions, from 1.")
    state: RevisionState = column("state", "Draft, frozen, in force or past.")
    created_at: datetime = column("created_at", "When it was opened.")
