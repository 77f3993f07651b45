"""The viewer's own account and sessions."""

from collections.abc import Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import strawberry

import domain.rules.viewer  # the type here has the same name
from domain import reads
from domain.lists import among
from domain.reads import Where
from domain.rules.lifecycle import DECISIONS
from domain.rules.policy import SETTLING
from models import accounts
from models.database import rows
from models.enums import AccountStatus, Role, Transport
from schema.context import Info
from schema.nodes import Computed, Finished, Node, column, listed, of_viewer, one, record, rows_of
from schema.pages import After, Before, Connection, First, Last, page_of, paged
from schema.types.experts import Expert
from schema.types.privacy import ClearRead, Consent
from schema.types.reference import Division
from settings import settings

if TYPE_CHECKING:
    from schema.types.applications import ApplicationRecord


def _own_clear(name: str) -> Finished:
    """A sealed column for the account's owner."""
    column = accounts.Account._meta.fields_map[name]
    sealed = f"CASE WHEN {{t}}.id = :viewer_account THEN encode({{t}}.{name}, 'hex') END"
    return Finished(sealed, lambda told, *_: str(column.to_python_value(bytes.fromhex(told))))


@record(accounts.Account, "An account: who can sign in.")
class Account(Node):
    """An account."""

    role: Role = column("role", "What its owner may do.")
    status: AccountStatus = column("status", "Whether it can be used.")
    pool_code: str | None = column("pool_code", "Code of a local officer's pool; empty for everybody else.")
    pool: Division | None = one("Division", "pool_code", "A local officer's pool; empty for everybody else.", to="code")
    name: str = column("name", "Name.")
    phone_masked: str = column("phone_masked", "Login phone, its middle hidden.")
    language: str = column("language", "Language of messages to the phone: `zh` or `en`.")
    second_factor_since: datetime | None = column(
        "second_factor_since",
        "Since when it signs in with an authenticator app; empty for experts, and for staff before their first sign-in.",
    )
    created_at: datetime = column("created_at", "When it was registered.")

    @strawberry.field(description="Login phone, +86…; for its owner alone.", metadata={"source": _own_clear("phone")})
    def phone(self, info: Info) -> str | None:
        """In clear."""
        return str(self.row.phone) if self._own(info) else None

    @strawberry.field(
        description="Id number; for its owner alone, empty where none is known.", metadata={"source": _own_clear("id_number")}
    )
    def id_number(self, info: Info) -> str | None:
        """In clear."""
        return self.row.id_number if self._own(info) else None

    def _own(self, info: Info) -> bool:
        viewer = info.context.viewer
        return viewer is not None and viewer.account_id == self.row.id


@record(accounts.Session, "A signed-in device of the viewer.")
class Session(Node):
    """A session."""

    device: str = column("device", "What the client called itself when it signed in.")
    transport: Transport = column("transport", "How its token travels.")
    created_at: datetime = column("created_at", "When it signed in.")
    used_at: datetime = column("used_at", "When it was last used, to the minute.")
    expires_at: datetime = column("expires_at", "When it ends at the latest.")
    ended_at: datetime | None = column("ended_at", "When it was ended; empty while it is open.")

    @strawberry.field(description="Whether it is the one that asks.", metadata={"source": Computed("{t}.id = :viewer_session")})
    def current(self, info: Info) -> bool:
        """By the viewer's session."""
        viewer = info.context.viewer
        return viewer is not None and viewer.session_id == self.row.id


def _still_in_use(_: Mapping[str, Any], viewer: domain.rules.viewer.Viewer | None) -> list[Where]:
    """A staff session ends when it was not used for a while."""
    if viewer is None or viewer.role is Role.EXPERT:
        return []
    return [Where("{t}.used_at > :now::timestamptz - make_interval(mins => :idle)", {"idle": settings().staff_session_idle_minutes})]


def _decided(*_: object) -> list[Where]:
    """The decisions are named as the index on them names them, which holds nothing else (migration 0037)."""
    return [Where("{t}.actor_id = :viewer_account"), among("move", [*DECISIONS, *SETTLING])]


def _consent_needed(role: Role | None) -> str:
    if role is not Role.EXPERT:
        return "FALSE"
    return """NOT EXISTS (SELECT FROM consents c WHERE c.account_id = :viewer_account AND c.terms_version = :terms_version
        AND c.sensitive_accepted_at IS NOT NULL)"""


@strawberry.type(description="Who is signed in.")
class Viewer:
    """The viewer."""

    account: Account = of_viewer("Account", "viewer_account", "The viewer's account.")
    expert: Expert | None = of_viewer("Expert", "viewer_expert", "The viewer as an expert; empty for staff.")
    pool: Division | None = of_viewer(
        "Division", "viewer_pool", "The pool whose cases the viewer reviews; empty for all but local officers.", to="code"
    )

    @strawberry.field(
        description="Whether the privacy terms have a version that the viewer has not accepted, or only without the use of sensitive data: "
        "show them and call `privacyTermsAccept`. "
        "Until then everything can be read and saved, and nothing submitted. Always false for staff.",
        metadata={"source": Computed(_consent_needed)},
    )
    async def consent_needed(self, info: Info) -> bool:
        """By the version in force."""
        viewer = info.context.signed_in()
        sql, values = reads.bind(f"SELECT {_consent_needed(viewer.role)} AS needed", reads.viewer_values(viewer, info.context.now))
        found: bool = (await rows(sql, *values))[0]["needed"]
        return found

    @strawberry.field(
        description="同意记录: the versions of the privacy terms that the viewer has accepted, the newest first.",
        metadata=listed("Consent", lambda *_: (), "{t}.accepted_at DESC, {t}.id"),
    )
    async def consents(self, info: Info) -> list[Consent]:
        """Own, by the predicate of the noun."""
        return await rows_of(info)

    @strawberry.field(
        description="查阅记录: who of the finance offices saw the viewer's personal data in clear, the newest first.",
        metadata=paged("ClearRead", ("at", "id"), lambda *_: (), descending=True),
    )
    async def clear_reads(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[ClearRead]:
        """Own, by the predicate of the noun."""
        found: Connection[ClearRead] = await page_of(info, first=first, after=after, last=last, before=before)
        return found

    @strawberry.field(
        description="已办: what the viewer has decided as an officer (approved, returned, rejected, objections upheld or dismissed where that moved the case), of cases that the "
        "viewer may still see, the newest first. Empty for others.",
        metadata=paged("ApplicationRecord", ("at", "id"), _decided, descending=True),
    )
    async def decisions(
        self, info: Info, first: First = None, after: After = None, last: Last = None, before: Before = None
    ) -> Connection[Annotated["ApplicationRecord", strawberry.lazy("schema.types.applications")]]:
        """Own, of visible cases."""
        found: Connection[ApplicationRecord] = await page_of(info, first=first, after=after, last=last, before=before)
        return found

    @strawberry.field(
        description="The devices on which the viewer is signed in, the last used first; end one with `sessionRevoke`.",
        metadata=listed("Session", _still_in_use, "{t}.used_at DESC, {t}.id DESC"),
    )
    async def sessions(self, info: Info) -> list[Session]:
        """Own open sessions."""
        return await rows_of(info)


def viewer_of(info: Info) -> Viewer | None:
    """Who is signed in, as an answer; None where nobody is."""
    return None if info.context.viewer is None else Viewer()
