"""Rules about names: metrics, labels and values must be in the catalogue."""

from __future__ import annotations

from collections.abc import Iterator

import promql_parser as ast

from tallow.stack.lint.promql.type_inference import infer_type
from tallow.stack.lint.promql.vocabulary import (
    EXPOSED,
    TARGET_LABELS,
    ExposedSeries,
    can_match,
    is_third_party,
    label_of,
)

Finding = tuple[str, str]
"""A linter rule and the message of a problem."""


def selector_names(selector: ast.VectorSelector) -> Iterator[Finding]:
    """``catalog/metric``, ``catalog/label`` and ``catalog/value`` for one selector."""
    named = [matcher for matcher in selector.matchers.matchers if matcher.name == "__name__"]
    if selector.name is None:
        shown = named[0].value if named else str(selector)
        yield "catalog/metric", f"'{shown}': use the metric name, so that it can be checked"
        return
    exposed = EXPOSED.get(selector.name)
    if exposed is not None:
        yield from _matchers(selector, exposed)
    elif not is_third_party(selector.name):
        yield "catalog/metric", f"'{selector.name}' is not in the catalogue{_hint(selector.name)}"


def _hint(name: str) -> str:
    parts = [f"{name}_{part}" for part in ("bucket", "sum", "count") if f"{name}_{part}" in EXPOSED]
    return f"; a histogram is read by its parts ({', '.join(parts)})" if parts else ""


def _matchers(selector: ast.VectorSelector, exposed: ExposedSeries) -> Iterator[Finding]:
    for matcher in selector.matchers.matchers:
        if matcher.name in TARGET_LABELS:
            continue
        label = label_of(exposed, matcher.name)
        if label is None:
            allowed = ", ".join(sorted(exposed.labels))
            yield "catalog/label", f"'{selector.name}' has no label '{matcher.name}'; it has {allowed}"
        elif not can_match(exposed, label, matcher):
            values = ", ".join(label.values)
            yield (
                "catalog/value",
                f"'{matcher.value}' is no value of {selector.name}'s label '{label.name}'; it has {values}",
            )


def aggregation_names(expr: ast.AggregateExpr) -> Iterator[Finding]:
    """``promql/grouping``: the operand has the labels of an aggregation."""
    inner = infer_type(expr.expr).labels
    if expr.modifier is None or inner is None:
        return
    for name in expr.modifier.labels:
        if name not in inner:
            kept = ", ".join(sorted(inner)) or "none"
            yield "promql/grouping", f"'{expr.op}' groups by '{name}', which its operand lacks; it has {kept}"
