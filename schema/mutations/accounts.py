"""Mutations of accounts and sessions: codes, registering, signing in, leaving, password and phone."""

from datetime import datetime, timedelta
from typing import Annotated

import strawberry

from domain.actions import accounts, phone_codes, sessions
from models.enums import CodePurpose, Transport
from schema import problems as p
from schema.context import Context, Info
from schema.nodes import wanted_key
from schema.types.accounts import Account, Session, Viewer, viewer_of
from schema.types.privacy import SENSITIVE_DATA

_PHONE = "Mobile number of mainland China, as people write it; +86, spaces and hyphens may be there or not."
_PASSWORD = "10 to 128 characters, none of the common ones, no part of the phone or id number."  # noqa: S105  a description
_CODE = "The six digits that were sent to the phone for this purpose."


@strawberry.input(description="Have a code sent to a phone.")
class PhoneCodeSendInput:
    """Input of phoneCodeSend."""

    phone: str = strawberry.field(description=_PHONE)
    purpose: CodePurpose = strawberry.field(description="What the code shall serve; it serves nothing else.")


@strawberry.type(description="A code is on its way, unless the phone cannot take messages. Whether the phone has an account is not told.")
class PhoneCodeSent:
    """Success of phoneCodeSend."""

    expires_at: datetime = strawberry.field(description="Until when it can be used.")
    resend_after_seconds: int = strawberry.field(description="How long to wait before asking for another one.")


@strawberry.input(description="Register as a temporary expert.")
class AccountRegisterInput:
    """Input of accountRegister."""

    phone: str = strawberry.field(description=_PHONE)
    code: str = strawberry.field(description=f"{_CODE} Purpose: REGISTER.")
    password: str = strawberry.field(description=_PASSWORD)
    name: str = strawberry.field(description="Name as on the identity card.")
    id_number: str = strawberry.field(description="18 places; full-width digits and a small x are put right.")
    terms_version: str = strawberry.field(
        description="The version of the privacy terms that the person accepts, see `privacyTermsVersion`."
    )
    sensitive_data_accepted: bool = strawberry.field(default=False, description=SENSITIVE_DATA)


@strawberry.input(description="Sign in, by password or by phone code: give exactly one of them.")
class SessionOpenInput:
    """Input of sessionOpen."""

    phone: str = strawberry.field(description=_PHONE)
    password: str | None = strawberry.field(default=None, description="The account's password.")
    code: str | None = strawberry.field(default=None, description=f"{_CODE} Purpose: SIGN_IN.")
    transport: Transport = strawberry.field(description="COOKIE for pages of a browser, BEARER for everything else.")
    device: str | None = strawberry.field(
        default=None, description="What to call this device in the list of sessions; left out: what the client calls itself."
    )


@strawberry.type(description="Signed in. Every sign-in has a session and a token of its own.")
class SessionOpened:
    """Success of sessionOpen."""

    session: Session = strawberry.field(description="The new session.")
    token: str | None = strawberry.field(
        description="With BEARER: send it as `Authorization: Bearer …`, on a WebSocket as `authorization` in the connection parameters. "
        "It is told this once. With COOKIE null: the browser holds it where pages cannot read it."
    )
    viewer: Viewer = strawberry.field(description="Who is signed in now.")


@strawberry.input(description="The second step of signing in, for staff.")
class SessionConfirmInput:
    """Input of sessionConfirm."""

    ticket: str = strawberry.field(description="From `SecondFactorNeeded`.")
    code: str = strawberry.field(description="The six digits that the authenticator app shows now; each is good for one sign-in.")
    phone_code: str | None = strawberry.field(
        default=None,
        description="Where `enrolment` tells `phoneCodeNeeded`: a code of `phoneCodeSend` for SECOND_FACTOR, to the phone of the account.",
    )


@strawberry.input(description="Leave this device.")
class SessionCloseInput:
    """Input of sessionClose."""

    client_mutation_id: str | None = strawberry.field(default=None, description="Comes back as it is; may be left out.")


@strawberry.type(description="This device is signed out; its open subscriptions are cut.")
class SessionClosed:
    """Success of sessionClose."""

    client_mutation_id: str | None = strawberry.field(description="As it was given.")


@strawberry.input(description="Leave all devices.")
class SessionCloseAllInput:
    """Input of sessionCloseAll."""

    keep_this: bool = strawberry.field(default=False, description="True: leave all but this device.")


@strawberry.type(description="The devices are signed out; their open subscriptions are cut.")
class SessionsClosed:
    """Success of sessionCloseAll."""

    count: int = strawberry.field(description="How many sessions were ended.")

    @strawberry.field(description="Who is signed in now, with the `sessions` that remain; null where this device was left too.")
    def viewer(self, info: Info) -> Viewer | None:
        """The viewer afterwards."""
        return viewer_of(info)


@strawberry.input(description="Sign one of your devices out.")
class SessionRevokeInput:
    """Input of sessionRevoke."""

    session_id: strawberry.ID = strawberry.field(description="Global id of one of your sessions.")


@strawberry.input(description="Set a new password with a phone code.")
class PasswordResetInput:
    """Input of passwordReset."""

    phone: str = strawberry.field(description=_PHONE)
    code: str = strawberry.field(description=f"{_CODE} Purpose: RESET_PASSWORD.")
    password: str = strawberry.field(description=_PASSWORD)


@strawberry.type(description="The new password holds. All sessions of the account are ended: sign in again with `sessionOpen`.")
class PasswordWasReset:
    """Success of passwordReset."""

    at: datetime = strawberry.field(description="Since when.")


@strawberry.input(description="Sign in with another phone from now on; prove yourself by exactly one of password and old code.")
class PhoneChangeInput:
    """Input of phoneChange."""

    new_phone: str = strawberry.field(description=_PHONE)
    code: str = strawberry.field(description=f"{_CODE} Sent to the new phone. Purpose: CHANGE_PHONE.")
    password: str | None = strawberry.field(default=None, description="The account's password.")
    old_code: str | None = strawberry.field(default=None, description=f"{_CODE} Sent to the old phone. Purpose: CHANGE_PHONE.")


PhoneCodeSendResult = Annotated[
    PhoneCodeSent | p.InvalidInput | p.TooSoon | p.Unavailable,
    strawberry.union("PhoneCodeSendResult", description="That a code was sent, the same for every phone, or why not."),
]
AccountRegisterResult = Annotated[
    Account | p.CodeRejected | p.InvalidInput | p.Taken | p.Unavailable,
    strawberry.union("AccountRegisterResult", description="The new account, which `sessionOpen` now signs in, or why there is none."),
]
SessionOpenResult = Annotated[
    SessionOpened | p.CodeRejected | p.InvalidInput | p.SecondFactorNeeded | p.SignInRefused | p.TooSoon | p.Unavailable,
    strawberry.union("SessionOpenResult", description="The new session, or why there is none."),
]
SessionConfirmResult = Annotated[
    SessionOpened | p.CodeRejected | p.InvalidInput | p.SecondFactorRejected | p.TooSoon | p.Unavailable,
    strawberry.union("SessionConfirmResult", description="The new session, or why there is none."),
]
SessionCloseResult = Annotated[
    SessionClosed | p.NotSignedIn | p.Unavailable,
    strawberry.union("SessionCloseResult", description="That the device is signed out."),
]
SessionCloseAllResult = Annotated[
    SessionsClosed | p.NotSignedIn | p.Unavailable,
    strawberry.union("SessionCloseAllResult", description="That the devices are signed out."),
]
SessionRevokeResult = Annotated[
    Session | p.NotFound | p.NotSignedIn | p.Unavailable,
    strawberry.union("SessionRevokeResult", description="The ended session, or why it was not ended."),
]
PasswordResetResult = Annotated[
    PasswordWasReset | p.CodeRejected | p.InvalidInput | p.SignInRefused | p.Unavailable,
    strawberry.union("PasswordResetResult", description="That the new password holds, or why not."),
]
PhoneChangeResult = Annotated[
    Account | p.CodeRejected | p.InvalidInput | p.NotSignedIn | p.SignInRefused | p.Taken | p.TooSoon | p.Unavailable,
    strawberry.union("PhoneChangeResult", description="The account with its new phone, or why it was not changed."),
]


@strawberry.type
class AccountMutations:
    """Doors of domain.actions.phone_codes, accounts and sessions."""

    @strawberry.mutation(
        description="Have a code (验证码) sent to a phone; a new one takes the place of an earlier one of the same purpose."
    )
    async def phone_code_send(self, info: Info, input: PhoneCodeSendInput) -> PhoneCodeSendResult:
        """See phone_codes.send."""
        context = info.context
        sent = await phone_codes.send(
            input.phone, input.purpose, address=context.client_address, language=context.language, now=context.now
        )
        return PhoneCodeSent(expires_at=sent.expires_at, resend_after_seconds=context.settings.phone_code_resend_seconds)

    @strawberry.mutation(description="Register as a temporary expert (临时专家). Then sign in with `sessionOpen`.")
    async def account_register(self, info: Info, input: AccountRegisterInput) -> AccountRegisterResult:
        """See accounts.register."""
        account = await accounts.register(
            phone=input.phone,
            code=input.code,
            password=input.password,
            name=input.name,
            id_number=input.id_number,
            terms_version=input.terms_version,
            sensitive_data_accepted=input.sensitive_data_accepted,
            language=info.context.language,
            address=info.context.client_address,
            now=info.context.now,
        )
        return Account(row=account)

    @strawberry.mutation(description="Sign in; staff go on with `sessionConfirm`.")
    async def session_open(self, info: Info, input: SessionOpenInput) -> SessionOpenResult:
        """See sessions.open_session; what is selected below `viewer` is read as the one who is now signed in."""
        context = info.context
        by_cookie = input.transport is Transport.COOKIE
        opened = await sessions.open_session(
            input.phone,
            password=input.password,
            code=input.code,
            transport=input.transport,
            device=input.device or context.device,
            address=context.client_address,
            replaces=context.viewer if by_cookie else None,
            now=context.now,
        )
        return await _handed_over(opened, context)

    @strawberry.mutation(description="Go on signing in as staff, with the six digits (动态口令) of the authenticator app.")
    async def session_confirm(self, info: Info, input: SessionConfirmInput) -> SessionConfirmResult:
        """See sessions.confirm_session."""
        context = info.context
        opened = await sessions.confirm_session(
            input.ticket, input.code, phone_code=input.phone_code, replaces=context.viewer, now=context.now
        )
        return await _handed_over(opened, context)

    @strawberry.mutation(description="Leave this device (退出登录), at once; a cookie is taken back.")
    async def session_close(self, info: Info, input: SessionCloseInput) -> SessionCloseResult:
        """See sessions.close_session."""
        await sessions.close_session(viewer=info.context.signed_in(), now=info.context.now)
        _forget_viewer(info)
        return SessionClosed(client_mutation_id=input.client_mutation_id)

    @strawberry.mutation(description="Leave all devices (退出所有设备), at once.")
    async def session_close_all(self, info: Info, input: SessionCloseAllInput) -> SessionCloseAllResult:
        """See sessions.close_all."""
        count = await sessions.close_all(viewer=info.context.signed_in(), keep_this=input.keep_this, now=info.context.now)
        if not input.keep_this:
            _forget_viewer(info)
        return SessionsClosed(count=count)

    @strawberry.mutation(description="Sign one of your devices out, at once.")
    async def session_revoke(self, info: Info, input: SessionRevokeInput) -> SessionRevokeResult:
        """See sessions.revoke."""
        viewer = info.context.signed_in()
        return Session(row=await sessions.revoke(wanted_key(input.session_id, Session), viewer=viewer, now=info.context.now))

    @strawberry.mutation(description="Set a new password with a phone code; every session of the account ends.")
    async def password_reset(self, info: Info, input: PasswordResetInput) -> PasswordResetResult:
        """See accounts.reset_password."""
        context = info.context
        await accounts.reset_password(
            input.phone, code=input.code, password=input.password, address=context.client_address, now=context.now
        )
        return PasswordWasReset(at=info.context.now)

    @strawberry.mutation(description="Sign in with another phone from now on; every other session ends, and both phones are told.")
    async def phone_change(self, info: Info, input: PhoneChangeInput) -> PhoneChangeResult:
        """See accounts.change_phone."""
        account = await accounts.change_phone(
            input.new_phone,
            code=input.code,
            password=input.password,
            old_code=input.old_code,
            viewer=info.context.signed_in(),
            address=info.context.client_address,
            now=info.context.now,
        )
        return Account(row=account)


async def _handed_over(opened: sessions.OpenedSession, context: Context) -> SessionOpened:
    """The session in the client's hands, by the transport it was opened for."""
    by_cookie = opened.session.transport is Transport.COOKIE
    if by_cookie:
        lifetime = timedelta(days=context.settings.session_days)
        context.cookies.set_session(opened.token, max_age_seconds=int(lifetime.total_seconds()))
    context.viewer, _ = await sessions.authenticate(opened.token)
    return SessionOpened(session=Session(row=opened.session), token=None if by_cookie else opened.token, viewer=Viewer())


def _forget_viewer(info: Info) -> None:
    info.context.viewer = None
    info.context.cookies.clear_session()
