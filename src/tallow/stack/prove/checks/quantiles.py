"""Quantiles: of histograms, over time, and of series."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import promql_parser as ast

from tallow.stack.lint.promql.type_inference import infer_type, labels_kept
from tallow.stack.prove.checks.model import Check, Messages, ParsedRule, RuleSet
from tallow.stack.prove.expression import calls, number, selectors, unwrapped, walk

_PARTS: Final = ("_sum", "_count", "_total", "_created")


def lost_edges(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``histogram_quantile`` of a sum that drops ``le``."""
    for call in _histogram_quantiles(parsed.tree):
        inner = unwrapped(call.args[1])
        if isinstance(inner, ast.AggregateExpr) and str(inner.op) == "sum" and _reads_buckets(inner):
            kept = labels_kept(inner.modifier, infer_type(inner.expr).labels)
            if (kept is not None and "le" not in kept) or _drops_le(inner):
                yield "the sum inside histogram_quantile() drops the label 'le'"


def _histogram_quantiles(tree: ast.Expr) -> Iterator[ast.Call]:
    return (call for call in calls(tree) if call.func.name == "histogram_quantile")


def _reads_buckets(node: ast.Expr) -> bool:
    return any((each.name or "").endswith("_bucket") for each in selectors(node))


def _drops_le(node: ast.AggregateExpr) -> bool:
    modifier = node.modifier
    return modifier is not None and modifier.type != ast.AggModifierType.By and "le" in modifier.labels


def unrated_buckets(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``histogram_quantile`` of buckets since the start of the process."""
    for call in _histogram_quantiles(parsed.tree):
        if not calls(call.args[1]) and _reads_buckets(call.args[1]):
            yield "histogram_quantile() of buckets since the start of the process; use rate() first"


def mean_of_quantiles(parsed: ParsedRule, _: RuleSet) -> Messages:
    """The sum or mean of quantiles is no quantile."""
    for node in walk(parsed.tree):
        if isinstance(node, ast.AggregateExpr) and str(node.op) in ("sum", "avg"):
            inner = unwrapped(node.expr)
            if isinstance(inner, ast.Call) and inner.func.name == "histogram_quantile":
                yield f"{node.op} of quantiles is no quantile; sum the buckets first"


def impossible_level(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``histogram_quantile(95, …)``: a quantile is a number from 0 to 1."""
    for name, argument in _levels(parsed.tree):
        level = number(argument)
        if level is not None and not 0 <= level <= 1:
            yield f"{name}({level:g}, …) is infinite: a quantile is a number from 0 to 1"


def _levels(tree: ast.Expr) -> Iterator[tuple[str, ast.Expr]]:
    for node in walk(tree):
        if isinstance(node, ast.Call) and node.func.name in ("histogram_quantile", "quantile_over_time"):
            yield node.func.name, node.args[0]
        elif isinstance(node, ast.AggregateExpr) and str(node.op) == "quantile" and node.param is not None:
            yield "quantile", node.param


def no_buckets(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``histogram_quantile`` of another part of a histogram."""
    for call in _histogram_quantiles(parsed.tree):
        for selector in selectors(call.args[1]):
            if selector.name and selector.name.endswith(_PARTS):
                yield f"histogram_quantile() needs buckets; {selector.name} has none"


def distorted_buckets(parsed: ParsedRule, _: RuleSet) -> Messages:
    """The maximum or minimum of buckets is no histogram: the counts of different series are mixed."""
    for call in _histogram_quantiles(parsed.tree):
        inner = unwrapped(call.args[1])
        if isinstance(inner, ast.AggregateExpr) and str(inner.op) in ("max", "min") and _reads_buckets(inner):
            yield f"{inner.op} of buckets mixes several histograms; use sum"


CHECKS: Final = (
    Check("quantile/edges", "error", lost_edges),
    Check("quantile/rate", "error", unrated_buckets),
    Check("quantile/mean", "error", mean_of_quantiles),
    Check("quantile/level", "error", impossible_level),
    Check("quantile/buckets", "error", no_buckets),
    Check("quantile/aggregation", "error", distorted_buckets),
)
