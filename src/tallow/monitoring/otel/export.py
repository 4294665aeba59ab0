"""The export of a process: one sender for each signal, and what feeds it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Sequence
from typing import Any, Final

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider

from tallow.monitoring.lifecycle import fork, shutdown
from tallow.monitoring.logging import config as logging_config
from tallow.monitoring.logging.pipeline import PIPELINE
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.otel.log_records import OtlpLogSink, to_record
from tallow.monitoring.otel.metric_data import MetricSource
from tallow.monitoring.otel.resource import make_resource
from tallow.monitoring.otel.sender import SignalSender
from tallow.monitoring.otel.spans import (
    CorrelationIdGenerator,
    OtlpSpanProcessor,
    size_of,
    without_private_data,
)
from tallow.monitoring.settings import current_settings

NAME: Final = "otel"
"""The pipeline in counters and at the end of the process."""
MAX_LINES: Final = 10_000
MAX_SPANS: Final = 2_048
DEFAULT_INTERVAL_S: Final = 60.0
_PROCESSOR: Final = OtlpSpanProcessor()
_providers: Final[set[int]] = set()
"""Providers that have the processor."""


class Export:
    """Sends signals until :meth:`close`.

    Args:
        signals: some of ``metrics``, ``logs`` and ``traces``.
        metrics: what is sent, and what counts drops.

    Attributes:
        signals: what is sent.
    """

    def __init__(self, signals: tuple[str, ...], metrics: Metrics) -> None:
        self.signals = signals
        self._metrics = metrics
        self._settings = current_settings()
        self._resource = make_resource(self._settings)
        self._depths: dict[str, int] = {}
        self._timer: MetricTimer | None = None
        self._spans: SignalSender[ReadableSpan] | None = None
        if "metrics" in signals:
            self._timer = MetricTimer(self._metric_sender(), interval_s())
        if "traces" in signals:
            self._spans = self._span_sender()
            _attach_processor(self._spans, self._resource)
        if "logs" in signals:
            logging_config.add_sink(NAME, lambda: OtlpLogSink(self._log_sender()))
        fork.register(self)
        shutdown.register_pipeline(NAME, self.flush, self._close_senders, self._hurry)

    def after_fork(self) -> None:
        """Be another instance in a forked child."""
        self._resource = make_resource(self._settings)

    def flush(self, timeout_s: float) -> None:
        """Send current metrics and queued spans for at most ``timeout_s`` seconds; lines go with the logs."""
        deadline = time.monotonic() + timeout_s
        if self._timer is not None:
            self._timer.flush(timeout_s)
        if self._spans is not None:
            self._spans.flush(max(0.0, deadline - time.monotonic()))

    def flush_all(self, timeout_s: float) -> None:
        """Send current metrics, queued spans and queued lines for at most ``timeout_s`` seconds."""
        deadline = time.monotonic() + timeout_s
        self.flush(timeout_s)
        PIPELINE.writer.drain(max(0.0, deadline - time.monotonic()))

    def close(self, timeout_s: float) -> None:
        """Send what is queued for at most ``timeout_s`` seconds, and leave nothing behind."""
        deadline = time.monotonic() + timeout_s
        shutdown.unregister_pipeline(NAME)
        fork.unregister(self)
        if "logs" in self.signals:
            logging_config.remove_sink(NAME, deadline)
        self._close_senders(max(0.0, deadline - time.monotonic()))

    def _hurry(self) -> None:
        if self._spans is not None:
            self._spans.hurry()

    def _close_senders(self, timeout_s: float) -> None:
        deadline = time.monotonic() + timeout_s
        _PROCESSOR.sender = None
        if self._spans is not None:
            # Half of the time, so that an endpoint that hangs leaves some for the metrics.
            self._spans.close(timeout_s / 2)
        if self._timer is not None:
            self._timer.close(max(0.0, deadline - time.monotonic()))

    def _metric_sender(self) -> SignalSender[None]:
        source = MetricSource(self._metrics.registry)
        return SignalSender(
            "metrics",
            lambda session: OTLPMetricExporter(session=session),
            lambda _items: source.read(self._resource),
            metrics=self._metrics,
            max_items=1,
        )

    def _span_sender(self) -> SignalSender[ReadableSpan]:
        def convert(spans: Sequence[ReadableSpan]) -> list[ReadableSpan]:
            return [without_private_data(span, self._resource) for span in spans]

        return SignalSender(
            "traces",
            lambda session: OTLPSpanExporter(session=session),
            convert,
            metrics=self._metrics,
            max_items=MAX_SPANS,
            size=size_of,
            on_depth=self._report_depth,
        )

    def _log_sender(self) -> SignalSender[bytes]:
        return SignalSender(
            "logs",
            lambda session: OTLPLogExporter(session=session),
            lambda lines: [to_record(line, self._resource) for line in lines],
            metrics=self._metrics,
            max_items=MAX_LINES,
            size=len,
            on_depth=self._report_depth,
        )

    def _report_depth(self, signal: str, depth: int) -> None:
        self._depths[signal] = depth
        self._metrics.set_telemetry_queue_depth(NAME, sum(self._depths.values()))


class MetricTimer:
    """Sends the metrics at intervals and at the end.

    Args:
        sender: what is queued in it stands for "the metrics as they are now".
        interval_s: seconds between reports.
    """

    def __init__(self, sender: SignalSender[None], interval_s: float) -> None:
        self._sender = sender
        self._interval_s = interval_s
        self.after_fork()
        fork.register(self)

    def after_fork(self) -> None:
        """Start a thread of its own in a forked child."""
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="tallow-otel-timer", daemon=True)
        self._thread.start()

    def _run(self) -> None:
        stopped, sender = self._stopped, self._sender
        while not stopped.wait(self._interval_s):
            if not sender.queued:  # otherwise the endpoint fails, and the next report has all values
                sender.put(None)

    def flush(self, timeout_s: float) -> None:
        """Send the current values."""
        if not self._sender.queued:
            self._sender.put(None)
        self._sender.flush(timeout_s)

    def close(self, timeout_s: float) -> None:
        """Send the last values and end the threads."""
        fork.unregister(self)
        self._stopped.set()
        if not self._sender.queued:
            self._sender.put(None)
        self._sender.close(timeout_s)
        self._thread.join(0.1)


def interval_s() -> float:
    """Return the seconds between reports: OTEL_METRIC_EXPORT_INTERVAL is in milliseconds."""
    try:
        milliseconds = float(os.environ.get("OTEL_METRIC_EXPORT_INTERVAL", ""))
    except ValueError:
        return DEFAULT_INTERVAL_S
    return milliseconds / 1000 if 10 <= milliseconds < 1e9 else DEFAULT_INTERVAL_S


def _attach_processor(sender: SignalSender[ReadableSpan], resource: Any) -> None:
    """Receive the spans of the process's provider; set one where there is none."""
    provider = trace.get_tracer_provider()
    if not isinstance(provider, TracerProvider):
        provider = TracerProvider(
            resource=resource, id_generator=CorrelationIdGenerator(), shutdown_on_exit=False
        )
        trace.set_tracer_provider(provider)
    if id(provider) not in _providers:
        _providers.add(id(provider))
        provider.add_span_processor(_PROCESSOR)
    _PROCESSOR.sender = sender
