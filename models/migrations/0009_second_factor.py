"""The second factor of staff, and sign-ins that wait for it."""

from __future__ import annotations

from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.migrations import operations as ops

from models.enums import Transport
from models.ids import new_id
from models.sealing import SealedField


class Migration(migrations.Migration):
    dependencies = [("models", "0007_reminders")]

    operations = [
        ops.CreateModel(
            name="SignInTicket",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                (
                    "account",
                    fields.ForeignKeyField(
                        "models.Account",
                        source_field="account_id",
                        db_index=True,
                        db_constraint=True,
                        to_field="id",
                        related_name="sign_in_tickets",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("token_hash", fields.BinaryField()),
                ("offered_secret", SealedField(null=True, purpose="ticket.offered_secret")),
                ("transport", fields.CharEnumField(description="COOKIE: COOKIE\nBEARER: BEARER", enum_type=Transport, max_length=10)),
                ("device", fields.CharField(max_length=200)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("wrong_tries", fields.IntField(default=0)),
                ("used_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
            ],
            options={
                "table": "sign_in_tickets",
                "app": "models",
                "pk_attr": "id",
                "table_description": "A sign-in that waits for its second factor; only the hash of its ticket is kept.",
            },
            bases=["Model"],
        ),
        ops.AddField(model_name="Account", name="second_factor", field=SealedField(null=True, purpose="account.second_factor")),
        ops.AddField(
            model_name="Account", name="second_factor_since", field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)
        ),
        ops.AddField(model_name="Account", name="second_factor_step", field=fields.BigIntField(null=True)),
        ops.RunSQL(
            "CREATE UNIQUE INDEX a_sign_in_ticket_is_unique ON sign_in_tickets (token_hash)", "DROP INDEX a_sign_in_ticket_is_unique"
        ),
        ops.RunSQL(
            "ALTER TABLE accounts ADD CONSTRAINT a_second_factor_is_of_staff_and_has_its_time CHECK ((second_factor IS NULL) ="
            " (second_factor_since IS NULL) AND (second_factor IS NULL OR role <> 'EXPERT'))",
            "ALTER TABLE accounts DROP CONSTRAINT a_second_factor_is_of_staff_and_has_its_time",
        ),
    ]
