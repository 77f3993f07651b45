"""The schema: its roots, its types, and how refusals become problems.

To add a noun: its types in types/<noun>.py (`@record(Model, "…")` with `column`, `one`, `many`, `part`; see nodes.py), its verbs in
mutations/<noun>.py as a class of mutations whose result unions name the problems of problems.py, then the class among the bases of
`Mutation` below. A type that stands for rows needs its predicate in domain/reads.py.
"""

from datetime import date, datetime

import strawberry
from graphql import get_named_type

from schema import enums  # noqa: F401  registers every enum with its descriptions
from schema.guarded import GuardedSchema
from schema.mutations.accounts import AccountMutations
from schema.mutations.applications import ApplicationMutations
from schema.mutations.calendar import CalendarMutations
from schema.mutations.changes import ChangeMutations
from schema.mutations.development import DevelopmentMutations
from schema.mutations.divisions import DivisionMutations
from schema.mutations.exports import ExportMutations
from schema.mutations.files import FileMutations
from schema.mutations.objections import ObjectionMutations
from schema.mutations.offices import OfficeMutations
from schema.mutations.pools import PoolMutations
from schema.mutations.privacy import PrivacyMutations
from schema.mutations.profiles import ProfileMutations
from schema.mutations.schedule import ScheduleMutations
from schema.mutations.specialties import SpecialtyMutations
from schema.mutations.standing import StandingMutations
from schema.nodes import RECORDS
from schema.problems import HANDLERS
from schema.queries import Query
from schema.scalars import DAY, INSTANT
from schema.subscriptions import Subscription


@strawberry.type(
    description="Doing. Each verb takes one input and answers what it changed or a problem; after a problem nothing has changed."
)
class Mutation(
    AccountMutations,
    ApplicationMutations,
    CalendarMutations,
    ChangeMutations,
    DevelopmentMutations,
    DivisionMutations,
    ExportMutations,
    FileMutations,
    ObjectionMutations,
    OfficeMutations,
    PoolMutations,
    PrivacyMutations,
    ProfileMutations,
    ScheduleMutations,
    SpecialtyMutations,
    StandingMutations,
):
    """Every verb: one input, one result union. Further nouns join as base classes."""


def build() -> GuardedSchema:
    """The schema as the product serves it."""
    built = GuardedSchema(
        query=Query,
        mutation=Mutation,
        subscription=Subscription,
        types=list(RECORDS.values()),
        exception_handlers=HANDLERS,
        scalar_overrides={datetime: INSTANT, date: DAY},
    )
    _describe_inputs(built)
    return built


def _describe_inputs(built: GuardedSchema) -> None:
    """The one argument of a mutation says what its type says; written once."""
    mutations = built._schema.mutation_type  # noqa: SLF001  strawberry has no accessor
    for field in mutations.fields.values() if mutations else ():
        for argument in field.args.values():
            argument.description = argument.description or get_named_type(argument.type).description


schema = build()
