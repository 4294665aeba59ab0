"""Helpers for tests of applications that use the library: logs in memory, fake backends, a search for leaks.

Production code does not import this package, and it needs no other dependencies::

    with captured_logs() as logs, sentry_endpoint() as sentry:
        init_monitoring(MonitoringSettings.load(sentry_dsn=sentry.dsn))
        share(file, with_="alice@example.org")

    assert_nothing_private(logs.text, sentry.text)
    assert_absent(["alice@example.org"], logs.text, sentry.text)

Pytest fixtures are in :mod:`tallow.monitoring.testing.fixtures`.
"""

from __future__ import annotations

from tallow.monitoring.testing.fake_backend import (
    FailureMode,
    FakeBackend,
    ReceivedRequest,
    RejectedRequestError,
)
from tallow.monitoring.testing.leak_search import assert_absent, find_leaks, find_leaks_in_files
from tallow.monitoring.testing.log_endpoint import FakeLogEndpoint, log_endpoint
from tallow.monitoring.testing.logs import CapturedLogs, MemorySink, captured_logs
from tallow.monitoring.testing.plausible import FakePlausible, plausible_endpoint
from tallow.monitoring.testing.privacy import assert_nothing_private
from tallow.monitoring.testing.samples import fresh_metrics, samples
from tallow.monitoring.testing.sentry import FakeSentry, sentry_endpoint

__all__ = [
    "CapturedLogs",
    "FailureMode",
    "FakeBackend",
    "FakeLogEndpoint",
    "FakePlausible",
    "FakeSentry",
    "MemorySink",
    "ReceivedRequest",
    "RejectedRequestError",
    "assert_absent",
    "assert_nothing_private",
    "captured_logs",
    "find_leaks",
    "find_leaks_in_files",
    "fresh_metrics",
    "log_endpoint",
    "plausible_endpoint",
    "samples",
    "sentry_endpoint",
]
