"""Each linter rule about alerts rejects an example; the shipped alerts pass."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tallow.stack.alerts import RULES, Rule
from tallow.stack.alerts.rule import AnnotationQuery
from tallow.stack.lint import Evidence, check_alert

SLOW = RULES["SlowPQCOperations"]
RELAYED = RULES["HighRelayUsage"]
FAILING = RULES["HighTransferFailureRate"]

# linter rule, alert, change, message
BROKEN: list[tuple[str, Rule, dict[str, Any], str]] = [
    (
        "alert/severity",
        FAILING,
        {"severity": "page"},
        "no route matches severity 'page': critical, warning, info",
    ),
    ("alert/severity", FAILING, {"severity": "page"}, "PagerDuty answers 400 to severity 'page'"),
    (
        "alert/severity",
        FAILING,
        {"severity": "error"},
        "no route matches severity 'error': critical, warning, info",
    ),
    (
        "alert/category",
        FAILING,
        {"category": "storage"},
        "no route matches category 'storage': availability, performance, transfers, connections, security,",
    ),
    (
        "alert/labels",
        RULES["TransferQueueBacklog"],
        {"expr": 'sum by (job) (tallow_transfer_queue_depth{job="tallow"}) > $limit', "startup_grace": 600},
        "its series carry the labels job; inhibition and routing need job, instance",
    ),
    (
        "alert/job",
        RULES["TransferQueueBacklog"],
        {"expr": "sum by (job, instance) (tallow_transfer_queue_depth) > $limit"},
        'tallow_transfer_queue_depth is read without job="tallow": another job may expose the metric',
    ),
    (
        "alert/minimum",
        SLOW,
        {
            "expr": SLOW.expr.partition(" and\n")[0].partition("\nand")[0],
            "min_counts": {},
            "description": "$value",
        },
        "a ratio or quantile without a minimum count: a single event would fire it",
    ),
    (
        "alert/minimum",
        RELAYED,
        {"expr": RELAYED.expr.partition("\nand")[0], "min_counts": {}, "description": "{{ $value }}"},
        "a ratio or quantile without a minimum count: a single event would fire it",
    ),
    (
        "alert/duration",
        FAILING,
        {"expr": FAILING.expr.replace("$window", "5m")},
        "a range or offset is written as a number: a drill cannot scale it",
    ),
    (
        "alert/duration",
        RULES["NoSuccessfulTransfers"],
        {"expr": RULES["NoSuccessfulTransfers"].expr.replace("$offset", "9m")},
        "a range or offset is written as a number: a drill cannot scale it",
    ),
    ("alert/warm-up", FAILING, {"startup_grace": 0}, "can fire 300 s after a clean start"),
    ("alert/words", FAILING, {"summary": ""}, "no summary"),
    (
        "alert/words",
        FAILING,
        {"summary": "fails for $windw"},
        "the summary says '$windw', which is not a name of the rule",
    ),
    (
        "alert/words",
        FAILING,
        {"summary": "fails", "description": "often, from $minimum on"},
        "neither summary nor description contains the measured value",
    ),
    (
        "alert/words",
        FAILING,
        {"description": "{{ $value }}"},
        "the description does not contain the minimum count $minimum",
    ),
    ("alert/absent", FAILING, {"on_absent": ""}, "on_absent does not say what a missing metric means"),
    (
        "promql/impossible",
        SLOW,
        {"thresholds": {"limit": 10}},
        "'> 10' is never true: the value is in 0 to 10, its last finite bucket edge",
    ),
    (
        "promql/impossible",
        RELAYED,
        {"thresholds": {"limit": 1}},
        "'> 1' is never true: the value is in 0 to 1",
    ),
    (
        "promql/window",
        RELAYED,
        {"windows": {"window": 45}},
        "rate() over 45 s is shorter than 4 scrapes (60 s): gaps and no data",
    ),
    (
        "promql/window",
        RULES["RestartLoop"],
        {"windows": {"window": 30}},
        "changes() over 30 s is shorter than 4 scrapes (60 s): gaps and no data",
    ),
    (
        "catalog/metric",
        RULES["TransferQueueBacklog"],
        {"expr": 'sum by (job, instance) (tallow_queue_depth{job="tallow"}) > $limit'},
        "'tallow_queue_depth' is not in the catalogue",
    ),
    (
        "catalog/metric",
        RULES["HighErrorRate"],
        {
            "annotation_queries": {
                "rate": AnnotationQuery("sum(rate(tallow_error_total{instance=$instance}[$window]))")
            }
        },
        "'tallow_error_total' is not in the catalogue",
    ),
    ("promql/syntax", FAILING, {"expr": "sum("}, "unclosed left parenthesis"),
]


@pytest.mark.parametrize(
    ("rule", "alert", "change", "expected"), BROKEN, ids=[f"{row[0]}: {row[3]}"[:70] for row in BROKEN]
)
def test_a_broken_alert_is_refused(rule: str, alert: Rule, change: dict[str, Any], expected: str) -> None:
    found = check_alert(replace(alert, **change))
    assert any(problem.rule == rule and expected in problem.message for problem in found), found


@pytest.mark.parametrize(
    ("rule", "evidence", "expected"),
    [
        ("alert/runbook", {"runbooks": {"ServiceDown"}}, "no page docs/runbooks/HighTransferFailureRate.md"),
        ("alert/test", {"tests": {"ServiceDown"}}, "no promtool test shows that it can fire"),
        ("alert/drill", {"drills": {"ServiceDown"}}, "no drill shows that a real fault fires it"),
    ],
)
def test_alert_without_runbook_test_or_drill_is_refused(
    rule: str, evidence: dict[str, Any], expected: str
) -> None:
    (problem,) = check_alert(FAILING, Evidence(**evidence), where="rules.yml: HighTransferFailureRate")
    assert str(problem) == f"rules.yml: HighTransferFailureRate: {rule}: {expected}"
    assert check_alert(RULES["ServiceDown"], Evidence(**evidence)) == []


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_shipped_alert_passes(rule: Rule) -> None:
    assert check_alert(rule) == []
