"""What an evaluation of a rule group reads."""

from __future__ import annotations

import promql_parser as ast
import pytest

from tallow.stack import alerts
from tallow.stack.lint.promql.vocabulary import EXPOSED
from tallow.stack.sizing.measurements import load
from tallow.stack.sizing.rule_cost import group_costs, matching_share, reads, shortest_window_seconds


@pytest.mark.parametrize(
    ("expr", "expected"),
    [
        ("a", [(0, 1)]),
        ("rate(a_total[5m]) / -(b)", [(300, 20), (0, 1)]),
        ("sum by (x) (increase(a_total[1h] offset 5m))", [(3600, 240)]),
        ("max_over_time(a[10m:1m])", [(0, 10)]),
        ("max_over_time(rate(a_total[1m])[10m:1m])", [(60, 40)]),
        ("max_over_time(a[30s:])", [(0, 2)]),
        ("vector(1)", []),
    ],
)
def test_the_selectors_of_an_expression(expr: str, expected: list[tuple[float, float]]) -> None:
    assert [(read.range_seconds, read.samples) for read in reads(expr)] == expected


@pytest.mark.parametrize(
    ("selector", "share"),
    [
        ("tallow_transfers_total", 1),
        ('tallow_transfers_total{job="tallow",instance="a"}', 1),
        ('tallow_transfers_total{status="failed"}', 1 / 3),
        ('tallow_transfers_total{status!="failed",method="relay"}', 1 / 3),
        ('tallow_transfers_total{status=~"failed|cancelled"}', 2 / 3),
        ('tallow_transfers_total{status!~"failed|cancelled"}', 1 / 3),
        ('tallow_transfers_total{status="none"}', 0),
        ('tallow_event_loop_lag_seconds_bucket{le="+Inf"}', 1 / 11),
        ('tallow_cache_hits_total{cache="rooms"}', 1),
    ],
)
def test_the_share_of_series_that_matchers_select(selector: str, share: float) -> None:
    tree = ast.parse(selector)
    assert isinstance(tree, ast.VectorSelector)
    assert matching_share(tree, EXPOSED[tree.name or ""]) == pytest.approx(share)


def test_every_group_has_a_cost() -> None:
    costs = {cost.name: cost for cost in group_costs(load())}
    assert set(costs) == set(alerts.GROUPS)
    for name, cost in costs.items():
        assert cost.series > 0, name
        assert cost.samples >= cost.series, name


def test_the_objectives_combine_instances_over_hours() -> None:
    [slo] = [cost for cost in group_costs(load()) if cost.name == "tallow_slo"]
    assert slo.is_recordable
    assert set(slo.fleet_wide) == {rule.name for rule in alerts.GROUPS["tallow_slo"]}
    assert slo.longest_window_seconds == 6 * 3600


def test_the_shortest_window_has_enough_scrapes() -> None:
    assert 60 <= shortest_window_seconds() <= 300
