"""Record errors, storage and the runtime of a service."""

from __future__ import annotations

import threading
from typing import Final

from tallow.monitoring.metrics import labels
from tallow.monitoring.metrics.family import LARGEST
from tallow.monitoring.metrics.recorders.base import Recorder
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.metrics.throughput import ThroughputWindow

DIRECTIONS: Final = ("sent", "received")


class ServiceRecorder(Recorder):
    """Records errors, database statements and cache look-ups."""

    def record_error(self, error_type: str, severity: str) -> None:
        """Record an error, recovered or not.

        Args:
            error_type: ``network``, ``crypto``, ``transfer``, ``validation``, ``auth``, ``storage``,
                ``signaling`` or ``internal``.
            severity: ``low``, ``medium``, ``high`` or ``critical``.

        Example:
            >>> metrics.record_error("network", "low")
            >>> metrics.value("errors_total", type="network", severity="low")
            1.0
        """
        self._add(self._families["errors_total"], (error_type, severity))

    def record_recovery(self, error_type: str) -> None:
        """Record that a retry or a fallback recovered from an error.

        Args:
            error_type: as passed to :meth:`record_error`.

        Example:
            >>> metrics.record_recovery("network")
            >>> metrics.value("error_recoveries_total", type="network")
            1.0
        """
        self._add(self._families["error_recoveries_total"], error_type)

    def record_db_operation(self, operation: str, status: str, duration_s: float) -> None:
        """Record a database statement.

        Args:
            operation: ``select``, ``insert``, ``update``, ``delete`` or ``other``.
            status: ``success`` or ``failed``.
            duration_s: seconds it took.

        Example:
            >>> metrics.record_db_operation("select", "success", duration_s=0.003)
            >>> metrics.value("db_operation_duration_seconds_sum", operation="select", status="success")
            0.003
        """
        self._observe(self._families["db_operation_duration_seconds"], (operation, status), duration_s)

    def record_cache_access(self, cache: str, hit: bool) -> None:
        """Record a cache look-up.

        Args:
            cache: the cache's name, registered with :meth:`register_cache`.
            hit: whether the look-up found a value.

        Example:
            >>> metrics.register_cache("thumbnails")
            True
            >>> metrics.record_cache_access("thumbnails", hit=True)
            >>> metrics.value("cache_hits_total", cache="thumbnails")
            1.0
        """
        self._add(self._families["cache_hits_total" if labels.as_bool(hit) else "cache_misses_total"], cache)

    def register_cache(self, cache: str) -> bool:
        """Allow a value of the label ``cache``, with series at 0.

        Args:
            cache: the cache's name.

        Returns:
            False if the limit of registered values is reached or ``cache`` is not a short printable text.

        Example:
            >>> metrics.register_cache("thumbnails")
            True
        """
        return self.registry.register("cache", cache)


class RuntimeRecorder(Recorder):
    """Records the event loop, garbage collection and bytes that this process relays."""

    def __init__(self, registry: Registry) -> None:
        super().__init__(registry)
        self._throughput_lock = threading.Lock()
        self._throughput = {direction: ThroughputWindow() for direction in DIRECTIONS}
        registry.when_added("transfers", lambda: registry.on_collect(self._set_throughput))

    def record_event_loop_lag(self, lag_s: float) -> None:
        """Record how late the event loop ran a timer.

        Args:
            lag_s: seconds after the timer was due.

        Example:
            >>> metrics.record_event_loop_lag(0.002)
            >>> metrics.value("event_loop_lag_seconds_sum")
            0.002
        """
        self._observe(self._families["event_loop_lag_seconds"], (), lag_s)

    def record_gc(self, generation: int, duration_s: float) -> None:
        """Record a garbage collection.

        Args:
            generation: 0, 1 or 2.
            duration_s: seconds it took.

        Example:
            >>> metrics.record_gc(2, duration_s=0.004)
            >>> metrics.value("gc_duration_seconds_sum", generation="2")
            0.004
        """
        self._observe(self._families["gc_duration_seconds"], labels.as_digits(generation), duration_s)

    def record_bytes_moved(self, direction: str, size_bytes: int) -> None:
        """Record bytes that this process itself sent or received, as a relay does.

        Args:
            direction: ``sent`` or ``received``.
            size_bytes: number of bytes.

        Example:
            >>> metrics.record_bytes_moved("sent", 1_250_000)
            >>> metrics.value("bandwidth_utilization_mbps", direction="sent")  # the mean over 10 s
            1.0
        """
        try:
            _ = self._families["bandwidth_utilization_mbps"]  # adds its catalogue
            if 0 <= size_bytes <= LARGEST:
                with self._throughput_lock:
                    self._throughput[direction].add(int(size_bytes))
                return
        except Exception:  # noqa: BLE001, S110 - recording never raises into its caller
            pass
        self.registry.count_overflow("bandwidth_utilization_mbps")

    def _set_throughput(self) -> None:
        with self._throughput_lock:
            rates = {direction: window.mbps() for direction, window in self._throughput.items()}
        for direction, rate in rates.items():
            self._set(self._families["bandwidth_utilization_mbps"], direction, rate)
