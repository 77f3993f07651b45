"""Every setting of every process: typed, unit in the name, read once from the environment.

A setting `claim_minutes` is read from `REGISTRY_CLAIM_MINUTES`; `DATABASE_URL` and `REDIS_URL`
keep the names that hosting platforms give them. Lists are comma-separated. `…_FILE` names a file that holds the value, as a safe for keys
or a hosting platform lays down; a line feed at its end is not part of it, and the variable itself goes before its file. A value that
cannot be read stops the process at start with a line that names the variable.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, get_type_hints

ROOT = Path(__file__).resolve().parent
PREFIX = "REGISTRY_"
FILE = "_FILE"
_DATA = ROOT / ".data"
_KEY_LENGTH = 32
SUITES = ("aes", "sm")
AT_ONCE = ("secondPhone", "email", "residenceCode", "address", "postcode", "department", "post")
"""Fields of basic info that a province may let take effect without reviews: none that an admission, a notice or an avoidance rests on."""
_UNPREFIXED = {"database_url": "DATABASE_URL", "redis_url": "REDIS_URL"}


class SettingsError(Exception):
    """A variable is missing or cannot be read; the message names it and says what to do."""


def _setting(default: Any, description: str) -> Any:
    return field(default=default, metadata={"description": description})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """The settings table of README is printed from these fields (`python3 run.py settings`)."""

    # Where things are
    database_url: str = _setting("", "PostgreSQL 15 or newer, `postgres://user:password@host:port/database`; empty: the embedded server")
    redis_url: str = _setting("", "Redis or Valkey, `redis://host:port/0`, carries the worker's queue only; empty: the embedded server")
    data_dir: Path = _setting(_DATA, "directory of the embedded servers, the stored images and the development keys")
    storage_url: str = _setting("", "object store of images, e.g. `s3://bucket/prefix`; empty: `files` under the data directory")
    host: str = _setting("127.0.0.1", "address on which the API listens")
    port: int = _setting(8000, "port on which the API listens")
    public_origin: str = _setting("", "scheme and host under which browsers see the API, `https://…`; empty: taken from host and port")
    allowed_origins: tuple[str, ...] = _setting((), "further origins of single-page apps that may call with cookies")
    trusted_proxies: tuple[str, ...] = _setting((), "addresses of reverse proxies whose forwarded client address is believed")

    # What kind of installation
    development: bool = _setting(
        False, "development mode: demonstration accounts, movable clock, SMS readable in a query; never in production"
    )
    secret_key: str = _setting(
        "",
        "at least 32 random characters; keys of hashes, signatures and records derive from it, for the life of the database; "
        "required outside development",
    )
    seal_key: str = _setting(
        "",
        "at least 32 random characters; stored data are sealed under it, see `run.py rotate-keys`; empty: the secret key",
    )
    further_seal_keys: tuple[str, ...] = _setting(
        (), "former or coming seal keys, under which stored data still (or already) open, without commas in them"
    )
    crypto: str = _setting("aes", "what stored data are sealed with from now on: `aes` (AES-256-GCM) or `sm` (SM4-GCM, GB/T 32907)")
    introspection: bool = _setting(True, "answer introspection queries")
    graphiql: bool = _setting(True, "serve GraphiQL at /graphiql")
    metrics_addresses: tuple[str, ...] = _setting(("127.0.0.1", "::1"), "client addresses that may read /metrics")
    log_level: str = _setting("INFO", "DEBUG, INFO, WARNING or ERROR")
    log_json: bool = _setting(True, "one JSON object a line; off: readable lines")

    # Database
    database_pool_size: int = _setting(10, "connections of one process")
    statement_timeout_ms: int = _setting(10_000, "longest statement")
    lock_timeout_ms: int = _setting(5_000, "longest wait for a row lock; then SERVICE_UNAVAILABLE")
    idle_in_transaction_timeout_ms: int = _setting(15_000, "an abandoned transaction is ended after this time")

    # Province and law
    province_code: str = _setting("220000", "GB/T 2260 code of the province whose pools this installation keeps")
    publicity_working_days: int = _setting(5, "length of a public notice (公示)")
    stage_budget_working_days: int = _setting(5, "time an office has for one review before the case is overdue")
    claim_minutes: int = _setting(30, "lease of a claimed case, renewable")
    clear_reads_per_hour: int = _setting(60, "times an officer may see somebody's masked data in clear in an hour")
    application_form_required: bool = _setting(True, "the signed application form (申请表) is required to submit")
    privacy_terms_version: str = _setting(
        "2026-01", "version of the privacy terms; registering accepts it, a new one must be accepted to submit"
    )
    fields_at_once: tuple[str, ...] = _setting(
        (), f"fields that formal experts change with effect at once, without reviews, of: {', '.join(AT_ONCE)}"
    )
    dismissal_bar_years: int = _setting(3, "years for which a dismissed person's id number cannot register again")
    retention_days: int = _setting(1_095, "time after which the personal data of somebody who left the registry are erased")
    objector_retention_days: int = _setting(
        180, "time after the settlement of an objection (异议), or the end of its case, after which the objector's phone is erased"
    )
    expert_age_limit: int = _setting(70, "age with which an expert leaves the registry")
    middle_title_years: int = _setting(8, "years in the field that a middle title needs beside it, in the eligibility report")
    record_years: int = _setting(3, "years before a submission in which the eligibility report looks for dismissals and suspensions")
    lapse_notice_days: int = _setting(90, "days before leaving by age at which the expert is told")
    draft_reminder_days: tuple[int, ...] = _setting((30, 60), "days untouched after which a case left as draft or returned is reminded of")
    draft_cancel_days: int = _setting(90, "days untouched after which a case left as draft or returned is cancelled")
    qualification_notice_days: int = _setting(60, "days before a qualification in force ends at which the expert is told")

    # Phone codes, sign-in, sessions
    phone_code_minutes: int = _setting(5, "life of a phone code")
    phone_code_resend_seconds: int = _setting(60, "wait between two codes to one phone")
    phone_code_tries: int = _setting(5, "wrong tries that lock a code")
    phone_codes_per_day: int = _setting(10, "codes to one phone in 24 hours")
    phone_codes_per_address_hour: int = _setting(30, "codes asked for from one client address in an hour")
    phone_codes_per_hour: int = _setting(3_000, "codes of the whole installation in an hour; then sending stops until it falls")
    objections_per_phone_day: int = _setting(5, "objections (异议) with one phone in 24 hours")
    objections_per_address_day: int = _setting(20, "objections from one client address in 24 hours")
    sign_in_failures: int = _setting(5, "failed sign-ins of one account and address before waiting")
    sign_in_failure_minutes: int = _setting(15, "time over which failed sign-ins count")
    id_numbers_per_day: int = _setting(5, "different id numbers that an expert can enter in 24 hours")
    id_number_looks_per_day: int = _setting(20, "different id numbers of which an officer can look for the holder in 24 hours")
    session_days: int = _setting(14, "longest life of an expert's session")
    staff_second_factor: bool = _setting(
        True, "staff sign in with an authenticator app too, set up at the first sign-in; `run.py` leaves it off in development mode"
    )
    staff_session_idle_minutes: int = _setting(30, "a staff session ends when unused for this time")

    # Files
    image_max_bytes: int = _setting(20 * 2**20, "largest image")
    image_max_pixels: int = _setting(40_000_000, "largest image, width × height")
    scan_min_width: int = _setting(600, "least short side of a scan, pixels")
    scan_min_height: int = _setting(800, "least long side of a scan, pixels")
    portrait_min_width: int = _setting(295, "least short side of a portrait, pixels; 295 × 413 is the one-inch photo (一寸照) at 300 dpi")
    portrait_min_height: int = _setting(413, "least long side of a portrait, pixels")
    blur_warning_document: int = _setting(100, "Laplacian variance below which a scan is called blurred")
    blur_warning_photo: int = _setting(30, "Laplacian variance below which a portrait is called blurred")
    image_processes: int = _setting(2, "images decoded at once by one API process, each in a process of its own")
    image_process_mib: int = _setting(1024, "memory of a process that decodes an image")
    image_process_seconds: int = _setting(15, "longest time for decoding one image")
    files_per_account: int = _setting(200, "stored images of one account")
    uploads_per_account: int = _setting(8, "uploads of one account under way at once; a further one is refused for the moment")
    download_minutes: int = _setting(5, "life of a signed download address")
    export_hours: int = _setting(24, "time for which an export (申请表, lists, own data) can be downloaded")
    exports_per_day: int = _setting(20, "exports of one kind that a person can ask for in 24 hours")
    export_rows: int = _setting(1_000_000, "rows of an exported list; more are refused (a sheet of Excel holds 1 048 576)")
    export_process_mib: int = _setting(1024, "memory of a process that sets a form or writes a list")
    export_process_seconds: int = _setting(600, "longest time for setting a form or writing a list")

    # Limits of documents
    body_max_bytes: int = _setting(256 * 2**10, "largest JSON body")
    document_tokens: int = _setting(2_000, "lexical tokens of one document")
    document_depth: int = _setting(16, "nesting of one operation, fragments followed")
    document_fields: int = _setting(600, "selected fields of one operation, fragments followed")
    document_aliases: int = _setting(30, "aliases of one operation, fragments followed")
    document_directives: int = _setting(30, "directives of one document")
    document_comparisons: int = _setting(2_000, "pairs of fields of one operation that answer under one key, fragments followed")
    document_cost: int = _setting(5_000, "objects that the lists of one operation may hold, sizes of nested pages multiplied")
    trusted_documents: str = _setting("", "JSON file {SHA-256 of a document: document} whose operations clients may name by `documentId`")
    trusted_documents_only: bool = _setting(False, "refuse documents that the file does not hold")
    root_mutations: int = _setting(4, "root fields of one mutation operation")
    count_max: int = _setting(1_000, "totals of connections are counted up to this number")
    page_max: int = _setting(100, "largest page of a connection")
    operation_seconds: int = _setting(10, "longest time of one operation")
    socket_subscriptions: int = _setting(20, "operations open at once on one WebSocket")
    account_subscriptions: int = _setting(60, "subscriptions that one account has open at once in one API process")

    requests_per_second_account: float = _setting(
        20.0, "requests and socket operations of one account a second over a longer time, in one API process; 0: any number"
    )
    requests_per_second_address: float = _setting(100.0, "the same of one client address, for those who are not signed in")
    request_burst_seconds: float = _setting(10.0, "time whose requests may come all at once")
    open_connections_per_address: int = _setting(
        300, "WebSockets and event streams that one client address may hold open in one API process; development mode limits none of these"
    )

    # Traces
    otlp_endpoint: str = _setting("", "OpenTelemetry collector that takes traces by OTLP over HTTP, as http://127.0.0.1:4318; empty: none")
    trace_share: float = _setting(1.0, "share of requests that are traced, 0 to 1")

    # Later work
    sms_gateway: str = _setting(
        "console",
        "gateway that sends messages (docs/sms.md): `console` prints them, `bridge` signs JSON for a bridge of the province's, "
        "`aliyun` is Alibaba Cloud",
    )
    sms_url: str = _setting("", "`https://` address of the gateway; for `aliyun` it is known")
    sms_key_id: str = _setting("", "name under which the gateway knows this installation (`aliyun`: AccessKey ID)")
    sms_key: str = _setting("", "key that signs what goes to the gateway (`aliyun`: AccessKey secret)")
    sms_sign_name: str = _setting("", "approved signature (签名) that heads each message, for `aliyun`")
    sms_templates: tuple[str, ...] = _setting(
        (), "the provider's approved templates, `RETURNED=SMS_1,RETURNED.en=SMS_2,…`; English falls back on Chinese"
    )
    sms_receipt_key: str = _setting(
        "", "at least 32 random characters; key that signs receipts at /sms/receipts (docs/sms.md); empty: none are taken"
    )
    sms_ca: str = _setting("", "PEM of the authorities from which the gateway's certificate must come; empty: the system's")
    sms_seconds: float = _setting(7.0, "longest wait for a connection to the gateway, and for its answer; together below half a lease")
    outbox_lease_seconds: int = _setting(30, "time after which a claimed outbox row is claimed again")
    outbox_attempts: int = _setting(10, "attempts after which an outbox row is dead")
    sweep_seconds: float = _setting(5.0, "pause of the worker between two sweeps of due rows")
    clock_skew_seconds: int = _setting(60, "difference between the worker's and the database's clock beyond which notices are not closed")

    @property
    def origin(self) -> str:
        """Scheme, host and port as a browser writes them in its Origin header."""
        return self.public_origin.rstrip("/") or f"http://{self.host}:{self.port}"

    @property
    def secure_cookies(self) -> bool:
        """Whether browsers reach this installation by HTTPS."""
        return self.origin.startswith("https://")


def variable(name: str) -> str:
    """The environment variable of a setting."""
    return _UNPREFIXED.get(name, PREFIX + name.upper())


def _parse(kind: Any, text: str) -> Any:
    if kind is bool:
        known = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
        return known[text.strip().lower()]
    if kind in (int, float, str, Path):
        return kind(text)
    item = kind.__args__[0]
    return tuple(item(part.strip()) for part in text.split(",") if part.strip())


def _given(environment: Mapping[str, str], name: str) -> str | None:
    """The text of a variable, else of the file that is named for it; raises SettingsError for a file that cannot be read."""
    text, file = environment.get(name), environment.get(name + FILE)
    if text is not None or file is None:
        return text
    try:
        return Path(file).read_text().removesuffix("\n")
    except (OSError, UnicodeDecodeError) as failed:
        raise SettingsError(f"{name}{FILE}={file!r} cannot be read: {type(failed).__name__}") from None


def read(environment: Mapping[str, str]) -> Settings:
    """Settings from an environment; raises SettingsError naming the first variable that cannot be used."""
    hints = get_type_hints(Settings)
    values: dict[str, Any] = {}
    for each in fields(Settings):
        text = _given(environment, variable(each.name))
        if text is None:
            continue
        try:
            values[each.name] = _parse(hints[each.name], text)
        except (KeyError, ValueError):
            raise SettingsError(f"{variable(each.name)}={text!r} cannot be read: {each.metadata['description']}") from None
    result = Settings(**values)
    if result.crypto not in SUITES:
        raise SettingsError(f"{variable('crypto')}={result.crypto!r} is not known; there are: {', '.join(SUITES)}")
    if unknown := [each for each in result.fields_at_once if each not in AT_ONCE]:
        raise SettingsError(
            f"{variable('fields_at_once')} names {', '.join(unknown)}; fields that may take effect at once are: {', '.join(AT_ONCE)}"
        )
    single = [(name, [key]) for name in ("seal_key", "sms_receipt_key") if (key := getattr(result, name))]
    for name, keys in (*single, ("further_seal_keys", result.further_seal_keys)):
        if any(len(each) < _KEY_LENGTH or "," in each for each in keys):
            raise SettingsError(f"{variable(name)} must hold at least {_KEY_LENGTH} random characters a key, no comma among them")
    if result.development:
        return result
    if len(result.secret_key) < _KEY_LENGTH:
        raise SettingsError(
            f"{variable('secret_key')} must hold at least {_KEY_LENGTH} random characters "
            f"(or set {variable('development')}=1 to try the product)"
        )
    return result


_current: Settings | None = None


def settings() -> Settings:
    """The settings of this process, read at the first call."""
    global _current  # noqa: PLW0603  read once, then constant
    if _current is None:
        _current = read(os.environ)
    return _current
