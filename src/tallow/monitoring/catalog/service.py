"""Metrics of errors, HTTP, storage and the runtime."""

from __future__ import annotations

from tallow.monitoring.catalog.labels import (
    API_ERROR_CODES,
    BYTE_DECADES,
    DIRECTION,
    ERROR_TYPE,
    HTTP_METHOD,
    OPEN_CONNECTION_ROUTE,
    ROUTE,
    SEVERITY,
    STATUS,
    STATUS_CLASS,
)
from tallow.monitoring.catalog.model import OTHER, Metric, closed, registered

ERRORS = (
    Metric(
        "errors_total",
        "counter",
        "Errors, recovered ones included; peers report at most severity high.",
        (ERROR_TYPE, SEVERITY),
        source="both",
    ),
    Metric(
        "api_errors_total",
        "counter",
        "HTTP responses with a status of 400 or above.",
        (registered("endpoint", OTHER), registered("status_code", *API_ERROR_CODES, OTHER)),
    ),
    Metric(
        "error_recoveries_total",
        "counter",
        "Errors that a retry or a fallback recovered from.",
        (ERROR_TYPE,),
        source="both",
    ),
)

HTTP = (
    Metric(
        "http_request_duration_seconds",
        "histogram",
        "Time from the request to the last byte of the response.",
        (HTTP_METHOD, ROUTE, STATUS_CLASS),
        (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10),
    ),
    Metric(
        "http_request_size_bytes",
        "histogram",
        "Size of request bodies in bytes.",
        (HTTP_METHOD, ROUTE),
        BYTE_DECADES,
    ),
    Metric(
        "http_response_size_bytes",
        "histogram",
        "Size of response bodies in bytes.",
        (HTTP_METHOD, ROUTE),
        BYTE_DECADES,
    ),
    Metric(
        "websocket_connections",
        "gauge",
        "Open WebSockets and event streams.",
        (OPEN_CONNECTION_ROUTE,),
    ),
    Metric(
        "websocket_duration_seconds",
        "histogram",
        "Time a WebSocket or an event stream was open.",
        (OPEN_CONNECTION_ROUTE,),
        (1, 10, 60, 300, 900, 3600, 14400),
    ),
)

STORAGE = (
    Metric(
        "db_operation_duration_seconds",
        "histogram",
        "Time one database statement took.",
        (closed("operation", "select", "insert", "update", "delete", OTHER), STATUS),
        (0.0005, 0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5),
    ),
    Metric("cache_hits_total", "counter", "Cache look-ups that found a value.", (registered("cache"),)),
    Metric("cache_misses_total", "counter", "Cache look-ups that found none.", (registered("cache"),)),
)

RUNTIME = (
    Metric(
        "bandwidth_utilization_mbps",
        "gauge",
        "Throughput of the server itself over the last 10 s, in 10^6 bits per second.",
        (DIRECTION,),
    ),
    Metric(
        "event_loop_lag_seconds",
        "histogram",
        "Delay of timers in the event loop.",
        (),
        (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 5),
    ),
    Metric(
        "gc_duration_seconds",
        "histogram",
        "Time one garbage collection took.",
        (closed("generation", "0", "1", "2"),),
        (0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1),
    ),
    Metric("process_resident_memory_bytes", "gauge", "Resident memory in bytes."),
    Metric("process_virtual_memory_bytes", "gauge", "Virtual memory in bytes."),
    Metric("process_cpu_seconds_total", "counter", "User and system CPU time spent, in seconds."),
    Metric("process_open_fds", "gauge", "Open file descriptors."),
    Metric("process_max_fds", "gauge", "Limit of open file descriptors."),
    Metric(
        "process_start_time_seconds",
        "gauge",
        "Start of the process in seconds since the Unix epoch.",
        merge="min",
    ),
    Metric(
        "process_requested_start_time_seconds",
        "gauge",
        "Last requested start in seconds since the Unix epoch, from TALLOW_REQUESTED_START, otherwise 0. "
        "A later start is a restart after a failure.",
        merge="min",
    ),
    Metric("process_heap_bytes", "gauge", "Bytes allocated on the heap."),
    Metric("workers", "gauge", "Live server workers behind this exposition."),
)
