"""Every alert over time, evaluated by promtool: when it fires, stays quiet and resolves."""

from __future__ import annotations

from pathlib import Path

import pytest

from stack.alerts.cases import CASES
from stack.alerts.cases.start import EXEMPT, WITHOUT_GRACE
from stack.alerts.contract import ALL, CORE, EXTRA, frame
from support.alert_rules.promtool import Case, Kind, bare, run
from tallow.stack import alerts
from tallow.stack.alerts import RULES, Rule

pytestmark = pytest.mark.slow

each_rule = pytest.mark.parametrize("rule", RULES.values(), ids=RULES)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_rule_case(case: Case, tmp_path: Path) -> None:
    rule = bare(RULES[case.alert].render())
    assert run([case.document(frame(case.alert))], [rule], tmp_path, 15 * case.stretch) == ""


def test_the_rules_are_those_of_the_contract() -> None:
    def facts(groups: dict[str, tuple[Rule, ...]]) -> dict[str, tuple[float, str, str]]:
        rules = [rule for group in groups.values() for rule in group]
        return {rule.name: (rule.for_seconds, rule.severity, rule.category) for rule in rules}

    assert facts(dict(alerts.CORE)) == dict(CORE)
    assert facts(dict(alerts.EXTRA)) == dict(EXTRA)


@each_rule
def test_a_rule_has_every_kind_of_case(rule: Rule) -> None:
    shown: set[Kind] = {kind for case in CASES if case.alert == rule.name for kind in case.kinds}
    wanted: set[Kind] = {"fires", "below"}
    if rule.min_counts or rule.fixed_min_counts:
        wanted |= {"few", "enough"}
    if rule.name not in EXEMPT | WITHOUT_GRACE:
        wanted |= {"start"}
    if rule.name == "Watchdog":  # it has no threshold
        wanted -= {"below"}
    assert wanted <= shown


@pytest.mark.parametrize("case", [case for case in CASES if "fires" in case.kinds], ids=str)
def test_firing_case_checks_the_minute_and_the_end(case: Case) -> None:
    if case.alert == "Watchdog":
        return
    first, last = min(case.firing), max(case.firing)
    before = max(at for at in case.quiet if at < first)
    assert first - before <= 6, "the last check before it fires is too early"
    assert any(at > last for at in case.quiet), "nothing shows that it resolves"


def test_every_case_has_an_existing_alert() -> None:
    assert {case.alert for case in CASES} == set(ALL)
