"""Labels: of matching, of grouping, of templates."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import promql_parser as ast

from tallow.stack.lint.promql.catalog_rules import aggregation_names
from tallow.stack.lint.promql.promql_rules import matching
from tallow.stack.lint.promql.type_inference import (
    InferredType,
    Labels,
    infer_type,
    labels_kept,
    labels_of_operation,
)
from tallow.stack.prove.checks.model import Check, Messages, ParsedRule, RuleSet
from tallow.stack.prove.expression import SETS, calls, operations, operator, unwrapped, walk

_LABEL: Final = re.compile(r"\$labels\.([a-zA-Z_][a-zA-Z0-9_]*)|\.Labels\.([a-zA-Z_][a-zA-Z0-9_]*)")


def unmatched(parsed: ParsedRule, _: RuleSet) -> Messages:
    """Operands whose labels never match, or that meet several series on a side."""
    for operation in operations(parsed.tree):
        left, right = infer_type(operation.lhs), infer_type(operation.rhs)
        if any(map(_is_picked, (operation.lhs, operation.rhs))):
            continue
        if operator(operation) != "or":
            for _rule, message in matching(operation, left, right, operator(operation)):
                yield message


def unlabelled_default(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``sum by (job) (x) or vector(0)``: the default has no labels, so it is a further series."""
    for operation in operations(parsed.tree):
        if operator(operation) == "or":
            left, right = infer_type(operation.lhs), infer_type(operation.rhs)
            for _rule, message in matching(operation, left, right, "or"):
                yield message


def _is_picked(node: ast.Expr) -> bool:
    """Whether ``topk`` and the like keep a few series of each group, so that labels do not tell how many."""
    return any(
        isinstance(inner, ast.AggregateExpr) and str(inner.op) in _PICKING for inner in _same_series(node)
    )


_PICKING: Final = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})


def _same_series(node: ast.Expr) -> Iterator[ast.Expr]:
    """A node and the operands that give it its series."""
    node = unwrapped(node)
    yield node
    if isinstance(node, ast.BinaryExpr):
        yield from _same_series(node.lhs)
        yield from _same_series(node.rhs)


def lost_grouping(parsed: ParsedRule, _: RuleSet) -> Messages:
    """An aggregation by a label that an inner aggregation dropped."""
    for node in walk(parsed.tree):
        if isinstance(node, ast.AggregateExpr) and _groups_by(node):
            for _rule, message in aggregation_names(node):
                yield message


def _groups_by(node: ast.AggregateExpr) -> bool:
    return node.modifier is not None and node.modifier.type == ast.AggModifierType.By


def lost_template_label(parsed: ParsedRule, _: RuleSet) -> Messages:
    """A label in a template that the expression drops: it becomes an empty text."""
    labels, dropped = result_labels(parsed.tree), dropped_labels(parsed.tree)
    shown = "" if labels is None else f"; it keeps {', '.join(sorted(labels)) or 'none'}"
    for name, text in (*parsed.rule.labels.items(), *parsed.rule.annotations.items()):
        for label in dict.fromkeys(_used_labels(text)):
            is_lost = label in dropped if labels is None else label not in labels
            if is_lost and label not in parsed.rule.labels and label != "alertname":
                yield f"{name} uses the label '{label}', which the expression drops{shown}"


def _used_labels(text: str) -> Iterator[str]:
    """The labels that a template reads of the alert, not of series of its own queries."""
    own = "$labels" in text or "query" not in text
    for found in _LABEL.finditer(text):
        if found[1] or own:
            yield found[1] or found[2]


def result_labels(node: ast.Expr) -> Labels:
    """The labels that the result may have; None if they are not known.

    More exact than the inferred type for ``absent``, ``or`` and ``label_replace``.
    """
    node = unwrapped(node)
    if isinstance(node, ast.Call):
        return _call_labels(node)
    if isinstance(node, ast.AggregateExpr) and str(node.op) not in (
        "topk",
        "bottomk",
        "limitk",
        "count_values",
    ):
        return labels_kept(node.modifier, result_labels(node.expr))
    if isinstance(node, ast.BinaryExpr):
        return _operation_labels(node)
    return None


def dropped_labels(node: ast.Expr) -> frozenset[str]:
    """The labels that the outermost aggregation drops by ``without``, if the others are not known."""
    node = unwrapped(node)
    if isinstance(node, ast.AggregateExpr):
        modifier = node.modifier
        if modifier is None or modifier.type == ast.AggModifierType.By:
            return frozenset()
        return frozenset(modifier.labels)
    if isinstance(node, ast.BinaryExpr) and _has_labels_of_left(node):
        return dropped_labels(node.lhs)
    return frozenset()


def _has_labels_of_left(node: ast.BinaryExpr) -> bool:
    if operator(node) in ("and", "unless"):
        return True
    return operator(node) != "or" and infer_type(node.rhs).scalar


def _operation_labels(node: ast.BinaryExpr) -> Labels:
    left, right, op = result_labels(node.lhs), result_labels(node.rhs), operator(node)
    if op == "or":
        return None if left is None or right is None else left | right
    if op in SETS:
        return left
    types = infer_type(node.lhs), infer_type(node.rhs)
    if types[0].scalar or types[1].scalar:
        return right if types[0].scalar else left
    return _matched_labels(node, types)


def _matched_labels(node: ast.BinaryExpr, types: tuple[InferredType, InferredType]) -> Labels:
    """The labels of an operation between two vectors."""
    if node.modifier is not None and node.modifier.group_labels is not None:
        return None
    return _matched_on(node) or labels_of_operation(node, types[0], types[1])


def _matched_on(node: ast.BinaryExpr) -> Labels:
    """The labels of ``on (…)``, which a one-to-one operation keeps."""
    modifier = node.modifier
    if modifier is None or modifier.matching is None:
        return None
    is_on = modifier.matching.type == ast.LabelModifierType.Include
    one_to_one = modifier.card == ast.VectorMatchCardinality.OneToOne
    return frozenset(modifier.matching.labels) if is_on and one_to_one else None


_NO_LABELS: Final = frozenset({"vector", "time", "scalar"})


def _call_labels(node: ast.Call) -> Labels:
    name = node.func.name
    if name in ("absent", "absent_over_time"):
        return _equal_labels(unwrapped(node.args[0]))
    if name in ("label_replace", "label_join"):
        return _replaced_labels(node)
    if name in _NO_LABELS:
        return frozenset()
    if name == "histogram_quantile":
        labels = result_labels(node.args[1])
        return None if labels is None else labels - {"le"}
    vector = next((each for each in node.args if not isinstance(unwrapped(each), _LITERALS)), None)
    return None if vector is None else result_labels(vector)


def _replaced_labels(node: ast.Call) -> Labels:
    """The labels of the first argument, and the one that is written."""
    inner, target = result_labels(node.args[0]), unwrapped(node.args[1])
    if inner is None or not isinstance(target, ast.StringLiteral):
        return None
    return inner | {str(target.val)}


def empty_replacement(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``label_replace`` with a group that its regular expression does not have, or of a dropped label."""
    for call in calls(parsed.tree):
        if call.func.name != "label_replace" or len(call.args) != 5:
            continue
        target, replacement, source, pattern = (_string(argument) for argument in list(call.args)[1:])
        yield from _missing_groups(replacement or "", pattern)
        inner = result_labels(call.args[0])
        if source and inner is not None and source not in inner:
            yield f"label_replace() reads '{source}', which its expression drops: '{target}' is empty"


def _missing_groups(replacement: str, pattern: str | None) -> Messages:
    groups = _groups(pattern)
    for number in re.findall(r"\$\{?(\d+)", replacement):
        if groups is not None and int(number) > groups:
            yield f"label_replace() uses ${number}, but '{pattern}' has {groups} groups"


def _string(node: ast.Expr) -> str | None:
    node = unwrapped(node)
    return str(node.val) if isinstance(node, ast.StringLiteral) else None


def _groups(pattern: str | None) -> int | None:
    """The number of groups of a regular expression; None if Python cannot compile it."""
    try:
        return None if pattern is None else re.compile(pattern).groups
    except re.error:
        return None


def scalar_of_several(parsed: ParsedRule, _: RuleSet) -> Messages:
    """``scalar`` of an expression that keeps labels: with several series the result is NaN."""
    for call in calls(parsed.tree):
        if call.func.name == "scalar" and (labels := result_labels(call.args[0])):
            yield f"scalar() of several series is NaN; the expression keeps {', '.join(sorted(labels))}"


_LITERALS: Final = (ast.NumberLiteral, ast.StringLiteral)


def _equal_labels(node: ast.Expr) -> Labels:
    """The labels of an absent series: those that ``=`` gives a value."""
    selector = node.vector_selector if isinstance(node, ast.MatrixSelector) else node
    if not isinstance(selector, ast.VectorSelector):
        return frozenset()
    matchers = selector.matchers.matchers
    return frozenset(each.name for each in matchers if str(each.op) == "MatchOp.Equal" and each.value)


CHECKS: Final = (
    Check("label/matching", "error", unmatched),
    Check("label/default", "note", unlabelled_default),
    Check("label/grouping", "error", lost_grouping),
    Check("label/replace", "error", empty_replacement),
    Check("label/scalar", "warning", scalar_of_several),
    Check("label/template", "warning", lost_template_label, alerts_only=True),
)
