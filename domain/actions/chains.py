"""All chains of records at once, for the operator: those of cases, and that of acts with accounts of staff (rules §1, §5)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from domain.actions import record_chain, staff_acts
from domain.actions.record_chain import BrokenLink, heads_of, written


@dataclass(frozen=True, slots=True)
class Verified:
    """How many cases were read, how many records are broken, and where each chain ends, as a witness file holds it."""

    cases: int
    broken: int
    witness: str


async def verify_all(witness: str, *, tell: Callable[[str], None], progress: Callable[[int], None]) -> Verified:
    """Check every chain, also against the ends that an earlier run witnessed (empty without one).

    `tell` hears of each record that was changed, is missing or foreign, `progress` how many cases are read. Raises ValueError for a text
    that no run has written.
    """
    before = heads_of(witness)
    heads, links = await staff_acts.verify(before.pop(staff_acts.CHAIN, None))
    ends, cases, broken = [written(each) for each in heads], 0, len(links)
    for link in links:
        tell(f"{link.what.value}: act {link.number} with an account of staff, {_id(link)}")
    async for heads, links in record_chain.verify(before):
        ends += [written(each) for each in heads]
        cases, broken = cases + len(heads), broken + len(links)
        for link in links:
            tell(f"{link.what.value}: case {link.case_id}, record {link.number}, {_id(link)}")
        progress(cases)
    return Verified(cases, broken, "".join(ends))


def _id(link: BrokenLink) -> str:
    return f"id {link.record_id or '-'}"
