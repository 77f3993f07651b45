"""Accounts, their sessions, phone codes, consents and failed attempts."""

from __future__ import annotations

from uuid import UUID

from tortoise import fields

from models.enums import AccountStatus, CodePurpose, Role, StaffActKind, Transport
from models.ids import new_id
from models.row import Row
from models.sealing import SealedField


class Account(Row):
    """Somebody who can sign in. One live account a phone and an id number (constraints of 0002)."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    role = fields.CharEnumField(Role, max_length=20)
    status = fields.CharEnumField(AccountStatus, max_length=20, default=AccountStatus.ACTIVE)
    name = fields.CharField(max_length=60)
    phone = SealedField("account.phone")
    phone_hash = fields.BinaryField()
    phone_masked = fields.CharField(max_length=20)
    id_number = SealedField("account.id_number", null=True)
    id_number_hash = fields.BinaryField(null=True)
    id_number_masked = fields.CharField(max_length=30, null=True)
    password_hash = fields.CharField(max_length=200)
    pool_code = fields.CharField(max_length=6, null=True)  # of a local officer
    language = fields.CharField(max_length=5, default="zh")
    # Of staff: the secret of their authenticator app in base32, and the last step of time whose code was used.
    second_factor: fields.Field[str | None] = SealedField("account.second_factor", null=True)  # type: ignore[assignment]
    second_factor_since = fields.DatetimeField(null=True)
    second_factor_step = fields.BigIntField(null=True)
    created_at = fields.DatetimeField()

    class Meta:
        table = "accounts"


class Session(Row):
    """One signed-in device. Only the hash of its token is kept; ending it is setting `ended_at`."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    account_id: UUID
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "models.Account", "sessions", db_index=True, on_delete=fields.RESTRICT
    )
    token_hash = fields.BinaryField()
    transport = fields.CharEnumField(Transport, max_length=10)
    device = fields.CharField(max_length=200)
    created_at = fields.DatetimeField()
    used_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    ended_at = fields.DatetimeField(null=True)

    class Meta:
        table = "sessions"


class SignInTicket(Row):
    """A sign-in that waits for its second factor; only the hash of its ticket is kept.

    `offered_secret` is that of a second factor which is being set up; it becomes the account's with the first right code.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    account_id: UUID
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "models.Account", "sign_in_tickets", db_index=True, on_delete=fields.RESTRICT
    )
    token_hash = fields.BinaryField()
    offered_secret: fields.Field[str | None] = SealedField("ticket.offered_secret", null=True)  # type: ignore[assignment]
    phone_proven = fields.BooleanField(default=False)  # by a code, in the first step or since
    transport = fields.CharEnumField(Transport, max_length=10)
    device = fields.CharField(max_length=200)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    wrong_tries = fields.IntField(default=0)
    used_at = fields.DatetimeField(null=True)

    class Meta:
        table = "sign_in_tickets"


class PhoneCode(Row):
    """One challenge sent to a phone. The code itself is not kept: it is derived from the id and the installation's key."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    phone_hash = fields.BinaryField()
    address_hash = fields.BinaryField()
    purpose = fields.CharEnumField(CodePurpose, max_length=20)
    created_at = fields.DatetimeField()
    expires_at = fields.DatetimeField()
    wrong_tries = fields.IntField(default=0)
    wrong_elsewhere = fields.IntField(default=0)  # of them, from other addresses than the one that asked for the code
    used_at = fields.DatetimeField(null=True)
    superseded_at = fields.DatetimeField(null=True)

    class Meta:
        table = "phone_codes"
        indexes = (("phone_hash", "purpose", "created_at"), ("address_hash", "created_at"), ("created_at",))


class FailedSignIn(Row):
    """A sign-in that did not succeed, counted per phone and client address; kept for a day."""

    id = fields.BigIntField(primary_key=True)
    phone_hash = fields.BinaryField()
    address_hash = fields.BinaryField()
    at = fields.DatetimeField()

    class Meta:
        table = "failed_sign_ins"
        indexes = (("phone_hash", "at"), ("address_hash", "at"))


class IdNumberTry(Row):
    """An id number about which somebody signed in learnt something: an expert who entered it, an officer who looked for its holder.

    Those of experts are kept for a day, to count by; those of officers stay as a record.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    account_id: UUID
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField("models.Account", "id_number_tries", on_delete=fields.RESTRICT)
    id_number_hash = fields.BinaryField()
    at = fields.DatetimeField()

    class Meta:
        table = "id_number_tries"
        indexes = (("account_id", "at"),)


class Consent(Row):
    """Acceptance of one version of the privacy terms.

    The use of sensitive data is accepted apart from it, in `sensitive_accepted_at`: null from before that was asked.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    account_id: UUID
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "models.Account", "consents", db_index=True, on_delete=fields.RESTRICT
    )
    terms_version = fields.CharField(max_length=20)
    accepted_at = fields.DatetimeField()
    sensitive_accepted_at = fields.DatetimeField(null=True)

    class Meta:
        table = "consents"


class ClearRead(Row):
    """Somebody saw personal data of an expert in clear; shown to that expert, never changed.

    `what` are names of PersonalField, comma-separated, or one image as `FILE:<purpose>`; `reader_*` tell who it was at that time.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    subject_id: UUID
    subject: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "models.Account", "clear_reads", db_index=True, on_delete=fields.RESTRICT
    )
    reader_id: UUID
    reader: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField("models.Account", "read_in_clear", on_delete=fields.RESTRICT)
    reader_name = fields.CharField(max_length=60)
    reader_role = fields.CharEnumField(Role, max_length=20)
    reader_pool_code = fields.CharField(max_length=6, null=True)
    application_id = fields.UUIDField(null=True)
    what = fields.CharField(max_length=100)
    reason = fields.CharField(max_length=200)
    at = fields.DatetimeField()

    class Meta:
        table = "clear_reads"


class StaffAct(Row):
    """Something done with an account of staff. Append-only (trigger of 0020), numbered, each bound to the one before by a keyed hash.

    `actor_*` tell who it was at that time: empty for the operator at the machine.
    """

    id = fields.UUIDField(primary_key=True, default=new_id)
    number = fields.IntField()
    at = fields.DatetimeField()
    act = fields.CharEnumField(StaffActKind, max_length=20)
    account_id: UUID
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField(
        "models.Account", "staff_acts", db_index=True, on_delete=fields.RESTRICT
    )
    account_name = fields.CharField(max_length=60)
    account_role = fields.CharEnumField(Role, max_length=20)
    account_pool_code = fields.CharField(max_length=6, null=True)  # since the act
    actor_id = fields.UUIDField(null=True)
    actor_name = fields.CharField(max_length=60, null=True)
    actor_role = fields.CharEnumField(Role, max_length=20, null=True)
    previous_hash = fields.BinaryField(null=True)
    hash = fields.BinaryField()

    class Meta:
        table = "staff_acts"


class IdempotencyKey(Row):
    """The answer that a creation gave under a key of the client, for 24 hours."""

    id = fields.UUIDField(primary_key=True, default=new_id)
    account_id: UUID
    account: fields.ForeignKeyRelation[Account] = fields.ForeignKeyField("models.Account", "idempotency_keys", on_delete=fields.RESTRICT)
    key = fields.CharField(max_length=100)
    verb = fields.CharField(max_length=60)
    input_hash = fields.BinaryField()
    result_id = fields.UUIDField()
    created_at = fields.DatetimeField()

    class Meta:
        table = "idempotency_keys"
        unique_together = (("account", "verb", "key"),)
