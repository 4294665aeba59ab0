"""A fake log endpoint, and shippers that send to it."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tallow.monitoring.metrics import Metrics
from tallow.monitoring.metrics.registry import Registry
from tallow.monitoring.settings import MonitoringSettings
from tallow.monitoring.shipping import Shipper
from tallow.monitoring.testing import FakeLogEndpoint, log_endpoint

Start = Callable[..., Shipper]


@pytest.fixture
def remote() -> Iterator[FakeLogEndpoint]:
    with log_endpoint() as running:
        yield running


@pytest.fixture
def metrics() -> Metrics:
    return Metrics(Registry())


@pytest.fixture
def start(remote: FakeLogEndpoint, metrics: Metrics) -> Iterator[Start]:
    """Return a function that starts a shipper with short waits."""
    started: list[Shipper] = []

    def begin(**given: Any) -> Shipper:
        defaults = {"log_endpoint": remote.url, "log_batch_size": 10, "log_endpoint_timeout": 1}
        settings = MonitoringSettings.load(**(defaults | given))
        started.append(Shipper(settings, metrics, backoff_s=0.02, linger_s=0.02))
        return started[-1]

    yield begin
    for shipper in started:
        shipper.close(time.monotonic())
