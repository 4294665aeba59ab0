"""The helpers an application calls to say what happened.

Callers pass raw values (a MIME type, a byte count, a route); the helper derives the bounded label. An unknown
value is recorded as ``other`` and counted in ``label_overflow_total``; an impossible number (negative, not
finite, not a number) is left out and counted there too. No helper raises into its caller or does I/O.

The module's functions belong to the process's registry; a peer or a test may have its own :class:`Metrics`.
"""

from __future__ import annotations

import threading
from bisect import bisect_left, bisect_right
from collections.abc import Iterable
from time import time
from typing import Final

from tallow.monitoring.catalog import OTHER
from tallow.monitoring.correlation import exemplar_id
from tallow.monitoring.metrics import labels
from tallow.monitoring.metrics.default import process_registry
from tallow.monitoring.metrics.family import LARGEST
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.metrics.throughput import ThroughputWindow
from tallow.monitoring.metrics.transfer_series import TransferSeries

DIRECTIONS: Final = ("sent", "received")


class Metrics:
    """The catalogue's helpers over one registry."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        families = registry.families
        self._mine = registry.mine
        self._add = registry.add
        self._set = registry.set
        self._observe = registry.observe
        self._f = families
        self._outcomes = TransferSeries(registry)
        self._sizes = families["file_size_bytes"]
        self._durations = families["transfer_duration_seconds"]
        self._speeds = families["transfer_speed_mbps"]
        chunks = families["chunk_transfer_duration_seconds"]
        # The hottest call looks its cells up in plain dictionaries, which the interpreter specialises.
        self._bytes = dict(families["bytes_transferred_total"])
        self._chunks = dict(chunks)
        self._chunk_edges, self._chunk_sum = chunks.edges, chunks.sum_at
        self._ciphers = families["encryption_operations_total"]
        self._cipher_times = families["encryption_duration_seconds"]
        self._moving = threading.Lock()
        self._moved = {direction: ThroughputWindow() for direction in DIRECTIONS}
        registry.on_collect(self._refresh)

    # Transfers

    def record_transfer(
        self,
        status: str,
        method: str,
        size_bytes: float,
        duration_s: float,
        mime_type: str | None = None,
        files: Iterable[tuple[float, str | None]] | None = None,
    ) -> None:
        """A transfer ended: its outcome, size, duration and, when it succeeded, mean speed.

        Args:
            status: success, failed or cancelled.
            method: p2p (data went directly) or relay.
            size_bytes: payload of the transfer in bytes.
            duration_s: seconds from the first payload byte to the end.
            mime_type: of the file; its top-level type is recorded, nothing else.
            files: size in bytes and MIME type of each file, where there was not just one.
        """
        registry = self.registry
        try:
            try:
                transfer, durations_at, speed_at = self._outcomes[status, method]
            except Exception:  # noqa: BLE001 - values that are not hashable
                transfer, durations_at, speed_at = self._outcomes.series_for(status, method)
            row = self._mine.row
            row[transfer] += 1.0
            size, duration = float(size_bytes + 0.0), float(duration_s + 0.0)
            if not (0.0 <= size <= LARGEST and 0.0 <= duration <= LARGEST):
                registry.overflowed("transfer_duration_seconds")
                return
            request = exemplar_id()
            now = 0.0 if request is None else time()
            sizes, durations = self._sizes, self._durations
            if files is None:
                size_at = sizes[labels.file_type(mime_type)]
                size_bucket = size_at + bisect_left(sizes.edges, size)
                row[size_bucket] += 1.0
                row[size_at + sizes.sum_at] += size
                if request is not None:
                    registry.exemplars[size_bucket] = (request, size, now)
            duration_at = durations_at[bisect_right(labels.SIZE_EDGES, size)]
            duration_bucket = duration_at + bisect_left(durations.edges, duration)
            row[duration_bucket] += 1.0
            row[duration_at + durations.sum_at] += duration
            if request is not None:
                registry.exemplars[duration_bucket] = (request, duration, now)
            if speed_at is not None and duration > 0.0:
                speed = size * 8e-6 / duration
                speed_bucket = speed_at + bisect_left(self._speeds.edges, speed)
                row[speed_bucket] += 1.0
                row[speed_at + self._speeds.sum_at] += speed
                if request is not None:
                    registry.exemplars[speed_bucket] = (request, speed, now)
            for file_bytes, file_mime in files or ():
                self._observe(sizes, labels.file_type(file_mime), file_bytes)
        except Exception:  # noqa: BLE001 - whatever was passed, the caller's own work goes on
            registry.overflowed("transfer_duration_seconds")

    def record_chunk_transfer(
        self, method: str, direction: str, size_bytes: float, duration_s: float
    ) -> None:
        """A chunk crossed: ``size_bytes`` of payload, sent or received, in ``duration_s`` seconds."""
        try:
            size, duration = float(size_bytes + 0.0), float(duration_s + 0.0)
            if 0.0 <= size <= LARGEST and 0.0 <= duration <= LARGEST:
                sent_or_received = self._bytes[direction]
                first = self._chunks[method]
                bucket = first + bisect_left(self._chunk_edges, duration)
                row = self._mine.row
                row[sent_or_received] += size
                row[bucket] += 1.0
                row[first + self._chunk_sum] += duration
                request = exemplar_id()
                if request is not None:
                    self.registry.exemplars[bucket] = (request, duration, time())
                return
        except Exception:  # noqa: BLE001, S110 - a value that is not listed, or an impossible one
            pass
        self._add(self._f["bytes_transferred_total"], direction, size_bytes)
        self._observe(self._f["chunk_transfer_duration_seconds"], method, duration_s)

    def transfer_started(self) -> None:
        """Data of a transfer began to flow."""
        self._add(self._f["transfers_started_total"], ())
        self._add(self._f["active_transfers"], ())

    def transfer_finished(self) -> None:
        """A started transfer is over, however it ended."""
        self._add(self._f["active_transfers"], (), -1)

    def set_queue_depth(self, depth: float) -> None:
        """Transfers with both sides present and no data flowing yet."""
        self._set(self._f["transfer_queue_depth"], (), depth)

    def record_retry(self, operation: str, status: str) -> None:
        """Something (transfer, chunk, connection, signaling) was tried again, with success or failed."""
        self._add(self._f["retry_attempts_total"], (operation, status))

    # Connections

    def record_webrtc_connection(self, path: str, status: str, duration_s: float | None = None) -> None:
        """An attempt to connect by WebRTC ended: path direct or relay (the one its policy allowed, if it
        failed), and the seconds it took to establish, if it did."""
        self._add(self._f["webrtc_connections_total"], (path, status))
        if duration_s is not None:
            self._observe(self._f["connection_establishment_seconds"], path, duration_s)

    def record_nat_traversal(self, strategy: str, status: str) -> None:
        """ICE chose, or failed with, a candidate of a kind: host, stun or turn."""
        self._add(self._f["nat_traversal_total"], (strategy, status))

    def record_connection_quality(self, path: str, score: float) -> None:
        """A connection's quality, 0 (unusable) to 100, on path direct or relay."""
        self._observe(self._f["connection_quality_score"], path, score)

    def record_turn_relay_usage(self, forced: bool) -> None:
        """A connection runs over TURN; ``forced`` when the user asked for it."""
        self._add(self._f["turn_relay_usage_total"], "true" if labels.as_bool(forced) else "false")

    def connection_opened(self, kind: str) -> None:
        """A connection (webrtc, websocket or relay) opened."""
        self._add(self._f["active_connections"], kind)

    def connection_closed(self, kind: str) -> None:
        """A connection that was opened is gone."""
        self._add(self._f["active_connections"], kind, -1)

    def record_signaling_message(self, message_type: str, direction: str) -> None:
        """The server took in, or sent out, a signaling message."""
        self._add(self._f["signaling_messages_total"], (message_type, direction))

    def device_connected(self, device_type: str) -> None:
        """A device (desktop, mobile, cli or other) joined signaling."""
        self._add(self._f["device_connections"], device_type)

    def device_disconnected(self, device_type: str) -> None:
        """A device that had joined is gone."""
        self._add(self._f["device_connections"], device_type, -1)

    # Cryptography

    def record_pqc_operation(self, operation: str, status: str, duration_s: float) -> None:
        """An ML-KEM operation (keygen, encapsulate, decapsulate; FIPS 203) ended."""
        self._add(self._f["pqc_operations_total"], (operation, status))
        self._observe(self._f["pqc_duration_seconds"], operation, duration_s)

    def record_key_exchange(self, status: str, algorithm: str = "x25519_mlkem768") -> None:
        """Key confirmation held (success) or did not (failed)."""
        self._add(self._f["pqc_key_exchanges_total"], (algorithm, status))

    def record_encryption(
        self, operation: str, status: str, duration_s: float, algorithm: str = "aes_256_gcm"
    ) -> None:
        """An authenticated ``encrypt`` or ``decrypt`` ended."""
        self._add(self._ciphers, (algorithm, operation, status))
        self._observe(self._cipher_times, (algorithm, operation), duration_s)

    # Errors

    def record_error(self, error_type: str, severity: str) -> None:
        """An error of a type (network, crypto, ...) and severity (low to critical), recovered or not."""
        self._add(self._f["errors_total"], (error_type, severity))

    def record_recovery(self, error_type: str) -> None:
        """A retry or a fallback made an error of this type good."""
        self._add(self._f["error_recoveries_total"], error_type)

    # HTTP, database, cache

    def record_http_request(
        self,
        method: str,
        route: str,
        status_code: int,
        duration_s: float,
        request_bytes: float,
        response_bytes: float,
    ) -> None:
        """An HTTP request was answered; ``route`` is the template, never the raw path."""
        status, error = labels.status(status_code)
        if status == OTHER:
            self.registry.overflowed("http_request_duration_seconds")
        self._observe(self._f["http_request_duration_seconds"], (method, route, status), duration_s)
        self._observe(self._f["http_request_size_bytes"], (method, route), request_bytes)
        self._observe(self._f["http_response_size_bytes"], (method, route), response_bytes)
        if error is not None:
            self._add(self._f["api_errors_total"], (route, error))

    def record_db_operation(self, operation: str, status: str, duration_s: float) -> None:
        """A database statement (select, insert, update, delete, other) ended."""
        self._observe(self._f["db_operation_duration_seconds"], (operation, status), duration_s)

    def record_cache_access(self, cache: str, hit: bool) -> None:
        """A look-up in a registered cache found a value, or did not."""
        self._add(self._f["cache_hits_total" if labels.as_bool(hit) else "cache_misses_total"], cache)

    # Product

    def record_feature_usage(self, feature: str) -> None:
        """A registered feature was used."""
        self._add(self._f["feature_usage_total"], feature)

    def record_setting_change(self, setting: str) -> None:
        """A registered setting was changed; its value is nobody's business."""
        self._add(self._f["settings_changes_total"], setting)

    def record_metadata_stripped(self, mime_type: str | None, status: str) -> None:
        """Metadata was removed from a file before sending, or could not be."""
        self._add(self._f["metadata_stripped_total"], (labels.file_type(mime_type), status))

    def record_service_worker_event(self, event: str) -> None:
        """The web app's service worker handled an event."""
        self._add(self._f["service_worker_events_total"], event)

    def record_pwa_install(self, platform: str) -> None:
        """The web app was installed on desktop, android, ios or another platform."""
        self._add(self._f["pwa_installs_total"], platform)

    def record_notification(self, notification_type: str, status: str) -> None:
        """A notification was sent, denied or failed."""
        self._add(self._f["notifications_sent_total"], (notification_type, status))

    # Telemetry about telemetry

    def record_redaction(self, kind: str, count: int = 1) -> None:
        """The scrubber replaced ``count`` private values of a kind."""
        self._add(self._f["pii_redactions_total"], kind, count)

    def record_log(self, level: str) -> None:
        """A log record was written."""
        self._add(self._f["log_records_total"], level)

    def record_dropped(self, pipeline: str, reason: str, count: int = 1) -> None:
        """Telemetry of a pipeline (logs, sentry, analytics, client) was given up."""
        self._add(self._f["telemetry_dropped_total"], (pipeline, reason), count)

    def set_telemetry_queue_depth(self, pipeline: str, depth: float) -> None:
        """Items waiting in a pipeline's queue."""
        self._set(self._f["telemetry_queue_depth"], pipeline, depth)

    def record_client_report(self, outcome: str) -> None:
        """A peer's report was accepted, rejected or rate_limited."""
        self._add(self._f["client_reports_total"], outcome)

    # Runtime

    def record_event_loop_lag(self, lag_s: float) -> None:
        """The event loop ran a timer ``lag_s`` seconds late."""
        self._observe(self._f["event_loop_lag_seconds"], (), lag_s)

    def record_gc(self, generation: int, duration_s: float) -> None:
        """The garbage collector ran over a generation (0 to 2)."""
        self._observe(self._f["gc_duration_seconds"], labels.as_digits(generation), duration_s)

    def record_bytes_moved(self, direction: str, size_bytes: int) -> None:
        """This process itself moved bytes (a relay does): sent or received."""
        try:
            if 0 <= size_bytes <= LARGEST:
                with self._moving:
                    self._moved[direction].add(int(size_bytes))
                return
        except Exception:  # noqa: BLE001, S110 - as above
            pass
        self.registry.overflowed("bandwidth_utilization_mbps")

    # Guarded values

    def register_route(self, route: str, methods: tuple[str, ...] = ("GET",)) -> bool:
        """Allow a route template, with series at 0 for the methods it answers. False: no room left."""
        try:
            only = {"method": tuple(methods)}
        except Exception:  # noqa: BLE001 - whatever was passed, as in the helpers
            return False
        known = self.registry.register("route", route, only)
        return self.registry.register("endpoint", route) and known

    def register_cache(self, cache: str) -> bool:
        """Allow a cache's name. False: no room left."""
        return self.registry.register("cache", cache)

    def register_feature(self, feature: str) -> bool:
        """Allow a feature's name. False: no room left."""
        return self.registry.register("feature", feature)

    def register_setting(self, setting: str) -> bool:
        """Allow a setting's name. False: no room left."""
        return self.registry.register("setting", setting)

    def _refresh(self) -> None:
        with self._moving:
            rates = {direction: moved.mbps() for direction, moved in self._moved.items()}
        for direction, rate in rates.items():
            self._set(self._f["bandwidth_utilization_mbps"], direction, rate)
        for metric, count in self.registry.live_series():
            self._set(self._f["metric_series"], metric, count)


REGISTRY: Final = process_registry()
"""The process's own registry."""

METRICS: Final = Metrics(REGISTRY)
"""The process's own helpers; the functions of this module are its methods."""

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
record_db_operation = METRICS.record_db_operation
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
record_event_loop_lag = METRICS.record_event_loop_lag
record_gc = METRICS.record_gc
record_bytes_moved = METRICS.record_bytes_moved
register_route = METRICS.register_route
register_cache = METRICS.register_cache
register_feature = METRICS.register_feature
register_setting = METRICS.register_setting
