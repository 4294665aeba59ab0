"""Exemptions are few, reasoned, and needed."""

from __future__ import annotations

import pytest

from tallow.stack.alerts import RULES
from tallow.stack.dashboards import dashboards
from tallow.stack.lint import Problem, alerts, check_alert
from tallow.stack.lint import dashboards as rules
from tallow.stack.lint.exceptions import EXEMPTIONS, Exemption, without_exempt
from tallow.stack.lint.promql import expressions


def test_exemption_covers_only_its_rule_in_its_place() -> None:
    exemption = Exemption("panel/window", "a.json: CPU", "because")
    kept = [Problem("a.json: CPU", "panel/unit", ""), Problem("b.json: CPU", "panel/window", "")]
    covered = Problem("monitoring/grafana/a.json: CPU", "panel/window", "")
    assert without_exempt([covered, *kept], [exemption]) == kept


@pytest.mark.parametrize("exemption", EXEMPTIONS, ids=lambda exemption: exemption.subject)
def test_an_exemption_has_a_reason(exemption: Exemption) -> None:
    assert len(exemption.reason.split()) >= 5


@pytest.mark.slow
def test_every_exemption_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    # Replaced to get the problems before exemptions are applied; the rules themselves are real.
    for module in (rules, expressions, alerts):
        monkeypatch.setattr(module, "without_exempt", list)
    problems = [
        problem
        for uid, board in dashboards().items()
        for problem in rules.check_dashboard(board, where=f"{uid}.json")
    ]
    problems += [problem for rule in RULES.values() for problem in check_alert(rule)]
    unused = [exemption for exemption in EXEMPTIONS if not any(map(exemption.covers, problems))]
    assert unused == []
