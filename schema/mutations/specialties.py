"""Mutations of the tree of specialties, by administrators."""

from typing import Annotated

import strawberry

from domain.actions import eligibility
from schema import problems as p
from schema.context import Info
from schema.types.reference import Specialty


@strawberry.input(description="Say whether a specialty has few experts.")
class SpecialtyScarceSetInput:
    """Input of specialtyScarceSet."""

    specialty_code: str = strawberry.field(description="Code of the specialty, at any level of the tree; it speaks for all below it.")
    scarce: bool = strawberry.field(description="True: few experts, conditions of admission may be relaxed; false: no longer.")


SpecialtyScarceSetResult = Annotated[
    Specialty | p.InvalidInput | p.NotAllowed | p.NotSignedIn | p.Unavailable,
    strawberry.union("SpecialtyScarceSetResult", description="The specialty with or without its mark, or why nothing was done."),
]


@strawberry.type
class SpecialtyMutations:
    """Doors of domain.actions.eligibility."""

    @strawberry.mutation(
        description="专家数量较少: mark a specialty, with all below it, or take the mark away. Eligibility reports of cases submitted from then on say "
        "RELAXED where age, title or years fall short; earlier ones stay as they are. For administrators."
    )
    async def specialty_scarce_set(self, info: Info, input: SpecialtyScarceSetInput) -> SpecialtyScarceSetResult:
        """See eligibility.set_scarce."""
        row = await eligibility.set_scarce(input.specialty_code, input.scarce, viewer=info.context.signed_in())
        return Specialty(row=row)
