"""The search finds series under which conditions of every kind hold, and names what prevents a result."""

from __future__ import annotations

import json

import pytest

from tallow.stack.prove.expression import parse
from tallow.stack.prove.rule_file import LoadedRule, parse_rules
from tallow.stack.prove.witnesses.candidate import Candidate, CandidateSearch
from tallow.stack.prove.witnesses.find import WitnessSearch
from tallow.stack.prove.witnesses.impossibility.proof import why_never
from tallow.stack.prove.witnesses.witness import Obstacle

RECORDED = [
    {"record": "job:errors:rate5m", "expr": "sum by (job) (rate(errors_total[5m]))"},
    {"record": "job:requests:rate5m", "expr": "sum by (job) (rate(requests_total[5m]))"},
    {
        "record": "job:ratio:rate5m",
        "expr": "job:errors:rate5m / job:requests:rate5m",
        "labels": {"kind": "a"},
    },
]


def rules_of(expr: str, **more: object) -> list[LoadedRule]:
    rules = [*RECORDED, {"alert": "Tested", "expr": expr, **more}]
    return parse_rules(json.dumps({"groups": [{"name": "g", "rules": rules}]}), "rules.yml")


def search(expr: str, **more: object) -> tuple[list[Candidate], Obstacle | None]:
    found = WitnessSearch(rules_of(expr, **more))
    one = CandidateSearch(found.alerts[0], found.recordings)
    return list(one.candidates()), one.obstacle


FIRING = [
    "up == 0",
    "errors_total > 100",
    "rate(errors_total[5m]) > 0.3",
    "increase(errors_total{code=~'5..|4.[^0]'}[1m]) > 12",
    "sum(rate(r_total{code=~'5..'}[5m])) / sum(rate(r_total[5m])) > 0.05 and sum(rate(r_total[5m])) > 3",
    "(sum(rate(r_total{code!~'5..'}[5m])) / sum(rate(r_total[5m]))) == 1",
    "histogram_quantile(0.99, sum by (le) (rate(d_seconds_bucket[5m]))) > 2.5",
    "histogram_quantile(0.5, sum by (le) (rate(d_seconds_bucket[5m]))) < 0.25",
    "sum(rate(d_bucket{le='0.3'}[5m])) / sum(rate(d_count[5m])) < 0.95",
    "predict_linear(free_bytes[1h], 4 * 3600) < 0 and free_bytes > 0",
    "deriv(level[10m]) < -0.4",
    "delta(level[10m]) > 33",
    "changes(leader[10m]) > 3",
    "changes(leader[1m]) > 5",
    "resets(x_total[10m]) > 2",
    "time() - last_success_seconds > 86400",
    "time() - last_success_seconds > 7200 and last_success_seconds > 0",
    "absent(up{job='db', instance!=''})",
    "absent_over_time(heartbeat[10m])",
    "up offset 1h unless up",
    "queue == 0 and queue offset 1h > 5",
    "queue - queue offset 10m > 50",
    "count by (job) (up == 0) > 3",
    "count(count by (version) (build_info)) > 1",
    "count(up) % 2 == 0",
    "stddev by (job) (load) > 5",
    "load > 2 * scalar(avg(load))",
    "max by (job) (load) - min by (job) (load) > 7",
    "quantile(0.9, load) > 7",
    "topk(1, load) > 7",
    "quantile_over_time(0.9, load[10m]) > 7",
    "max_over_time(rate(r_total[5m])[30m:1m]) > 7",
    "avg_over_time((load > bool 3)[10m:1m]) > 0.7",
    "stddev_over_time(load[10m]) > 4",
    "count_over_time(load[10m]) < 30",
    "sum_over_time(events[10m]) > 100",
    "a * on (pod) group_left (node) info > 5",
    "a{mode='x'} / ignoring (mode) b > 0.5",
    "a / b < 0.1 and on (instance) c == 1",
    "a + b == 0",
    "max(quantile_over_time(0.5, a[1d]) == b) > 3",
    "a != b",
    "a > 5 unless on (job) b == 1",
    "3 <= days_left < 20",
    "a <= 199 or a >= 400",
    "a == 1 or b == 1",
    "(absent(a) or a == 0) and on () b > 1",
    "job:ratio:rate5m{kind='a', job='web'} > 0.1",
    "avg_over_time(job:ratio:rate5m[1h]) > 0.1",
    "(job:requests:rate5m offset 1d) / job:requests:rate5m > 2",
    "hour() >= 9 and day_of_week() == 3 and on () a > 1",
    "label_replace(a, 'host', '$1', 'instance', '(.*):9100') * on (host) group_left () b > 5",
    "{__name__=~'pg_.*', __name__!='pg_up'} != on (__name__) {__name__=~'pg_.*'} offset 5m",
    "ALERTS{alertname='Other', alertstate='firing'} and on () a > 1",
    "abs(a - b) > 10",
    "clamp_max(a, 50) > 40",
    "ln(a) > 3",
    "(a - b) / a * 100 > 85",
    "a ^ 2 > 50",
    "-a > 50",
    "label_join(a, 'x', '-', 'job', 'instance') > 5",
    "min_over_time(a[1w]) > b * 0.8",
    "count_values('v', a) > 1",
    "sum by (a) (rate(x_total[5m] offset 5m)) > 3",
    "timestamp(a) - a > 100",
]


@pytest.mark.parametrize("expr", FIRING)
def test_a_pair_of_series_is_found(expr: str) -> None:
    found, obstacle = search(expr, **{"for": "5m"})
    assert found, obstacle
    assert any(one.quiet_series is not None and one.quiet_series != one.series for one in found)


RARE = [
    "resets(a[1h]) == changes(a[1h]) and changes(a[1h]) > 3",
    "deriv(a[1h]) > 0 and deriv(a[10m]) < 0",
    (
        "histogram_quantile(0.99, sum by (le) (rate(x_bucket[5m]))) "
        "> 2 * histogram_quantile(0.5, sum by (le) (rate(x_bucket[5m])))"
    ),
    (
        "histogram_quantile(0.99, sum by (le) (rate(x_bucket[5m]))) "
        "> 2 * histogram_quantile(0.99, sum by (le) (rate(x_bucket[5m] offset 1h)))"
    ),
    "(a - on (job) group_left () avg by (job) (a)) / on (job) group_left () stddev by (job) (a) > 2",
    "count by (job) (count_values by (job) ('v', a)) > 2",
    "last_over_time(a[5m:1m]) unless a",
    "time() - timestamp(a) > 60",
    "minute() < 5 and on () a > 1",
    "label_join(a, 'id', '/', 'ns', 'pod') * on (id) b > 3",
    "quantile(scalar(q), a) > 5",
    "a != a",
    "a == Inf",
    "count_over_time(a[5m]) == 1",
    "count by (job) (up == 1) / count by (job) (up) < 0.5 and count by (job) (up) > 3",
]


@pytest.mark.parametrize("expr", RARE)
def test_series_are_found_for_conditions_that_are_rare(expr: str) -> None:
    found, obstacle = search(expr)
    assert found, obstacle


@pytest.mark.parametrize(
    ("expr", "part", "reason"),
    [
        ("rate(r_total[5m]) < 0 and a > 1", "rate(r_total[5m]) < 0", "the value is 0 or more"),
        ("a > 1 and count(up == 1) == 0", "count(up == 1) == 0", "the value is 1 or more"),
        ("up > 1", "up > 1", "the value is 0 to 1"),
        ("a > 5 and a < 3", "a > 5 and a < 3", "the conditions on a exclude each other"),
        ("a > 5 < 5", "a > 5 < 5", "the value is 5 or more"),
        ("sum by (job) (a == 0) > 0", "sum by (job) (a == 0) > 0", "the value is 0"),
        (
            "max((x{s='a'} / (x{s='a'} + x{s='b'})) > 0.8)",
            'x{s="a"} + x{s="b"}',
            'label s is "a" on the left and "b" on the right',
        ),
        (
            "(sum without (s) (x) > 1) and x{s='b'}",
            '(sum without (s) (x) > 1) and x{s="b"}',
            'label s is missing on the left and "b" on the right',
        ),
        (
            "sum by (j) (x) * on (j, s) x{s='b'} > 1",
            'sum by (j) (x) * on (j, s) x{s="b"}',
            'label s is missing on the left and "b" on the right',
        ),
        ("a and absent(a)", "a and absent(a)", "a has to be there and has to be absent"),
        ("a > 5 unless on (x) a", "a > 5 unless on (x) a", "a has each series of the left side"),
        ("absent(a) == 0", "absent(a) == 0", "the value is 1"),
        (
            "rate(x{c='5'}[5m]) / rate(x[5m]) > 5",
            'rate(x{c="5"}[5m]) / rate(x[5m]) > 5',
            "the value is 0 to 1",
        ),
        ("a{x='1', x='2'} > 5", 'a{x="1",x="2"}', "no value of label x satisfies both matchers"),
        ("histogram_fraction(0, 1, a) > 0.5 and up == 2", "up == 2", "the value is 0 to 1"),
    ],
)
def test_an_alert_that_cannot_fire_has_a_reason(expr: str, part: str, reason: str) -> None:
    found, obstacle = search(expr)
    assert found == []
    assert obstacle == Obstacle("never", part, reason)


@pytest.mark.parametrize("expr", [*FIRING, *RARE])
def test_no_alert_that_fires_is_proven_not_to(expr: str) -> None:
    assert why_never(parse(expr)) is None


@pytest.mark.parametrize(
    ("expr", "part"),
    [
        ("sum by (job) (a) / sum by (instance) (b) > 5", "sum by (job) (a) / sum by (instance) (b)"),
        ("a{x=~'b.*', x=~'c.*'} > 5", 'a{x=~"b.*",x=~"c.*"}'),
    ],
)
def test_without_a_proof_the_part_that_prevents_a_result_is_named(expr: str, part: str) -> None:
    """The first of these fires for series without these labels."""
    one = CandidateSearch(rules_of(expr)[-1], {}, seconds=0.1)
    assert list(one.candidates()) == []
    assert one.obstacle == Obstacle("prevented", part)


@pytest.mark.parametrize(
    ("expr", "kind", "text"),
    [
        ("histogram_fraction(0, 1, a) > 0.5", "limit", "histogram_fraction() is not understood"),
        ("histogram_quantile(0.9, sum(rate(h[5m]))) > 1", "limit", "a native histogram is not understood"),
        ("a offset 1y > 5", "limit", "a range of more than 100 days is not understood"),
        ("a >", "unparsed", ""),
        ("a{b=~'(?P<x'} > 1", "unparsed", ""),
    ],
)
def test_a_limit_is_stated(expr: str, kind: str, text: str) -> None:
    found, obstacle = search(expr)
    assert found == []
    assert obstacle is not None
    assert obstacle.kind == kind
    assert obstacle.text.startswith(text)


def test_rules_that_read_themselves_end() -> None:
    text = "groups: [{name: g, rules: [{record: a, expr: a + 1}, {alert: T, expr: a > 5}]}]"
    found = WitnessSearch(parse_rules(text, "rules.yml"))
    one = CandidateSearch(found.alerts[0], found.recordings)
    assert list(one.candidates()) == []
    assert one.obstacle is not None
    assert one.obstacle.kind == "limit"


def test_series_lie_next_to_the_condition() -> None:
    found, _ = search("rate(errors_total[5m]) > 0.3")
    [firing], [quiet] = found[0].series, found[0].quiet_series or ()
    per_second = [one.spans[0].step / found[0].timing.interval for one in (firing, quiet)]
    assert 0.3 < per_second[0] < 0.31
    assert 0.29 < per_second[1] <= 0.3


def test_each_operand_of_or_has_its_series() -> None:
    found, _ = search("a > 5 or b > 5")
    assert {one.part for one in found} == {"1", "2"}
    firing = {tuple(series.selector for series in one.series) for one in found}
    assert ("a",) in firing
    assert ("b",) in firing
