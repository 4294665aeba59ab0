"""Sentry reports, log lines and analytics events through a proxy."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import orjson
import pytest
import sentry_sdk

from support.http_proxy import HOST, proxying
from tallow.monitoring import sentry as ours
from tallow.monitoring.analytics import Analytics, delivery
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.settings import MonitoringSettings
from tallow.monitoring.shipping import Shipper
from tallow.monitoring.testing import log_endpoint, plausible_endpoint, sentry_endpoint

LINE = orjson.dumps(
    {
        "timestamp": "2026-01-02T03:04:05.678Z",
        "level": "info",
        "service": "s",
        "environment": "e",
        "message": "m",
    },
    option=orjson.OPT_APPEND_NEWLINE,
)


def report(url: str, **options: Any) -> None:
    """Send an event to the Sentry at ``url`` and stop the SDK."""
    parts = urlsplit(url)
    settings = MonitoringSettings.load(sentry_dsn=f"{parts.scheme}://key@{parts.netloc}/1")
    assert ours.init_monitoring(settings, metrics=Metrics(Registry()), send_client_reports=False, **options)
    try:
        sentry_sdk.capture_message("hello")
        ours.flush(10)
    finally:
        ours.close()


def ship(url: str) -> None:
    """Send a log line to the endpoint at ``url``."""
    settings = MonitoringSettings.load(log_endpoint=url, log_endpoint_kind="http", log_endpoint_timeout=5)
    shipper = Shipper(settings, Metrics(Registry()), linger_s=0.01)
    shipper.write([LINE])
    shipper.drain(time.monotonic() + 10)
    shipper.close(time.monotonic() + 10)


def track(url: str) -> None:
    """Send an event to the Plausible at ``url``."""
    settings = MonitoringSettings.load(plausible_host=url, plausible_domain="example.org")
    analytics = Analytics(settings, Metrics(Registry()))
    analytics.goal("signed_up")
    assert analytics.flush(10)
    analytics.close(0)


WAYS: dict[str, Callable[..., None]] = {"sentry": report, "logs": ship, "analytics": track}
FAR = f"http://{HOST}"


@pytest.fixture(params=WAYS)
def send(request: pytest.FixtureRequest) -> Callable[..., None]:
    return WAYS[request.param]


@pytest.mark.parametrize("login", [None, "me:hunter2"])
def test_a_proxy_is_used(
    send: Callable[..., None], login: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    with (
        sentry_endpoint() as sentry,
        plausible_endpoint() as plausible,
        log_endpoint() as logs,
    ):
        backend = {report: sentry, ship: logs, track: plausible}[send]
        with proxying(int(urlsplit(backend.url).port or 0), login=login) as proxy:
            monkeypatch.setenv("HTTP_PROXY", f"http://{login + '@' if login else ''}127.0.0.1:{proxy.port}")
            send(FAR)
            assert len(backend.requests) == 1
            assert [line.startswith(f"POST {FAR}") for line in proxy.requests] == [True]


@pytest.mark.parametrize("value", ["socks://127.0.0.1:1/", "http://[::1", "127.0.0.1:1"])
def test_loopback_is_always_reached_directly(
    send: Callable[..., None], value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "ALL_PROXY", "https_proxy"):
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("no_proxy", "fe80::/10,[::1")
    with (
        sentry_endpoint() as sentry,
        plausible_endpoint() as plausible,
        log_endpoint() as logs,
    ):
        backend = {report: sentry, ship: logs, track: plausible}[send]
        send(backend.url)
        assert len(backend.requests) == 1


def test_a_failing_proxy_is_named_once_without_password(
    send: Callable[..., None], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(delivery, "BACKOFF_S", 0.001)
    with proxying(1, login="me:right") as proxy:
        monkeypatch.setenv("http_proxy", f"http://me:hunter2@127.0.0.1:{proxy.port}")
        send(FAR)
        send(FAR)
        assert proxy.requests
        named = [record for record in caplog.records if proxy.address in record.getMessage()]
    assert len(named) == 1
    assert "hunter2" not in caplog.text


def test_options_of_the_caller_for_sentry_s_client_take_precedence(monkeypatch: pytest.MonkeyPatch) -> None:
    with sentry_endpoint() as sentry, proxying(int(urlsplit(sentry.url).port or 0)) as proxy:
        monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
        report(FAR, http_proxy=proxy.address)
        assert len(sentry.requests) == 1
        assert len(proxy.requests) == 1
