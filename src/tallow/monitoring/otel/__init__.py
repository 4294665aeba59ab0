"""Metrics, logs and spans over OTLP. Needs the extra ``tallow[otel]``.

::

    from tallow.monitoring import otel

    otel.start()  # sends to OTEL_EXPORTER_OTLP_ENDPOINT

The variables of the OpenTelemetry specification apply: ``OTEL_EXPORTER_OTLP_ENDPOINT``, ``…_HEADERS``,
``…_TIMEOUT``, ``…_COMPRESSION``, ``…_CERTIFICATE`` and those of each signal, ``OTEL_SERVICE_NAME``,
``OTEL_RESOURCE_ATTRIBUTES``, ``OTEL_METRIC_EXPORT_INTERVAL``, ``OTEL_TRACES_SAMPLER``,
``OTEL_{METRICS,LOGS,TRACES}_EXPORTER=none``, ``OTEL_SDK_DISABLED``. Everything passes the scrubber. What is
not delivered is counted in ``telemetry_dropped_total`` with the pipeline ``otel``.
"""

from __future__ import annotations

import importlib.util
import logging
import os
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from tallow.monitoring.lifecycle.warn_once import warn_once
from tallow.monitoring.metrics import METRICS, Metrics

if TYPE_CHECKING:
    from tallow.monitoring.otel.export import Export

ENDPOINT: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_REQUIRED: Final = ("opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http")

_active: dict[str, Export] = {}


def start(metrics: Metrics = METRICS) -> tuple[str, ...]:
    """Send metrics, logs and spans over OTLP from now on, in background threads.

    Spans are those of the process's tracer provider: an existing one of the SDK is used, otherwise one is
    set, which gives a new trace the current correlation id. A second call does nothing.

    Args:
        metrics: what is sent; it also counts drops. By default the metrics of the process.

    Returns:
        The signals that are sent, of ``metrics``, ``logs`` and ``traces``. None without an endpoint; the
        reason is logged once if an endpoint is set.

    Raises:
        BadSettingError: a setting of the library has an invalid value.

    Example:
        >>> start()  # OTEL_EXPORTER_OTLP_ENDPOINT is not set
        ()
    """
    if "export" in _active:
        return _active["export"].signals
    signals = _wanted_signals()
    if not signals or not _is_installed():
        return ()
    from tallow.monitoring.otel.export import Export  # loads the SDK

    _active["export"] = Export(signals, metrics)
    return signals


def flush(timeout_s: float = 5.0) -> None:
    """Send the current metrics and everything that is queued, for at most ``timeout_s`` seconds.

    Example:
        >>> flush()
    """
    if "export" in _active:
        _active["export"].flush_all(timeout_s)


def stop(timeout_s: float = 5.0) -> None:
    """Send what is queued for at most ``timeout_s`` seconds, count the rest as dropped, and end the threads.

    Example:
        >>> stop()
    """
    export = _active.pop("export", None)
    if export is not None:
        export.close(timeout_s)


def _wanted_signals() -> tuple[str, ...]:
    if os.environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return ()
    common = os.environ.get("OTEL_EXPORTER_OTLP_ENDPOINT")
    settings = {
        "metrics": (
            os.environ.get("OTEL_METRICS_EXPORTER"),
            os.environ.get("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT"),
        ),
        "logs": (os.environ.get("OTEL_LOGS_EXPORTER"), os.environ.get("OTEL_EXPORTER_OTLP_LOGS_ENDPOINT")),
        "traces": (
            os.environ.get("OTEL_TRACES_EXPORTER"),
            os.environ.get("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"),
        ),
    }
    return tuple(
        signal
        for signal, (exporter, own) in settings.items()
        if (exporter or "").strip().lower() != "none" and _is_usable(signal, own, common)
    )


def _is_usable(signal: str, own: str | None, common: str | None) -> bool:
    """Whether there is an endpoint that is an address; the variable of another text is logged once."""
    endpoint = own or common
    if endpoint and not _is_url(endpoint):
        variable = f"OTEL_EXPORTER_OTLP_{signal.upper()}_ENDPOINT" if own else ENDPOINT
        problem = "nothing is sent over OTLP: not an http:// or https:// address"
        warn_once(problem, variable, level=logging.CRITICAL)
        return False
    return bool(endpoint)


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        return parts.scheme in {"http", "https"} and bool(parts.hostname) and (parts.port or 1) > 0
    except ValueError:
        return False


def _is_installed() -> bool:
    try:
        installed = all(importlib.util.find_spec(name) is not None for name in _REQUIRED)
    except ModuleNotFoundError:
        installed = False
    if not installed:
        problem = "nothing is sent over OTLP: the extra tallow[otel] is not installed"
        warn_once(problem, ENDPOINT, level=logging.CRITICAL)
    return installed
