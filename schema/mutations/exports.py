"""Mutations of exports 导出: the application form as PDF, officers' lists as XLSX, one's own data as ZIP."""

from typing import Annotated

import strawberry

from domain import lists
from domain.actions import exports
from schema import problems as p
from schema.context import Info
from schema.nodes import wanted_key
from schema.queries.applications import ApplicationFilter
from schema.queries.experts import ExpertFilter
from schema.types.exports import Export
from schema.types.profiles import Profile


@strawberry.input(description="Have the application form 申请表 of a profile printed.")
class ApplicationFormExportInput:
    """Input of applicationFormExport."""

    profile_id: strawberry.ID = strawberry.field(
        description="Global id of the profile: one's own, draft or submitted; for officers, a submitted one that they may see."
    )


@strawberry.input(description="Have cases of your queue written to a sheet.")
class ApplicationsExportInput:
    """Input of applicationsExport."""

    filter: ApplicationFilter | None = strawberry.field(default=None, description="Which cases, as for `applications`; all without it.")


@strawberry.input(description="Have experts written to a sheet.")
class ExpertsExportInput:
    """Input of expertsExport."""

    filter: ExpertFilter | None = strawberry.field(
        default=None, description="Which experts, as for `experts`; all whom you may see without it."
    )


@strawberry.input(description="Have everything gathered that is kept of you.")
class OwnDataExportInput:
    """Input of ownDataExport."""

    password: str = strawberry.field(description="Your password, so that nobody takes your data along at an open screen.")


_Asked = Export | p.NotAllowed | p.NotSignedIn | p.TooSoon | p.Unavailable
ApplicationFormExportResult = Annotated[
    Export | p.NotAllowed | p.NotFound | p.NotSignedIn | p.TooSoon | p.Unavailable,
    strawberry.union("ApplicationFormExportResult", description="The export that is under way, or why there is none."),
]
ApplicationsExportResult = Annotated[
    _Asked, strawberry.union("ApplicationsExportResult", description="The export that is under way, or why there is none.")
]
ExpertsExportResult = Annotated[
    _Asked, strawberry.union("ExpertsExportResult", description="The export that is under way, or why there is none.")
]
OwnDataExportResult = Annotated[
    Export | p.NotAllowed | p.NotSignedIn | p.SignInRefused | p.TooSoon | p.Unavailable,
    strawberry.union("OwnDataExportResult", description="The export that is under way, or why there is none."),
]


@strawberry.type
class ExportMutations:
    """Doors of domain.actions.exports."""

    @strawberry.mutation(
        description="申请表: have the application form of a profile set as PDF (A4), in clear for its owner, masked for officers. Asking again while it "
        "is being made answers with the same export."
    )
    async def application_form_export(self, info: Info, input: ApplicationFormExportInput) -> ApplicationFormExportResult:
        """See exports.ask_form."""
        viewer, revision_id = info.context.signed_in(), wanted_key(input.profile_id, Profile)
        return Export(row=await exports.ask_form(revision_id, viewer=viewer, now=info.context.now))

    @strawberry.mutation(
        description="办件清单: have cases written to an XLSX sheet, for officers; exactly those that `applications` shows them, id numbers masked."
    )
    async def applications_export(self, info: Info, input: ApplicationsExportInput) -> ApplicationsExportResult:
        """See exports.ask_cases."""
        chosen = input.filter.to_domain() if input.filter else lists.CaseFilter()
        return Export(row=await exports.ask_cases(chosen, viewer=info.context.signed_in(), now=info.context.now))

    @strawberry.mutation(
        description="专家名单: have experts written to an XLSX sheet, for officers; exactly those whom they may see (for an office beside its own "
        "experts those whom it knows from a case), id numbers and phones masked."
    )
    async def experts_export(self, info: Info, input: ExpertsExportInput) -> ExpertsExportResult:
        """See exports.ask_experts."""
        chosen = input.filter.to_domain() if input.filter else lists.ExpertFilter()
        return Export(row=await exports.ask_experts(chosen, viewer=info.context.signed_in(), now=info.context.now))

    @strawberry.mutation(
        description="个人数据: have everything that is kept of an expert gathered as a ZIP of JSON and images, for that expert; it can be downloaded once."
    )
    async def own_data_export(self, info: Info, input: OwnDataExportInput) -> OwnDataExportResult:
        """See exports.ask_own_data."""
        context = info.context
        row = await exports.ask_own_data(
            password=input.password, viewer=context.signed_in(), address=context.client_address, now=context.now
        )
        return Export(row=row)
