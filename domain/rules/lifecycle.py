"""The one table of moves of a case (rules §5), and what can be read off it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum
from functools import cache
from types import MappingProxyType

from models.enums import CaseKind, Move, RevisionState, Role, Stage


class By(Enum):
    """Who makes a move."""

    EXPERT = "expert"
    LOCAL_OFFICE = "office of the case's pool"
    PROVINCE = "provincial office"
    SYSTEM = "system"


@dataclass(frozen=True, slots=True)
class Step:
    """Where a move leads and who makes it; every CANCEL can be the system's too. `undecided`: only while no office has decided the case."""

    target: Stage
    by: By
    undecided: bool = False


REVIEWS: Mapping[Stage, By] = MappingProxyType(
    {Stage.FIRST_REVIEW: By.LOCAL_OFFICE, Stage.SECOND_REVIEW: By.PROVINCE, Stage.FINAL_REVIEW: By.PROVINCE}
)
AWAITED: Mapping[Stage, By] = MappingProxyType({**REVIEWS, Stage.OBJECTION: By.PROVINCE})
"""Where a case waits for an office, which has its budget of time for it."""
CLOSED = frozenset({Stage.ADMITTED, Stage.APPLIED, Stage.REJECTED, Stage.WITHDRAWN, Stage.CANCELLED})
EDITABLE = frozenset({Stage.DRAFT, Stage.RETURNED})
DECISIONS = frozenset({Move.APPROVE, Move.RETURN, Move.REJECT})


def _table(kind: CaseKind) -> dict[tuple[Stage, Move], Step]:
    admission = kind is CaseKind.ADMISSION
    table = {
        (Stage.DRAFT, Move.SUBMIT): Step(Stage.FIRST_REVIEW, By.EXPERT),
        (Stage.RETURNED, Move.SUBMIT): Step(Stage.FIRST_REVIEW, By.EXPERT),
        (Stage.FIRST_REVIEW, Move.WITHDRAW): Step(Stage.WITHDRAWN, By.EXPERT, undecided=True),
        (Stage.FIRST_REVIEW, Move.APPROVE): Step(Stage.SECOND_REVIEW, By.LOCAL_OFFICE),
        (Stage.SECOND_REVIEW, Move.APPROVE): Step(Stage.FINAL_REVIEW, By.PROVINCE),
        (Stage.FINAL_REVIEW, Move.APPROVE): Step(Stage.PUBLICITY if admission else Stage.APPLIED, By.PROVINCE),
    }
    for stage, by in REVIEWS.items():
        table[stage, Move.RETURN] = Step(Stage.RETURNED, by)
        table[stage, Move.REJECT] = Step(Stage.REJECTED, by)
    if admission:
        table[Stage.PUBLICITY, Move.CLOSE_NOTICE] = Step(Stage.ADMITTED, By.SYSTEM)
        table[Stage.PUBLICITY, Move.HOLD_FOR_OBJECTION] = Step(Stage.OBJECTION, By.SYSTEM)
        for stage in (Stage.PUBLICITY, Stage.OBJECTION):
            table[stage, Move.UPHOLD_OBJECTION] = Step(Stage.REJECTED, By.PROVINCE)
        table[Stage.OBJECTION, Move.DISMISS_OBJECTIONS] = Step(Stage.ADMITTED, By.PROVINCE)
    open_stages = {stage for stage, _ in table}
    table |= {(stage, Move.CANCEL): Step(Stage.CANCELLED, By.SYSTEM) for stage in open_stages}
    if not admission:  # given up by its expert; left lying, the system cancels it all the same
        table[Stage.RETURNED, Move.CANCEL] = Step(Stage.CANCELLED, By.EXPERT)
    return table


MOVES: Mapping[CaseKind, Mapping[tuple[Stage, Move], Step]] = MappingProxyType({kind: MappingProxyType(_table(kind)) for kind in CaseKind})

REVISION_AFTER: Mapping[Stage, RevisionState] = MappingProxyType(
    {
        Stage.RETURNED: RevisionState.NOT_ADOPTED,
        Stage.REJECTED: RevisionState.NOT_ADOPTED,
        Stage.WITHDRAWN: RevisionState.NOT_ADOPTED,
        Stage.CANCELLED: RevisionState.NOT_ADOPTED,
        Stage.ADMITTED: RevisionState.EFFECTIVE,
        Stage.APPLIED: RevisionState.EFFECTIVE,
    }
)
"""What becomes of the revision under review when a case reaches a stage; elsewhere it stays as it is."""


def step(kind: CaseKind, stage: Stage, move: Move, *, decided: bool = False) -> Step | None:
    """Where the move leads, or None where the table has none, or none for a case that an office has `decided` before."""
    found = MOVES[kind].get((stage, move))
    return None if found is not None and found.undecided and decided else found


def was_decided(round: int) -> bool:
    """Whether an office has decided a case in its first review: it gets there again after a return alone, in a further round."""
    return round > 1


@cache
def stages_of(kind: CaseKind) -> frozenset[Stage]:
    """The stages at which cases of a kind can stand."""
    return frozenset({stage for stage, _ in MOVES[kind]} | {found.target for found in MOVES[kind].values()})


def makes(by: By, *, role: Role, own: bool, own_pool: bool) -> bool:
    """Whether a person is the one who makes moves marked `by`: `own` case, officer of the case's `own_pool`."""
    match by:
        case By.EXPERT:
            return role is Role.EXPERT and own
        case By.LOCAL_OFFICE:
            return role is Role.LOCAL_OFFICER and own_pool and not own
        case By.PROVINCE:
            return role is Role.PROVINCIAL_OFFICER and not own
        case By.SYSTEM:
            return False


def available_moves(kind: CaseKind, stage: Stage, *, decided: bool, role: Role, own: bool, own_pool: bool) -> tuple[Move, ...]:
    """Moves a person may make now, in the order of the vocabulary: what a client draws buttons from."""
    steps = {move: step(kind, stage, move, decided=decided) for move in Move}
    return tuple(move for move, found in steps.items() if found is not None and makes(found.by, role=role, own=own, own_pool=own_pool))


_UNDECIDED = ", nobody has decided"


def diagram(kind: CaseKind) -> str:
    """The table as a Mermaid state diagram, for README; CANCEL, which every open stage has, is left out."""
    lines = ["stateDiagram-v2", "    [*] --> DRAFT"]
    for (stage, move), found in MOVES[kind].items():
        if move is not Move.CANCEL:
            lines.append(
                f"    {stage.value} --> {found.target.value}: {move.zh} {move.value.lower()}{_UNDECIDED if found.undecided else ''}"
            )
    lines += [
        f"    {stage.value} --> [*]"
        for stage in Stage
        if stage in {found.target for found in MOVES[kind].values()} & CLOSED - {Stage.CANCELLED}
    ]
    return "\n".join(lines)
