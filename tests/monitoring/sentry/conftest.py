"""A fake Sentry, and the library reporting to it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from support.privacy.canary import scrub_canary
from tallow.monitoring import sentry as ours
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.sentry import event_scrubbing
from tallow.monitoring.settings import MonitoringSettings
from tallow.monitoring.testing import FakeSentry, sentry_endpoint


@pytest.fixture(autouse=True)
def _scrubber(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(event_scrubbing, "scrub", scrub_canary)


@pytest.fixture
def server() -> Iterator[FakeSentry]:
    with sentry_endpoint() as running:
        yield running


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(Registry())


@pytest.fixture
def start(server: FakeSentry, metrics: Metrics) -> Iterator[Callable[..., None]]:
    """Return a function that starts reporting to the fake Sentry, with settings and options of the SDK."""

    def begin(options: dict[str, Any] | None = None, **given: Any) -> None:
        defaults = {"sentry_dsn": server.dsn, "sentry_traces_sample_rate": 1, "release": "tallow@1.2.3"}
        settings = MonitoringSettings.load(**(defaults | given))
        assert ours.init_monitoring(settings, metrics=metrics, **(options or {}))

    yield begin
    ours.close()
