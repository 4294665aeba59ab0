"""A scaled rule is the shipped rule with its durations and minimum counts multiplied."""

from __future__ import annotations

from dataclasses import fields

import pytest

from tallow.stack import alerts
from tallow.stack.alerts import GROUPS, RULES, Rule
from tallow.stack.drill.environment.scaled_rules import scaled_values

SCALED = {
    "for_seconds",
    "startup_grace",
    "restart_memory",
    "keep_firing_seconds",
    "windows",
    "min_counts",
}

each_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


@each_rule
@pytest.mark.parametrize("factor", [1 / 7, 1 / 15, 1 / 720])
def test_scaling_changes_durations_and_minimum_counts_only(rule: Rule, factor: float) -> None:
    scaled = rule.scaled(factor)
    for field in fields(Rule):
        if field.name not in SCALED:
            assert getattr(scaled, field.name) == getattr(rule, field.name)
    assert scaled.template == rule.template
    assert scaled.for_seconds == pytest.approx(rule.for_seconds * factor)
    assert scaled.restart_memory == pytest.approx(rule.restart_memory * factor)
    assert scaled.keep_firing_seconds == pytest.approx(rule.keep_firing_seconds * factor)
    assert scaled.guard_seconds == pytest.approx(rule.guard_seconds * factor)
    assert scaled.windows == pytest.approx({name: 1.0 * s * factor for name, s in rule.windows.items()})


def test_a_factor_of_one_renders_the_shipped_rules() -> None:
    assert alerts.rules_yaml(alerts.scaled(GROUPS, 1.0)) == alerts.rules_yaml(GROUPS)


def test_a_scaled_rule_renders_scaled_values() -> None:
    slow = RULES["SlowTransfers"].scaled(1 / 15).render()
    assert slow.for_ == "40s"
    assert "[40s]" in slow.expr
    assert slow.expr.endswith(">= 2")
    assert slow.labels == RULES["SlowTransfers"].render().labels


def test_a_minimum_count_is_at_least_one() -> None:
    assert RULES["NoSuccessfulTransfers"].scaled(1 / 720).min_counts == {"minimum": 1}


def test_a_report_lists_the_scaled_values() -> None:
    assert scaled_values(RULES["SlowPQCOperations"], 1 / 15) == {
        "for 5m": "for 20s",
        "grace 5m": "grace 20s",
        "5m": "20s",
        ">= 15": ">= 1",
    }
