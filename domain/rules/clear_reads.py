"""Personal data in clear: whose case it must be, and how often an officer may ask (rules §9)."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import datetime, timedelta
from types import MappingProxyType

from domain.rules.errors import ClaimedByAnother, NotAllowed, TooSoon
from domain.rules.lifecycle import AWAITED, By, makes
from domain.rules.phone_codes import Sent
from domain.rules.policy import CaseFacts, held_by_another
from domain.rules.viewer import Viewer
from models.enums import FilePurpose, PersonalField, Stage

HOUR = timedelta(hours=1)
REASON_LENGTH = 200

IN_HANDS: Mapping[Stage, By] = MappingProxyType({**AWAITED, Stage.PUBLICITY: By.PROVINCE})
"""Which office has a case at each stage; at all others, closed ones among them, it is nobody's."""


SHOW_THEM = frozenset({FilePurpose.ID_FRONT, FilePurpose.ID_BACK, FilePurpose.TITLE, FilePurpose.QUALIFICATION, FilePurpose.OTHER})
"""Images on which what is masked elsewhere can be read: the identity card, the signed application form, and certificates that commonly
print the whole id number (职称证书, 执业资格证书)."""


def in_hands(case: CaseFacts, viewer: Viewer) -> bool:
    """Whether the case is with the viewer's office now."""
    by = IN_HANDS.get(case.stage)
    own_pool = case.pool_code == viewer.pool_code
    return by is not None and makes(by, role=viewer.role, own=case.expert_id == viewer.expert_id, own_pool=own_pool)


def check_in_hands(case: CaseFacts, viewer: Viewer, *, holder: str, now: datetime) -> None:
    """Raise NotAllowed CASE_NOT_YOURS unless the case is with the viewer's office now, ClaimedByAnother while a colleague holds it."""
    if not in_hands(case, viewer):
        raise NotAllowed("CASE_NOT_YOURS")
    if held_by_another(case, viewer, now):
        raise ClaimedByAnother(holder, case.claimed_until)


def check_rate(asked: Sent, *, most: int, now: datetime) -> None:
    """Raise TooSoon where the officer has asked `most` times within an hour, with the seconds until the oldest falls out of it."""
    if asked.oldest is not None and asked.count >= most:
        raise TooSoon(math.ceil((asked.oldest + HOUR - now).total_seconds()), "CLEAR_READS_USED_UP")


def written(fields: set[PersonalField]) -> str:
    """The fields of one look as its row keeps them, in the order of the vocabulary."""
    return ",".join(each.value for each in PersonalField if each in fields)
