"""Rules about PromQL: expressions that parse but do not compute what is intended."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import timedelta

import promql_parser as ast

from tallow.stack.lint.promql.catalog_rules import Finding
from tallow.stack.lint.promql.type_inference import (
    COMPARISONS,
    SETS,
    InferredType,
    infer_type,
    labels_kept,
    part_of_whole,
)
from tallow.stack.lint.promql.vocabulary import EXPOSED

MIN_WINDOW = timedelta(seconds=60)
"""Four scrapes of 15 s, so that one lost scrape leaves no gap."""

_RATES = {"rate", "irate", "increase"}
_ON_COUNTERS = _RATES | {"resets", "changes", "count_over_time", "present_over_time", "absent_over_time"}
_EXISTENCE = {"absent", "timestamp"}
_EXISTENCE_OPERATORS = {"count", "group"}


def without_parentheses(expr: ast.Expr) -> ast.Expr:
    """``expr`` without parentheses around it."""
    while isinstance(expr, ast.ParenExpr):
        expr = expr.expr
    return expr


def call(expr: ast.Call) -> Iterator[Finding]:
    """Rules about one function call."""
    name = expr.func.name
    for argument in expr.args:
        yield from _range_argument(name, without_parentheses(argument))
        inner = without_parentheses(argument)
        if isinstance(inner, ast.VectorSelector) and name not in _EXISTENCE:
            yield from raw_counter(inner)
    if name == "histogram_quantile":
        yield from _quantile(without_parentheses(expr.args[1]))


def _range_argument(name: str, argument: object) -> Iterator[Finding]:
    if isinstance(argument, ast.SubqueryExpr) and name in _RATES and _aggregates(argument.expr):
        yield "promql/rate-of-sum", f"{name}() of a sum misses counter resets: use {name}() first, then sum"
    if not isinstance(argument, ast.MatrixSelector):
        return
    selector = argument.vector_selector
    exposed = EXPOSED.get(selector.name or "")
    if argument.range < MIN_WINDOW:
        seconds = int(argument.range.total_seconds())
        yield "promql/window", f"{name}() over {seconds} s is shorter than 4 scrapes (60 s): gaps and no data"
    if exposed is not None:
        yield from _function_and_kind(name, selector.name or "", is_counter=exposed.is_cumulative)


def _function_and_kind(name: str, metric: str, *, is_counter: bool) -> Iterator[Finding]:
    """Whether a function fits the kind of a metric."""
    if is_counter and name not in _ON_COUNTERS:
        yield (
            "promql/counter",
            f"{name}() of the counter {metric}: its value depends on the process start; use rate()",
        )
    if not is_counter and name in _RATES:
        yield "promql/gauge", f"{name}() of the gauge {metric}: use delta() or deriv()"


def _aggregates(expr: ast.Expr) -> bool:
    found = False

    def visit(node: ast.Expr) -> bool:
        nonlocal found
        found = found or isinstance(node, ast.AggregateExpr)
        return not found

    ast.walk(expr, visit)
    return found


def _quantile(argument: ast.Expr) -> Iterator[Finding]:
    if not isinstance(argument, ast.AggregateExpr) or str(argument.op) != "sum":
        yield "promql/quantile", "histogram_quantile() needs sum by (le, …) (rate(…_bucket[…])) inside"
        return
    inner = infer_type(argument.expr)
    left = labels_kept(argument.modifier, inner.labels)
    if left is not None and "le" not in left:
        yield "promql/quantile", "the sum inside histogram_quantile() drops the label 'le'"
    rated = without_parentheses(argument.expr)
    if not (isinstance(rated, ast.Call) and rated.func.name in _RATES):
        yield (
            "promql/quantile",
            "histogram_quantile() of buckets since the start of the process: use rate() first",
        )
    if not all(name.endswith("_bucket") for name in inner.metrics):
        yield "promql/quantile", f"histogram_quantile() of {', '.join(sorted(inner.metrics))}, not of buckets"


def raw_counter(selector: ast.VectorSelector) -> Iterator[Finding]:
    """``promql/counter``: the level of a counter depends on when the process started."""
    exposed = EXPOSED.get(selector.name or "")
    if exposed is not None and exposed.is_cumulative:
        yield "promql/counter", f"the counter {selector.name} is read without rate() or increase()"


def aggregation(expr: ast.AggregateExpr) -> Iterator[Finding]:
    """Rules about one aggregation."""
    inner, op = without_parentheses(expr.expr), str(expr.op)
    if isinstance(inner, ast.VectorSelector) and op not in _EXISTENCE_OPERATORS:
        yield from raw_counter(inner)
    if op in ("sum", "avg") and _has_quantile(inner):
        yield (
            "promql/quantile",
            f"{op} of quantiles is not a quantile: aggregate the buckets, then compute it",
        )


def _has_quantile(expr: ast.Expr) -> bool:
    compared = without_parentheses(expr.lhs) if isinstance(expr, ast.BinaryExpr) else expr
    return isinstance(compared, ast.Call) and compared.func.name == "histogram_quantile"


def operation(expr: ast.BinaryExpr, *, compared: bool) -> Iterator[Finding]:
    """Rules about one binary operation. ``compared``: a comparison drops its NaN."""
    op = str(expr.op).split()[0]
    left, right = infer_type(expr.lhs), infer_type(expr.rhs)
    operands = (expr.lhs,) if op in ("and", "unless") else (expr.lhs, expr.rhs)
    for operand in map(without_parentheses, operands):
        if isinstance(operand, ast.VectorSelector):
            yield from raw_counter(operand)
    if op == "/" and _unguarded(left, right, compared=compared):
        yield "promql/division", "the divisor can be 0: the result is NaN or infinite; use … / (… > 0)"
    if op in COMPARISONS and right.scalar:
        yield from _comparison(op, left, right)
    yield from matching(expr, left, right, op)


def _unguarded(left: InferredType, right: InferredType, *, compared: bool) -> bool:
    """Whether a quotient can be NaN or infinite; a compared share is safe, since comparisons drop NaN."""
    known = any(name in EXPOSED for name in right.metrics) or right.scalar
    return known and not right.nonzero and not (compared and part_of_whole(left, right))


def _comparison(op: str, left: InferredType, right: InferredType) -> Iterator[Finding]:
    limit = right.low
    if right.low != right.high:
        return
    if never_holds(op, left, limit):
        span = f"{left.low:g} to {left.high:g}" if math.isfinite(left.high) else f"{left.low:g} and up"
        cap = ", its last finite bucket edge" if left.capped_at_bucket else ""
        yield "promql/impossible", f"'{op} {limit:g}' is never true: the value is in {span}{cap}"


def never_holds(op: str, value: InferredType, limit: float) -> bool:
    """Whether a comparison is false for every value; for a quantile, the last bucket edge counts as below."""
    if op == ">" or (op == ">=" and value.capped_at_bucket):
        return value.high <= limit
    if op == ">=":
        return value.high < limit
    if op == "<":
        return value.low >= limit
    if op == "<=":
        return value.low > limit
    return op == "==" and not value.low <= limit <= value.high


def matching(expr: ast.BinaryExpr, left: InferredType, right: InferredType, op: str) -> Iterator[Finding]:
    """``promql/matching``: the labels by which the operands of an operation match."""
    if left.scalar or right.scalar or left.labels is None or right.labels is None:
        return
    one, other = _matched(expr, left.labels), _matched(expr, right.labels)
    for name in sorted(_listed_on(expr) - (left.labels & right.labels)):
        yield "promql/matching", f"'{op}' matches on '{name}', which one side lacks"
    if op == "or":
        if bool(one) != bool(other):
            yield (
                "promql/matching",
                "'or' combines series with and without labels: aggregate both to the same labels",
            )
    elif one != other:
        yield "promql/matching", f"'{op}' between labels {_listed(one)} and {_listed(other)} never matches"
    elif op not in SETS:
        yield from _cardinality(expr, left.labels, right.labels, one, op)


def _listed_on(expr: ast.BinaryExpr) -> frozenset[str]:
    """The labels of ``on (…)``."""
    matching = expr.modifier.matching if expr.modifier is not None else None
    if matching is None or matching.type != ast.LabelModifierType.Include:
        return frozenset()
    return frozenset(matching.labels)


def _cardinality(
    expr: ast.BinaryExpr, left: frozenset[str], right: frozenset[str], matched: frozenset[str], op: str
) -> Iterator[Finding]:
    card = expr.modifier.card if expr.modifier is not None else ast.VectorMatchCardinality.OneToOne
    # group_left (node) copies a label that an info metric has once for each group.
    copied = frozenset(expr.modifier.group_labels or ()) if expr.modifier is not None else frozenset()
    many_left, many_right = bool(left - matched - copied), bool(right - matched - copied)
    allowed_left = card == ast.VectorMatchCardinality.ManyToOne
    allowed_right = card == ast.VectorMatchCardinality.OneToMany
    if (many_left and not allowed_left) or (many_right and not allowed_right):
        yield (
            "promql/matching",
            f"'{op}' can match several series on a side and then fails; aggregate first",
        )


def _matched(expr: ast.BinaryExpr, labels: frozenset[str]) -> frozenset[str]:
    """The labels of one operand that take part in matching."""
    modifier = expr.modifier
    if modifier is None or modifier.matching is None:
        return labels
    listed = frozenset(modifier.matching.labels)
    on = modifier.matching.type == ast.LabelModifierType.Include
    return labels & listed if on else labels - listed


def _listed(labels: frozenset[str]) -> str:
    return "{" + ", ".join(sorted(labels)) + "}"
