"""The schema: its roots, its types, and how refusals become problems.

To add a noun: its types in types/<noun>.py (`@record(Model, "…")` with `column`, `one`, `many`, `part`; see nodes.py), its lists in
queries/<noun>.py, its verbs in mutations/<noun>.py as a class of mutations whose result unions name the problems of problems.py, then these
classes among the bases of `Query` and `Mutation` below. A type that stands for rows needs its predicate in domain/reads.py.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING
from datetime import date, datetime
from typing import Any

import strawberry
from graphql import GraphQLInputObjectType, get_named_type, get_nullable_type, is_leaf_type
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.arguments import InputContext
from strawberry.types.field import StrawberryField

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
from schema.problems import answer_with_problems
from schema.queries.applications import ApplicationQueries
from schema.queries.experts import ExpertQueries
from schema.queries.exports import ExportQueries
from schema.queries.help import HelpQueries
from schema.queries.objections import ObjectionQueries
from schema.queries.offices import OfficeQueries
from schema.queries.publicity import PublicityQueries
from schema.queries.reference import ReferenceQueries
from schema.queries.viewer import ViewerQueries
from schema.scalars import DAY, INSTANT
from schema.subscriptions import Subscription
from schema.types.development import DevelopmentQueries


@strawberry.type(description="Reading. Everything is seen under the viewer's own rights: what is not for the viewer is not there.")
class Query(
    ApplicationQueries,
    DevelopmentQueries,
    ExpertQueries,
    ExportQueries,
    HelpQueries,
    ObjectionQueries,
    OfficeQueries,
    PublicityQueries,
    ReferenceQueries,
    ViewerQueries,
):
    """Roots of reading. Each says where its data is; the resolver answers where an operation is not compiled."""


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
        scalar_overrides={datetime: INSTANT, date: DAY},
    )
    assert built._schema.mutation_type is not None  # noqa: S101, SLF001  it was just given
    answer_with_problems(built._schema.mutation_type)  # noqa: SLF001  strawberry has no accessor
    _describe_inputs(built)
    _build_flat_inputs_at_once(built)
    return built


def _describe_inputs(built: GuardedSchema) -> None:
    """The one argument of a mutation says what its type says; written once."""
    mutations = built._schema.mutation_type  # noqa: SLF001  strawberry has no accessor
    for field in mutations.fields.values() if mutations else ():
        for argument in field.args.values():
            argument.description = argument.description or get_named_type(argument.type).description


def _build_flat_inputs_at_once(built: GuardedSchema) -> None:
    """Let inputs of nothing but scalars and enums be built in one call; strawberry asks of each field anew what it is."""
    for kind in built._schema.type_map.values():  # noqa: SLF001  strawberry has no accessor
        if isinstance(kind, GraphQLInputObjectType) and all(is_leaf_type(get_nullable_type(each.type)) for each in kind.fields.values()):
            definition = kind.extensions[GraphQLCoreConverter.DEFINITION_BACKREF]
            definition.from_input = _flat({built.config.name_converter.from_field(each): each for each in definition.fields})


def _flat(fields: Mapping[str, StrawberryField]) -> Callable[[type, Mapping[str, Any], InputContext], Any]:
    names = {name: field.python_name for name, field in fields.items()}
    absent = {field.python_name: None for field in fields.values() if field.default is MISSING and field.default_factory is MISSING}

    def build(kind: type, given: Mapping[str, Any], _: InputContext) -> Any:
        return kind(**absent | {names[name]: value for name, value in given.items()})

    return build


schema = build()
