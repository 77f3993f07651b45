"""Fields of basic info that formal experts change with effect at once, where the province lets them (rules §4, §5)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from domain.actions.comparing import base_of, difference_of
from domain.actions.revisions import copy_as_draft, drop_draft
from domain.rules.completeness import REQUIRED_BASICS
from domain.rules.errors import FieldProblem, InvalidInput
from domain.rules.profile_input import path_of
from models.applications import Application
from models.database import rows
from models.enums import RevisionState
from models.experts import Expert
from models.profiles import Revision
from settings import settings


async def put_into_force(draft: Revision, saved: Collection[str], *, now: datetime) -> Revision:
    """Bring those of the columns `saved` in the draft that take effect at once into force; the draft, or the revision in force without one.

    They come by a revision of their own, which differs in nothing else from the former one in force; the draft goes on from it. A draft
    that then changes nothing is dropped, unless a returned change waits for it. A repeat changes nothing. Call inside the transaction that
    saved, which holds the expert. Raises InvalidInput where a field that submission requires would be emptied.
    """
    names = sorted(each for each in saved if path_of(each) in settings().fields_at_once)
    expert = await Expert.get(id=draft.expert_id)
    if not names or expert.effective_id is None:
        return draft
    if emptied := [each for each in names if each in REQUIRED_BASICS and getattr(draft, each) is None]:
        raise InvalidInput([FieldProblem(path_of(each), "REQUIRED") for each in emptied])
    in_force = await Revision.get(id=expert.effective_id)
    goes_on = await base_of(draft.pk) == in_force.pk  # else it was begun from another and stays the conflict that it is
    changed = [each for each in names if getattr(draft, each) != getattr(in_force, each)]
    if changed:
        in_force = await _succeed(in_force, draft, changed, now=now)
        if goes_on:
            draft.base_id = in_force.pk
            await draft.save(update_fields=["base_id"])
    waited_for = await Application.filter(expert_id=expert.pk, closed_at__isnull=True).exists()
    if waited_for or not goes_on or await difference_of(draft.pk, in_force.pk):
        if changed:  # its version is that of what is in force, which says something else
            draft.version += 1
            await draft.save(update_fields=["version"])
        return draft
    await drop_draft(draft, shown=max(in_force.version, draft.version - 1))
    return in_force


async def _succeed(former: Revision, draft: Revision, names: Sequence[str], *, now: datetime) -> Revision:
    """Put a copy of the revision in force, with these columns of the draft, in its place. It stands before the draft in the chain."""
    draft.number += 1
    await draft.save(update_fields=["number"])
    # The rows of a revision are written while it is a draft (trigger), so that there are two until this one takes effect.
    await rows("SET CONSTRAINTS one_draft_per_expert DEFERRED")
    later = await copy_as_draft(former, now=now)
    columns = [each for name in names for each in (name, f"{name}_masked") if each in Revision._meta.fields_map]
    later.update_from_dict({each: getattr(draft, each) for each in columns})
    later.number, later.version = draft.number - 1, draft.version
    later.eligibility = former.eligibility  # of the last submission; no condition rests on these fields
    later.changed_at_once = [f"basicInfo.{path_of(each)}" for each in names]
    later.state, later.frozen_at = RevisionState.EFFECTIVE, now
    await Revision.filter(id=former.pk).update(state=RevisionState.SUPERSEDED)
    await later.save()
    await Expert.filter(id=former.expert_id).update(effective_id=later.pk, draft_id=draft.pk)
    await rows("SET CONSTRAINTS one_draft_per_expert IMMEDIATE")
    return later
