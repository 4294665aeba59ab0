"""The same as pytest fixtures. Import those you want into your ``conftest.py``; nothing else registers them.

::

    from tallow.monitoring.testing.fixtures import logs, sentry

This module needs pytest; the package around it does not.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tallow.monitoring import testing
from tallow.monitoring.metrics import Metrics

__all__ = ["collector", "logs", "metrics", "plausible", "sentry"]


@pytest.fixture
def logs() -> Iterator[testing.CapturedLogs]:
    """What the process's loggers write during the test."""
    with testing.captured_logs() as captured:
        yield captured


@pytest.fixture
def metrics() -> Metrics:
    """Metrics of the test's own."""
    return testing.fresh_metrics()


@pytest.fixture
def collector() -> Iterator[testing.FakeLogEndpoint]:
    """A log endpoint on loopback."""
    with testing.log_endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def sentry() -> Iterator[testing.FakeSentry]:
    """A Sentry on loopback."""
    with testing.sentry_endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def plausible() -> Iterator[testing.FakePlausible]:
    """A Plausible on loopback."""
    with testing.plausible_endpoint() as endpoint:
        yield endpoint
