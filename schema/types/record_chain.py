"""Whether the chains of cases' records hold."""

from collections.abc import Sequence
from typing import Self

import strawberry

from domain.actions import record_chain
from models.enums import ChainBreak


@strawberry.type(description="A place where the chain of a case's records does not hold.")
class BrokenRecord:
    """A broken link."""

    application_id: strawberry.ID = strawberry.field(description="Global id of the case.")
    number: int = strawberry.field(description="Number of the record in the case.")
    what: ChainBreak = strawberry.field(description="What is wrong there.")

    @classmethod
    def of(cls, link: record_chain.BrokenLink) -> Self:
        """From the action's answer."""
        return cls(application_id=strawberry.ID(f"Application_{link.case_id}"), number=link.number, what=link.what)


@strawberry.type(
    description="记录链: each record of a case is bound to the one before by a keyed hash, so that whatever was changed, removed or added past "
    "the registry shows. `recordChains` and the operator's command `verify-records` read all cases."
)
class RecordChain:
    """A chain, checked when it is asked for."""

    intact: bool = strawberry.field(description="Whether every record is as it was written, and the case where the last one says.")
    broken: list[BrokenRecord] = strawberry.field(description="Where it does not hold, by number; empty where it is intact.")


@strawberry.type(description="The chains of some cases 记录链, checked when they were asked for.")
class RecordChains:
    """One step through all cases."""

    checked: int = strawberry.field(description="How many cases were checked now.")
    broken: list[BrokenRecord] = strawberry.field(description="Where chains do not hold, by case and number.")
    next: strawberry.ID | None = strawberry.field(
        description="The last case that was checked: give it as `after` to go on. Null where there are no further cases."
    )

    @classmethod
    def of(cls, heads: Sequence[record_chain.Head], broken: Sequence[record_chain.BrokenLink]) -> Self:
        """From the action's answer."""
        return cls(
            checked=len(heads),
            broken=[BrokenRecord.of(each) for each in broken],
            next=strawberry.ID(f"Application_{heads[-1].case_id}") if heads else None,
        )
