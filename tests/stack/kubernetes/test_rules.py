"""The rules of the cluster are the shipped ones, without those that kube-prometheus-stack ships itself."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
import yaml

from support.kubernetes.manifests import OVERLAYS, Object, objects, of_kind
from support.programs.debian import program
from tallow.stack.alerts import RULES, Links
from tallow.stack.deployment import KUBERNETES
from tallow.stack.kubernetes.rules import (
    NOT_WITHOUT_NODE_EXPORTER,
    NOTICE,
    SHIPPED_BY_KUBE_PROMETHEUS_STACK,
    for_kube_prometheus_stack,
)

CHANGED = {"TargetMissing", "RuleInputMissing", "FileDescriptorsLow"}
"""The rules whose expression differs from the native stack's."""
LEFT_OUT = {
    "kube-prometheus-stack": set(SHIPPED_BY_KUBE_PROMETHEUS_STACK),
    "remote-write": set(NOT_WITHOUT_NODE_EXPORTER),
}


def rules(overlay: str) -> dict[str, Object]:
    spec = of_kind("PrometheusRule", objects(overlay))["tallow"]["spec"]
    return {rule["alert"]: rule for group in spec["groups"] for rule in group["rules"]}


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_every_other_rule_is_there(overlay: str) -> None:
    assert rules(overlay).keys() == RULES.keys() - LEFT_OUT[overlay]


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_a_rule_equals_the_native_one_except_for_labels_and_links(overlay: str) -> None:
    links = Links.of(KUBERNETES)
    for name, rule in rules(overlay).items():
        native = RULES[name].render(links).document()
        labels = rule.pop("labels")
        native_labels = native.pop("labels")
        assert isinstance(native_labels, dict)
        severity = NOTICE if native_labels["severity"] == "info" else native_labels["severity"]
        assert labels == {**native_labels, "severity": severity, "namespace": "tallow"}
        if name not in CHANGED:
            assert rule == native, name
        rule["labels"] = labels


def test_no_rule_of_a_shared_prometheus_reads_other_jobs() -> None:
    for name, rule in rules("kube-prometheus-stack").items():
        selectors = re.findall(r"[a-zA-Z_:]+\{[^}]*\}", rule["expr"])
        others = {one for one in selectors if 'job="tallow"' not in one and 'alertname="' not in one}
        assert others <= {'kube_deployment_spec_replicas{deployment="tallow"}'}, name
        bare = re.findall(r"\b(?:process|prometheus|alertmanager|node)_\w+", rule["expr"])
        assert not bare, f"{name} reads {bare}"


def test_no_alert_has_the_severity_that_info_inhibitor_inhibits() -> None:
    for rule in rules("kube-prometheus-stack").values():
        assert rule["labels"]["severity"] in ("critical", "warning", NOTICE)


def test_rules_that_are_left_out_exist_and_name_those_in_their_place() -> None:
    assert SHIPPED_BY_KUBE_PROMETHEUS_STACK.keys() <= RULES.keys()
    assert all(instead for instead in SHIPPED_BY_KUBE_PROMETHEUS_STACK.values())
    kept = {rule.name for group in for_kube_prometheus_stack().values() for rule in group}
    assert {"Watchdog", "ServiceDown"} <= kept


@pytest.mark.parametrize("overlay", OVERLAYS)
def test_promtool_accepts_the_rules(overlay: str, tmp_path: Path) -> None:
    spec = of_kind("PrometheusRule", objects(overlay))["tallow"]["spec"]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(spec))
    done = subprocess.run(
        [program("promtool"), "check", "rules", tmp_path / "rules.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert f"{len(rules(overlay))} rules found" in done.stdout


def test_pods_below_the_wanted_number_are_reported(tmp_path: Path) -> None:
    """Two replicas are wanted and one is scraped; another job of the cluster fails, which is not Tallow's."""
    spec = of_kind("PrometheusRule", objects("kube-prometheus-stack"))["tallow"]["spec"]
    (tmp_path / "rules.yml").write_text(yaml.safe_dump(spec))
    test = {
        "rule_files": ["rules.yml"],
        "evaluation_interval": "15s",
        "tests": [
            {
                "interval": "15s",
                "input_series": [
                    {"series": 'kube_deployment_spec_replicas{deployment="tallow"}', "values": "2x120"},
                    {"series": 'up{job="tallow",instance="10.0.0.1:3000"}', "values": "1x120"},
                    {"series": 'up{job="other",instance="10.0.0.2:80"}', "values": "0x120"},
                ],
                "alert_rule_test": [
                    {"eval_time": "5m", "alertname": "TargetMissing", "exp_alerts": []},
                    {
                        "eval_time": "20m",
                        "alertname": "TargetMissing",
                        "exp_alerts": [
                            {
                                "exp_labels": {
                                    "job": "tallow",
                                    "namespace": "tallow",
                                    "severity": "warning",
                                    "category": "monitoring",
                                    "service": "tallow",
                                },
                                "exp_annotations": expected_annotations(),
                            }
                        ],
                    },
                ],
            }
        ],
    }
    (tmp_path / "test.yml").write_text(yaml.safe_dump(test))
    done = subprocess.run(
        [program("promtool"), "test", "rules", tmp_path / "test.yml"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def expected_annotations() -> dict[str, str]:
    return {
        "summary": "tallow is not monitored",
        "description": "Prometheus has 1 targets of job tallow, fewer than the replicas that are wanted.  "
        "The alert lasts until the target is back or is taken off the list (`tallow reload`).",
        "runbook_url": "https://heartbeat.tallow.example.org/runbooks/TargetMissing",
        "dashboard_url": "https://grafana.example.org/d/tallow-overview",
        "series_ended": "",
    }
