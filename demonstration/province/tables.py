"""The tables that are written, and in which order their columns stand in a row."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

Row = tuple[Any, ...]

_ENTRY = "id entry_id position revision_id "
COLUMNS: Mapping[str, tuple[str, ...]] = MappingProxyType({
    table: tuple(columns.split()) for table, columns in {
        "accounts": "id role status name phone phone_hash phone_masked id_number id_number_hash id_number_masked password_hash pool_code "
        "language created_at",
        "consents": "id account_id terms_version accepted_at sensitive_accepted_at",
        "experts": "id account_id standing number name employer pool_code formal_since draft_id effective_id suspended_until created_at",
        "files": "id owner_id purpose original_name media_type size width height sharpness blurred sha256 object_key created_at",
        "revisions": "id expert_id number base_id state version created_at updated_at frozen_at name id_type id_number id_number_hash "
        "id_number_masked id_valid_from id_valid_until id_valid_long_term sex birth_date ethnic_group political_affiliation health "
        "portrait_id id_front_id id_back_id second_phone second_phone_masked email email_masked residence_code address address_masked "
        "postcode employer employer_credit_code employer_kind post work_status working_since years_in_field source home_pool_code",
        "education": _ENTRY + "school started_on ended_on major level mode degree certificate_number is_highest certificate_id",
        "title_entries": _ENTRY + "title_code certificate_number obtained_on issuer certificate_id",
        "work_entries": _ENTRY + "started_on ended_on employer post duties",
        "qualification_entries": _ENTRY + "qualification_code certificate_number obtained_on valid_until issuer certificate_id",
        "revision_specialties": _ENTRY + "specialty_code",
        "avoidance_units": _ENTRY + "name credit_code relation until",
        "other_materials": _ENTRY + "file_id",
        "applications": "id kind expert_id revision_id stage round pool_code leaving_pool_code applicant employer declared_commitment "
        "declared_avoidance created_at submitted_at stage_since due_at closed_at records_count last_hash",
        "application_records": "id application_id number round at actor_id actor_name actor_role move from_stage to_stage revision_id "
        "opinion reject_reason field_reasons previous_hash hash",
        "public_notices": "id application_id state name employer pool_code opened_at first_day last_day closes_at days_counted tentative "
        "closed_at",
        "notice_specialties": "id notice_id position specialty_code",
        "objections": "id notice_id application_id receipt state phone phone_hash phone_masked address_hash text received_at settled_at "
        "settled_by_id settled_by_name settlement",
        "sms_messages": "id template language phone phone_masked account_id application_id parameters state attempts provider "
        "provider_reference last_error created_at sent_at",
        "clear_reads": "id subject_id reader_id reader_name reader_role reader_pool_code application_id what reason at",
        "application_notes": "id application_id at author_id author_name author_role text",
        "schedule_periods": "id expert_id availability first_date first_half last_date last_half weekly_until reason saved_at",
        "schedule_occurrences": "id period_id expert_id availability first_date first_half last_date last_half",
        "standing_records": "id expert_id at change from_standing to_standing actor_id actor_name actor_role cause reasons until",
        "bars": "id id_number_hash since until",
    }.items()
})  # fmt: skip

TABLE_NUMBERS: Mapping[str, int] = MappingProxyType({table: number for number, table in enumerate((*COLUMNS, "entries"))})
"""Ids tell their table by its number. An entry of a profile bears one id more, the same in all revisions."""
