"""Record HTTP requests, WebSockets and event streams."""

from __future__ import annotations

from bisect import bisect_left
from time import time

from tallow.monitoring.correlation import exemplar_id
from tallow.monitoring.metrics import labels
from tallow.monitoring.metrics.family import LARGEST
from tallow.monitoring.metrics.recorders.base import Recorder
from tallow.monitoring.metrics.recorders.request_series import RequestSeries
from tallow.monitoring.metrics.registry import Registry


class HttpRecorder(Recorder):
    """Records the metrics of HTTP requests, WebSockets and event streams."""

    def __init__(self, registry: Registry) -> None:
        super().__init__(registry)
        self._slot = registry.slot
        self._requests = RequestSeries(registry)

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
        try:
            duration = float(duration_s + 0.0)
            received, sent = float(request_bytes + 0.0), float(response_bytes + 0.0)
            if 0.0 <= duration <= LARGEST and 0.0 <= received <= LARGEST and 0.0 <= sent <= LARGEST:
                key = (method, route, status_code)
                series = self._requests
                # 200.0 equals 200 and is no status.
                cells = series[key] if isinstance(status_code, int) else series.series_for(*key)
                # Written out instead of calling observe(): this takes half as long.
                (
                    duration_edges,
                    durations_at,
                    duration_sum,
                    received_edges,
                    received_at,
                    received_sum,
                    sent_edges,
                    sent_at,
                    sent_sum,
                    errors_at,
                ) = cells
                durations_at += bisect_left(duration_edges, duration)
                received_at += bisect_left(received_edges, received)
                sent_at += bisect_left(sent_edges, sent)
                request = exemplar_id()
                row = self._slot.row
                row[durations_at] += 1.0
                row[duration_sum] += duration
                row[received_at] += 1.0
                row[received_sum] += received
                row[sent_at] += 1.0
                row[sent_sum] += sent
                if errors_at is not None:
                    row[errors_at] += 1.0
                if request is not None:
                    exemplars, now = self.registry.exemplars, time()
                    exemplars[durations_at] = (request, duration, now)
                    exemplars[received_at] = (request, received, now)
                    exemplars[sent_at] = (request, sent, now)
                return
        except Exception:  # noqa: BLE001, S110 - an impossible number
            pass
        status, error = labels.status(status_code)
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

    def websocket_moved(self, route: str) -> None:
        """Record that a WebSocket goes on in another process, which calls :meth:`websocket_opened`.

        Args:
            route: as passed to :meth:`websocket_opened` in this process.

        Example:
            >>> metrics.register_websocket_route("/chat/{room}")
            True
            >>> metrics.websocket_opened("/chat/{room}")
            >>> metrics.websocket_moved("/chat/{room}")
            >>> metrics.value("websocket_connections", route="/chat/{room}")
            0.0
        """
        self._add(self._families["websocket_connections"], route, -1)

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
