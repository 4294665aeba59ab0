"""Every expression, including those in descriptions, passes the linter."""

from __future__ import annotations

from string import Template

import pytest

from tallow.stack.alerts import RULES, Rule
from tallow.stack.lint import check_expression


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_the_expression_passes_the_linter(rule: Rule) -> None:
    assert check_expression(rule.render().expr, where=rule.name) == []


FIGURES = [(rule, name) for rule in RULES.values() for name in rule.annotation_queries]


@pytest.mark.parametrize(("rule", "name"), FIGURES, ids=[f"{rule.name}-{name}" for rule, name in FIGURES])
def test_annotation_query_passes_the_linter(rule: Rule, name: str) -> None:
    query = Template(rule.annotation_queries[name].expr).substitute(
        rule.substitutions(), instance='"a:1"', mountpoint='"/"'
    )
    assert check_expression(query, where=rule.name) == []
