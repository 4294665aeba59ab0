"""A server that restarts every few minutes and fails everything is reported all the time."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from stack.alerts.cases.connections import attempts
from stack.alerts.cases.performance import durations
from stack.alerts.cases.security import exchanges
from stack.alerts.cases.transfers import QUEUE, transfers
from stack.alerts.contract import frame
from stack.alerts.fleet import REQUESTED, START, ProcessRun, in_sequence, on
from support.alert_rules.promtool import Document, bare, gauge, located, merged, run
from tallow.stack.alerts import RULES

pytestmark = pytest.mark.slow

PLACE = "a:3000"
LENGTH = 150
DOWN = 0.25
FAILURES = (
    "HighErrorRate",
    "HighTransferFailureRate",
    "NoSuccessfulTransfers",
    "HighConnectionFailureRate",
    "HighPQCFailureRate",
)


def failing(process: ProcessRun) -> dict[str, str]:
    """The series of a process that fails six transfers a minute."""
    of_ = process.counters
    return merged(
        transfers(success=of_(0), failed=of_(6)),
        durations(10, of_(6), status="failed", size="1mb_10mb"),
        attempts(success=of_(0), failed=of_(6)),
        exchanges(success=of_(0), failed=of_(6)),
        {
            'tallow_errors_total{type="internal",severity="high"}': of_(12),
            QUEUE: process.gauges(1),
            START: process.gauges(process.started, process.started),
            REQUESTED: process.gauges(-7200, -7200),
        },
    )


def looping(every: float) -> Mapping[str, str]:
    """A server whose process lives for ``every`` minutes and then starts again."""
    processes, at = [], 0.0
    while at < LENGTH:
        processes += [
            ProcessRun(((every - DOWN, 1),), started=at * 60),
            ProcessRun(((DOWN, None),), started=at * 60),
        ]
        at += every
    count = len(processes) // 2
    up = " ".join(gauge((every - DOWN, 1), (DOWN, 0)) for _ in range(count))
    return on(PLACE, {**in_sequence(*(failing(process) for process in processes)), "up": up})


def checks(alert: str, first: float) -> list[Document]:
    labels = {"job": "tallow", "instance": PLACE, **frame(alert)}
    return [
        {
            "eval_time": f"{round(minute * 60)}s",
            "alertname": alert,
            "exp_alerts": [{"exp_labels": labels}],
        }
        for minute in (first + step / 2 for step in range(int(2 * (LENGTH - 2 - first))))
    ]


@pytest.mark.parametrize("every", [3, 6, 9, 9.75])
def test_it_fires_steadily(every: float, tmp_path: Path) -> None:
    """From the fourth restart on RestartLoop and the failures fire all the time, without a gap."""
    first = max(4 * every + 1, 25)
    names = ("RestartLoop", *FAILURES)
    test: Document = {
        "name": f"a restart every {every:g} minutes",
        "interval": "15s",
        "input_series": [
            {"series": located(name), "values": values} for name, values in looping(every).items()
        ],
        "alert_rule_test": [check for name in names for check in checks(name, first)],
    }
    assert run([test], [bare(RULES[name].render()) for name in names], tmp_path) == ""


@pytest.mark.parametrize("every", [12, 20, 28])
def test_failures_of_a_slower_loop_are_reported_as_well(every: float, tmp_path: Path) -> None:
    """It is too slow for RestartLoop; the start-up grace does not hide what it fails."""
    first = 2 * every + 16
    test: Document = {
        "name": f"a restart every {every:g} minutes",
        "interval": "15s",
        "input_series": [
            {"series": located(name), "values": values} for name, values in looping(every).items()
        ],
        "alert_rule_test": [check for name in FAILURES for check in checks(name, first)],
    }
    assert run([test], [bare(RULES[name].render()) for name in FAILURES], tmp_path) == ""
