"""A drill's rule may differ from the shipped one by the factor alone."""

from __future__ import annotations

from typing import Any

import pytest

from tallow.stack import alerts
from tallow.stack.drill.environment.configuration import compare
from tallow.stack.drill.environment.scaled_rules import scaled_parts, unexplained_differences
from tallow.stack.drill.environment.server import DrillError

SCALE = 1 / 15


def rule(expr: str = "rate(errors[5m]) > 0.1", **more: Any) -> dict[str, Any]:
    return {"alert": "A", "expr": expr, "for": "5m", "labels": {"severity": "warning"}} | more


def found(shipped: dict[str, Any], drilled: dict[str, Any], scale: float = SCALE) -> list[str]:
    return list(unexplained_differences(shipped, drilled, scale))


@pytest.mark.parametrize("scale", [1, 1 / 7, 1 / 15, 1 / 120, 1 / 720])
def test_every_shipped_rule_scaled_is_the_shipped_rule(scale: float) -> None:
    compare(alerts.rule_document(), alerts.rule_document(scale=scale), scale)


@pytest.mark.parametrize(
    ("shipped", "drilled"),
    [
        ("rate(errors[5m]) > 0.1", "rate(errors[20s]) > 0.1"),
        ("increase(errors[5m]) >= 20", "increase(errors[20s]) >= 2"),
        ("increase(errors[5m]) >= 4", "increase(errors[20s]) >= 1"),
        ("abs(time() - tallow_process_start_time_seconds) < 300", None),
    ],
)
def test_what_the_factor_explains(shipped: str, drilled: str | None) -> None:
    scaled = drilled or shipped.replace("300", "20")
    assert found(rule(shipped), rule(scaled, **{"for": "20s"})) == []


@pytest.mark.parametrize(
    "drilled",
    [
        rule("rate(errors[20s]) > 0.01", **{"for": "20s"}),
        rule("rate(errors[20s]) < 0.1", **{"for": "20s"}),
        rule("rate(warnings[20s]) > 0.1", **{"for": "20s"}),
        rule("rate(errors[40s]) > 0.1", **{"for": "20s"}),
        rule("rate(errors[5m]) > 0.1", **{"for": "20s"}),
        rule("rate(errors[20s]) > 0.1 or up", **{"for": "20s"}),
        rule("rate(errors[20s]) > 0.1", **{"for": "10s"}),
        rule("rate(errors[20s]) > 0.1", **{"for": "20s", "labels": {"severity": "critical"}}),
    ],
)
def test_what_it_does_not_explain(drilled: dict[str, Any]) -> None:
    assert found(rule(), drilled)


def test_names_that_look_like_times_are_names() -> None:
    expr = 'rate(files{size="1mb_10mb",age="5m"}[5m]) > 1'
    assert found(rule(expr), rule(expr.replace("[5m]", "[20s]"), **{"for": "20s"})) == []
    assert found(rule(expr), rule(expr.replace("5m", "20s"), **{"for": "20s"}))


def test_a_difference_names_its_alert() -> None:
    shipped = {"groups": [{"rules": [rule()]}]}
    drilled = {"groups": [{"rules": [rule("rate(errors[20s]) > 0.2", **{"for": "20s"})]}]}
    with pytest.raises(DrillError, match=r"A: 0\.1 became 0\.2"):
        compare(shipped, drilled, SCALE)


def test_what_was_scaled_is_said() -> None:
    slow = alerts.RULES["SlowTransfers"]
    assert scaled_parts(slow.render().document(), slow.render(SCALE).document()) == {
        "for 10m": "for 40s",
        "10m": "40s",
        ">= 20": ">= 2",
    }
