"""Check a PromQL expression of a rule or a panel."""

from __future__ import annotations

from collections.abc import Iterator

import promql_parser as ast

from tallow.stack.lint.exceptions import without_exempt
from tallow.stack.lint.problem import Problem
from tallow.stack.lint.promql import catalog_rules, promql_rules
from tallow.stack.lint.promql.catalog_rules import Finding
from tallow.stack.lint.promql.templating import parseable
from tallow.stack.lint.promql.type_inference import COMPARISONS


def check_expression(expr: str, *, where: str) -> list[Problem]:
    """The problems of an expression, by the rules of ``catalog/`` and ``promql/``.

    Args:
        expr: PromQL, which may contain Grafana's windows (``$__rate_interval``).
        where: the file and the panel or alert, for messages ("tallow-errors.json: Recent errors").

    >>> [str(problem) for problem in check_expression("tallow_transfers_total", where="example")]
    ['example: promql/counter: the counter tallow_transfers_total is read without rate() or increase()']
    """
    try:
        tree = ast.parse(parseable(expr))
    except ValueError as error:
        return [Problem(where, "promql/syntax", f"{error}: {expr}")]
    found = [Problem(where, rule, message) for rule, message in dict.fromkeys(_rules(tree))]
    return without_exempt(found)


def nodes(tree: ast.Expr) -> list[ast.Expr]:
    """Every node of an expression, outermost first."""
    visited: list[ast.Expr] = []

    def visit(node: ast.Expr) -> bool:
        visited.append(node)
        return True

    ast.walk(tree, visit)
    return visited


def selectors(tree: ast.Expr) -> list[ast.VectorSelector]:
    """Every selector of an expression, including range selectors."""
    return [node for node in nodes(tree) if isinstance(node, ast.VectorSelector)]


def _rules(tree: ast.Expr) -> Iterator[Finding]:
    for selector in selectors(tree):
        yield from catalog_rules.selector_names(selector)
    top = promql_rules.without_parentheses(tree)
    if isinstance(top, ast.VectorSelector):
        yield from promql_rules.raw_counter(top)
    compared = _compared_divisions(tree)
    for node in nodes(tree):
        if isinstance(node, ast.AggregateExpr):
            yield from catalog_rules.aggregation_names(node)
            yield from promql_rules.aggregation(node)
        elif isinstance(node, ast.Call):
            yield from promql_rules.call(node)
        elif isinstance(node, ast.BinaryExpr):
            yield from promql_rules.operation(node, compared=node.prettify() in compared)


def _compared_divisions(tree: ast.Expr) -> set[str]:
    """The divisions whose result is an operand of a comparison."""
    comparisons = [node for node in nodes(tree) if _is(node, COMPARISONS)]
    return {inner.prettify() for node in comparisons for inner in nodes(node) if _is(inner, {"/"})}


def _is(node: ast.Expr, operators: set[str]) -> bool:
    return isinstance(node, ast.BinaryExpr) and str(node.op).split()[0] in operators
