"""Pytest fixtures. Import the ones you need into your ``conftest.py``; nothing registers them automatically.

::

    from tallow.monitoring.testing.fixtures import logs, sentry

Only this module of the package needs pytest.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tallow.monitoring import testing
from tallow.monitoring.metrics import Metrics

__all__ = ["collector", "logs", "metrics", "plausible", "sentry"]


@pytest.fixture
def logs() -> Iterator[testing.CapturedLogs]:
    """The records of the process's loggers during the test."""
    with testing.captured_logs() as captured:
        yield captured


@pytest.fixture
def metrics() -> Metrics:
    """Metrics with a new registry."""
    return testing.fresh_metrics()


@pytest.fixture
def collector() -> Iterator[testing.FakeLogEndpoint]:
    """A fake log endpoint on loopback."""
    with testing.log_endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def sentry() -> Iterator[testing.FakeSentry]:
    """A fake Sentry on loopback."""
    with testing.sentry_endpoint() as endpoint:
        yield endpoint


@pytest.fixture
def plausible() -> Iterator[testing.FakePlausible]:
    """A fake Plausible on loopback."""
    with testing.plausible_endpoint() as endpoint:
        yield endpoint
