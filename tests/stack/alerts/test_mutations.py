"""Mutation tests of the rules: the promtool cases or the linter detect every mutant that is not equivalent.

``scripts/proof`` runs all of them and writes docs/alert-proof.md; ``scripts/test`` runs those of a few rules
of different form.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import pytest

from stack.alerts import proof_page
from stack.alerts.cases import CASES
from stack.alerts.contract import frame
from stack.alerts.equivalent_mutants import EQUIVALENTS, reason
from support.alert_rules.mutation_runner import Verdict, judge
from support.alert_rules.promtool import Case
from support.alert_rules.rule_mutants import OPERATORS, Mutant, mutants
from tallow.stack.alerts import RULES, Rule
from tallow.stack.alerts.rule_inputs import rule_input_missing
from tallow.stack.lint import check_alert

pytestmark = pytest.mark.slow

MISSING = RULES["RuleInputMissing"]
FEW_INPUTS = rule_input_missing((RULES["HighMemoryUsage"], RULES["AlertmanagerCannotNotify"]))
"""RuleInputMissing for three metrics of two programs; one function writes all of its parts."""
QUICK = ("CriticalErrors", "HighMemoryUsage", "AlertmanagerCannotNotify")


def broken(rule: Rule) -> list[Mutant]:
    """Every mutant of a rule; for RuleInputMissing renamed metrics, and all mutants of its short form."""
    if rule is not MISSING:
        return mutants(rule)
    renamed = [mutant for mutant in mutants(rule) if mutant.operator == "metric renamed"]
    return [*mutants(FEW_INPUTS), *(mutant for mutant in renamed if mutant.what.split()[0] != "up")]


def verdicts(rule: Rule) -> list[Verdict]:
    cases = [case for case in CASES if case.alert == rule.name]
    if rule is not MISSING:
        return judge(mutants(rule), cases, frame(rule.name))
    return _verdicts_on_missing_input(cases, rule)


def _verdicts_on_missing_input(cases: list[Case], rule: Rule) -> list[Verdict]:
    whole = [mutant for mutant in broken(rule) if mutant.rule.expr.count("label_replace") > 3]
    short = [mutant for mutant in broken(rule) if mutant not in whole]
    return [
        *judge(short, [case for case in cases if _about_few(case)], frame(rule.name)),
        *judge(whole, [case for case in cases if not _ours(case)], frame(rule.name)),
    ]


def _about_few(case: Case) -> bool:
    metric = case.labels.get("metric")
    return metric is None or f'"{metric}"' in FEW_INPUTS.expr


def _ours(case: Case) -> bool:
    return case.labels.get("metric", "tallow_").startswith("tallow_")


def unnoticed(found: Sequence[Verdict]) -> list[str]:
    return [str(verdict.mutant) for verdict in found if not verdict.killed and not reason(verdict.mutant)]


def wrongly_listed(found: Sequence[Verdict]) -> list[str]:
    return [str(verdict.mutant) for verdict in found if verdict.killed and reason(verdict.mutant)]


@pytest.mark.parametrize("alert", QUICK)
def test_every_mutant_of_a_rule_is_detected(alert: str) -> None:
    found = verdicts(RULES[alert])
    assert len(found) > 10
    assert unnoticed(found) == []
    assert wrongly_listed(found) == []


@pytest.mark.proof
def test_every_mutant_of_every_rule_is_detected() -> None:
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        found = dict(zip(RULES, pool.map(verdicts, RULES.values()), strict=True))
    page = proof_page.page(found)
    print(page)
    proof_page.PATH.write_text(page, encoding="utf-8")
    together = [verdict for each in found.values() for verdict in each]
    assert unnoticed(together) == []
    assert wrongly_listed(together) == []


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_the_rule_itself_is_clean(rule: Rule) -> None:
    """Otherwise the linter would reject each of its mutants."""
    assert check_alert(rule) == []


def test_every_mutation_operator_occurs() -> None:
    made = {mutant.operator for rule in RULES.values() for mutant in broken(rule)}
    assert made == set(OPERATORS)


@pytest.mark.parametrize("entry", EQUIVALENTS, ids=lambda entry: f"{entry.alerts}: {entry.what}")
def test_a_listed_equivalent_exists(entry: object) -> None:
    assert any(entry.covers(mutant) for rule in RULES.values() for mutant in broken(rule))  # type: ignore[attr-defined]


def test_page_describes_the_current_mutants_and_cases() -> None:
    assert (
        proof_page.PATH.read_text(encoding="utf-8").partition(proof_page.SCORE)[0] == proof_page.about_cases()
    )
    counted = sum(len(broken(rule)) for rule in RULES.values())
    assert f"| **all** | {counted} |" in proof_page.PATH.read_text(encoding="utf-8")
