"""Quotas of telemetry reports."""

from __future__ import annotations

import pytest

from tallow.app.server.limits.report_quota import PRE_JOIN_S, QUOTAS, QuotaUsage
from tallow.app.server.limits.report_validation import BadReportError, validate_report
from tallow.monitoring.catalog import METRICS
from tallow.monitoring.metrics.sample import Sample


def errors(count: float) -> Sample:
    return Sample(METRICS["errors_total"], ("network", "low"), (count,))


def connections(status: str) -> Sample:
    return Sample(METRICS["webrtc_connections_total"], ("direct", status), (1.0,))


def test_a_sample_that_does_not_fit_is_not_charged() -> None:
    usage = QuotaUsage()
    quota = QUOTAS["errors_total"].once
    assert usage.admit(errors(quota - 1), 0)
    assert not usage.admit(errors(2), 0)
    assert usage.admit(errors(1), 0)
    assert not usage.admit(errors(1), 0)


def test_failures_have_a_quota_of_their_own() -> None:
    usage = QuotaUsage()
    assert usage.admit(connections("failed"), 0)
    assert not usage.admit(connections("failed"), 0)
    assert usage.admit(connections("success"), 0)
    assert not usage.admit(connections("success"), 0)


def test_a_quota_per_second_grows_with_the_time_in_the_room() -> None:
    quota = QUOTAS["bytes_transferred_total"]
    assert quota.allowance(10) == quota.per_second * (10 + PRE_JOIN_S)


def test_validation_returns_samples_in_the_catalogue_s_label_order() -> None:
    row = {"labels": {"severity": "low", "type": "network"}, "value": 2}
    report = validate_report({"version": 1, "metrics": {"errors_total": [row]}}, "receiver", 0)
    assert report.samples == (errors(2.0),)
    assert report.outcome is None


def test_an_error_does_not_repeat_the_report() -> None:
    row = {"labels": {"severity": "low", "type": "alice@example.org"}, "value": 1}
    with pytest.raises(BadReportError, match=r"^errors_total: type must be one of its listed values$"):
        validate_report({"version": 1, "metrics": {"errors_total": [row]}}, "receiver", 0)
