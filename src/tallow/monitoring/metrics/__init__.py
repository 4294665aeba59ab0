"""Record what happens in an application; the series are exposed at ``/metrics``.

Callers pass raw values (a MIME type, a byte count, a route template); the functions derive bounded labels
from them. A value outside the catalogue is recorded as ``other``, an impossible number (negative, not
finite, not a number) is left out; both are counted in ``label_overflow_total``. No function raises or does
I/O.

The functions are the methods of :data:`METRICS`, the process's own :class:`Metrics`. Its registry is created
with the first call, not at import::

    from tallow.monitoring import metrics

    metrics.record_transfer("success", "p2p", size_bytes=12_000_000, duration_s=3.2, mime_type="image/png")

An application declares its own metrics with :class:`Counter`, :class:`Gauge` and :class:`Histogram`::

    EXPORTS = Counter("exports", "Exports made.", namespace="shop", labels={"format": ("csv", "pdf")})
    EXPORTS.inc(format="csv")
"""

from __future__ import annotations

from typing import Any, Final

from tallow.monitoring.catalog.declaration import Registered
from tallow.monitoring.metrics.declared import Counter, Gauge, Histogram
from tallow.monitoring.metrics.recorders import Metrics, ProcessMetrics
from tallow.monitoring.metrics.registry import Registry

__all__ = [
    "METRICS",
    "REGISTRY",
    "Counter",
    "Gauge",
    "Histogram",
    "Metrics",
    "Registered",
    "Registry",
    "connection_closed",
    "connection_opened",
    "device_connected",
    "device_disconnected",
    "record_api_error",
    "record_bytes_moved",
    "record_cache_access",
    "record_chunk_transfer",
    "record_client_outcome",
    "record_client_report",
    "record_connection_quality",
    "record_db_operation",
    "record_direct_connection",
    "record_dropped",
    "record_encryption",
    "record_error",
    "record_event_loop_lag",
    "record_feature_usage",
    "record_gc",
    "record_http_request",
    "record_key_exchange",
    "record_limit_rejection",
    "record_log",
    "record_metadata_stripped",
    "record_nat_traversal",
    "record_notification",
    "record_pqc_operation",
    "record_pwa_install",
    "record_recovery",
    "record_redaction",
    "record_retry",
    "record_service_worker_event",
    "record_setting_change",
    "record_signaling_message",
    "record_transfer",
    "record_turn_relay_usage",
    "record_webrtc_connection",
    "register_cache",
    "register_feature",
    "register_limit",
    "register_route",
    "register_setting",
    "register_websocket_route",
    "set_queue_depth",
    "set_telemetry_queue_depth",
    "transfer_finished",
    "transfer_started",
    "value",
    "websocket_closed",
    "websocket_moved",
    "websocket_opened",
]

METRICS: Final[Metrics] = ProcessMetrics()
"""The process's own metrics; the functions of this module are its methods.

Example:
    >>> METRICS.value("collector_failures_total") >= 0
    True
"""

REGISTRY: Registry
"""The process's own registry, created with the first use.

Example:
    >>> from tallow.monitoring.metrics import REGISTRY
    >>> REGISTRY is METRICS.registry
    True
"""

record_transfer = METRICS.record_transfer
record_chunk_transfer = METRICS.record_chunk_transfer
transfer_started = METRICS.transfer_started
transfer_finished = METRICS.transfer_finished
set_queue_depth = METRICS.set_queue_depth
record_retry = METRICS.record_retry
record_webrtc_connection = METRICS.record_webrtc_connection
record_nat_traversal = METRICS.record_nat_traversal
record_connection_quality = METRICS.record_connection_quality
record_turn_relay_usage = METRICS.record_turn_relay_usage
connection_opened = METRICS.connection_opened
connection_closed = METRICS.connection_closed
record_signaling_message = METRICS.record_signaling_message
device_connected = METRICS.device_connected
device_disconnected = METRICS.device_disconnected
record_pqc_operation = METRICS.record_pqc_operation
record_key_exchange = METRICS.record_key_exchange
record_encryption = METRICS.record_encryption
record_error = METRICS.record_error
record_recovery = METRICS.record_recovery
record_http_request = METRICS.record_http_request
record_api_error = METRICS.record_api_error
websocket_opened = METRICS.websocket_opened
websocket_closed = METRICS.websocket_closed
websocket_moved = METRICS.websocket_moved
record_db_operation = METRICS.record_db_operation
record_direct_connection = METRICS.record_direct_connection
record_cache_access = METRICS.record_cache_access
record_feature_usage = METRICS.record_feature_usage
record_setting_change = METRICS.record_setting_change
record_metadata_stripped = METRICS.record_metadata_stripped
record_service_worker_event = METRICS.record_service_worker_event
record_pwa_install = METRICS.record_pwa_install
record_notification = METRICS.record_notification
record_redaction = METRICS.record_redaction
record_log = METRICS.record_log
record_dropped = METRICS.record_dropped
set_telemetry_queue_depth = METRICS.set_telemetry_queue_depth
record_client_report = METRICS.record_client_report
record_client_outcome = METRICS.record_client_outcome
record_limit_rejection = METRICS.record_limit_rejection
record_event_loop_lag = METRICS.record_event_loop_lag
record_gc = METRICS.record_gc
record_bytes_moved = METRICS.record_bytes_moved
register_route = METRICS.register_route
register_websocket_route = METRICS.register_websocket_route
register_cache = METRICS.register_cache
register_feature = METRICS.register_feature
register_limit = METRICS.register_limit
register_setting = METRICS.register_setting
value = METRICS.value


_INSTEAD: Final = {
    "Summary": "Histogram, whose buckets of several processes can be added up",
    "Info": "Gauge with value 1 and a label for each fact",
    "Enum": "Gauge with a label for the state, 1 for the current one and 0 for the others",
}
"""What replaces the types of prometheus_client that are left out."""


def __getattr__(name: str) -> Any:
    if name in _INSTEAD:
        raise ImportError(f"tallow.monitoring.metrics has no {name}; use {_INSTEAD[name]}")
    if name == "REGISTRY":
        return METRICS.registry
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
