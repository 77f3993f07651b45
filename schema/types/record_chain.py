"""Whether the chain of a case's records holds."""

from typing import Self

import strawberry

from domain.actions import record_chain
from models.enums import ChainBreak


@strawberry.type(description="A place where the chain of a case's records does not hold.")
class BrokenRecord:
    """A broken link."""

    number: int = strawberry.field(description="Number of the record in the case.")
    what: ChainBreak = strawberry.field(description="What is wrong there.")

    @classmethod
    def of(cls, link: record_chain.BrokenLink) -> Self:
        """From the action's answer."""
        return cls(number=link.number, what=link.what)


@strawberry.type(
    description="记录链: each record of a case is bound to the one before by a keyed hash, so that whatever was changed, removed or added past "
    "the registry shows. The operator's command `verify-records` reads all cases."
)
class RecordChain:
    """A chain, checked when it is asked for."""

    intact: bool = strawberry.field(description="Whether every record is as it was written, and the case where the last one says.")
    broken: list[BrokenRecord] = strawberry.field(description="Where it does not hold, by number; empty where it is intact.")
