"""Metrics of errors, HTTP, storage and the runtime."""

from __future__ import annotations

from tallow.monitoring.catalog.declaration import Registered, counter, gauge, histogram
from tallow.monitoring.catalog.label_values import (
    API_ERROR_CODES,
    BYTE_DECADES,
    DIRECTIONS,
    ERROR_TYPES,
    HTTP_METHODS,
    OPEN_CONNECTION_ROUTES,
    ROUTES,
    SEVERITIES,
    STATUS_CLASSES,
    STATUSES,
)
from tallow.monitoring.catalog.model import OTHER

ERRORS = (
    counter(
        "errors_total",
        "Errors, recovered ones included; peers report at most severity high.",
        {"type": ERROR_TYPES, "severity": SEVERITIES},
        source="both",
    ),
    counter(
        "api_errors_total",
        "HTTP responses with a status of 400 or above.",
        {
            "endpoint": Registered(OTHER, on_use=False),
            "status_code": Registered(*API_ERROR_CODES, OTHER, on_use=False),
        },
    ),
    counter(
        "error_recoveries_total",
        "Errors that a retry or a fallback recovered from.",
        {"type": ERROR_TYPES},
        source="both",
    ),
)

HTTP = (
    histogram(
        "http_request_duration_seconds",
        "Time from the request to the last byte of the response.",
        {"method": HTTP_METHODS, "route": ROUTES, "status_code": STATUS_CLASSES},
        buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    ),
    histogram(
        "http_request_size_bytes",
        "Size of request bodies in bytes.",
        {"method": HTTP_METHODS, "route": ROUTES},
        buckets=BYTE_DECADES,
    ),
    histogram(
        "http_response_size_bytes",
        "Size of response bodies in bytes.",
        {"method": HTTP_METHODS, "route": ROUTES},
        buckets=BYTE_DECADES,
    ),
    gauge("websocket_connections", "Open WebSockets and event streams.", {"route": OPEN_CONNECTION_ROUTES}),
    histogram(
        "websocket_duration_seconds",
        "Time a WebSocket or an event stream was open.",
        {"route": OPEN_CONNECTION_ROUTES},
        buckets=(1, 10, 60, 300, 900, 3600, 14400),
    ),
)

STORAGE = (
    histogram(
        "db_operation_duration_seconds",
        "Time one database statement took.",
        {"operation": ("select", "insert", "update", "delete", OTHER), "status": STATUSES},
        buckets=(0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    ),
    counter("cache_hits_total", "Cache look-ups that found a value.", {"cache": Registered(on_use=False)}),
    counter("cache_misses_total", "Cache look-ups that found none.", {"cache": Registered(on_use=False)}),
)

RUNTIME = (
    gauge(
        "bandwidth_utilization_mbps",
        "Throughput of the server itself over the last 10 s, in 10^6 bits per second.",
        {"direction": DIRECTIONS},
    ),
    histogram(
        "event_loop_lag_seconds",
        "Delay of timers in the event loop.",
        buckets=(0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
    ),
    histogram(
        "gc_duration_seconds",
        "Time one garbage collection took.",
        {"generation": ("0", "1", "2")},
        buckets=(0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1),
    ),
    gauge("process_resident_memory_bytes", "Resident memory in bytes."),
    gauge("process_virtual_memory_bytes", "Virtual memory in bytes."),
    counter("process_cpu_seconds_total", "User and system CPU time spent, in seconds."),
    gauge("process_open_fds", "Open file descriptors."),
    gauge("process_max_fds", "Limit of open file descriptors."),
    gauge("process_start_time_seconds", "Start of the process in seconds since the Unix epoch.", merge="min"),
    gauge(
        "process_requested_start_time_seconds",
        "Last requested start in seconds since the Unix epoch, from TALLOW_REQUESTED_START, otherwise 0. "
        "A later start is a restart after a failure.",
        merge="min",
    ),
    gauge("process_heap_bytes", "Bytes allocated on the heap."),
    gauge("workers", "Live server workers behind this exposition."),
)
