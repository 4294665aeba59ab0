"""Each linter rule about expressions rejects a bad example and accepts a similar good one."""

from __future__ import annotations

import pytest

from tallow.stack.lint import Problem, check_expression

SUCCESSES = 'increase(tallow_transfers_total{status="success"}[5m])'
PQC_BUCKETS = "rate(tallow_pqc_duration_seconds_bucket[5m])"

# rule, an expression that breaks it, one that does not
EXAMPLES = [
    ("promql/syntax", "sum(", "sum(tallow_workers)"),
    ("promql/syntax", 'up{job=~"("}', 'up{job=~"(a)"}'),
    ("catalog/metric", "tallow_worker", "tallow_workers"),
    ("catalog/metric", "rate(tallow_pqc_duration_seconds[5m])", PQC_BUCKETS),
    ("catalog/metric", '{__name__="tallow_workers"}', "tallow_workers"),
    ("catalog/metric", "http_requests_total", "prometheus_http_requests_total"),
    ("catalog/label", 'tallow_workers{status="failed"}', 'tallow_workers{job="tallow"}'),
    ("catalog/label", 'rate(tallow_transfers_total{le="1.0"}[5m])', f"{PQC_BUCKETS}"),
    ("catalog/value", SUCCESSES.replace("success", "succeeded"), SUCCESSES),
    ("catalog/value", SUCCESSES.replace('="success"', '!="done"'), SUCCESSES.replace('="', '!="')),
    ("catalog/value", SUCCESSES.replace('="success"', '=~"success|fail"'), SUCCESSES.replace('="', '=~"')),
    ("catalog/value", SUCCESSES.replace('="success"', '=~"done.*"'), SUCCESSES.replace('="', '=~"')),
    (
        "catalog/value",
        'rate(tallow_pqc_duration_seconds_bucket{le="5"}[5m])',
        'rate(tallow_pqc_duration_seconds_bucket{le="5.0"}[5m])',
    ),
    (
        "catalog/value",
        'rate(tallow_http_request_duration_seconds_count{status_code="500"}[5m])',
        'rate(tallow_http_request_duration_seconds_count{status_code="5xx"}[5m])',
    ),
    (
        "catalog/value",
        'rate(tallow_api_errors_total{status_code="4xx"}[5m])',
        'rate(tallow_api_errors_total{status_code="401"}[5m])',
    ),
    ("promql/grouping", f"sum by (direction) ({SUCCESSES})", f"sum by (method) ({SUCCESSES})"),
    ("promql/grouping", f"sum by (method) (sum by (status) ({SUCCESSES}))", f"sum by (method) ({SUCCESSES})"),
    ("promql/counter", "tallow_transfers_total > 5", "rate(tallow_transfers_total[5m]) > 5"),
    ("promql/counter", "sum(tallow_transfers_total)", "count(tallow_transfers_total)"),
    ("promql/counter", "max_over_time(tallow_transfers_total[5m])", "absent(tallow_transfers_total)"),
    ("promql/counter", "tallow_transfers_total", "tallow_active_transfers"),
    ("promql/gauge", "rate(tallow_workers[5m])", "delta(tallow_workers[5m])"),
    ("promql/rate-of-sum", "rate(sum(tallow_workers)[5m:1m])", "max_over_time(sum(tallow_workers)[5m:1m])"),
    ("promql/window", "rate(tallow_transfers_total[30s])", "rate(tallow_transfers_total[1m])"),
    (
        "promql/quantile",
        f"histogram_quantile(0.95, {PQC_BUCKETS})",
        f"histogram_quantile(0.95, sum by (le) ({PQC_BUCKETS}))",
    ),
    (
        "promql/quantile",
        f"histogram_quantile(0.95, sum by (operation) ({PQC_BUCKETS}))",
        f"histogram_quantile(0.95, sum by (operation, le) ({PQC_BUCKETS}))",
    ),
    (
        "promql/quantile",
        "histogram_quantile(0.95, sum by (le) (tallow_pqc_duration_seconds_bucket))",
        f"histogram_quantile(0.95, sum without (operation) ({PQC_BUCKETS}))",
    ),
    (
        "promql/quantile",
        f"histogram_quantile(0.95, sum by (operation) ({PQC_BUCKETS.replace('bucket', 'sum')}))",
        f"histogram_quantile(0.95, sum by (operation, le) ({PQC_BUCKETS}))",
    ),
    (
        "promql/quantile",
        f"avg(histogram_quantile(0.95, sum by (le, operation) ({PQC_BUCKETS})))",
        f"max(histogram_quantile(0.95, sum by (le, operation) ({PQC_BUCKETS})))",
    ),
    (
        "promql/impossible",
        f"histogram_quantile(0.95, sum by (le) ({PQC_BUCKETS})) > 10",
        f"histogram_quantile(0.95, sum by (le) ({PQC_BUCKETS})) > 5",
    ),
    ("promql/impossible", f"sum({SUCCESSES}) < 0", f"sum({SUCCESSES}) < 1"),
    ("promql/impossible", "up > 1", "up < 1"),
    (
        "promql/impossible",
        f"sum({SUCCESSES}) / (sum(increase(tallow_transfers_total[5m])) > 0) > 10",
        f"sum({SUCCESSES}) / (sum(increase(tallow_transfers_total[5m])) > 0) > 0.1",
    ),
    (
        "promql/division",
        f"sum({SUCCESSES}) / sum(increase(tallow_transfers_total[5m]))",
        f"sum({SUCCESSES}) / (sum(increase(tallow_transfers_total[5m])) > 0)",
    ),
    ("promql/division", "tallow_workers / 0", "tallow_workers / 2"),
    (
        "promql/division",
        f"sum({SUCCESSES}) / sum(tallow_workers) > 0.8",
        f"sum({SUCCESSES}) / sum(increase(tallow_transfers_total[5m])) > 0.8",
    ),
    (
        "promql/matching",
        "sum by (type) (tallow_active_connections) or vector(0)",
        "sum(tallow_active_connections) or vector(0)",
    ),
    (
        "promql/matching",
        "tallow_active_transfers / (tallow_device_connections > 0)",
        "tallow_active_transfers / on (job, instance) (sum by (job, instance) (tallow_workers) > 0)",
    ),
    (
        "promql/matching",
        "tallow_workers * on (job, instance) tallow_device_connections",
        "tallow_device_connections * on (job, instance) group_left tallow_workers",
    ),
    (
        "promql/matching",
        "sum by (job) (tallow_workers) > on (job, instance) sum by (job) (tallow_active_transfers)",
        "sum by (job) (tallow_workers) > on (job) sum by (job) (tallow_active_transfers)",
    ),
    (
        "promql/matching",
        "tallow_active_transfers > 0 and tallow_device_connections > 0",
        "tallow_active_transfers > 0 and on (job, instance) tallow_device_connections > 0",
    ),
    (
        "promql/matching",
        "tallow_workers + ignoring (job) tallow_device_connections",
        "sum by (instance) (tallow_workers) + ignoring (job) sum by (instance) (tallow_active_transfers)",
    ),
]
IDS = [f"{rule}: {bad}" for rule, bad, _ in EXAMPLES]


def rules(problems: list[Problem]) -> set[str]:
    return {problem.rule for problem in problems}


@pytest.mark.parametrize(("rule", "bad", "good"), EXAMPLES, ids=IDS)
def test_bad_example_is_rejected(rule: str, bad: str, good: str) -> None:
    assert rule in rules(check_expression(bad, where="x"))


@pytest.mark.parametrize(("rule", "bad", "good"), EXAMPLES, ids=IDS)
def test_good_example_is_clean(rule: str, bad: str, good: str) -> None:
    assert check_expression(good, where="x") == []


@pytest.mark.parametrize(
    "expr",
    [
        'up{job="tallow"} == 0',
        'ALERTS{alertstate="firing"}',
        'ALERTS_FOR_STATE{alertname="ServiceDown"}',
        "scrape_samples_scraped / (scrape_samples_post_metric_relabeling > 0)",
        'node_filesystem_avail_bytes{mountpoint="/"} < 1e9',
        "rate(prometheus_rule_evaluation_failures_total[5m]) > 0",
        "rate(alertmanager_notifications_failed_total[5m]) > 0",
        "vector(1)",
        "time() - tallow_process_start_time_seconds < 600",
        "changes(tallow_process_start_time_seconds[15m]) > 3",
        'sum(rate(tallow_http_request_duration_seconds_count{route!~"/metrics|/api/health.*"}[5m]))',
        'rate(tallow_cache_hits_total{cache="rooms"}[$__rate_interval])',
        'sum by (shown) (label_replace(tallow_workers, "shown", "$1", "job", "(.*)"))',
        "clamp_max(sum(rate(tallow_transfers_total[5m])), 1) > 0.5",
        "-tallow_workers < -3",
        "count(tallow_workers) by (job) > 1",
        "min by (job, instance) (tallow_workers) == 0 or count by (job) (tallow_workers) == 1",
        "node_filesystem_avail_bytes / node_filesystem_size_bytes < 0.1",
        "tallow_transfer_queue_depth > bool 100",
        "topk(3, sum by (type) (rate(tallow_errors_total[5m])))",
        'sum(tallow_workers) unless sum(up{job="tallow"})',
    ],
)
def test_valid_expression_has_no_problem(expr: str) -> None:
    assert check_expression(expr, where="x") == []


def test_a_problem_reads_where_rule_message() -> None:
    [problem] = check_expression("tallow_worker", where="a.json: CPU")
    assert str(problem) == "a.json: CPU: catalog/metric: 'tallow_worker' is not in the catalogue"


def test_a_histogram_without_its_part_names_the_parts() -> None:
    [problem] = check_expression("sum(tallow_file_size_bytes)", where="x")
    assert "tallow_file_size_bytes_bucket" in problem.message


def test_problem_is_reported_once() -> None:
    expr = "sum(rate(tallow_nothing[5m])) + sum(rate(tallow_nothing[5m]))"
    assert len(check_expression(expr, where="x")) == 1
