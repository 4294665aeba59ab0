"""Metrics of transfers, connections and cryptography."""

from __future__ import annotations

from tallow.monitoring.catalog.labels import (
    CIPHER,
    CIPHER_OPERATION,
    DIRECTION,
    FILE_TYPE,
    KIB,
    METHOD,
    OUTCOME,
    PATH,
    PQC_OPERATION,
    SIZE_CATEGORY,
    STATUS,
)
from tallow.monitoring.catalog.model import OTHER, Metric, closed

TRANSFERS = (
    Metric("transfers_total", "counter", "Finished transfers.", (OUTCOME, METHOD), source="both"),
    Metric(
        "bytes_transferred_total",
        "counter",
        "Payload bytes of completed chunks.",
        (DIRECTION,),
        source="peer",
    ),
    Metric(
        "file_size_bytes",
        "histogram",
        "Size of transferred files in bytes.",
        (FILE_TYPE,),
        tuple(KIB * 4**power for power in range(13)),
        source="peer",
    ),
    Metric(
        "transfer_duration_seconds",
        "histogram",
        "Time from the first payload byte to the end of a transfer.",
        (OUTCOME, SIZE_CATEGORY),
        (0.1, 0.5, 1, 2, 5, 10, 30, 60, 120, 300, 600, 1800, 3600, 7200),
        source="peer",
    ),
    Metric(
        "transfer_speed_mbps",
        "histogram",
        "Mean speed of a successful transfer in 10^6 bits per second.",
        (METHOD,),
        (0.5, 1, 2, 5, 10, 25, 50, 100, 250, 500, 1000),
        source="peer",
    ),
    Metric(
        "chunk_transfer_duration_seconds",
        "histogram",
        "Time one chunk took.",
        (METHOD,),
        (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
        source="peer",
    ),
    Metric("transfer_queue_depth", "gauge", "Transfers with both peers present and no data yet."),
    Metric(
        "retry_attempts_total",
        "counter",
        "Second and later attempts, by operation and result.",
        (closed("operation", "transfer", "chunk", "connection", "signaling"), STATUS),
        source="both",
    ),
    Metric("transfers_started_total", "counter", "Transfers whose data began to flow."),
    Metric("active_transfers", "gauge", "Transfers started and not finished."),
)

CONNECTIONS = (
    Metric(
        "webrtc_connections_total",
        "counter",
        "Attempts to connect peers by WebRTC; a failed one has the path that its policy allowed.",
        (PATH, STATUS),
        source="peer",
    ),
    Metric(
        "active_connections",
        "gauge",
        "Open data channels, signaling sockets and relay pairs.",
        (closed("type", "webrtc", "websocket", "relay"),),
    ),
    Metric(
        "connection_establishment_seconds",
        "histogram",
        "Time from the first ICE candidate to an open data channel.",
        (PATH,),
        (0.05, 0.1, 0.25, 0.5, 1, 2, 5, 10, 20, 30, 60),
        source="peer",
    ),
    Metric(
        "nat_traversal_total",
        "counter",
        "Results of ICE, by the kind of candidate that was selected or failed.",
        (closed("strategy", "host", "stun", "turn"), STATUS),
        source="peer",
    ),
    Metric(
        "connection_quality_score",
        "histogram",
        "Quality of a connection from 0 (unusable) to 100, from round-trip time and loss.",
        (PATH,),
        tuple(float(edge) for edge in range(0, 101, 10)),
        source="peer",
    ),
    Metric(
        "signaling_messages_total",
        "counter",
        "Signaling messages of the server.",
        (
            closed("type", "join", "leave", "offer", "answer", "candidate", "error", OTHER),
            closed("direction", "in", "out"),
        ),
    ),
    Metric(
        "device_connections",
        "gauge",
        "Devices connected to signaling.",
        (closed("device_type", "desktop", "mobile", "cli", OTHER),),
    ),
)

CRYPTO = (
    Metric(
        "pqc_operations_total", "counter", "ML-KEM-768 operations.", (PQC_OPERATION, STATUS), source="peer"
    ),
    Metric(
        "pqc_duration_seconds",
        "histogram",
        "Time one ML-KEM-768 operation took.",
        (PQC_OPERATION,),
        (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1, 5, 10),
        source="peer",
    ),
    Metric(
        "pqc_key_exchanges_total",
        "counter",
        "Key exchanges by result of the key confirmation, because ML-KEM rejects silently.",
        (closed("algorithm", "x25519_mlkem768", OTHER), STATUS),
        source="peer",
    ),
    Metric(
        "encryption_operations_total",
        "counter",
        "Authenticated encryptions and decryptions.",
        (CIPHER, CIPHER_OPERATION, STATUS),
        source="peer",
    ),
    Metric(
        "encryption_duration_seconds",
        "histogram",
        "Time one authenticated encryption or decryption took.",
        (CIPHER, CIPHER_OPERATION),
        (0.00001, 0.00005, 0.0001, 0.0005, 0.001, 0.005, 0.01, 0.05, 0.1, 1),
        source="peer",
    ),
)
