"""The message of an alert that ended because its series ended says so.

Prometheus sends the annotations of the last evaluation in which the alert was active.
"""

from __future__ import annotations

import copy
from pathlib import Path

import pytest

from stack.alerts.cases.series_end import END, FAULTS
from stack.alerts.contract import frame
from support.alert_rules.promtool import Case, Document, run
from tallow.stack.alerts import RULES
from tallow.stack.alerts.rule import SERIES_ENDED

pytestmark = pytest.mark.slow

WITHOUT = {"Watchdog", "RuleInputMissing"}
"""Watchdog reads no series, and RuleInputMissing is about their absence."""


def only_that_annotation(alert: str) -> Document:
    """The rule with no other annotation, so that a test need not repeat the texts."""
    rule = copy.deepcopy(RULES[alert].render().document())
    annotations = rule["annotations"]
    assert isinstance(annotations, dict)
    return rule | {"annotations": {SERIES_ENDED: annotations[SERIES_ENDED]}}


@pytest.mark.parametrize("name", FAULTS)
def test_the_annotation_tells_that_the_series_ended(name: str, tmp_path: Path) -> None:
    alert, labels, series = FAULTS[name]
    expected = {"exp_labels": {**labels, **frame(alert)}}
    test = Case(alert, name, series, labels=labels).document(frame(alert))
    test["alert_rule_test"] = [
        {
            "eval_time": f"{round(minute * 60)}s",
            "alertname": alert,
            "exp_alerts": [expected | {"exp_annotations": value}],
        }
        for minute, value in ((END - 0.5, {SERIES_ENDED: ""}), (END + 0.5, {SERIES_ENDED: "yes"}))
    ]
    assert run([test], [only_that_annotation(alert)], tmp_path) == ""


def test_each_rule_with_series_has_the_annotation() -> None:
    assert {name for name, rule in RULES.items() if SERIES_ENDED not in rule.render().annotations} == WITHOUT


def test_a_vanished_target_is_reported_and_has_not_ended(tmp_path: Path) -> None:
    """The alert that a listed target is missing goes on while its series are missing."""
    rule = only_that_annotation("TargetMissing")
    test = Case("TargetMissing", "vanished", {}).document({})
    test["alert_rule_test"] = [
        {
            "eval_time": "12m",
            "alertname": "TargetMissing",
            "exp_alerts": [
                {
                    "exp_labels": {"job": job, **frame("TargetMissing")},
                    "exp_annotations": {SERIES_ENDED: ""},
                }
                for job in ("alertmanager", "node-exporter", "prometheus")
            ],
        }
    ]
    assert run([test], [rule], tmp_path) == ""
