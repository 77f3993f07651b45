"""Mutations of personal data: seeing them in clear, by the officers of a case; accepting the privacy terms."""

from typing import Annotated

import strawberry

from domain.actions import clear_reads, consents
from models.enums import PersonalField
from schema import problems as p
from schema.context import Info
from schema.nodes import wanted_key
from schema.types.applications import Application
from schema.types.privacy import SENSITIVE_DATA, Consent


@strawberry.input(description="See personal data of an applicant in clear.")
class ExpertRevealInput:
    """Input of expertReveal."""

    application_id: strawberry.ID = strawberry.field(description="Global id of a case that is with your office now.")
    fields: list[PersonalField] = strawberry.field(description="What you need to see; at least one.")
    reason: str = strawberry.field(description="Why, at most 200 characters. The person reads it, with your name and office.")


@strawberry.type(description="Personal data in clear, as the submitted profile has them. What was not asked for or not given is null.")
class PersonalDataRevealed:
    """Success of expertReveal."""

    id_number: str | None = strawberry.field(description="证件号码.")
    phone: str | None = strawberry.field(description="登录手机号, +86….")
    second_phone: str | None = strawberry.field(description="备用电话.")
    email: str | None = strawberry.field(description="电子邮箱.")
    address: str | None = strawberry.field(description="通讯地址.")


ExpertRevealResult = Annotated[
    PersonalDataRevealed | p.ClaimedByAnother | p.InvalidInput | p.NotAllowed | p.NotFound | p.NotSignedIn | p.TooSoon | p.Unavailable,
    strawberry.union("ExpertRevealResult", description="The data in clear, or why they are not shown."),
]


@strawberry.input(description="Accept the privacy terms in force.")
class PrivacyTermsAcceptInput:
    """Input of privacyTermsAccept."""

    version: str = strawberry.field(description="The version that was shown to the person, see `privacyTermsVersion`.")
    sensitive_data_accepted: bool = strawberry.field(default=False, description=SENSITIVE_DATA)


PrivacyTermsAcceptResult = Annotated[
    Consent | p.InvalidInput | p.NotAllowed | p.NotSignedIn | p.Unavailable,
    strawberry.union("PrivacyTermsAcceptResult", description="The consent, or why it was not taken."),
]


@strawberry.type
class PrivacyMutations:
    """Doors of domain.actions.clear_reads and domain.actions.consents."""

    @strawberry.mutation(
        description="Accept the privacy terms of the version in force, for experts; asked for again by every new version, see "
        "`viewer { consentNeeded }`. A repeat answers with the first consent."
    )
    async def privacy_terms_accept(self, info: Info, input: PrivacyTermsAcceptInput) -> PrivacyTermsAcceptResult:
        """See consents.accept."""
        viewer, sensitive = info.context.signed_in(), input.sensitive_data_accepted
        return Consent(row=await consents.accept(input.version, sensitive_data_accepted=sensitive, viewer=viewer, now=info.context.now))

    @strawberry.mutation(
        description="查看明文: see personal data that are masked elsewhere, for the officers whose office has the case now and while no "
        "colleague holds it. Each look is recorded, and the person sees it. Limited per officer and hour."
    )
    async def expert_reveal(self, info: Info, input: ExpertRevealInput) -> ExpertRevealResult:
        """See clear_reads.reveal."""
        viewer = info.context.signed_in()
        case = wanted_key(input.application_id, Application)
        told = await clear_reads.reveal(case, input.fields, reason=input.reason, viewer=viewer, now=info.context.now)
        return PersonalDataRevealed(
            id_number=told.get(PersonalField.ID_NUMBER),
            phone=told.get(PersonalField.PHONE),
            second_phone=told.get(PersonalField.SECOND_PHONE),
            email=told.get(PersonalField.EMAIL),
            address=told.get(PersonalField.ADDRESS),
        )
