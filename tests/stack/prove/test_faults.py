"""Every kind of fault is found in a small rule, and nothing is found in the corrected rule."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import pytest
import yaml

from tallow.stack.prove.alertmanager.config import parse_config
from tallow.stack.prove.checks.catalog import FILE, SEVERITY_OF
from tallow.stack.prove.duration import parse_duration
from tallow.stack.prove.metrics.exposition import parse_exposition
from tallow.stack.prove.report import Report, check_rules
from tallow.stack.prove.rule_file import parse_rules

CASES: Final[list[dict[str, Any]]] = yaml.safe_load((Path(__file__).parent / "faults.yml").read_text("utf-8"))
DEFAULTS: Final = {
    "alert": "Example",
    "expr": "other_length > 1",
    "for": "5m",
    "labels": {"severity": "warning"},
    "annotations": {"summary": "Example"},
}
SURROUNDINGS: Final = {"alertmanager", "group_interval"}
"""Fields of a fault and its twin that are not of the rule."""
OTHERS: Final = {"Other"}
"""The names of rules beside the one that a case is about."""
each_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case["kind"])


def filled(rule: dict[str, Any]) -> dict[str, Any]:
    """A rule with the fields that it leaves out; a recording rule has none of them."""
    return rule if "record" in rule else DEFAULTS | rule


def check(case: dict[str, Any], which: str) -> Report:
    rule = {key: value for key, value in case[which].items() if key not in SURROUNDINGS}
    rules = [filled(each) for each in [*case.get("beside", ()), rule]]
    config = case[which].get("alertmanager", case.get("alertmanager"))
    document = {
        "groups": [{"name": "example", "interval": case[which].get("group_interval"), "rules": rules}]
    }
    metrics, interval = case.get("metrics"), case.get("interval")
    return check_rules(
        parse_rules(json.dumps(document), "rules.yml"),
        parse_exposition(metrics, "metrics") if metrics else None,
        parse_duration(interval) if interval else None,
        parse_config(json.dumps(config), "alertmanager.yml") if config else None,
    )


@each_case
def test_the_fault_is_found(case: dict[str, Any]) -> None:
    assert case["check"] in {
        finding.check for finding in check(case, "fault").findings if finding.rule not in OTHERS
    }


@each_case
def test_nothing_is_found_in_the_corrected_rule(case: dict[str, Any]) -> None:
    found = check(case, "twin").findings
    assert [str(finding) for finding in found if finding.rule not in OTHERS] == []


def test_there_are_enough_kinds_of_faults_and_each_check_has_one() -> None:
    assert len({case["kind"] for case in CASES}) == len(CASES) >= 120
    assert {case["check"] for case in CASES} == set(SEVERITY_OF) - {FILE}


@pytest.mark.parametrize(
    "expr",
    [
        "(" * 30_000 + "up" + ")" * 30_000,
        " + ".join(["up"] * 2000),
        "-" * 2000 + "up",
        "up or " * 20_000 + "up",
    ],
)
def test_what_is_nested_too_deep_is_not_understood(expr: str) -> None:
    report = check({"fault": {"expr": expr}}, "fault")
    assert [finding.check for finding in report.findings] == ["rule/syntax"]
    assert len(report.findings[0].message) < 200


@pytest.mark.parametrize(
    ("expr", "message"),
    [
        ("up ==", "not PromQL"),
        ("WITH (a = up) a == 0", "'WITH' is MetricsQL of VictoriaMetrics, which Prometheus does not accept"),
        ("up default 0 > 1", "'default' is MetricsQL of VictoriaMetrics, which Prometheus does not accept"),
        ("up{job='a' or job='b'} == 0", "matchers with 'or' are MetricsQL of VictoriaMetrics"),
        ("range_median(x[5m]) > 1", "unknown function with name 'range_median'"),
    ],
)
def test_extensions_of_other_systems_are_named(expr: str, message: str) -> None:
    [finding] = check({"fault": {"expr": expr}}, "fault").findings
    assert finding.check == "rule/syntax"
    assert finding.message.startswith(message)


@pytest.mark.parametrize("expr", ["(" * 140 + "up" + ")" * 140 + " == 0", " + ".join(["up"] * 140) + " > 1"])
def test_what_is_nested_deep_is_checked(expr: str) -> None:
    assert check({"fault": {"expr": expr}}, "fault").unparsed == 0


@pytest.mark.parametrize(
    "expr",
    [
        '100 * sum(rate(r_total{c="5"}[5m])) / sum(rate(r_total[5m])) > 5 and sum(rate(r_total[5m])) > 1',
        "sum(rate(s_total[15m])) / sum(rate(s_total[1d])) > 2 and sum(rate(s_total[1d])) > 1",
        "3 <= certificate_days_left < 20",
        "broken_index_size{index=~'.*_old'}",
        "hdfs_bytes_used / hdfs_bytes_total > 0.9",
        "cluster_nodes_offline_total > 0",
        "app_uptime_seconds_total < 60",
        "rate(errors_total[5m]) > 0.1 and requests_total > 0",
        "sum by (pod) (starts) * on (pod) group_left (a) topk by (pod) (1, max by (pod, a) (pods)) > 5",
        "max by (pod) (evictions) * on (pod) group_left (node) max by (pod, node) (pods) > 5",
        "count(up == 0) > 1",
        "absent(up{job='db'})",
        "ALERTS{alertstate='firing'}",
        "vector(1)",
        "up == 0 unless on (job) (sum by (job) (up) == 0)",
        "holt_winters(temperature[1h], 0.1, 0.1) > 5",
        "(histogram_quantile(0.9, sum by (le) (rate(latency_seconds_bucket[5m]))) > 10) > 0",
        "repo_pending_requests_total > 5",
        "jvm_memory_max_bytes != -1 and jvm_memory_used_bytes > 1e9",
        "tablespace_used_bytes / tablespace_max_bytes > 0.9",
        "requests_aws_5xx_sum / requests_aws_count_sum > 0.1",
        "absent(up{job='a'}) == 1",
        "(queue_length - queue_length offset 1h) > 5",
        "sum(rate(a_total[5m])) - sum(rate(a_total[5m] offset 1d)) > 5",
        "avg_over_time(up[5m]) < 0.9",
        "http_server_requests{status=~'5xx|4..'} > 100",
        "device_state{device=~'sd[a-z]*'} == 0",
        "1 - disk_free_bytes / disk_size_bytes > 0.9",
        "100 - (disk_free_bytes / disk_size_bytes * 100) > 90",
        "time() - file_timestamp_seconds > 86400",
        "backup_last_success_timestamp_seconds == 0",
        "increase(restarts_total[1h]) != 0",
        "max by (job) (up) == 0",
        "day_of_week() == 6 and on () hour() > 22 and on () vector(1)",
        "label_replace(up, 'host', '$1', 'instance', '([^:]+):.*') == 0",
        "queue_length > scalar(avg(queue_limit))",
    ],
)
def test_what_is_no_fault(expr: str) -> None:
    report = check({"fault": {"expr": expr}}, "fault")
    assert [str(finding) for finding in report.findings] == []
