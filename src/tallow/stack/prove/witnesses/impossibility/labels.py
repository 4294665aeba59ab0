"""What an expression tells of the labels of its results, whatever the series are."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import promql_parser as ast

from tallow.stack.prove.expression import SETS, number, operator, unwrapped
from tallow.stack.prove.witnesses.evaluation.functions import labels_of_absence
from tallow.stack.prove.witnesses.evaluation.matchers import matchers_of

_SELECTING: Final = frozenset({"topk", "bottomk", "limitk", "limit_ratio"})
_SCALARS: Final = frozenset({"scalar", "time", "pi"})
_UNLABELLED: Final = frozenset({"vector", "minute", "hour", "day_of_week", "day_of_month", "day_of_year"})


@dataclass(frozen=True, slots=True)
class KnownLabels:
    """Labels of all results.

    Attributes:
        values: those with the same value in all results; an empty value means that none has the label.
        only: labels that results can have; None if they can have any.
    """

    values: Mapping[str, str] = field(default_factory=dict)
    only: frozenset[str] | None = None

    def value(self, label: str) -> str | None:
        """The value of a label in all results; None if it is not known."""
        if label in self.values:
            return self.values[label]
        return "" if self.only is not None and label not in self.only else None

    def without(self, labels: Iterable[str]) -> KnownLabels:
        """After these labels were dropped."""
        dropped = dict.fromkeys(labels, "")
        only = None if self.only is None else self.only - dropped.keys()
        return KnownLabels({**self.values, **dropped}, only)

    def kept(self, labels: Iterable[str]) -> KnownLabels:
        """After all other labels were dropped."""
        only = frozenset(labels)
        return KnownLabels({one: value for one, value in self.values.items() if one in only}, only)

    def overwritten(self, label: str) -> KnownLabels:
        """After a label got a value that is not known."""
        values = {one: value for one, value in self.values.items() if one != label}
        return KnownLabels(values, None if self.only is None else self.only | {label})


NOTHING_KNOWN: Final = KnownLabels()
NO_LABELS: Final = KnownLabels({}, frozenset())


def is_scalar(node: ast.Expr) -> bool:
    """Whether an expression is a number and no vector."""
    node = unwrapped(node)
    if isinstance(node, ast.BinaryExpr):
        return is_scalar(node.lhs) and is_scalar(node.rhs)
    if isinstance(node, ast.UnaryExpr):
        return is_scalar(node.expr)
    return number(node) is not None or (isinstance(node, ast.Call) and node.func.name in _SCALARS)


def known_labels(node: ast.Expr) -> KnownLabels:
    """What is known of the labels of an expression.

    Example:
        >>> from tallow.stack.prove.expression import parse
        >>> known_labels(parse('sum by (job) (errors{job="web", code="500"})')).values
        {'job': 'web'}
    """
    node = unwrapped(node)
    known = _KNOWN.get(type(node))
    return NOTHING_KNOWN if known is None else known(node)


def _selected(node: ast.VectorSelector) -> KnownLabels:
    exact = [one for one in matchers_of(node) if one.operator == "=" and one.name != "__name__"]
    return KnownLabels({one.name: one.value for one in exact})


def _aggregated(node: ast.AggregateExpr) -> KnownLabels:
    inner, op, modifier = known_labels(node.expr), str(node.op), node.modifier
    if op in _SELECTING:
        return inner
    if modifier is None:
        found = NO_LABELS
    elif modifier.type == ast.AggModifierType.By:
        found = inner.kept(modifier.labels)
    else:
        found = inner.without(modifier.labels)
    if op != "count_values":
        return found
    label = node.param
    return found.overwritten(str(label.val)) if isinstance(label, ast.StringLiteral) else NOTHING_KNOWN


def _called(node: ast.Call) -> KnownLabels:
    name, arguments = node.func.name, list(node.args)
    if name in ("absent", "absent_over_time"):
        labels = labels_of_absence(node)
        return KnownLabels(labels, frozenset(labels))
    if name == "vector" or (name in _UNLABELLED and not arguments):
        return NO_LABELS
    if name == "histogram_quantile":
        return known_labels(arguments[1]).without(["le"])
    if name in ("label_replace", "label_join"):
        return _relabelled(arguments[0], arguments[1])
    return NOTHING_KNOWN if name == "info" else _of_first_vector(arguments)


def _relabelled(vector: ast.Expr, target: ast.Expr) -> KnownLabels:
    if isinstance(target, ast.StringLiteral):
        return known_labels(vector).overwritten(str(target.val))
    return NOTHING_KNOWN


def _of_first_vector(arguments: Sequence[ast.Expr]) -> KnownLabels:
    vectors = [each for each in arguments if not is_scalar(each) and not isinstance(each, ast.StringLiteral)]
    return known_labels(vectors[0]) if vectors else NOTHING_KNOWN


def _operation(node: ast.BinaryExpr) -> KnownLabels:
    left, right, op = known_labels(node.lhs), known_labels(node.rhs), operator(node)
    if is_scalar(node.lhs) or is_scalar(node.rhs):
        return right if is_scalar(node.lhs) else left
    if op == "or":
        both = {label: value for label, value in left.values.items() if right.value(label) == value}
        return KnownLabels(both, None if left.only is None or right.only is None else left.only | right.only)
    if op in SETS:
        return left
    return _matched(node, left, right)


def _matched(node: ast.BinaryExpr, left: KnownLabels, right: KnownLabels) -> KnownLabels:
    """The labels of arithmetic or a comparison of two vectors."""
    modifier = node.modifier
    if modifier is None:
        return left
    if modifier.card in (ast.VectorMatchCardinality.ManyToOne, ast.VectorMatchCardinality.OneToMany):
        many = left if modifier.card == ast.VectorMatchCardinality.ManyToOne else right
        for label in modifier.group_labels or ():
            many = many.overwritten(label)
        return many
    if modifier.matching is None:
        return left
    names = modifier.matching.labels
    if modifier.matching.type == ast.LabelModifierType.Include:
        return left.kept(names)
    return left.without(names)


_KNOWN: Final[dict[type, Callable[[Any], KnownLabels]]] = {
    ast.VectorSelector: _selected,
    ast.MatrixSelector: lambda node: _selected(node.vector_selector),
    ast.SubqueryExpr: lambda node: known_labels(node.expr),
    ast.UnaryExpr: lambda node: known_labels(node.expr),
    ast.AggregateExpr: _aggregated,
    ast.Call: _called,
    ast.BinaryExpr: _operation,
}


def conflict(node: ast.BinaryExpr) -> str | None:
    """Why no elements of two vectors match; None if some can.

    Example:
        >>> from tallow.stack.prove.expression import parse
        >>> conflict(parse('up{job="a"} and up{job="b"}'))
        'label job is "a" on the left and "b" on the right'
    """
    left, right = known_labels(node.lhs), known_labels(node.rhs)
    matching = node.modifier.matching if node.modifier is not None else None
    names = set(matching.labels) if matching is not None else set()
    if matching is not None and matching.type == ast.LabelModifierType.Include:
        compared = names
    else:
        compared = {*left.values, *right.values} - names
    for label in sorted(compared):
        one, other = left.value(label), right.value(label)
        if one is not None and other is not None and one != other:
            return f"label {label} is {_shown(one)} on the left and {_shown(other)} on the right"
    return None


def _shown(value: str) -> str:
    return f'"{value}"' if value else "missing"
