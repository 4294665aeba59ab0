"""An error is counted and logged by one function, and by no other."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tallow.monitoring import correlation
from tallow.monitoring.errors import LEVELS, report_error
from tallow.monitoring.logging import api_logger
from tallow.monitoring.metrics import Metrics
from tallow.monitoring.testing import captured_logs
from tallow.monitoring.testing.logs import CapturedLogs
from tallow.monitoring.testing.samples import fresh_metrics

SOURCE = Path(__file__).parents[2] / "src" / "tallow"
COUNTING = SOURCE / "monitoring" / "errors.py"


@pytest.fixture
def logs() -> Iterator[CapturedLogs]:
    with captured_logs() as captured:
        yield captured


@pytest.fixture
def metrics() -> Metrics:
    return fresh_metrics()


@pytest.mark.parametrize(("severity", "level"), LEVELS.items())
def test_the_severity_decides_the_level(
    severity: str, level: str, logs: CapturedLogs, metrics: Metrics
) -> None:
    report_error("storage", severity, "Orders cannot be stored", metrics=metrics)
    assert (logs.last["level"], logs.last["severity"]) == (level, severity)
    assert metrics.value("errors_total", type="storage", severity=severity) == 1


def test_the_record_has_type_correlation_id_and_exception(logs: CapturedLogs, metrics: Metrics) -> None:
    request_id = correlation.new_id()
    with correlation.bind(request_id):
        report_error(
            "network",
            "high",
            "Payment failed",
            error=TimeoutError("of alice@example.org"),
            log=api_logger,
            metrics=metrics,
        )
    record = logs.last
    assert (record["logger"], record["error_type"], record["correlation_id"]) == (
        "api",
        "network",
        request_id,
    )
    assert record["error"]["type"] == "TimeoutError"
    assert record["error"]["message"] == "of [email]"


def test_repeated_errors_are_counted_exactly_and_logged_once(logs: CapturedLogs, metrics: Metrics) -> None:
    for _ in range(500):
        report_error("storage", "critical", "Orders cannot be stored", error=OSError("full"), metrics=metrics)
    assert metrics.value("errors_total", type="storage", severity="critical") == 500
    assert len(logs.records) == 1


def test_errors_of_different_classes_are_logged_each(logs: CapturedLogs, metrics: Metrics) -> None:
    for error in (OSError("full"), TimeoutError("late"), OSError("full")):
        report_error("storage", "high", "Orders cannot be stored", error=error, metrics=metrics)
    assert [record["error"]["type"] for record in logs.records] == ["OSError", "TimeoutError"]


def test_nothing_else_counts_an_error() -> None:
    callers = {
        path.relative_to(SOURCE).as_posix()
        for path in SOURCE.rglob("*.py")
        if path != COUNTING and _calls_record_error(path)
    }
    assert callers == set()


def _calls_record_error(path: Path) -> bool:
    return any(
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr == "record_error"
        for node in ast.walk(ast.parse(path.read_text()))
    )
