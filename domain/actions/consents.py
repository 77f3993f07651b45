"""Consent to the privacy terms: given at registration, asked for again by every new version (rules §2, §9)."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from domain.rules.errors import ConsentNeeded, FieldProblem, InvalidInput, NotAllowed
from domain.rules.viewer import Viewer
from models.accounts import Consent
from models.database import rows, transaction
from models.ids import new_id
from settings import settings


async def accept(version: str, *, viewer: Viewer, now: datetime) -> Consent:
    """Accept the version in force; a repeat finds the first time. Raises NotAllowed for staff, InvalidInput for another version."""
    if viewer.expert_id is None:
        raise NotAllowed
    check_version("version", version)
    async with transaction():
        await rows(
            "INSERT INTO consents (id, account_id, terms_version, accepted_at) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING",
            new_id(),
            viewer.account_id,
            version,
            now,
        )
        return await Consent.get(account_id=viewer.account_id, terms_version=version)


async def require(account_id: UUID) -> None:
    """Raises ConsentNeeded where the person has not accepted the version in force: nothing new is handed in without it."""
    version = settings().privacy_terms_version
    if not await Consent.exists(account_id=account_id, terms_version=version):
        raise ConsentNeeded(version)


def check_version(path: str, version: str) -> None:
    """Raises InvalidInput TERMS_VERSION for any version but the one in force."""
    current = settings().privacy_terms_version
    if version != current:
        raise InvalidInput([FieldProblem(path, "TERMS_VERSION", {"current": current})])
