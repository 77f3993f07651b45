"""Exports: files that people asked for, and what is always true of them."""

from __future__ import annotations

from orjson import loads
from tortoise import fields, migrations
from tortoise.fields.base import OnDelete
from tortoise.fields.data import JSON_DUMPS
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from models.enums import ExportKind, ExportState
from models.ids import new_id


class Migration(migrations.Migration):
    dependencies = [("models", "0006_offices")]

    operations = [
        ops.CreateModel(
            name="Export",
            fields=[
                ("id", fields.UUIDField(primary_key=True, default=new_id, unique=True, db_index=True)),
                (
                    "kind",
                    fields.CharEnumField(
                        description="APPLICATION_FORM: APPLICATION_FORM\nCASES: CASES\nEXPERTS: EXPERTS\nOWN_DATA: OWN_DATA",
                        enum_type=ExportKind,
                        max_length=20,
                    ),
                ),
                (
                    "requested_by",
                    fields.ForeignKeyField(
                        "models.Account",
                        source_field="requested_by_id",
                        db_constraint=True,
                        to_field="id",
                        related_name="exports",
                        on_delete=OnDelete.RESTRICT,
                    ),
                ),
                ("pool_code", fields.CharField(null=True, max_length=6)),
                ("subject_id", fields.UUIDField(null=True)),
                ("conditions", fields.JSONField(default=dict, encoder=JSON_DUMPS, decoder=loads)),
                (
                    "state",
                    fields.CharEnumField(
                        default=ExportState.QUEUED,
                        description="QUEUED: QUEUED\nRUNNING: RUNNING\nREADY: READY\nDOWNLOADED: DOWNLOADED\n"
                        "FAILED: FAILED\nEXPIRED: EXPIRED",
                        enum_type=ExportState,
                        max_length=20,
                    ),
                ),
                ("done", fields.IntField(default=0)),
                ("total", fields.IntField(null=True)),
                ("failure", fields.CharField(null=True, max_length=60)),
                ("created_at", fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ("finished_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("expires_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("downloaded_at", fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ("object_key", fields.CharField(null=True, max_length=200)),
                ("file_name", fields.CharField(null=True, max_length=200)),
                ("media_type", fields.CharField(null=True, max_length=100)),
                ("size", fields.BigIntField(null=True)),
            ],
            options={
                "table": "exports",
                "app": "models",
                "indexes": [
                    Index(fields=["requested_by_id", "created_at", "id"]),
                    Index(fields=["object_key"]),
                    Index(fields=["state", "expires_at"]),
                ],
                "pk_attr": "id",
                "table_description": "One file to take along, for the person who asked alone. "
                "Its bytes lie sealed in the object store under `object_key`.",
            },
            bases=["Model"],
        ),
        ops.RunSQL(
            """CREATE UNIQUE INDEX IF NOT EXISTS one_export_under_way_per_person_and_kind ON exports (requested_by_id, kind)
                WHERE state IN ('QUEUED', 'RUNNING')""",
            "DROP INDEX IF EXISTS one_export_under_way_per_person_and_kind",
        ),
        ops.RunSQL(
            """ALTER TABLE exports ADD CONSTRAINT an_export_that_is_ready_has_its_file CHECK
                (state <> 'READY' OR (object_key IS NOT NULL AND file_name IS NOT NULL AND size IS NOT NULL AND expires_at IS NOT NULL))""",
            "ALTER TABLE exports DROP CONSTRAINT IF EXISTS an_export_that_is_ready_has_its_file",
        ),
        ops.RunSQL(
            "ALTER TABLE exports ADD CONSTRAINT a_failed_export_has_its_reason CHECK ((state = 'FAILED') = (failure IS NOT NULL))",
            "ALTER TABLE exports DROP CONSTRAINT IF EXISTS a_failed_export_has_its_reason",
        ),
    ]
