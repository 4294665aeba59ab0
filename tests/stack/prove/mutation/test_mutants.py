"""Mutants of a rule."""

from __future__ import annotations

import pytest

from tallow.stack.prove.expression import UnparsedError, parse
from tallow.stack.prove.mutation.missing_test import missing_test
from tallow.stack.prove.mutation.mutants import RULE_OPERATORS, Mutant, mutants_of
from tallow.stack.prove.mutation.operators import expression_mutants, metric_pattern
from tallow.stack.prove.rule_file import LoadedRule

EVERYTHING = (
    'histogram_quantile(0.9, sum by (le, job) (rate(d_bucket{job=~"a|b"}[5m]))) - 1 > 2 '
    "and on (job) max by (job) (up offset 10m) == 1"
)


def rule(expr: str, **more: object) -> LoadedRule:
    return LoadedRule("rules.yml", 1, "g", "alert", "Tested", expr, **more)  # type: ignore[arg-type]


def changes(expr: str, **more: object) -> list[str]:
    return [str(mutant) for mutant in mutants_of(rule(expr, **more))]


def test_every_operator_applies() -> None:
    found = mutants_of(rule(EVERYTHING, for_seconds=60.0, labels={"severity": "warning"}))
    assert {mutant.operator for mutant in found} == set(RULE_OPERATORS)


@pytest.mark.parametrize(
    ("expr", "change", "changed"),
    [
        ("up == 0", "metric renamed: up -> upx", "upx == 0"),
        ('a{b="c", d!="e"} > 1', 'label dropped from a selector: b="c" -> nothing', 'a{ d!="e"} > 1'),
        ('a{b="c"} > 1', 'label dropped from a selector: b="c" -> nothing', "a > 1"),
        ('a{b=~"c"} > 1', 'label value changed: b=~"c" -> b!~"c"', 'a{b!~"c"} > 1'),
        ("a{b='c'} > 1", "label value changed: b='c' -> b='xc'", "a{b='xc'} > 1"),
        ("sum by(x, y) (a) > 1", "label dropped from by(): by(x, y) -> by (y)", "sum by (y) (a) > 1"),
        ("a > 1 and b > 2", "connective changed: and -> unless", "a > 1 unless b > 2"),
        ("sum(a) > 1", "aggregation changed: sum -> max", "max(a) > 1"),
        ("rate(a[5m]) > 1", "function changed: rate -> increase", "increase(a[5m]) > 1"),
        ("rate(a[5m]) > 1", "window changed: 5m -> 10m", "rate(a[10m]) > 1"),
        ("rate(a[5m]) > 1", "window changed: 5m -> 2m30s", "rate(a[2m30s]) > 1"),
        ("a > 1 and b > 1", "number changed: 1 -> 10 #2", "a > 1 and b > 10"),
        ("a > 1e3", "number changed: 1e3 -> 100", "a > 100"),
        ("a offset 1h > 5", "offset dropped: offset 1h -> nothing", "a  > 5"),
        ("a offset 1h > 5", "number changed: 5 -> 50", "a offset 1h > 50"),
        ("a - b > 5", "arithmetic changed: - -> +", "a + b > 5"),
    ],
)
def test_a_mutant_has_one_change(expr: str, change: str, changed: str) -> None:
    found = {str(mutant): mutant.rule.expr for mutant in mutants_of(rule(expr))}
    assert found[change] == changed


def test_digits_in_texts_names_and_ranges_are_no_numbers() -> None:
    found = changes('rate(node_load5{cpu="0", x="a 7"}[5m:1m] offset 3h) > 9')
    assert {one.split()[2] for one in found if one.startswith("number")} == {"9"}


def test_names_in_label_values_are_not_renamed() -> None:
    renamed = [one for one in changes('up{job="up"} == 0') if one.startswith("metric")]
    assert renamed == ["metric renamed: up -> upx"]


def test_for_and_severity_are_changed() -> None:
    found = changes("up == 0", for_seconds=300.0, keep_firing_seconds=60.0, labels={"severity": "critical"})
    assert found[-4:] == [
        "for changed: 5m -> 10m",
        "for changed: 5m -> 2m30s",
        "for changed: keep_firing_for 1m -> nothing",
        "severity changed: critical -> warning",
    ]


def test_mutants_are_promql_and_differ_from_the_rule() -> None:
    for mutant in mutants_of(rule(EVERYTHING)):
        assert mutant.rule.expr != EVERYTHING or mutant.operator == "for changed"
        parse(mutant.rule.expr)


def test_a_rule_that_is_not_parsed_has_none() -> None:
    with pytest.raises(UnparsedError):
        mutants_of(rule("up =="))


def test_expressions_with_placeholders_have_mutants() -> None:
    found = [one.expr for one in expression_mutants("rate(a[$window]) > $limit", metric_pattern(["a"]))]
    assert "increase(a[$window]) > $limit" in found


@pytest.mark.parametrize("operator", RULE_OPERATORS)
def test_the_missing_test_of_each_operator_is_told(operator: str) -> None:
    assert missing_test(Mutant(operator, "5m -> 10m #2", rule("up == 0"))).startswith("a case ")
