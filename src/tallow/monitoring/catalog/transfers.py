"""Metrics of transfers, connections and cryptography."""

from __future__ import annotations

from tallow.monitoring.catalog.declaration import counter, gauge, histogram
from tallow.monitoring.catalog.label_values import (
    CIPHER_OPERATIONS,
    CIPHERS,
    DIRECTIONS,
    FILE_TYPES,
    KIB,
    OUTCOMES,
    PATHS,
    PQC_OPERATIONS,
    SIZE_CATEGORIES,
    STATUSES,
    TRANSFER_METHODS,
)
from tallow.monitoring.catalog.model import OTHER

TRANSFERS = (
    counter(
        "transfers_total",
        "Finished transfers.",
        {"status": OUTCOMES, "method": TRANSFER_METHODS},
        source="both",
    ),
    counter(
        "bytes_transferred_total",
        "Payload bytes of completed chunks.",
        {"direction": DIRECTIONS},
        source="peer",
    ),
    histogram(
        "file_size_bytes",
        "Size of transferred files in bytes.",
        {"file_type": FILE_TYPES},
        buckets=tuple(KIB * 4**power for power in range(13)),
        source="peer",
    ),
    histogram(
        "transfer_duration_seconds",
        "Time from the first payload byte to the end of a transfer.",
        {"status": OUTCOMES, "size_category": SIZE_CATEGORIES},
        buckets=(0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200),
        source="peer",
    ),
    histogram(
        "transfer_speed_mbps",
        "Mean speed of a successful transfer in 10^6 bits per second.",
        {"method": TRANSFER_METHODS},
        buckets=(0.5, 1, 2, 5, 10, 25, 50, 100, 250, 500, 1000),
        source="peer",
    ),
    histogram(
        "chunk_transfer_duration_seconds",
        "Time one chunk took.",
        {"method": TRANSFER_METHODS},
        buckets=(0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
        source="peer",
    ),
    gauge("transfer_queue_depth", "Transfers with both peers present and no data yet."),
    counter(
        "retry_attempts_total",
        "Second and later attempts, by operation and result.",
        {"operation": ("transfer", "chunk", "connection", "signaling"), "status": STATUSES},
        source="both",
    ),
    counter("transfers_started_total", "Transfers whose data began to flow."),
    gauge("active_transfers", "Transfers started and not finished."),
)

CONNECTIONS = (
    counter(
        "webrtc_connections_total",
        "Attempts to connect peers by WebRTC; a failed one has the path that its policy allowed.",
        {"type": PATHS, "status": STATUSES},
        source="peer",
    ),
    gauge(
        "active_connections",
        "Open data channels, signaling sockets and relay pairs.",
        {"type": ("webrtc", "websocket", "relay")},
    ),
    histogram(
        "connection_establishment_seconds",
        "Time from the first ICE candidate to an open data channel.",
        {"type": PATHS},
        buckets=(0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60),
        source="peer",
    ),
    counter(
        "direct_connections_total",
        "Transfers that allowed a direct connection, by the transport used, or the last that failed.",
        {"transport": ("tcp", "webrtc"), "status": STATUSES},
        source="peer",
    ),
    counter(
        "nat_traversal_total",
        "Results of ICE, by the kind of candidate that was selected or failed, and of mapping a port.",
        {"strategy": ("host", "stun", "turn", "port_mapping"), "status": STATUSES},
        source="peer",
    ),
    histogram(
        "connection_quality_score",
        "Quality of a connection from 0 (unusable) to 100, from round-trip time and loss.",
        {"type": PATHS},
        buckets=tuple(float(edge) for edge in range(0, 101, 10)),
        source="peer",
    ),
    counter(
        "signaling_messages_total",
        "Signaling messages of the server.",
        {
            "type": ("join", "leave", "offer", "answer", "candidate", "error", OTHER),
            "direction": ("in", "out"),
        },
    ),
    gauge(
        "device_connections",
        "Devices connected to signaling.",
        {"device_type": ("desktop", "mobile", "cli", OTHER)},
    ),
)

CRYPTO = (
    counter(
        "pqc_operations_total",
        "ML-KEM-768 operations.",
        {"operation": PQC_OPERATIONS, "status": STATUSES},
        source="peer",
    ),
    histogram(
        "pqc_duration_seconds",
        "Time one ML-KEM-768 operation took.",
        {"operation": PQC_OPERATIONS},
        buckets=(0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10),
        source="peer",
    ),
    counter(
        "pqc_key_exchanges_total",
        "Key exchanges by result of the key confirmation, because ML-KEM rejects silently.",
        {"algorithm": ("x25519_mlkem768", OTHER), "status": STATUSES},
        source="peer",
    ),
    counter(
        "encryption_operations_total",
        "Authenticated encryptions and decryptions.",
        {"algorithm": CIPHERS, "operation": CIPHER_OPERATIONS, "status": STATUSES},
        source="peer",
    ),
    histogram(
        "encryption_duration_seconds",
        "Time one authenticated encryption or decryption took.",
        {"algorithm": CIPHERS, "operation": CIPHER_OPERATIONS},
        buckets=(0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 1),
        source="peer",
    ),
)
