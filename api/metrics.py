"""What the listening process counts, for Prometheus."""

from __future__ import annotations

from functools import cache

from prometheus_client import CONTENT_TYPE_LATEST, Counter, Gauge, Histogram, generate_latest
from starlette.responses import Response

OPERATION_SECONDS = Histogram(
    "registry_operation_seconds",
    "Time of GraphQL operations by their kind and first root field.",
    ("kind", "field", "outcome"),
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
)
REFUSED_DOCUMENTS = Counter("registry_refused_documents", "Documents refused before execution, by code.", ("code",))
RECEIPTS = Counter("registry_sms_receipts", "Receipts of SMS by what came of them: TAKEN, REPEATED, UNKNOWN or REFUSED.", ("outcome",))
OPEN_CONNECTIONS = Gauge("registry_open_connections", "WebSockets and event streams that are open.")


@cache
def seconds_of(kind: str, field: str, outcome: str) -> Histogram:
    """The histogram of one kind of operation; names of the schema are few."""
    return OPERATION_SECONDS.labels(kind, field, outcome)


def exposition() -> Response:
    """All metrics of this process in Prometheus' text format."""
    return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)
