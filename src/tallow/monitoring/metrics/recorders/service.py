"""Record errors, HTTP requests, storage and the runtime of a service."""

from __future__ import annotations

import threading
from typing import Final

from tallow.monitoring.catalog import OTHER
from tallow.monitoring.metrics import labels
from tallow.monitoring.metrics.family import LARGEST
from tallow.monitoring.metrics.recorders.base import Recorder
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.metrics.throughput import ThroughputWindow

DIRECTIONS: Final = ("sent", "received")


class ServiceRecorder(Recorder):
    """Records errors, HTTP requests, database statements and cache look-ups."""

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

    def record_http_request(
        self,
        method: str,
        route: str,
        status_code: int,
        duration_s: float,
        request_bytes: float,
        response_bytes: float,
    ) -> None:
        """Record an HTTP request and its response.

        Args:
            method: the HTTP method.
            route: the route template, not the raw path; registered with :meth:`register_route`.
            status_code: of the response.
            duration_s: seconds from the request to the last byte of the response.
            request_bytes: size of the request's body in bytes.
            response_bytes: size of the response's body in bytes.

        Example:
            >>> metrics.register_route("/orders/{id}")
            True
            >>> metrics.record_http_request("GET", "/orders/{id}", 404, 0.02, 0, 18)
            >>> metrics.value("api_errors_total", endpoint="/orders/{id}", status_code="404")
            1.0
        """
        status, error = labels.status(status_code)
        if status == OTHER:
            self.registry.count_overflow("http_request_duration_seconds")
        self._observe(self._families["http_request_duration_seconds"], (method, route, status), duration_s)
        self._observe(self._families["http_request_size_bytes"], (method, route), request_bytes)
        self._observe(self._families["http_response_size_bytes"], (method, route), response_bytes)
        if error is not None:
            self._add(self._families["api_errors_total"], (route, error))

    def record_api_error(self, route: str, status_code: int) -> None:
        """Record a failed response that is not in the histograms of requests, such as a broken event stream.

        Args:
            route: the route template, as passed to :meth:`register_route`.
            status_code: 400 or above.

        Example:
            >>> metrics.register_route("/events")
            True
            >>> metrics.record_api_error("/events", 500)
            >>> metrics.value("api_errors_total", endpoint="/events", status_code="500")
            1.0
        """
        _, error = labels.status(status_code)
        if error is None:  # no status of an error
            self.registry.count_overflow("api_errors_total")
        else:
            self._add(self._families["api_errors_total"], (route, error))

    def websocket_opened(self, route: str) -> None:
        """Record that a WebSocket was accepted or an event stream began.

        Args:
            route: the route template, registered with :meth:`register_websocket_route`.

        Example:
            >>> metrics.register_websocket_route("/chat/{room}")
            True
            >>> metrics.websocket_opened("/chat/{room}")
            >>> metrics.value("websocket_connections", route="/chat/{room}")
            1.0
        """
        self._add(self._families["websocket_connections"], route)

    def websocket_closed(self, route: str, duration_s: float) -> None:
        """Record that a WebSocket or an event stream ended.

        Args:
            route: as passed to :meth:`websocket_opened`.
            duration_s: seconds it was open.

        Example:
            >>> metrics.register_websocket_route("/chat/{room}")
            True
            >>> metrics.websocket_opened("/chat/{room}")
            >>> metrics.websocket_closed("/chat/{room}", duration_s=90)
            >>> metrics.value("websocket_connections", route="/chat/{room}")
            0.0
        """
        self._add(self._families["websocket_connections"], route, -1)
        self._observe(self._families["websocket_duration_seconds"], route, duration_s)

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

    def register_route(
        self,
        route: str,
        methods: tuple[str, ...] = ("GET",),
        error_codes: tuple[str, ...] | None = None,
    ) -> bool:
        """Allow a value of the labels ``route`` and ``endpoint``, with series at 0.

        Args:
            route: a route template.
            methods: the HTTP methods the route accepts. Of others, series appear with their first sample.
            error_codes: the status codes whose series of ``api_errors_total`` exist at 0; by default
                :data:`tallow.monitoring.catalog.API_ERROR_CODES` and ``other``.

        Returns:
            False if the limit of registered values is reached or ``route`` is not a short printable text.

        Example:
            >>> metrics.register_route("/orders/{id}", ("GET", "DELETE"))
            True
        """
        try:
            only = {"method": tuple(methods)}
            codes = None if error_codes is None else {"status_code": tuple(error_codes)}
        except Exception:  # noqa: BLE001 - recording never raises into its caller
            return False
        known = self.registry.register("route", route, only)
        return self.registry.register("endpoint", route, codes) and known

    def register_websocket_route(self, route: str) -> bool:
        """Allow a value of the label ``route`` in the metrics of WebSockets, with series at 0.

        A handshake that is refused is recorded as an HTTP request, so the route is registered there, too.

        Args:
            route: a route template.

        Returns:
            False if the limit of registered values is reached or ``route`` is not a short printable text.

        Example:
            >>> metrics.register_websocket_route("/chat/{room}")
            True
        """
        if not self.register_route(route):
            return False
        for name in ("websocket_connections", "websocket_duration_seconds"):
            self._families[name].series_for(route)
        return True

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
