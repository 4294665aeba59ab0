"""Rules about a panel: units, windows, legends, thresholds and missing values."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import promql_parser as ast

from tallow.stack.lint.promql import units
from tallow.stack.lint.promql.catalog_rules import Finding
from tallow.stack.lint.promql.expressions import nodes, selectors
from tallow.stack.lint.promql.promql_rules import without_parentheses
from tallow.stack.lint.promql.templating import PLACEHOLDER_WINDOWS, parseable
from tallow.stack.lint.promql.type_inference import COMPARISONS, InferredType, infer_type
from tallow.stack.lint.promql.vocabulary import EXPOSED

Json = dict[str, Any]

KINDS = frozenset(
    {"timeseries", "stat", "gauge", "bargauge", "piechart", "table", "histogram", "barchart", "heatmap"}
    | {"text", "logs"}
)
TRANSFORMATIONS = frozenset(
    {"organize", "merge", "joinByField", "sortBy", "filterFieldsByName", "reduce", "labelsToFields"}
)
NO_TRAFFIC = "no traffic"
_PLACEHOLDER = re.compile(r"\{\{\s*(\w+)\s*\}\}")
_MIN_DESCRIPTION_WORDS = 10


def panel_rules(panel: Json) -> Iterator[Finding]:
    """Rules about a panel with any data source."""
    if len(str(panel.get("description", "")).split()) < _MIN_DESCRIPTION_WORDS:
        yield "panel/description", "too short: say what it shows and what to do when it looks wrong"
    if panel["type"] not in KINDS:
        yield (
            "panel/kind",
            f"'{panel['type']}' is not supported by the viewer; it supports {', '.join(sorted(KINDS))}",
        )
    for transformation in panel.get("transformations", []):
        if transformation["id"] not in TRANSFORMATIONS:
            accepted = ", ".join(sorted(TRANSFORMATIONS))
            yield (
                "panel/kind",
                f"transformation '{transformation['id']}' is not supported by the viewer; use {accepted}",
            )
    for holder in (panel, *panel.get("targets", [])):
        if not str(holder.get("datasource", {}).get("uid", "")).startswith("${"):
            yield "panel/datasource", "bound to one data source: use uid ${datasource}"
    references = [target.get("refId") for target in panel.get("targets", [])]
    if None in references or len(set(references)) != len(references):
        yield "panel/target", f"targets need distinct refIds, not {references}"


def target_rules(panel: Json, target: Json) -> Iterator[Finding]:
    """Rules about a PromQL target and its panel."""
    try:
        tree = ast.parse(parseable(target["expr"]))
    except ValueError:
        return  # reported as promql/syntax
    value = infer_type(tree)
    yield from _selection(tree)
    yield from _windows(tree, target)
    yield from _unit(panel, target, value)
    yield from _thresholds(panel, target, value)
    yield from _columns(panel, value) if target.get("format") == "table" else _legend(target, value)
    yield from _missing_values(panel, tree)


def _selection(tree: ast.Expr) -> Iterator[Finding]:
    for selector in selectors(tree):
        matchers = {str(matcher) for matcher in selector.matchers.matchers}
        if selector.name in EXPOSED and not {'job=~"$job"', 'instance=~"$instance"'} <= matchers:
            yield (
                "panel/selection",
                f'{selector.name} lacks job=~"$job" or instance=~"$instance"',
            )


def _windows(tree: ast.Expr, target: Json) -> Iterator[Finding]:
    rate_interval, whole_range = PLACEHOLDER_WINDOWS["$__rate_interval"], PLACEHOLDER_WINDOWS["$__range"]
    for node in nodes(tree):
        if not isinstance(node, ast.MatrixSelector | ast.SubqueryExpr):
            continue
        if node.range == whole_range and not target.get("instant"):
            yield (
                "panel/window",
                "$__range in a range query covers the whole range at each step: use an instant query",
            )
        elif node.range not in (rate_interval, whole_range):
            yield "panel/window", "a fixed window does not fit other time ranges: use $__rate_interval"


def _unit(panel: Json, target: Json, value: InferredType) -> Iterator[Finding]:
    known = [EXPOSED[name].metric for name in sorted(value.metrics) if name in EXPOSED]
    if value.metrics and not known:
        return
    bucket_unit = panel["type"] == "heatmap" and known
    wanted = units.grafana_units(units.unit_of_metric(known[0]) if bucket_unit else value.unit)
    names = " or ".join(wanted) or "no known unit"
    unit = unit_of(panel, target)
    if not unit:
        yield "panel/unit", f"no unit; the query yields {names}"
    elif unit not in wanted:
        yield "panel/unit", f"unit '{unit}', but the query yields {names}"


def unit_of(panel: Json, target: Json) -> str:
    """The unit of a target: that of an override, or that of the panel."""
    config = panel.get("fieldConfig", {})
    for override in config.get("overrides", []):
        if _applies(override["matcher"], target):
            for item in override["properties"]:
                if item["id"] == "unit":
                    return str(item["value"])
    return str(config.get("defaults", {}).get("unit", ""))


def _applies(matcher: Json, target: Json) -> bool:
    legend = str(target.get("legendFormat", ""))
    if matcher["id"] == "byFrameRefID":
        return bool(matcher["options"] == target.get("refId"))
    if matcher["id"] == "byRegexp":
        return re.search(str(matcher["options"]).strip("/"), legend) is not None
    return bool(matcher["id"] == "byName" and matcher["options"] == legend)


def _thresholds(panel: Json, target: Json, value: InferredType) -> Iterator[Finding]:
    defaults = panel.get("fieldConfig", {}).get("defaults", {})
    if unit_of(panel, target) != defaults.get("unit", ""):
        return
    for step in defaults.get("thresholds", {}).get("steps", []):
        limit = step.get("value")
        if limit is not None and not value.low < limit < value.high:
            cap = ", its last finite bucket edge" if value.capped_at_bucket else ""
            span = f"{value.low:g} to {value.high:g}{cap}"
            yield "panel/threshold", f"threshold {limit:g} is never reached: the value is in {span}"


def _legend(target: Json, value: InferredType) -> Iterator[Finding]:
    legend = str(target.get("legendFormat", ""))
    named = set(_PLACEHOLDER.findall(legend))
    if not legend:
        yield "panel/legend", "no legend: the panel would show the query"
    if value.labels is None:
        return
    for name in sorted(named - value.labels):
        yield "panel/legend", f"the legend names '{name}', which the query does not keep"
    for name in sorted(value.labels - named):
        yield "panel/legend", f"series differ by '{name}', which the legend does not name"


def _columns(panel: Json, value: InferredType) -> Iterator[Finding]:
    if value.labels is None:
        return
    columns: set[str] = set()
    for transformation in panel.get("transformations", []):
        if transformation["id"] == "organize":
            columns |= set(transformation["options"].get("renameByName", {}))
    named = {name for name in columns if name != "Time" and not name.startswith("Value")}
    for name in sorted(named - value.labels):
        yield "panel/legend", f"the column '{name}' is no label the query keeps"
    for name in sorted(value.labels - named):
        yield "panel/legend", f"the label '{name}' has no column heading"


def _missing_values(panel: Json, tree: ast.Expr) -> Iterator[Finding]:
    text = panel.get("fieldConfig", {}).get("defaults", {}).get("noValue", "")
    if not text:
        yield "panel/idle", "noValue is empty: without samples the panel would show No data"
    guarded: set[str] = set()
    quantiles: set[str] = set()
    for node in nodes(tree):
        if isinstance(node, ast.BinaryExpr) and str(node.op).split()[0] in COMPARISONS:
            guarded.add(without_parentheses(node.lhs).prettify())
        elif isinstance(node, ast.Call) and node.func.name == "histogram_quantile":
            quantiles.add(node.prettify())
    if quantiles - guarded:
        yield "panel/idle", "a quantile without observations is NaN: filter it with >= 0"
    if quantiles and text != NO_TRAFFIC:
        yield "panel/idle", f"a panel with a quantile has the noValue '{NO_TRAFFIC}', not '{text}'"
