"""One id through request, promise, worker and provider; and traces of them (OpenTelemetry), where the settings name a collector.

The id stands in every line of the log as `correlation_id`, in the header X-Request-Id, and is the id of the trace. Without a collector
nothing of OpenTelemetry is loaded.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from secrets import token_hex
from typing import TYPE_CHECKING, Any

from settings import Settings, SettingsError, variable

if TYPE_CHECKING:
    from asyncpg.connection import LoggedQuery
    from opentelemetry.trace import Tracer

_LONGEST_STATEMENT = 2_000
_NANOSECONDS = 1_000_000_000

_identity: ContextVar[str | None] = ContextVar("correlation_id", default=None)
_tracer: Tracer | None = None
_nothing: AbstractContextManager[None] = nullcontext()


def new_id() -> str:
    """32 hexadecimal digits, as the id of a trace has."""
    return token_hex(16)


def correlation_id() -> str | None:
    """The id of what is being done; None in commands, which say what they do on the terminal."""
    return _identity.get()


def begin(identity: str) -> None:
    """What this task does from now on goes under this id."""
    _identity.set(identity)


@contextmanager
def under(identity: str) -> Iterator[None]:
    """What is done inside goes under this id."""
    token = _identity.set(identity)
    try:
        yield
    finally:
        _identity.reset(token)


def span(name: str, **facts: str | int) -> AbstractContextManager[Any]:
    """What is done inside is one step of the trace. The facts are told to the collector: nothing personal, and few different names."""
    if _tracer is None:
        return _nothing
    # Messages of exceptions may quote what people entered.
    return _tracer.start_as_current_span(name, attributes=facts, record_exception=False, set_status_on_exception=False)


def tell(**facts: str | int | None) -> None:
    """Further facts of the step under way."""
    if _tracer is not None:
        from opentelemetry.trace import get_current_span  # noqa: PLC0415  loaded by `set_up`

        get_current_span().set_attributes({name: value for name, value in facts.items() if value is not None})


def set_up(settings: Settings, process: str) -> None:
    """Send traces of this process to the collector of the settings, if they name one. What it does not take is dropped.

    Raises SettingsError where the packages are missing; `run.py` installs them when the setting is there.
    """
    global _tracer  # noqa: PLW0603  one a process
    if not settings.otlp_endpoint:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter  # noqa: PLC0415  costs every process 15 MiB
        from opentelemetry.sdk.resources import Resource  # noqa: PLC0415
        from opentelemetry.sdk.trace import SpanLimits, TracerProvider  # noqa: PLC0415
        from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: PLC0415
        from opentelemetry.sdk.trace.id_generator import RandomIdGenerator  # noqa: PLC0415
        from opentelemetry.sdk.trace.sampling import TraceIdRatioBased  # noqa: PLC0415
    except ImportError as missing:
        raise SettingsError(f"{variable('otlp_endpoint')} needs the packages of requirements-tracing.lock ({missing.name})") from None

    class CorrelationIds(RandomIdGenerator):
        def generate_trace_id(self) -> int:
            known = correlation_id()
            return int(known, 16) if known else super().generate_trace_id()

    provider = TracerProvider(
        sampler=TraceIdRatioBased(settings.trace_share),  # by the id: every process decides alike
        resource=Resource({"service.namespace": "expert-registry", "service.name": process}),
        id_generator=CorrelationIds(),
        span_limits=SpanLimits(max_events=0),
    )
    exporter = OTLPSpanExporter(f"{settings.otlp_endpoint.rstrip('/')}/v1/traces", timeout=5)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=1_000))
    _tracer = provider.get_tracer("expert-registry")


def is_on() -> bool:
    """Whether this process sends traces."""
    return _tracer is not None


def told_statement(query: LoggedQuery) -> None:
    """A span for a statement that the driver has executed inside another one; its text alone is told, never its values."""
    from opentelemetry.trace import SpanKind, Status, StatusCode, get_current_span  # noqa: PLC0415  loaded by `set_up`

    if _tracer is None or not get_current_span().get_span_context().is_valid:
        return
    ended = time.time_ns()
    found = _tracer.start_span(
        query.query.split(None, 1)[0].upper(),
        kind=SpanKind.CLIENT,
        start_time=ended - int(query.elapsed * _NANOSECONDS),
        attributes={"db.system.name": "postgresql", "db.query.text": query.query[:_LONGEST_STATEMENT]},
    )
    if query.exception is not None:
        found.set_status(Status(StatusCode.ERROR, type(query.exception).__name__))
    found.end(ended)
