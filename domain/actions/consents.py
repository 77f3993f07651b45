"""Consent to the privacy terms, and apart from it to the use of sensitive data: at registration, and again for every new version.

Rules §2, §9; the separate consent is art. 29 of 个人信息保护法: id number, identity card, photograph, health.
"""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.rules.errors import ConsentNeeded, NotAllowed
from domain.rules.fields import Fields
from domain.rules.viewer import Viewer
from models.accounts import Consent
from models.database import rows, transaction
from models.ids import new_id
from settings import settings


async def accept(version: str, *, sensitive_data_accepted: bool, viewer: Viewer, now: datetime) -> Consent:
    """Accept the version in force and the use of sensitive data under it; a repeat finds the first time.

    Raises NotAllowed for staff, InvalidInput for another version and where one of the two is not accepted.
    """
    if viewer.expert_id is None:
        raise NotAllowed
    fields = Fields()
    check_consent(fields, "version", version, sensitive_data_accepted=sensitive_data_accepted)
    fields.refuse()
    async with transaction():
        await rows(
            """INSERT INTO consents (id, account_id, terms_version, accepted_at, sensitive_accepted_at) VALUES ($1, $2, $3, $4, $4)
               ON CONFLICT (account_id, terms_version) DO UPDATE SET sensitive_accepted_at = excluded.sensitive_accepted_at
               WHERE consents.sensitive_accepted_at IS NULL""",
            new_id(),
            viewer.account_id,
            version,
            now,
        )
        return await Consent.get(account_id=viewer.account_id, terms_version=version)


async def require(account_id: UUID) -> None:
    """Raises ConsentNeeded where the person has not accepted all of the version in force: nothing new is handed in without it."""
    version = settings().privacy_terms_version
    if not await Consent.exists(account_id=account_id, terms_version=version, sensitive_accepted_at__isnull=False):
        raise ConsentNeeded(version)


def check_consent(fields: Fields, path: str, version: str, *, sensitive_data_accepted: bool) -> None:
    """Wrong are TERMS_VERSION for any version but the one in force, and SENSITIVE_DATA_NOT_ACCEPTED."""
    current = settings().privacy_terms_version
    if version != current:
        fields.wrong(path, "TERMS_VERSION", current=current)
    if not sensitive_data_accepted:
        fields.wrong("sensitiveDataAccepted", "SENSITIVE_DATA_NOT_ACCEPTED")
