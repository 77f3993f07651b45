"""Setting up a second factor proves the phone as well."""

from __future__ import annotations

from tortoise import fields, migrations
from tortoise.migrations import operations as ops

from models.enums import CodePurpose


class Migration(migrations.Migration):
    dependencies = [("models", "0025_receipts_of_messages")]

    operations = [
        ops.AlterField(
            model_name="PhoneCode",
            name="purpose",
            field=fields.CharEnumField(
                description="REGISTER: REGISTER\nSIGN_IN: SIGN_IN\nRESET_PASSWORD: RESET_PASSWORD\nCHANGE_PHONE: CHANGE_PHONE\n"
                "DEREGISTER: DEREGISTER\nOBJECT: OBJECT\nSECOND_FACTOR: SECOND_FACTOR",
                enum_type=CodePurpose,
                max_length=20,
            ),
        ),
        ops.AddField(model_name="SignInTicket", name="phone_proven", field=fields.BooleanField(null=True)),
        ops.RunSQL("UPDATE sign_in_tickets SET phone_proven = FALSE", ""),  # they live five minutes
        ops.AlterField(model_name="SignInTicket", name="phone_proven", field=fields.BooleanField(default=False)),
        # For processes of the version before, which go on issuing tickets while this one is brought in.
        ops.RunSQL(
            "ALTER TABLE sign_in_tickets ALTER phone_proven SET DEFAULT FALSE",
            "ALTER TABLE sign_in_tickets ALTER phone_proven DROP DEFAULT",
        ),
    ]
